"""What `cryptochat send` makes of a stream: which lines are one message, and when they leave."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptochat_lib.cli.send import GATHER_SECONDS, LINE_SECONDS, Gathering, gathered


def test_lines_that_come_close_together_are_one_message() -> None:
    gathering = Gathering()
    assert list(gathering.add(b"one\n", 0)) == []
    assert list(gathering.add(b"two\n", GATHER_SECONDS / 2)) == []
    assert gathering.patience(GATHER_SECONDS / 2) == GATHER_SECONDS / 2
    assert list(gathering.due(GATHER_SECONDS)) == ["one\ntwo"]
    assert gathering.patience(GATHER_SECONDS) is None
    assert list(gathering.rest()) == []


def test_a_line_that_is_not_finished_waits_for_its_end_but_not_for_ever() -> None:
    gathering = Gathering()
    assert list(gathering.add(b"one\ntw", 0)) == []
    assert list(gathering.due(GATHER_SECONDS)) == ["one"]
    assert list(gathering.due(2 * GATHER_SECONDS)) == []
    assert list(gathering.due(GATHER_SECONDS + LINE_SECONDS)) == ["tw"]


def test_a_character_that_comes_in_two_pieces_is_one() -> None:
    gathering = Gathering()
    whole = "é".encode()
    assert list(gathering.add(whole[:1], 0)) == []
    assert list(gathering.add(whole[1:], 0)) == []
    assert list(gathering.rest()) == ["é"]


@given(st.lists(st.binary(max_size=40), max_size=20), st.integers(4, 64))
def test_whatever_comes_leaves_in_order_and_no_message_is_too_long(blocks: list[bytes], most: int) -> None:
    gathering = Gathering(most)
    messages = [message for now, block in enumerate(blocks) for message in gathering.add(block, now / 3)]
    messages += gathering.rest()
    assert all(message and len(message.encode()) <= most for message in messages)
    text = b"".join(blocks).decode(errors="replace")
    without_ends = str.maketrans("", "", "\r\n")
    assert "".join(messages).translate(without_ends) == text.translate(without_ends)


def test_what_was_read_before_a_signal_is_sent() -> None:
    """As Ctrl-C ends `make 2>&1 | cryptochat send build`: the last lines are those that matter."""
    blocks, times = iter([b"error: it is broken\n", b""]), iter([0.0, 0.0])

    def clock() -> float:
        for now in times:
            return now
        raise KeyboardInterrupt

    sent: list[str] = []

    def send() -> None:
        for message in gathered(lambda: next(blocks), clock):
            sent.append(message)

    with pytest.raises(KeyboardInterrupt):
        send()
    assert sent == ["error: it is broken"]

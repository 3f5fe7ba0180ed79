"""What waits for one peer: nothing is missed, shown twice, or shown out of order, wherever it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptochat_lib import backlog as backlog_module
from cryptochat_lib.backlog import Backlog
from cryptochat_lib.model import Message, PeerId, RoomName

BOB = PeerId("00000000-0000-4000-8000-00000000000b")


@pytest.fixture(autouse=True, scope="module")
def small() -> Iterator[None]:
    """Three messages in memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backlog_module, "MOST", 3)
        yield


class Table:
    """The waiting rows, in place of the database; `meanwhile` happens while it is read."""

    def __init__(self) -> None:
        self.waiting_numbers: list[int] = []
        self.reads = 0
        self.fails = False
        self.meanwhile: Callable[[], None] = lambda: None

    def waiting(self, uuid: PeerId, limit: int, after: int = 0) -> list[Message]:
        self.reads += 1
        if self.fails:
            self.fails = False
            raise OSError("a read that fails")
        found = [message(n) for n in self.waiting_numbers if n > after][:limit]
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return found


def message(number: int) -> Message:
    return Message(number, RoomName("tea"), "hi", BOB, "Bob", 0, 0, "text", True, f"w{number}")


def numbers(messages: list[Message]) -> list[int]:
    return [m.number for m in messages]


def make(*stored: int) -> tuple[Backlog, Table]:
    table = Table()
    table.waiting_numbers = list(stored)
    return Backlog(BOB, table), table  # type: ignore[arg-type]


def store(backlog: Backlog, table: Table, number: int) -> None:
    table.waiting_numbers.append(number)
    backlog.offer(message(number))


def test_what_the_database_has_comes_first() -> None:
    backlog, _ = make(1, 2)
    assert numbers(backlog.peek(10)) == [1, 2]
    assert numbers(backlog.peek(1)) == [1]


def test_what_was_just_stored_needs_no_look_into_the_database() -> None:
    backlog, table = make()
    assert backlog.peek(10) == []
    store(backlog, table, 1)
    store(backlog, table, 2)
    assert numbers(backlog.peek(10)) == [1, 2]
    assert table.reads == 1


def test_before_the_first_look_nothing_is_kept_twice() -> None:
    backlog, table = make()
    store(backlog, table, 1)
    assert numbers(backlog.peek(10)) == [1]


def test_what_is_stored_during_the_look_is_there_once() -> None:
    for seen_by_the_look in (True, False):
        backlog, table = make(1)
        if seen_by_the_look:
            table.waiting_numbers.append(2)
            table.meanwhile = lambda backlog=backlog: backlog.offer(message(2))  # type: ignore[misc]
        else:
            table.meanwhile = lambda backlog=backlog, table=table: store(backlog, table, 2)  # type: ignore[misc]
        assert numbers(backlog.peek(10)) == [1, 2]


def test_more_than_fits_is_read_when_it_is_due() -> None:
    backlog, table = make()
    assert backlog.peek(10) == []
    for number in range(1, 8):
        store(backlog, table, number)
    shown = []
    while some := backlog.peek(2):
        shown += numbers(some)
        backlog.done(len(some))
    assert shown == [1, 2, 3, 4, 5, 6, 7]


def test_what_was_forgotten_is_read_anew() -> None:
    backlog, table = make(1, 2)
    assert numbers(backlog.peek(10)) == [1, 2]
    table.waiting_numbers.remove(1)
    backlog.reread()
    assert numbers(backlog.peek(10)) == [2]


def test_what_is_forgotten_during_the_look_does_not_come_from_it() -> None:
    backlog, table = make(1, 2)

    def withhold() -> None:
        table.waiting_numbers.clear()
        backlog.reread()

    table.meanwhile = withhold
    assert backlog.peek(10) == []


def test_a_look_that_fails_leaves_all_to_the_next_one() -> None:
    backlog, table = make(1, 2)
    table.fails = True
    with pytest.raises(OSError, match="fails"):
        backlog.peek(10)
    store(backlog, table, 3)
    assert numbers(backlog.peek(10)) == [1, 2, 3]


@given(
    st.lists(
        st.one_of(
            st.just(("store", 0)),
            st.just(("reread", 0)),
            st.just(("offer late", 0)),
            st.just(("the look fails", 0)),
            st.tuples(st.just("store during the look"), st.integers(1, 5)),
            st.tuples(st.just("send"), st.integers(1, 5)),
        ),
        max_size=60,
    )
)
def test_whatever_happens_all_is_shown_once_and_in_order(steps: list[tuple[str, int]]) -> None:
    backlog, table = make()
    shown: list[int] = []
    last = 0

    def send(limit: int) -> bool:
        some = numbers(backlog.peek(limit))
        table.waiting_numbers = [n for n in table.waiting_numbers if n not in some]
        backlog.done(len(some))
        shown.extend(some)
        return bool(some)

    for what, limit in steps:
        if what == "send":
            send(limit)
        elif what == "reread":
            backlog.reread()
        elif what == "the look fails":
            backlog.reread()
            table.fails = True
            with pytest.raises(OSError, match="fails"):
                backlog.peek(1)
        elif what == "store during the look":
            backlog.reread()
            news = range(last + 1, last + limit + 1)
            last += limit
            table.meanwhile = lambda news=news: [store(backlog, table, n) for n in news]  # type: ignore[misc]
            send(1)
        else:
            last += 1
            if what == "offer late":  # stored, and before it is offered the sender looks
                table.waiting_numbers.append(last)
                send(1)
                backlog.offer(message(last))
            else:
                store(backlog, table, last)
    while send(2):
        pass
    assert shown == list(range(1, last + 1))

"""The event log: numbers that only grow, resuming, bounds, and readers that cost nobody anything."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
from waiting import wait_until

from cryptochat_lib.events import (
    Event,
    EventLog,
    message_event_number,
    message_number_before,
    to_line,
)
from cryptochat_lib.identity import Identity
from cryptochat_lib.limits import Limits
from cryptochat_lib.store import Store


def make_log(burnt: int = 1, **limits: int) -> EventLog:
    log = EventLog(Limits(**limits))
    log.start(burnt)
    return log


def read(log: EventLog, number: int) -> list[str] | None:
    found = log.after(number, 0)
    return None if found is None else [event.data for event in found]


@pytest.fixture
def log() -> EventLog:
    return make_log()


def test_a_reader_gets_what_came_after_its_number_in_order(log: EventLog) -> None:
    start = log.latest
    for n in range(3):
        log.publish("users", {"n": n})
    found = log.after(start, 0)
    assert found is not None
    assert [json.loads(event.data)["n"] for event in found] == [0, 1, 2]
    assert read(log, found[0].number) == ['{"n":1}', '{"n":2}']
    assert read(log, found[2].number) == []


def test_numbers_grow_whatever_is_published(log: EventLog) -> None:
    start = log.latest
    log.publish("users", {})
    log.publish_message(7, dict, 2)
    log.publish("rooms", {})
    log.publish_message(9, dict, 2)
    found = log.after(start, 0) or []
    numbers = [event.number for event in found]
    assert numbers == sorted(set(numbers))
    assert [numbers[1], numbers[3]] == [message_event_number(7), message_event_number(9)]


def test_numbers_grow_across_restarts(tmp_path: Path, identity: Identity) -> None:
    latest = 0
    for _ in range(3):
        store = Store(tmp_path / "c.db", Limits(free_disk_bytes=0))
        store.open(lambda: identity)
        log = make_log(store.messages.burn_number())
        assert log.latest > latest
        for _ in range(100):
            log.publish("users", {})
        latest = log.latest
        store.close()


def test_an_events_number_says_which_messages_its_reader_has_had(log: EventLog) -> None:
    log.publish_message(5, dict, 2)
    assert message_number_before(log.latest) == 5
    log.publish("users", {})
    assert message_number_before(log.latest) == 5
    assert message_number_before(message_event_number(6) - 1) == 5


def test_a_number_of_an_earlier_run_is_not_in_the_log() -> None:
    log = make_log(burnt=3)
    assert log.after(message_event_number(2) + 17, 0) is None


def test_a_number_that_was_never_given_is_not_in_the_log(log: EventLog) -> None:
    assert log.after(log.latest + 1, 0) is None


def test_the_log_keeps_a_bounded_number_of_events() -> None:
    log = make_log(events_kept=3)
    start = log.latest
    for n in range(3):
        log.publish("users", {"n": n})
    assert read(log, start) is not None
    log.publish("users", {"n": 3})
    assert read(log, start) is None
    assert read(log, start + 1) == ['{"n":1}', '{"n":2}', '{"n":3}']


def test_the_log_keeps_a_bounded_number_of_bytes() -> None:
    log = make_log(events_bytes=100)
    start = log.latest
    log.publish("users", {"x": "y" * 92})  # 100 bytes as JSON
    assert len((read(log, start) or [""])[0]) == 100
    log.publish("users", {})
    assert read(log, start) is None
    assert read(log, start + 1) == ["{}"]


def test_one_event_over_the_bound_is_not_kept_at_all() -> None:
    log = make_log(events_bytes=10)
    start = log.latest
    log.publish("users", {"x": "y" * 100})
    assert read(log, start) is None
    assert read(log, log.latest) == []


def test_a_reader_waits_until_something_comes(log: EventLog) -> None:
    found: list[object] = []
    start = log.latest
    reader = threading.Thread(target=lambda: found.append(log.after(start, 60)))
    reader.start()
    log.publish("users", {})
    reader.join(10)
    assert len(found) == 1
    assert found[0]


def test_a_number_reserved_for_another_reader_wakes_nobody(log: EventLog) -> None:
    """Or each tab that opens would set every other tab's stream spinning."""
    start = log.latest
    log.reserve(2)
    before = time.monotonic()
    assert log.after(start, 0.05) == []
    assert time.monotonic() - before >= 0.05


def test_what_is_published_comes_behind_a_reserved_number(log: EventLog) -> None:
    start = log.latest
    first = log.reserve(3)
    log.publish("users", {})
    found = log.after(start, 0) or []
    assert first == start + 1
    assert [event.number for event in found] == [start + 4]
    assert read(log, first + 2) == ["{}"]


def test_a_reader_that_was_cut_off_within_its_own_numbers_cannot_resume(log: EventLog) -> None:
    """Nobody else has the rest: it is told to fetch the state anew, and gets its questions again."""
    first = log.reserve(3)
    assert log.after(first, 0) is None
    assert log.after(first + 1, 0) is None
    assert log.after(first + 2, 0) == []


def test_reserving_nothing_takes_the_place_after_the_last_event(log: EventLog) -> None:
    assert log.reserve(0) == log.latest + 1


def test_closing_releases_every_reader(log: EventLog) -> None:
    found: list[object] = []
    readers = [threading.Thread(target=lambda: found.append(log.after(log.latest, 60))) for _ in range(3)]
    for reader in readers:
        reader.start()
    log.close()
    for reader in readers:
        reader.join(10)
    assert found == [None, None, None]
    assert log.closed


def test_a_reader_that_falls_behind_while_it_waits_is_told_so() -> None:
    """Many events at once, more than are kept: some are gone before the reader wakes."""
    log = make_log(events_kept=1)
    start = log.latest
    found: list[object] = []
    reader = threading.Thread(target=lambda: found.append(log.after(start, 60)))
    with log._changed:  # the reader can look only after both
        reader.start()
        for n in range(2):
            log._append(Event(log._latest + 1, "users", str(n)))
    wait_until(lambda: not reader.is_alive())
    assert found == [None]


def test_nothing_in_an_event_can_end_its_line() -> None:
    line = to_line({"content": "a\r\nb\u2028c\u0085d\0"})
    assert line.isascii()
    assert not {"\r", "\n", "\0"} & set(line)
    assert json.loads(line) == {"content": "a\r\nb\u2028c\u0085d\0"}

"""Keys take turns: a flood of one holds up nothing but itself, and is told so when others are at work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest
from waiting import wait_until

from cryptochat_lib import turns as turns_module
from cryptochat_lib.errors import TooManyRequests
from cryptochat_lib.limits import Limits
from cryptochat_lib.turns import Turns


class Clock:
    """Time that passes when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(turns_module.time, "monotonic", lambda: self.now)


class Work:
    """Requests in threads of their own, each of which is at work until the test lets it end."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.most = 0  # how many were at work at once, at the most
        self._lock = threading.Lock()  # guards `most` and `_at_work`
        self._at_work: dict[threading.Event, str] = {}
        self._ends: list[threading.Event] = []
        self._threads: list[threading.Thread] = []

    def begin(self, key: str) -> None:
        end = threading.Event()

        def run() -> None:
            with self.turns.turn(key):
                with self._lock:
                    self._at_work[end] = key
                    self.most = max(self.most, len(self._at_work))
                assert end.wait(10)
                with self._lock:
                    del self._at_work[end]

        self._ends.append(end)
        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()

    def length(self, key: str) -> int:
        line = self.turns._lines.get(key)
        return line.length if line else 0

    @property
    def at_work(self) -> list[str]:
        """The keys whose requests are at work."""
        with self._lock:
            return sorted(self._at_work.values())

    def end_one(self) -> None:
        """Let one of those that are at work end."""
        with self._lock:
            next(iter(self._at_work)).set()

    def end_all(self) -> None:
        for end in self._ends:
            end.set()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()


@pytest.fixture
def work() -> Iterator[Work]:
    work = Work(Turns(Limits()))
    yield work
    work.end_all()
    assert work.turns._lines == {}


def test_of_one_key_one_request_is_worked_on_at_a_time(work: Work) -> None:
    def one_of(length: int) -> bool:
        return work.length("busy") == length and work.at_work == ["busy"]

    for _ in range(3):
        work.begin("busy")
    for length in (3, 2, 1):
        wait_until(partial(one_of, length))
        work.end_one()
    wait_until(lambda: work.length("busy") == 0)
    assert work.most == 1


def test_another_key_does_not_wait_for_it(work: Work) -> None:
    for _ in range(3):
        work.begin("busy")
    wait_until(lambda: work.length("busy") == 3)
    work.begin("quiet")
    wait_until(lambda: work.at_work == ["busy", "quiet"])


def test_who_has_too_much_work_queued_while_others_work_comes_again(work: Work) -> None:
    work.begin("quiet")
    for _ in range(4):
        work.begin("busy")
    wait_until(lambda: work.length("busy") == 4 and work.length("quiet") == 1)
    work.turns._lines["busy"].seconds = 0.3
    with pytest.raises(TooManyRequests) as refused, work.turns.turn("busy"):
        pass
    assert refused.value.headers == {"Retry-After": "1"}
    assert work.length("busy") == 4


def test_up_to_that_it_queues(work: Work) -> None:
    work.begin("quiet")
    for _ in range(4):
        work.begin("busy")
    wait_until(lambda: work.length("busy") == 4 and work.length("quiet") == 1)
    work.turns._lines["busy"].seconds = 0.25
    work.begin("busy")
    wait_until(lambda: work.length("busy") == 5)


def test_while_nobody_else_works_all_of_it_queues(work: Work) -> None:
    for _ in range(4):
        work.begin("busy")
    wait_until(lambda: work.length("busy") == 4)
    work.turns._lines["busy"].seconds = 100.0
    work.begin("busy")
    wait_until(lambda: work.length("busy") == 5)


def test_how_long_one_takes_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, turns = Clock(monkeypatch), Turns(Limits())
    with turns.turn("a"):
        line = turns._lines["a"]
        line.length += 1  # somebody waits, so the line stays
        clock.now += 8.0
    assert line.seconds == 1.0


def test_a_request_that_fails_gives_its_turn_up() -> None:
    turns = Turns(Limits())
    with pytest.raises(ZeroDivisionError), turns.turn("a"):
        raise ZeroDivisionError
    with turns.turn("a"):
        pass
    assert turns._lines == {}

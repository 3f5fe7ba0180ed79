"""The gates: few places, one for each key, and an end to the waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from waiting import wait_until

from cryptochat_lib.gates import Gates
from cryptochat_lib.limits import Limits

LONG = 60.0


class Waiter:
    """A connection that waits at a gate."""

    def __init__(self, gates: Gates, key: str, patience: float = LONG) -> None:
        self.stands = threading.Event()
        self.thread = threading.Thread(target=gates.wait, args=(key, patience, self._undecided))
        self.thread.start()

    def _undecided(self) -> bool:
        self.stands.set()
        return True

    def wait_standing(self) -> Waiter:
        assert self.stands.wait(10)
        return self

    @property
    def released(self) -> bool:
        self.thread.join(10)
        return not self.thread.is_alive()


@pytest.fixture
def gates() -> Iterator[Gates]:
    gates = Gates(Limits(gate_waiting=3))
    yield gates
    gates.close()


def turned_away(gates: Gates, key: str) -> bool:
    """Whether a connection finds no place: then nothing is asked, and nothing is waited for."""
    asked = threading.Event()

    def ask() -> bool:
        asked.set()
        return False

    gates.wait(key, 0, ask)
    return not asked.is_set()


def test_an_answer_releases_who_waits_for_it_and_nobody_else(gates: Gates) -> None:
    ada, bob = Waiter(gates, "ada").wait_standing(), Waiter(gates, "bob").wait_standing()
    gates.open("ada")
    assert ada.released
    assert bob.thread.is_alive()
    gates.open("bob")
    assert bob.released


def test_nobody_waits_longer_than_the_limit(gates: Gates) -> None:
    assert Waiter(gates, "ada", patience=0.01).released


def test_a_second_connection_of_one_key_finds_no_place(gates: Gates) -> None:
    Waiter(gates, "ada").wait_standing()
    assert turned_away(gates, "ada")
    assert not turned_away(gates, "bob")


def test_past_the_places_of_all_a_new_key_finds_none(gates: Gates) -> None:
    for key in ("1", "2"):
        Waiter(gates, key).wait_standing()
    assert not turned_away(gates, "3")
    Waiter(gates, "3").wait_standing()
    assert turned_away(gates, "4")


def test_a_place_is_free_again_when_its_connection_has_gone_on(gates: Gates) -> None:
    waiters = [Waiter(gates, key).wait_standing() for key in "123"]
    gates.open("2")
    assert waiters[1].released
    assert not turned_away(gates, "4")
    assert not turned_away(gates, "2")


def test_an_answer_that_came_just_before_the_gate_stood_is_not_waited_for(gates: Gates) -> None:
    gates.open("ada")
    before = time.monotonic()
    gates.wait("ada", LONG, lambda: False)
    assert time.monotonic() - before < LONG / 2


def test_an_answer_between_the_gate_and_the_question_is_heard(gates: Gates) -> None:
    """The user answers after the gate stands and before anybody waits at it."""

    def answered_meanwhile() -> bool:
        gates.open("ada")
        return True

    before = time.monotonic()
    gates.wait("ada", LONG, answered_meanwhile)
    assert time.monotonic() - before < LONG / 2


def test_a_question_that_fails_gives_its_place_back(gates: Gates) -> None:
    def fail() -> bool:
        raise ZeroDivisionError

    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            gates.wait("ada", LONG, fail)
    assert not turned_away(gates, "ada")


def test_a_place_without_a_gate_is_one_of_the_same_places(gates: Gates) -> None:
    with gates.place("1") as one, gates.place("2") as two, gates.place("3") as three:
        assert one and two and three  # noqa: PT018
        assert turned_away(gates, "ada")
        with gates.place("4") as none_left:
            assert not none_left
    assert not turned_away(gates, "ada")


def test_closing_releases_everyone_and_lets_nobody_wait_again(gates: Gates) -> None:
    waiters = [Waiter(gates, key).wait_standing() for key in "12"]
    gates.close()
    assert all(waiter.released for waiter in waiters)
    assert turned_away(gates, "3")
    with gates.place("1") as place:
        assert not place


def test_nothing_is_left_of_a_gate_that_nobody_waits_at(gates: Gates) -> None:
    for n in range(20):
        gates.wait(str(n), 0, lambda: True)
    gates.open("never stood")
    wait_until(lambda: not gates._gates)


def test_silent_connections_of_one_address_take_one_place(gates: Gates) -> None:
    with gates.place("10.0.0.9") as first, gates.place("10.0.0.9") as second:
        assert first
        assert not second
    with gates.place("10.0.0.9") as again:
        assert again


def test_a_client_that_hung_up_keeps_no_place(gates: Gates) -> None:
    gone = threading.Event()
    waiting = threading.Thread(target=gates.wait, args=("ada", LONG, lambda: True, gone.is_set))
    waiting.start()
    wait_until(lambda: gates.waiting == 1)
    gone.set()
    waiting.join(10)
    assert not waiting.is_alive()
    assert gates.waiting == 0

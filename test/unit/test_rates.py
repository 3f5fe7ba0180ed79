"""A burst after silence is welcome, a flood is not."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from cryptochat_lib import rates as rates_module
from cryptochat_lib.errors import TooManyRequests
from cryptochat_lib.limits import Limits
from cryptochat_lib.rates import Rates


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rates_module, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def rates(clock: Clock) -> Rates:
    return Rates(Limits(rate_messages_per_second=10, rate_bytes_per_second=100, rate_window_seconds=10.0))


def test_one_windows_worth_of_messages_at_once_and_one_more(rates: Rates) -> None:
    rates.spend("bob", 100, 0)
    with pytest.raises(TooManyRequests) as refused:
        rates.spend("bob", 1, 0)
    assert refused.value.headers["Retry-After"].isdigit()


def test_one_windows_worth_of_bytes_at_once_and_one_more(rates: Rates) -> None:
    rates.spend("bob", 1, 1000)
    with pytest.raises(TooManyRequests):
        rates.spend("bob", 0, 1)


def test_tokens_come_back_at_the_allowed_rate(rates: Rates, clock: Clock) -> None:
    rates.spend("bob", 100, 0)
    clock.now += 1
    rates.spend("bob", 10, 0)
    with pytest.raises(TooManyRequests):
        rates.spend("bob", 1, 0)


def test_silence_saves_up_no_more_than_one_window(rates: Rates, clock: Clock) -> None:
    rates.spend("bob", 1, 0)
    clock.now += 10_000
    with pytest.raises(TooManyRequests):
        rates.spend("bob", 101, 0)
    rates.spend("bob", 100, 0)


def test_what_is_refused_costs_nothing(rates: Rates) -> None:
    for _ in range(5):
        with pytest.raises(TooManyRequests):
            rates.spend("bob", 1, 1001)
    rates.spend("bob", 100, 1000)


def test_one_peers_flood_costs_no_other(rates: Rates) -> None:
    rates.spend("bob", 100, 1000)
    rates.spend("carol", 100, 1000)


def test_a_bounded_number_of_keys_is_remembered(rates: Rates) -> None:
    for n in range(3000):
        rates.spend(str(n), 1, 1)
    assert len(rates._spent) == 1024

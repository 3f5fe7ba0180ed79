"""What a link feels of its network, and when its sockets are to be opened anew."""

from __future__ import annotations

import errno
import ipaddress
import os

import pytest

from cryptochat_lib import mdns_health
from cryptochat_lib.interfaces import Interface
from cryptochat_lib.mdns_health import Pulse

US = "8d0c9f3e-25ba-4d8c-9a52-6d0b7f7a0001"
OURS = b"\x24" + US.encode() + b"\x0b_cryptochat"


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(mdns_health, "time", clock)
    return clock


@pytest.fixture
def pulse(clock: Clock) -> Pulse:
    addresses = ("10.0.0.5/24", "fe80::5/64")
    return Pulse(Interface("eth0", 2, tuple(map(ipaddress.ip_interface, addresses))))


def test_what_comes_back_to_us_is_told_from_what_others_say(pulse: Pulse, clock: Clock) -> None:
    pulse.sent(US)
    pulse.received(OURS, "10.0.0.9")  # somebody who knows us
    pulse.received(b"another program here", "10.0.0.5")
    assert (pulse.health(announced=True).returned, pulse.health(announced=True).heard) == (None, 1)
    for host in ("10.0.0.5", "::ffff:10.0.0.5", "fe80::5%2"):
        clock.now += 1
        pulse.received(OURS, host)
        assert pulse.health(announced=True).returned == clock.now
    assert pulse.health(announced=True).heard_at == 1000.0


def test_sockets_that_fail_are_opened_anew_until_something_comes_back(pulse: Pulse, clock: Clock) -> None:
    pulse.failed(PermissionError(errno.EPERM, "not allowed"))
    assert pulse.is_broken(clock.now)
    health = pulse.health(announced=True)
    assert (health.error, health.error_number) == (os.strerror(errno.EPERM), errno.EPERM)
    clock.now += 1
    pulse.sent(US)
    pulse.received(OURS, "10.0.0.5")
    assert not pulse.is_broken(clock.now)
    assert pulse.health(announced=True).error is None


def test_sockets_that_no_longer_hear_us_are_opened_anew(pulse: Pulse, clock: Clock) -> None:
    pulse.sent(US)
    pulse.received(OURS, "10.0.0.5")
    clock.now += 60
    pulse.sent(US)
    assert not pulse.is_broken(clock.now + 1), "it may still come back"
    assert pulse.is_broken(clock.now + 3)


def test_who_asks_every_second_does_not_put_that_off(pulse: Pulse, clock: Clock) -> None:
    pulse.sent(US)
    pulse.received(OURS, "10.0.0.5")
    for _ in range(4):
        clock.now += 1
        pulse.sent(US)
    assert pulse.is_broken(clock.now)


def test_where_nothing_ever_came_back_there_is_no_use_in_that(pulse: Pulse, clock: Clock) -> None:
    pulse.sent(US)
    assert not pulse.is_broken(clock.now + 60)

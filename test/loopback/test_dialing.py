"""Dialing: whichever address succeeds first, and what is left of the others. Real sockets, on loopback.

A handshake here is one byte: who is meant says "!". Those of TLS are in `test/unit/test_tls.py`;
`test/lan/test_dialing.py` has the addresses that loopback lacks.
"""

from __future__ import annotations

import contextlib
import gc
import os
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest
from black_holes import black_hole, connecting_to, port_of
from handshakes import AnyByte, NoHandshake
from waiting import wait_until

from cryptochat_lib.attempts import Attempts
from cryptochat_lib.dialing import WRITE, Handshake, Where, dial
from cryptochat_lib.errors import CertificateChanged, NoConnection, Unreachable
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Endpoint

# A socket that nobody closes: its descriptor goes with the last reference, so here only this tells.
pytestmark = pytest.mark.filterwarnings("error::ResourceWarning")

LIMITS = Limits()
STAGGER = LIMITS.connect_stagger_seconds
PATIENT = replace(LIMITS, connect_seconds=30.0)
"""Whoever waits here until an attempt is given up is too late."""
SLACK = 1.0
"""What a busy machine may add."""


@contextmanager
def listening(host: str = "127.0.0.1") -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        yield listener


def at(listener: socket.socket, host: str = "127.0.0.1") -> Endpoint:
    return Endpoint(host, port_of(listener))


def closed_port() -> Endpoint:
    with listening() as listener:
        return at(listener)


def dialed(
    where: Where, limits: Limits = PATIENT, handshake: Handshake[socket.socket] | None = None
) -> tuple[Endpoint, float]:
    """Where the first connection came to be, and the seconds that it took."""
    began = time.monotonic()
    endpoint, sock = dial(where, handshake or NoHandshake(), limits, Attempts())
    sock.close()
    return endpoint, time.monotonic() - began


@contextmanager
def saying(words: bytes) -> Iterator[Endpoint]:
    """Somebody who says `words` to whoever connects, and holds on to them."""
    with listening() as listener, ExitStack() as stack:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    sock = stack.enter_context(listener.accept()[0])
                    sock.sendall(words)

        thread = threading.Thread(target=accept, name="somebody who answers")
        thread.start()
        try:
            yield at(listener)
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_where_the_likeliest_address_answers_no_other_is_tried() -> None:
    with listening() as first, listening() as second:
        assert dialed(lambda: (at(first), at(second)))[0] == at(first)
        second.setblocking(False)
        with pytest.raises(BlockingIOError):
            second.accept()


def test_an_address_that_is_silent_delays_the_next_by_the_stagger() -> None:
    with black_hole() as first, black_hole() as second, listening() as good:
        endpoint, seconds = dialed(lambda: (at(first), at(second), at(good)))
        assert endpoint == at(good)
        assert 2 * STAGGER <= seconds < 2 * STAGGER + SLACK


def test_an_address_that_refuses_delays_the_next_by_nothing() -> None:
    limits = replace(PATIENT, connect_stagger_seconds=30.0)
    refuses = closed_port()
    with listening() as good:
        endpoint, seconds = dialed(lambda: (refuses, at(good)), limits)
        assert endpoint == at(good)
        assert seconds < SLACK


def test_who_shows_up_elsewhere_while_an_old_address_is_dialed_is_dialed_there_too() -> None:
    with black_hole() as old, listening() as new:
        known = [(at(old),)] * 3

        def where() -> tuple[Endpoint, ...]:
            return known.pop() if known else (at(old), at(new))

        endpoint, seconds = dialed(where)
        assert endpoint == at(new)
        assert seconds < 3 * STAGGER + SLACK


def test_nobody_selects_among_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is an error on Windows: not at the beginning, nor when all have answered or failed."""

    class AsOnWindows(selectors.SelectSelector):
        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            if not self.get_map():
                raise OSError(10022, "An invalid argument was supplied")
            return super().select(timeout)

    monkeypatch.setattr(selectors, "DefaultSelector", AsOnWindows)
    with saying(b"?") as other:
        with pytest.raises(NoConnection):
            dialed(lambda: (closed_port(),))
        with pytest.raises(NoConnection):
            dialed(lambda: ())
        with pytest.raises(CertificateChanged):
            dialed(lambda: (other,), handshake=AnyByte())


# Handshakes


def test_who_answers_and_goes_no_further_delays_the_next_by_the_stagger() -> None:
    with listening() as first, listening() as second, saying(b"!") as good:
        endpoint, seconds = dialed(lambda: (at(first), at(second), good), handshake=AnyByte())
        assert endpoint == good
        assert 2 * STAGGER <= seconds < 2 * STAGGER + SLACK


def test_who_is_somebody_else_delays_the_next_by_nothing() -> None:
    limits = replace(PATIENT, connect_stagger_seconds=30.0)
    with saying(b"?") as other, saying(b"!") as good:
        endpoint, seconds = dialed(lambda: (other, good), limits, AnyByte())
        assert endpoint == good
        assert seconds < SLACK


def test_slow_bytes_do_not_prolong_a_handshake() -> None:
    limits = replace(LIMITS, handshake_seconds=0.5)

    class Endless(AnyByte):
        """There is always something to go on with, and never enough."""

        def go_on(self, sock: socket.socket) -> int:
            return WRITE

    with listening() as slow:
        began = time.monotonic()
        with pytest.raises(Unreachable, match="took too long") as failed:
            dialed(lambda: (at(slow),), limits, Endless())
        assert not isinstance(failed.value, NoConnection), "somebody is there"
        assert 0.5 <= time.monotonic() - began < 0.5 + SLACK


def test_a_handshake_has_its_own_time_whatever_connecting_took() -> None:
    limits = replace(LIMITS, connect_seconds=0.05, handshake_seconds=30.0, connect_stagger_seconds=0.3)
    looked = 0
    with listening() as slow, ExitStack() as stack:

        def where() -> tuple[Endpoint, ...]:
            """A little later than the time for connecting, it answers."""
            nonlocal looked
            looked += 1
            if looked == 2:
                stack.enter_context(slow.accept()[0]).sendall(b"!")
            return (at(slow),)

        assert dialed(where, limits, AnyByte())[0] == at(slow)


def test_why_the_first_handshake_failed_says_more_than_that_others_are_silent() -> None:
    limits = replace(LIMITS, handshake_seconds=0.2, connect_stagger_seconds=0.01)
    with saying(b"?") as other, listening() as silent:
        refuses = closed_port()
        with pytest.raises(CertificateChanged):
            dialed(lambda: (refuses, other, at(silent), refuses), limits, AnyByte())


# Bounds


def test_when_nobody_answers_that_is_said_in_bounded_time() -> None:
    limits = replace(LIMITS, connect_seconds=0.5, connect_stagger_seconds=0.05)
    with black_hole() as first, black_hole() as second, black_hole() as third:
        refuses, began = closed_port(), time.monotonic()
        with pytest.raises(NoConnection, match="timed out"):
            dialed(lambda: (at(first), at(second), refuses, at(third)), limits)
        assert 0.5 <= time.monotonic() - began < 0.5 + 2 * 0.05 + SLACK


def test_nowhere_to_dial_is_no_connection() -> None:
    with pytest.raises(NoConnection):
        dialed(lambda: ())


@pytest.mark.parametrize("host", ["fe80::1%nowhere", "255.255.255.255", "no address"])
def test_an_address_that_is_none_is_passed_over(host: str) -> None:
    with listening() as good:
        assert dialed(lambda: (Endpoint(host, 9), at(good)))[0] == at(good)


def test_many_announced_addresses_are_tried_a_few_at_a_time() -> None:
    """Anybody can announce sixteen for a friend of ours."""
    limits = replace(LIMITS, connect_seconds=2.0, connect_stagger_seconds=0.001, connects_at_once=3)
    with black_hole("0.0.0.0") as hole:
        endpoints = tuple(at(hole, f"127.0.2.{number}") for number in range(1, 7))
        at_once: list[int] = []

        def where() -> tuple[Endpoint, ...]:
            at_once.append(connecting_to(port_of(hole)))
            return endpoints

        began = time.monotonic()
        with pytest.raises(NoConnection):
            dialed(where, limits)
        assert max(at_once) == 2  # before the third begins
        assert time.monotonic() - began < 3 * 2.0  # it is twice that long; one after the other, six times


def test_addresses_that_never_cease_to_be_announced_end_all_the_same() -> None:
    """Each time that we look there are more of them, and nobody is at any."""
    port = closed_port().port
    looked = 0

    def where() -> tuple[Endpoint, ...]:
        nonlocal looked
        looked += looked < 300
        return tuple(Endpoint(f"127.0.{n // 250 + 3}.{n % 250 + 1}", port) for n in range(looked))

    with pytest.raises(NoConnection):
        dialed(where)
    assert looked <= LIMITS.connects_of_one_dial + 1


def test_who_shows_up_later_keeps_nobody_from_being_tried() -> None:
    """Anybody can announce new addresses for a friend of ours, each before the one that is true."""
    with listening() as good:
        assert dialed(lambda: (closed_port(), at(good)))[0] == at(good)


def test_a_connection_blocks_as_its_user_expects_and_notices_loss() -> None:
    with listening() as good:
        _, sock = dial(lambda: (at(good),), NoHandshake(), LIMITS, Attempts())
        with sock:
            assert sock.gettimeout() == LIMITS.connect_seconds
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                user_timeout = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
                assert user_timeout == LIMITS.lost_seconds * 1000


def test_ipv6_is_dialed_like_any_other() -> None:
    with black_hole() as old, listening("::1") as good:
        assert dialed(lambda: (at(old), at(good, "::1")))[0] == at(good, "::1")


def broken_where(*first: Endpoint) -> Where:
    answers = [first]

    def where() -> tuple[Endpoint, ...]:
        return answers.pop()  # and then IndexError

    return where


def test_no_descriptor_is_left_whatever_comes() -> None:
    """At once, and not when the garbage is next collected."""
    limits = replace(LIMITS, connect_seconds=0.2, connect_stagger_seconds=0.01)
    gc.collect()
    gc.disable()
    try:
        with ExitStack() as stack:
            holes = [at(stack.enter_context(black_hole())) for _ in range(3)]
            good = at(stack.enter_context(listening()))
            before = descriptors()
            dialed(lambda: (*holes, good), limits)
            assert descriptors() == before, "after a connection"
            with pytest.raises(NoConnection):
                dialed(lambda: tuple(holes), limits)
            assert descriptors() == before, "after none"
            with pytest.raises(IndexError):
                dialed(broken_where(*holes), limits)
            assert descriptors() == before, "after a failure of ours"
            friend = stack.enter_context(saying(b"!"))
            before = descriptors()
            dialed(lambda: (good, good, friend), limits, AnyByte())
            wait_until(lambda: descriptors() == before + 1, 5, "after a handshake, but for the friend's")
    finally:
        gc.enable()


def test_when_no_descriptor_is_left_that_is_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left() -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("selectors.DefaultSelector", none_left)
    with pytest.raises(NoConnection, match="Too many open files"):
        dialed(lambda: (closed_port(),))

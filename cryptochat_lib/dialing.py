"""Dialing: a connection to whichever of a peer's addresses finishes its handshake first.

A peer has several addresses. A machine that has moved leaves dead ones behind, at which a
try takes seconds to fail; and anybody may announce more of them, at which somebody answers
and then is silent, or is somebody else. So they are tried side by side, as "Happy Eyeballs"
does (RFC 8305, section 5):

    1. where the peer may be is asked anew at each step: who shows up at another
       address while an old one is dialed is dialed there too
    2. the next address is tried 250 ms after the last one, or at once when one has
       failed; the likeliest is first, and while it answers at once it is the only one
    3. an attempt is the connection and the handshake on it: whoever answers and goes
       no further holds up nobody, and whoever is not the peer has failed
    4. when one has succeeded, or all have failed, all others are closed

Each attempt is bounded: in seconds, however slowly its bytes come, in addresses at a time,
and in addresses at all, also if new ones never cease to be announced.

What a handshake is, the caller says (`tls.ClientHandshake`). What came of each attempt is noted
for whoever wants to know why (`attempts`). No threads: non-blocking sockets
and a selector, in the caller's thread.
"""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from .attempts import NO_ROUTE, REFUSED, TIMED_OUT, WRONG_KEY, Attempts
from .errors import CertificateChanged, NoConnection, Unreachable
from .limits import Limits
from .model import Endpoint

Where = Callable[[], tuple[Endpoint, ...]]
"""Where a peer may be, as far as is known when it is asked; the likeliest first."""

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

# Every other failure to connect is silence, or as good as that.
_WHY = {
    errno.ECONNREFUSED: REFUSED,
    errno.EHOSTUNREACH: NO_ROUTE,
    errno.ENETUNREACH: NO_ROUTE,
    errno.ENETDOWN: NO_ROUTE,
    errno.EADDRNOTAVAIL: NO_ROUTE,
    errno.EAFNOSUPPORT: NO_ROUTE,
}

S = TypeVar("S", bound=socket.socket)


class Handshake(Protocol[S]):
    """What comes after connecting, on each connection by itself. None of it waits."""

    def begin(self, sock: socket.socket) -> S:
        """What stands for the connected `sock` from now on. Raises Unreachable, and has closed it then."""

    def go_on(self, sock: S) -> int:
        """As far as it goes now: READ or WRITE, for which it waits, or 0 when it is done.

        Raises Unreachable, or CertificateChanged if this is not the peer.
        """


def dial(where: Where, handshake: Handshake[S], limits: Limits, attempts: Attempts) -> tuple[Endpoint, S]:
    """The first of the addresses of `where` at which the handshake succeeds; the socket blocks.

    Raises NoConnection if nobody answers at any. If somebody did: Unreachable or
    CertificateChanged, why the first of these handshakes failed.
    """
    with contextlib.closing(_Race(where, handshake, limits, attempts)) as race:
        return race.first()


@dataclass(eq=False)
class _Attempt(Generic[S]):
    """A connection that is being made. `until`: when it is given up (monotonic)."""

    endpoint: Endpoint
    sock: socket.socket
    until: float
    shaking: S | None = None  # what stands for `sock`, once it is connected


class _Race(Generic[S]):
    """What is under way, in the order of preference, and what is still to be tried."""

    def __init__(self, where: Where, handshake: Handshake[S], limits: Limits, attempts: Attempts) -> None:
        self._attempts = attempts
        self._where = where
        self._handshake = handshake
        self._limits = limits
        self._failure: Unreachable | CertificateChanged = NoConnection()
        self._seen: set[Endpoint] = set()
        self._untried: deque[Endpoint] = deque()
        self._under_way: list[_Attempt[S]] = []
        self._next_at = 0.0  # when the next one may begin (monotonic)
        try:
            self._selector = selectors.DefaultSelector()
        except OSError as error:  # no descriptor is left
            raise NoConnection(f"cannot connect to anybody: {error.strerror}") from error

    def first(self) -> tuple[Endpoint, S]:
        """The first that succeeds; else why none did."""
        while True:
            self._begin()
            if not self._under_way:
                break
            for attempt in self._wait():
                sock = self._go_on(attempt)
                if sock is not None:
                    return attempt.endpoint, sock
            self._give_up()
        failure, self._failure = self._failure, NoConnection()
        try:
            raise failure
        finally:
            del failure  # it holds this frame, which would hold it

    def close(self) -> None:
        """End what is under way."""
        for attempt in self._under_way:
            attempt.sock.close()
        self._under_way.clear()
        self._selector.close()

    def _begin(self) -> None:
        """Try the next address, if it is time to, and if it fails there and then the one after it."""
        now = time.monotonic()
        if now < self._next_at or len(self._under_way) >= self._limits.connects_at_once:
            return
        self._next_at = now + self._limits.connect_stagger_seconds
        self._ask()
        while self._untried:
            endpoint = self._untried.popleft()
            try:
                sock = _connecting(endpoint)
            except OSError as error:
                self._note(endpoint, _no_connection(endpoint, error.errno, error.strerror or str(error)))
                continue
            self._under_way.append(_Attempt(endpoint, sock, now + self._limits.connect_seconds))
            self._selector.register(sock, WRITE, self._under_way[-1])
            return

    def _ask(self) -> None:
        """Where the peer may be. Whoever shows up later comes later: a flood of them delays no one else."""
        for endpoint in self._where():
            if endpoint not in self._seen and len(self._seen) < self._limits.connects_of_one_dial:
                self._seen.add(endpoint)
                self._untried.append(endpoint)

    def _wait(self) -> list[_Attempt[S]]:
        """Those that can go on, once there are any or something else is due."""
        now = time.monotonic()
        # When as many are under way as may be: look as often whether there is a place.
        due = self._next_at if self._next_at > now else now + self._limits.connect_stagger_seconds
        due = min(due, *(attempt.until for attempt in self._under_way))
        return [key.data for key, _ in self._selector.select(max(0.0, due - now))]

    def _go_on(self, attempt: _Attempt[S]) -> S | None:
        """One step of an attempt; its socket if that was the last one."""
        self._selector.unregister(attempt.sock)  # another object may stand for it when it goes on
        try:
            if attempt.shaking is None:
                attempt.sock = attempt.shaking = self._connected(attempt)
                attempt.until = time.monotonic() + self._limits.handshake_seconds
            sock = attempt.shaking
            waits_for = self._handshake.go_on(sock)
        except (Unreachable, CertificateChanged) as error:
            self._fail(attempt, error)
            return None
        if waits_for:
            self._selector.register(sock, waits_for, attempt)
            return None
        self._under_way.remove(attempt)
        self._attempts.note(attempt.endpoint, None)
        sock.settimeout(self._limits.connect_seconds)
        return sock

    def _connected(self, attempt: _Attempt[S]) -> S:
        """The beginning of the handshake, if there is a connection. Raises Unreachable."""
        sock = attempt.sock
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise _no_connection(attempt.endpoint, error, _reason(error))
        with contextlib.suppress(OSError):  # else a connection's first request takes 45 ms
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _notice_loss(sock, int(self._limits.lost_seconds))
        return self._handshake.begin(sock)

    def _give_up(self) -> None:
        """End those whose time is over, also if there is always something that they could go on with."""
        now = time.monotonic()
        for attempt in list(self._under_way):
            if attempt.until > now:
                continue
            self._selector.unregister(attempt.sock)
            if attempt.shaking is None:
                error = _no_connection(attempt.endpoint, errno.ETIMEDOUT, _reason(errno.ETIMEDOUT))
                self._fail(attempt, error)
            else:
                reason = f"the handshake at {attempt.endpoint} took too long"
                self._fail(attempt, Unreachable(reason, why=TIMED_OUT))

    def _fail(self, attempt: _Attempt[S], error: Unreachable | CertificateChanged) -> None:
        """It is under way no more, and the next one may begin."""
        self._under_way.remove(attempt)
        attempt.sock.close()
        self._next_at = 0.0
        self._note(attempt.endpoint, error)

    def _note(self, endpoint: Endpoint, error: Unreachable | CertificateChanged) -> None:
        """The first that got further than to no connection says most."""
        self._attempts.note(endpoint, error.why if isinstance(error, Unreachable) else WRONG_KEY)
        if isinstance(self._failure, NoConnection):
            self._failure = error.with_traceback(None)  # which holds frames that would hold it


def _no_connection(endpoint: Endpoint, error: int | None, reason: str) -> NoConnection:
    """Why there is no connection to `endpoint`; `error`: an errno."""
    return NoConnection(f"no connection to {endpoint}: {reason}", why=_WHY.get(error or 0, TIMED_OUT))


def _reason(error: int) -> str:
    """Why, in words; Windows keeps those of its sockets in a table of its own."""
    words: dict[int, str] = getattr(socket, "errorTab", {})
    return words.get(error) or os.strerror(error)


def _connecting(endpoint: Endpoint) -> socket.socket:
    """A socket that is about to connect: it is writable when it has, or has failed. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
    )[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError, InterruptedError):  # it goes on without us
            sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return sock


def _notice_loss(sock: socket.socket, seconds: int) -> None:
    """Let the system end the connection once the other *machine* has been silent for about `seconds`.

    A machine acknowledges what it gets, and answers probes, however slow its program is. Left
    alone TCP would take a cable that is out, or an address that is gone, for a slow reply.
    """
    options = {
        "TCP_USER_TIMEOUT": seconds * 1000,  # what we have sent is not acknowledged (RFC 5482)
        "TCP_KEEPIDLE": seconds // 2,  # there is nothing to acknowledge: probes
        "TCP_KEEPALIVE": seconds // 2,  # its name on macOS
        "TCP_KEEPINTVL": max(1, seconds // 4),
        "TCP_KEEPCNT": 2,
    }
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in options.items():
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

"""Dialing: a TCP connection to whichever of a peer's addresses answers first.

A peer has several addresses, and a machine that has moved leaves dead ones behind,
at which a try takes seconds to fail. So they are tried side by side, as "Happy
Eyeballs" does (RFC 8305, section 5):

    1. where the peer may be is asked anew at each step: who shows up at another
       address while an old one is dialed is dialed there too
    2. the next address is tried 250 ms after the last one, or at once when one has
       failed; the likeliest is first, and while it answers at once it is the only one
    3. a connection is the caller's, who finds out who is there, and comes back for
       the next one if it is not the peer; what connected meanwhile is dialed anew,
       for whoever is there may be about to give us up
    4. when the caller is content, or all have failed, all others are closed

Addresses are announced by anybody, so each try is bounded: in seconds, in addresses
at a time, and in addresses at all, also if new ones never cease to be announced.

No threads: non-blocking sockets and a selector, in the caller's thread.
"""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Generator
from typing import NamedTuple

from .errors import NoConnection
from .limits import Limits
from .model import Endpoint

Where = Callable[[], tuple[Endpoint, ...]]
"""Where a peer may be, as far as is known when it is asked; the likeliest first."""


def dial(where: Where, limits: Limits) -> Generator[tuple[Endpoint, socket.socket], None, None]:
    """Connections to the addresses of `where`, each when it is there; NoConnection if there is none at all.

    Take one after the other until content, then close this, which ends the other attempts
    (`contextlib.closing`). The sockets that were taken are the caller's to close; they block.
    """
    with contextlib.closing(_Attempts(where, limits)) as attempts:
        connected = attempts.next()
        if connected is None:
            raise NoConnection(attempts.trouble)
        while connected is not None:
            yield connected
            connected = attempts.next()


class _Attempt(NamedTuple):
    """A connection that is being made. `until`: when it is given up (monotonic)."""

    endpoint: Endpoint
    sock: socket.socket
    until: float


class _Attempts:
    """What is under way, in the order of preference, and what is still to be tried."""

    def __init__(self, where: Where, limits: Limits) -> None:
        self.trouble = ""  # why the last attempt that failed did so
        self._where = where
        self._limits = limits
        self._seen: set[Endpoint] = set()
        self._untried: deque[Endpoint] = deque()
        self._under_way: list[_Attempt] = []
        self._next_at = 0.0  # when the next one may begin (monotonic)
        try:
            self._selector = selectors.DefaultSelector()
        except OSError as error:  # no descriptor is left
            raise NoConnection(f"cannot connect to anybody: {error.strerror}") from error

    def next(self) -> tuple[Endpoint, socket.socket] | None:
        """The next connection, as soon as there is one; None when all have failed."""
        self._renew()
        while True:
            self._begin()
            if not self._under_way:
                return None
            ready = self._wait()
            now = time.monotonic()
            for attempt in list(self._under_way):
                if attempt.sock in ready:
                    if self._end(attempt, attempt.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
                        return attempt.endpoint, attempt.sock
                elif attempt.until <= now:
                    self._end(attempt, errno.ETIMEDOUT)

    def _renew(self) -> None:
        """Begin anew with what has connected since we were asked last: that may be seconds ago."""
        if not self._under_way:  # Windows does not select among nothing
            return
        ready = {key.fileobj for key, _ in self._selector.select(0)}
        for attempt in reversed(self._under_way):
            if attempt.sock in ready:
                self._untried.appendleft(attempt.endpoint)
                self._forget(attempt)
                attempt.sock.close()

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
        self._ask()
        while self._untried:
            endpoint = self._untried.popleft()
            try:
                sock = _connecting(endpoint)
            except OSError as error:
                self.trouble = f"no connection to {endpoint}: {error.strerror or error}"
                continue
            self._under_way.append(_Attempt(endpoint, sock, now + self._limits.connect_seconds))
            self._selector.register(sock, selectors.EVENT_WRITE)
            self._next_at = now + self._limits.connect_stagger_seconds
            return

    def _ask(self) -> None:
        """Where the peer may be. Whoever shows up later comes later: a flood of them delays no one else."""
        for endpoint in self._where():
            if endpoint not in self._seen and len(self._seen) < self._limits.connects_of_one_dial:
                self._seen.add(endpoint)
                self._untried.append(endpoint)

    def _wait(self) -> set[object]:
        """The sockets that have connected or failed, once there are any or something else is due."""
        now = time.monotonic()
        # When nobody is left to begin with: look as often whether somebody has shown up.
        due = self._next_at if self._next_at > now else now + self._limits.connect_stagger_seconds
        due = min(due, *(attempt.until for attempt in self._under_way))
        return {key.fileobj for key, _ in self._selector.select(max(0.0, due - now))}

    def _forget(self, attempt: _Attempt) -> None:
        """It is under way no more, and the next one may begin."""
        self._selector.unregister(attempt.sock)
        self._under_way.remove(attempt)
        self._next_at = 0.0

    def _end(self, attempt: _Attempt, error: int) -> bool:
        """It is over. Whether there is a connection; its socket blocks then."""
        self._forget(attempt)
        if error:
            attempt.sock.close()
            self.trouble = f"no connection to {attempt.endpoint}: {_reason(error)}"
            return False
        attempt.sock.settimeout(self._limits.connect_seconds)
        with contextlib.suppress(OSError):  # else a connection's first request takes 45 ms
            attempt.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _notice_loss(attempt.sock, int(self._limits.lost_seconds))
        return True


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

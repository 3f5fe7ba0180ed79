"""A deadline for a whole exchange, not for one read of it.

A socket's timeout starts anew with every `recv`, so one byte a second holds a
thread for ever. `TimedReader` gives each read only what is left of a deadline.
"""

from __future__ import annotations

import contextlib
import io
import math
import socket
import time


class Deadline:
    """A moment of the monotonic clock. Past it, `left` raises TimeoutError."""

    def __init__(self, seconds: float) -> None:
        self.restart(seconds)

    def restart(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds that are left, more than 0."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for this exchange is over")
        return left


def set_timeout(sock: socket.socket, seconds: float) -> None:
    """Let reads and writes of `sock` wait up to `seconds`, or less than a tenth more.

    Telling the system costs more than what is read, so what is nearly right is left.
    """
    if not seconds <= (sock.gettimeout() or 0.0) < seconds * 1.1:
        sock.settimeout(seconds)


class TimedReader(io.RawIOBase):
    """The reading side of a socket, under a deadline that its owner may restart.

    `most`: the bytes after which the other side has said too much for one exchange.
    `at_once`: the seconds that it waits first, and only then as long as the deadline lets it: a
    socket that is soon read and written again keeps its timeout, if writing has the same.
    """

    def __init__(
        self,
        sock: socket.socket,
        deadline: Deadline,
        most: int | None = None,
        at_once: float = math.inf,
    ) -> None:
        self._sock = sock
        self._deadline = deadline
        self._left = most
        self._at_once = at_once
        self._finished = False

    def readable(self) -> bool:
        return True

    def finish(self) -> None:
        """Read no more: who goes on reading gets what is buffered, and then the end."""
        self._finished = True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if self._finished:
            return 0
        got = self._wait_and_read(buffer)
        if self._left is not None:
            self._left -= got
            if self._left < 0:
                raise ConnectionAbortedError("the other side says too much")
        return got

    def _wait_and_read(self, buffer: bytearray | memoryview) -> int:
        if self._at_once < self._deadline.left():
            set_timeout(self._sock, self._at_once)
            with contextlib.suppress(TimeoutError):
                return self._sock.recv_into(buffer)
        set_timeout(self._sock, self._deadline.left())
        return self._sock.recv_into(buffer)

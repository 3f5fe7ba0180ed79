"""A deadline for a whole exchange, not for one read of it.

A socket's timeout starts anew with every `recv`, so one byte a second holds a
thread for ever. `TimedReader` gives each read only what is left of a deadline.
"""

from __future__ import annotations

import io
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


class TimedReader(io.RawIOBase):
    """The reading side of a socket, under a deadline that its owner may restart."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        self._sock.settimeout(self._deadline.left())
        return self._sock.recv_into(buffer)


class TimedSocket:
    """What `http.client` needs of a socket, under one deadline for both directions."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(self._deadline.left())
        self._sock.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(TimedReader(self._sock, self._deadline))

    def close(self) -> None:
        self._sock.close()

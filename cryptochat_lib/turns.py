"""Senders take turns: however many connections one key opens, one of its requests is worked on at a time.

What a request costs is our processor and our disk, and both are shared: threads
get their part of the processor each, and all that waits for the disk shares the
next commit. So with one request for each key at work, every key gets its part,
and a flood of one holds up nothing but itself. A key that has more than
`turn_seconds` of work queued while others are at work is told to come again.

Threads: peer-server workers. `_lock` guards the lines and their lengths. A line's
`turn` is held for one request, by its worker, and waited for by that key's others
only; who holds it writes `seconds`, which others read as it is.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from .errors import TooManyRequests
from .limits import Limits

_MEMORY = 8  # how many requests the measured time is an average of, roughly


class _Line:
    """One key's requests: how many there are, and how long one takes, in seconds."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.length = 0
        self.seconds = 0.0


class Turns:
    """The lines of all keys that have a request here now."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._lines: dict[str, _Line] = {}

    @contextlib.contextmanager
    def turn(self, key: str) -> Iterator[None]:
        """Wait for the turn of a request of `key`, and keep it. TooManyRequests if it would wait too long."""
        line = self._join(key)
        try:
            with line.turn:
                begun = time.monotonic()
                try:
                    yield
                finally:
                    line.seconds += (time.monotonic() - begun - line.seconds) / _MEMORY
        finally:
            self._leave(key, line)

    def _join(self, key: str) -> _Line:
        with self._lock:
            line = self._lines.setdefault(key, _Line())
            others = len(self._lines) > 1
            if others and line.length * line.seconds > self._limits.turn_seconds:
                raise TooManyRequests(headers={"Retry-After": "1"})
            line.length += 1
            return line

    def _leave(self, key: str, line: _Line) -> None:
        with self._lock:
            line.length -= 1
            if not line.length:
                del self._lines[key]

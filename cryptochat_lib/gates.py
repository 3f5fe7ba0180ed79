"""The gates: where connections of unverified peers wait for the user's answer.

The seed's protocol lets a new peer block until the user has compared
fingerprints. Unbounded, that is a thread for each stranger for ever; so there
are few places, one for each key, and an end to the waiting. Who finds no place
is told to come back, and the question is asked all the same.

Threads: peer-server workers wait, a UI worker opens, the main thread closes.
`_lock` guards the gates and the count, and is never held while waiting.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .limits import Limits


@dataclass
class _Gate:
    """The connections of one key that wait for one answer."""

    answered: threading.Event = field(default_factory=threading.Event)
    waiting: int = 0


class Gates:
    """All gates of one node, which share its few places."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._gates: dict[str, _Gate] = {}
        self._waiting = 0
        self._closed = False

    def wait(self, key: str, patience: float, undecided: Callable[[], bool]) -> None:
        """Wait at the gate of `key` for at most `patience` seconds, or not at all if no place is left.

        `undecided` is asked once the gate stands: an answer that came just
        before found no gate to open.
        """
        with self._lock:
            gate = self._gates.get(key) or _Gate()
            if gate.waiting >= self._limits.gate_waiting_for_one_key or not self._take():
                return
            self._gates[key] = gate
            gate.waiting += 1
        try:
            if undecided():
                gate.answered.wait(patience)
        finally:
            with self._lock:
                self._waiting -= 1
                gate.waiting -= 1
                if not gate.waiting and self._gates.get(key) is gate:
                    del self._gates[key]

    def open(self, key: str) -> None:
        """The user has answered: let everyone at the gate of `key` look again."""
        with self._lock:
            gate = self._gates.pop(key, None)
        if gate is not None:
            gate.answered.set()

    @contextlib.contextmanager
    def place(self) -> Iterator[bool]:
        """A place to wait in without a gate: for a peer whose own user is asked. False if none is left."""
        with self._lock:
            taken = self._take()
        try:
            yield taken
        finally:
            if taken:
                with self._lock:
                    self._waiting -= 1

    def close(self) -> None:
        """Release everyone, for good."""
        with self._lock:
            self._closed = True
            for gate in self._gates.values():
                gate.answered.set()

    def _take(self) -> bool:
        """One place, under the lock."""
        if self._closed or self._waiting >= self._limits.gate_waiting:
            return False
        self._waiting += 1
        return True

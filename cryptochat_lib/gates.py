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
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .limits import Limits

_LOOK_ROUND_SECONDS = 1.0


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

    def wait(
        self,
        key: str,
        patience: float,
        undecided: Callable[[], bool],
        gone: Callable[[], bool] = lambda: False,
    ) -> None:
        """Wait at the gate of `key` for at most `patience` seconds, or not at all if no place is left.

        `undecided` is asked once the gate stands: an answer that came just
        before found no gate to open. `gone` is asked now and then: a client that
        hung up keeps no place.
        """
        gate = self._enter(key)
        if gate is None:
            return
        try:
            end = time.monotonic() + patience
            while undecided() and not gone() and (left := end - time.monotonic()) > 0:
                if gate.answered.wait(min(left, _LOOK_ROUND_SECONDS)):
                    break
        finally:
            self._leave(key, gate)

    @property
    def waiting(self) -> int:
        """How many places are taken."""
        with self._lock:
            return self._waiting

    def open(self, key: str) -> None:
        """The user has answered: let everyone at the gate of `key` look again."""
        with self._lock:
            gate = self._gates.pop(key, None)
        if gate is not None:
            gate.answered.set()

    @contextlib.contextmanager
    def place(self, address: str) -> Iterator[bool]:
        """A place to wait in without a gate: for a peer at `address` whose own user is asked.

        False if none is left, or that address has its own already.
        """
        gate = self._enter(address)
        try:
            yield gate is not None
        finally:
            if gate is not None:
                self._leave(address, gate)

    def close(self) -> None:
        """Release everyone, for good."""
        with self._lock:
            self._closed = True
            for gate in self._gates.values():
                gate.answered.set()

    def _enter(self, key: str) -> _Gate | None:
        """A place at the gate of `key`, None if there is none."""
        with self._lock:
            gate = self._gates.get(key) or _Gate()
            full = self._waiting >= self._limits.gate_waiting
            if self._closed or full or gate.waiting >= self._limits.gate_waiting_for_one_key:
                return None
            self._gates[key] = gate
            self._waiting += 1
            gate.waiting += 1
            return gate

    def _leave(self, key: str, gate: _Gate) -> None:
        with self._lock:
            self._waiting -= 1
            gate.waiting -= 1
            if not gate.waiting and self._gates.get(key) is gate:
                del self._gates[key]

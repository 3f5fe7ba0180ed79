"""Waiting for a condition, with a deadline. No test sleeps.

`wait_until` asks again and again until the answer is true. `Collected` keeps
what another thread brings in, in order, and wakes whoever waits for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def wait_until(question: Callable[[], Answer], timeout: float = 10, what: str = "") -> Answer:
    """The first true answer to `question`, asked every 20 ms. Raises TimeoutError with `what`."""
    deadline = time.monotonic() + timeout
    while True:
        if answer := question():
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {timeout} s: {what or 'the condition did not come true'}")
        time.sleep(0.02)


class Collected(Generic[Item]):
    """What has come in so far. `_changed` guards `_items`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._items: list[Item] = []

    def add(self, item: Item) -> None:
        with self._changed:
            self._items.append(item)
            self._changed.notify_all()

    @property
    def items(self) -> list[Item]:
        """A copy of everything that has come in."""
        with self._changed:
            return list(self._items)

    def mark(self) -> int:
        """How much has come in: hand it to `wait_for` or `since` to look only at what follows."""
        with self._changed:
            return len(self._items)

    def since(self, mark: int) -> list[Item]:
        return self.items[mark:]

    def wait_for(self, wanted: Callable[[Item], bool], timeout: float = 10, after: int = 0) -> Item:
        """The first item past `after` that is wanted. Raises TimeoutError with what came instead."""
        deadline = time.monotonic() + timeout
        with self._changed:
            looked_at = after
            while True:
                for item in self._items[looked_at:]:
                    if wanted(item):
                        return item
                looked_at = max(looked_at, len(self._items))
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"not in {timeout} s; these came instead: {self._items[after:]!r}")
                self._changed.wait(left)

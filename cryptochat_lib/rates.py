"""How much one verified peer may send: a token bucket for each key.

A verified peer is still not trusted with our disk and our processor. Tokens
come at the allowed rate and pile up to one window's worth, so a burst after
silence is welcome and a flood is not.

Threads: peer-server workers; `_lock` guards all fields.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from .errors import TooManyRequests
from .limits import Limits

_KEYS_KEPT = 1024


class Rates:
    """The buckets of all keys that have sent lately."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._spent: OrderedDict[str, tuple[float, float, float]] = OrderedDict()

    def spend(self, key: str, messages: int, size: int) -> None:
        """Take what one request costs; TooManyRequests, and nothing taken, if that is too much."""
        window = self._limits.rate_window_seconds
        most_messages = self._limits.rate_messages_per_second * window
        most_bytes = self._limits.rate_bytes_per_second * window
        now = time.monotonic()
        with self._lock:
            at, had_messages, had_bytes = self._spent.pop(key, (now, most_messages, most_bytes))
            passed = (now - at) / window
            left_messages = min(most_messages, had_messages + passed * most_messages)
            left_bytes = min(most_bytes, had_bytes + passed * most_bytes)
            enough = left_messages >= messages and left_bytes >= size
            if enough:
                left_messages, left_bytes = left_messages - messages, left_bytes - size
            self._spent[key] = (now, left_messages, left_bytes)
            if len(self._spent) > _KEYS_KEPT:
                self._spent.popitem(last=False)
        if not enough:
            raise TooManyRequests(headers={"Retry-After": "1"})

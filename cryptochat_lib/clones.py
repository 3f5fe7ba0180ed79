"""Whether a second machine runs with our identity, and saying so.

A database that was copied to another machine, and runs in both places, breaks what
everybody relies on: messages for one person go to either machine, and nobody can tell
which. Nothing here can undo that; the user is told, once, in plain words, and stays
told until the next start.

`looker` finds it out, and only by proof: an announcement of our UUID can be anybody's
(`claims`), and whoever answers with our certificate may just be passing our own bytes
back to us.

Threads: looks notice, UI workers read. `_lock` guards `_found`.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

from .events import EventLog
from .model import Endpoint
from .shapes import rfc3339

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Clone:
    """A second machine with our key. `first_seen` in milliseconds since 1970."""

    address: str
    first_seen: int

    def shape(self) -> dict[str, Any]:
        """`clone` of `GET /api/info`."""
        return {"address": self.address, "first_seen": rfc3339(self.first_seen)}


class Clones:
    """What one node knows of copies of itself."""

    def __init__(self, events: EventLog) -> None:
        self._events = events
        self._lock = threading.Lock()
        self._found: Clone | None = None

    @property
    def found(self) -> Clone | None:
        """The first copy that was noticed."""
        with self._lock:
            return self._found

    def notice(self, endpoint: Endpoint) -> None:
        """Somebody at `endpoint`, who is not us, holds our key."""
        with self._lock:
            if self._found is not None:
                return
            self._found = Clone(str(endpoint), time.time_ns() // 1_000_000)
        _log.warning(
            "Another CryptoChat runs with a copy of this identity, at %s. Stop one of the two and delete its"
            " database: while both run, messages reach only one of them. If you made no copy, somebody has"
            " your key",
            endpoint,
        )
        self._events.publish("reset", {})  # the page asks who we are anew

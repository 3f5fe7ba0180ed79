"""What came of our last try to connect, for each address: for a person who asks why.

And who has not verified us, as their last answer to a greeting says: they are there all the same.

Whoever tries notes it here: `dialing` and whoever looks at what was answered. Nothing is
decided by it. The latest are remembered, 1,024 of them.

Threads: any. `_lock` guards both.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from .model import Endpoint, PeerId

REFUSED = "refused"  # the machine is there, and nobody listens at that port
TIMED_OUT = "timed-out"  # nothing came back: a firewall, or no machine
NO_ROUTE = "no-route"  # the system knows no way there
LOST = "lost"  # it broke off in the middle
NO_TLS = "no-tls"  # somebody listens who does not speak TLS
TOO_OLD = "too-old"  # it speaks no TLS 1.3
WRONG_KEY = "wrong-key"  # somebody else answers there
NO_SUCH_NAME = "no-such-name"  # a host name that means no address
ITSELF = "itself"  # it is we who answer there
UNDECIDED = "undecided"  # they have not verified us yet
REASONS = (
    REFUSED,
    TIMED_OUT,
    NO_ROUTE,
    LOST,
    NO_TLS,
    TOO_OLD,
    WRONG_KEY,
    NO_SUCH_NAME,
    ITSELF,
    UNDECIDED,
)
"""Why a try failed, as the page and scripts see it (docs/API.md, REASON)."""

_REMEMBERED_AT_MOST = 1024


@dataclass(frozen=True)
class Attempt:
    """One try. `trouble`: one of REASONS, or None if the peer answered. `at`: of the monotonic clock."""

    trouble: str | None
    at: float


class Attempts:
    """The last try at each address."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[Endpoint, Attempt] = {}
        self._undecided: set[PeerId] = set()  # of those whom we have verified

    def note(self, endpoint: Endpoint, trouble: str | None) -> None:
        """A try at `endpoint` has just ended: with `trouble`, or with None well."""
        with self._lock:
            self._last.pop(endpoint, None)
            self._last[endpoint] = Attempt(trouble, time.monotonic())
            while len(self._last) > _REMEMBERED_AT_MOST:
                del self._last[next(iter(self._last))]

    def decide(self, uuid: PeerId, verified_us: bool) -> bool:
        """`uuid`, to whom we spoke, takes us for a friend, or does not (yet); whether that is news."""
        with self._lock:
            is_news = verified_us == (uuid in self._undecided)
            if verified_us:
                self._undecided.discard(uuid)
            else:
                self._undecided.add(uuid)
        return is_news

    def is_undecided(self, uuid: PeerId) -> bool:
        """Whether `uuid`, by its last answer, does not take us for a friend (yet)."""
        with self._lock:
            return uuid in self._undecided

    def at(self, endpoint: Endpoint) -> Attempt | None:
        """The last try at `endpoint`."""
        with self._lock:
            return self._last.get(endpoint)

    def last(self, endpoints: Iterable[Endpoint]) -> Attempt | None:
        """The latest of the last tries at these."""
        found = (attempt for endpoint in endpoints if (attempt := self.at(endpoint)) is not None)
        return max(found, key=lambda attempt: attempt.at, default=None)

    def trouble(self, endpoints: Iterable[Endpoint]) -> str | None:
        """Why none of these answers: of the first that was tried; None if one did, or none was tried."""
        tried = [attempt for endpoint in endpoints if (attempt := self.at(endpoint)) is not None]
        if any(attempt.trouble is None for attempt in tried):
            return None
        return next((attempt.trouble for attempt in tried), None)

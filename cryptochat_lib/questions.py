"""What the user is asked: the keys that somebody is waiting for the user to decide about.

A question is put once for each key until it is answered, whoever has reason to
ask; and never about a key beside a verified one, which is a conflict that the
list of users shows. Asking changes no trust, so anybody may cause it.

Whoever can connect can knock, with any number of keys. So nobody's knocks drown
another's question (`test/attacks/loopback/test_questions.py`):

    1. what we want ourselves (QUEUED, ASKED) always has room;
    2. of one address two knocks are open at a time, and the next ones wait for none;
    3. in all 32 are. Past that the latest knock of whoever has the most makes way,
       which may be the new one: a flood keeps itself out, and nobody who was here first.

Threads: peer-server workers, looks and `neighbours` ask, UI workers and streams
read, whoever decides settles. `_lock` guards the questions, and while it is held
only the store is read and the event log written.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from .events import EventLog
from .gates import Gates
from .interfaces import claimant
from .limits import Limits
from .model import Certificate, KnownKey, PeerId, Trust
from .presence import Presence
from .shapes import question
from .store import Keys

QUEUED, KNOCKED, ASKED = "queued", "knocked", "asked"
"""Why somebody is pending: we have something for them, they tried to connect, the user wants to."""


@dataclass(frozen=True)
class Question:
    """One key that the user is asked about. `time`: since when, in milliseconds since 1970."""

    key: KnownKey
    username: str | None
    address: str | None
    reason: str
    time: int

    def shape(self) -> dict[str, Any]:
        """QUESTION."""
        return question(self.key, self.username, self.address, self.reason, self.time)


class Questions:
    """The open questions of one node, by the fingerprint of the key, the earliest first."""

    def __init__(
        self, keys: Keys, events: EventLog, presence: Presence, gates: Gates, limits: Limits
    ) -> None:
        self._keys = keys
        self._events = events
        self._presence = presence
        self._gates = gates
        self._limits = limits
        self._lock = threading.Lock()
        self._open: dict[str, Question] = {}
        self._told: set[str] = set()  # also of knocks that had to make way: one event until the answer

    def ask(
        self, key: KnownKey, reason: str, username: str | None = None, address: str | None = None
    ) -> bool:
        """Put the question to the user, once for each key until it is answered; False if it is not open.

        `key` may be stale: what is stored decides, read under the lock that an
        answer takes after it is stored, so no question outlives its answer.
        """
        fingerprint = key.certificate.fingerprint_sha256
        with self._lock:
            before = self._open.get(fingerprint)
            if before is not None:
                if before.reason == KNOCKED:  # if it is more than a knock by now, it is bounded no more
                    self._open[fingerprint] = replace(before, reason=reason)
                return True
            if not self._may_ask(key.certificate, reason):
                return False
            asked = Question(key, username or key.username, address or key.address, reason, _now())
            crowding = self._crowding(asked) if reason == KNOCKED else None
            if crowding is asked:
                return False
            if crowding is not None:
                del self._open[crowding.key.certificate.fingerprint_sha256]
            self._open[fingerprint] = asked
            if fingerprint not in self._told:
                self._told.add(fingerprint)
                self._events.publish("verification", asked.shape())
        self._presence.touch(key.uuid)
        if crowding is not None:
            self._gates.open(crowding.key.certificate.fingerprint_sha256)
            self._presence.touch(crowding.key.uuid)
        return True

    def open(self, before: Callable[[int], int] | None = None) -> tuple[int, list[Question]]:
        """The open questions. `before` is called with their number while none can be added or settled.

        That is how a new stream takes its place in the log: what is asked
        earlier is in the list, what is asked later is behind that place.
        """
        with self._lock:
            found = list(self._open.values())
            return (before(len(found)) if before else 0), found

    def pending(self, uuid: PeerId) -> bool:
        """Whether the user is asked about a key of `uuid`."""
        with self._lock:
            return any(asked.key.uuid == uuid for asked in self._open.values())

    def settle(self, key: KnownKey) -> None:
        """The question of this key is answered: let everyone who waits look again."""
        with self._lock:
            self._open.pop(key.certificate.fingerprint_sha256, None)
            self._told.discard(key.certificate.fingerprint_sha256)
        self._gates.open(key.certificate.fingerprint_sha256)
        self._presence.touch(key.uuid)

    def _may_ask(self, certificate: Certificate, reason: str) -> bool:
        key = self._keys.find(certificate)
        if key is None or key.trust is not Trust.UNVERIFIED or (key.declined and reason != ASKED):
            return False
        return self._keys.verified(key.uuid) is None

    def _crowding(self, new: Question) -> Question | None:
        """Which knock is one too many if `new` comes: `new` itself, another one, or none."""
        knocks = [asked for asked in self._open.values() if asked.reason == KNOCKED]
        if sum(asked.address == new.address for asked in knocks) >= self._limits.knocks_of_one_address:
            return new
        if len(knocks) < self._limits.knocks:
            return None
        crowds = Counter(claimant(asked.address) for asked in (*knocks, new))
        most = max(crowds.values())
        return next(asked for asked in (new, *reversed(knocks)) if crowds[claimant(asked.address)] == most)


def _now() -> int:
    return time.time_ns() // 1_000_000

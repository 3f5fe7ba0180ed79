"""What the user is asked: the keys that somebody is waiting for the user to decide about.

A question is put once for each key until it is answered, whoever has reason to
ask; and never about a key beside a verified one, which is a conflict that the
list of users shows. Asking changes no trust, so anybody may cause it.

Threads: peer-server workers, looks and `neighbours` ask, UI workers and streams
read, whoever decides settles. `_lock` guards the questions, and while it is held
only the store is read and the event log written.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from .events import EventLog
from .gates import Gates
from .model import Certificate, KnownKey, PeerId, Trust
from .presence import Presence
from .shapes import question
from .store import Keys

QUEUED, KNOCKED, ASKED = "queued", "knocked", "asked"
"""Why somebody is pending: we have something for them, they tried to connect, the user wants to."""


@dataclass(frozen=True)
class Question:
    """One key that the user is asked about."""

    key: KnownKey
    username: str | None
    address: str | None
    reason: str


class Questions:
    """The open questions of one node, by the fingerprint of the key."""

    def __init__(self, keys: Keys, events: EventLog, presence: Presence, gates: Gates) -> None:
        self._keys = keys
        self._events = events
        self._presence = presence
        self._gates = gates
        self._lock = threading.Lock()
        self._open: dict[str, Question] = {}

    def ask(
        self, key: KnownKey, reason: str, username: str | None = None, address: str | None = None
    ) -> None:
        """Put the question to the user, once for each key until it is answered.

        `key` may be stale: what is stored decides, read under the lock that an
        answer takes after it is stored, so no question outlives its answer.
        """
        with self._lock:
            fingerprint = key.certificate.fingerprint_sha256
            if fingerprint in self._open or not self._may_ask(key.certificate, reason):
                return
            asked = Question(key, username or key.username, address or key.address, reason)
            self._open[fingerprint] = asked
            self._events.publish("verification", question(key, asked.username, asked.address, reason))
        self._presence.touch(key.uuid)

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
        self._gates.open(key.certificate.fingerprint_sha256)
        self._presence.touch(key.uuid)

    def _may_ask(self, certificate: Certificate, reason: str) -> bool:
        key = self._keys.find(certificate)
        if key is None or key.trust is not Trust.UNVERIFIED or (key.declined and reason != ASKED):
            return False
        return self._keys.verified(key.uuid) is None

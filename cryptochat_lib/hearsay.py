"""What verified peers pass on of third persons: where those say that they are, signed by them.

Two people who share a room learn each other's addresses through a friend of both. A record
(`peer_record`) proves who has written it and when, and no more: it is a hint for where to look.

    of whom          somebody verified here      a stranger
    addresses        tried after all others      looked at, so that the user may verify
    rooms            never: only its own word    those that we are in
    kept             on disk, the latest         in memory, 128 in all

Passed on is the record of whoever is verified here and has told us of a room that the receiver
has told us of, and that we are in. Nobody else's, and nobody who was rejected.

What a friend gone bad can do with it is bounded: it makes up strangers with addresses of its own
choice, and we connect there, to look. So of one friend 32 strangers in ten minutes count, at four
addresses each, never at ports below 1024, on loopback (unless that was chosen), or at our own.
It can keep a stranger's record from us, or show an older one than it has; it cannot move anybody.

Threads: any; `_lock` guards the tables, and is never held while anything is stored or told.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from . import peer_record
from .errors import BadRequest
from .greeting import PassedOn
from .limits import Limits
from .model import Endpoint, PeerId, RoomName, Trust
from .neighbourhood import Neighbourhood
from .peer_record import PeerRecord
from .presence import Presence
from .profile import Profile
from .store import Store
from .whereabouts import Whereabouts

_log = logging.getLogger(__name__)

_OLDEST_SECONDS = 30 * 86_400  # after a month nobody is where they were
_AHEAD_SECONDS = 86_400  # of our clock: a later one would keep out all that come after it
_ADDRESSES_OF_A_STRANGER = 4
_LEAST_PORT_OF_A_STRANGER = 1024
_BYTES_TO_PASS_ON = 3 / 4  # of a greeting: the rest is for our own part of it


@dataclass(frozen=True)
class _Stranger:
    """Who has passed it on, and when (monotonic), and when it was written."""

    source: PeerId
    at: float
    written: int


class Hearsay:
    """The records of all but ourselves. `start` it when verified keys are known to `presence`."""

    def __init__(
        self, profile: Profile, store: Store, presence: Presence, near: Neighbourhood, limits: Limits
    ) -> None:
        self._profile = profile
        self._keys = store.keys
        self._stored = store.records
        self._presence = presence
        self._near = near
        self._limits = limits
        self._lock = threading.Lock()
        self._records: dict[PeerId, PeerRecord] = {}  # of verified peers
        self._strangers: dict[PeerId, _Stranger] = {}  # the latest is last

    def start(self) -> None:
        """Whoever is verified may be where its last record says."""
        for uuid, text in self._stored.all().items():
            try:
                record = peer_record.parse(text)
            except BadRequest as error:
                _log.debug("the stored record of %s: %s", uuid, error)
                continue
            if record.uuid == uuid and self._keys.verified(uuid) is not None:
                with self._lock:
                    self._records[uuid] = record
                self._presence.hint(uuid, self.usable(record.endpoints()), {}, own=True)

    def forget(self, uuid: PeerId) -> None:
        """`uuid` has no verified key any more."""
        with self._lock:
            self._records.pop(uuid, None)

    def own_word(self, uuid: PeerId, text: str | None, scope: str | None) -> tuple[Endpoint, ...]:
        """Where `uuid` itself says that it is, over its own connection, from the link `scope`.

        Whatever its date: nobody else could have said it.
        """
        if text is None:
            return ()
        try:
            record = peer_record.parse(text)
        except BadRequest as error:
            _log.debug("the record of %s: %s", uuid, error)
            return ()
        if record.uuid != uuid:
            return ()
        self._keep(record)
        return self.usable(record.endpoints(scope))

    def to_pass_on(self, to: Whereabouts) -> tuple[PassedOn, ...]:
        """The records for somebody verified; if there are too many, some of them by chance."""
        shared = self._common_rooms(to)
        with self._lock:
            records = [record for uuid, record in self._records.items() if shared and uuid != to.uuid]
        random.shuffle(records)
        chosen: list[PassedOn] = []
        bytes_left = int(self._limits.greeting_bytes * _BYTES_TO_PASS_ON)
        for record in records:
            where = self._presence.of(record.uuid)
            if where is None or self._keys.verified(record.uuid) is None:
                continue
            forms = {room: str(room) for room in self._common_rooms(where) & shared}
            bytes_left -= (
                len(record.text) + sum(2 * len(form.encode()) + 32 for form in forms) if forms else 0
            )
            if forms and bytes_left >= 0 and len(chosen) < self._limits.greeting_records:
                chosen.append(PassedOn(record.text, forms))
        return tuple(chosen)

    def hear(self, source: PeerId, passed_on: Iterable[PassedOn]) -> None:
        """A verified peer, `source`, has passed these on."""
        for one in passed_on:
            try:
                record = peer_record.parse(one.record)
            except BadRequest as error:
                _log.debug("a record that %s has passed on: %s", source, error)
                continue
            if record.uuid not in (source, self._profile.uuid) and _is_current(record):
                self._hear_one(source, record, one.rooms)

    def usable(self, endpoints: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
        """Those that can be a single other machine's, or another program's where loopback was chosen."""
        return tuple(
            endpoint
            for endpoint in endpoints
            if not (endpoint.ip.is_multicast or endpoint.ip.is_unspecified or endpoint.ip.is_reserved)
            and (not endpoint.ip.is_loopback or self._near.has(endpoint.host))
            and endpoint not in self._profile.own_endpoints()
        )

    def _hear_one(self, source: PeerId, record: PeerRecord, rooms: dict[RoomName, str]) -> None:
        uuid = record.uuid
        keys = self._keys.of(uuid)
        if self._keys.verified(uuid) is not None:
            with self._lock:
                known = self._records.get(uuid)
            if known is None or record.time > known.time:
                self._keep(record)
                self._presence.hint(uuid, self.usable(record.endpoints()), {})
        elif not keys or any(key.trust is not Trust.REJECTED for key in keys):
            joined = set(self._profile.rooms())
            self._hear_of_stranger(source, record, {room: f for room, f in rooms.items() if room in joined})

    def _hear_of_stranger(self, source: PeerId, record: PeerRecord, rooms: dict[RoomName, str]) -> None:
        endpoints = self.usable(record.endpoints())[:_ADDRESSES_OF_A_STRANGER]
        endpoints = tuple(e for e in endpoints if e.port >= _LEAST_PORT_OF_A_STRANGER)
        if not rooms or not endpoints:
            return
        with self._lock:
            out = self._make_room(source, record)
            if out is None:
                return
            self._strangers.pop(record.uuid, None)
            self._strangers[record.uuid] = _Stranger(source, time.monotonic(), record.time)
        for uuid in out:
            self._presence.unhint(uuid)
        self._presence.hint(record.uuid, endpoints, rooms)

    def _make_room(self, source: PeerId, record: PeerRecord) -> list[PeerId] | None:
        """Under the lock: who makes way for what `source` has passed on; None if it does not count."""
        known = self._strangers.get(record.uuid)
        lately = time.monotonic() - self._limits.hint_seconds
        if known is not None:
            return [] if record.time > known.written and known.at < lately else None
        out: list[PeerId] = []
        of_source = [(s.at, uuid) for uuid, s in self._strangers.items() if s.source == source]
        for most, found in (
            (self._limits.hinted_peers_of_one, of_source),
            (self._limits.hinted_peers, [(s.at, uuid) for uuid, s in self._strangers.items()]),
        ):
            if len(found) - len(out) >= most:
                at, oldest = min(found)
                if at > lately:
                    return None
                out.append(oldest)
        for uuid in set(out):
            del self._strangers[uuid]
        return list(set(out))

    def _common_rooms(self, where: Whereabouts) -> set[RoomName]:
        """The rooms that we are in and of which `where` itself has told us."""
        return set(self._profile.rooms()) & where.rooms.keys() if where.told else set()

    def _keep(self, record: PeerRecord) -> None:
        with self._lock:
            known = self._records.get(record.uuid)
            self._records[record.uuid] = record
        if known != record:
            self._stored.set(record.uuid, record.text)


def _is_current(record: PeerRecord) -> bool:
    age = time.time() - record.time / 1000
    return -_AHEAD_SECONDS < age < _OLDEST_SECONDS

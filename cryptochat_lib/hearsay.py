"""What verified peers pass on of third persons: where those say that they are, signed by them.

Two people who share a room learn each other's addresses through a friend of both. A record
(`peer_record`) proves who has written it and when, and no more: it is a hint for where to look.

    of whom          somebody verified here      a stranger
    addresses        tried after all others      looked at, so that the user may verify
    rooms            never: only its own word    those that we are in, as each friend said last
    kept             on disk, the latest         in memory, 128 in all

Passed on is the record of whoever is verified here and has told us of a room that the receiver
has told us of, and that we are in. Nobody else's, and nobody who was rejected.

What a friend gone bad can do with it is bounded: it makes up strangers with addresses of its own
choice, and we connect there, to look. So of one friend 32 strangers in ten minutes count, at four
addresses each, never at ports below 1024, on loopback (unless that was chosen), or on our own machine.
It can keep a stranger's record from us, or show an older one than it has; it cannot move anybody.
What it said ends when it is verified no more, or has not named the stranger for a day.

Threads: any; `_lock` guards the tables, and is held while `presence` is told of strangers, so that
what it knows is what the table says; never while anything is stored.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from . import peer_record
from .errors import BadRequest
from .greeting import PassedOn
from .limits import Limits
from .model import Endpoint, PeerId, RoomName, Trust, is_of_a_machine
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
_LEAST_PORT = 1024  # below are the services of systems
_BYTES_TO_PASS_ON = 3 / 4  # of a greeting: the rest is for our own part of it


@dataclass
class _Stranger:
    """Somebody whom verified peers have passed on, and what each of them said last.

    `source`: who was the first, on whose account it goes. `at`: when its addresses came (monotonic),
    `written`: the date of the record that they were in.
    """

    source: PeerId
    at: float
    written: int
    endpoints: tuple[Endpoint, ...]
    said: dict[PeerId, _Word] = field(default_factory=dict)

    @property
    def rooms(self) -> dict[RoomName, str]:
        return {room: form for word in self.said.values() for room, form in word.rooms.items()}


@dataclass(frozen=True)
class _Word:
    """In which of our rooms a stranger is, and when this was said (monotonic)."""

    rooms: dict[RoomName, str]
    at: float


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
        self._strangers: dict[PeerId, _Stranger] = {}

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
        """`uuid` has no verified key any more: neither does it speak for others."""
        with self._lock:
            self._records.pop(uuid, None)
            self._withdraw(lambda _, source, word: source == uuid)

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
        long_ago = time.monotonic() - self._limits.queued_unverified_seconds
        with self._lock:
            self._withdraw(lambda _, source, word: word.at < long_ago)
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
        ours = self._profile.own_endpoints()
        machine = {_bare(endpoint) for endpoint in ours}
        return tuple(
            endpoint
            for endpoint in endpoints
            if endpoint.port >= _LEAST_PORT
            and is_of_a_machine(endpoint.ip)
            and (
                endpoint not in ours and self._near.is_next_to(endpoint.host)
                if endpoint.ip.is_loopback
                else not endpoint.ip.is_reserved and _bare(endpoint) not in machine
            )
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
        """Rooms are the sender's word, and replace what it said before; addresses are the record's."""
        uuid, now = record.uuid, time.monotonic()
        endpoints = self.usable(record.endpoints())[:_ADDRESSES_OF_A_STRANGER]
        with self._lock:
            if not rooms:
                self._withdraw(lambda who, of, word: (who, of) == (uuid, source))
                return
            stranger = self._strangers.get(uuid)
            if stranger is None:
                if not endpoints or not self._make_room(source):
                    return
                stranger = self._strangers[uuid] = _Stranger(source, now, record.time, endpoints)
            elif endpoints and record.time > stranger.written and self._may_move(uuid, stranger):
                stranger.at, stranger.written, stranger.endpoints = now, record.time, endpoints
            stranger.said[source] = _Word(rooms, now)
            self._presence.hint(uuid, stranger.endpoints, stranger.rooms)

    def _may_move(self, uuid: PeerId, stranger: _Stranger) -> bool:
        """Now and then, and whoever is not known any more (the user has deleted it, say)."""
        where = self._presence.of(uuid)
        lately = time.monotonic() - self._limits.hint_seconds
        return where is None or not where.hinted or stranger.at < lately

    def _make_room(self, source: PeerId) -> bool:
        """Under the lock: let the oldest make way for one more of `source`; False if there is no room."""
        lately = time.monotonic() - self._limits.hint_seconds
        out: set[PeerId] = set()
        of_all = [(s.at, uuid) for uuid, s in self._strangers.items()]
        of_source = [(at, uuid) for at, uuid in of_all if self._strangers[uuid].source == source]
        for most, found in (
            (self._limits.hinted_peers_of_one, of_source),
            (self._limits.hinted_peers, of_all),
        ):
            if len(found) - len(out) >= most:
                at, oldest = min(found)
                if at > lately:
                    return False
                out.add(oldest)
        self._withdraw(lambda uuid, *_: uuid in out)
        return True

    def _withdraw(self, is_gone: Callable[[PeerId, PeerId, _Word], bool]) -> None:
        """Under the lock: the words (of whom, whose, what) for which `is_gone` count no more.

        A stranger of whom nobody speaks any more is forgotten.
        """
        for uuid, stranger in list(self._strangers.items()):
            left = {source: word for source, word in stranger.said.items() if not is_gone(uuid, source, word)}
            if len(left) == len(stranger.said):
                continue
            stranger.said = left
            if left:
                stranger.source = stranger.source if stranger.source in left else next(iter(left))
                where = self._presence.of(uuid)
                if where is not None and where.hinted and not where.pinned:
                    self._presence.hint(uuid, stranger.endpoints, stranger.rooms)
            else:
                del self._strangers[uuid]
                self._presence.unhint(uuid)

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


def _bare(endpoint: Endpoint) -> str:
    """The host without its scope."""
    return endpoint.host.partition("%")[0]

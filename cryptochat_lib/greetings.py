"""What a greeting says and what follows from one, whoever of the two began it.

A greeting is both sides' presence in one exchange between verified keys: our rooms, our name,
where we are (a signed record), records of third persons, and what each sees of reaching the other.

What it says of its sender stands: rooms are then the sender's own word, which no announcement
changes. What it says of others is hearsay. `Exchange` is kept of the last one for whoever asks
why two do not reach each other.

Threads: any; `_lock` guards our own record, the last exchanges, and who came when.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from . import peer_record
from .attempts import Attempts
from .greeting import Greeting
from .hearsay import Hearsay
from .identity import Identity
from .model import Endpoint, KnownKey, PeerId, Told
from .peer_record import PeerRecord
from .presence import Presence
from .profile import Profile
from .store import Store
from .whereabouts import Whereabouts

ANSWERED = "answered"
# What is older than the last word by more than this was written after its clock was set back.
_OVERTAKEN_MILLISECONDS = 60_000
_SIGN_AGAIN_SECONDS = 12 * 3600.0  # a record counts for 30 days


@dataclass(frozen=True)
class Exchange:
    """What the last greeting of a peer has shown.

    `offset_seconds`: how far its clock is ahead of ours. `heard_us`: it hears our announcement.
    `reach_us`: what came of its last try to connect to us: None (none), ANSWERED, or one of
    `attempts.REASONS`. `at`: of the monotonic clock. `time`: when it was written, by its own clock.
    """

    offset_seconds: float
    heard_us: bool
    reach_us: str | None
    at: float
    time: int = 0


class Greetings:
    """Makes greetings, and takes them in."""

    def __init__(
        self,
        identity: Identity,
        profile: Profile,
        store: Store,
        presence: Presence,
        attempts: Attempts,
        hearsay: Hearsay,
    ) -> None:
        self._identity = identity
        self._profile = profile
        self._keys = store.keys
        self._presence = presence
        self._attempts = attempts
        self._hearsay = hearsay
        self._lock = threading.Lock()
        self._record: PeerRecord | None = None
        self._hosts: tuple[str, ...] = ()
        self._exchanges: dict[PeerId, Exchange] = {}
        self._came: dict[PeerId, float] = {}

    def say(self, uuid: PeerId, leaving: bool = False) -> Greeting:
        """What we say to `uuid` now."""
        if leaving:
            return Greeting(time=_now(), leaving=True)
        where = self._presence.of(uuid)
        return Greeting(
            time=_now(),
            rooms={room: str(room) for room in self._profile.rooms()},
            name=self._profile.username,
            record=self._own_record().text,
            records=() if where is None else self._hearsay.to_pass_on(where),
            heard=where is not None and where.announced,
            reach=None if where is None else self._reach(where),
        )

    def take(self, key: KnownKey, said: Greeting, came_from: str, began: float) -> None:
        """`key`, which is verified, says this, from the address `came_from`.

        `began`: when, at the earliest, it was written (monotonic).
        """
        now = time.monotonic()
        written = time.time() - (now - began) / 2
        exchange = Exchange(round(said.time / 1000 - written, 3), said.heard, said.reach, now, said.time)
        if said.leaving:
            self._presence.hung_up(key.uuid, for_good=True)
            return
        self._attempts.decide(key.uuid, verified_us=True)
        if self._is_overtaken(key.uuid, said):
            return
        scope = came_from.partition("%")[2] or None
        endpoints = self._hearsay.own_word(key.uuid, said.record, scope)
        if endpoints:  # what it does not know of itself, behind a translating router say
            endpoints = tuple(dict.fromkeys((*endpoints, Endpoint(came_from, endpoints[0].port))))
        with self._lock:
            if self._is_overtaken(key.uuid, said):
                return
            self._exchanges[key.uuid] = exchange
            self._presence.tell(key.uuid, Told(said.rooms, endpoints, said.name))
        if said.name and said.name != key.username:
            self._keys.set_username(key, said.name)
            self._presence.touch(key.uuid)
        self._hearsay.hear(key.uuid, said.records)

    def _is_overtaken(self, uuid: PeerId, said: Greeting) -> bool:
        """Whether a later word of the same peer has come already, over another connection."""
        last = self._exchanges.get(uuid)
        return last is not None and 0 < last.time - said.time <= _OVERTAKEN_MILLISECONDS

    def hears_us(self, uuid: PeerId) -> bool:
        """Whether `uuid` has said that our announcement reaches it; true if it has said nothing."""
        last = self.last(uuid)
        return last is None or last.heard_us

    def last(self, uuid: PeerId) -> Exchange | None:
        """The last exchange with `uuid` in this run."""
        with self._lock:
            return self._exchanges.get(uuid)

    def came(self, uuid: PeerId) -> None:
        """`uuid` greets us on a connection that it has made."""
        with self._lock:
            self._came[uuid] = time.monotonic()

    def came_at(self, uuid: PeerId) -> float:
        """When it last did, by the monotonic clock; long ago if it has not in this run."""
        with self._lock:
            return self._came.get(uuid, float("-inf"))

    def forget(self, uuid: PeerId) -> None:
        """`uuid` has no verified key any more."""
        self._attempts.decide(uuid, verified_us=True)
        with self._lock:
            self._came.pop(uuid, None)
            self._exchanges.pop(uuid, None)
        self._hearsay.forget(uuid)

    def _reach(self, where: Whereabouts) -> str | None:
        """What we say of reaching it: that it answered, if one of its addresses did; else why none."""
        if self._attempts.last(where.endpoints) is None:
            return None
        return self._attempts.trouble(where.endpoints) or ANSWERED

    def _own_record(self) -> PeerRecord:
        """Ours, signed anew when we are somewhere else, and now and then."""
        hosts = tuple(endpoint.host for endpoint in self._profile.own_endpoints())
        now = _now()
        with self._lock:
            record = self._record
            old = record is None or abs(now - record.time) > _SIGN_AGAIN_SECONDS * 1000
            if record is None or old or (hosts, self._profile.port) != (self._hosts, record.port):
                later = now if record is None or old else max(now, record.time + 1)
                record = peer_record.make(self._identity, hosts, self._profile.port, later)
                self._record, self._hosts = record, hosts
            return record


def _now() -> int:
    return time.time_ns() // 1_000_000

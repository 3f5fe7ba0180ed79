"""Who is on the network now, and in which rooms: a cache that discovery fills.

mDNS is a hint from anybody about anybody, so it is believed as far as it can
do no harm, and no further:

- an announcement can add an address to try, never remove the one that worked;
- a goodbye, silence or a failed connection means *away*, never *left*;
- for a verified peer, a missing `room=` is believed only in an announcement of
  the very address and port at which its pinned key last answered. Anybody can
  announce a friend's UUID; nobody else can answer there with the friend's key.

Threads: discovery's threads and senders write, everybody reads. `_changed`
guards all fields and is never held while anything else is waited for. Changes
are handed over to `neighbours` by `wait`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from .limits import Limits
from .model import Announcement, Endpoint, PeerId, RoomName

_CLAIMS = 16


@dataclass
class _Peer:
    """What we know of one peer's whereabouts. Times are of the monotonic clock."""

    rooms: dict[RoomName, str] = field(default_factory=dict)
    announcement: Announcement | None = None
    announced: bool = False  # since the last goodbye or silence
    online: bool = False
    answered_at: Endpoint | None = None  # where its pinned key last answered
    pinned: bool = False
    heard: float = 0.0
    shown: float = -1e9  # when it last showed up: with news, or its key
    failed: float = -1e9  # when it could not be reached
    view: Whereabouts | None = None  # what `_view` made of all this

    def __setattr__(self, name: str, value: object) -> None:
        """Any change makes the view stale: each message asks for it, and hardly anything changes it."""
        object.__setattr__(self, name, value)
        if name not in ("view", "heard", "shown"):
            object.__setattr__(self, "view", None)


@dataclass(frozen=True)
class Whereabouts:
    """One peer as `Presence` sees it now. `endpoints`: where to try, the likeliest first."""

    uuid: PeerId
    rooms: dict[RoomName, str]
    endpoints: tuple[Endpoint, ...]
    online: bool
    announced: bool
    pinned: bool
    name: str | None
    version: int


class Presence:
    """Everybody's whereabouts. Implements `discovery.Listener`."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._changed = threading.Condition()
        self._peers: dict[PeerId, _Peer] = {}
        self._dirty: set[PeerId] = set()
        self._claims: list[Endpoint] = []
        self._closed = False

    def seen(self, announcement: Announcement) -> None:
        """Somebody announced this."""
        with self._changed:
            peer = self._peer(announcement.uuid)
            if peer is None:
                return
            before = _view(announcement.uuid, peer)
            if not peer.pinned or peer.answered_at in announcement.endpoints:
                peer.rooms = dict(announcement.rooms)
            else:
                peer.rooms |= announcement.rooms
            news = not peer.announced or peer.announcement != announcement
            peer.announcement = announcement
            peer.heard = time.monotonic()
            peer.announced = True
            # The same words again do not make reachable whom we have just failed to reach.
            if news or (not peer.online and peer.heard - peer.failed > self._limits.retry_most_seconds):
                peer.shown = peer.heard
                peer.online = True
            if _view(announcement.uuid, peer) != before:
                self._touch(announcement.uuid)

    def gone(self, uuid: PeerId) -> None:
        """Somebody said goodbye for `uuid`, or it has been silent: it is away."""
        with self._changed:
            peer = self._peers.get(uuid)
            if peer is not None and peer.announced:
                peer.announced = peer.online = False
                self._touch(uuid)

    def claimed(self, own: PeerId, endpoints: Sequence[Endpoint]) -> None:
        """Somebody announced that we are there, which we are not."""
        with self._changed:
            self._claims = [*self._claims, *endpoints][-_CLAIMS:]
            self._touch(own)

    def take_claims(self) -> list[Endpoint]:
        """Where we were said to be since the last call: the latest few."""
        with self._changed:
            claims, self._claims = self._claims, []
            return claims

    def pin(self, uuid: PeerId, rooms: dict[RoomName, str], answered_at: Endpoint | None) -> None:
        """`uuid` has a verified key, which was last reached at `answered_at` and seen in `rooms`."""
        with self._changed:
            peer = self._peer(uuid, pinned=True)
            assert peer is not None  # a pinned peer always gets its place
            peer.pinned = True
            peer.rooms = rooms | peer.rooms
            peer.answered_at = peer.answered_at or answered_at
            self._touch(uuid)

    def unpin(self, uuid: PeerId) -> None:
        """`uuid` has no verified key any more."""
        with self._changed:
            if uuid in self._peers:
                self._peers[uuid].pinned = False
                self._peers[uuid].answered_at = None
                self._touch(uuid)

    def forget(self, uuid: PeerId) -> None:
        """Forget a peer that is not announced now."""
        with self._changed:
            peer = self._peers.get(uuid)
            if peer is not None and not peer.announced:
                del self._peers[uuid]
            self._touch(uuid)

    def touch(self, uuid: PeerId) -> None:
        """Something else about `uuid` has changed, which who waits for changes should know."""
        with self._changed:
            self._touch(uuid)

    def reached(self, uuid: PeerId, endpoint: Endpoint | None) -> None:
        """Its key has just answered us, at `endpoint`; or, with None, come to us."""
        with self._changed:
            peer = self._peer(uuid)
            if peer is None:
                return
            before = _view(uuid, peer)
            peer.heard = peer.shown = time.monotonic()
            if endpoint is not None and peer.pinned:
                self._settle_rooms(peer, endpoint)
            if not peer.online:
                peer.online = True
            if _view(uuid, peer) != before:
                self._touch(uuid)

    def failed(self, uuid: PeerId, began: float) -> None:
        """A try that `began` then (monotonic) could connect to none of its endpoints: it is away.

        Unless it has shown up since: connecting takes seconds, and it may have come back meanwhile.
        """
        with self._changed:
            peer = self._peers.get(uuid)
            if peer is not None and peer.shown < began:
                peer.failed = time.monotonic()
                self._go_away(uuid, peer)

    def hung_up(self, uuid: PeerId) -> None:
        """Its connection to us has ended: if nothing else says that it is here, it is away."""
        with self._changed:
            peer = self._peers.get(uuid)
            if peer is not None and not peer.announced:
                self._go_away(uuid, peer)

    def silence(self) -> None:
        """Who is not announced and was not heard of for `silence_seconds` is away."""
        oldest = time.monotonic() - self._limits.silence_seconds
        with self._changed:
            for uuid, peer in self._peers.items():
                if not peer.announced and peer.heard < oldest:
                    self._go_away(uuid, peer)

    def of(self, uuid: PeerId) -> Whereabouts | None:
        """Where `uuid` is."""
        with self._changed:
            peer = self._peers.get(uuid)
            return None if peer is None else _view(uuid, peer)

    def all(self) -> list[Whereabouts]:
        """Everybody, by UUID."""
        with self._changed:
            return [_view(uuid, peer) for uuid, peer in sorted(self._peers.items())]

    def in_room(self, room: RoomName) -> list[Whereabouts]:
        """The members of `room`, those who are away among them."""
        with self._changed:
            return [_view(uuid, peer) for uuid, peer in self._peers.items() if room in peer.rooms]

    def announced_at(self, host: str) -> list[Whereabouts]:
        """The peers whose announcement names the address `host`."""
        return [w for w in self.all() if w.announced and any(e.host == host for e in w.endpoints)]

    def is_pinned_at(self, host: str) -> bool:
        """Whether a verified key last answered at the address `host`."""
        with self._changed:
            return any(
                p.pinned and p.answered_at is not None and p.answered_at.host == host
                for p in self._peers.values()
            )

    def wait(self, timeout: float) -> set[PeerId] | None:
        """The peers that changed since the last call, after up to `timeout` seconds; None when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._dirty or self._closed, timeout)
            if self._closed:
                return None
            changed, self._dirty = self._dirty, set()
            return changed

    def close(self) -> None:
        """Release who waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _go_away(self, uuid: PeerId, peer: _Peer) -> None:
        if peer.online:
            peer.online = False
            self._touch(uuid)

    def _settle_rooms(self, peer: _Peer, endpoint: Endpoint) -> None:
        """The pinned key answered at `endpoint`: what is announced there is its own word."""
        if peer.answered_at != endpoint:
            peer.answered_at = endpoint
        said = peer.announcement
        if said is not None and endpoint in said.endpoints and peer.rooms != said.rooms:
            peer.rooms = dict(said.rooms)

    def _peer(self, uuid: PeerId, pinned: bool = False) -> _Peer | None:
        """The peer, made if there is room for it: a stranger makes way, the longest unheard.

        First those who are announced no more. Whom discovery dropped from a flood is one of these,
        so a flood drives out nobody here whom it does not drive out there.
        """
        peer = self._peers.get(uuid)
        if peer is None:
            if len(self._peers) >= self._limits.announced_peers and not pinned:
                strangers = ((p.announced, p.heard, u) for u, p in self._peers.items() if not p.pinned)
                *_, out = min(strangers, default=(None,))
                if out is None:
                    return None
                del self._peers[out]
                self._touch(out)
            peer = self._peers[uuid] = _Peer(heard=time.monotonic())
        return peer

    def _touch(self, uuid: PeerId) -> None:
        self._dirty.add(uuid)
        self._changed.notify_all()


def _view(uuid: PeerId, peer: _Peer) -> Whereabouts:
    if peer.view is None:
        peer.view = _new_view(uuid, peer)
    return peer.view


def _new_view(uuid: PeerId, peer: _Peer) -> Whereabouts:
    announced = peer.announcement.endpoints if peer.announcement else ()
    last = (peer.answered_at,) if peer.answered_at else ()
    return Whereabouts(
        uuid=uuid,
        rooms=dict(peer.rooms),
        endpoints=last + tuple(e for e in announced if e not in last),
        online=peer.online,
        announced=peer.announced,
        pinned=peer.pinned,
        name=peer.announcement.name if peer.announcement else None,
        version=peer.announcement.version if peer.announcement else 0,
    )

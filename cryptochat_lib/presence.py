"""Who is on the network now, and in which rooms: a cache that discovery and our own contacts fill.

mDNS is a hint from anybody about anybody, so it is believed as far as it can
do no harm, and no further:

- an announcement can add an address to try, never remove the one that worked;
- a goodbye, silence or a failed connection means *away*, never *left*;
- what a verified key has said of itself over its own connection stands, whatever is
  announced, until it says something else;
- for a verified peer that has not spoken for itself, a missing `room=` is believed only in
  an announcement of the very address and port at which its pinned key last answered.
  Anybody can announce a friend's UUID; nobody else can answer there with the friend's key.

What is kept of each peer, and what it adds up to, is in `whereabouts`.

Threads: discovery's threads, senders and greetings write, everybody reads. `_changed`
guards all fields and is never held while anything else is waited for. Changes
are handed over to `neighbours` by `wait`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from .limits import Limits
from .model import Announcement, Endpoint, PeerId, RoomName, Told
from .whereabouts import Peer, Whereabouts, longest_unheard

_CLAIMS = 16


class Presence:
    """Everybody's whereabouts. Implements `discovery.Listener`."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._changed = threading.Condition()
        self._peers: dict[PeerId, Peer] = {}
        self._dirty: set[PeerId] = set()
        self._claims: list[Endpoint] = []
        self._moved = False
        self.moved_at = float("-inf")  # when the network last changed (monotonic)
        self._nudged = False
        self._closed = False

    # What mDNS says.

    def seen(self, announcement: Announcement) -> None:
        """Somebody announced this."""
        retry = self._limits.retry_most_seconds
        self._change(announcement.uuid, lambda peer: peer.announce(announcement, time.monotonic(), retry))

    def gone(self, uuid: PeerId) -> None:
        """Somebody said goodbye for `uuid`, or it has been silent: it is away."""
        with self._changed:
            peer = self._peers.get(uuid)
            if peer is not None and peer.announced:
                peer.announced = False
                peer.go_away()
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

    def moved(self) -> None:
        """The network around us has changed, or we have slept: whoever was reachable may be no more."""
        with self._changed:
            self._moved = True
            self.moved_at = time.monotonic()
            self._changed.notify_all()

    def take_moved(self) -> bool:
        """Whether the network has changed since the last call."""
        with self._changed:
            moved, self._moved = self._moved, False
            return moved

    # What the user, or a verified peer, says.

    def pin(
        self, uuid: PeerId, rooms: dict[RoomName, str], answered_at: Endpoint | None, seen: int | None = None
    ) -> None:
        """`uuid` has a verified key, last reached at `answered_at`, then (`seen`), and met in `rooms`."""
        with self._changed:
            peer = self._peer(uuid, pinned=True)
            assert peer is not None  # a pinned peer always gets its place
            peer.pin(rooms)
            peer.answered_at = peer.answered_at or answered_at
            peer.seen = peer.seen or seen
            self._touch(uuid)

    def unpin(self, uuid: PeerId) -> None:
        """`uuid` has no verified key any more."""
        with self._changed:
            if uuid in self._peers:
                self._peers[uuid].unpin()
                self._touch(uuid)

    def add(self, uuid: PeerId, endpoints: Sequence[Endpoint]) -> None:
        """The user says that `uuid` may be at these addresses: all that have been added for it."""
        with self._changed:
            peer = self._peer(uuid, pinned=True)  # the user's own wish finds room
            assert peer is not None
            peer.added = tuple(endpoints)
            self._touch(uuid)

    def tell(self, uuid: PeerId, told: Told) -> None:
        """The verified key of `uuid` has said this of itself, over its own connection."""

        def tell(peer: Peer) -> None:
            if peer.pinned:  # else the user has just taken the yes back
                peer.tell(told)

        self._change(uuid, tell)

    def untell(self, uuid: PeerId) -> None:
        """Its key does not speak for itself any more: as far as mDNS can be believed, it is."""
        self._change(uuid, Peer.untell)

    def hint(
        self, uuid: PeerId, endpoints: Sequence[Endpoint], rooms: dict[RoomName, str], own: bool = False
    ) -> None:
        """A verified peer has passed on where `uuid` says that it is, and in which rooms it was seen.

        `own`: it has told us so itself, in an earlier run.
        """
        self._change(uuid, lambda peer: peer.hint(tuple(endpoints), rooms, own))

    def unhint(self, uuid: PeerId) -> None:
        """What was passed on of a stranger counts no more; if there was nothing else, it is forgotten."""
        with self._changed:
            peer = self._peers.get(uuid)
            if peer is not None and not peer.pinned:
                peer.unhint()
                if not (peer.announced or peer.added or peer.online):
                    del self._peers[uuid]
                self._touch(uuid)

    def forget(self, uuid: PeerId) -> None:
        """Forget a peer that is not announced now; of one that is, what did not come from there."""
        with self._changed:
            peer = self._peers.get(uuid)
            if peer is not None and not peer.announced:
                del self._peers[uuid]
            elif peer is not None:
                peer.added = ()
                peer.unhint()
            self._touch(uuid)

    # What our own contacts say.

    def reached(self, uuid: PeerId, endpoint: Endpoint | None) -> None:
        """Its key has just answered us, at `endpoint`; or, with None, come to us."""
        now, wall = time.monotonic(), time.time_ns() // 1_000_000
        self._change(uuid, lambda peer: peer.reach(endpoint, now, wall))

    def failed(self, uuid: PeerId, began: float) -> None:
        """A try that `began` then (monotonic) could connect to none of its endpoints: it is away.

        Unless it has shown up since: connecting takes seconds, and it may have come back meanwhile.
        """
        with self._changed:
            peer = self._peers.get(uuid)
            if peer is not None and peer.shown < began:
                peer.failed = time.monotonic()
                self._go_away(uuid, peer)

    def hung_up(self, uuid: PeerId, for_good: bool = False) -> None:
        """Its connection to us has ended: if nothing else says that it is here, it is away.

        `for_good`: its verified key says that it ends.
        """
        with self._changed:
            peer = self._peers.get(uuid)
            if peer is not None and (for_good or not peer.announced):
                self._go_away(uuid, peer)

    def silence(self) -> None:
        """What nobody has confirmed for long counts no more.

        Who is not announced and was not heard of for `silence_seconds` is away; whom we have not been in
        contact with for `contact_seconds` is reachable only as far as mDNS says.
        """
        now = time.monotonic()
        with self._changed:
            for uuid, peer in self._peers.items():
                if not peer.announced and peer.heard < now - self._limits.silence_seconds:
                    self._go_away(uuid, peer)
                elif peer.contact and peer.touched < now - self._limits.contact_seconds:
                    peer.contact = False
                    self._touch(uuid)

    # What there is.

    def touch(self, uuid: PeerId) -> None:
        """Something else about `uuid` has changed, which who waits for changes should know."""
        with self._changed:
            self._touch(uuid)

    def of(self, uuid: PeerId) -> Whereabouts | None:
        """Where `uuid` is."""
        with self._changed:
            peer = self._peers.get(uuid)
            return None if peer is None else peer.whereabouts(uuid)

    def all(self) -> list[Whereabouts]:
        """Everybody, by UUID."""
        with self._changed:
            return [peer.whereabouts(uuid) for uuid, peer in sorted(self._peers.items())]

    def in_room(self, room: RoomName) -> list[Whereabouts]:
        """The members of `room`, those who are away among them."""
        with self._changed:
            everybody = (peer.whereabouts(uuid) for uuid, peer in self._peers.items())
            return [where for where in everybody if room in where.rooms]

    def expected_at(self, host: str) -> list[Whereabouts]:
        """The peers that may be at the address `host`, whoever says so."""
        return [where for where in self.all() if any(e.host == host for e in where.endpoints)]

    def is_pinned_at(self, host: str) -> bool:
        """Whether a verified key last answered at the address `host`."""
        with self._changed:
            return any(
                p.pinned and p.answered_at is not None and p.answered_at.host == host
                for p in self._peers.values()
            )

    def last_contacts(self) -> dict[PeerId, int]:
        """When we were last in contact with each, in milliseconds since 1970."""
        with self._changed:
            return {uuid: peer.seen for uuid, peer in self._peers.items() if peer.seen is not None}

    def nudge(self) -> None:
        """Let who waits for changes look at the clock again."""
        with self._changed:
            self._nudged = True
            self._changed.notify_all()

    def wait(self, timeout: float) -> set[PeerId] | None:
        """The peers that changed since the last call, after up to `timeout` seconds; None when closed."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._dirty or self._moved or self._nudged or self._closed, timeout
            )
            if self._closed:
                return None
            self._nudged = False
            changed, self._dirty = self._dirty, set()
            return changed

    def close(self) -> None:
        """Release who waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _change(self, uuid: PeerId, change: Callable[[Peer], None]) -> None:
        """Let `change` happen to a peer, if there is room for it, and hand over what it came to."""
        with self._changed:
            peer = self._peer(uuid)
            if peer is None:
                return
            before = peer.whereabouts(uuid)
            change(peer)
            if peer.whereabouts(uuid) != before:
                self._touch(uuid)

    def _go_away(self, uuid: PeerId, peer: Peer) -> None:
        if peer.online:
            peer.go_away()
            self._touch(uuid)

    def _peer(self, uuid: PeerId, pinned: bool = False) -> Peer | None:
        """The peer, made if there is room for it: a stranger makes way."""
        peer = self._peers.get(uuid)
        if peer is None:
            if len(self._peers) >= self._limits.announced_peers and not pinned:
                out = longest_unheard(self._peers)
                if out is None:
                    return None
                del self._peers[out]
                self._touch(out)
            peer = self._peers[uuid] = Peer(heard=time.monotonic())
        return peer

    def _touch(self, uuid: PeerId) -> None:
        self._dirty.add(uuid)
        self._changed.notify_all()

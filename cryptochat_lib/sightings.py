"""Who has been heard on which link: mDNS records, put together to announcements.

`hear` takes the records of one packet, `silence` the passing of time. What comes out
goes to a `Listener`: `seen` when a peer is new, when anything about it changes, and
now and then while it is still heard; `gone` after its goodbye, or after 120 s in
which nothing of it was heard on any link although it was asked for; or 30 s, after `doubt`.

Records are hostile. They say anything about anybody, in any order, in part or not at
all, and thousands a minute. So here:

    1. A peer is what one canonical UUID is the name of; all else is never stored.
    2. The last word heard counts. A peer with an SRV and a TXT record is reported,
       with whichever of its addresses are machines on the link on which they came.
    3. At most `limits.announced_peers` are kept. When there are too many, the latest
       of the address that the most of them claim goes first: a flood pushes itself
       out, and neither the people who were here before nor one who comes during it.
       Whoever can be tried nowhere counts as of one address, so that made-up ones,
       of which there are any number, gain a flood nothing.

Our own silence rule stands in for the records' times to live: a seed-only peer's PTR
lives for 3,200 s, long after it has gone.

No sockets, no threads, no clock: times are seconds of one clock, handed in. Belongs
to the discovery thread alone, which is why there is no lock.
"""

from __future__ import annotations

import ipaddress
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from . import txt
from .interfaces import Interface, claimant, on_link, scoped
from .limits import Limits
from .model import Announcement, Endpoint, PeerId
from .resource_records import Address, Pointer, Record, Service, Text

_log = logging.getLogger(__name__)

# A host with more addresses than this has enough to be reached at.
_ADDRESSES_OF_ONE_PEER = 16
# Parts of the silence that ends a peer. A peer that is heard again is reported again also if
# nothing has changed, since it may have been thought away: once in 10 s. It is asked for when
# 90 s have gone by, and has two more tries before the end to show that it is there.
_REPORT_AGAIN_OF_SILENCE = 1 / 12
_ASK_AFTER_OF_SILENCE = 3 / 4
# How often a peer is asked for a missing record before it counts as having none.
_QUESTIONS_FOR_MISSING = 3
_FLUSH_SECONDS = 1.0


class Listener(Protocol):
    """Who is told of the peers. Called on the discovery thread: be quick."""

    def seen(self, announcement: Announcement) -> None: ...

    def gone(self, uuid: PeerId) -> None: ...

    def claimed(self, own: PeerId, endpoints: Sequence[Endpoint]) -> None: ...

    def moved(self) -> None:
        """We may be somewhere else: interfaces or addresses have changed, or we have slept."""


_Place = tuple[str, ipaddress.IPv4Address | ipaddress.IPv6Address]


@dataclass
class _Peer:
    """What is known of one peer. `links` and `addresses` hold when each was last heard."""

    links: dict[str, float] = field(default_factory=dict)
    host: str | None = None
    port: int = 0
    text: bytes | None = None
    addresses: dict[_Place, float] = field(default_factory=dict)
    questions: int = 0
    reported: Announcement | None = None
    reported_at: float = 0.0

    @property
    def is_complete(self) -> bool:
        return self.host is not None and self.text is not None and bool(self.addresses)

    @property
    def claimed(self) -> str | None:
        """Whose address it claims, of those where it could be tried."""
        endpoints = self.reported.endpoints if self.reported else ()
        return claimant(endpoints[0].host) if endpoints else None


class Sightings:
    """The peers that are heard now. `own` is us, who are never reported."""

    def __init__(self, listener: Listener, limits: Limits) -> None:
        self._listener, self._limits = listener, limits
        self._report_again_seconds = limits.silence_seconds * _REPORT_AGAIN_OF_SILENCE
        self._peers: dict[PeerId, _Peer] = {}
        self._at_host: dict[str, set[PeerId]] = {}
        self._links: dict[str, Interface] = {}
        self._own: PeerId | None = None

    def set_own(self, uuid: PeerId) -> None:
        self._own = uuid
        self._forget(uuid)

    def set_links(self, links: Mapping[str, Interface], now: float) -> None:
        """The links as they are now. Addresses that are on none of them any more are forgotten."""
        self._links = dict(links)
        for uuid, peer in list(self._peers.items()):
            peer.addresses = {place: heard for place, heard in peer.addresses.items() if place[0] in links}
            self._report(uuid, now)

    def hear(self, link: str, records: Iterable[Record], now: float) -> bool:
        """Take in the records of one packet. True if a peer in it still lacks something."""
        touched: set[PeerId] = set()
        addresses = []
        for record in records:
            if isinstance(record, Address):
                addresses.append(record)
            elif record.uuid == self._own:
                continue
            elif isinstance(record, Pointer) and not record.here:
                self._forget(record.uuid)
                touched.discard(record.uuid)
            else:
                self._take(link, record, now)
                touched.add(record.uuid)
        touched |= self._place(link, addresses, now)
        for uuid in touched:
            self._report(uuid, now)
        return any(uuid in self._peers and not self._peers[uuid].is_complete for uuid in touched)

    def doubt(self, links: Collection[str], now: float) -> None:
        """Who was heard on these links may be there no more: whoever does not answer soon has gone."""
        then = now - _ASK_AFTER_OF_SILENCE * self._limits.silence_seconds
        for peer in self._peers.values():
            peer.links |= dict.fromkeys(peer.links.keys() & links, then)
            peer.addresses |= {place: then for place in peer.addresses if place[0] in links}

    def silence(self, now: float) -> None:
        """Forget who, and what of them, has not been heard for too long."""
        oldest = now - self._limits.silence_seconds
        for uuid, peer in list(self._peers.items()):
            peer.links = {link: heard for link, heard in peer.links.items() if heard > oldest}
            if not peer.links:
                self._forget(uuid)
            elif any(heard <= oldest for heard in peer.addresses.values()):
                peer.addresses = {place: heard for place, heard in peer.addresses.items() if heard > oldest}
                self._report(uuid, now)

    def is_alone(self, link: str) -> bool:
        """Whether nobody is heard on this link."""
        return not self.heard_on(link)

    def quiet(self, link: str, now: float) -> list[tuple[PeerId, str | None]]:
        """Who on this link has been quiet for so long that it is time to ask, with their hosts."""
        quiet_since = now - _ASK_AFTER_OF_SILENCE * self._limits.silence_seconds
        peers = self._peers.items()
        return [(uuid, peer.host) for uuid, peer in peers if peer.links.get(link, now) <= quiet_since]

    def heard_on(self, link: str) -> int:
        """How many are there on this link, quiet or not."""
        return sum(link in peer.links for peer in self._peers.values())

    def to_ask_for(self, link: str, most: int, now: float) -> list[tuple[PeerId, str | None]]:
        """Peers on this link that lack a record, with their host where it is known; counts as asking."""
        lacking = [
            (uuid, peer)
            for uuid, peer in self._peers.items()
            if link in peer.links and not peer.is_complete and peer.questions < _QUESTIONS_FOR_MISSING
        ]
        lacking.sort(key=lambda item: item[1].questions)
        for uuid, peer in lacking[:most]:
            peer.questions += 1
            self._report(uuid, now)
        return [(uuid, peer.host) for uuid, peer in lacking[:most]]

    def _take(self, link: str, record: Pointer | Service | Text, now: float) -> None:
        if record.uuid not in self._peers:
            self._make_room()
        peer = self._peers.setdefault(record.uuid, _Peer())
        peer.links[link] = now
        if isinstance(record, Service):
            peer.port = record.port
            if peer.host != record.host:
                self._leave_host(record.uuid, peer)
                peer.host = record.host
                self._at_host.setdefault(record.host, set()).add(record.uuid)
        elif isinstance(record, Text):
            peer.text = record.raw

    def _place(self, link: str, addresses: list[Address], now: float) -> set[PeerId]:
        """Give addresses to the peers at those hosts; returns whose they are."""
        touched: set[PeerId] = set()
        for address in addresses:
            place = (link, address.ip)
            for uuid in self._at_host.get(address.host, ()):
                held = self._peers[uuid].addresses
                if address.flush:
                    _flush(held, link, address.ip.version, now)
                held.pop(place, None)
                if address.here:
                    held[place] = now
                while len(held) > _ADDRESSES_OF_ONE_PEER:
                    del held[next(iter(held))]
                touched.add(uuid)
        return touched

    def _report(self, uuid: PeerId, now: float) -> None:
        """Tell the listener, if there is enough to tell, and something new or some time gone by."""
        peer = self._peers.get(uuid)
        if peer is None or peer.host is None:
            return
        if peer.text is None and peer.questions < _QUESTIONS_FOR_MISSING:
            return
        said = txt.parse(peer.text or b"", self._limits)
        announcement = Announcement(uuid, self._endpoints(peer), said.rooms, said.name, said.version)
        if announcement == peer.reported and now - peer.reported_at < self._report_again_seconds:
            return
        peer.reported, peer.reported_at = announcement, now
        try:
            self._listener.seen(announcement)
        except Exception:
            _log.exception("Taking note of the announced peer %s failed", uuid)

    def _endpoints(self, peer: _Peer) -> tuple[Endpoint, ...]:
        """Where the peer can be tried: machines on the very link on which the address was heard."""
        if not 1 <= peer.port <= 65535:
            return ()
        places = ((self._links[link], ip) for link, ip in peer.addresses if link in self._links)
        hosts = {host for link, ip in places if on_link(host := scoped(ip, link), [link])}
        ipv4_first = sorted(hosts, key=lambda host: (":" in host, host))
        return tuple(Endpoint(host, peer.port) for host in ipv4_first)

    def _forget(self, uuid: PeerId) -> None:
        peer = self._peers.pop(uuid, None)
        if peer is None:
            return
        self._leave_host(uuid, peer)
        if peer.reported is None:
            return
        try:
            self._listener.gone(uuid)
        except Exception:
            _log.exception("Taking note that the peer %s has gone failed", uuid)

    def _leave_host(self, uuid: PeerId, peer: _Peer) -> None:
        peer.addresses.clear()
        if peer.host is not None:
            neighbours = self._at_host[peer.host]
            neighbours.discard(uuid)
            if not neighbours:
                del self._at_host[peer.host]

    def _make_room(self) -> None:
        """Rule 3: drop the latest peer of the address that most peers claim, where there are too many."""
        if len(self._peers) < self._limits.announced_peers:
            return
        claimed = {uuid: peer.claimed for uuid, peer in self._peers.items()}
        crowds = Counter(claimed.values())
        most = max(crowds.values())
        self._forget(next(uuid for uuid in reversed(claimed) if crowds[claimed[uuid]] == most))


def _flush(held: dict[_Place, float], link: str, version: int, now: float) -> None:
    """Drop what a host had of this kind before this packet (RFC 6762, 10.2: more than 1 s before)."""
    for place, heard in list(held.items()):
        if place[0] == link and place[1].version == version and now - heard > _FLUSH_SECONDS:
            del held[place]

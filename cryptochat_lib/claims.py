"""Who else announces our own UUID: where somebody says that we are, and we are not.

That is a second machine with a copy of our database, or a lie; mDNS cannot tell, and
anybody can say anything. So this is no more than a hint where to look: what a look
proves is `looker`'s to find out.

A copy of us announces itself as we do, PTR, SRV, TXT and addresses in one packet, so
packets are read one by one, and nothing of them is kept but which places were claimed
lately: 16 of them, the latest.

No sockets, no threads, no clock: times are seconds of one clock, handed in. Belongs
to the discovery thread alone, like `sightings`.
"""

from __future__ import annotations

from collections.abc import Iterable

from .interfaces import Interface, listen_hosts, on_link, scoped
from .limits import Limits
from .model import Endpoint, PeerId
from .resource_records import Address, Record, Service
from .sightings import Listener

_REMEMBERED = 16


class Claims:
    """The places at which our UUID was announced by others. `hear` says whether to say anew where we are."""

    def __init__(self, listener: Listener, limits: Limits) -> None:
        self._listener, self._limits = listener, limits
        self._own: PeerId | None = None
        self._port = 0
        self._heard: dict[Endpoint, float] = {}
        self._answered_at = float("-inf")

    def set_own(self, uuid: PeerId, port: int) -> None:
        """Who we are, and the port of our peer API."""
        self._own, self._port = uuid, port

    def hear(self, interface: Interface, records: Iterable[Record], now: float) -> bool:
        """Take in one packet. True if a copy of us should hear of us: it asks with our answer as known."""
        records = list(records)
        ports = {r.host: r.port for r in records if isinstance(r, Service) and r.uuid == self._own}
        if not ports:
            return False
        hosts = [
            (scoped(r.ip, interface), ports[r.host])
            for r in records
            if isinstance(r, Address) and r.here and r.host in ports
        ]
        new = [Endpoint(host, port) for host, port in hosts if self._is_news(host, port, interface, now)]
        if not new:
            return False
        assert self._own is not None  # it was announced
        self._listener.claimed(self._own, new)
        answer = now - self._answered_at > self._limits.silence_seconds / _REMEMBERED
        if answer:
            self._answered_at = now
        return answer

    def _is_news(self, host: str, port: int, interface: Interface, now: float) -> bool:
        """Whether somebody else could be there, of whom nobody was told lately."""
        ours = port == self._port and host in listen_hosts([interface])
        if ours or not 1 <= port <= 65535 or not on_link(host, [interface]):
            return False
        heard = self._heard.pop(Endpoint(host, port), float("-inf"))
        is_new = now - heard > self._limits.silence_seconds / 4
        self._heard[Endpoint(host, port)] = now if is_new else heard
        while len(self._heard) > _REMEMBERED:
            del self._heard[next(iter(self._heard))]
        return is_new

"""One link: mDNS spoken and heard on one network interface.

Each interface has a `zeroconf` instance of its own. So what we announce on a link
are our addresses on that link, what we hear is known to come from it, and when an
interface comes, goes or gets another address, no other one is touched.

zeroconf answers questions, sends the announcements and the goodbye, and hands every
record that it hears to `_Ear`. When to ask is decided in `mdns_asking`.

Everything here runs on the discovery thread, in its asyncio loop. `zeroconf` has its
home here and in the modules `mdns_...` on which this one stands.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

# zeroconf documents these names as its own, but does not list them in `__all__`.
from zeroconf import (  # type: ignore[attr-defined]
    DNSOutgoing,
    DNSQuestion,
    DNSText,
    IPVersion,
    RecordUpdate,
    RecordUpdateListener,
    ServiceInfo,
    Zeroconf,
)
from zeroconf.asyncio import AsyncZeroconf

from . import txt
from .claims import Claims
from .interfaces import Interface, announced_addresses
from .limits import Limits
from .mdns_asking import Asking
from .mdns_health import LinkHealth, Pulse
from .mdns_prompt import PromptAnswers, confine
from .mdns_records import AAAA, IN, PTR, QUERY, SERVICE, SRV, TXT, A, understood
from .model import PeerId, RoomName
from .resource_records import Record
from .sightings import Sightings

_log = logging.getLogger(__name__)

_LARGEST_PACKET = 1440  # fits an Ethernet frame with IPv6's headers
_RECORDS_BESIDE_TXT = 190  # header, PTR, SRV, the TXT record's own head, NSEC
_RECORD_BYTES = {4: 16, 6: 28}


@dataclass(frozen=True)
class OwnAnnouncement:
    """What we say of ourselves: the port of the peer API, the joined rooms, and perhaps a name."""

    uuid: PeerId
    port: int
    rooms: Mapping[RoomName, str] = field(default_factory=dict)
    name: str | None = None


class Link:
    """mDNS on one interface. Close it when it is done with, also when it could not be opened."""

    def __init__(self, interface: Interface, sightings: Sightings, claims: Claims, limits: Limits) -> None:
        self.interface = interface
        self._sightings, self._claims, self._limits = sightings, claims, limits
        self.pulse = Pulse(interface)
        self._asking = Asking(interface.name, sightings, limits, self)
        self.said: OwnAnnouncement | None = None
        self._mdns: _Truthful | None = None
        self._prompt: PromptAnswers | None = None
        self._saying: asyncio.Future[None] | None = None

    async def open(self) -> None:
        """Join the link: from now on it is heard. Raises OSError."""
        version, chosen = _ip_version(self.interface), _for_zeroconf(self.interface)
        if not chosen:
            raise OSError("there is no IPv6 multicast on loopback; choose its IPv4 address")
        self._mdns = _Truthful(chosen, ip_version=version)
        await self._mdns.async_wait_for_start()
        for reader in self._mdns.engine.readers:
            if reader.sock_name[0] in ("0.0.0.0", "::"):  # noqa: S104 (comparing, not binding)
                confine(reader.sock, self.interface)
        self.pulse.tap(reader.transport for reader in self._mdns.engine.readers)
        self._mdns.async_add_listener(_Ear(self._hear), None)
        if version is not IPVersion.V6Only:
            self._prompt = await PromptAnswers.open(self.interface, self.say_everything)
        self._asking.begin()

    def begin_anew(self) -> None:
        """Ask and say everything as at the start: nothing may be as it was, here or at the others."""
        self._asking.begin_anew()

    async def close(self, *, goodbye: bool) -> None:
        """Leave the link; with `goodbye` the others are told. Takes about 0.3 s then."""
        self._asking.close()
        if self._prompt:
            self._prompt.close()
        if self._saying:
            self._saying.cancel()
        if self._mdns:
            if not goodbye:
                self._mdns.registry.async_remove(self._mdns.registry.async_get_service_infos())
            await AsyncZeroconf(zc=self._mdns).async_close()

    async def announce(self, own: OwnAnnouncement) -> None:
        """Say who we are; the first time, or anew."""
        if self._mdns is None:
            return
        if self._saying:
            self._saying.cancel()  # it would only repeat itself
        first, self._mdns.current = self._mdns.current is None, self._describe(own)
        if first:
            # No probing: the name is made from our key, and whoever claims it as well
            # must not be able to keep us from announcing it.
            saying = await self._mdns.async_register_service(self._mdns.current, cooperating_responders=True)
        else:
            saying = await self._mdns.async_update_service(self._mdns.current)
        self._saying, self.said = asyncio.ensure_future(saying), own

    def tick(self, now: float) -> None:
        """What time makes due. Called every few seconds."""
        self._asking.tick(now)

    def ask_now(self) -> None:
        """Ask who is here, out of turn."""
        self._asking.ask()

    def health(self) -> LinkHealth:
        """How this link is, for people to read."""
        return self.pulse.health(announced=self._mdns is not None and self._mdns.current is not None)

    def ask(self) -> None:
        """Ask who is here. Our own pointer goes with it as known: we need no answer from ourselves."""
        question = DNSOutgoing(QUERY)
        question.add_question(DNSQuestion(SERVICE, PTR, IN))
        if self._mdns and self._mdns.current:
            question.add_answer_at_time(self._mdns.current.dns_pointer(), 0)
            self.pulse.sent(self._mdns.current.name.partition(".")[0])
        self._send(question)

    def ask_about(self, peers: Sequence[tuple[PeerId, str | None]]) -> None:
        """Ask for all records of these peers; with their hosts, where they are known."""
        message = DNSOutgoing(QUERY)
        for uuid, host in peers:
            message.add_question(DNSQuestion(f"{uuid}.{SERVICE}", SRV, IN))
            message.add_question(DNSQuestion(f"{uuid}.{SERVICE}", TXT, IN))
            if host:
                message.add_question(DNSQuestion(host, A, IN))
                message.add_question(DNSQuestion(host, AAAA, IN))
        self._send(message)

    def say_everything(self) -> None:
        """Multicast all our records in one packet."""
        if self._mdns and self._mdns.current:
            self._send(self._mdns.generate_service_broadcast(self._mdns.current, None))

    def _send(self, message: DNSOutgoing) -> None:
        if self._mdns:
            try:
                self._mdns.async_send(message)
            except Exception:  # asyncio's own kinds, for a socket that has just been closed
                _log.warning("Could not send on %s", self.interface.name, exc_info=True)

    def _hear(self, records: list[Record]) -> None:
        if self._sightings.hear(self.interface.name, records, time.monotonic()):
            self._asking.somebody_lacks()
        if self._claims.hear(self.interface, records, time.monotonic()):
            self.say_everything()

    def _describe(self, own: OwnAnnouncement) -> ServiceInfo:
        record = txt.encode([own.rooms[key] for key in sorted(own.rooms)], own.name, limits=self._limits)
        # All records live no longer than silence is borne: so other programs, too, notice a
        # peer of ours that ended without a goodbye.
        seconds = int(self._limits.silence_seconds)
        return ServiceInfo(
            SERVICE,
            f"{own.uuid}.{SERVICE}",
            own.port,
            properties=record,
            # Not the machine's name: nodes that share that name would share addresses too.
            server=f"{own.uuid}.local.",
            host_ttl=seconds,
            other_ttl=seconds,
            parsed_addresses=_fitting(announced_addresses(self.interface), len(record)),
        )


class _Truthful(Zeroconf):
    """Sends nothing about us that is no longer true.

    zeroconf holds an answer back for up to 1.2 s, with the records as they were when it
    was asked. Sent after we have joined a room, it would take us out of it at all others.
    """

    current: ServiceInfo | None = None

    def async_send(self, out: DNSOutgoing, *arguments: Any, **options: Any) -> None:
        if self.current and out.is_response() and self._is_outdated(out, self.current.dns_text()):
            out = self.generate_service_broadcast(self.current, None)
        super().async_send(out, *arguments, **options)

    @staticmethod
    def _is_outdated(out: DNSOutgoing, true: DNSText) -> bool:
        return any(
            isinstance(record, DNSText) and record.key == true.key and record.text != true.text
            for record in chain(out.additionals, (record for record, _ in out.answers))
        )


class _Ear(RecordUpdateListener):
    """Hands on every record that is heard. Whatever goes wrong with one packet is logged, once here."""

    def __init__(self, hear: Callable[[list[Record]], None]) -> None:
        self._hear = hear

    def async_update_records(self, zc: Zeroconf, now: float, records: list[RecordUpdate]) -> None:
        try:
            heard = [record for update in records if (record := understood(update.new, now))]
            if heard:
                self._hear(heard)
        except Exception:
            _log.exception("Could not take in an mDNS packet")


def _ip_version(interface: Interface) -> IPVersion:
    versions = {address.version for address in interface.addresses}
    if interface.is_loopback or versions == {4}:
        return IPVersion.V4Only  # IPv6 has no multicast on loopback
    return IPVersion.All if 4 in versions else IPVersion.V6Only


def _for_zeroconf(interface: Interface) -> list[str | int | tuple[tuple[str, int, int], int]]:
    """zeroconf takes one IPv4 address of an interface, and for IPv6 the interface's index."""
    chosen: list[str | int | tuple[tuple[str, int, int], int]] = []
    chosen += [str(address.ip) for address in interface.addresses if address.version == 4][:1]
    if _ip_version(interface) is not IPVersion.V4Only:
        chosen.append(interface.index)
    return chosen


def _fitting(addresses: Iterable[str], txt_bytes: int) -> list[str]:
    """As many of these addresses as fit the announcement's one packet, in their order."""
    left = _LARGEST_PACKET - _RECORDS_BESIDE_TXT - txt_bytes
    fitting = []
    for address in addresses:
        left -= _RECORD_BYTES[6 if ":" in address else 4]
        if left < 0:
            break
        fitting.append(address)
    return fitting

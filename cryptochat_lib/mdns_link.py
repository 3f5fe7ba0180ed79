"""One link: mDNS spoken and heard on one network interface.

Each interface has a `zeroconf` instance of its own. So what we announce on a link
are our addresses on that link, what we hear is known to come from it, and when an
interface comes, goes or gets another address, no other one is touched.

zeroconf answers questions, sends the announcements and the goodbye, and hands every
record that it hears to `_Ear`. When to ask is our decision, since its own browser
keeps pointers for 1,125 s at least, and takes no notice of a peer that fell silent:

    at the start                 the question for our service, three times
    something may have changed   the same, with our announcement: after a sleep, say
    somebody lacks a record      that record's questions, a few peers at a time
    somebody was quiet for 90 s  the question again and our announcement: all answers refresh
                                 everyone, so whoever of us asks first, after up to 3 s,
                                 has asked for all. Who was missed then (packets get
                                 lost) is asked by name, lest all answer once more
    nobody is here               the question and our announcement, every 30 s and when
                                 somebody is heard again: if it was our cable that was
                                 out, all the others have given us up

Everything here runs on the discovery thread, in its asyncio loop. `zeroconf` has its
home here and in the modules `mdns_...` on which this one stands.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping
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
from .mdns_health import LinkHealth, Pulse
from .mdns_prompt import PromptAnswers, confine
from .mdns_records import AAAA, IN, PTR, QUERY, SERVICE, SRV, TXT, A, understood
from .model import PeerId, RoomName
from .sightings import Record, Sightings

_log = logging.getLogger(__name__)

_LARGEST_PACKET = 1440  # fits an Ethernet frame with IPv6's headers
_RECORDS_BESIDE_TXT = 190  # header, PTR, SRV, the TXT record's own head, NSEC
_RECORD_BYTES = {4: 16, 6: 28}
_STARTUP_QUESTIONS = (0.02, 1.0, 3.0)
# Parts of the silence that ends a peer: 3 s, 6 s (two ticks, so that there are three tries from
# 90 s on, with the 3 s too), and 30 s.
_SPREAD_OF_SILENCE = 1 / 40
_ASK_AGAIN_OF_SILENCE = 1 / 20
_ALONE_OF_SILENCE = 1 / 4
_LACKING_SECONDS = 0.5
_LACKING_AT_ONCE = 8


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
        self._loop = asyncio.get_running_loop()
        self.said: OwnAnnouncement | None = None
        self._mdns: _Truthful | None = None
        self._prompt: PromptAnswers | None = None
        self._saying: asyncio.Future[None] | None = None
        self._questions: list[asyncio.TimerHandle] = []
        self._lacking: asyncio.TimerHandle | None = None
        self._in_turn: asyncio.TimerHandle | None = None
        self._asked_at = float("-inf")
        self._is_alone = True

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
            self._prompt = await PromptAnswers.open(self.interface, self._say_everything)
        self._begin_asking(self.ask)

    def begin_anew(self) -> None:
        """Ask and say everything as at the start: nothing may be as it was, here or at the others."""
        self._begin_asking(self._ask_and_say)

    def _begin_asking(self, ask: Callable[[], None]) -> None:
        for timer in self._questions:
            timer.cancel()
        # RFC 6762, 5.2: the first question a little later, so that not all ask at the same moment.
        first = random.uniform(0, 0.1)  # noqa: S311 (no secret)
        self._questions = [self._loop.call_later(first + delay, ask) for delay in _STARTUP_QUESTIONS]

    async def close(self, *, goodbye: bool) -> None:
        """Leave the link; with `goodbye` the others are told. Takes about 0.3 s then."""
        for timer in (*self._questions, self._lacking, self._in_turn):
            if timer:
                timer.cancel()
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
        if self._lacking is None:
            self._ask_for_lacking()
        name, unasked = self.interface.name, (now - self._asked_at) / self._limits.silence_seconds
        was_alone, self._is_alone = self._is_alone, self._sightings.is_alone(name)
        if (was_alone and not self._is_alone) or (self._is_alone and unasked >= _ALONE_OF_SILENCE):
            self._ask_and_say()
        elif self._in_turn is None and unasked >= _ASK_AGAIN_OF_SILENCE and self._sightings.quiet(name, now):
            later = random.uniform(0, _SPREAD_OF_SILENCE) * self._limits.silence_seconds  # noqa: S311
            self._in_turn = self._loop.call_later(later, self._ask_in_turn)

    def _ask_in_turn(self) -> None:
        """Ask, unless the answers to another's question have come. Who asks says its own: it won't answer."""
        self._in_turn, self._asked_at = None, time.monotonic()
        name = self.interface.name
        quiet = self._sightings.quiet(name, self._asked_at)
        if len(quiet) <= min(_LACKING_AT_ONCE, self._sightings.heard_on(name) // 2):
            self._ask_about(quiet)
        else:
            self._ask_and_say()

    def health(self) -> LinkHealth:
        """How this link is, for people to read."""
        return self.pulse.health(announced=self._mdns is not None and self._mdns.current is not None)

    def ask(self) -> None:
        """Ask who is here. Our own pointer goes with it as known: we need no answer from ourselves."""
        self._asked_at = time.monotonic()
        question = DNSOutgoing(QUERY)
        question.add_question(DNSQuestion(SERVICE, PTR, IN))
        if self._mdns and self._mdns.current:
            question.add_answer_at_time(self._mdns.current.dns_pointer(), 0)
            self.pulse.sent(self._mdns.current.name.partition(".")[0])
        self._send(question)

    def _ask_and_say(self) -> None:
        self.ask()
        self._say_everything()

    def _ask_soon_for_lacking(self) -> None:
        """Ask for the records that peers here lack, but not more than twice a second."""
        if self._lacking is None:
            self._lacking = self._loop.call_later(_LACKING_SECONDS, self._ask_for_lacking)

    def _ask_for_lacking(self) -> None:
        self._lacking = None
        peers = self._sightings.to_ask_for(self.interface.name, _LACKING_AT_ONCE, time.monotonic())
        self._ask_about(peers)

    def _ask_about(self, peers: list[tuple[PeerId, str | None]]) -> None:
        if not peers:
            return
        message = DNSOutgoing(QUERY)
        for uuid, host in peers:
            message.add_question(DNSQuestion(f"{uuid}.{SERVICE}", SRV, IN))
            message.add_question(DNSQuestion(f"{uuid}.{SERVICE}", TXT, IN))
            if host:
                message.add_question(DNSQuestion(host, A, IN))
                message.add_question(DNSQuestion(host, AAAA, IN))
        self._send(message)

    def _say_everything(self) -> None:
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
            self._ask_soon_for_lacking()
        if self._claims.hear(self.interface, records, time.monotonic()):
            self._say_everything()

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

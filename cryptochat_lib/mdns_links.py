"""All our links: one for each interface that is there now.

Interfaces come and go, their addresses change, cables are pulled and put back. `follow`
looks at the system and brings the links in line with it:

    1. a link whose interface has gone or changed, or whose sockets fail, is closed; without
       a goodbye, since we have gone already, or are there again at once
    2. a link for each interface that has none is opened. What fails is logged once, and
       tried again the next time

It returns on which interfaces nothing may be as it was. An interface counts with those of its
addresses on which the peer API listens: whoever is told of another one would come in vain.

Everything here runs on the discovery thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from .claims import Claims
from .interfaces import Interface, is_address, present, scoped
from .limits import Limits
from .mdns_health import LinkHealth
from .mdns_link import Link
from .sightings import Sightings

_log = logging.getLogger(__name__)

# A machine with containers has an interface for each of them.
_MOST_LINKS = 16
# Sockets that fail whatever is done are opened again no more often than once a minute.
_REOPEN_OF_SILENCE = 1 / 2
_ASK_SPACING_SECONDS = 1.0
_GOODBYE_SECONDS = 1.0


class Links:
    """The open links, by the names of their interfaces."""

    def __init__(self, names: Sequence[str], sightings: Sightings, claims: Claims, limits: Limits) -> None:
        self._names = tuple(names)
        self._sightings, self._claims, self._limits = sightings, claims, limits
        self._there: dict[str, Interface] = {}
        self._open: dict[str, Link] = {}
        self._asked_at = float("-inf")
        self._reopened_at: dict[str, float] = {}
        self._trouble: dict[str, str] = {}
        self.is_pulled = False  # whether a cable was found to be out just now

    def __iter__(self) -> Iterator[Link]:
        return iter(self._open.values())

    async def follow(self, listening: frozenset[str] | None) -> set[str]:
        """Steps 1 and 2, for the addresses in `listening`, or all; returns where something has changed."""
        now, before = time.monotonic(), self._there
        there = {one.name: one for one in _reachable(present(self._names), listening)[:_MOST_LINKS]}
        changed = {name for name in there | before if there.get(name) != before.get(name)}
        turned = [one for one in there.values() if _is_plugged(before.get(one.name, one), one)]
        plugged = {one.name for one in turned if one.is_connected}
        self.is_pulled = len(turned) > len(plugged)
        broken = {name for name in self._open if self._is_to_be_reopened(name, now)}
        await self.close((changed | broken) & self._open.keys(), goodbye=False)
        self._there = there
        if changed:
            self._sightings.set_links(there, now)
        for name in there:
            if name not in self._open:
                await self._begin(there[name])
        own_hosts = {str(address.ip) for one in there.values() for address in one.addresses}
        for link in self:
            link.pulse.own_hosts = own_hosts
        return changed | plugged | broken

    def begin_anew(self, names: Iterable[str] | None = None) -> None:
        """Ask and say everything as at the start on these links, or on all; doubt who was heard there."""
        doubtful = set(self._open) if names is None else set(names)
        self._sightings.doubt(doubtful, time.monotonic())
        for name in doubtful & self._open.keys():
            self._open[name].begin_anew()

    def ask(self) -> None:
        """Ask on every link, at most once a second."""
        if time.monotonic() - self._asked_at > _ASK_SPACING_SECONDS:
            self._asked_at = time.monotonic()
            for link in self:
                link.ask_now()

    def health(self) -> list[LinkHealth]:
        """How each chosen interface is, those among them that are named and have no address."""
        there = {interface.name: interface for interface in present(self._names)}
        named = [name for name in self._names if not is_address(name)]
        return [self._health_of(name, there.get(name)) for name in dict.fromkeys([*there, *named])]

    async def close(self, names: Iterable[str] | None = None, *, goodbye: bool) -> None:
        """Close these links, or all. Takes 1 s at most."""
        links = [self._open.pop(name) for name in (list(self._open) if names is None else names)]
        closing = asyncio.gather(*(link.close(goodbye=goodbye) for link in links), return_exceptions=True)
        try:
            results = await asyncio.wait_for(closing, _GOODBYE_SECONDS)
        except asyncio.TimeoutError:  # another class than the built-in one before Python 3.11
            _log.debug("mDNS took too long to end; it is left behind")
            return
        for result in results:
            if isinstance(result, BaseException):
                _log.debug("mDNS did not end well: %r", result)

    async def _begin(self, interface: Interface) -> None:
        link = Link(interface, self._sightings, self._claims, self._limits)
        try:
            await link.open()
        except Exception as error:  # any OSError; zeroconf has errors of its own besides
            await link.close(goodbye=False)
            level = logging.DEBUG if interface.name in self._trouble else logging.WARNING
            self._trouble[interface.name] = str(error)
            _log.log(level, "Cannot find peers on %s for now: %s", interface, error)
            return
        self._trouble.pop(interface.name, None)
        self._open[interface.name] = link
        _log.info("Looking for peers on %s", interface)

    def _is_to_be_reopened(self, name: str, now: float) -> bool:
        since = now - self._reopened_at.get(name, float("-inf"))
        if since < self._limits.silence_seconds * _REOPEN_OF_SILENCE:
            return False
        if not self._open[name].pulse.is_broken(now):
            return False
        self._reopened_at[name] = now
        return True

    def _health_of(self, name: str, interface: Interface | None) -> LinkHealth:
        connected = interface is None or interface.is_connected
        if name in self._open:
            return replace(self._open[name].health(), connected=connected)
        addresses = tuple(str(address.ip) for address in interface.addresses) if interface else ()
        trouble = self._trouble.get(name, "not looked at yet") if interface else "it has no address"
        return LinkHealth(name, addresses, connected, trouble=trouble)


def _reachable(interfaces: list[Interface], listening: frozenset[str] | None) -> list[Interface]:
    """These interfaces with those of their addresses that are in `listening`."""
    if listening is None:
        return interfaces
    kept = [
        replace(one, addresses=tuple(a for a in one.addresses if scoped(a.ip, one) in listening))
        for one in interfaces
    ]
    return [one for one in kept if one.addresses]


def _is_plugged(before: Interface, now: Interface) -> bool:
    """Whether the cable has been put in again, or pulled out."""
    if now.is_connected != before.is_connected:
        _log.info("The cable of %s is %s", now.name, "in again" if now.is_connected else "out")
    return now.is_connected != before.is_connected

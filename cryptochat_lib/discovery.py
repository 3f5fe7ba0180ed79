"""Discovery: who else is on the LAN, and telling them that we are.

DNS-SD over mDNS: every peer announces `UUID._cryptochat._tcp.local.` with its port,
its addresses and its rooms. `Discovery` finds the interfaces, keeps a `Link` on each,
gives each link our announcement, and feeds what they hear to `Sightings`, which calls
the listener. An announcement is a hint from anybody, about anybody: whoever uses it
looks at the certificate there.

The network may be missing at the start, go away, or come back with other addresses.
Every 5 s, and whenever there is something new to say, one tick does all of this:

    1. close the links whose interface has gone or changed, open the new ones
    2. say what has changed about us, on every link
    3. ask where somebody has fallen silent, forget who stays silent for 120 s

What fails in a tick, a socket that can't be opened say, is logged and tried again in
the next one. Nothing here ends the program.

Threads: one, "discovery". zeroconf is an asyncio program, so that thread runs an
asyncio loop, and everything about mDNS happens on it, the listener's calls too. Only
`announce` and `stop` come from other threads; `_lock` guards what they share with it,
`_own` and `_loop`, and is never held while anything is waited for.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

from .claims import Claims
from .interfaces import Interface, present
from .limits import Limits
from .mdns_link import Link, OwnAnnouncement
from .sightings import Listener, Sightings

__all__ = ["Discovery", "Listener", "OwnAnnouncement"]

_log = logging.getLogger(__name__)

# 5 s: an interface that comes or goes is noticed soon, and a program at rest wakes up seldom.
_TICK_OF_SILENCE = 1 / 24
# Changes of our announcement that follow each other faster are said together.
_SPACING_SECONDS = 0.2
# A machine with containers has an interface for each of them.
_MOST_LINKS = 16
_GOODBYE_SECONDS = 1.0
_STOP_SECONDS = 1.4


class Discovery:
    """Announces us and reports the others. `start` and `stop` are called once, `announce` at any time."""

    def __init__(self, listener: Listener, interface_names: Sequence[str], limits: Limits) -> None:
        self._names = tuple(interface_names)
        self._limits = limits
        self._tick_seconds = limits.silence_seconds * _TICK_OF_SILENCE
        self._sightings = Sightings(listener, limits)
        self._claims = Claims(listener, limits)
        self._thread = threading.Thread(target=self._run, name="discovery", daemon=True)
        self._lock = threading.Lock()
        self._own: OwnAnnouncement | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False
        self._wake = asyncio.Event()
        # Used on the discovery thread only:
        self._there: dict[str, Interface] = {}
        self._links: dict[str, Link] = {}
        self._said: dict[str, OwnAnnouncement] = {}
        self._said_at = float("-inf")
        self._complained: set[str] = set()

    def start(self) -> None:
        """Begin, without waiting for the network."""
        library = logging.getLogger("zeroconf")
        if library.level in (logging.NOTSET, logging.WARNING):
            # It warns, with a traceback, whenever an interface goes down: for us, a normal thing.
            library.setLevel(logging.ERROR)
        self._thread.start()

    def announce(self, own: OwnAnnouncement) -> None:
        """Say this of ourselves from now on. Saying the same twice sends nothing."""
        own = replace(own, rooms=dict(own.rooms))
        with self._lock:
            if self._own and self._own.uuid != own.uuid:
                raise ValueError("a node has one UUID for as long as it runs")
            self._own = own
        self._wake_up()

    def stop(self) -> None:
        """Say goodbye and end; takes about 0.3 s, and never more than 1.4 s."""
        self._stopping = True
        self._wake_up()
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)

    def _wake_up(self) -> None:
        with self._lock:
            if self._loop:
                self._loop.call_soon_threadsafe(self._wake.set)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except Exception:
            _log.exception("Discovery has ended: peers on this network are no longer found")

    async def _main(self) -> None:
        loop = asyncio.get_running_loop()
        with self._lock:
            self._loop = loop
        try:
            while not self._stopping:
                self._wake.clear()
                pause = await self._guarded_tick()
                timer = loop.call_later(pause, self._wake.set)
                if not self._stopping:
                    await self._wake.wait()
                timer.cancel()
        finally:
            with self._lock:
                self._loop = None
            await self._close(list(self._links), goodbye=True)

    async def _guarded_tick(self) -> float:
        try:
            return await self._tick()
        except Exception:
            _log.exception("Discovery stumbled; it goes on")
            return self._tick_seconds

    async def _tick(self) -> float:
        """Steps 1 to 3; returns how long to wait for the next tick."""
        await self._follow_interfaces()
        pause = await self._announce_changes()
        now = time.monotonic()
        for link in self._links.values():
            link.tick(now)
        self._sightings.silence(now)
        return pause

    async def _follow_interfaces(self) -> None:
        there = {interface.name: interface for interface in present(self._names)[:_MOST_LINKS]}
        changed = [name for name, link in self._links.items() if there.get(name) != link.interface]
        # No goodbye: either the link has gone, or we are there again at once under a new address.
        await self._close(changed, goodbye=False)
        if there != self._there:
            self._there = there
            self._sightings.set_links(there, time.monotonic())
        for name in there:
            if name not in self._links:
                await self._open(there[name])

    async def _open(self, interface: Interface) -> None:
        link = Link(interface, self._sightings, self._claims, self._limits)
        try:
            await link.open()
        except Exception as error:  # any OSError; zeroconf has errors of its own besides
            await link.close(goodbye=False)
            level = logging.DEBUG if interface.name in self._complained else logging.WARNING
            self._complained.add(interface.name)
            _log.log(level, "Cannot find peers on %s for now: %s", interface, error)
            return
        self._complained.discard(interface.name)
        self._links[interface.name] = link
        _log.info("Looking for peers on %s", interface)

    async def _announce_changes(self) -> float:
        with self._lock:
            own = self._own
        news = [name for name in self._links if self._said.get(name) != own]
        if own is None or not news:
            return self._tick_seconds
        early = self._said_at + _SPACING_SECONDS - time.monotonic()
        if early > 0:
            return early
        self._sightings.set_own(own.uuid)
        self._claims.set_own(own.uuid, own.port)
        for name in news:
            await self._links[name].announce(own)
            self._said[name] = own
        self._said_at = time.monotonic()
        return self._tick_seconds

    async def _close(self, names: Sequence[str], *, goodbye: bool) -> None:
        links = [self._links.pop(name) for name in names]
        for name in names:
            self._said.pop(name, None)
        closing = asyncio.gather(*(link.close(goodbye=goodbye) for link in links), return_exceptions=True)
        try:
            results = await asyncio.wait_for(closing, _GOODBYE_SECONDS)
        except asyncio.TimeoutError:  # another class than the built-in one before Python 3.11
            _log.debug("mDNS took too long to end; it is left behind")
            return
        for result in results:
            if isinstance(result, BaseException):
                _log.debug("mDNS did not end well: %r", result)

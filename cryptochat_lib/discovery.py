"""Discovery: who else is on the LAN, and telling them that we are.

DNS-SD over mDNS: every peer announces `UUID._cryptochat._tcp.local.` with its port,
its addresses and its rooms. `Discovery` keeps a link on each interface (`mdns_links`),
gives each our announcement, and what they hear goes to `Sightings`, which calls the
listener. An announcement is a hint from anybody, about anybody: whoever uses it
looks at the certificate there.

The network may be missing at the start, go away, or come back with other addresses, and
the machine may sleep. Every 5 s, and whenever there is something new to say, one tick does
all of this:

    1. close the links whose interface has gone or changed, or whose sockets fail; open
       the new ones
    2. where the cable is in again, and everywhere after a sleep, begin anew: ask, say who
       we are, and doubt whoever was heard before
    3. say what has changed about us, on every link
    4. ask where somebody has fallen silent, forget who stays silent for 120 s

A sleep is seen by the clock: far more time than a tick has gone by. Announced is only where
the peer API listens (`listens_on`), since whoever is told of us comes at once.

What fails in a tick, a socket that can't be opened say, is logged and tried again in
the next one. Nothing here ends the program.

Threads: one, "discovery". zeroconf is an asyncio program, so that thread runs an
asyncio loop, and everything about mDNS happens on it, the listener's calls too. `announce`,
`listens_on`, `ask`, `health` and `stop` come from other threads; `_lock` guards what they
share with it, `_own`, `_listening` and `_loop`, and is never held while anything is waited for.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import sys
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import replace

from .claims import Claims
from .limits import Limits
from .mdns_health import LinkHealth
from .mdns_link import OwnAnnouncement
from .mdns_links import Links
from .sightings import Listener, Sightings

__all__ = ["Discovery", "LinkHealth", "Listener", "OwnAnnouncement"]

_log = logging.getLogger(__name__)

# 5 s: an interface that comes or goes is noticed soon, and a program at rest wakes up seldom.
_TICK_OF_SILENCE = 1 / 24
# Changes of our announcement that follow each other faster are said together.
_SPACING_SECONDS = 0.2
# So much later than it was due is a tick after a sleep; a busy machine is late too, but less.
_SLEPT_SECONDS = 5.0
_HEALTH_SECONDS = 1.0
_STOP_SECONDS = 1.4


class Discovery:
    """Announces us and reports the others. `start` and `stop` are called once, the others at any time."""

    def __init__(self, listener: Listener, interface_names: Sequence[str], limits: Limits) -> None:
        self._tick_seconds = limits.silence_seconds * _TICK_OF_SILENCE
        self._listener = listener
        self._sightings = Sightings(listener, limits)
        self._claims = Claims(listener, limits)
        self._thread = threading.Thread(target=self._run, name="discovery", daemon=True)
        self._lock = threading.Lock()
        self._own: OwnAnnouncement | None = None
        self._listening: frozenset[str] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False
        self._wake = asyncio.Event()
        # Used on the discovery thread only:
        self._links = Links(interface_names, self._sightings, self._claims, limits)
        self._said_at = float("-inf")
        self._awake_at: float | None = None

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

    def listens_on(self, hosts: Collection[str] | None) -> None:
        """The peer API is at these addresses only, scopes included; None: at every one there is."""
        with self._lock:
            self._listening = None if hosts is None else frozenset(hosts)
        self._wake_up()

    def ask(self) -> None:
        """Ask on every link who is here, so that `health` is fresh. At most once a second."""
        with self._lock:
            if self._loop:
                self._loop.call_soon_threadsafe(self._links.ask)

    def health(self) -> list[LinkHealth]:
        """How each chosen interface is; nothing, if discovery does not run or answers not within 1 s."""
        with self._lock:
            if self._loop is None:
                return []
            answer = asyncio.run_coroutine_threadsafe(self._health(), self._loop)
        try:
            return answer.result(_HEALTH_SECONDS)
        except (concurrent.futures.TimeoutError, concurrent.futures.CancelledError):
            answer.cancel()
            return []

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
            await self._links.close(goodbye=True)

    async def _guarded_tick(self) -> float:
        try:
            return await self._tick()
        except Exception:
            _log.exception("Discovery stumbled; it goes on")
            return self._tick_seconds

    async def _tick(self) -> float:
        """Steps 1 to 4; returns how long to wait for the next tick."""
        with self._lock:
            listening = self._listening
        is_first, slept = self._awake_at is None, self._has_slept()
        changed = await self._links.follow(listening)
        if slept or (changed and not is_first):
            self._links.begin_anew(None if slept else changed)
        if slept or ((changed or self._links.is_pulled) and not is_first):
            self._tell_moved()
        pause = await self._announce_changes()
        now = time.monotonic()
        for link in self._links:
            link.tick(now)
        self._sightings.silence(now)
        return pause

    def _has_slept(self) -> bool:
        """Whether far more time has gone by since the last call than between two ticks."""
        now = _time_slept_too()
        before, self._awake_at = self._awake_at, now
        return before is not None and now - before > self._tick_seconds + _SLEPT_SECONDS

    def _tell_moved(self) -> None:
        try:
            self._listener.moved()
        except Exception:
            _log.exception("Taking note that the network has changed failed")

    async def _announce_changes(self) -> float:
        with self._lock:
            own = self._own
        news = [link for link in self._links if link.said != own]
        if own is None or not news:
            return self._tick_seconds
        early = self._said_at + _SPACING_SECONDS - time.monotonic()
        if early > 0:
            return early
        self._sightings.set_own(own.uuid)
        self._claims.set_own(own.uuid, own.port)
        for link in news:
            await link.announce(own)
        self._said_at = time.monotonic()
        return self._tick_seconds

    async def _health(self) -> list[LinkHealth]:
        return self._links.health()


def _time_slept_too() -> float:
    """Seconds of a clock that goes on while the machine sleeps; the monotonic one may stand still."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)  # Linux
    if clock is None and sys.platform == "darwin":
        clock = time.CLOCK_MONOTONIC  # not the one behind `time.monotonic` there
    return time.monotonic() if clock is None else time.clock_gettime(clock)

"""How a link is: what it has sent and heard, and whether its sockets still work.

zeroconf tells nobody what came from whom, and of an error in sending only the log, once.
So `Pulse.tap` puts itself between its sockets and zeroconf, and notes

    what was heard    packets from other machines; and our own, which the system gives back to
                      every socket that is in the group. One that names us and comes from our
                      address on this link is ours
    what failed       the last error of a socket. A missing route, an interface that has gone,
                      a firewall on this machine (EPERM: it lets nothing out)

Two things are made of it. `LinkHealth` is for people: it says why nobody is found. And
`is_broken` says when the sockets are to be opened again: they fail, or they no longer hear
us although they did. Interfaces come back under the same name and number with the same
addresses, and then nothing else shows that our sockets are on the old one.

Everything here runs on the discovery thread; a `LinkHealth` may go anywhere.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .interfaces import Interface

# What was sent is back within a millisecond; a machine may be busy.
_RETURNS_WITHIN_SECONDS = 2.0
_NEVER = float("-inf")


@dataclass(frozen=True)
class LinkHealth:
    """What is known of mDNS on one interface. Times are of the monotonic clock, None for never."""

    name: str
    addresses: tuple[str, ...] = ()
    connected: bool = True
    """Whether its cable is in, where the system says so."""
    open: bool = False
    trouble: str | None = None
    """Why it is not open."""
    announced: bool = False
    sent: float | None = None
    """When we last sent something that names us: it should have come back."""
    returned: float | None = None
    """When something of ours last came back to us from the group."""
    heard: int = 0
    """How many packets of other machines were heard, of any mDNS program."""
    heard_at: float | None = None
    error: str | None = None
    """The last error in sending, if nothing has come back since."""
    error_number: int | None = None


class Pulse:
    """What one link feels of its network. `own_hosts`: our addresses, on any link."""

    def __init__(self, interface: Interface) -> None:
        self._interface = interface
        self.own_hosts = {str(address.ip) for address in interface.addresses}
        self._name = b""
        self._sent_at = self._returned_at = self._heard_at = self._failed_at = _NEVER
        self._unreturned_at: float | None = None  # when the first was sent of what is not back
        self._heard = 0
        self._error: OSError | None = None

    def tap(self, transports: Iterable[asyncio.DatagramTransport]) -> None:
        """Listen in between these sockets and who reads them now."""
        for transport in transports:
            transport.set_protocol(_Tap(transport.get_protocol(), self))

    def sent(self, uuid: str) -> None:
        """We have just sent something in which our UUID stands."""
        self._name = uuid.encode()
        self._sent_at = time.monotonic()
        if self._unreturned_at is None:
            self._unreturned_at = self._sent_at

    def received(self, packet: bytes, host: str) -> None:
        host = host.removeprefix("::ffff:").partition("%")[0]
        if host not in self.own_hosts:
            self._heard += 1
            self._heard_at = time.monotonic()
        elif self._name and self._name in packet:
            self._returned_at, self._unreturned_at = time.monotonic(), None

    def failed(self, error: Exception) -> None:
        if isinstance(error, OSError):
            self._error, self._failed_at = error, time.monotonic()

    def is_broken(self, now: float) -> bool:
        """Whether the sockets should be opened anew."""
        if self._failed_at > self._returned_at:
            return True
        if self._returned_at == _NEVER or self._unreturned_at is None:
            return False
        return now - self._unreturned_at > _RETURNS_WITHIN_SECONDS

    def health(self, *, announced: bool) -> LinkHealth:
        """What the doctor is told of this link. `announced`: we are, on it."""
        error = self._error if self._failed_at > self._returned_at else None
        number = error.errno if error is not None else None
        return LinkHealth(
            self._interface.name,
            tuple(str(address.ip) for address in self._interface.addresses),
            open=True,
            announced=announced,
            sent=_time(self._sent_at),
            returned=_time(self._returned_at),
            heard=self._heard,
            heard_at=_time(self._heard_at),
            error=None if error is None else os.strerror(number) if number else str(error),
            error_number=number,
        )


class _Tap(asyncio.DatagramProtocol):
    """Hands on to `reader` what a socket hears, and its errors to nobody else: zeroconf would log them."""

    def __init__(self, reader: asyncio.BaseProtocol, pulse: Pulse) -> None:
        self._reader: Any = reader  # zeroconf's own class, which it compiles
        self._pulse = pulse

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._pulse.received(data, addr[0])
        self._reader.datagram_received(data, addr)

    def error_received(self, exc: Exception) -> None:
        self._pulse.failed(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self._reader.connection_lost(exc)


def _time(moment: float) -> float | None:
    return None if moment == _NEVER else moment

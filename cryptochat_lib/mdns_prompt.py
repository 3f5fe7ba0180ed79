"""A prompt answer for peers that are nearly deaf.

A peer that knows only the seed protocol listens for 500 ms in every 3 s, just after
it has asked its question, twice. It understands only a packet that holds PTR, SRV,
TXT and A together. zeroconf delays its answer to a doubled question by 500 ms, to
collect answers, and by 1 s more if it said the same within the last second: just too
late, so that such a peer would list us after 2 to 14 s (measured), or never.

So a socket of our own hears the questions as well, and on one for our service has
everything said at once. zeroconf's later answer does no harm.

    Who asks    only questions without known answers are answered here. The peers that
                we know send what they know; seed-only peers never do.
    When        after 20 to 120 ms, since others answer too (RFC 6762, section 6), and
                not within 250 ms of the last time. That is more often than the 1 s of
                the same section, on purpose: two nearly deaf peers whose rounds are
                0.5 to 1 s apart would otherwise keep each other from hearing us, round
                after round. A flood of questions gets four answers a second, no more.

Everything here runs on the discovery thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import sys
from collections.abc import Callable

from zeroconf import DNSIncoming  # type: ignore[attr-defined]

from .interfaces import Interface
from .mdns_records import ANY, PTR, SERVICE

_GROUP, _PORT = "224.0.0.251", 5353
_DELAY_SECONDS = (0.02, 0.12)
_SPACING_SECONDS = 0.25
_LARGEST_PACKET = 9000

# Linux, not in Python's `socket`: hear only the groups that this very socket has joined.
_IP_MULTICAST_ALL, _IPV6_MULTICAST_ALL = 49, 29


class PromptAnswers(asyncio.DatagramProtocol):
    """Hears the questions of one link and calls `say`, soon and not too often."""

    def __init__(self, say: Callable[[], None]) -> None:
        self._say = say
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.BaseTransport | None = None
        self._pending: asyncio.TimerHandle | None = None
        self._said_at = float("-inf")

    @classmethod
    async def open(cls, interface: Interface, say: Callable[[], None]) -> PromptAnswers:
        """Start to listen on an interface that has an IPv4 address. Raises OSError."""
        loop = asyncio.get_running_loop()
        sock = _listening_socket(interface)
        try:
            _, answers = await loop.create_datagram_endpoint(lambda: cls(say), sock=sock)
        except BaseException:
            sock.close()
            raise
        return answers

    def close(self) -> None:
        if self._pending:
            self._pending.cancel()
        if self._transport:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._pending or addr[1] != _PORT or len(data) > _LARGEST_PACKET or not _asks_for_us(data):
            return
        earliest = self._said_at + _SPACING_SECONDS
        delay = random.uniform(*_DELAY_SECONDS)  # noqa: S311 (no secret)
        self._pending = self._loop.call_at(max(self._loop.time() + delay, earliest), self._answer)

    def error_received(self, exc: Exception) -> None:
        """Nothing is sent from here, and what could not be received is asked again."""

    def _answer(self) -> None:
        self._pending, self._said_at = None, self._loop.time()
        self._say()


def _asks_for_us(packet: bytes) -> bool:
    """Whether this is a question for our service from somebody who knows of no answer."""
    message = DNSIncoming(packet)
    return (
        message.valid
        and message.is_query()
        and message.num_answers == 0
        and any(
            question.type in (PTR, ANY) and question.name.lower() == SERVICE for question in message.questions
        )
    )


def _listening_socket(interface: Interface) -> socket.socket:
    own = next(address.ip for address in interface.addresses if address.version == 4)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        confine(sock, interface)
        # Bound to the group, it takes no packet that is meant for zeroconf's sockets alone.
        # Windows can't do that.
        sock.bind(("" if sys.platform == "win32" else _GROUP, _PORT))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(_GROUP) + own.packed)
    except BaseException:
        sock.close()
        raise
    return sock


def confine(sock: socket.socket, interface: Interface) -> None:
    """Make `sock` hear this interface only: Linux would give it what arrives on any.

    A wildcard socket there gets every group that any program has joined, on any
    interface, and an answer to what it hears would tell our rooms on a network on
    which we were told to be silent. Elsewhere a socket hears only what it joined.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):  # not allowed before Linux 5.7; the rest stands alone then
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.name.encode() + b"\0")
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
    if sock.family == socket.AF_INET6:
        with contextlib.suppress(OSError):  # before Linux 4.20
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, 0)

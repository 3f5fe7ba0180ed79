"""Listen to what a machine says by multicast DNS on one cable.

with hears_from(observer, "eth0", speaker) as heard:
    ...
assert heard.items == []
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns_packets as dns
from lab import Host
from waiting import Collected

GROUP, GROUP6, PORT = "224.0.0.251", "ff02::fb", 5353


def multicast_socket(host: Host, interface: str, family: socket.AddressFamily) -> socket.socket:
    """A socket on `host` that hears and speaks multicast DNS on one of its interfaces."""

    def make() -> socket.socket:
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        number = socket.if_nametoindex(interface)
        if family == socket.AF_INET:
            member = socket.inet_aton(GROUP) + struct.pack("@4si", b"\0" * 4, number)  # struct ip_mreqn
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("@8si", b"", number))
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            member = socket.inet_pton(family, GROUP6) + struct.pack("@i", number)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, number)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        sock.bind(("", PORT))
        return sock

    return host.inside(make)


@contextmanager
def hears_from(observer: Host, interface: str, speaker: Host) -> Iterator[Collected[dns.Packet]]:
    """The packets that `speaker`'s addresses send to the observer's cable, for as long as this is open."""
    heard: Collected[dns.Packet] = Collected()
    theirs = addresses_of(speaker)
    sockets = [multicast_socket(observer, interface, family) for family in (socket.AF_INET, socket.AF_INET6)]
    threads = [
        threading.Thread(target=_keep, args=(sock, theirs, heard), name="listens to mDNS") for sock in sockets
    ]
    for thread in threads:
        thread.start()
    try:
        yield heard
    finally:
        for sock in sockets:
            _wake(sock)
        for thread in threads:
            thread.join(10)
        for sock in sockets:
            sock.close()


def addresses_of(host: Host) -> set[str]:
    """Every address of a machine but those of its loopback."""
    listing = host.run(["ip", "-o", "address"]).stdout
    fields = [line.split() for line in listing.splitlines()]
    return {field[3].partition("/")[0] for field in fields if field[1] != "lo"}


def _keep(sock: socket.socket, theirs: set[str], heard: Collected[dns.Packet]) -> None:
    while True:
        try:
            data, sender = sock.recvfrom(9000)
        except OSError:
            return
        if not data:
            return
        if sender[0].partition("%")[0] in theirs:
            heard.add(dns.decode(data))


def _wake(sock: socket.socket) -> None:
    """End a blocking `recvfrom`: closing the descriptor would not."""
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:  # a datagram socket is not connected: it wakes its readers all the same
        return

"""Floods of announcements, at a rate past 5,000 a minute: what they make a node do, and whom they harm.

Mallory says whatever she likes of any number of peers: that they are at this machine's own
services, at addresses of nobody, on the other side of a router. Every packet that the node's
machine then sends is captured, on its cable and on its loopback.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import threading
import time
import uuid as uuids
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from announcing import Forger
from friends import StartNode, befriend, wait_knows
from lab import Host, Lan
from nodes import Node
from waiting import Collected, wait_until

from cryptochat_lib.limits import Limits

SECONDS = 8.0
PER_SECOND = 160
TABLE = Limits().announced_peers
LINKS = [ipaddress.ip_network(net) for net in ("10.77.0.0/24", "fd00:77::/64", "fe80::/64")]


class Opening(NamedTuple):
    """A connection that the machine tried to open: the SYN that it sent."""

    address: str
    port: int


IP = (0x0800, 0x86DD)
"""The protocols of a frame that are wanted: there is ARP on a cable, too."""


class Wire:
    """The connections that a machine begins on one of its interfaces, over IPv4 and IPv6."""

    def __init__(self, host: Host, interface: str) -> None:
        self.openings: Collected[Opening] = Collected()
        self._socket = host.inside(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)))
        self._socket.bind((interface, 3))
        self._socket.settimeout(0.2)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._listen, name=f"captures {interface}")
        self._thread.start()

    def _listen(self) -> None:
        while not self._ending.is_set():
            try:
                packet, about = self._socket.recvfrom(65535)
            except TimeoutError:
                continue
            if about[1] not in IP or about[2] != socket.PACKET_OUTGOING:
                continue
            if opening := _opening(packet[14:]):
                self.openings.add(opening)

    def close(self) -> None:
        self._ending.set()
        self._thread.join(5)
        self._socket.close()


def _opening(packet: bytes) -> Opening | None:
    """The SYN without ACK in an IP packet."""
    if packet[0] >> 4 == 4:
        size, protocol, address = (
            (packet[0] & 15) * 4,
            packet[9],
            socket.inet_ntop(socket.AF_INET, packet[16:20]),
        )
    else:
        size, protocol, address = 40, packet[6], socket.inet_ntop(socket.AF_INET6, packet[24:40])
    tcp = packet[size:]
    if protocol != socket.IPPROTO_TCP or len(tcp) < 20 or tcp[13] & 0x12 != 0x02:
        return None
    return Opening(address, struct.unpack("!H", tcp[2:4])[0])


@contextmanager
def captured(host: Host) -> Iterator[list[Opening]]:
    """What the machine has tried to open, on its cable and on its loopback, once this is over."""
    wires = [Wire(host, "eth0"), Wire(host, "lo")]
    found: list[Opening] = []
    try:
        yield found
    finally:
        for wire in wires:
            wire.close()
            found += wire.openings.items


@contextmanager
def flood(host: Host, places: list[tuple[str, int]], room: str) -> Iterator[Collected[int]]:
    """Announcements of new peers at each of these addresses and ports in turn, `PER_SECOND` of them."""
    said: Collected[int] = Collected()
    forger = Forger(host)
    ending = threading.Event()

    def say(number: int) -> None:
        address, port = places[number % len(places)]
        strings = [b"v=1", f"room={room}".encode(), f"name=Eve {number}".encode()]
        address = address.replace("NEW", f"{number % 250 + 1}")
        forger.announce(str(uuids.uuid4()), strings, address=address, port=port)
        said.add(number)

    def run() -> None:
        started, number = time.monotonic(), 0
        while not ending.wait(0.01):
            while number < (time.monotonic() - started) * PER_SECOND:
                say(number)
                number += 1

    thread = threading.Thread(target=run, name="flood of announcements")
    thread.start()
    try:
        yield said
    finally:
        ending.set()
        thread.join(5)
        forger.close()


@pytest.fixture(scope="module")
def routed(lan: Lan) -> str:
    """The first machine has a route to everywhere, through the third: nothing but the program stops it."""
    ada, _, eve = lan.hosts
    ada.ip("route", "add", "default", "via", eve.address)
    return eve.address


def test_a_flood_of_announcements_opens_nothing_off_the_link_and_harms_no_friend(
    lan: Lan, routed: str, start_node: StartNode, room: str
) -> None:
    ada, bob = start_node(lan.hosts[0], "Ada"), start_node(lan.hosts[1], "Bob")
    befriend(ada, bob, room)
    places = [
        ("127.0.0.1", ada.ui_port),
        ("127.0.0.1", 22),
        ("0.0.0.0", ada.ui_port),
        ("8.8.8.NEW", 443),
        ("192.168.7.NEW", 4000),
        ("10.77.0.255", 4000),
        ("224.0.0.251", 5353),
        ("::1", ada.ui_port),
        ("::ffff:127.0.0.1", ada.ui_port),
        ("2001:db8::NEW", 443),
        (lan.hosts[2].address, 0),
        (lan.hosts[0].address, ada.ui_port),
    ]
    slowest = 0.0
    with captured(lan.hosts[0]) as openings, flood(lan.hosts[2], places, room) as said:
        until = time.monotonic() + SECONDS
        number = 0
        while time.monotonic() < until:
            number += 1
            started = time.monotonic()
            one, other = (ada, bob) if number % 2 else (bob, ada)
            one.send(room, f"number {number}")
            other.wait_message(f"number {number}", timeout=5)
            slowest = max(slowest, time.monotonic() - started)
            time.sleep(max(0.0, 0.2 - (time.monotonic() - started)))  # a pace, and no wait for anything
            if number == 20:
                carol = start_node(lan.hosts[1], "Carol")
                carol.join(room)
        wait_knows(ada, carol, timeout=10)
        sent = len(said.items)
    assert sent > max(TABLE, SECONDS * 5000 / 60)
    assert slowest < 1, f"a message took {slowest:.2f} s"
    _check_openings(openings, ada)
    users = ada.get("/api/users")["users"]
    assert len(users) <= TABLE
    assert ada.status(bob.uuid) == "verified"
    assert [user["uuid"] for user in users if user["pending"]] in ([], [carol.uuid])
    assert len(ada.seen("verification")) <= 1 + 1


def _check_openings(openings: list[Opening], ada: Node) -> None:
    """To addresses of the link alone, which are nobody's own services that only this machine could reach."""
    there = {o for o in openings if not any(ipaddress.ip_address(o.address) in link for link in LINKS)}
    assert there <= {Opening("127.0.0.1", ada.ui_port)}, "more than the test's own requests to the UI"
    assert 0 not in {o.port for o in openings}
    assert openings, "the capture saw the connections that there were"


def test_a_knock_through_a_router_raises_no_question(
    lan: Lan, routed: str, start_node: StartNode, room: str
) -> None:
    """Eve has a second address, on a network of her own; to the first she was looked at."""
    ada, eve = start_node(lan.hosts[0], "Ada"), start_node(lan.hosts[2], "Eve")
    ada.join(room)
    eve.join(room)
    for one, other in ((ada, eve), (eve, ada)):
        wait_knows(one, other)
    eve.verify(ada.uuid, ada.fingerprint_sha256)
    host = lan.hosts[2]
    host.ip("address", "add", "172.20.0.9/32", "dev", "lo")
    host.ip("route", "replace", "10.77.0.0/24", "dev", "eth0", "src", "172.20.0.9")
    host.ip("-6", "address", "flush", "dev", "eth0")
    try:
        message = eve.send(room, "let me in")
        wait_until(lambda: "verified you" in str(eve.delivery(message, ada.uuid)["reason"]), 15)
        assert ada.seen("verification") == []
        assert not ada.user(eve.uuid)["pending"]
    finally:
        host.ip("address", "del", "172.20.0.9/32", "dev", "lo")
        host.ip("route", "replace", "10.77.0.0/24", "dev", "eth0", "src", host.address)

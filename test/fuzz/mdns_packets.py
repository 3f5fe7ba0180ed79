"""Multicast DNS: whole packets into a node's own sockets, TXT records and questions into their readers too.

Packets that are nearly about our service: forged, in part, with names that point at themselves,
of every type and length; or anything. Every 64 packets somebody asks for our service directly,
and has to be answered (RFC 6762, 6.7): the node still hears, and no packet was dropped unread
for long.
"""

from __future__ import annotations

import random
import socket
import struct
import uuid
from typing import Any

import dns_packets as dns
from http_requests import text
from mutations import mutate, noise
from seed_mdns import GROUP, PORT, SERVICE
from target import ENDS_WITHIN, Target, Wrong

from cryptochat_lib import mdns_prompt, txt

_ASK_EVERY = 64
_TRIES = 30
_TTLS = (0, 1, 120, 4500, 2**31 - 1, 2**32 - 1)
_TYPES = (0, dns.A, 2, 5, dns.PTR, 13, dns.TXT, dns.AAAA, dns.SRV, 41, 47, 65, dns.ANY, 65535)
_ADDRESSES = (
    "127.0.0.1",
    "127.0.0.9",
    "0.0.0.0",
    "224.0.0.251",
    "10.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "::1",
)
_PEOPLE = 3000


class MdnsPackets(Target):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._socket = _multicast(PORT)
        self._asking = _multicast(0)
        self._count = 0

    def once(self, chance: random.Random) -> None:
        self.said = packet = make_packet(chance, self.aim)
        self._read(packet, chance)
        try:
            self._socket.sendto(packet[:65000], (GROUP, PORT))
        except BlockingIOError:  # the queue is full: said too fast
            self._count = _ASK_EVERY - 1
        self._count += 1
        if self._count % _ASK_EVERY == 0:
            self._is_answered(chance.randrange(65536))

    def _read(self, packet: bytes, chance: random.Random) -> None:
        """Into the readers, beside the network."""
        mdns_prompt._asks_for_us(packet)
        for record in (
            strings(chance, self.aim),
            noise(chance, 2000),
            mutate(strings(chance, self.aim), chance),
        ):
            said = txt.parse(record)
            if len(said.rooms) > 64 or not 0 <= said.version <= 9999:
                raise Wrong(f"{record!r} was read as {said}")

    def _is_answered(self, number: int) -> None:
        question = (
            struct.pack("!6H", number, 0, 1, 0, 0, 0) + dns.encode([dns.Question(SERVICE, dns.PTR)])[12:]
        )
        for _ in range(_TRIES):
            self._asking.sendto(question, (GROUP, PORT))
            self._asking.settimeout(ENDS_WITHIN / _TRIES)
            try:
                while self._asking.recv(9000)[:2] != question[:2]:
                    continue
            except TimeoutError:
                continue
            return
        raise Wrong(f"a question was not answered within {ENDS_WITHIN} s")


def make_packet(chance: random.Random, aim: Any) -> bytes:
    """A packet, most of it right, some of it wrong."""
    kind = chance.random()
    if kind < 0.05:
        return noise(chance, 9000)
    if kind < 0.15:
        questions = [
            dns.Question(_name(chance, aim), chance.choice(_TYPES)) for _ in range(chance.choice((1, 2, 40)))
        ]
        packet = dns.encode(questions)
    else:
        records = [_record(chance, aim) for _ in range(chance.choice((1, 2, 4, 4, 4, 12, 40)))]
        if chance.random() < 0.4:
            records = _announcement(chance, aim)
        packet = dns.encode(records=records)
    if chance.random() < 0.15:  # counts, flags and ids that are not so
        packet = (
            struct.pack("!6H", *(chance.choice((0, 1, 2, 0x8400, 0x0200, 65535)) for _ in range(6)))
            + packet[12:]
        )
    if chance.random() < 0.5:
        at = chance.randrange(len(packet))
        packet = mutate(
            packet, chance, (b"\xc0" + bytes([at % 256]), b"\xc0\x0c", b"\xff", b"\x00", b"\x3f", b"\x40")
        )
    return packet


def _announcement(chance: random.Random, aim: Any) -> list[dns.Record]:
    instance, host = _name(chance, aim), chance.choice((_name(chance, aim), "host.local."))
    ttl = chance.choice(_TTLS)
    records = [
        dns.pointer(SERVICE, instance, ttl),
        _service(instance, chance.choice((0, 1, 20700, 65535)), host, ttl, chance),
        dns.Record(instance, dns.TXT, ttl, strings(chance, aim), dns.FLUSH),
        dns.address(host, chance.choice(_ADDRESSES), ttl),
    ]
    chance.shuffle(records)
    return records[: chance.choice((4, 4, 4, 3, 2))]


def _service(instance: str, port: int, host: str, ttl: int, chance: random.Random) -> dns.Record:
    """Its host is a name, or as many bytes as a label has that are no text."""
    if chance.random() < 0.8:
        return dns.service(instance, port, host, ttl)
    label = bytes([chance.choice((0xFF, 0x80, 0x20, 0x2E))]) * chance.choice((1, 40, 63))
    name = (bytes([len(label)]) + label) * chance.choice((1, 4)) + b"\0"
    return dns.Record(instance, dns.SRV, ttl, struct.pack("!HHH", 0, 0, port) + name, dns.FLUSH)


def _record(chance: random.Random, aim: Any) -> dns.Record:
    name, type_ = _name(chance, aim), chance.choice(_TYPES)
    data = chance.choice(
        (noise(chance, 300), strings(chance, aim), dns.pointer("x.", _name(chance, aim)).data)
    )
    if type_ == dns.SRV:
        data = chance.randbytes(6) + data
    return dns.Record(
        name, type_, chance.choice(_TTLS), data[:65535], chance.choice((dns.IN, dns.FLUSH, 255, 0))
    )


def strings(chance: random.Random, aim: Any) -> bytes:
    """A TXT record."""
    keys = ("room=", "room=", "room=", "name=", "v=", "v=1", "ROOM=", "=", "")
    found = [
        (chance.choice(keys) + chance.choice((aim.room, text(chance)))).encode("utf-8", "surrogatepass")[:255]
        for _ in range(chance.choice((0, 1, 1, 2, 2, 3, 5, 5, 5, 5, 5, 70)))
    ]
    return b"".join(bytes([len(one)]) + one for one in found)[:8000]


def _name(chance: random.Random, aim: Any) -> str:
    """The name of one of three thousand people, of our user or the friend, of the service, or of nothing."""
    person = str(uuid.UUID(int=chance.randrange(_PEOPLE) + (4 << 76) + (8 << 60)))
    label = chance.choice(
        (person, person, person, aim.friend_uuid, aim.uuid, person.upper(), "x" * 63, "\u00e9", "")
    )
    labels = [label] if label else []
    ends = (SERVICE, SERVICE, SERVICE.upper(), "local.", "_tcp.local.", "")
    return ".".join([*labels, chance.choice(ends)]) or "."


def _multicast(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
    sock.bind(("127.0.0.1" if port else "", port))
    return sock

"""DNS packets, as far as multicast DNS needs them, from RFC 1035 section 4 alone.

For the seed-only peer and for forged announcements: what the tests say on the
network is not written by the library that CryptoChat reads it with. Names are
written in full and read with compression (4.1.4).

>>> packet = encode([], [service("a._x._tcp.local.", 80, "a.local.")])
>>> decode(packet).records[0].server
('a.local.', 80)
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

A, PTR, TXT, AAAA, SRV, ANY = 1, 12, 16, 28, 33, 255
IN, FLUSH = 0x0001, 0x8001  # FLUSH: this replaces what was said before (RFC 6762, 10.2)
_RESPONSE = 0x8400


@dataclass(frozen=True)
class Question:
    name: str
    type: int


@dataclass(frozen=True)
class Record:
    """One resource record. Its data is read by the property that fits its type."""

    name: str
    type: int
    ttl: int
    data: bytes
    class_: int = IN
    pointed: str = ""  # the name inside the data of a PTR or SRV, which may be compressed

    @property
    def server(self) -> tuple[str, int]:
        """Host and port of a SRV record."""
        return self.pointed, int.from_bytes(self.data[4:6], "big")

    @property
    def address(self) -> str:
        """The address of an A or AAAA record."""
        return str(ipaddress.ip_address(self.data))

    @property
    def strings(self) -> list[bytes]:
        """The strings of a TXT record."""
        found, rest = [], self.data
        while rest:
            found.append(rest[1 : 1 + rest[0]])
            rest = rest[1 + rest[0] :]
        return found


@dataclass(frozen=True)
class Packet:
    is_response: bool
    questions: tuple[Question, ...]
    records: tuple[Record, ...]


def pointer(service_name: str, instance: str, ttl: int = 4500) -> Record:
    return Record(service_name, PTR, ttl, _name(instance), IN, instance)


def service(instance: str, port: int, host: str, ttl: int = 120) -> Record:
    return Record(instance, SRV, ttl, struct.pack("!HHH", 0, 0, port) + _name(host), FLUSH, host)


def text(instance: str, strings: Iterable[bytes], ttl: int = 4500) -> Record:
    return Record(instance, TXT, ttl, b"".join(bytes([len(one)]) + one for one in strings), FLUSH)


def address(host: str, ip: str, ttl: int = 120) -> Record:
    """An A or an AAAA record."""
    packed = ipaddress.ip_address(ip).packed
    return Record(host, A if len(packed) == 4 else AAAA, ttl, packed, FLUSH)


def encode(questions: Sequence[Question] = (), records: Sequence[Record] = ()) -> bytes:
    """A query if there are no records, else a response. The records are all answers."""
    head = struct.pack("!6H", 0, _RESPONSE if records else 0, len(questions), len(records), 0, 0)
    asked = b"".join(_name(one.name) + struct.pack("!HH", one.type, IN) for one in questions)
    told = b"".join(
        _name(one.name) + struct.pack("!HHIH", one.type, one.class_, one.ttl, len(one.data)) + one.data
        for one in records
    )
    return head + asked + told


def decode(packet: bytes) -> Packet:
    """Raises ValueError for what is no DNS packet. All sections of records become one."""
    try:
        return _decode(packet)
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"no DNS packet: {error}") from error


def _decode(packet: bytes) -> Packet:
    _, flags, asked, *told = struct.unpack_from("!6H", packet)
    at, questions, records = 12, [], []
    for _ in range(asked):
        name, at = _read_name(packet, at)
        questions.append(Question(name, struct.unpack_from("!H", packet, at)[0]))
        at += 4
    for _ in range(sum(told)):
        name, at = _read_name(packet, at)
        type_, class_, ttl, length = struct.unpack_from("!HHIH", packet, at)
        at += 10
        inside = at if type_ == PTR else at + 6 if type_ == SRV else None
        pointed = _read_name(packet, inside)[0] if inside is not None else ""
        records.append(Record(name, type_, ttl, packet[at : at + length], class_, pointed))
        at += length
    return Packet(bool(flags & 0x8000), tuple(questions), tuple(records))


def _name(name: str) -> bytes:
    labels = [label.encode() for label in name.rstrip(".").split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _read_name(packet: bytes, at: int) -> tuple[str, int]:
    """The name at `at`, and where the packet goes on behind it."""
    labels: list[str] = []
    behind = 0
    while length := packet[at]:
        if length >= 0xC0:
            behind = behind or at + 2
            target = struct.unpack_from("!H", packet, at)[0] & 0x3FFF
            if target >= at:
                raise ValueError("no DNS packet: a name points forward")
            at = target
        else:
            labels.append(packet[at + 1 : at + 1 + length].decode())
            at += 1 + length
    return ".".join([*labels, ""]), behind or at + 1

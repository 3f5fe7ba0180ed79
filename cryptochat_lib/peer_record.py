"""The signed peer record: where a key's owner says that it is, in bytes that others may pass on.

A record is made by its owner, dated by the owner's clock, and signed with the owner's key. So
whoever passes it on can neither change it nor make one up; at most an older one can be shown
again, and of two the later counts. It says where to look, never whom to trust.

    version     1 byte, 1
    time        8 bytes: milliseconds since 1970, by the owner's clock
    port        2 bytes: of the peer API, at every address
    addresses   1 byte: how many, at most 8; then for each a byte 4 or 6, and 4 or 16 bytes
    key         2 bytes: how many; then the public key (SPKI, DER)
    signature   all that is left, of the domain string and everything before it

Numbers are big endian. On the wire and in the database it is base64 (RFC 4648, section 4, with
padding). Who the owner is stands nowhere in it: it is the version 8 UUID of the key. In which form
each kind of key signs is in `identity`. Exact rules and test vectors: docs/PROTOCOL.md, section 6.2.

Pure. Whatever the text is, `parse` returns a record that its owner has signed, or raises BadRequest.
"""

from __future__ import annotations

import base64
import binascii
import functools
import ipaddress
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NoReturn

from .errors import BadRequest
from .identity import Identity, check_signature, self_proving_id
from .model import Endpoint, PeerId, is_of_a_machine

MOST_ADDRESSES = 8
MOST_CHARACTERS = 4096  # of base64: an RSA-8192 key, its signature and all addresses need 3,000
VERSION = 1

_DOMAIN = b"CryptoChat peer record 1\0"
_HEAD = struct.Struct(">BQHB")
_LATEST_TIME = 2**53  # what every JSON reader can hold exactly, as for other times

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class PeerRecord:
    """A record whose signature has been checked. `time`: milliseconds since 1970. `text`: its base64."""

    uuid: PeerId
    time: int
    port: int
    addresses: tuple[Address, ...]
    text: str = field(repr=False)

    def endpoints(self, scope: str | None = None) -> tuple[Endpoint, ...]:
        """Where to try; at link-local IPv6 addresses only on the link `scope`."""
        found = []
        for address in self.addresses:
            local = address.version == 6 and address.is_link_local
            if scope is not None or not local:
                found.append(Endpoint(f"{address}%{scope}" if local else str(address), self.port))
        return tuple(found)


def make(identity: Identity, hosts: Iterable[str], port: int, time: int) -> PeerRecord:
    """Our own record: at the first eight of `hosts`, link-local IPv6 last and without its scope."""
    bare = dict.fromkeys(ipaddress.ip_address(host.partition("%")[0]) for host in hosts)
    chosen = sorted(bare, key=lambda a: a.version == 6 and a.is_link_local)[:MOST_ADDRESSES]
    public_key = identity.certificate.public_key
    payload = b"".join(
        (
            _HEAD.pack(VERSION, time, port, len(chosen)),
            *(bytes((address.version,)) + address.packed for address in chosen),
            len(public_key).to_bytes(2, "big"),
            public_key,
        )
    )
    text = base64.b64encode(payload + identity.sign(_DOMAIN + payload)).decode()
    return PeerRecord(identity.certificate.uuid, time, port, tuple(chosen), text)


@functools.lru_cache(maxsize=1024)  # the same ones come again and again
def parse(text: str) -> PeerRecord:
    """The record in `text`, with its owner's signature; else BadRequest."""
    data = _Bytes(_decode(text))
    version, time, port, count = _HEAD.unpack(data.take(_HEAD.size))
    if version != VERSION:
        _refuse("is of a version that is not known here")
    if not 1 <= port <= 65535 or time > _LATEST_TIME or count > MOST_ADDRESSES:
        _refuse("has a port, a time or addresses that cannot be")
    addresses = tuple(data.take_address() for _ in range(count))
    if len(set(addresses)) != count:
        _refuse("names an address twice")
    public_key = data.take(int.from_bytes(data.take(2), "big"))
    payload = data.taken
    check_signature(public_key, data.rest, _DOMAIN + payload)
    return PeerRecord(self_proving_id(public_key), time, port, addresses, text)


class _Bytes:
    """What has been read, and what is left. BadRequest where there is not enough."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def taken(self) -> bytes:
        return self._data[: self._at]

    @property
    def rest(self) -> bytes:
        return self._data[self._at :]

    def take(self, size: int) -> bytes:
        piece = self._data[self._at : self._at + size]
        if len(piece) < size:
            _refuse("is cut off")
        self._at += size
        return piece

    def take_address(self) -> Address:
        """One byte for the kind, then the address: of one machine, and written in one way only."""
        kind = self.take(1)[0]
        if kind not in (4, 6):
            _refuse("has an address of no known kind")
        address = ipaddress.IPv4Address(self.take(4)) if kind == 4 else ipaddress.IPv6Address(self.take(16))
        if not is_of_a_machine(address):
            _refuse("has an address of no single machine")
        return address


def _decode(text: str) -> bytes:
    if len(text) > MOST_CHARACTERS:
        _refuse("is too long")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:  # ValueError: a sign beyond ASCII
        raise BadRequest("a peer record is base64") from error


def _refuse(why: str) -> NoReturn:
    raise BadRequest(f"the peer record {why}")

"""The nouns: values that are valid once they exist.

Foreign text becomes one of these at the edge (`wire`, `txt`, `identity`), once;
inside, nothing checks it again. No I/O, no threads, no clock.
"""

from __future__ import annotations

import enum
import hashlib
import ipaddress
import re
import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple, NewType

from .errors import BadRequest

PeerId = NewType("PeerId", str)
"""A canonical lower-case UUID: the name of a key's owner on the wire."""

RoomName = NewType("RoomName", str)
"""A room's name in Unicode normalisation form C: the key under which we hold it."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ROOM_NAME_BYTES = 100
_NO_MACHINES = (ipaddress.ip_network("0.0.0.0/8"), ipaddress.ip_network("240.0.0.0/4"))
_DIRECTION_MARKS = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def parse_peer_id(text: str) -> PeerId:
    """The UUID in `text`, which must be in canonical lower-case form (RFC 9562, section 4).

    >>> parse_peer_id("0704411D-699b-8cc0-9a55-6d9b2f1c0a11")
    Traceback (most recent call last):
    cryptochat_lib.errors.BadRequest: this is not a UUID in lower case
    """
    if not _UUID.fullmatch(text):
        raise BadRequest("this is not a UUID in lower case")
    return PeerId(text)


def proven_id(key_hash: bytes) -> PeerId:
    """The version 8 UUID (RFC 9562, section 5.8) of a key: the first 16 bytes of its SPKI's SHA-256."""
    digest = bytearray(key_hash[:16])
    digest[6] = digest[6] & 0x0F | 0x80  # version 8
    digest[8] = digest[8] & 0x3F | 0x80  # the variant of RFC 9562
    return PeerId(str(uuid.UUID(bytes=bytes(digest))))


@lru_cache(maxsize=256)  # every message names one of few
def parse_room_name(text: str) -> RoomName:
    """The room that `text` names: 1 to 100 bytes of UTF-8, no control characters, as NFC.

    >>> parse_room_name("cafe\\u0301") == "caf\\u00e9"
    True
    """
    name = unicodedata.normalize("NFC", text)
    for form in (text, name):  # both forms travel: what a peer announced, and what we hold
        if any(unicodedata.category(c) in ("Cc", "Cs") for c in form):
            raise BadRequest("a room's name has no control characters")
        if not 1 <= len(form.encode()) <= ROOM_NAME_BYTES:
            raise BadRequest(f"a room's name is 1 to {ROOM_NAME_BYTES} bytes of UTF-8")
    return RoomName(name)


def clean_username(text: str, most: int) -> str:
    """`text` as a name that can be shown: no control characters, at most `most` characters.

    Marks that turn the direction of writing count as control characters here: they could
    make one name look like another. For names that peers send: a strange one is cleaned,
    not refused. Empty means: nothing was left.
    """
    shown = "".join(
        c
        for c in text
        if unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp") and c not in _DIRECTION_MARKS
    )
    return shown.strip()[:most].strip()


@dataclass(frozen=True, order=True)
class Endpoint:
    """Where a peer API listens: an IP address (with a scope, for link-local IPv6) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def ip(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        return ipaddress.ip_address(self.host)


def is_of_a_machine(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether one machine can have it, whoever says so. Loopback too: programs of one machine meet there.

    An IPv4 address inside of an IPv6 one would be a second way to write the same address, one that no
    rule for IPv4 has seen.
    """
    if isinstance(address, ipaddress.IPv6Address):
        return not (address.ipv4_mapped or address.is_unspecified or address.is_multicast)
    return not (address.is_multicast or any(address in network for network in _NO_MACHINES))


@dataclass(frozen=True)
class Announcement:
    """What one peer says of itself over mDNS: a hint, from anybody, about anybody.

    `rooms` maps a room's key to the form that the peer announced, which is the
    form that goes back to it. `version` is 0 for a peer that knows only the seed.
    """

    uuid: PeerId
    endpoints: tuple[Endpoint, ...]
    rooms: Mapping[RoomName, str] = field(default_factory=dict)
    name: str | None = None
    version: int = 0


@dataclass(frozen=True)
class Told:
    """What a verified key has said of itself over its own connection: where it is, in which rooms."""

    rooms: Mapping[RoomName, str]
    endpoints: tuple[Endpoint, ...] = ()
    name: str | None = None


@dataclass(frozen=True)
class Certificate:
    """A certificate that we could accept. Made only by `identity.parse_certificate`.

    Two are the same peer's only if `der` is the same, byte for byte.
    """

    uuid: PeerId
    der: bytes = field(repr=False)
    public_key: bytes = field(repr=False)  # SubjectPublicKeyInfo, DER

    @cached_property
    def fingerprint(self) -> str:
        """The seed's fingerprint: SHA-1 of the DER certificate, 40 hex digits."""
        return hashlib.sha1(self.der, usedforsecurity=False).hexdigest()

    @cached_property
    def fingerprint_sha256(self) -> str:
        """What we compare: SHA-256 of the DER certificate, 64 hex digits."""
        return hashlib.sha256(self.der).hexdigest()

    @cached_property
    def key_sha256(self) -> str:
        """SHA-256 of the public key, 64 hex digits: what a contact code names."""
        return hashlib.sha256(self.public_key).hexdigest()


class Trust(str, enum.Enum):
    """What the user has said of one key."""

    UNVERIFIED = "unverified"
    VERIFIED = "verified"
    REJECTED = "rejected"


@dataclass(frozen=True)
class KnownKey:
    """One key that we have seen, with what the user said of it and where it was.

    `declined`: the user took a yes back, so this key is listed but not asked about.
    `answered_at`: where this very key last completed a handshake with us as a server.
    `speaks_v1`: this key has accepted a request of ours that only our protocol knows.
    Times are milliseconds since 1970, by our clock.
    """

    certificate: Certificate
    trust: Trust
    safety_number: str
    first_seen: int
    last_seen: int
    address: str | None = None
    declined: bool = False
    method: str | None = None
    username: str | None = None
    answered_at: Endpoint | None = None
    speaks_v1: bool = False

    @property
    def uuid(self) -> PeerId:
        return self.certificate.uuid


@dataclass(frozen=True)
class Contact:
    """Somebody whom the user has added, by a contact code or by an address.

    `uuid`: whom; None while nobody has answered at an address. `key`: SHA-256 of the public key that a code
    names, in hex; None for an address. `verifies`: the code has not been used yet. `addresses`: `HOST:PORT`;
    of a code all that it holds, else the one that was entered. `added`: milliseconds since 1970.
    """

    number: int
    uuid: PeerId | None
    key: str | None
    verifies: bool
    addresses: tuple[str, ...]
    added: int


class DeliveryState(str, enum.Enum):
    """How far a message got on its way to one recipient."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    REFUSED = "refused"
    WITHHELD = "withheld"
    EXPIRED = "expired"


class Delivery(NamedTuple):
    """One recipient of one of our messages."""

    uuid: PeerId
    state: DeliveryState
    reason: str | None = None


class ReadMark(NamedTuple):
    """How far the user has read in a room: up to message `number`, or nothing yet; `unread` are newer."""

    room: RoomName
    number: int | None
    unread: int


class Message(NamedTuple):
    """A message as it is stored. `number` orders the history: the order of storing here.

    `time` is our clock when it was stored, `sent` the sender's claim, both in
    milliseconds since 1970. `wire_id` is the sender's id for it, None from a
    peer that knows only the seed. `method`: how the sender had been verified.
    `drawing`: of a drawing, its JSON as `drawing.as_json` wrote it.
    """

    number: int
    room: RoomName
    content: str
    sender: PeerId
    username: str
    time: int
    sent: int | None
    kind: str
    own: bool
    wire_id: str | None
    method: str | None = None
    deliveries: tuple[Delivery, ...] = ()
    drawing: str | None = None


def trust_of(keys: Sequence[KnownKey]) -> str:
    """What a person's row says of all the keys seen under one UUID.

    `changed`: two keys that nobody has rejected, none of them verified.
    """
    left = [key for key in keys if key.trust is not Trust.REJECTED]
    if any(key.trust is Trust.VERIFIED for key in left):
        return Trust.VERIFIED.value
    if keys and not left:
        return Trust.REJECTED.value
    return "changed" if len(left) > 1 else Trust.UNVERIFIED.value

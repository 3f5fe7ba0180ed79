"""A contact code: who somebody is and where, in one line that travels outside of CryptoChat.

    cryptochat:AGR2PC5ZU...

holds the SHA-256 of a public key, and so its UUID; a port; and up to eight addresses. A code that
came by another channel (on paper, by phone, in a mail that both trust) *verifies* its key: that is
what people compare otherwise. Its addresses are hints, like everything that says where somebody is.

What is read is what people copy: with spaces and line breaks, in small letters, with 0, 1 and 8 for
O, I and B, inside of its link. All that ever comes of it is the very code that was written, or an
error that says what to do, in this order:

    1. no code at all, or an address             BadRequest
    2. letters that do not fit the check sum     DamagedCode
    3. a later version                           NewerCode
    4. the check sum fits, but nobody of ours writes such a thing   BadRequest

The check sum comes before the version, and is the same for every version, so that a slip in the first
letter is not taken for the future. It is no protection against somebody who means to write a wrong
code: that is what the channel is trusted for.

`parse_address` reads what people type instead: `host:port`, which finds, but verifies nobody.

Layout, rules and test vectors: docs/PROTOCOL.md, section 3.5. Pure: no I/O; names are not looked up.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from .errors import BadRequest, DamagedCode, NewerCode
from .model import Certificate, Endpoint, PeerId, is_of_a_machine, proven_id

PREFIX = "cryptochat:"
LINK = "http://127.0.0.1:9080/#add="
"""The reader's own CryptoChat, at its usual port. What follows the `#` never leaves the browser."""

MOST_ADDRESSES = 8
MOST_CHARACTERS = 1024  # the longest code has 291: room for spaces and line breaks
VERSION = 1

_KEY_BYTES, _PORT_BYTES, _SUM_BYTES = 32, 2, 4
_DOMAIN = b"CryptoChat contact code"
_LEAST_CHARACTERS = 40  # without a prefix: fewer letters are rather a word than a damaged code
_SIZES = {4: 4, 6: 16}
_AROUND = "\"'“”„«»‹›<>()[],.;"  # what a sentence or a mail puts around a code
_UP_TO_THE_CODE = re.compile(r"\A.*#add=", re.IGNORECASE | re.DOTALL)
_NAMED = re.compile(r"cryptochat(?::|%3a)(.*)", re.IGNORECASE | re.DOTALL)
_BARE = re.compile(rf"[A-Za-z0-9]{{{_LEAST_CHARACTERS},}}")
_LOOKALIKES = str.maketrans("abcdefghijklmnopqrstuvwxyz018", "ABCDEFGHIJKLMNOPQRSTUVWXYZOIB")

_MOST_PORT = 65535
_NAME_CHARACTERS = 253  # RFC 1035, section 2.3.4
_LITERAL = re.compile(r"\[([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[0-9A-Za-z_.:@-]{1,15})?)\]:([1-9][0-9]{0,4})")
_HOST = re.compile(r"([^\s:\[\]/%]+):([1-9][0-9]{0,4})")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")  # a name does not end so: it is meant for an IPv4 address

Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class ContactCode:
    """One key, and where its owner may be found. BadRequest for what no code may hold.

    `key_hash`: SHA-256 of the public key (SPKI, DER). Link-local addresses are without their scope, which
    means something on one machine only: the reader tries them on each of its links.
    """

    key_hash: bytes
    addresses: tuple[Address, ...]
    port: int

    def __post_init__(self) -> None:
        if len(self.key_hash) != _KEY_BYTES or not 1 <= self.port <= _MOST_PORT:
            raise BadRequest(f"a contact code has a key's SHA-256, and a port from 1 to {_MOST_PORT}")
        if len(self.addresses) > MOST_ADDRESSES or len(set(self.addresses)) != len(self.addresses):
            raise BadRequest(f"a contact code has at most {MOST_ADDRESSES} addresses, each of them once")
        if not all(map(_fits_a_code, self.addresses)):
            raise BadRequest("a contact code has only addresses of single machines, without a scope")

    @classmethod
    def of(cls, certificate: Certificate, hosts: Iterable[str], port: int) -> ContactCode:
        """The code of whoever has `certificate`, and is at `hosts`: the first eight, link-local IPv6 last."""
        bare = dict.fromkeys(ipaddress.ip_address(host.partition("%")[0]) for host in hosts)
        usable = sorted(filter(_fits_a_code, bare), key=lambda a: a.version == 6 and a.is_link_local)
        return cls(_key_hash(certificate), tuple(usable[:MOST_ADDRESSES]), port)

    @property
    def uuid(self) -> PeerId:
        return proven_id(self.key_hash)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return tuple(Endpoint(str(address), self.port) for address in self.addresses)

    def names(self, certificate: Certificate) -> bool:
        """Whether it is the code of this very key, under the UUID that proves it."""
        return certificate.uuid == self.uuid and _key_hash(certificate) == self.key_hash

    def encode(self) -> str:
        """One line. In capitals throughout it is the same code, and a smaller QR Code."""
        written = (bytes([address.version]) + address.packed for address in self.addresses)
        data = bytes([VERSION]) + self.key_hash + self.port.to_bytes(_PORT_BYTES, "big") + b"".join(written)
        return PREFIX + base64.b32encode(data + _check_sum(data)).decode().rstrip("=")

    def link(self) -> str:
        """The code as a link: it opens the page of the reader's own CryptoChat, which asks before it adds."""
        return LINK + self.encode()


def parse(text: str) -> ContactCode:
    """The code in `text`, as somebody has copied it: exactly the one that was written, or an error.

    >>> parse("192.168.1.5:4242")
    Traceback (most recent call last):
    cryptochat_lib.errors.BadRequest: this is an address, no contact code: enter it as one
    """
    data = _decode(_letters(text))
    if data[0] > VERSION:
        raise NewerCode
    if data[0] < VERSION or len(data) < 1 + _KEY_BYTES + _PORT_BYTES:
        raise BadRequest("this contact code is not of a form that CryptoChat writes")
    key_hash, rest = data[1 : 1 + _KEY_BYTES], data[1 + _KEY_BYTES :]
    return ContactCode(key_hash, _addresses(rest[_PORT_BYTES:]), int.from_bytes(rest[:_PORT_BYTES], "big"))


def _letters(text: str) -> str:
    """The base32 of `text`, without all that may be around it or between."""
    if len(text) > MOST_CHARACTERS:
        raise BadRequest("this is too long for a contact code")
    squeezed = "".join(c for c in text if not _is_space_or_dash(c)).strip(_AROUND)
    inner, links = _UP_TO_THE_CODE.subn("", squeezed)
    if named := _NAMED.fullmatch(inner):
        return named[1].translate(_LOOKALIKES)
    if links or _BARE.fullmatch(inner):
        return inner.translate(_LOOKALIKES)
    if _LITERAL.fullmatch(text.strip()) or _HOST.fullmatch(text.strip()):
        raise BadRequest("this is an address, no contact code: enter it as one")
    raise BadRequest(f"this is no contact code: one begins with “{PREFIX}”")


def _is_space_or_dash(character: str) -> bool:
    """Also those that mail programs and editors make of them, and signs that are not seen at all."""
    return character.isspace() or unicodedata.category(character) in ("Pd", "Cf")


def _decode(letters: str) -> bytes:
    """What `letters` hold, without the check sum, which has to fit. Else DamagedCode."""
    try:
        raw = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except (binascii.Error, ValueError):  # ValueError: a sign beyond ASCII
        raise DamagedCode from None
    data, check_sum = raw[:-_SUM_BYTES], raw[-_SUM_BYTES:]
    # The last letter has bits to spare: unless they are zero, it is not the letter that was written.
    exact = base64.b32encode(raw).decode().rstrip("=") == letters
    if not data or not exact or check_sum != _check_sum(data):
        raise DamagedCode
    return data


def _check_sum(data: bytes) -> bytes:
    return hashlib.sha256(_DOMAIN + data).digest()[:_SUM_BYTES]


def _addresses(raw: bytes) -> tuple[Address, ...]:
    found: list[Address] = []
    while raw:
        end = 1 + _SIZES.get(raw[0], len(raw))
        if len(raw) < end:
            raise BadRequest("this contact code is not of a form that CryptoChat writes")
        found.append(IPv4Address(raw[1:end]) if raw[0] == 4 else IPv6Address(raw[1:end]))
        raw = raw[end:]
    return tuple(found)


def _fits_a_code(address: Address) -> bool:
    return is_of_a_machine(address) and getattr(address, "scope_id", None) is None


def _key_hash(certificate: Certificate) -> bytes:
    return hashlib.sha256(certificate.public_key).digest()


@dataclass(frozen=True)
class TypedAddress:
    """What somebody typed: an IP address (with a scope, for link-local IPv6) or a name, and a port."""

    host: str
    port: int
    is_name: bool

    def __str__(self) -> str:
        return str(Endpoint(self.host, self.port))


def parse_address(text: str) -> TypedAddress:
    """`host:port`, with IPv6 in brackets. BadRequest for anything else, which says what it should be.

    >>> str(parse_address(" [fe80:0::5%eth0]:4242 "))
    '[fe80::5%eth0]:4242'
    """
    typed = text.strip()
    if len(typed) > MOST_CHARACTERS or PREFIX in typed.lower() or _UP_TO_THE_CODE.match(typed):
        raise BadRequest("this is no address: if it is a contact code, enter it as one")
    if "://" in typed:
        raise BadRequest("this is the address of a page: write host and port only, as in 192.168.1.5:4242")
    found = _LITERAL.fullmatch(typed) or _HOST.fullmatch(typed)
    if not found or int(found[2]) > _MOST_PORT:
        raise BadRequest("write an address as 192.168.1.5:4242, [fe80::5%eth0]:4242 or name:4242")
    host, port = found[1], int(found[2])
    if found.re is _HOST and not _NUMBER.fullmatch(host.rpartition(".")[2]):
        return TypedAddress(_name(host), port, is_name=True)
    return TypedAddress(_ip(host), port, is_name=False)


def _name(host: str) -> str:
    if len(host) > _NAME_CHARACTERS or not all(map(_LABEL.fullmatch, host.split("."))):
        raise BadRequest("this is no name of a machine: write its IP address instead")
    return host.lower()


def _ip(host: str) -> str:
    """The address in its one usual form; `127.1` and `0x7f000001`, which C takes for one, is none."""
    bare, percent, scope = host.partition("%")
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        raise BadRequest("this is no IP address") from None
    if not is_of_a_machine(address):
        raise BadRequest("this is no address of a single machine")
    if scope and not address.is_link_local:
        raise BadRequest("only a link-local address has a scope (the part behind the %)")
    return f"{address}{percent}{scope}"

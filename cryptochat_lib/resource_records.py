"""What one mDNS packet can say about peers: its resource records, as far as they concern us.

`mdns_records` makes them of what it hears, `sightings` and `claims` go by them. Pure.
"""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from .model import PeerId


class Pointer(NamedTuple):
    """PTR: there is a peer of this name. `here` is false in its goodbye (TTL 0)."""

    uuid: PeerId
    here: bool = True


class Service(NamedTuple):
    """SRV: where that peer listens."""

    uuid: PeerId
    host: str
    port: int


class Text(NamedTuple):
    """TXT: the peer's raw record."""

    uuid: PeerId
    raw: bytes


class Address(NamedTuple):
    """A or AAAA. `flush`: these are all of that kind that the host has (RFC 6762, 10.2)."""

    host: str
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address
    flush: bool = False
    here: bool = True


Record = Pointer | Service | Text | Address

"""DNS records, read from `zeroconf`'s objects into ours; and the numbers of DNS that we use.

What is not about our service, or is no possible value, becomes None. Pure.
"""

from __future__ import annotations

import contextlib
import ipaddress

# zeroconf documents these names as its own, but does not list them in `__all__`.
from zeroconf import DNSAddress, DNSPointer, DNSRecord, DNSService, DNSText  # type: ignore[attr-defined]

from .errors import BadRequest
from .model import PeerId, parse_peer_id
from .resource_records import Address, Pointer, Record, Service, Text

SERVICE = "_cryptochat._tcp.local."

# RFC 1035, 3.2.2 and 4.1.1; AAAA: RFC 3596; SRV: RFC 2782.
A, PTR, TXT, AAAA, SRV, ANY = 1, 12, 16, 28, 33, 255
IN = 1
QUERY = 0


def understood(record: DNSRecord, now: float) -> Record | None:
    """The record as one of ours, None if it is about something else or merely ran out in the cache."""
    here = record.ttl > 0
    if here and record.is_expired(now):
        return None
    if isinstance(record, DNSAddress):
        with contextlib.suppress(ValueError):  # of neither 4 nor 16 bytes
            return Address(record.name.lower(), ipaddress.ip_address(record.address), record.unique, here)
        return None
    if isinstance(record, DNSPointer):
        uuid = _instance(record.alias) if record.name.lower() == SERVICE else None
        return Pointer(uuid, here) if uuid else None
    if not here or not isinstance(record, DNSService | DNSText) or not (uuid := _instance(record.name)):
        return None
    if isinstance(record, DNSService):
        return Service(uuid, record.server.lower(), record.port) if _is_name(record.server) else None
    return Text(uuid, record.text)


def _is_name(host: str) -> bool:
    """Whether we could ask for this name: what is no UTF-8 becomes longer than DNS allows when it is read."""
    return len(host.encode()) <= 255 and all(len(label.encode()) <= 63 for label in host.split("."))


def _instance(name: str) -> PeerId | None:
    """The UUID in `UUID._cryptochat._tcp.local.`, None if the name is not one of these."""
    instance, _, service = name.partition(".")
    if service.lower() != SERVICE:
        return None
    with contextlib.suppress(BadRequest):
        return parse_peer_id(instance)
    return None

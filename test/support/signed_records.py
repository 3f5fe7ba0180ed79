"""Peer records made by hand, from docs/PROTOCOL.md (6.2) and nothing of `cryptochat_lib`; right in all but
what a test names.
"""

from __future__ import annotations

import base64
import ipaddress
import time
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from loopback_peer import OwnCertificate

from cryptochat_lib.model import Endpoint


def milliseconds(seconds_ago: float = 0) -> int:
    return int((time.time() - seconds_ago) * 1000)


def signed(
    owner: OwnCertificate,
    *endpoints: Endpoint,
    at: int | None = None,
    signer: OwnCertificate | None = None,
) -> str:
    """What `owner` says of itself: it is at `endpoints`, which have one port.

    Or what `signer` says in its name.
    """
    payload = b"\x01" + (milliseconds() if at is None else at).to_bytes(8, "big")
    payload += (endpoints[0].port if endpoints else 1).to_bytes(2, "big") + bytes([len(endpoints)])
    for endpoint in endpoints:
        address = ipaddress.ip_address(endpoint.host)
        payload += bytes([address.version]) + address.packed
    payload += len(owner.spki).to_bytes(2, "big") + owner.spki
    key = (signer or owner).key
    signature = key.sign(b"CryptoChat peer record 1\0" + payload, ec.ECDSA(hashes.SHA256()))
    return base64.b64encode(payload + signature).decode()


def greeting(rooms: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    """A greeting of somebody in `rooms`."""
    return {"time": milliseconds(), "rooms": list(rooms), **more}

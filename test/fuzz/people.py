"""Who the fuzzed nodes belong to, and the two people whom their user has verified.

Every node has the same identity, on a machine of its own; the database is made by the
program's own store, as it is after both have said yes.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from certificates import make_der, make_key, make_uuid
from cryptography.hazmat.primitives import serialization
from loopback_node import stock_identity

from cryptochat_lib.identity import parse_certificate, safety_number
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import RoomName, Trust
from cryptochat_lib.store import Store


class People:
    """`friend` stays one, `other` may lose that; `pem`: a file with the friend's certificate and key."""

    room = "fuzzed"

    def __init__(self, folder: Path) -> None:
        self._own = stock_identity(1)
        key = make_key()
        self.friend = parse_certificate(make_der(make_uuid(), key=key))
        self.other = parse_certificate(make_der(make_uuid()))
        self.pem = folder / "friend.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.pem.write_bytes(private + ssl.DER_cert_to_PEM_cert(self.friend.der).encode())

    def database(self, folder: Path) -> Path:
        """A new database in `folder`."""
        path = folder / "node.db"
        store = Store(path, Limits())
        store.open(lambda: self._own)
        for person in (self.friend, self.other):
            number = safety_number(self._own.certificate, person)
            key = store.keys.add(person, number, None, 0)
            store.keys.set_trust([(key, Trust.VERIFIED, "number", False)])
        store.settings.join(RoomName(self.room))
        store.close()
        return path

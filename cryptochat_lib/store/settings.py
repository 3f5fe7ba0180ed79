"""What is ours: the identity, the username, the joined rooms."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..errors import StartupError
from ..identity import Identity, parse_certificate
from ..model import RoomName
from ..sealing import SealedIdentity
from .database import Database, Transaction
from .wiping import WIPING, interrupted


class Settings:
    """Our own rows."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._joined: tuple[RoomName, ...] = ()

    def load(self) -> None:
        """Read the joined rooms: from then on the memory follows each commit."""
        rows = self._database.read().execute("SELECT name FROM rooms ORDER BY name")
        self._joined = tuple(RoomName(row["name"]) for row in rows)

    def identity(self) -> Identity | SealedIdentity:
        """Our key and certificate; StartupError if they are gone, UnacceptableCertificate if damaged."""
        row = self._database.read().execute("SELECT * FROM identity").fetchone()
        if row is None:
            raise StartupError(self._why_no_identity())
        certificate = parse_certificate(row["certificate"])
        if row["sealing"] is not None:
            return SealedIdentity(certificate, row["sealing"], row["private_key"])
        identity = Identity(certificate, row["private_key"])
        identity.check()
        return identity

    def _why_no_identity(self) -> str:
        if self.get(WIPING) is not None:
            return interrupted(self._database.path)
        return f"the database {self._database.path} is damaged: it holds no identity"

    def replace_identity(self, identity: Identity | SealedIdentity) -> None:
        """Store our key in another form, sealed or not, and leave no trace of the form that it had.

        In one transaction: killed at any moment, the one or the other is there. StorageFull, StorageFailed.
        """
        certificate, private_key, sealing = _columns(identity)
        statement = "UPDATE identity SET private_key = ?, sealing = ? WHERE certificate = ?"
        self._database.erase(
            lambda tx: tx.execute(statement, (private_key, sealing, certificate)), lambda _: None
        )

    def get(self, name: str) -> str | None:
        row = self._database.read().execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return None if row is None else row["value"]

    def set(self, name: str, value: str) -> None:
        self._database.write(
            lambda tx: tx.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))
        )

    def joined_rooms(self) -> list[RoomName]:
        """The rooms that we are in, by name; in memory, since every message asks."""
        return list(self._joined)

    def join(self, room: RoomName) -> None:
        joined = (room, time.time_ns() // 1_000_000)
        self._change("INSERT OR IGNORE INTO rooms VALUES (?, ?)", joined)

    def leave(self, room: RoomName) -> None:
        self._change("DELETE FROM rooms WHERE name = ?", (room,))

    def _change(self, statement: str, parameters: tuple[object, ...]) -> None:
        self._database.write(lambda tx: tx.execute(statement, parameters), lambda done: self.load())


def store_identity(make: Callable[[], Identity | SealedIdentity]) -> Callable[[Transaction], None]:
    """What fills a new database: the identity that `make` creates."""

    def fill(tx: Transaction) -> None:
        statement = "INSERT INTO identity (certificate, private_key, sealing) VALUES (?, ?, ?)"
        tx.execute(statement, _columns(make()))

    return fill


def _columns(identity: Identity | SealedIdentity) -> tuple[bytes, bytes, bytes | None]:
    """Certificate, private key, and how that is sealed."""
    der = identity.certificate.der
    if isinstance(identity, SealedIdentity):
        return der, identity.ciphertext, identity.header
    return der, identity.private_key, None

"""What is ours: the identity, the username, the joined rooms."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..errors import StartupError
from ..identity import Identity, parse_certificate
from ..model import RoomName
from .database import Database, Transaction


class Settings:
    """Our own rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def identity(self) -> Identity:
        """Our key and certificate; StartupError if they are gone, UnacceptableCertificate if damaged."""
        row = self._database.read().execute("SELECT * FROM identity").fetchone()
        if row is None:
            raise StartupError(f"the database {self._database.path} is damaged: it holds no identity")
        identity = Identity(parse_certificate(row["certificate"]), row["private_key"])
        identity.check()
        return identity

    def get(self, name: str) -> str | None:
        row = self._database.read().execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return None if row is None else row["value"]

    def set(self, name: str, value: str) -> None:
        self._database.write(
            lambda tx: tx.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))
        )

    def joined_rooms(self) -> list[RoomName]:
        """The rooms that we are in, by name."""
        return [
            RoomName(r["name"]) for r in self._database.read().execute("SELECT name FROM rooms ORDER BY name")
        ]

    def join(self, room: RoomName) -> None:
        joined = (room, time.time_ns() // 1_000_000)
        self._database.write(lambda tx: tx.execute("INSERT OR IGNORE INTO rooms VALUES (?, ?)", joined))

    def leave(self, room: RoomName) -> None:
        self._database.write(lambda tx: tx.execute("DELETE FROM rooms WHERE name = ?", (room,)))


def store_identity(make: Callable[[], Identity]) -> Callable[[Transaction], None]:
    """What fills a new database: the identity that `make` creates."""

    def fill(tx: Transaction) -> None:
        identity = make()
        tx.execute("INSERT INTO identity VALUES (1, ?, ?)", (identity.certificate.der, identity.private_key))

    return fill

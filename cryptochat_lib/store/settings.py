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
        self._joined: tuple[RoomName, ...] = ()

    def load(self) -> None:
        """Read the joined rooms: from then on the memory follows each commit."""
        rows = self._database.read().execute("SELECT name FROM rooms ORDER BY name")
        self._joined = tuple(RoomName(row["name"]) for row in rows)

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
        """The rooms that we are in, by name; in memory, since every message asks."""
        return list(self._joined)

    def join(self, room: RoomName) -> None:
        joined = (room, time.time_ns() // 1_000_000)
        self._change("INSERT OR IGNORE INTO rooms VALUES (?, ?)", joined)

    def leave(self, room: RoomName) -> None:
        self._change("DELETE FROM rooms WHERE name = ?", (room,))

    def _change(self, statement: str, parameters: tuple[object, ...]) -> None:
        self._database.write(lambda tx: tx.execute(statement, parameters), lambda done: self.load())


def store_identity(make: Callable[[], Identity]) -> Callable[[Transaction], None]:
    """What fills a new database: the identity that `make` creates."""

    def fill(tx: Transaction) -> None:
        identity = make()
        tx.execute("INSERT INTO identity VALUES (1, ?, ?)", (identity.certificate.der, identity.private_key))

    return fill

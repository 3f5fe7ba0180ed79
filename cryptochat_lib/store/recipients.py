"""The numbers that stand for people in `deliveries`.

A message to 31 people has 31 rows, and each row is in an index besides: a UUID
of 36 signs in each would be most of what a message costs. So everybody gets a
number, the first time that a message is for them, and keeps it.

Threads: any reads; `_numbers` is changed only right after a commit, in their
order (`Database.write`).
"""

from __future__ import annotations

from collections.abc import Iterable

from ..model import PeerId
from .database import Database, Transaction


class Recipients:
    """The rows of `recipients`, all of them in memory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._numbers: dict[PeerId, int] = {}

    def load(self) -> None:
        """Read everybody's number, once."""
        rows = self._database.read().execute("SELECT uuid, number FROM recipients")
        self._numbers = {PeerId(row["uuid"]): row["number"] for row in rows}

    def number(self, uuid: PeerId) -> int | None:
        """Whom no message was ever for has none."""
        return self._numbers.get(uuid)

    def add(self, uuids: Iterable[PeerId]) -> None:
        """Give, and store, a number to each that has none. Raises StorageFull."""
        new = [uuid for uuid in uuids if uuid not in self._numbers]
        if new:
            self._database.write(lambda tx: _add(tx, new), self._numbers.update)


def _add(tx: Transaction, uuids: Iterable[PeerId]) -> dict[PeerId, int]:
    """Give each a number, unless somebody else has just done so."""
    added = {}
    for uuid in uuids:
        tx.execute("INSERT OR IGNORE INTO recipients (uuid) VALUES (?)", (uuid,))
        row = tx.execute("SELECT number FROM recipients WHERE uuid = ?", (uuid,)).fetchone()
        added[uuid] = row["number"]
    return added

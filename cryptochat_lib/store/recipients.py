"""The numbers that stand for people in `deliveries`.

A message to 31 people has 31 rows, and each row is in an index besides: a UUID
of 36 signs in each would be most of what a message costs. So everybody gets a
number, the first time that a message is for them, and keeps it as long as there
is one. No number is given twice: whoever still holds one that is gone finds
nothing under it, and never what is another's.

Threads: any reads; `_numbers`, which spares looking them up, is changed only
right after a commit, in their order (`Database.write`), and replaced as one.
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
        """Read everybody's number."""
        rows = self._database.read().execute("SELECT uuid, number FROM recipients")
        self._numbers = {PeerId(row["uuid"]): row["number"] for row in rows}

    def number(self, tx: Transaction, uuid: PeerId) -> int | None:
        """The number of `uuid`; whom no message is for has none."""
        number = self._numbers.get(uuid)
        if number is None:
            row = tx.execute("SELECT number FROM recipients WHERE uuid = ?", (uuid,)).fetchone()
            number = None if row is None else row["number"]
        return number

    def add(self, uuids: Iterable[PeerId]) -> None:
        """Give, and store, a number to each that has none. Raises StorageFull."""
        new = [uuid for uuid in uuids if uuid not in self._numbers]
        if new:
            self._database.write(lambda tx: {uuid: self.give(tx, uuid) for uuid in new}, self._remember)

    def give(self, tx: Transaction, uuid: PeerId) -> int:
        """The number of `uuid`, which gets one if it has none."""
        number = self.number(tx, uuid)
        if number is None:
            tx.execute("INSERT INTO recipients (uuid) VALUES (?)", (uuid,))
            number = self.number(tx, uuid)
            assert number is not None  # what we have just written
        return number

    def remove_unused(self, tx: Transaction) -> None:
        """Remove those whom no message is for any more; `forget` once that is committed."""
        tx.execute("DELETE FROM recipients WHERE number NOT IN (SELECT recipient FROM deliveries)")

    def forget(self) -> None:
        """Look everybody's number up again."""
        self._numbers = {}

    def _remember(self, numbers: dict[PeerId, int]) -> None:
        self._numbers = self._numbers | numbers

"""How far the user has read in each room: one mark each, which only goes forward.

What is unread is counted when it is asked for, from the history: there is no count to go wrong. What
we have said ourselves needs no mark: it is read up to the message before the first unread one.

Threads: any.
"""

from __future__ import annotations

from ..model import ReadMark, RoomName
from .database import Database, Transaction

MOST_COUNTED = 1000
"""More than these are not counted: a person reads "1000" as "many"."""

_UNREAD = """SELECT count(*) AS unread FROM (
    SELECT 1 FROM messages WHERE room = ? AND number > ? AND own = 0 LIMIT ?
)"""
_FIRST_UNREAD = (
    "SELECT number FROM messages WHERE room = ? AND number > ? AND own = 0 ORDER BY number LIMIT 1"
)
_LAST_BEFORE = "SELECT max(number) AS number FROM messages WHERE room = ? AND number < ?"
_GO_ON = """INSERT INTO reads (room, number)
    SELECT room, max(number) FROM messages WHERE room = :room AND number <= :number GROUP BY room
    ON CONFLICT (room) DO UPDATE SET number = excluded.number WHERE excluded.number > reads.number"""


class Reads:
    """The rows of `reads`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, room: RoomName) -> ReadMark:
        """How far `room` is read, and how much of it is not."""
        reader = self._database.read()
        row = reader.execute("SELECT number FROM reads WHERE room = ?", (room,)).fetchone()
        marked = row["number"] if row else 0
        unread = reader.execute(_UNREAD, (room, marked, MOST_COUNTED)).fetchone()["unread"]
        first = reader.execute(_FIRST_UNREAD, (room, marked)).fetchone()
        read = reader.execute(_LAST_BEFORE, (room, first["number"] if first else 2**62)).fetchone()
        return ReadMark(room, read["number"], unread)

    def go_on(self, room: RoomName, number: int) -> bool:
        """`room` is read up to message `number`; whether that was news. Raises StorageFailed.

        The mark rests on a message that is there: a number from tomorrow reads nothing in advance.
        """

        def work(tx: Transaction) -> bool:
            return tx.execute(_GO_ON, {"room": room, "number": number}).rowcount > 0

        return self._database.write(work)

    def forget(self, tx: Transaction, room: RoomName) -> None:
        """Within the transaction that erases the history of `room`."""
        tx.execute("DELETE FROM reads WHERE room = ?", (room,))

"""The history: every message that was accepted here, in the order of storing.

A message's number is never used again, so it is at once its id, its place in the
history and the base of its event's id. Numbers are counted in memory, by whoever
writes; a start begins past every number that the database has seen.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..errors import StartupError
from ..model import Delivery, DeliveryState, KnownKey, Message, PeerId, RoomName
from ..wire import Incoming
from ..words import Query
from . import search
from .database import Database, Row, Transaction

SELECT = """SELECT m.*, (
        SELECT json_group_array(json_array(d.uuid, d.state, d.reason))
        FROM deliveries d WHERE d.message = m.number
    ) AS deliveries FROM messages m """


@dataclass(frozen=True)
class OwnMessage:
    """A message of ours that is about to be stored."""

    room: RoomName
    content: str
    sender: PeerId
    sender_key: str
    username: str
    wire_id: str
    recipients: tuple[Delivery, ...]


class Messages:
    """The rows of `messages`, and their first `deliveries`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._next = 0  # changed only by work of `Database.write`, one after the other

    def add_own(self, message: OwnMessage, committed: Callable[[Message], None]) -> Message:
        """Store a message of ours with a row for each recipient. Raises StorageFull."""
        self._database.require_space()
        now = time.time_ns() // 1_000_000

        def work(tx: Transaction) -> Message:
            stored = Message(
                number=self._take_number(),
                room=message.room,
                content=message.content,
                sender=message.sender,
                username=message.username,
                time=now,
                sent=now,
                kind="text",
                own=True,
                wire_id=message.wire_id,
                deliveries=message.recipients,
            )
            _insert(tx, stored, message.sender_key)
            _insert_deliveries(tx, stored)
            return stored

        return self._database.write(work, committed)

    def add_received(
        self,
        key: KnownKey,
        incoming: Sequence[Incoming],
        admit: Callable[[], object],
        committed: Callable[[list[Message]], None],
    ) -> list[Message]:
        """Store what came under `key`, in one transaction; return what was new. Raises StorageFull.

        `admit` raises if that key may not talk to us. It is asked within the transaction, so before
        or after any change of trust as a whole.

        Known already is (this very certificate, the sender's id): a retry is stored once.
        """
        self._database.require_space()
        now = time.time_ns() // 1_000_000

        def work(tx: Transaction) -> list[Message]:
            admit()
            return [m for i in incoming if (m := self._receive(tx, key, i, now)) is not None]

        return self._database.write(work, committed)

    def knows(self, key: KnownKey, incoming: Incoming) -> bool:
        """Whether this message came before, under this very certificate."""
        row = self._database.read().execute(
            "SELECT 1 FROM messages WHERE sender_key = ? AND wire_id = ? AND own = 0",
            (key.certificate.fingerprint_sha256, incoming.wire_id),
        )
        return row.fetchone() is not None

    def page(
        self, room: RoomName, limit: int, before: int | None = None, after: int | None = None
    ) -> list[Message]:
        """At most `limit` messages of `room`, oldest first: the newest, or those next to a number."""
        if after is not None:
            where, order, bound = "m.number > ?", "ASC", after
        else:
            where, order, bound = "m.number < ?", "DESC", before if before is not None else 2**62
        rows = self._database.read().execute(
            f"{SELECT} WHERE m.room = ? AND {where} ORDER BY m.number {order} LIMIT ?", (room, bound, limit)
        )
        return sorted((to_message(row) for row in rows), key=lambda m: m.number)

    def search(
        self,
        query: Query,
        limit: int,
        room: RoomName | None = None,
        sender: PeerId | None = None,
        before: int | None = None,
    ) -> list[Message]:
        """At most `limit` messages with all the words of `query`, newest first."""
        reader = self._database.read()
        found = search.numbers(reader, query, room, sender, 2**62 if before is None else before, limit)
        these = ",".join("?" * len(found))
        rows = reader.execute(f"{SELECT} WHERE m.number IN ({these}) ORDER BY m.number DESC", found)
        return [to_message(row) for row in rows]

    def erase(self, room: RoomName, committed: Callable[[None], None]) -> None:
        """Delete the history of `room`, and what waits in it, for good. Raises StorageFull, StorageFailed."""

        def work(tx: Transaction) -> None:
            tx.execute("UPDATE counter SET next = ?", (self._next,))  # nothing else remembers these numbers
            search.forget(tx, room)
            tx.execute("DELETE FROM messages WHERE room = ?", (room,))  # and with them, their deliveries

        self._database.erase(work, committed)

    def since(self, number: int, until: int, limit: int) -> list[Message]:
        """Messages of every room with `number` < theirs <= `until`, oldest first."""
        rows = self._database.read().execute(
            f"{SELECT} WHERE m.number > ? AND m.number <= ? ORDER BY m.number LIMIT ?", (number, until, limit)
        )
        return [to_message(row) for row in rows]

    def load(self) -> None:
        """Count on from what the database has seen. StartupError."""
        row = (
            self._database.read()
            .execute("SELECT next, (SELECT coalesce(max(number), 0) FROM messages) AS newest FROM counter")
            .fetchone()
        )
        if row is None:
            raise StartupError("the database is damaged (it has no counter): restore a copy of it")
        self._next = max(row["next"], row["newest"] + 1)

    def burn_number(self) -> int:
        """Take a number that no message will have: what divides one run's events from the next's."""

        def work(tx: Transaction) -> int:
            number = self._take_number()
            tx.execute("UPDATE counter SET next = ?", (self._next,))
            return number

        return self._database.write(work)

    def _take_number(self) -> int:
        """The next message's number. If it is not stored after all, no message will have it."""
        number, self._next = self._next, self._next + 1
        return number

    def _receive(self, tx: Transaction, key: KnownKey, incoming: Incoming, now: int) -> Message | None:
        """Store one message; None if it is known already."""
        sender_key = key.certificate.fingerprint_sha256
        message = Message(
            number=self._take_number(),
            room=incoming.room,
            content=incoming.content,
            sender=key.uuid,
            username=incoming.username or key.username or "",
            time=now,
            sent=incoming.sent,
            kind=incoming.kind,
            own=False,
            wire_id=incoming.wire_id,
            method=key.method,
        )
        if _insert(tx, message, sender_key):
            return message
        self._next = message.number
        return None


def _insert(tx: Transaction, message: Message, sender_key: str) -> bool:
    """Store `message`; False if it came before."""
    done = tx.execute(
        "INSERT INTO messages (number, room, kind, content, sender, sender_key, username,"
        " time, sent, own, wire_id, method) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (sender_key, wire_id) WHERE wire_id IS NOT NULL AND own = 0 DO NOTHING",
        (
            message.number,
            message.room,
            message.kind,
            message.content,
            message.sender,
            sender_key,
            message.username,
            message.time,
            message.sent,
            int(message.own),
            message.wire_id,
            message.method,
        ),
    )
    if not done.rowcount:
        return False
    search.index(tx, message.number, message.content)
    return True


def _insert_deliveries(tx: Transaction, message: Message) -> None:
    """A row for each recipient, in one statement, which costs about half of one for each."""
    rows = [(d.uuid, d.state.value, d.reason) for d in message.deliveries]
    if rows:
        tx.execute(
            "INSERT INTO deliveries (message, uuid, state, reason)"
            " SELECT ?, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')"
            " FROM json_each(?)",
            (message.number, json.dumps(rows)),
        )


def to_message(row: Row) -> Message:
    """The message in a row of `SELECT`, with its deliveries."""
    return Message(
        number=row["number"],
        room=RoomName(row["room"]),
        content=row["content"],
        sender=PeerId(row["sender"]),
        username=row["username"],
        time=row["time"],
        sent=row["sent"],
        kind=row["kind"],
        own=bool(row["own"]),
        wire_id=row["wire_id"],
        method=row["method"],
        deliveries=tuple(_deliveries(json.loads(row["deliveries"] or "[]"))),
    )


def _deliveries(rows: Iterable[tuple[str, str, str | None]]) -> Iterable[Delivery]:
    return (Delivery(PeerId(uuid), DeliveryState(state), reason) for uuid, state, reason in rows)

"""The history: every message that was accepted here, in the order of storing.

A message's number is never used again, so it is at once its id, its place in the
history and the base of its event's id. Numbers are counted in memory, by whoever
writes; a start begins past every number that the database has seen.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from ..errors import StartupError
from ..model import Delivery, DeliveryState, KnownKey, Message, PeerId, RoomName
from ..wire import Incoming
from ..words import Query
from . import search
from .database import Database, Row, Transaction
from .recipients import Recipients

SELECT = """SELECT m.*, (
        SELECT json_group_array(json_array(r.uuid, d.state, d.reason))
        FROM deliveries d JOIN recipients r ON r.number = d.recipient WHERE d.message = m.number
    ) AS deliveries FROM messages m """


_INSERT = """INSERT INTO messages
    (number, room, kind, content, sender, sender_key, username, time, sent, own, wire_id, method)
    VALUES {} ON CONFLICT (sender_key, wire_id) WHERE wire_id IS NOT NULL AND own = 0 DO NOTHING"""
_ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_DELIVERIES = "INSERT INTO deliveries (message, recipient, state, reason) VALUES {}"
_DELIVERY_ROW = "(?, ?, 'waiting', ?)"
_MOST_ROWS = 64


class OwnMessage(NamedTuple):
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

    def __init__(self, database: Database, recipients: Recipients) -> None:
        self._database = database
        self._recipients = recipients
        # Changed only by work of `Database.write`, one after the other:
        self._next = 0
        self._indexed = 0  # about how far the full-text index goes

    def add_own(self, message: OwnMessage, committed: Callable[[Message], None]) -> Message:
        """Store a message of ours with a row for each recipient. Raises StorageFull."""
        self._database.require_space()
        self._recipients.add(recipient.uuid for recipient in message.recipients)
        return self._database.write_alike(self._send_all, message, committed)

    def add_received(
        self,
        key: KnownKey,
        incoming: Sequence[Incoming],
        admit: Callable[[], object],
        committed: Callable[[list[Message]], None],
    ) -> list[Message]:
        """Store what came under `key`, in one transaction; return what was new. Raises StorageFull.

        `admit` raises if that key may not talk to us. It is asked within the transaction: once a no
        has been answered, nothing more is stored.

        Known already is (this very certificate, the sender's id): a retry is stored once.
        """
        self._database.require_space()

        def work(tx: Transaction) -> list[Message]:
            admit()
            return self._receive_all(tx, key, incoming)

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
            self._recipients.remove_unused(tx)

        def erased(_: None) -> None:
            self._recipients.forget()
            committed(None)

        self._database.erase(work, erased)

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
        self._indexed = search.reaches(self._database.read())

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

    def _send_all(self, tx: Transaction, messages: Sequence[OwnMessage]) -> list[Message]:
        """Store messages of ours, each with its deliveries, which all begin as `waiting`."""
        now = _now()
        stored = [
            Message(
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
            for message in messages
        ]
        self._insert(tx, stored, messages[0].sender_key)
        number = {one.uuid: self._recipients.give(tx, one.uuid) for m in messages for one in m.recipients}
        rows = [(m.number, number[uuid], reason) for m in stored for uuid, _, reason in m.deliveries]
        _insert_rows(tx, _INSERT_DELIVERIES, _DELIVERY_ROW, rows)
        return stored

    def _receive_all(self, tx: Transaction, key: KnownKey, incoming: Sequence[Incoming]) -> list[Message]:
        """Store what came under `key`; returns what was not known already."""
        now = _now()
        messages = [
            Message(
                number=self._take_number(),
                room=one.room,
                content=one.content,
                sender=key.uuid,
                username=one.username or key.username or "",
                time=now,
                sent=one.sent,
                kind=one.kind,
                own=False,
                wire_id=one.wire_id,
                method=key.method,
            )
            for one in incoming
        ]
        return self._insert(tx, messages, key.certificate.fingerprint_sha256)

    def _insert(self, tx: Transaction, messages: list[Message], sender_key: str) -> list[Message]:
        """Store `messages`; returns those that did not come before."""
        rows = [
            (
                m.number,
                m.room,
                m.kind,
                m.content,
                m.sender,
                sender_key,
                m.username,
                m.time,
                m.sent,
                int(m.own),
                m.wire_id,
                m.method,
            )
            for m in messages
        ]
        if _insert_rows(tx, _INSERT, _ROW, rows) < len(messages):
            found = tx.execute("SELECT number FROM messages WHERE number >= ?", (messages[0].number,))
            stored = {row["number"] for row in found}
            messages = [message for message in messages if message.number in stored]
        if messages and search.is_due(messages, self._indexed):
            search.catch_up(tx)
            self._indexed = messages[-1].number
        return messages


def _now() -> int:
    return time.time_ns() // 1_000_000


def _insert_rows(tx: Transaction, statement: str, row: str, rows: Sequence[tuple[object, ...]]) -> int:
    """Insert `rows`, many at a time; returns how many were inserted.

    By powers of two: SQLite keeps each statement that it has once read, so there must be few.
    """
    inserted = start = 0
    while start < len(rows):
        count = min(_MOST_ROWS, 1 << (len(rows) - start).bit_length() - 1)
        some = rows[start : start + count]
        done = tx.execute(statement.format(", ".join([row] * count)), list(chain.from_iterable(some)))
        inserted += done.rowcount
        start += count
    return inserted


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

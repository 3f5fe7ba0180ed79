"""The history: every message that was accepted here, in the order of storing.

A message's number is never used again, so it is at once its id, its place in the
history and the base of its event's id. Numbers are counted in memory, by whoever
writes; a start begins past every number that the database has seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .. import drawing as drawings
from ..drawing import Drawing
from ..errors import StartupError
from ..model import Delivery, KnownKey, Message, PeerId, RoomName
from ..wire import Incoming
from ..words import Query
from . import search, strokes
from .database import Database, Transaction
from .reads import Reads
from .recipients import Recipients
from .rows import DELIVERY_ROW, INSERT, INSERT_DELIVERIES, ROW, SELECT, insert_rows, row_of, to_message


class OwnMessage(NamedTuple):
    """A message of ours that is about to be stored."""

    room: RoomName
    content: str
    sender: PeerId
    sender_key: str
    username: str
    wire_id: str
    recipients: tuple[Delivery, ...]
    drawing: Drawing | None = None


class Messages:
    """The rows of `messages`, and their first `deliveries`."""

    def __init__(self, database: Database, recipients: Recipients, reads: Reads) -> None:
        self._database = database
        self._recipients = recipients
        self._reads = reads
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
        self,
        room: RoomName,
        limit: int,
        before: int | None = None,
        after: int | None = None,
        drawn: bool = False,
    ) -> list[Message]:
        """At most `limit` messages of `room`, oldest first: the newest, or those next to a number.

        `drawn`: drawings only.
        """
        if after is not None:
            where, order, bound = "m.number > ?", "ASC", after
        else:
            where, order, bound = "m.number < ?", "DESC", before if before is not None else 2**62
        if drawn:
            where += " AND m.drawing IS NOT NULL"
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
            self._reads.forget(tx, room)

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
                kind=_kind(message.drawing),
                own=True,
                wire_id=message.wire_id,
                deliveries=message.recipients,
                drawing=_stored(tx, message.drawing),
            )
            for message in messages
        ]
        self._insert(tx, stored, messages[0].sender_key)
        _remember_strokes(tx, stored, [message.drawing for message in messages])
        number = {one.uuid: self._recipients.give(tx, one.uuid) for m in messages for one in m.recipients}
        rows = [(m.number, number[uuid], reason) for m in stored for uuid, _, reason in m.deliveries]
        insert_rows(tx, INSERT_DELIVERIES, DELIVERY_ROW, rows)
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
                kind=_kind(one.drawing),
                own=False,
                wire_id=one.wire_id,
                method=key.method,
                drawing=_stored(tx, one.drawing),
            )
            for one in incoming
        ]
        new = self._insert(tx, messages, key.certificate.fingerprint_sha256)
        by_number = {m.number: one.drawing for m, one in zip(messages, incoming, strict=True)}
        _remember_strokes(tx, new, [by_number[message.number] for message in new])
        return new

    def _insert(self, tx: Transaction, messages: list[Message], sender_key: str) -> list[Message]:
        """Store `messages`; returns those that did not come before."""
        rows = [row_of(message, sender_key) for message in messages]
        if insert_rows(tx, INSERT, ROW, rows) < len(messages):
            found = tx.execute("SELECT number FROM messages WHERE number >= ?", (messages[0].number,))
            stored = {row["number"] for row in found}
            messages = [message for message in messages if message.number in stored]
        if messages and search.is_due(messages, self._indexed):
            search.catch_up(tx)
            self._indexed = messages[-1].number
        return messages


def _kind(drawing: Drawing | None) -> str:
    return "text" if drawing is None else "drawing"


def _stored(tx: Transaction, drawing: Drawing | None) -> str | None:
    """A drawing as it is stored, with what we know of its authors."""
    return None if drawing is None else drawings.as_json(drawing, strokes.known(tx, drawing))


def _remember_strokes(tx: Transaction, stored: Sequence[Message], drawn: Sequence[Drawing | None]) -> None:
    for message, drawing in zip(stored, drawn, strict=True):
        if drawing is not None:
            strokes.remember(tx, message.number, drawing)


def _now() -> int:
    return time.time_ns() // 1_000_000

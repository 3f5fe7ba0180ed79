"""The rows of `messages` and `deliveries`: how values are written as rows, and read from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import chain

from ..model import Delivery, DeliveryState, Message, PeerId, RoomName
from .database import Row, Transaction

SELECT = """SELECT m.*, (
        SELECT json_group_array(json_array(r.uuid, d.state, d.reason))
        FROM deliveries d JOIN recipients r ON r.number = d.recipient WHERE d.message = m.number
    ) AS deliveries FROM messages m """

INSERT = """INSERT INTO messages
    (number, room, kind, content, sender, sender_key, username, time, sent, own, wire_id, method, drawing)
    VALUES {} ON CONFLICT (sender_key, wire_id) WHERE wire_id IS NOT NULL AND own = 0 DO NOTHING"""
ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_DELIVERIES = "INSERT INTO deliveries (message, recipient, state, reason) VALUES {}"
DELIVERY_ROW = "(?, ?, 'waiting', ?)"
_MOST_ROWS = 64


def row_of(message: Message, sender_key: str) -> tuple[object, ...]:
    """The values of `ROW` for a message that came under the certificate with that fingerprint."""
    return (
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
        message.drawing,
    )


def insert_rows(tx: Transaction, statement: str, row: str, rows: Sequence[tuple[object, ...]]) -> int:
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
        drawing=row["drawing"],
    )


def _deliveries(rows: Iterable[tuple[str, str, str | None]]) -> Iterable[Delivery]:
    return (Delivery(PeerId(uuid), DeliveryState(state), reason) for uuid, state, reason in rows)

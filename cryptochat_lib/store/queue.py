"""What still has to reach somebody: the `deliveries` that are waiting.

A row is made together with its message (`messages`), so an accepted message
and its recipients survive anything; here rows only move on to their end.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..model import DeliveryState, Message, PeerId, RoomName
from .commits import Piece
from .database import Database, Row, Transaction
from .messages import to_message

_SETTLE = "UPDATE deliveries SET state = ?, reason = ? WHERE uuid = ? AND state = 'waiting' AND "
_CHANGED = "(state IS NOT ? OR reason IS NOT ?)"
_THESE = " AND message IN (SELECT value FROM json_each(?))"
_RETURNING = " RETURNING message, uuid, (SELECT room FROM messages WHERE number = message) AS room"
_SETTLE_ALL = _SETTLE + _CHANGED + _RETURNING
_SETTLE_THESE = _SETTLE + _CHANGED + _THESE + _RETURNING


@dataclass(frozen=True)
class Progress:
    """A delivery that has changed: what a `delivery` event says."""

    number: int
    room: RoomName
    uuid: PeerId
    state: DeliveryState
    reason: str | None


class Queue:
    """The rows of `deliveries` from `waiting` onwards."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, uuid: PeerId, limit: int, after: int = 0) -> list[Message]:
        """The oldest messages past number `after` that wait for `uuid`, oldest first, without deliveries."""
        rows = self._database.read().execute(
            "SELECT m.*, NULL AS deliveries FROM deliveries q JOIN messages m ON m.number = q.message"
            " WHERE q.uuid = ? AND q.state = 'waiting' AND q.message > ? ORDER BY q.message LIMIT ?",
            (uuid, after, limit),
        )
        return [to_message(row) for row in rows]

    def counts(self) -> dict[PeerId, int]:
        """How many messages wait for each recipient that any wait for."""
        rows = self._database.read().execute(
            "SELECT uuid, count(*) AS n FROM deliveries WHERE state = 'waiting' GROUP BY uuid"
        )
        return {PeerId(row["uuid"]): row["n"] for row in rows}

    def waits_for(self, uuid: PeerId) -> bool:
        """Whether anything waits for `uuid`."""
        row = self._database.read().execute(
            "SELECT 1 FROM deliveries WHERE uuid = ? AND state = 'waiting' LIMIT 1", (uuid,)
        )
        return row.fetchone() is not None

    def settle(
        self,
        uuid: PeerId,
        numbers: Sequence[int],
        state: DeliveryState,
        reason: str | None,
        report: Callable[[list[Progress]], None] | None = None,
    ) -> list[Progress]:
        """Move these waiting deliveries of `uuid` to `state` (`waiting` too, for a new reason).

        Returns those that have changed; `report` gets them before anything else is committed.
        """
        return self._database.write(_settling(uuid, numbers, state, reason), report)

    def settle_soon(
        self,
        uuid: PeerId,
        numbers: Sequence[int],
        state: DeliveryState,
        reason: str | None,
        report: Callable[[list[Progress]], None],
    ) -> Piece:
        """As `settle`, with the next commit that comes, or with `flush`.

        For what a crash may undo: these messages are sent again then, and known already.
        """
        return self._database.write_soon(_settling(uuid, numbers, state, reason), report)

    def flush(self) -> None:
        """Commit now what `settle_soon` has left."""
        self._database.flush()

    def settle_all(
        self,
        uuid: PeerId,
        state: DeliveryState,
        reason: str,
        report: Callable[[list[Progress]], None] | None = None,
    ) -> list[Progress]:
        """As `settle`, everything that waits for `uuid`."""
        return self._database.write(_settling(uuid, None, state, reason), report)

    def expire(
        self,
        uuid: PeerId,
        older_than: int,
        keep: int,
        report: Callable[[list[Progress]], None] | None = None,
    ) -> list[Progress]:
        """End what waits for `uuid` since before `older_than`, and all but the newest `keep`; as `settle`."""
        rows = self._database.read().execute(
            "SELECT * FROM (SELECT message FROM deliveries WHERE uuid = ? AND state = 'waiting'"
            " ORDER BY message DESC LIMIT -1 OFFSET ?)"
            " UNION SELECT d.message FROM deliveries d JOIN messages m ON m.number = d.message"
            " WHERE d.uuid = ? AND d.state = 'waiting' AND m.time < ?",
            (uuid, keep, uuid, older_than),
        )
        numbers = [row["message"] for row in rows]
        if not numbers:
            return []
        return self.settle(uuid, numbers, DeliveryState.EXPIRED, "it waited too long", report)


def _settling(
    uuid: PeerId, numbers: Sequence[int] | None, state: DeliveryState, reason: str | None
) -> Callable[[Transaction], list[Progress]]:
    """What moves deliveries of `uuid` that wait: these, or all; and returns those that have changed."""
    statement = _SETTLE_ALL if numbers is None else _SETTLE_THESE
    parameters = [state.value, reason, uuid, state.value, reason]
    parameters += [] if numbers is None else [json.dumps(numbers)]

    def work(tx: Transaction) -> list[Progress]:
        rows = tx.execute(statement, parameters).fetchall()
        return sorted((_progress(row, state, reason) for row in rows), key=lambda p: p.number)

    return work


def _progress(row: Row, state: DeliveryState, reason: str | None) -> Progress:
    return Progress(row["message"], RoomName(row["room"]), PeerId(row["uuid"]), state, reason)

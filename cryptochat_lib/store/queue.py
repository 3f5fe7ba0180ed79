"""What still has to reach somebody: the `deliveries` that are waiting.

A row is made together with its message (`messages`), so an accepted message
and its recipients survive anything; here rows only move on to their end.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..model import DeliveryState, Message, PeerId, RoomName
from .commits import Piece
from .database import Database, Transaction
from .recipients import Recipients
from .rows import to_message

_SETTLE = "UPDATE deliveries SET state = ?, reason = ? WHERE recipient = ? AND state = 'waiting' AND "
_CHANGED = "(state IS NOT ? OR reason IS NOT ?)"
_THIS = " AND message = ?"
_THESE = " AND message IN (SELECT value FROM json_each(?))"
_RETURNING = " RETURNING message, (SELECT room FROM messages WHERE number = message) AS room"


class Progress(NamedTuple):
    """A delivery that has changed: what a `delivery` event says."""

    number: int
    room: RoomName
    uuid: PeerId
    state: DeliveryState
    reason: str | None


class Queue:
    """The rows of `deliveries` from `waiting` onwards."""

    def __init__(self, database: Database, recipients: Recipients) -> None:
        self._database = database
        self._recipients = recipients

    def waiting(self, uuid: PeerId, limit: int, after: int = 0) -> list[Message]:
        """The oldest messages past number `after` that wait for `uuid`, oldest first, without deliveries."""
        reader = self._database.read()
        rows = reader.execute(
            "SELECT m.*, NULL AS deliveries FROM deliveries q JOIN messages m ON m.number = q.message"
            " WHERE q.recipient = ? AND q.state = 'waiting' AND q.message > ? ORDER BY q.message LIMIT ?",
            (self._recipients.number(reader, uuid), after, limit),
        )
        return [to_message(row) for row in rows]

    def counts(self) -> dict[PeerId, int]:
        """How many messages wait for each recipient that any wait for."""
        rows = self._database.read().execute(
            "SELECT uuid, n FROM recipients JOIN ("
            "SELECT recipient, count(*) AS n FROM deliveries WHERE state = 'waiting' GROUP BY recipient"
            ") ON number = recipient"
        )
        return {PeerId(row["uuid"]): row["n"] for row in rows}

    def waits_for(self, uuid: PeerId) -> bool:
        """Whether anything waits for `uuid`."""
        reader = self._database.read()
        row = reader.execute(
            "SELECT 1 FROM deliveries WHERE recipient = ? AND state = 'waiting' LIMIT 1",
            (self._recipients.number(reader, uuid),),
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
        return self._database.write(self._settling(uuid, numbers, state, reason), report)

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
        return self._database.write_soon(self._settling(uuid, numbers, state, reason), report)

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
        return self._database.write(self._settling(uuid, None, state, reason), report)

    def expire(
        self,
        uuid: PeerId,
        older_than: int,
        keep: int,
        report: Callable[[list[Progress]], None] | None = None,
    ) -> list[Progress]:
        """End what waits for `uuid` since before `older_than`, and all but the newest `keep`; as `settle`."""
        reader = self._database.read()
        recipient = self._recipients.number(reader, uuid)
        rows = reader.execute(
            "SELECT * FROM (SELECT message FROM deliveries WHERE recipient = ? AND state = 'waiting'"
            " ORDER BY message DESC LIMIT -1 OFFSET ?)"
            " UNION SELECT d.message FROM deliveries d JOIN messages m ON m.number = d.message"
            " WHERE d.recipient = ? AND d.state = 'waiting' AND m.time < ?",
            (recipient, keep, recipient, older_than),
        )
        numbers = [row["message"] for row in rows]
        if not numbers:
            return []
        return self.settle(uuid, numbers, DeliveryState.EXPIRED, "it waited too long", report)

    def _settling(
        self, uuid: PeerId, numbers: Sequence[int] | None, state: DeliveryState, reason: str | None
    ) -> Callable[[Transaction], list[Progress]]:
        """What moves deliveries of `uuid` that wait: these, or all; and returns those that have changed."""
        which = ""
        these: list[int | str] = []
        if numbers is not None and len(numbers) == 1:
            which, these = _THIS, [numbers[0]]
        elif numbers is not None:
            which, these = _THESE, [json.dumps(numbers)]

        def work(tx: Transaction) -> list[Progress]:
            recipient = self._recipients.number(tx, uuid)  # now: it may have got its number just before
            parameters = [state.value, reason, recipient, state.value, reason, *these]
            rows = tx.execute(_SETTLE + _CHANGED + which + _RETURNING, parameters).fetchall()
            changes = [Progress(row["message"], RoomName(row["room"]), uuid, state, reason) for row in rows]
            return sorted(changes, key=lambda change: change.number)

        return work

"""Where peers say that they are, signed by their keys: the latest record of each verified one.

So that after a restart they are tried where they were. A record is a hint, and is checked again
when it is read (`peer_record`). It goes when the last key of its peer is forgotten (`keys`).
"""

from __future__ import annotations

from ..model import PeerId
from .database import Database


class Records:
    """The rows of `records`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> dict[PeerId, str]:
        """The record of each peer, in base64."""
        rows = self._database.read().execute("SELECT uuid, record FROM records")
        return {PeerId(row["uuid"]): row["record"] for row in rows}

    def set(self, uuid: PeerId, record: str) -> None:
        """Replace what is remembered of `uuid`."""
        self._database.write(
            lambda tx: tx.execute("INSERT OR REPLACE INTO records VALUES (?, ?)", (uuid, record))
        )

"""A database that keeps bodies and nothing else, as a node writes: WAL, synchronous=FULL."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path


class Bodies:
    """Made anew in the file `path`. One thread at a time."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.execute("CREATE TABLE bodies (number INTEGER PRIMARY KEY, body BLOB NOT NULL)")

    def keep(self, bodies: Sequence[bytes]) -> None:
        """`bodies` are on the disk when this returns, by one commit."""
        self._database.execute("BEGIN IMMEDIATE")
        self._database.executemany("INSERT INTO bodies (body) VALUES (?)", [(body,) for body in bodies])
        self._database.execute("COMMIT")

    def close(self) -> None:
        self._database.close()

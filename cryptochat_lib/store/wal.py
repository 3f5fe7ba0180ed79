"""The bytes of SQLite's log, `FILE-wal`, which SQLite itself empties without overwriting them.

Both functions are for whoever holds the connection that writes, between two of its
transactions (`Database.cut_log`): zeros in the middle of a log that is used would
end it there, and lose what comes after. The format is in sqlite.org/fileformat2.html,
section 4.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from .copies import write_zeros

PAGES = 1000  # in the log, at which a commit moves it into the database
_HEADER_BYTES = 32
_BYTES = _HEADER_BYTES + PAGES * (24 + 4096)  # each page has a header, too


def overwrite_log(database: Path) -> None:
    """Zeros, after a checkpoint that went through (RESTART): who reads then, reads the database alone.

    The header first: without it the rest is no log. Were its first pages left with it,
    a start after a crash would put these before the database's, which are newer.
    """
    with _opened(database) as (log, size):
        if size:
            write_zeros(log, 0, _HEADER_BYTES)
            write_zeros(log, _HEADER_BYTES, size)


def fill_log(database: Path) -> None:
    """Give the empty log, in zeros, the length that it will have between two checkpoints.

    A commit that lengthens the log costs nearly twice as much as one that overwrites it.
    Zeros are no log to SQLite: it begins at the start of the file, with a new header.
    """
    with _opened(database) as (log, size):
        if size == 0:
            write_zeros(log, 0, _BYTES)


@contextlib.contextmanager
def _opened(database: Path) -> Iterator[tuple[int, int]]:
    """Its descriptor and its size."""
    log = os.open(f"{database}-wal", os.O_WRONLY | getattr(os, "O_BINARY", 0))
    try:
        yield log, os.fstat(log).st_size
    finally:
        os.close(log)

"""Removing a database for good, with everything of ours beside it, in this order:

    1. the identity, out of the database and its log: a moment, and nobody can be us;
    2. what earlier runs left: backups, which hold the key too, and session files;
    3. the database itself, overwritten behind its header, and then its name.

Killed in between, `cryptochat wipe` does the rest: until the last step the file
says that it is ours. A start says so (`WIPING`, and then a first page of zeros), and
never makes a new identity of what is left. Nothing is opened, brought up to date or
repaired for it: a file that is damaged, or of a newer version, can be wiped too.

The lock is held throughout, and its file stays: were it removed, two programs could
each hold a lock of that name. It is empty.

What overwriting cannot reach is said in `copies`.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import StorageFull, UnacceptableCertificate
from ..identity import parse_certificate
from .copies import copies_of, is_alone, remove_for_good, sync_folder
from .database import Database, DatabaseError, Transaction

WIPING = "wiping"  # the name, among the settings, of the mark that the identity was removed on purpose
_BESIDE = ("-wal", "-shm", "-journal", ".session.json", ".session.json.new")
_HEADER_BYTES = 100  # of an SQLite file: it says whose file this is, and nothing else
_PAGE_BYTES = 4096  # of the database, and of what a system writes at once
_TEMPORARY = re.compile(r"cryptochat-[a-z0-9_]{8}(\.html)?")  # as `session` and `tls` name them
_LEFT_BEHIND_SECONDS = 60  # both are for moments: one that is older, nobody waits for


@dataclass(frozen=True)
class Contents:
    """What a wipe would remove; None is what cannot be read."""

    path: Path
    uuid: str | None
    username: str | None
    messages: int | None
    copies: tuple[Path, ...]


def contents(database: Database) -> Contents:
    """What is in the file, as far as it can be read."""
    uuid = None
    with contextlib.suppress(UnacceptableCertificate):
        certificate = _first(database, "SELECT certificate FROM identity")
        uuid = certificate and parse_certificate(certificate).uuid
    username = _first(database, "SELECT value FROM settings WHERE name = 'username'")
    messages = _first(database, "SELECT count(*) FROM messages")
    return Contents(database.path, uuid, username, messages, tuple(copies_of(database.path)))


def _first(database: Database, query: str) -> Any:
    with contextlib.suppress(DatabaseError):
        row = database.read().execute(query).fetchone()
        return row and row[0]
    return None


def wipe(database: Database) -> None:
    """Remove the file and all that is ours beside it; OSError where something cannot be removed."""
    with contextlib.suppress(
        DatabaseError, StorageFull
    ):  # what is damaged is overwritten below, all the same
        _forget_identity(database)
    with _locked_to_the_end(database) as path:
        for file in copies_of(path):
            remove_for_good(file)
        for suffix in _BESIDE:
            remove_for_good(path.with_name(path.name + suffix))
        remove_for_good(path, behind=_HEADER_BYTES)
        sync_folder(path.parent)
        for file in _temporary_files():
            with contextlib.suppress(OSError):
                remove_for_good(file)


def interrupted(path: Path) -> str:
    """What a start says of a file whose wipe was not finished."""
    return f"a wipe of {path} was interrupted: finish it with `cryptochat wipe`"


def is_overwritten(path: Path) -> bool:
    """Whether a wipe has begun to overwrite it: the first page goes at once, behind the header."""
    with path.open("rb") as file:
        behind = file.read(_PAGE_BYTES)[_HEADER_BYTES:]
    return bool(behind) and not behind.strip(b"\0")


def _forget_identity(database: Database) -> None:
    database.begin_writing()

    def forget(tx: Transaction) -> None:
        tx.execute("DELETE FROM identity")
        tx.execute("INSERT OR REPLACE INTO settings VALUES (?, '')", (WIPING,))

    database.write(forget)
    database.cut_log()


@contextlib.contextmanager
def _locked_to_the_end(database: Database) -> Iterator[Path]:
    """SQLite lets go of the file, and we of the lock only when all is done."""
    lock, database.lock_file = database.lock_file, -1
    try:
        database.close()
        yield database.path
    finally:
        os.close(lock)


def _temporary_files() -> Iterator[Path]:
    """What a killed CryptoChat of this user has left in the folder for temporary files.

    Anybody may write there: a name of ours may be another account's link to a file of the user's.
    """
    for file in Path(tempfile.gettempdir()).glob("cryptochat-*"):
        with contextlib.suppress(OSError):
            found = file.lstat()
            ours = os.name == "nt" or found.st_uid == os.getuid()
            old = time.time() - found.st_mtime > _LEFT_BEHIND_SECONDS
            if _TEMPORARY.fullmatch(file.name) and is_alone(found) and ours and old:
                yield file

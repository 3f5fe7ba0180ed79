"""What happens to the database file before the first transaction, in this order:

    1. one name for it, without links; its folder; the lock beside it;
    2. is it ours, and of a version that we know?        else one line, untouched
    3. for its owner only, from here on. Was a deletion interrupted? What it left is removed;
    4. an older version: is it sound? A copy beside it (`FILE.v1-backup`), whole or not at all;
    5. the steps of `schema` that it lacks, or all of them for a new one, and the
       index by the rules that hold now, in one transaction.

Damage is reported, never repaired by starting over: a new identity made
silently would be the perfect cover for an impostor. But where a wipe was killed, to
restore a copy is not what the user wants: that is told apart, and said.

Whatever goes wrong until the program runs is a StartupError: one line that
names the file and what to do.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..errors import StartupError, StorageFull, UnacceptableCertificate, UnreadableKey
from . import search
from .copies import copy_of
from .database import Database, DatabaseError, Transaction, sqlite_version
from .schema import APPLICATION_ID, MIGRATIONS
from .wiping import interrupted, is_overwritten

_log = logging.getLogger(__name__)

_OLDEST_SQLITE = (3, 37, 0)  # STRICT tables


def open_database(database: Database, first: Callable[[Transaction], None]) -> None:
    """Open the file, create or migrate it. `first` fills a new one, in the same transaction.

    Raises StartupError: in use, not ours, newer, damaged, unreadable, full.
    """
    version = sqlite_version()
    if version < _OLDEST_SQLITE:
        found = ".".join(map(str, version))
        raise StartupError(f"SQLite {found} is too old: CryptoChat needs 3.37 or later")
    with _closed_if_it_fails(database):
        database.path = _one_name(database.path)
        _make_folder(database.path.parent)
        database.lock_file = _lock(database.path)
        os.close(os.open(database.path, os.O_RDWR | os.O_CREAT, 0o600))
        with explaining(database):
            _prepare(database, first)


def open_as_it_is(database: Database) -> None:
    """Lock a file of ours without a change to it, whatever its version or state. StartupError."""
    with _closed_if_it_fails(database):
        database.path = _one_name(database.path)
        if not database.path.exists():
            raise StartupError(f"there is no database {database.path}")
        database.lock_file = _lock(database.path)
        if not _is_ours(database):
            raise StartupError(_not_ours(database.path))


def _is_ours(database: Database) -> bool:
    """By what SQLite reads, in the log too; if it is damaged, by its header (sqlite.org/fileformat2.html)."""
    try:
        return bool(_pragma(database.read(), "application_id") == APPLICATION_ID)
    except DatabaseError:
        with database.path.open("rb") as file:
            header = file.read(72)
        return header.startswith(b"SQLite format 3\0") and header[68:] == APPLICATION_ID.to_bytes(4, "big")


@contextlib.contextmanager
def _closed_if_it_fails(database: Database) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        database.close()
        raise StartupError(f"cannot open the database {database.path}: {error.strerror or error}") from error
    except BaseException:
        database.close()
        raise


@contextlib.contextmanager
def explaining(database: Database) -> Iterator[None]:
    """While the program starts, whatever goes wrong with files is a StartupError."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StartupError(_full(database.path)) from error
        what = error.filename or database.path
        raise StartupError(f"cannot use {what}: {error.strerror or error}") from error
    except (DatabaseError, StorageFull) as error:
        raise StartupError(_explain(database.path, error)) from error
    except (UnacceptableCertificate, UnreadableKey) as error:
        raise StartupError(_damaged(database.path, str(error))) from error


def _prepare(database: Database, first: Callable[[Transaction], None]) -> None:
    connection = database.read()
    version = _pragma(connection, "user_version")
    application = _pragma(connection, "application_id")
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if application != APPLICATION_ID and (tables or version or application):
        raise StartupError(_not_ours(database.path))
    if version > len(MIGRATIONS):
        raise StartupError(
            f"{database.path} was made by a newer CryptoChat: update this one, or name another --db"
        )
    _make_private(database.path)
    database.begin_writing()
    if version and database.is_erasing():  # before it is copied: that would go, too
        _log.info("removing what is left of something that was deleted")
        database.finish_erasing()
    if version == len(MIGRATIONS) and search.is_current(connection):
        return
    if version:
        _log.info("bringing %s up to date, which may take a moment", database.path)
        if (found := _pragma(connection, "quick_check(1)")) != "ok":
            raise StartupError(_damaged(database.path, str(found).splitlines()[-1]))
    with _backup(database, version) if 0 < version < len(MIGRATIONS) else contextlib.nullcontext():
        database.write(lambda tx: _migrate(tx, version, first))


@contextlib.contextmanager
def _backup(database: Database, version: int) -> Iterator[None]:
    """A copy as it is now, for the case that the new version is not wanted; removed if we get no further."""
    backup = copy_of(database.path, version)
    database.copy_to(backup)
    try:
        yield
    except BaseException:
        backup.unlink()
        raise


def _migrate(tx: Transaction, version: int, first: Callable[[Transaction], None]) -> None:
    """From `version` to ours, a step at a time; version 0 is an empty file."""
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            tx.execute(statement)
    if version == 0:
        tx.execute(f"PRAGMA application_id={APPLICATION_ID}")
        first(tx)
    if not search.is_current(tx):
        search.rebuild(tx)
    tx.execute(f"PRAGMA user_version={len(MIGRATIONS)}")


def _pragma(connection: Transaction, name: str) -> Any:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _explain(path: Path, error: DatabaseError | StorageFull) -> str:
    text = str(error)
    if isinstance(error, StorageFull) or "full" in text:
        return _full(path)
    if "not a database" in text:
        return _not_ours(path)
    if "malformed" in text:
        return interrupted(path) if is_overwritten(path) else _damaged(path, text)
    if "disk I/O" in text:
        return f"the disk under {path} is full, or fails: make room there, and start again"
    if "no such table" in text or "already exists" in text:
        return _damaged(path, text)
    return f"cannot use the database {path}: {text}"


def _not_ours(path: Path) -> str:
    return f"{path} is not a CryptoChat database: name another file with --db"


def _full(path: Path) -> str:
    return f"the disk is full: make room for {path}, and start again"


def _damaged(path: Path, what: str) -> str:
    return f"the database {path} is damaged ({what}): restore a copy of it, or name another file with --db"


def _one_name(path: Path) -> Path:
    """The path without symbolic links: the lock goes by the name, and a database has one lock."""
    resolved = path.resolve()
    if resolved.is_dir() or not resolved.name:
        raise StartupError(f"cannot open the database {path}: it is a folder; name a file with --db")
    if resolved.exists() and resolved.stat().st_nlink > 1:
        raise StartupError(f"the database {path} has another name too (a hard link): remove one of the two")
    return resolved


def _make_folder(folder: Path) -> None:
    """Create `folder` for its owner only, with its parents; one that exists is left as it is."""
    if not folder.exists():
        _make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _make_private(path: Path) -> None:
    """For its owner only, whoever may have copied it here; also what a crash has left beside it."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        file = path.with_name(name)
        if os.name != "nt" and file.exists() and file.stat().st_mode & 0o077:
            file.chmod(0o600)


def _lock(path: Path) -> int:
    """The descriptor of the lock file beside `path`, locked until it is closed."""
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StartupError(
            f"the database {path} is in use by another CryptoChat:"
            " end that one, or name another file with --db"
        ) from error
    return descriptor

"""The SQLite file: opening it, its lock, its transactions. The home of `sqlite3`.

Rules that the rest of the program relies on:

1. Readers have a connection for each thread, which closes it (`close_thread`):
   left to the end of a thread, each would leak a descriptor. They are `query_only`.
2. One more connection writes, in the hands of whichever thread has the turn
   (`commits`); every write and every checkpoint passes it. Only so is WAL safe:
   up to SQLite 3.51.2 two connections that write and checkpoint at once can
   corrupt the file (sqlite.org/wal.html, "the WAL-reset bug").
3. What is written is on the disk when `write` returns (`synchronous=FULL`).
   Writes that come while another is on its way to the disk share the next
   commit, so a busy node pays for few of them.
4. Damage is reported, never repaired by starting over: a new identity made
   silently would be the perfect cover for an impostor.

Threads: any. The transaction's order is in `commits`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ..errors import StartupError, StorageClosed, StorageFull, UnacceptableCertificate
from ..limits import MIB, Limits
from .commits import Commits, Piece
from .schema import APPLICATION_ID, MIGRATIONS

Transaction = sqlite3.Connection
Row = sqlite3.Row
T = TypeVar("T")

_OLDEST_SQLITE = (3, 37, 0)  # STRICT tables
_PRAGMAS = (
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "secure_delete=ON",
    "synchronous=FULL",
    "wal_autocheckpoint=1000",  # pages; only a commit does it, so only the connection that writes
    f"journal_size_limit={16 * MIB}",
)


class Database:
    """One open database file. `open` it, `close` it last."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path = path
        self._limits = limits
        self._local = threading.local()
        self._writing = threading.Lock()  # for one transaction, and for closing
        self._writer: sqlite3.Connection | None = None
        self._commits = Commits(self._transact, limits.writes_in_one_commit)
        self._space = (
            float("-inf"),
            0,
        )  # when the free space was last read (monotonic), and how much there was
        self._lock_file = -1
        self._closed = False

    def open(self, first: Callable[[Transaction], None]) -> None:
        """Open the file, create or migrate it. `first` fills a new one, in the same transaction.

        Raises StartupError: in use, not ours, newer, damaged, unreadable, full.
        """
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            raise StartupError(f"SQLite {sqlite3.sqlite_version} is too old: CryptoChat needs 3.37 or later")
        try:
            self.path = _one_name(self.path)
            _make_folder(self.path.parent)
            self._lock_file = _lock(self.path)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
            self._prepare(first)
        except OSError as error:
            self.close()
            raise StartupError(f"cannot open the database {self.path}: {error.strerror or error}") from error
        except (sqlite3.Error, StorageFull) as error:
            self.close()
            raise StartupError(_explain(self.path, error)) from error
        except BaseException:
            self.close()
            raise

    @contextlib.contextmanager
    def explaining(self) -> Iterator[None]:
        """While the program starts: what goes wrong with files only now is a StartupError too."""
        try:
            yield
        except OSError as error:
            raise StartupError(
                f"cannot use {error.filename or self.path}: {error.strerror or error}"
            ) from error
        except (sqlite3.Error, StorageFull) as error:
            raise StartupError(_explain(self.path, error)) from error
        except UnacceptableCertificate as error:
            raise StartupError(_damaged(self.path, str(error))) from error

    def close(self) -> None:
        """Write what still waits, close the connections, give up the lock; no thread opens another one."""
        with contextlib.suppress(sqlite3.Error, StorageFull, StorageClosed):
            self.flush()
        with self._writing:  # somebody may still be at it
            if self._writer is not None:
                self._writer.close()
                self._writer = None
        self._closed = True
        self.close_thread()
        if self._lock_file >= 0:
            os.close(self._lock_file)
            self._lock_file = -1

    def close_thread(self) -> None:
        """Close the calling thread's connection, if it has one."""
        connection = self._local.__dict__.pop("connection", None)
        if connection is not None:
            connection.close()

    def read(self) -> Transaction:
        """The calling thread's connection, for reading only."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            if self._closed:
                raise StorageClosed()
            connection = self._local.connection = self._connect("query_only=ON")
        return connection

    def write(self, work: Callable[[Transaction], T], committed: Callable[[T], None] | None = None) -> T:
        """Run `work` in a transaction and return what it returns, once that is on the disk.

        `committed` gets the same value before any later write's, so what it
        publishes comes in the order of the database. What both may do is said in
        `commits`. Raises StorageFull, StorageClosed.
        """
        piece = Piece(work, committed)
        self._commits.run(piece)
        if piece.error is not None:
            raise piece.error
        result: T = piece.result
        return result

    def write_soon(self, work: Callable[[Transaction], T], committed: Callable[[T], None]) -> None:
        """As `write`, with the next one or with `flush`, without waiting: for what may be lost in a crash."""
        self._commits.add(Piece(work, committed))

    def flush(self) -> None:
        """Put what `write_soon` has left on the disk."""
        if not self._commits.idle:
            self.write(lambda tx: None)

    def _transact(self, group: Sequence[Piece]) -> None:
        """Run `group` in one transaction: all of it is on the disk, or none."""
        with self._writing:
            if self._writer is None:
                raise StorageClosed()
            self._run(self._writer, group)

    def _run(self, writer: Transaction, group: Sequence[Piece]) -> None:
        try:
            writer.execute("BEGIN IMMEDIATE")
            for piece in group:
                piece.result = piece.work(writer)
            writer.execute("COMMIT")
        except BaseException as error:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError) and "full" in str(error):
                raise StorageFull() from error
            raise

    def require_space(self) -> None:
        """StorageFull if the disk has less left than `limits.free_disk_bytes`."""
        now = time.monotonic()
        if now - self._space[0] > 1:
            self._space = (now, shutil.disk_usage(self.path.parent).free)
        if self._space[1] < self._limits.free_disk_bytes:
            raise StorageFull()

    def _connect(self, *pragmas: str) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=5, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        for pragma in _PRAGMAS + pragmas:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _prepare(self, first: Callable[[Transaction], None]) -> None:
        connection = self.read()
        version = _pragma(connection, "user_version")
        application = _pragma(connection, "application_id")
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if application != APPLICATION_ID and (tables or version or application):
            raise StartupError(f"{self.path} is not a CryptoChat database: name another file with --db")
        if version > len(MIGRATIONS):
            raise StartupError(
                f"{self.path} was made by a newer CryptoChat: update this one, or name another --db"
            )
        self._writer = self._connect()
        self._writer.execute("PRAGMA journal_mode=WAL")
        if version < len(MIGRATIONS):
            self.write(lambda tx: _migrate(tx, version, first))


def _migrate(tx: Transaction, version: int, first: Callable[[Transaction], None]) -> None:
    """From `version` to ours, a step at a time; version 0 is an empty file."""
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            tx.execute(statement)
    if version == 0:
        tx.execute(f"PRAGMA application_id={APPLICATION_ID}")
        first(tx)
    tx.execute(f"PRAGMA user_version={len(MIGRATIONS)}")


def _pragma(connection: sqlite3.Connection, name: str) -> Any:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _explain(path: Path, error: sqlite3.Error | StorageFull) -> str:
    text = str(error)
    if isinstance(error, StorageFull):
        return f"the disk is full: make room for {path}, and start again"
    if "not a database" in text:
        return f"{path} is not a CryptoChat database: name another file with --db"
    if "full" in text:
        return f"the disk is full: make room for {path}, and start again"
    if "malformed" in text:
        return _damaged(path, text)
    if "disk I/O" in text:
        return f"the disk under {path} is full, or fails: make room there, and start again"
    if "no such table" in text or "already exists" in text:
        return _damaged(path, text)
    return f"cannot use the database {path}: {text}"


def _one_name(path: Path) -> Path:
    """The path without symbolic links: the lock goes by the name, and a database has one lock."""
    resolved = path.resolve()
    if resolved.is_dir() or not resolved.name:
        raise StartupError(f"cannot open the database {path}: it is a folder; name a file with --db")
    if resolved.exists() and resolved.stat().st_nlink > 1:
        raise StartupError(f"the database {path} has another name too (a hard link): remove one of the two")
    return resolved


def _damaged(path: Path, what: str) -> str:
    return f"the database {path} is damaged ({what}): restore a copy of it, or name another file with --db"


def _make_folder(folder: Path) -> None:
    """Create `folder` for its owner only, with its parents; one that exists is left as it is."""
    if not folder.exists():
        _make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


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

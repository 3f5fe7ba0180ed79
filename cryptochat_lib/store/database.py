"""The SQLite file: its connections and its transactions. The home of `sqlite3`.

What happens before the first transaction is in `opening`.

Rules that the rest of the program relies on:

1. Readers have a connection for each thread, which closes it (`close_thread`):
   left to the end of a thread, each would leak a descriptor. They are `query_only`.
2. One more connection writes, in the hands of whichever thread has the turn
   (`commits`); every write and every checkpoint passes it. Only so is WAL safe:
   up to SQLite 3.51.2 two connections that write and checkpoint at once can
   corrupt the file (sqlite.org/wal.html, "the WAL-reset bug").
3. What is written is on the disk when `write` returns (`synchronous=FULL`).

Threads: any. The transaction's order is in `commits`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from ..errors import CryptoChatError, StorageClosed, StorageFailed, StorageFull
from ..limits import MIB, Limits
from .commits import Commits, Piece, perform
from .copies import copies_of, remove_for_good, sync_folder
from .wal import PAGES, fill_log, overwrite_log

Transaction = sqlite3.Connection
Row = sqlite3.Row
DatabaseError = sqlite3.Error
Item = TypeVar("Item")
T = TypeVar("T")

_log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 10.0
_ERASING = "erasing"  # the name, among the settings, of the mark that something deleted may be in a copy
_PRAGMAS = (
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "secure_delete=ON",
    "synchronous=FULL",
    f"wal_autocheckpoint={PAGES}",  # only a commit does it, so only the connection that writes
    f"journal_size_limit={16 * MIB}",
)


def sqlite_version() -> tuple[int, ...]:
    return sqlite3.sqlite_version_info


def trouble(error: DatabaseError) -> CryptoChatError:
    """What whoever asked for something is told when the database has failed; the log is told why."""
    if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
        _log.exception("the database was used wrongly")
        return CryptoChatError("something went wrong here: see the log")
    # Not the error itself where it quotes what is stored.
    text = "a text in it is no text" if "Could not decode" in str(error) else str(error)
    _log.error("the database fails: %s", text)
    return StorageFull() if "full" in str(error) else StorageFailed()


class Database:
    """One database file, once `opening.open_database` has opened it; `close` it last."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path = path
        self._limits = limits
        self._local = threading.local()
        self._writing = threading.Lock()  # for one transaction, and for closing
        self._writer: sqlite3.Connection | None = None
        self._commits = Commits(self._transact, limits.writes_in_one_commit)
        self._space = (float("-inf"), 0)  # when the free space was last read (monotonic), and its bytes
        self.lock_file = -1
        self._closed = False

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
        if self.lock_file >= 0:
            os.close(self.lock_file)
            self.lock_file = -1

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
        return self.write_alike(lambda tx, _: [work(tx)], None, committed)

    def write_alike(
        self,
        work: Callable[[Transaction, list[Item]], Sequence[T]],
        item: Item,
        committed: Callable[[T], None] | None = None,
    ) -> T:
        """As `write`, of `work(tx, [item])[0]`; with other threads' items in the same call, if there are."""
        piece = Piece(work, item, committed)
        self._commits.run(piece)
        if piece.error is not None:
            raise piece.error
        result: T = piece.result
        return result

    def write_soon(self, work: Callable[[Transaction], T], committed: Callable[[T], None]) -> Piece:
        """As `write`, with the next one or with `flush`, without waiting: for what may be lost in a crash.

        Whether it went well is in the piece, once it is `done`.
        """
        piece = Piece(lambda tx, _: [work(tx)], committed=committed)
        self._commits.add(piece)
        return piece

    def flush(self) -> None:
        """Put what `write_soon` has left on the disk."""
        if not self._commits.idle:
            self.write(lambda tx: None)

    def erase(self, work: Callable[[Transaction], T], committed: Callable[[T], None]) -> T:
        """As `write`; and of what `work` deletes nothing is left in any of our files.

        SQLite overwrites what is deleted (`secure_delete`); copies and the log still
        have it, and go once it is committed, that no failure has deleted half of it. A
        mark in the database says that they have yet to go: should we crash, the next
        start finds it. StorageFull: nothing is deleted. StorageFailed: traces are left.
        """

        def erasing(tx: Transaction) -> T:
            result = work(tx)
            tx.execute("INSERT OR REPLACE INTO settings VALUES (?, '')", (_ERASING,))
            return result

        def erased(result: T) -> None:
            """While we still lead: nobody else writes."""
            committed(result)
            try:
                self.finish_erasing()
            except (sqlite3.Error, OSError) as error:
                raise StorageFailed(f"it is deleted, but traces are left in a file: {error}") from error

        return self.write(erasing, erased)

    def finish_erasing(self) -> None:
        """Remove what still has what was deleted: copies, old pages, the log; else sqlite3.Error, OSError."""
        if copies := copies_of(self.path):
            for copy in copies:
                try:
                    remove_for_good(copy)
                except OSError as error:  # another account's, say: then at least its name goes
                    _log.warning("%s could not be overwritten: %s", copy, error.strerror or error)
                    copy.unlink(missing_ok=True)
            sync_folder(self.path.parent)
        self._rewrite()
        self.cut_log()
        with self._alone() as writer:
            writer.execute("DELETE FROM settings WHERE name = ?", (_ERASING,))

    def _rewrite(self) -> None:
        """Write every page anew: where rows once moved from page to page, old copies are between the new.

        `secure_delete` overwrites what is deleted, not what was moved before.
        """
        with self._alone() as writer:
            writer.execute("PRAGMA temp_store=MEMORY")  # no copy in the system's temporary folder
            writer.execute("VACUUM")

    def is_erasing(self) -> bool:
        """Whether something that was deleted may be left in a copy."""
        found = self.read().execute("SELECT 1 FROM settings WHERE name = ?", (_ERASING,)).fetchone()
        return found is not None

    def begin_writing(self) -> None:
        """Make the connection that writes, and empty the log: what was deleted before a crash is in it."""
        self._writer = self._connect()
        self._writer.execute("PRAGMA journal_mode=WAL")
        self.cut_log()

    def cut_log(self) -> None:
        """Move everything from the log into the database, overwrite and empty the log; else sqlite3.Error.

        By whoever leads, or at the start; and only while nobody reads: that takes
        moments here, so it is tried again for a while.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with self._alone() as writer:
            for how in ("RESTART", "TRUNCATE"):
                while writer.execute(f"PRAGMA wal_checkpoint({how})").fetchone()[0]:
                    if time.monotonic() > deadline:
                        raise sqlite3.OperationalError("something reads all the time")
                if how == "RESTART":
                    with contextlib.suppress(OSError):  # it is emptied in any case
                        overwrite_log(self.path)
            self._fill_log()

    def _fill_log(self) -> None:
        with contextlib.suppress(OSError, StorageFull):
            self.require_space()
            fill_log(self.path)

    def copy_to(self, path: Path) -> None:
        """A copy of the database as it is now: whole, or not there."""
        part = path.with_name(f"{path.name}.part")
        try:
            part.unlink(missing_ok=True)
            descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with contextlib.closing(sqlite3.connect(part)) as copy:
                    copy.execute("PRAGMA journal_mode=OFF")  # nobody needs half of it
                    copy.execute("PRAGMA synchronous=OFF")
                    self.read().backup(copy)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            part.replace(path)
            sync_folder(path.parent)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def _transact(self, group: Sequence[Piece]) -> None:
        """Run `group` in one transaction: all of it is on the disk, or none."""
        with self._alone() as writer:
            try:
                writer.execute("BEGIN IMMEDIATE")
                perform(writer, group)
                writer.execute("COMMIT")
            except BaseException as error:
                if writer.in_transaction:
                    writer.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError) and "full" in str(error):
                    raise StorageFull() from error
                raise

    @contextlib.contextmanager
    def _alone(self) -> Iterator[Transaction]:
        """The connection that writes; StorageClosed if it is gone."""
        with self._writing:
            if self._writer is None:
                raise StorageClosed()
            yield self._writer

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

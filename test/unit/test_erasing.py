"""A history that is deleted is gone from every file, and others' are untouched; half of it is never left."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from traces import left

from cryptochat_lib import words
from cryptochat_lib.errors import StorageFailed, StorageFull
from cryptochat_lib.events import EventLog
from cryptochat_lib.identity import Identity
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Delivery, DeliveryState, PeerId, RoomName
from cryptochat_lib.store import Store, copies, database, search, wal
from cryptochat_lib.store.copies import copies_of, remove_for_good
from cryptochat_lib.store.database import Database
from cryptochat_lib.store.messages import OwnMessage

TEA, COFFEE = RoomName("tea"), RoomName("coffee")
ADA, BOB, CAROL = (PeerId(f"00000000-0000-4000-8000-00000000000{digit}") for digit in "abc")
POSIX = pytest.mark.skipif(os.name == "nt", reason="this platform has no SIGKILL")
_ids = iter(range(10**9))


def ignore(_: object) -> None:
    """Nobody listens."""


def say(store: Store, content: str, room: RoomName = TEA, name: str = "Ada", to_whom: PeerId = BOB) -> int:
    to = (Delivery(to_whom, DeliveryState.WAITING),)
    own = OwnMessage(room, content, ADA, "key", name, f"w{next(_ids)}", to)
    return store.messages.add_own(own, ignore).number


def opened(path: Path, identity: Identity) -> Store:
    store = Store(path, Limits(free_disk_bytes=0))
    store.open(lambda: identity)
    return store


def contents(store: Store, room: RoomName) -> list[str]:
    return [message.content for message in store.messages.page(room, 500)]


def find(store: Store, asked: str) -> list[str]:
    return [m.content for m in store.messages.search(words.parse_query(asked, 9), 500)]


@pytest.mark.parametrize("seed", [1, 4])
def test_no_copy_is_left_of_a_row_that_was_moved_from_page_to_page(
    tmp_path: Path, identity: Identity, seed: int
) -> None:
    """Pages fill and empty, so rows move; and `secure_delete` does not overwrite where they were."""
    chance = random.Random(seed)
    store = opened(tmp_path / "c.db", identity)
    secrets: list[str] = []
    for _ in range(2000):
        size = chance.choice([5, 40, 200, 800, 1500, 3000, 5000]) if chance.random() < 0.5 else 30
        secret, room = f"zq{chance.randrange(16**12):012x}", chance.choice([TEA, TEA, COFFEE])
        if room == TEA:
            secrets.append(secret)
        after = chance.random() < 0.3
        say(store, f"{'pad ' * (size // 4)}{secret}" if after else f"{secret} {'f' * size}", room)
    store.messages.erase(TEA, ignore)
    store.close()
    assert left(tmp_path / "c.db", secrets) == set()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("stretch", [1, 7, 10_000])
def test_no_word_of_it_is_left_whatever_else_there_is(
    tmp_path: Path, identity: Identity, monkeypatch: pytest.MonkeyPatch, seed: int, stretch: int
) -> None:
    """Long and short messages, words in the middle of them, two rooms mixed, merged segments."""
    monkeypatch.setattr(search, "STRETCH", stretch)
    chance = random.Random(seed)
    store = opened(tmp_path / "c.db", identity)
    secrets, kept = [], []
    for _ in range(400):
        secret, common = f"zq{chance.randrange(10**12):012}", " common" * chance.choice([0, 3, 40, 900])
        mine = chance.random() < 0.5
        (secrets if mine else kept).append(secret)
        say(store, f"{common} {secret}{common}", TEA if mine else COFFEE, f"n{secret}")
    before = contents(store, COFFEE)
    some = secrets[:3]
    assert left(store.database.path, some)
    store.messages.erase(TEA, ignore)
    assert left(store.database.path, secrets) == set()
    assert contents(store, TEA) == []
    assert contents(store, COFFEE) == before
    assert find(store, "zq") == before[::-1]
    assert [find(store, secret) for secret in some] == [[], [], []]
    assert [len(find(store, secret)) for secret in kept] == [1] * len(kept)
    store.database.read().execute("SELECT * FROM search_state").fetchall()
    store.close()
    assert left(store.database.path, secrets) == set()
    check(store.database.path)


def check(path: Path) -> None:
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.execute("INSERT INTO search (search) VALUES ('integrity-check')")
    connection.close()


def test_what_waits_in_it_waits_no_more_and_nowhere_else_changes(store: Store) -> None:
    say(store, "in tea")
    number = say(store, "in coffee", COFFEE)
    store.messages.erase(TEA, ignore)
    assert [m.number for m in store.queue.waiting(BOB, 10)] == [number]
    assert store.queue.counts() == {BOB: 1}


def test_a_room_without_a_history_can_be_deleted_and_twice(store: Store) -> None:
    store.messages.erase(RoomName("never heard of"), ignore)
    say(store, "once")
    store.messages.erase(TEA, ignore)
    store.messages.erase(TEA, ignore)
    say(store, "and again")
    assert contents(store, TEA) == find(store, "again") == ["and again"]


def test_with_whom_one_wrote_goes_with_it(store: Store) -> None:
    """But for whom a message in another room is still for. And no number is given twice."""
    say(store, "to carol", COFFEE, to_whom=CAROL)
    say(store, "to bob", TEA)
    before = {uuid: store.queue._recipients.number(store.database.read(), uuid) for uuid in (BOB, CAROL)}
    store.messages.erase(TEA, ignore)
    assert store.queue.counts() == {CAROL: 1}
    say(store, "to bob again", TEA)
    after = {uuid: store.queue._recipients.number(store.database.read(), uuid) for uuid in (BOB, CAROL)}
    assert after[CAROL] == before[CAROL]
    assert after[BOB] not in before.values()
    assert [m.content for m in store.queue.waiting(BOB, 10)] == ["to bob again"]
    store.messages.erase(TEA, ignore)
    store.close()
    for file in store.database.path.parent.iterdir():
        assert BOB.encode() not in file.read_bytes(), f"{file.name} still knows him"


def test_copies_that_others_made_stay(store: Store) -> None:
    names = ["a.v1-backup-of-mine.zip", "a.very-own-backup", "a.v-backup", "b.v1-backup", "a.v1-backup.txt"]
    theirs = [store.database.path.with_name(name.replace("a.", "cryptochat.db.")) for name in names]
    for file in theirs:
        file.write_text("theirs")
    say(store, "zqsecret")
    store.messages.erase(TEA, ignore)
    assert [file for file in theirs if not file.exists()] == []


def test_the_copy_that_a_migration_made_goes_too(store: Store) -> None:
    copy = store.database.path.with_name("cryptochat.db.v1-backup")
    unfinished = store.database.path.with_name("cryptochat.db.v1-backup.part")
    other = store.database.path.with_name("other.db.v1-backup")
    say(store, "zqsecret")
    for path in (copy, other):
        store.database.copy_to(path)
    unfinished.write_text("zqsecret")
    assert copies_of(store.database.path) == [copy, unfinished]
    store.messages.erase(TEA, ignore)
    assert (copy.exists(), unfinished.exists(), other.exists()) == (False, False, True)


def test_what_is_removed_is_overwritten_first(store: Store) -> None:
    """What the file system frees can be read by whoever has the disk."""
    copy = store.database.path.with_name("cryptochat.db.v1-backup")
    say(store, "zqsecret")
    store.database.copy_to(copy)
    with copy.open("rb") as held:
        store.messages.erase(TEA, ignore)
        assert (copy.exists(), held.read().strip(b"\0")) == (False, b"")


def test_the_log_is_overwritten_before_it_is_cut(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    say(store, "zqsecret")
    log = store.database.path.with_name("cryptochat.db-wal")
    found: list[bytes] = []
    inside = store.database._writer

    class Watched:
        def __getattr__(self, name: str) -> Any:
            return getattr(inside, name)

        def execute(self, statement: str, *parameters: Any) -> Any:
            if "TRUNCATE" in statement:
                found.append(log.read_bytes().strip(b"\0"))
            return cast(Any, inside).execute(statement, *parameters)

    assert b"zqsecret" in log.read_bytes()
    monkeypatch.setattr(store.database, "_writer", Watched())
    store.messages.erase(TEA, ignore)
    assert found == [b""]


def test_while_the_log_is_overwritten_others_read_and_a_power_cut_undoes_nothing(
    tmp_path: Path, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk may keep any part of what is not yet said to be on it: here the beginning."""
    store = opened(tmp_path / "c.db", identity)
    store.database.cut_log()  # what follows begins at its beginning
    said = [f"number {n} " + "x" * 2000 for n in range(30)]
    for text in said:
        say(store, text)
    overwrite = wal.write_zeros
    read: list[list[str]] = []

    def cut_off(log: int, start: int, end: int) -> None:
        overwrite(log, (start + min(end, start + 40 * 4096)) // 2, end)
        crashed = tmp_path / str(len(read))
        crashed.mkdir()
        for name in ("c.db", "c.db-wal"):
            shutil.copyfile(tmp_path / name, crashed / name)
        overwrite(log, start, end)
        reader = threading.Thread(target=lambda: (read.append(contents(store, TEA)), close_thread()))
        close_thread = store.database.close_thread
        reader.start()
        reader.join(10)

    with monkeypatch.context() as patch:
        patch.setattr(wal, "write_zeros", cut_off)
        patch.setattr(store.database, "_fill_log", lambda: None)
        store.database.cut_log()
    say(store, "after it")
    assert contents(store, TEA) == [*said, "after it"]
    store.close()
    assert read
    for number, seen in enumerate(read):
        assert seen == said
        store = opened(tmp_path / str(number) / "c.db", identity)
        assert contents(store, TEA) == said
        store.close()
        check(store.database.path)


@POSIX
@pytest.mark.parametrize("put", [os.link, os.symlink, lambda _, name: os.mkfifo(name)])
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_file_of_the_users_that_was_linked_to_our_name_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put: Any, when: str
) -> None:
    letter, ours = tmp_path / "letter.txt", tmp_path / "c.db.v1-backup"
    letter.write_text("Dear Bob")
    ours.write_text("a copy")
    really_open = os.open

    def exchange() -> None:
        ours.unlink()
        put(letter, ours)

    def exchanged(path: Any, flags: int) -> int:
        exchange()
        return really_open(path, flags)

    if when == "before":
        exchange()
        remove_for_good(ours)
        assert not ours.exists()
    else:
        monkeypatch.setattr(copies.os, "open", exchanged)  # type: ignore[attr-defined]
        with contextlib.suppress(OSError):
            remove_for_good(ours)
    assert letter.read_text() == "Dear Bob"


@POSIX
def test_a_copy_that_was_made_read_only_goes_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root writes to everything: as somebody else, then."""
    monkeypatch.chdir(tmp_path)
    copy = Path("c.db.v1-backup")
    copy.write_text("zqsecret")
    copy.chmod(0o400)
    with copy.open("rb") as held, nobody(tmp_path, copy):
        remove_for_good(copy)
        assert (copy.exists(), held.read().strip(b"\0")) == (False, b"")


@contextlib.contextmanager
def nobody(*own: Path) -> Iterator[None]:
    """Without root's rights, if we have them, over what is `own`."""
    if os.geteuid() != 0:
        yield
        return
    for path in own:
        os.chown(path, 65534, -1)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def watch_checkpoints(of: Database, busy: threading.Event) -> None:
    """Set `busy` as soon as a checkpoint has found somebody who reads; SQLite is told not to wait itself."""

    class Watched:
        def __init__(self, connection: Any) -> None:
            self._connection = connection

        def __getattr__(self, name: str) -> Any:
            return getattr(self._connection, name)

        def execute(self, statement: str, *parameters: Any) -> Any:
            cursor = self._connection.execute(statement, *parameters)
            if "wal_checkpoint" not in statement:
                return cursor
            row = cursor.fetchone()
            if row[0]:
                busy.set()
            return SimpleNamespace(fetchone=lambda: row)

    of._writer = cast(Any, Watched(of._writer))
    of._writer.execute("PRAGMA busy_timeout=10")


def test_somebody_who_reads_meanwhile_is_waited_for(store: Store) -> None:
    say(store, "zqsecret")
    say(store, "other", COFFEE)
    reads, busy = threading.Event(), threading.Event()
    happened = []
    watch_checkpoints(store.database, busy)

    def read() -> None:
        rows = store.database.read().execute("SELECT content FROM messages")
        rows.fetchone()
        reads.set()
        happened.append(busy.wait(10))
        rows.close()
        store.database.close_thread()

    reader = threading.Thread(target=read)
    reader.start()
    assert reads.wait(10)
    store.messages.erase(TEA, ignore)
    happened.append("erased")
    reader.join(10)
    assert happened == [True, "erased"]
    assert left(store.database.path, ["zqsecret"]) == set()


def test_somebody_who_reads_all_the_time_is_told_of(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is deleted, and told to everybody; saying it again removes the rest."""
    monkeypatch.setattr(database, "_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(database, "_PRAGMAS", (*database._PRAGMAS, "busy_timeout=10"))
    store.database.close_thread()
    say(store, "zqsecret")
    for _ in range(9):
        say(store, "more")
    reader = sqlite3.connect(store.database.path)
    rows = reader.execute("SELECT content FROM messages")
    rows.fetchone()
    told: list[None] = []
    with pytest.raises(StorageFailed, match="traces are left"):
        store.messages.erase(TEA, told.append)
    assert (told, contents(store, TEA)) == ([None], [])
    rows.close()
    reader.close()
    assert left(store.database.path, ["zqsecret"])
    store.messages.erase(TEA, ignore)
    assert left(store.database.path, ["zqsecret"]) == set()


def test_without_room_for_it_nothing_is_deleted(store: Store) -> None:
    for n in range(300):
        say(store, f"number {n} " + "x" * 2000)
    copy = store.database.path.with_name("cryptochat.db.v1-backup")
    store.database.copy_to(copy)
    say(store, "some", COFFEE)
    forget = search.forget

    def full(tx: sqlite3.Connection, room: RoomName) -> None:
        tx.execute("PRAGMA max_page_count=1")  # SQLite takes this for: not one more than there are
        forget(tx, room)
        tx.execute(
            "INSERT INTO messages SELECT number + 1000000, room, kind, content, sender, sender_key,"
            " username, time, sent, own, wire_id || 'x', method FROM messages"
        )

    told: list[None] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "forget", full)
        with pytest.raises(StorageFull):
            store.messages.erase(TEA, told.append)
    assert not told
    assert copy.exists()
    assert not store.database.is_erasing()
    assert len(contents(store, TEA)) == 300
    assert len(find(store, "number")) == 300
    store.database.write(lambda tx: tx.execute("PRAGMA max_page_count=1000000").fetchall())
    store.messages.erase(TEA, ignore)
    assert contents(store, TEA) == find(store, "number") == []
    assert not copy.exists()


class FailingCommit:
    """A connection for which the disk is full at the last moment."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, *parameters: object) -> sqlite3.Cursor:
        if statement == "COMMIT":
            raise sqlite3.OperationalError("database or disk is full")
        return self._connection.execute(statement, *parameters)

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)


def test_a_commit_that_fails_leaves_the_copy_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    say(store, "still here")
    copy = store.database.path.with_name("cryptochat.db.v1-backup")
    store.database.copy_to(copy)
    told: list[None] = []
    with monkeypatch.context() as patch:
        patch.setattr(store.database, "_writer", FailingCommit(store.database._writer))  # type: ignore[arg-type]
        with pytest.raises(StorageFull):
            store.messages.erase(TEA, told.append)
    assert (told, contents(store, TEA), copy.exists()) == ([], ["still here"], True)
    assert not store.database.is_erasing()


def test_a_copy_that_cannot_be_removed_is_told_of_and_goes_with_the_next_start(
    tmp_path: Path, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(tmp_path / "c.db", identity)
    say(store, "zqsecret")
    copy = tmp_path / "c.db.v1-backup"
    store.database.copy_to(copy)

    def in_use(*_: object, **__: object) -> None:
        raise PermissionError(13, "it is in use", str(copy))

    told: list[None] = []
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", in_use)
        with pytest.raises(StorageFailed, match="traces are left"):
            store.messages.erase(TEA, told.append)
    assert (told, contents(store, TEA), copy.exists()) == ([None], [], True)
    store.close()
    store = opened(tmp_path / "c.db", identity)
    assert not copy.exists()
    assert left(tmp_path / "c.db", ["zqsecret"]) == set()
    new = tmp_path / "c.db.v2-backup"
    store.database.copy_to(new)
    store.close()
    opened(tmp_path / "c.db", identity).close()
    assert new.exists()  # what was to be removed was removed once


def test_the_log_gets_its_length_while_nobody_else_writes_or_closes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zeros in the middle of a log that another connection has begun would end it there."""
    fill = store.database._fill_log
    others: list[bool] = []

    def filling() -> None:
        def other() -> None:
            free = store.database._writing.acquire(blocking=False)
            others.append(free)
            if free:
                store.database._writing.release()

        thread = threading.Thread(target=other)
        thread.start()
        thread.join(10)
        fill()

    monkeypatch.setattr(store.database, "_fill_log", filling)
    say(store, "once")
    store.messages.erase(TEA, ignore)
    assert others == [False]


def test_a_deleted_number_is_never_used_again(tmp_path: Path, identity: Identity) -> None:
    """Streams resume by it, also after a restart."""
    store = opened(tmp_path / "c.db", identity)
    last = [say(store, "one more") for _ in range(5)][-1]
    store.messages.erase(TEA, ignore)
    store.close()
    store = opened(tmp_path / "c.db", identity)
    assert store.messages.burn_number() > last
    store.close()


@POSIX
@pytest.mark.parametrize("when", ["before the commit", "after it"])
def test_killed_before_the_log_is_empty_the_next_start_empties_it(
    tmp_path: Path, identity: Identity, when: str
) -> None:
    path = tmp_path / "c.db"
    store = opened(path, identity)
    for n in range(200):
        say(store, f"zqsecret{n} " + "x" * 500)
    copy = tmp_path / "c.db.v1-backup"
    store.database.copy_to(copy)
    store.close()
    program = f"""
import os, pathlib, signal
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import RoomName
from cryptochat_lib.store import Store, search
store = Store(pathlib.Path({str(path)!r}), Limits(free_disk_bytes=0))
store.open(None)
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if {when!r} == "after it":
    store.messages.erase(RoomName("tea"), die)
forget = search.forget
search.forget = lambda *a: (forget(*a), die())
store.messages.erase(RoomName("tea"), print)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], timeout=60)
    assert done.returncode == -signal.SIGKILL
    store = opened(path, identity)
    if when == "after it":
        assert contents(store, TEA) == []
        assert left(path, ["zqsecret"]) == set()
        assert not copy.exists()
        assert not store.database.is_erasing()
    else:
        assert copy.exists()
        assert len(contents(store, TEA)) == len(find(store, "zqsecret")) == 200
    store.close()
    check(path)


# The log of events


def test_the_event_log_forgets_and_says_so(limits: Limits) -> None:
    log = EventLog(limits)
    log.start(1)
    log.publish("messages", {"content": "zqsecret"})
    place = log.latest
    log.forget()
    assert log.after(0, timeout=0) is None
    assert log.after(place, timeout=0) is None  # even who has had everything fetches the state anew
    assert log.after(log.latest, timeout=0) == []
    log.publish("messages", {"content": "after"})
    [event] = log.after(place + 1, timeout=0) or []
    assert event.data == '{"content":"after"}'


def test_a_reader_that_waits_is_told_at_once(limits: Limits) -> None:
    log = EventLog(limits)
    log.start(1)
    place = log.latest
    found: list[object] = []
    reader = threading.Thread(target=lambda: found.append(log.after(place, timeout=30)))
    reader.start()
    log.forget()
    reader.join(5)
    assert found == [None]

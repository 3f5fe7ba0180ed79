"""Files of every earlier version become ours, with everything in them; and if not, they stay as they were."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import old_databases
import pytest
from old_databases import BOB, CAROL, DATA, DORA, HEARD, KITCHEN, SAID, STATES, TEA

from cryptochat_lib import words
from cryptochat_lib.errors import StartupError
from cryptochat_lib.identity import Identity
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import DeliveryState, Endpoint, RoomName, Trust
from cryptochat_lib.store import Store, database, opening
from cryptochat_lib.store.schema import MIGRATIONS

EARLIER = range(1, len(MIGRATIONS))
POSIX = pytest.mark.skipif(os.name == "nt", reason="this platform has no SIGKILL")


def no_identity() -> Identity:
    raise AssertionError("a new identity was made where there was one")


@pytest.fixture(params=[*EARLIER, "now"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file of an earlier version, or of this one, where it may be changed."""
    path = tmp_path / "c.db"
    if request.param == "now":
        old_databases.fill(path)
    else:
        shutil.copyfile(DATA / f"version-{request.param}.db", path)
        path.chmod(0o600)
    return path


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file of version 1."""
    shutil.copyfile(DATA / "version-1.db", tmp_path / "c.db")
    return tmp_path / "c.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store(path, Limits(free_disk_bytes=0))
    store.open(no_identity)
    yield store
    store.close()


def start(path: Path) -> None:
    store = Store(path, Limits(free_disk_bytes=0))
    store.open(no_identity)
    store.close()


def version(path: Path) -> int:
    connection = sqlite3.connect(path)
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return found


def names(path: Path) -> set[str]:
    """The files beside it."""
    return {file.name for file in path.parent.iterdir()} - {path.name, f"{path.name}.lock"}


def test_there_is_a_file_of_each_version() -> None:
    for number in EARLIER:
        assert version(DATA / f"version-{number}.db") == number


# What a file has is still there


def test_it_is_of_our_version_and_sound(store: Store, path: Path) -> None:
    reader = store.database.read()
    assert reader.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
    assert reader.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert reader.execute("PRAGMA foreign_key_check").fetchall() == []


def test_it_is_as_one_that_was_made_today(store: Store, tmp_path: Path) -> None:
    def tables(path: Path) -> list[tuple[str, str]]:
        connection = sqlite3.connect(path)
        found = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
        connection.close()
        return found

    old_databases.fill(tmp_path / "today.db")
    assert tables(store.database.path) == tables(tmp_path / "today.db")


def test_we_are_who_we_were(store: Store, path: Path) -> None:
    connection = sqlite3.connect(path)
    certificate, private_key = connection.execute("SELECT certificate, private_key FROM identity").fetchone()
    connection.close()
    identity = store.settings.identity()
    assert (identity.certificate.der, identity.private_key) == (certificate, private_key)
    assert store.settings.get("username") == "Ada Ünal"
    assert store.settings.joined_rooms() == sorted([TEA, KITCHEN])


def test_whom_we_trust_we_still_trust(store: Store) -> None:
    trusts = {key.uuid: key.trust for key in store.keys.all()}
    assert trusts == {BOB: Trust.VERIFIED, CAROL: Trust.UNVERIFIED, DORA: Trust.REJECTED}
    bob = store.keys.verified(BOB)
    assert bob is not None
    assert (bob.username, bob.method, bob.speaks_v1) == ("Bob Öz", "number", True)
    assert bob.answered_at == Endpoint("fe80::1%2", 4000)
    assert store.keys.rooms_of_all() == {BOB: {TEA: "tea", KITCHEN: "Teeküche 茶室"}}


def test_the_history_is_whole_and_in_order(store: Store) -> None:
    def texts(room: RoomName) -> list[str]:
        return [message.content for message in store.messages.page(room, 500)]

    for room in (TEA, KITCHEN):
        said = [text for where, text in SAID if where == room]
        assert texts(room) == said + [text for where, _, text in HEARD if where == room]
    heard = [message for message in store.messages.since(0, 2**60, 500) if not message.own]
    assert [(m.sender, m.username, m.method, m.sent) for m in heard] == [
        (BOB, "Bob Öz", "number", 1_700_000_000_000)
    ] * len(HEARD)
    assert [m.wire_id for m in heard] == [wire_id for _, wire_id, _ in HEARD]


def test_each_message_is_as_far_as_it_was(store: Store) -> None:
    own = [message for message in store.messages.since(0, 2**60, 500) if message.own]
    for message, state in zip(own, STATES, strict=True):
        found = {d.uuid: (d.state, d.reason) for d in message.deliveries}
        assert found == {BOB: state, CAROL: (DeliveryState.WAITING, None)}
    assert store.queue.counts() == {BOB: 1, CAROL: len(SAID)}


def test_old_messages_are_found_by_their_words(store: Store) -> None:
    def find(asked: str) -> list[str]:
        query = words.parse_query(asked, 99)
        return [message.content for message in store.messages.search(query, 9)]

    for _, text in SAID:
        assert find(f'"{text}"') == [text]
    assert find("grusse teek") == ["Grüße aus der Teeküche"]
    assert find("πολλα") == ["Ναι, ΠΟΛΛΆ"]


def test_it_goes_on(store: Store) -> None:
    before = store.messages.page(TEA, 1)[0].number
    assert store.messages.burn_number() > before


# The copy


def test_before_it_is_changed_it_is_copied(old: Path) -> None:
    before = old.read_bytes()
    start(old)
    copy = old.with_name("c.db.v1-backup")
    assert names(old) == {copy.name}
    assert (version(old), version(copy)) == (len(MIGRATIONS), 1)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    back = old.with_name("back.db")
    shutil.copyfile(copy, back)
    assert dump(back) == dump_bytes(before, old.parent)
    start(back)


def dump(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    lines = list(connection.iterdump())
    connection.close()
    return lines


def dump_bytes(data: bytes, folder: Path) -> list[str]:
    path = folder / "before.db"
    path.write_bytes(data)
    return dump(path)


def test_what_is_only_in_the_log_is_copied_too(old: Path) -> None:
    """The program was killed, and its log is still beside the file."""
    connection = sqlite3.connect(old)
    connection.execute("INSERT INTO rooms VALUES ('from the log', 0)")
    connection.commit()
    folder = old.parent / "killed"
    folder.mkdir()
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{old}{suffix}", folder / f"c.db{suffix}")
    connection.close()
    start(folder / "c.db")
    assert any("from the log" in line for line in dump(folder / "c.db.v1-backup"))


def test_a_new_file_and_one_of_today_are_not_copied(tmp_path: Path, identity: Identity) -> None:
    for _ in range(2):
        store = Store(tmp_path / "c.db", Limits(free_disk_bytes=0))
        store.open(lambda: identity)
        store.close()
    assert names(tmp_path / "c.db") == set()


def test_without_room_for_the_copy_nothing_changes(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = old.read_bytes()

    class Full(sqlite3.Connection):
        def backup(self, target: sqlite3.Connection, **_: object) -> None:  # type: ignore[override]
            target.execute("CREATE TABLE half (x)")
            raise sqlite3.OperationalError("database or disk is full")

    connect = sqlite3.connect
    monkeypatch.setattr(database.sqlite3, "connect", lambda *a, **k: connect(*a, **{"factory": Full, **k}))
    with pytest.raises(StartupError, match="disk is full") as error:
        start(old)
    assert "\n" not in str(error.value)
    assert (names(old), old.read_bytes()) == (set(), before)


def test_a_migration_that_fails_changes_nothing_and_leaves_no_copy(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dump(old)
    monkeypatch.setattr(opening, "MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE later (x)", "CREATE nonsense")))
    with pytest.raises(StartupError):
        start(old)
    assert (names(old), dump(old), version(old)) == (set(), before, 1)
    monkeypatch.undo()
    start(old)
    assert version(old) == len(MIGRATIONS)


@POSIX
@pytest.mark.parametrize("where", ["sqlite3.Connection.backup", "os.fsync", "migrate"])
def test_killed_in_the_midst_there_is_no_half_copy_and_the_next_start_does_it(old: Path, where: str) -> None:
    program = f"""
import os, pathlib, signal, sqlite3
from cryptochat_lib.limits import Limits
from cryptochat_lib.store import Store, database, opening
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
if {where!r} == "os.fsync":
    os.fsync = die
elif {where!r} == "migrate":
    opening.search.rebuild = die
else:
    connect = sqlite3.connect
    class Dies(sqlite3.Connection):
        def backup(self, target):
            super().backup(target, pages=3, progress=die)
    database.sqlite3.connect = lambda *a, **k: connect(*a, **{{"factory": Dies, **k}})
Store(pathlib.Path({str(old)!r}), Limits(free_disk_bytes=0)).open(None)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], timeout=60)
    assert done.returncode == -signal.SIGKILL
    copies = {name for name in names(old) if name.endswith("-backup")}
    assert copies == ({"c.db.v1-backup"} if where == "migrate" else set())
    start(old)
    assert names(old) == {"c.db.v1-backup"}
    assert (version(old), version(old.with_name("c.db.v1-backup"))) == (len(MIGRATIONS), 1)


def test_the_next_version_s_file_can_be_made(tmp_path: Path) -> None:
    """What `test/support/old_databases.py` does, so that it can be done when there is a new step."""
    old_databases.fill(tmp_path / "c.db")
    assert names(tmp_path / "c.db") == set()
    assert version(tmp_path / "c.db") == len(MIGRATIONS)

"""What survives a restart: the file, its transactions, and every table."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from certificates import make_certificate, make_uuid
from waiting import wait_until

from cryptochat_lib.errors import StartupError, StorageFull
from cryptochat_lib.identity import Identity, create_identity
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import (
    Certificate,
    Delivery,
    DeliveryState,
    Endpoint,
    KnownKey,
    Message,
    PeerId,
    RoomName,
    Trust,
)
from cryptochat_lib.store import Store
from cryptochat_lib.store.database import Database
from cryptochat_lib.store.messages import OwnMessage
from cryptochat_lib.store.schema import MIGRATIONS
from cryptochat_lib.wire import Incoming

TEA, COFFEE = RoomName("tea"), RoomName("coffee")
W, D, X = DeliveryState.WAITING, DeliveryState.DELIVERED, DeliveryState.EXPIRED
POSIX = pytest.mark.skipif(os.name == "nt", reason="this platform has no modes")


def no_identity() -> Identity:
    raise AssertionError("a new identity was made where there was one")


@contextlib.contextmanager
def opened(
    path: Path, make: Callable[[], Identity] = no_identity, limits: Limits | None = None
) -> Iterator[Store]:
    store = Store(path, limits or Limits(free_disk_bytes=0))
    store.open(make)
    try:
        yield store
    finally:
        store.close()


@contextlib.contextmanager
def tampered(path: Path) -> Iterator[sqlite3.Connection]:
    """The file in somebody else's hands."""
    connection = sqlite3.connect(path, isolation_level=None)
    yield connection
    connection.close()


@pytest.fixture
def path(tmp_path: Path, identity: Identity) -> Path:
    """A database that was used and closed."""
    path = tmp_path / "used" / "c.db"
    with opened(path, lambda: identity):
        pass
    return path


def refused(path: Path, match: str) -> None:
    """Opening says so in one line that names the file, makes no identity, and gives the lock back."""
    for _ in range(2):
        raised = pytest.raises(StartupError, match=match)
        with raised as error, opened(path) as store, store.explaining():
            store.settings.identity()
        assert str(path) in str(error.value)
        assert "\n" not in str(error.value)


# The file


def test_the_identity_is_the_same_at_every_start(path: Path, identity: Identity) -> None:
    with opened(path) as store:
        assert store.settings.identity() == identity


@POSIX
def test_a_file_that_others_could_read_is_for_its_owner_only_from_the_start_on(path: Path) -> None:
    path.chmod(0o644)
    with opened(path) as store:
        store.messages.add_own(own(), ignore)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert modes.keys() >= {"c.db", "c.db-wal", "c.db-shm", "c.db.lock"}
        assert set(modes.values()) == {0o600}


@POSIX
def test_every_file_is_for_its_owner_only_whatever_the_umask(tmp_path: Path, identity: Identity) -> None:
    folder = tmp_path / "a" / "b"
    before = os.umask(0)
    try:
        with opened(folder / "c.db", lambda: identity) as store:
            store.settings.set("username", "Ada")
            found = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    finally:
        os.umask(before)
    assert {"c.db", "c.db-wal", "c.db-shm", "c.db.lock"} <= found.keys()
    assert set(found.values()) == {0o600}
    assert [stat.S_IMODE(f.stat().st_mode) for f in (folder, folder.parent)] == [0o700, 0o700]


@POSIX
def test_a_folder_that_exists_is_never_changed(tmp_path: Path, identity: Identity) -> None:
    tmp_path.chmod(0o755)
    with opened(tmp_path / "c.db", lambda: identity):
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_second_cryptochat_on_one_database_is_refused_and_the_first_goes_on(path: Path) -> None:
    with opened(path) as first:
        refused(path, "in use by another CryptoChat")
        first.settings.set("username", "Ada")
        assert first.settings.get("username") == "Ada"
    with opened(path):
        pass


def test_a_database_of_a_newer_version_is_refused_and_untouched(path: Path) -> None:
    with tampered(path) as connection:
        connection.execute(f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    before = path.read_bytes()
    refused(path, "newer CryptoChat")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE bookmarks (url)", "PRAGMA user_version=3", "PRAGMA application_id=7"]
)
def test_another_programs_database_is_refused_and_untouched(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "places.sqlite"
    with tampered(path) as connection:
        connection.execute(statement)
    before = path.read_bytes()
    refused(path, "not a CryptoChat database")
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Bob, " * 500)
    refused(path, "not a CryptoChat database")
    assert path.read_text() == "Dear Bob, " * 500


def test_a_damaged_database_is_refused_and_never_started_over(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[100:4096] = b"\xa5" * 3996  # the table of tables
    path.write_bytes(data)
    refused(path, "damaged")
    assert path.read_bytes() == data


def test_a_database_without_its_identity_is_damaged(path: Path) -> None:
    with tampered(path) as connection:
        connection.execute("DELETE FROM identity")
    refused(path, "damaged: it holds no identity")


def test_a_database_whose_certificate_is_damaged_is_damaged(path: Path) -> None:
    with tampered(path) as connection:
        connection.execute("UPDATE identity SET certificate = x'3082'")
    refused(path, r"damaged \(the certificate cannot be read\)")


@pytest.mark.parametrize("statement", ["x'3082'", "zeroblob(1800)", "substr(private_key, 1, 900)"])
def test_a_database_whose_private_key_is_damaged_is_damaged(path: Path, statement: str) -> None:
    with tampered(path) as connection:
        connection.execute(f"UPDATE identity SET private_key = {statement}")
    refused(path, r"damaged \(the private key cannot be read\)")


def test_a_private_key_that_is_not_the_certificates_is_damage(path: Path) -> None:
    with tampered(path) as connection:
        connection.execute("UPDATE identity SET private_key = ?", (create_identity().private_key,))
    refused(path, r"damaged \(the private key is not the certificate's\)")


def test_an_empty_file_is_a_new_database(tmp_path: Path, identity: Identity) -> None:
    """A first start that was killed leaves one behind."""
    (tmp_path / "c.db").touch()
    with opened(tmp_path / "c.db", lambda: identity) as store:
        assert store.settings.identity() == identity


def test_a_folder_in_the_files_place_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, "cannot open the database")


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused(tmp_path / "file" / "c.db", "cannot open the database")


@POSIX
@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_we_may_not_write_is_refused(path: Path, what: str) -> None:
    with nobody_special():
        folder = Path(tempfile.mkdtemp())
        copy = folder / "c.db"
    try:
        shutil.copyfile(path, copy)
        copy.chmod(0o444)
        folder.chmod(0o555 if what == "folder" else 0o777)
        with nobody_special():
            refused(copy, "[Pp]ermission denied|cannot open")
    finally:
        folder.chmod(0o700)
        shutil.rmtree(folder)


@contextlib.contextmanager
def nobody_special() -> Iterator[None]:
    """As a user whom modes stop; root has every right."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_an_sqlite_that_is_too_old_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cryptochat_lib.store.database.sqlite3.sqlite_version_info", (3, 36, 0))
    with pytest.raises(StartupError, match=r"3\.37"), opened(tmp_path / "c.db"):
        pass
    assert list(tmp_path.iterdir()) == []


# Migrations


def tables(path: Path) -> int:
    with tampered(path) as connection:
        count: int = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        return count


def test_a_first_start_that_fails_leaves_nothing_and_the_next_one_works(
    tmp_path: Path, identity: Identity
) -> None:
    path = tmp_path / "c.db"

    def fail() -> Identity:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), opened(path, fail):
        pass
    assert tables(path) == 0
    with opened(path, lambda: identity) as store:
        assert store.settings.identity() == identity


@POSIX
def test_a_first_start_that_is_killed_in_between_leaves_nothing(tmp_path: Path, identity: Identity) -> None:
    path = tmp_path / "c.db"
    program = f"""
import os, pathlib, signal
from cryptochat_lib.limits import Limits
from cryptochat_lib.store import Store
Store(pathlib.Path({str(path)!r}), Limits()).open(lambda: os.kill(os.getpid(), signal.SIGKILL))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert tables(path) == 0
    with opened(path, lambda: identity) as store:
        assert store.settings.identity() == identity


def test_every_step_that_a_file_has_not_taken_is_taken_in_one_transaction(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = "cryptochat_lib.store.opening.MIGRATIONS"
    monkeypatch.setattr(steps, (*MIGRATIONS, ("CREATE TABLE later (x)",), ("CREATE TABLE nonsense (",)))
    before = tables(path)
    with pytest.raises(StartupError), opened(path):
        pass
    assert tables(path) == before
    monkeypatch.setattr(steps, (*MIGRATIONS, ("CREATE TABLE later (x)",)))
    with opened(path):
        pass
    assert tables(path) == before + 1
    with opened(path):  # and not again
        pass


# Transactions


def test_what_fails_in_between_leaves_nothing(store: Store) -> None:
    def work(tx: sqlite3.Connection) -> None:
        tx.execute("INSERT INTO rooms VALUES ('tea', 0)")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.database.write(work)
    assert store.database.read().execute("SELECT * FROM rooms").fetchall() == []
    store.settings.join(COFFEE)
    assert store.settings.joined_rooms() == [COFFEE]


def test_a_reader_cannot_write(store: Store) -> None:
    store.settings.join(TEA)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        store.database.read().execute("DELETE FROM rooms")


def test_what_is_published_comes_in_the_order_of_the_database(store: Store) -> None:
    """Many threads at once; what shares a commit is published right after it, by whoever leads."""
    published: list[int] = []

    def send() -> None:
        for _ in range(20):
            store.messages.add_own(own(), lambda message: published.append(message.number))
        store.database.close_thread()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert published == [message.number for message in store.messages.page(TEA, 500)]
    assert len(published) == 80


def test_a_full_disk_stores_nothing_and_says_so(store: Store) -> None:
    def work(tx: sqlite3.Connection) -> None:
        tx.execute("INSERT INTO rooms VALUES ('tea', 0)")
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(StorageFull):
        store.database.write(work)
    assert store.database.read().execute("SELECT * FROM rooms").fetchall() == []


def test_near_the_end_of_the_disk_no_message_is_taken(tmp_path: Path, identity: Identity) -> None:
    free = shutil.disk_usage(tmp_path).free
    with opened(tmp_path / "c.db", lambda: identity, Limits(free_disk_bytes=free * 2)) as store:
        with pytest.raises(StorageFull):
            store.messages.add_own(own(), ignore)
        with pytest.raises(StorageFull):
            store.messages.add_received(friend(store), [incoming()], admitted, ignore)
        assert store.messages.page(TEA, 10) == []
        store.settings.set("username", "Ada")


def test_with_room_enough_messages_are_taken(tmp_path: Path, identity: Identity) -> None:
    free = shutil.disk_usage(tmp_path).free
    with opened(tmp_path / "c.db", lambda: identity, Limits(free_disk_bytes=free // 2)) as store:
        assert store.messages.add_own(own(), ignore)


def test_each_thread_closes_its_own_connection(store: Store) -> None:
    """Left to the threads' ends, each HTTP connection would leak descriptors."""
    before = open_files(store.database)

    def read() -> None:
        store.settings.get("colour")
        store.database.close_thread()
        store.database.close_thread()

    for _ in range(20):
        thread = threading.Thread(target=read)
        thread.start()
        thread.join(10)
    assert open_files(store.database) <= before + 1  # SQLite keeps one back while another has a lock


def open_files(database: Database) -> int:
    """How many descriptors this process has on the database and its journal."""
    try:
        numbers = os.listdir("/proc/self/fd")
    except FileNotFoundError:
        pytest.skip("this platform has no /proc")
    found = 0
    for number in numbers:
        with contextlib.suppress(FileNotFoundError):  # the one that listed them
            found += os.readlink(f"/proc/self/fd/{number}").startswith(str(database.path))
    return found


# Keys


def ignore(_: object) -> None:
    """Nobody listens."""


def admitted() -> None:
    """Whoever it is may talk to us."""


def friend(store: Store, certificate: Certificate | None = None) -> KnownKey:
    certificate = certificate or make_certificate()
    key = store.keys.add(certificate, "1", None, 1)
    store.keys.set_trust([(key, Trust.VERIFIED, "number", False)])
    found = store.keys.find(certificate)
    assert found is not None
    return found


def test_everything_about_a_key_survives_a_restart(path: Path) -> None:
    certificate = make_certificate()
    with opened(path) as store:
        key = friend(store, certificate)
        store.keys.set_username(key, "Bob")
        store.keys.set_answered(key, Endpoint("fe80::1%2", 4000))
        store.keys.set_speaks_v1(key)
        store.keys.set_rooms(key.uuid, {TEA: "tea"})
    with opened(path) as store:
        assert store.keys.find(certificate) == KnownKey(
            certificate,
            Trust.VERIFIED,
            "1",
            1,
            1,
            None,
            False,
            "number",
            "Bob",
            Endpoint("fe80::1%2", 4000),
            True,
        )
        assert store.keys.rooms_of_all() == {certificate.uuid: {TEA: "tea"}}


def test_a_key_that_is_seen_again_keeps_what_the_user_said(store: Store) -> None:
    key = friend(store)
    again = store.keys.add(key.certificate, "ignored", "10.0.0.2", 9)
    assert (again.trust, again.safety_number, again.first_seen, again.last_seen, again.address) == (
        Trust.VERIFIED,
        "1",
        1,
        9,
        "10.0.0.2",
    )
    assert store.keys.add(key.certificate, "", None, 10).address == "10.0.0.2"


def test_one_key_of_a_uuid_is_verified_at_most_whoever_asks(store: Store) -> None:
    key = friend(store)
    other = store.keys.add(make_certificate(key.uuid), "2", None, 2)
    with pytest.raises(sqlite3.IntegrityError):
        store.keys.set_trust([(other, Trust.VERIFIED, None, False)])
    assert store.keys.verified(key.uuid) == key


def test_trust_moves_from_one_key_to_another_in_one_step(store: Store) -> None:
    key = friend(store)
    other = store.keys.add(make_certificate(key.uuid), "2", None, 2)
    store.keys.set_trust([(other, Trust.VERIFIED, "click", False), (key, Trust.REJECTED, None, False)])
    verified = store.keys.verified(key.uuid)
    assert verified is not None
    assert verified.certificate == other.certificate


def test_a_certificate_is_found_by_its_bytes_alone(store: Store) -> None:
    key = friend(store)
    assert store.keys.find(make_certificate(key.uuid)) is None
    assert [k.certificate for k in store.keys.of(key.uuid)] == [key.certificate]
    assert store.keys.of(make_uuid()) == []


def test_forgetting_a_uuids_last_key_forgets_its_rooms(store: Store) -> None:
    key = friend(store)
    other = store.keys.add(make_certificate(key.uuid), "2", None, 2)
    store.keys.set_rooms(key.uuid, {TEA: "tea"})
    store.keys.forget([key])
    assert store.keys.rooms_of_all() == {key.uuid: {TEA: "tea"}}
    store.keys.forget([other])
    assert store.keys.rooms_of_all() == {}


def test_our_rooms_and_name_survive_a_restart(path: Path) -> None:
    with opened(path) as store:
        for room in (TEA, COFFEE, TEA):
            store.settings.join(room)
        store.settings.set("username", "Ada")
        store.settings.set("username", "Ada L.")
    with opened(path) as store:
        assert store.settings.joined_rooms() == [COFFEE, TEA]
        assert store.settings.get("username") == "Ada L."
        store.settings.leave(TEA)
        store.settings.leave(TEA)
        assert store.settings.joined_rooms() == [COFFEE]
        assert store.settings.get("colour") is None


# The history

BOB, CAROL = PeerId("00000000-0000-4000-8000-00000000000b"), PeerId("00000000-0000-4000-8000-00000000000c")
_ids = iter(range(10**9))


def own(room: RoomName = TEA, content: str = "hi", to: tuple[PeerId, ...] = ()) -> OwnMessage:
    recipients = tuple(Delivery(uuid, W) for uuid in to)
    return OwnMessage(room, content, PeerId("me"), "our key", "Ada", f"w{next(_ids)}", recipients)


def incoming(
    wire_id: str | None = None, content: str = "ho", room: RoomName = TEA, username: str = "Bob"
) -> Incoming:
    return Incoming(room, username, content, wire_id, 5 if wire_id else None)


def received(store: Store, key: KnownKey, *messages: Incoming) -> list[str]:
    """The contents of what was new."""
    published: list[list[Message]] = []
    new = store.messages.add_received(key, messages, admitted, published.append)
    assert published == [new]
    return [message.content for message in new]


def behind(store: Store, *works: Callable[[], object]) -> None:
    """Run `works` in threads while another write is under way: they share the next commit, in this order."""
    begun, through = threading.Event(), threading.Event()

    def hold(_tx: object) -> None:
        begun.set()
        assert through.wait(10)

    threads = [threading.Thread(target=store.database.write, args=(hold,))]
    threads[0].start()
    assert begun.wait(10)
    for count, work in enumerate(works, 1):
        threads.append(threading.Thread(target=work))
        threads[-1].start()
        wait_until(lambda count=count: len(store.database._commits._waiting) == count)  # type: ignore[misc]
    through.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def test_of_messages_that_share_a_commit_each_has_its_own_recipients(store: Store) -> None:
    away = Delivery(BOB, W, "asleep")
    wanted = [
        own(content="both", to=(BOB, CAROL)),
        own(content="again", to=(BOB, CAROL)),
        own(content="nobody"),
        own(content="carol", to=(CAROL,)),
        own(content="away", to=(CAROL,))._replace(recipients=(away, Delivery(CAROL, W))),
    ]
    store.messages.add_own(own(content="first", to=(BOB, CAROL)), ignore)
    behind(store, *(partial(store.messages.add_own, message, ignore) for message in wanted))
    stored = store.messages.page(TEA, 10)[1:]
    assert [(m.content, set(m.deliveries)) for m in stored] == [
        (m.content, set(m.recipients)) for m in wanted
    ]
    assert [m.content for m in store.queue.waiting(BOB, 10)] == ["first", "both", "again", "away"]
    assert [m.content for m in store.queue.waiting(CAROL, 10)] == ["first", "both", "again", "carol", "away"]


@pytest.mark.parametrize("count", [1, 2, 31, 64, 65, 200])
def test_a_message_to_many_has_a_row_for_each(store: Store, count: int) -> None:
    everybody = [make_uuid() for _ in range(count)]
    store.messages.add_own(own(to=tuple(everybody)), ignore)
    assert store.queue.counts() == dict.fromkeys(everybody, 1)


def test_two_first_messages_to_somebody_at_once_are_both_theirs(store: Store) -> None:
    behind(store, *(partial(store.messages.add_own, own(content=text, to=(BOB,)), ignore) for text in "ab"))
    assert sorted(m.content for m in store.queue.waiting(BOB, 10)) == ["a", "b"]
    store.close()
    with opened(store.database.path) as again:
        again.messages.add_own(own(content="c", to=(CAROL, BOB)), ignore)
        assert [again.queue.counts()[uuid] for uuid in (BOB, CAROL)] == [3, 1]


def test_what_comes_twice_in_one_request_is_stored_once(store: Store) -> None:
    key = friend(store)
    assert received(store, key, incoming("1", "a")) == ["a"]
    twice = [incoming(wire_id, wire_id) for wire_id in ("2", "1", "2", "3")]
    assert received(store, key, *twice) == ["2", "3"]
    assert [m.content for m in store.messages.page(TEA, 10)] == ["a", "2", "3"]


def test_a_message_is_read_as_it_was_stored(store: Store) -> None:
    published: list[Message] = []
    sent = store.messages.add_own(own(content="h\u00e9 \0 \U0001f375", to=(BOB, CAROL)), published.append)
    assert published == [sent]
    assert store.messages.page(TEA, 10) == [sent]
    key = friend(store)
    [came] = store.messages.add_received(key, [incoming("1")], admitted, ignore)
    assert store.messages.page(TEA, 10) == [sent, came]
    assert (came.sender, came.own, came.method, came.sent) == (key.uuid, False, "number", 5)


def test_a_message_that_is_sent_again_is_stored_once(store: Store) -> None:
    """The reply was cut, so the sender tries again with the same id."""
    key = friend(store)
    assert received(store, key, incoming("1"), incoming("2", "second")) == ["ho", "second"]
    assert received(store, key, incoming("1"), incoming("3", "third")) == ["third"]
    assert received(store, key, incoming("4"), incoming("4", "twice in one batch")) == ["ho"]


def test_another_key_with_the_same_id_is_another_message(store: Store) -> None:
    """Or a peer could swallow another's messages by guessing their ids."""
    bob, carol = friend(store), friend(store)
    assert received(store, bob, incoming("1")) == ["ho"]
    assert received(store, carol, incoming("1", "hers")) == ["hers"]


def test_a_key_that_took_over_a_uuid_cannot_swallow_the_old_keys_messages(store: Store) -> None:
    old = friend(store)
    new = store.keys.add(make_certificate(old.uuid), "2", None, 2)
    assert received(store, new, incoming("1")) == ["ho"]
    assert received(store, old, incoming("1", "his")) == ["his"]


def test_a_seed_only_peers_messages_have_no_ids_and_are_all_stored(store: Store) -> None:
    assert received(store, friend(store), incoming(), incoming()) == ["ho", "ho"]


def test_a_message_without_a_name_has_the_name_that_its_key_had_before(store: Store) -> None:
    key = friend(store)
    store.keys.set_username(key, "Bob")
    found = store.keys.find(key.certificate)
    assert found is not None
    [message] = store.messages.add_received(found, [incoming(username="")], admitted, ignore)
    assert message.username == "Bob"


def test_pages_go_back_and_forth_without_gap_or_overlap(store: Store) -> None:
    numbers = []
    for n in range(10):
        numbers.append(store.messages.add_own(own(content=str(n)), ignore).number)
        store.messages.add_own(own(COFFEE), ignore)

    def page(limit: int, **where: int) -> list[str]:
        return [message.content for message in store.messages.page(TEA, limit, **where)]

    assert page(3) == ["7", "8", "9"]
    assert page(3, before=numbers[7]) == ["4", "5", "6"]
    assert page(3, after=numbers[6]) == ["7", "8", "9"]
    assert page(3, after=numbers[0]) == ["1", "2", "3"]
    assert page(50, before=numbers[2]) == ["0", "1"]
    assert page(3, before=numbers[0]) == page(3, after=numbers[9]) == []
    assert page(3, before=0) == []
    assert page(2, after=0) == ["0", "1"]


def test_a_rooms_history_is_that_rooms_alone(store: Store) -> None:
    store.messages.add_own(own(TEA, "a"), ignore)
    store.messages.add_own(own(COFFEE, "b"), ignore)
    assert [m.content for m in store.messages.page(COFFEE, 10)] == ["b"]
    assert [m.content for m in store.messages.since(0, 2**60, 10)] == ["a", "b"]


def test_messages_between_two_numbers_are_those_a_stream_has_missed(store: Store) -> None:
    numbers = [store.messages.add_own(own(), ignore).number for _ in range(5)]
    assert [m.number for m in store.messages.since(numbers[0], numbers[3], 10)] == numbers[1:4]
    assert [m.number for m in store.messages.since(numbers[0], numbers[3], 2)] == numbers[1:3]


def test_a_number_is_never_used_again(path: Path) -> None:
    with opened(path) as store:
        first = store.messages.add_own(own(), ignore).number
        burnt = store.messages.burn_number()
        store.database.write(lambda tx: tx.execute("DELETE FROM messages"))
    with opened(path) as store:
        assert first < burnt < store.messages.add_own(own(), ignore).number


# The queue


def states(store: Store, uuid: PeerId) -> list[tuple[DeliveryState, str | None]]:
    return [
        (d.state, d.reason) for m in store.messages.page(TEA, 500) for d in m.deliveries if d.uuid == uuid
    ]


def queue_for_bob(store: Store, count: int) -> list[int]:
    return [store.messages.add_own(own(content=str(n), to=(BOB, CAROL)), ignore).number for n in range(count)]


def test_what_waits_survives_a_restart_in_its_order(path: Path) -> None:
    with opened(path) as store:
        numbers = queue_for_bob(store, 3)
        store.queue.settle(BOB, numbers[:1], D, None)
    with opened(path) as store:
        assert [m.number for m in store.queue.waiting(BOB, 10)] == numbers[1:]
        assert [m.number for m in store.queue.waiting(CAROL, 2)] == numbers[:2]
        assert store.queue.counts() == {BOB: 2, CAROL: 3}
        assert store.queue.waits_for(BOB)
        assert not store.queue.waits_for(make_uuid())


def test_a_delivery_comes_to_its_end_once(store: Store) -> None:
    [number] = queue_for_bob(store, 1)
    [progress] = store.queue.settle(BOB, [number], D, None)
    assert (progress.number, progress.room, progress.uuid, progress.state) == (number, TEA, BOB, D)
    assert store.queue.settle(BOB, [number], DeliveryState.REFUSED, "late") == []
    assert states(store, BOB) == [(D, None)]
    assert states(store, CAROL) == [(W, None)]


def test_a_new_reason_to_wait_is_told_once(store: Store) -> None:
    [number] = queue_for_bob(store, 1)
    assert len(store.queue.settle(BOB, [number], W, "asleep")) == 1
    assert store.queue.settle(BOB, [number], W, "asleep") == []
    assert len(store.queue.settle(BOB, [number], W, "undecided")) == 1


def test_everything_that_waits_for_somebody_can_be_withheld_at_once(store: Store) -> None:
    queue_for_bob(store, 3)
    assert len(store.queue.settle_all(BOB, DeliveryState.WITHHELD, "rejected")) == 3
    assert store.queue.settle_all(BOB, DeliveryState.WITHHELD, "rejected") == []
    assert not store.queue.waits_for(BOB)
    assert store.queue.waits_for(CAROL)


def test_past_the_limit_the_oldest_expires(store: Store) -> None:
    numbers = queue_for_bob(store, 5)
    assert store.queue.expire(BOB, older_than=0, keep=5) == []
    assert [p.number for p in store.queue.expire(BOB, older_than=0, keep=3)] == numbers[:2]
    assert [state for state, _ in states(store, BOB)] == [X, X, W, W, W]


def test_what_waited_too_long_expires(store: Store) -> None:
    queue_for_bob(store, 3)
    times = [message.time for message in store.queue.waiting(BOB, 10)]
    assert store.queue.expire(BOB, older_than=times[0], keep=10) == []
    assert len(store.queue.expire(BOB, older_than=times[2] + 1, keep=10)) == 3
    assert store.queue.waits_for(CAROL)


def test_many_small_commits_leave_a_small_log(tmp_path: Path, identity: Identity) -> None:
    """While readers come and go: nothing but a commit moves the log into the database."""
    with opened(tmp_path / "a.db", lambda: identity) as store:
        most = 0
        for number in range(1500):
            store.database.write(
                lambda tx, number=number: tx.executemany(
                    "INSERT OR REPLACE INTO settings VALUES (?, ?)",
                    [(f"{number % 40}-{row}", "x" * 1000) for row in range(10)],
                )
            )
            store.settings.get("0-0")
            most = max(most, (tmp_path / "a.db-wal").stat().st_size)
        assert most < 8 * 2**20

"""The full-text index: it finds what a reader of every message would find, and as fast in a large history."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from certificates import make_certificate
from hypothesis import given, settings
from hypothesis import strategies as st

from cryptochat_lib import words
from cryptochat_lib.identity import Identity
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Message, PeerId, RoomName
from cryptochat_lib.store import Store, search
from cryptochat_lib.store.messages import OwnMessage
from cryptochat_lib.wire import Incoming

TEA, COFFEE = RoomName("tea"), RoomName("coffee")
ADA, BOB = (PeerId(f"00000000-0000-4000-8000-00000000000{digit}") for digit in "ab")
Said = tuple[RoomName, PeerId, str]
_ids = iter(range(10**9))


def ignore(_: object) -> None:
    """Nobody listens."""


def say(store: Store, content: str, room: RoomName = TEA, sender: PeerId = ADA) -> Message:
    return store.messages.add_own(
        OwnMessage(room, content, sender, "key", "Ada", f"w{next(_ids)}", ()), ignore
    )


def find(
    store: Store,
    asked: str,
    limit: int = 500,
    room: RoomName | None = None,
    sender: PeerId | None = None,
    before: int | None = None,
) -> list[str]:
    query = words.parse_query(asked, most=128)
    return [message.content for message in store.messages.search(query, limit, room, sender, before)]


@pytest.fixture(params=[1, 3, 10_000], ids=["indexed", "partly", "read"])
def stretch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many of the newest messages are read instead of indexed."""
    monkeypatch.setattr(search, "STRETCH", request.param)
    return int(request.param)


@pytest.mark.usefixtures("stretch")
def test_words_are_found_newest_first_in_pages(store: Store) -> None:
    said = [say(store, f"tea number {n}") for n in range(10)]
    assert find(store, "tea") == [f"tea number {n}" for n in range(9, -1, -1)]
    assert find(store, "TEA numb", limit=2) == ["tea number 9", "tea number 8"]
    assert find(store, "tea", limit=3, before=said[7].number) == [f"tea number {n}" for n in (6, 5, 4)]
    assert find(store, "tea", before=said[0].number) == find(store, "tea", before=0) == []
    assert find(store, "7 tea") == ["tea number 7"]
    assert find(store, "coffee") == find(store, "") == find(store, "?!") == []


@pytest.mark.usefixtures("stretch")
def test_rooms_and_senders_are_filters(store: Store) -> None:
    say(store, "one here", TEA, ADA)
    say(store, "one there", COFFEE, ADA)
    say(store, "one from Bob", TEA, BOB)
    assert find(store, "one", room=TEA) == ["one from Bob", "one here"]
    assert find(store, "one", sender=ADA) == ["one there", "one here"]
    assert find(store, "one", room=TEA, sender=ADA) == ["one here"]
    assert (
        find(store, "one", room=RoomName("one")) == find(store, "tea") == find(store, "there", room=TEA) == []
    )


@pytest.mark.usefixtures("stretch")
def test_the_beginning_of_a_word_finds_it_however_many_there_are(store: Store) -> None:
    """Of few words with that beginning, of more than are looked up, and of so short a one that it is kept."""
    for n in range(search._MOST_ENDINGS + 5):
        say(store, f"inter{n:03} 京都")
    every = [f"inter{n:03} 京都" for n in range(search._MOST_ENDINGS + 4, -1, -1)]
    for beginning in ("i", "int", "inte", "inter", "inter0"):
        assert find(store, beginning) == every
        assert find(store, f"京都 {beginning}") == every
    assert find(store, "inter00") == every[-10:]
    assert find(store, '"inter00"') == find(store, "inter00 京") == []
    assert find(store, "inter003 京") == ["inter003 京都"]


def test_a_long_message_is_indexed_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or everybody who searches would have to read it."""
    say(store, "short")
    say(store, "long " * 1000)
    monkeypatch.setattr(words, "find", lambda *_: pytest.fail("it was read"))
    assert find(store, "long") == ["long " * 1000]
    assert find(store, "short") == ["short"]


def test_what_was_rolled_back_is_not_indexed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "STRETCH", 1)

    def work(tx: sqlite3.Connection) -> None:
        tx.execute("SAVEPOINT one")
        tx.execute("UPDATE messages SET content = 'vanished'")
        search.rebuild(tx)
        tx.execute("ROLLBACK TO one")

    say(store, "stays")
    store.database.write(work)
    assert (find(store, "vanished"), find(store, "stays")) == ([], ["stays"])
    say(store, "and goes on")
    assert find(store, "goes") == ["and goes on"]


TEXTS = st.text('aAbé京都お ".*_1', max_size=12) | st.sampled_from(["", "a", "ab", "京都", "b a", "_ra", "_"])
MESSAGES = st.lists(
    st.tuples(st.sampled_from([TEA, COFFEE]), st.sampled_from([ADA, BOB]), TEXTS), max_size=12
)


@settings(max_examples=150, deadline=None)
@given(
    MESSAGES,
    TEXTS,
    st.sampled_from([None, TEA]),
    st.sampled_from([None, BOB]),
    st.sampled_from([1, 4, 10_000]),
    st.integers(1, 5),
)
def test_it_finds_what_a_reader_of_every_message_would_find(
    identity: Identity,
    said: list[Said],
    asked: str,
    room: RoomName | None,
    sender: PeerId | None,
    stretch: int,
    limit: int,
) -> None:
    query = words.parse_query(asked, most=128)
    wanted = [
        content
        for in_room, by, content in reversed(said)
        if room in (None, in_room) and sender in (None, by) and words.find(query, content)
    ]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "STRETCH", stretch)
        for store in opened(Path(folder) / "c.db", identity):
            for in_room, by, content in said:
                say(store, content, in_room, by)
            assert find(store, asked, limit, room, sender) == (wanted[:limit] if query.phrases else [])


def opened(path: Path, identity: Identity) -> Iterator[Store]:
    store = Store(path, Limits(free_disk_bytes=0))
    store.open(lambda: identity)
    try:
        yield store
    finally:
        store.close()


STRANGE = [
    'a" OR "b',
    "a* AND b",
    "NEAR(a b, 5)",
    "words : a",
    "{words} : a",
    "^a",
    "a - b",
    "(a",
    "a \0 b",
    "'; DROP TABLE messages; --",
    "\\",
    '"' * 999,
    "_r" + "0" * 32,
    "a" * 15_000,
    " ".join(f"w{n}" for n in range(128)),
    "京" * 128,
    "🍵" * 100,
    "\u202e\ufeff\ufffe\U000e0001",
]


@pytest.mark.parametrize("asked", STRANGE)
@pytest.mark.usefixtures("stretch")
def test_no_query_means_anything_to_the_database(store: Store, asked: str) -> None:
    say(store, "b, nothing else")
    say(store, asked)
    query = words.parse_query(asked, most=128)
    assert find(store, asked) == ([asked] if query.phrases else [])


def test_an_index_made_by_other_rules_is_made_anew(tmp_path: Path, identity: Identity) -> None:
    """Another Python has other Unicode tables: what it would delete is not what is there."""
    path = tmp_path / "c.db"
    for store in opened(path, identity):
        say(store, "straße")
        store.database.write(
            lambda tx: tx.execute("UPDATE search_state SET rules = '0, Unicode 3.2', indexed = 7")
        )
    for store in opened(path, identity):
        assert find(store, "strasse") == ["straße"]
        rows = store.database.read().execute("SELECT indexed, rules FROM search_state").fetchall()
        assert [tuple(row) for row in rows] == [(1, words.RULES)]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["c.db", "c.db.lock"]


def test_a_sender_who_has_a_key_is_found_by_it(store: Store) -> None:
    uuid = make_certificate().uuid
    say(store, "hello", sender=uuid)
    assert find(store, "hello", sender=uuid) == ["hello"]


def test_a_long_beginning_is_asked_for_as_the_words_that_there_are(store: Store) -> None:
    """FTS5 alone would read every row of all of these words: 80 ms in a history of a million."""
    for content in ("hello", "hello", "help", "Helsinki", "held"):
        say(store, content)
    store.database.write(search.rebuild)
    asked = [
        search._match(store.database.read(), words.parse_query(q, 9), ["", "_r1"]) for q in ("hell", "x hel")
    ]
    assert asked == ['"_r1" AND ("hello")', '"_r1" AND "x" AND "hel" *']


def test_messages_that_were_known_already_do_not_keep_the_index_from_growing(
    tmp_path: Path, identity: Identity
) -> None:
    """They take numbers too: whatever number a new one gets, a stretch is filled after so many."""
    store = Store(tmp_path / "c.db", Limits(free_disk_bytes=0))
    store.open(lambda: identity)
    certificate = make_certificate()
    key = store.keys.add(certificate, "1", None, 1)
    known = [Incoming(TEA, "Bob", "known", f"known {n}", 1) for n in range(99)]
    store.messages.add_received(key, known, lambda: None, ignore)
    store.messages.burn_number()
    for number in range(300):
        new = Incoming(TEA, "Bob", "new", f"new {number}", 1)
        store.messages.add_received(key, [new, *known], lambda: None, ignore)
        [left] = (
            store.database.read()
            .execute("SELECT count(*) FROM messages WHERE number > (SELECT indexed FROM search_state)")
            .fetchone()
        )
        assert left <= 128
    store.close()

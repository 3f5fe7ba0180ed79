"""The event stream: where it starts, how it resumes, and that nothing is lost and nothing comes twice.

The racing tests are certain: what happens "at the same time" happens at the worst
moment, inside of a call that the stream itself makes.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from certificates import make_certificate

from cryptochat_lib import shapes
from cryptochat_lib.connections import Connections
from cryptochat_lib.errors import BadRequest
from cryptochat_lib.events import EventLog, message_event_number
from cryptochat_lib.gates import Gates
from cryptochat_lib.identity import Identity
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Certificate, Message, PeerId, RoomName
from cryptochat_lib.presence import Presence
from cryptochat_lib.questions import QUEUED
from cryptochat_lib.sse import EventStreams
from cryptochat_lib.store import Store
from cryptochat_lib.store.messages import OwnMessage
from cryptochat_lib.verification import Verification

TEA = RoomName("tea")
COMMENT = b": still here\n\n"
_ids = itertools.count()


@dataclass(frozen=True)
class Got:
    """One event as a reader gets it. `kind` None: the default type."""

    id: int
    kind: str | None
    data: Any


class Run:
    """One run of a node, as far as its streams need it."""

    def __init__(self, store: Store, own: Certificate, **limits: Any) -> None:
        self.store = store
        scaled = Limits(**{"sse_comment_seconds": 0.02, **limits})
        self.events = EventLog(scaled)
        self.events.start(store.messages.burn_number())
        self.verification = Verification(
            own, store, self.events, Presence(scaled), Connections(9, 9, 9), Gates(scaled), scaled
        )
        self.streams = EventStreams(self.events, store, self.verification.questions, scaled)

    def send(self, content: str, publish: Callable[[Message], None] | None = None) -> Message:
        return self.store.messages.add_own(
            OwnMessage(TEA, content, PeerId("me"), "our key", "Ada", f"w{next(_ids)}", ()),
            publish or self.publish,
        )

    def publish(self, message: Message) -> None:
        self.events.publish_message(message.number, lambda: shapes.message(message), shapes.size(message))

    def ask(self) -> str:
        certificate = make_certificate()
        key, _ = self.verification.learn(certificate, None, lambda _uuid: False)
        self.verification.questions.ask(key, QUEUED)
        return certificate.uuid

    def open(self, last: object = None, stream: str | None = None) -> Reader:
        return Reader(self.streams.open(stream, None if last is None else str(last)))


class Reader:
    """Somebody who reads a stream."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        assert next(chunks).startswith(b":")  # so that the reader knows that it is open

    def next(self) -> Got:
        return parse(next(chunk for chunk in itertools.islice(self._chunks, 500) if chunk != COMMENT))

    def rest(self) -> list[Got]:
        """Everything until nothing comes any more."""
        return [parse(chunk) for chunk in itertools.takewhile(lambda chunk: chunk != COMMENT, self._chunks)]

    def chunk(self) -> bytes:
        return next(self._chunks)


def parse(chunk: bytes) -> Got:
    assert chunk.endswith(b"\n\n")
    fields = dict(line.split(": ", 1) for line in chunk.decode().splitlines() if line)
    assert fields.keys() <= {"id", "event", "data"}
    return Got(int(fields["id"]), fields.get("event"), json.loads(fields["data"]))


def contents(got: list[Got]) -> list[str]:
    """The messages among them; and the numbers of all only grow."""
    numbers = [event.id for event in got]
    assert numbers == sorted(set(numbers))
    return [event.data["content"] for event in got if event.kind == "messages"]


@pytest.fixture
def run(store: Store, identity: Identity) -> Run:
    return Run(store, identity.certificate)


# The start


def test_a_new_stream_has_the_open_questions_first_and_then_what_is_new(run: Run) -> None:
    run.send("before")
    asked = [run.ask(), run.ask()]
    reader = run.open()
    assert [event.data["uuid"] for event in reader.rest()] == asked
    run.send("after")
    run.events.publish("users", {"users": []})
    assert [(event.kind, event.data.get("content")) for event in reader.rest()] == [
        ("messages", "after"),
        ("users", None),
    ]


def test_every_event_has_an_id_that_grows_and_a_kind(run: Run) -> None:
    run.ask()
    reader = run.open()
    got = reader.rest()
    run.events.publish("users", {})
    run.send("hi")
    got += reader.rest()
    contents(got)
    assert [event.kind for event in got] == ["verification", "users", "messages"]


@pytest.mark.parametrize("stream", ["verification", "messages"])
def test_the_seeds_streams_have_one_kind_of_event_with_the_default_type(run: Run, stream: str) -> None:
    reader = run.open(stream=stream)
    reader.rest()
    run.send("hi")
    run.ask()
    run.events.publish("users", {})
    got = reader.rest()
    assert [event.kind for event in got] == [None]
    assert ("content" in got[0].data) is (stream == "messages")


@pytest.mark.parametrize("stream", ["", "users", "delivery", "rooms", "reset", "Messages"])
def test_another_streams_name_is_refused_before_anything_is_sent(run: Run, stream: str) -> None:
    with pytest.raises(BadRequest):
        run.streams.open(stream, None)


def test_nothing_in_a_message_can_end_its_event(run: Run) -> None:
    reader = run.open()
    evil = "a\n\nid: 1\nevent: reset\ndata: {}\n\n\r\r\0\u2028"
    run.send(evil)
    assert contents(reader.rest()) == [evil]


def test_a_silent_stream_says_that_it_is_there(run: Run) -> None:
    reader = run.open()
    assert reader.chunk() == COMMENT


def test_a_stream_on_which_only_others_events_come_says_that_it_is_there(run: Run) -> None:
    reader = run.open(stream="messages")
    found = []
    for _ in range(200):
        run.events.publish("users", {})
        found.append(reader.chunk())
        if COMMENT in found:
            return
    pytest.fail("no comment came")


def test_a_second_tab_does_not_set_the_first_one_spinning(run: Run) -> None:
    """It takes numbers for the open questions, which are no event for anybody else."""
    run.ask()
    first = run.open()
    first.rest()
    waits: list[float] = []
    real_after = run.events.after

    def after(number: int, timeout: float) -> Any:
        found = real_after(number, timeout)
        waits.append(timeout if found == [] else 0)
        return found

    run.open().rest()
    run.events.after = after  # type: ignore[method-assign]
    assert first.chunk() == COMMENT
    assert len(waits) == 1


def test_a_stream_ends_when_the_log_is_closed(run: Run) -> None:
    reader = run.open()
    run.events.close()
    with pytest.raises(StopIteration):
        reader.chunk()


def test_what_happens_between_the_reply_and_the_first_event_is_not_lost(run: Run) -> None:
    """A page that has the reply fetches the state; from that moment on the stream must have everything."""
    chunks = run.streams.open(None, None)
    run.send("meanwhile")
    assert contents(Reader(chunks).rest()) == ["meanwhile"]


# Resuming


def test_a_reader_resumes_with_nothing_lost_and_nothing_twice(run: Run) -> None:
    reader = run.open()
    run.send("one")
    last = reader.next().id
    run.send("two")
    run.events.publish("users", {})
    run.send("three")
    got = run.open(last).rest()
    assert contents(got) == ["two", "three"]
    assert [event.kind for event in got] == ["messages", "users", "messages"]
    assert run.open(got[-1].id).rest() == []


def test_a_reader_resumes_wherever_it_stopped(run: Run) -> None:
    reader = run.open()
    for n in range(5):
        run.send(str(n))
        run.events.publish("users", {"n": n})
    everything = reader.rest()
    for n, event in enumerate(everything):
        assert run.open(event.id).rest() == everything[n + 1 :]


def test_an_id_older_than_the_log_gets_the_missed_messages_and_one_reset(
    store: Store, identity: Identity
) -> None:
    run = Run(store, identity.certificate, events_kept=2)
    reader = run.open()
    run.send("one")
    last = reader.next().id
    for n in range(4):
        run.send(str(n))
        run.events.publish("users", {})
    got = run.open(last).rest()
    assert contents(got) == ["0", "1", "2", "3"]
    assert [event.kind for event in got] == ["messages"] * 4 + ["reset"]
    assert got[-1].data == {}


def test_after_a_reset_the_open_questions_come_again(store: Store, identity: Identity) -> None:
    run = Run(store, identity.certificate, events_kept=1)
    asked = [run.ask(), run.ask()]
    got = run.open(1).rest()
    assert [(event.kind, event.data.get("uuid")) for event in got] == [
        ("reset", None),
        ("verification", asked[0]),
        ("verification", asked[1]),
    ]
    contents(got)


def test_after_a_reset_the_stream_goes_on(store: Store, identity: Identity) -> None:
    run = Run(store, identity.certificate, events_kept=1)
    reader = run.open(1)
    assert [event.kind for event in reader.rest()] == ["reset"]
    run.send("after")
    assert contents(reader.rest()) == ["after"]


def test_after_a_restart_the_messages_of_the_run_before_are_replayed(
    store: Store, identity: Identity
) -> None:
    before = Run(store, identity.certificate)
    reader = before.open()
    before.send("one")
    last = reader.next().id
    before.send("two")
    after = Run(store, identity.certificate)
    after.send("three")
    reader = after.open(last)
    got = reader.rest()
    assert contents(got) == ["two", "three"]
    assert [event.kind for event in got].count("reset") == 1
    after.send("four")
    assert contents(reader.rest()) == ["four"]


def test_a_reader_that_stopped_within_a_replay_resumes_there(store: Store, identity: Identity) -> None:
    before = Run(store, identity.certificate)
    for n in range(5):
        before.send(str(n))
    after = Run(store, identity.certificate)
    reader = after.open(0)
    seen = [reader.next() for _ in range(3)]
    rest = after.open(seen[-1].id).rest()
    assert contents(seen + rest) == ["0", "1", "2", "3", "4"]
    assert [event.kind for event in rest] == ["messages"] * 2 + ["reset"]


def test_a_reader_that_stopped_anywhere_within_a_replay_still_gets_its_reset(
    store: Store, identity: Identity
) -> None:
    """Also at messages that the log still has: what else it had before them has gone by."""
    run = Run(store, identity.certificate, events_kept=4)
    start = run.events.latest
    run.events.publish("users", {"users": ["lost, were it not for the reset"]})
    expected = [run.send(str(n)).content for n in range(10)]
    run.ask()
    everything = run.open(start).rest()
    assert [event.kind for event in everything] == ["messages"] * 10 + ["reset", "verification"]
    assert run.open(everything[-1].id).rest() == []
    for n, event in enumerate(everything[:-1], 1):
        rest = run.open(event.id).rest()
        assert contents(everything[:n] + rest) == expected
        assert [event.kind for event in rest] == ["messages"] * max(0, 10 - n) + ["reset", "verification"]


def test_who_had_a_message_that_another_replays_loses_nothing_and_gets_nothing_twice(
    store: Store, identity: Identity
) -> None:
    run = Run(store, identity.certificate, events_kept=4)
    start = run.events.latest
    live = run.open()
    before = []
    for n in range(6):
        run.send(str(n))
        before.append(live.next())
    other = run.open(start).rest()
    assert before[-1] in other
    run.send("6")
    for reader in (live, run.open(before[-1].id)):
        rest = reader.rest()
        assert contents(before + rest) == [str(n) for n in range(7)]
        assert [event.kind for event in rest].count("reset") <= 1


def test_however_many_are_cut_off_within_a_replay_each_gets_its_reset(
    store: Store, identity: Identity
) -> None:
    """More numbers at which nobody can resume than the log keeps of anything."""
    run = Run(store, identity.certificate, events_kept=6)
    start = run.events.latest
    for n in range(9):
        run.send(str(n))
    for _ in range(5):
        run.ask()
    cut = []
    for _ in range(16):
        reader = run.open(start)
        cut.append([reader.next() for _ in range(11)])
    for seen in cut:
        assert [event.kind for event in seen] == ["messages"] * 9 + ["reset", "verification"]
        rest = run.open(seen[-1].id).rest()
        assert [event.kind for event in rest] == ["reset"] + ["verification"] * 5
        assert contents(seen + rest) == [str(n) for n in range(9)]


def test_a_long_history_is_replayed_in_pieces(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cryptochat_lib.sse._REPLAYED_AT_ONCE", 3)
    for n in range(10):
        run.send(str(n))
    assert contents(run.open(0).rest()) == [str(n) for n in range(10)]


@pytest.mark.parametrize("last", ["", "x", "-1", "1.5", "\u0665", "9" * 20, "1 "])
def test_an_id_that_cannot_be_ours_is_as_none(run: Run, last: str) -> None:
    run.send("before")
    assert run.open(last).rest() == []


@pytest.mark.parametrize("last", [10**19 - 1, message_event_number(10**9)])
def test_an_id_that_we_have_not_given_yet_gets_a_reset(run: Run, last: int) -> None:
    """The database was replaced by an older copy."""
    run.send("before")
    assert [event.kind for event in run.open(last).rest()] == ["reset"]


# Races


def test_a_message_stored_while_the_history_is_replayed_comes_once(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before each look into the database another message is stored and published."""
    real_since = run.store.messages.since
    more = iter(["during 1", "during 2"])

    def since(*args: Any) -> list[Message]:
        for content in itertools.islice(more, 1):
            run.send(content)
        return real_since(*args)

    monkeypatch.setattr(run.store.messages, "since", since)
    run.send("before")
    assert contents(run.open(0).rest()) == ["before", "during 1", "during 2"]


def test_a_message_that_is_stored_and_not_yet_published_comes_once(run: Run) -> None:
    """The database shows it already; the log does not. A reader comes in between."""
    readers: list[Reader] = []
    first: list[Got] = []

    def publish_late(message: Message) -> None:
        for last in (None, 0):
            readers.append(run.open(last))
            first.extend(readers[-1].rest())
        run.publish(message)

    run.send("the one", publish_late)
    assert contents(readers[0].rest()) == ["the one"]
    assert contents(first) + contents(readers[1].rest()) == ["the one"]


def test_a_question_asked_while_a_stream_takes_its_place_comes_once(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right after the place was taken, before the reader waits behind it."""
    early = run.ask()
    real_questions = run.verification.questions.open
    late: list[str] = []

    def questions(*args: Any) -> Any:
        found = real_questions(*args)
        monkeypatch.setattr(run.verification.questions, "open", real_questions)
        late.append(run.ask())
        return found

    monkeypatch.setattr(run.verification.questions, "open", questions)
    assert [event.data["uuid"] for event in run.open().rest()] == [early, *late]


def test_events_dropped_from_the_log_while_a_reader_waits_cost_a_reset_and_no_message(
    store: Store, identity: Identity
) -> None:
    run = Run(store, identity.certificate, events_kept=2)
    reader = run.open()
    reader.rest()
    for n in range(6):
        run.send(str(n))
    got = reader.rest()
    assert contents(got) == [str(n) for n in range(6)]
    assert [event.kind for event in got].count("reset") == 1


def test_many_writers_and_readers_that_come_and_go_lose_nothing(store: Store, identity: Identity) -> None:
    """Each reader reads two events, goes, and resumes; the log is far too small for all of them."""
    run = Run(store, identity.certificate, events_kept=4)
    start = run.events.latest

    def write(name: str) -> None:
        for n in range(25):
            run.send(f"{name}{n}")
        store.database.close_thread()

    seen: dict[int, list[str]] = {}

    def read(number: int) -> None:
        last, mine = start, seen.setdefault(number, [])
        while len(mine) < 100:
            reader = run.open(last)
            for event in (reader.next(), reader.next()) if len(mine) < 99 else (reader.next(),):
                last = event.id
                if event.kind == "messages":
                    mine.append(event.data["content"])
        store.database.close_thread()

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    threads += [threading.Thread(target=read, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads[:4]:
        thread.join(30)
    run.events.publish("users", {})  # whoever waits for a second event gets one
    run.events.publish("users", {})
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    expected = [message.content for message in store.messages.page(TEA, 500)]
    assert len(expected) == 100
    assert all(mine == expected for mine in seen.values())


def test_a_reader_that_never_reads_holds_nothing_up_and_keeps_nothing(
    store: Store, identity: Identity, tmp_path: Path
) -> None:
    run = Run(store, identity.certificate, events_kept=3)
    idle = run.open()
    for n in range(50):
        run.send(str(n))
    assert len(run.events._events) == 3
    assert contents(idle.rest())[-1] == "49"

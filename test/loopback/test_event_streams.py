"""The event streams: what they look like, and that nothing is lost and nothing comes twice."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest
from loopback_http import ask, check_headers, check_problem, split_replies
from loopback_node import LoopbackNode, befriend
from loopback_peer import HandmadePeer, know
from loopback_stream import EventReader

StartNode = Callable[..., LoopbackNode]


def test_a_stream_is_one_of_events_with_every_header(shared: LoopbackNode) -> None:
    with socket.create_connection(("127.0.0.1", shared.ui_port), 10) as sock:
        sock.sendall(
            f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:{shared.ui_port}\r\n"
            f"Authorization: Bearer {shared.token}\r\n\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += sock.recv(1)
    [reply] = split_replies(head)
    assert reply.status == 200
    assert reply.fields["content-type"] == "text/event-stream"
    check_headers(reply)


@pytest.mark.parametrize("stream", ["rooms", "users", "delivery", "reset", "Messages", "x", ""])
def test_another_stream_is_malformed(shared: LoopbackNode, stream: str) -> None:
    check_problem(ask(shared, "GET", f"/api/events?stream={stream}"), 400, "malformed")


def test_the_seed_s_streams_use_the_default_type(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    know(ada, mallory)
    with (
        EventReader(ada, stream="verification") as verification,
        EventReader(ada, stream="messages") as messages,
    ):
        ada.send("tea", "hello")
        asked, said = verification.next(), messages.next()
    assert asked.kind == said.kind == "message"
    assert asked.data["uuid"] == mallory.uuid
    assert said.data["content"] == "hello"
    assert int(asked.id) > 0
    assert int(said.id) > 0


def test_one_stream_of_all_names_each_kind(start_node: StartNode) -> None:
    ada, bob = start_node("Ada"), start_node("Bob")
    befriend(ada, bob)
    with EventReader(ada) as reader:
        message = ada.send("tea", "hello")
        ada.wait_delivery(message, bob.uuid, "delivered")
        ada.join("coffee")
        events = reader.until(
            lambda event: (
                event.kind == "rooms"
                and any(room["name"] == "coffee" and room["joined"] for room in event.data["rooms"])
            )
        )
    [said] = [event.data for event in events if event.kind == "messages"]
    [done] = [
        event.data for event in events if event.kind == "delivery" and event.data["state"] == "delivered"
    ]
    assert said == message
    assert done == {
        "id": message["id"],
        "room": "tea",
        "uuid": bob.uuid,
        "state": "delivered",
        "reason": None,
    }
    numbers = [int(event.id) for event in events]
    assert numbers == sorted(set(numbers))


def test_a_new_stream_begins_with_the_open_questions(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    know(ada, mallory)
    ada.post(f"/api/users/{mallory.uuid}/look")
    ada.wait_for("verification", uuid=mallory.uuid)
    ada.send("tea", "before")
    with EventReader(ada) as reader:
        ada.send("tea", "after")
        events = reader.until(lambda event: event.data.get("content") == "after")
        assert (events[0].kind, events[0].data["uuid"]) == ("verification", mallory.uuid)
        assert [event.data["content"] for event in events if event.kind == "messages"] == ["after"]
        ada.verify(mallory.uuid)
    with EventReader(ada, stream="verification") as answered:
        ada.send("tea", "nothing is open any more")
        answered.be_patient_for(0.3)
        with pytest.raises(TimeoutError):
            answered.next()


def test_a_stream_that_is_cut_again_and_again_is_whole(ada: LoopbackNode) -> None:
    ada.join("tea")
    ada.send("tea", "before")
    with EventReader(ada, stream="messages") as reader:
        ada.send("tea", "3")
        last = reader.next().id
    seen = ["3"]
    for round_number in range(6):
        sent = [f"{round_number}.{number}" for number in range(4)]
        for content in sent:
            ada.send("tea", content)
        with EventReader(ada, stream="messages", after=last) as reader:
            for _ in range(3):  # one fewer than there are: the rest comes next time
                event = reader.next()
                seen.append(event.data["content"])
                last = event.id
    with EventReader(ada, stream="messages", after=last) as reader:
        seen += reader.messages_until("5.3")
    assert seen == ["3", *(f"{a}.{b}" for a in range(6) for b in range(4))]


def test_a_reader_resumes_across_a_restart(ada: LoopbackNode) -> None:
    ada.join("tea")
    with EventReader(ada) as reader:
        ada.send("tea", "seen")
        last = reader.until(lambda event: event.data.get("content") == "seen")[-1].id
    ada.send("tea", "missed")
    ada.restart()
    ada.send("tea", "after the restart")
    with EventReader(ada, after=last) as reader:
        events = reader.until(lambda event: event.kind == "reset")
        assert [event.data["content"] for event in events[:-1] if event.kind == "messages"] == [
            "missed",
            "after the restart",
        ]
        ada.send("tea", "live")
        events += reader.until(lambda event: event.data.get("content") == "live")
    assert [event.data["content"] for event in events if event.kind == "messages"] == [
        "missed",
        "after the restart",
        "live",
    ]
    numbers = [int(last), *(int(event.id) for event in events)]
    assert numbers == sorted(set(numbers))


def test_an_id_older_than_the_log_gets_one_reset_and_every_message(start_node: StartNode) -> None:
    ada = start_node("Ada", events_kept=3)
    ada.join("tea")
    with EventReader(ada) as reader:
        ada.send("tea", "first")
        last = reader.until(lambda event: event.data.get("content") == "first")[-1].id
    for number in range(300):  # more than one page of the database
        ada.send("tea", str(number))
    with EventReader(ada, after=last) as reader:
        events = reader.until(lambda event: event.data.get("content") == "299")
        ada.send("tea", "live")
        events += reader.until(lambda event: event.data.get("content") == "live")
    contents = [event.data["content"] for event in events if event.kind == "messages"]
    assert contents == [*(str(number) for number in range(300)), "live"]
    assert [event.kind for event in events].count("reset") == 1


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "٣", "9" * 40, ""])
def test_an_id_that_is_none_of_ours_does_no_harm(shared: LoopbackNode, last: str) -> None:
    shared.join("ids")
    with EventReader(shared, stream="messages", after=last) as reader:
        shared.send("ids", "hello")
        assert reader.messages_until("hello")[-1] == "hello"


def test_an_id_from_the_future_gets_a_reset(shared: LoopbackNode) -> None:
    with EventReader(shared, after=str(2**62)) as reader:
        assert reader.until(lambda event: event.kind == "reset")


def test_silence_is_broken_by_a_comment(start_node: StartNode) -> None:
    ada = start_node("Ada", sse_comment_seconds=0.1)
    with EventReader(ada, stream="messages") as reader:
        begun = len(reader.comments)
        while len(reader.comments) < begun + 3:
            reader.line()


def test_comments_come_also_while_only_other_streams_have_events(start_node: StartNode) -> None:
    ada = start_node("Ada", sse_comment_seconds=0.6)
    done = threading.Event()

    def chatter() -> None:  # `rooms` events, each sooner than the comment after the one before falls due
        while not done.wait(0.05):
            ada.join("tea")
            ada.leave("tea")

    thread = threading.Thread(target=chatter)
    with EventReader(ada, stream="verification", timeout=5) as reader:
        begun = len(reader.comments)
        thread.start()
        try:
            while len(reader.comments) == begun:
                reader.line()
        finally:
            done.set()
            thread.join()


def test_streams_end_with_the_program(start_node: StartNode) -> None:
    ada = start_node("Ada")
    with EventReader(ada) as reader:
        started = time.monotonic()
        ada.stop()
        with pytest.raises(EOFError):
            reader.until(lambda _event: False)
        assert time.monotonic() - started < 3

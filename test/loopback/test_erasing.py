"""Deleting a room's history through the API: it is gone from every file, every stream and every queue."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from loopback_http import ask, check_problem
from loopback_node import LoopbackNode, befriend
from loopback_peer import HandmadePeer, Request, accepts_all, message, trust
from loopback_stream import EventReader
from traces import left
from waiting import wait_until

from cryptochat_lib.errors import StorageFull

StartNode = Callable[..., LoopbackNode]
TEA = "/api/rooms/tea/messages"


def test_no_word_of_a_deleted_history_is_left_in_any_file(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    """Of ours and theirs, in the middle of long messages, in a name; while it runs and afterwards."""
    trust(ada, mallory, "tea", "coffee")
    filler = "some common words " * 500
    for n in range(150):
        ada.send("tea", f"{n} zqsesame {filler if n % 10 == 0 else ''} zqmustard")
        ada.send("tea" if n % 2 else "coffee", f"number {n}")
    theirs = message("zqpepper", username="zqMarjoram")
    with mallory.connect(ada) as connection:
        assert (
            connection.post("/v1/messages", {"messages": [theirs, message("kept", "coffee")]}).status == 200
        )
    secrets = ("zqsesame", "zqmustard", "zqpepper")
    traces = [*secrets, "zqMarjoram"]
    assert left(ada.options.db, traces)
    ada.app.store.keys.set_username(ada.app.store.keys.all()[0], "Mallory")  # the name is no history there
    assert ask(ada, "DELETE", TEA).status == 204
    assert left(ada.options.db, traces) == set()
    assert ada.history("tea") == []
    assert len(ada.history("coffee")) == 76
    for secret in secrets:
        assert ada.get(f"/api/search?q={secret}") == {"messages": []}
    assert len(ada.get("/api/search?q=number&limit=500")["messages"]) == 75
    assert ask(ada, "DELETE", TEA).status == 204
    ada.send("tea", "a new beginning")
    ada.restart()
    assert [one["content"] for one in ada.history("tea")] == ["a new beginning"]
    assert left(ada.options.db, traces) == set()


def test_a_stream_that_resumes_is_not_told_what_was_deleted(ada: LoopbackNode) -> None:
    ada.join("tea")
    ada.join("coffee")
    with EventReader(ada) as stream:
        ada.send("tea", "the first")
        first = stream.until(lambda event: event.kind == "messages")[-1]
        ada.send("tea", "a secret")
        ada.send("coffee", "stays")
        assert stream.messages_until("stays") == ["a secret", "stays"]
        assert ask(ada, "DELETE", TEA).status == 204
        told = stream.until(lambda event: event.kind == "reset")
        assert "messages" not in [event.kind for event in told]
        ada.send("coffee", "afterwards")
        assert stream.messages_until("afterwards") == ["afterwards"]
    with EventReader(ada, after=first.id) as stream:
        assert stream.messages_until("afterwards") == ["stays", "afterwards"]


def test_what_waits_in_a_deleted_history_is_never_sent(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    trust(ada, mallory, "tea", "coffee")
    busy = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n"
    mallory.respond = lambda _request: busy
    ada.send("tea", "a secret")
    wait_until(lambda: mallory.requests.items)
    assert ask(ada, "DELETE", TEA).status == 204
    asked = mallory.requests.mark()
    mallory.respond = accepts_all
    kept = ada.send("coffee", "stays")
    ada.wait_delivery(kept, mallory.uuid, "delivered")

    def contents(request: Request) -> list[str]:
        return [one["content"] for one in request.json["messages"]]

    assert [text for request in mallory.requests.since(asked) for text in contents(request)] == ["stays"]


def test_what_was_deleted_while_it_was_on_its_way_breaks_nothing(
    ada: LoopbackNode, mallory: HandmadePeer
) -> None:
    trust(ada, mallory, "tea", "coffee")

    def delete_first(request: Request) -> bytes:
        assert ask(ada, "DELETE", TEA).status == 204
        return accepts_all(request)

    mallory.respond = delete_first
    ada.send("tea", "already on its way")
    wait_until(lambda: mallory.requests.items)
    mallory.respond = accepts_all
    ada.wait_delivery(ada.send("coffee", "next"), mallory.uuid, "delivered")
    assert ada.history("tea") == []


def test_the_other_keeps_what_we_have_deleted(start_node: StartNode) -> None:
    ada, bob = start_node("Ada"), start_node("Bob")
    befriend(ada, bob)
    ada.wait_delivery(ada.send("tea", "hello"), bob.uuid, "delivered")
    assert ask(ada, "DELETE", TEA).status == 204
    assert [one["content"] for one in bob.history("tea")] == ["hello"]


def test_a_disk_without_room_for_it_is_one_clear_error_and_nothing_is_deleted(
    ada: LoopbackNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada.join("tea")
    said = ada.send("tea", "still here")

    def full(*_: object) -> None:
        raise StorageFull()

    with monkeypatch.context() as patch:
        patch.setattr("cryptochat_lib.store.search.forget", full)
        check_problem(ask(ada, "DELETE", TEA), 507, "storage-full")
    assert ada.history("tea") == [said]
    assert ask(ada, "DELETE", TEA).status == 204

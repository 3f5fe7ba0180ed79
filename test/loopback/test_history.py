"""The history as a script sees it: pages in both directions, search, and export."""

from __future__ import annotations

import http.client
import json
import socket
import sqlite3
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from loopback_http import ask, check_headers, check_problem, read_to_end
from loopback_node import LoopbackNode
from loopback_peer import HandmadePeer, message, trust

from cryptochat_lib import export
from cryptochat_lib.wire import Outgoing

StartNode = Callable[..., LoopbackNode]
Data = dict[str, Any]


@pytest.fixture
def ada(start_node: StartNode) -> LoopbackNode:
    ada = start_node("Ada")
    ada.join("tea")
    ada.join("Teeküche 茶室/..")
    return ada


def page(node: LoopbackNode, room: str = "tea", **query: object) -> list[Data]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    found: list[Data] = node.get(f"/api/rooms/{quote(room, safe='')}/messages?{asked}")["messages"]
    return found


def texts(messages: list[Data]) -> list[str]:
    return [one["content"] for one in messages]


def search(node: LoopbackNode, q: str, **more: str) -> list[Data]:
    filters = "".join(f"&{name}={quote(value, safe='')}" for name, value in more.items())
    found: list[Data] = node.get(f"/api/search?q={quote(q, safe='')}{filters}")["messages"]
    return found


# Pages


def test_pages_go_both_ways_whatever_the_ids_belong_to(ada: LoopbackNode) -> None:
    said = [ada.send("tea", f"number {n}") for n in range(60)]
    other = ada.send("Teeküche 茶室/..", "elsewhere")
    ids = [one["id"] for one in said]
    assert [one["id"] for one in page(ada)] == ids[-50:]  # the newest 50, oldest first
    assert page(ada, limit=500) == said
    assert [one["id"] for one in page(ada, before=ids[10], limit=3)] == ids[7:10]
    assert [one["id"] for one in page(ada, after=ids[10], limit=3)] == ids[11:14]
    assert [one["id"] for one in page(ada, before=ids[2])] == ids[:2]
    assert [one["id"] for one in page(ada, after=ids[-3])] == ids[-2:]
    assert page(ada, before=ids[0]) == page(ada, after=ids[-1]) == page(ada, after=2**62 - 1) == []
    assert [one["id"] for one in page(ada, before=other["id"], limit=1)] == ids[-1:]  # of another room
    assert page(ada, "Teeküche 茶室/..", before=ids[0]) == []
    assert texts(page(ada, "Teeküche 茶室/..", after=ids[0])) == ["elsewhere"]
    assert page(ada, "never heard of") == []


def test_paging_back_to_the_beginning_shows_each_once(ada: LoopbackNode) -> None:
    said = [ada.send("tea", f"number {n}")["id"] for n in range(23)]
    seen: list[str] = []
    found = page(ada, limit=5)
    while found:
        seen[:0] = [one["id"] for one in found]
        found = page(ada, limit=5, before=seen[0])
    assert seen == said


# Search


def test_a_message_is_found_as_it_is_with_its_marks(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    trust(ada, mallory)
    with mallory.connect(ada) as connection:
        assert connection.post("/v1/messages", {"messages": [message("der Tee 🍵 im Kessel")]}).status == 200
    mine = ada.send("tea", "🍵🍵 Tée? Grüße, TEE! 東京都")
    assert search(ada, "tee") == [
        {**mine, "marks": [[3, 6], [15, 18]]},
        {**page(ada, before=mine["id"])[0], "marks": [[4, 7]]},
    ]
    assert search(ada, "grusse 京都") == [{**mine, "marks": [[8, 13], [21, 23]]}]
    assert texts(search(ada, "kess")) == ["der Tee 🍵 im Kessel"]
    assert texts(search(ada, "tee", sender=mallory.uuid)) == ["der Tee 🍵 im Kessel"]
    assert texts(search(ada, "tee", sender=ada.uuid, room="tea")) == [mine["content"]]


def test_search_goes_by_room_and_by_pages(ada: LoopbackNode) -> None:
    ids = [ada.send("tea", f"number {n}")["id"] for n in range(60)]
    ada.send("Teeküche 茶室/..", "number elsewhere")
    assert texts(search(ada, "number", room="Teeküche 茶室/..")) == ["number elsewhere"]
    assert [one["id"] for one in search(ada, "number", room="tea")] == ids[:-51:-1]
    assert [one["id"] for one in search(ada, "numb", before=ids[10], limit="3")] == ids[9:6:-1]
    assert search(ada, "number", before=ids[0]) == []
    assert len(search(ada, "number", limit="500")) == 61


@pytest.mark.parametrize(
    "query",
    ["", "room=tea", "q=a&limit=0", "q=a&limit=501", "q=a&limit=x", "q=a&before=-1", "q=a&before=x",
     "q=a&sender=bob", "q=a&sender=", "q=a&room=", "q=a&room=%00", "q=%ff", "q=%ed%a0%80", "q=%", "q=a&q=b"],
)  # fmt: skip
def test_a_search_that_cannot_be_is_refused(shared: LoopbackNode, query: str) -> None:
    check_problem(ask(shared, "GET", f"/api/search?{query}"), 400, "malformed")


def test_too_many_words_are_refused(shared: LoopbackNode) -> None:
    words = "+".join(f"w{n}" for n in range(shared.limits.search_words))
    assert ask(shared, "GET", f"/api/search?q={words}").json == {"messages": []}
    check_problem(ask(shared, "GET", f"/api/search?q={words}+more"), 400, "malformed")


@pytest.mark.parametrize(
    "q",
    ["", '"', "'", '"" "', "*", "a*", "-a", "^", "(", "NEAR(", "a AND", "OR", "words:a", "\0", "a\0b", "\\",
     "%", "_", "🍵", "👍🏽", "\ufdfa", "\u202e", "'; DROP TABLE messages; --", "京" * 99, "a" * 15_000],
)  # fmt: skip
def test_any_query_is_safe(shared: LoopbackNode, q: str) -> None:
    reply = ask(shared, "GET", f"/api/search?q={quote(q, safe='') if len(q) < 9999 else q}")
    assert (reply.status, reply.json) == (200, {"messages": []})
    check_headers(reply)


def test_a_query_of_100_kilobytes_is_too_large_and_no_more(shared: LoopbackNode) -> None:
    check_problem(ask(shared, "GET", "/api/search?q=" + "a+" * 50_000), 431, "head-too-large")


# Export


def export_of(node: LoopbackNode, room: str) -> tuple[http.client.HTTPMessage, bytes]:
    reply = node.request("GET", f"/api/rooms/{quote(room, safe='')}/messages.jsonl")
    assert reply.status == 200
    return reply.headers, reply.body


def test_an_export_has_every_message_on_its_line(ada: LoopbackNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_READ_AT_ONCE", 7)
    monkeypatch.setattr(export, "_SENT_AT_ONCE", 500)
    ada.send("Teeküche 茶室/..", "elsewhere")
    said = [ada.send("tea", f"number {n}\n\u2028 é 🍵 \0") for n in range(30)]
    headers, body = export_of(ada, "tea")
    assert headers["Content-Type"] == "application/jsonl"
    assert headers["Content-Disposition"].startswith('attachment; filename="cryptochat-tea.jsonl"')
    assert body.endswith(b"\n")
    assert [json.loads(line) for line in body.removesuffix(b"\n").split(b"\n")] == said


def test_an_export_of_nothing_is_empty_and_whole(ada: LoopbackNode) -> None:
    assert export_of(ada, "never heard of")[1] == b""


@pytest.mark.parametrize(
    "room", ['"; x="y', "../../etc/passwd", "a\\b", "Teeküche 茶室/..", "\u202exe.js", "%"]
)
def test_the_name_of_an_export_is_safe(shared: LoopbackNode, room: str) -> None:
    headers, _ = export_of(shared, room)
    kind, plain, full = headers["Content-Disposition"].split("; ")
    assert kind == "attachment"
    assert plain.startswith('filename="cryptochat')
    assert plain.endswith('.jsonl"')
    assert set(plain[10:-1]) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    assert set(full.removeprefix("filename*=UTF-8''")) <= set("abcdefghijklmnopqrstuvwxyzABCDEF0123456789-.%")


def test_an_export_ends_with_what_was_newest_and_one_that_was_cut_can_be_told(
    ada: LoopbackNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages that come meanwhile are not waited for; of what the disk refuses, the end is missing."""
    monkeypatch.setattr(export, "_READ_AT_ONCE", 2)
    monkeypatch.setattr(export, "_SENT_AT_ONCE", 1)
    for n in range(5):
        ada.send("tea", f"number {n}")
    read = ada.app.store.messages.page
    reads: list[object] = []

    def page_and_send(*arguments: Any, **more: Any) -> Any:
        reads.append(arguments)
        if "after" in more:
            ada.app.node.chat.send(arguments[0], Outgoing("came meanwhile"))
        if len(reads) == fails_at:
            raise OSError
        return read(*arguments, **more)

    monkeypatch.setattr(ada.app.store.messages, "page", page_and_send)
    fails_at = 0
    assert len(export_of(ada, "tea")[1].splitlines()) == 5
    reads.clear()
    fails_at = 3
    with pytest.raises(http.client.IncompleteRead):
        export_of(ada, "tea")


def test_who_leaves_during_an_export_leaves_nothing_behind(ada: LoopbackNode) -> None:
    for n in range(40):
        ada.send("tea", f"{n} " + "x" * 60_000)
    with ada.connect() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(
            f"GET /api/rooms/tea/messages.jsonl HTTP/1.1\r\nHost: 127.0.0.1:{ada.ui_port}\r\n"
            f"Authorization: Bearer {ada.token}\r\n\r\n".encode()
        )
        assert sock.recv(100).startswith(b"HTTP/1.1 200")
        assert ada.send("tea", "nobody is held up")
    with ada.connect() as sock:
        sock.sendall(
            f"GET /api/rooms/tea/messages.jsonl HTTP/1.1\r\nHost: 127.0.0.1:{ada.ui_port}\r\n"
            f"Authorization: Bearer {ada.token}\r\n\r\n".encode()
        )
        assert read_to_end(sock).endswith(b"\r\n0\r\n\r\n")


def test_an_export_that_fails_at_once_is_a_problem_and_one_that_fails_later_is_cut(
    ada: LoopbackNode, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And the log has one line, which never quotes what is stored."""
    ada.join("tea")
    for number in range(3):
        ada.send("tea", f"number {number}")
    text = "Could not decode to UTF-8 column 'content' with text 'my secret'"
    since = ada.app.store.messages.page

    def fail(*arguments: Any, **more: Any) -> Any:
        raise sqlite3.OperationalError(text)

    monkeypatch.setattr(ada.app.store.messages, "page", fail)
    check_problem(ask(ada, "GET", "/api/rooms/tea/messages.jsonl"), 503, "storage-failed")
    pages = iter([since, since, fail])
    monkeypatch.setattr(ada.app.store.messages, "page", lambda *a, **m: next(pages)(*a, **m))
    monkeypatch.setattr(export, "_SENT_AT_ONCE", 1)
    monkeypatch.setattr(export, "_READ_AT_ONCE", 1)
    with pytest.raises(http.client.IncompleteRead):
        export_of(ada, "tea")
    assert "the database fails: a text in it is no text" in caplog.text
    assert "my secret" not in caplog.text
    assert "Traceback" not in caplog.text

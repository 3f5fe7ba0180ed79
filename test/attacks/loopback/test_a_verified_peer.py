"""A verified peer that has gone bad: its key opens the door, and nothing else is taken on trust.

Bodies of every wrong kind are in `test_the_peer_api.py`, answers that are cut in
`test_replies.py`, beside this; a flood on a real cable is in `test/attacks/lan/test_turns.py`.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from loopback_node import LoopbackNode
from loopback_peer import OK, HandmadePeer, Reply, Request, accepts_all, json_response, message, trust
from peer_api import OURS, SEED, post
from slow import served
from waiting import wait_until

StartNode = Callable[..., LoopbackNode]
MakePeer = Callable[..., HandmadePeer]


def check_comes_again(reply: Reply) -> None:
    """Whoever it was is told to wait, and the connection ends."""
    assert (reply.status, reply.json["code"]) == (429, "too-many-requests"), reply.body
    assert reply.headers["Retry-After"]
    assert reply.headers["Connection"] == "close"


def in_history(node: LoopbackNode) -> list[tuple[str, str]]:
    """Who has said what in the room, in order."""
    return [(message["sender"]["uuid"], message["content"]) for message in node.history("tea")]


# Ids of somebody else's messages


@pytest.mark.parametrize("first", ["the thief", "the owner"])
def test_an_id_of_another_peers_message_neither_suppresses_nor_changes_it(
    ada: LoopbackNode, make_peer: MakePeer, first: str
) -> None:
    owner, thief = make_peer(), make_peer()
    for peer in (owner, thief):
        trust(ada, peer)
    said = {peer.uuid: message(f"by {peer.uuid}") | {"id": "the same"} for peer in (owner, thief)}
    order = (thief, owner) if first == "the thief" else (owner, thief)
    for peer in (*order, *order):  # and once more, as after a lost answer
        reply = post(ada, peer, OURS, {"messages": [said[peer.uuid]]})
        assert reply.json == {"results": [{"id": "the same", "status": 200}]}
    assert in_history(ada) == [(peer.uuid, said[peer.uuid]["content"]) for peer in order]


def test_the_id_of_a_message_of_ours_is_of_no_use_to_who_has_got_it(
    ada: LoopbackNode, make_peer: MakePeer
) -> None:
    """Every recipient knows it. What waits for somebody else waits on, and what we said stays what it was."""
    friend, mallory = make_peer(), make_peer()
    mallory.respond = accepts_all
    friend.respond = lambda _request: json_response(503, {})
    for peer in (friend, mallory):
        trust(ada, peer)
    sent = ada.send("tea", "ours")
    ada.wait_delivery(sent, mallory.uuid, "delivered")
    id_ = mallory.requests.items[-1].json["messages"][0]["id"]
    assert post(ada, mallory, OURS, {"messages": [message("stolen") | {"id": id_}]}).status == 200
    assert in_history(ada) == [(ada.uuid, "ours"), (mallory.uuid, "stolen")]
    assert (ada.delivery(sent, friend.uuid) or {})["state"] == "waiting"
    friend.respond = accepts_all
    ada.wait_delivery(sent, friend.uuid, "delivered")


@pytest.mark.parametrize("answer", [{"status": 200}, {"status": 403, "code": "rejected"}])
def test_an_answer_that_names_other_messages_settles_none_of_them(
    ada: LoopbackNode, make_peer: MakePeer, answer: dict[str, Any]
) -> None:
    """What waits for somebody else still waits, and what was in the request is sent again."""
    friend, mallory = make_peer(), make_peer()
    friend.respond = lambda _request: json_response(503, {})
    trust(ada, friend, "for a friend")
    trust(ada, mallory)
    private = ada.send("for a friend", "not for Mallory")
    of_private = friend.requests.wait_for(lambda request: request.path == OURS).json["messages"][0]["id"]

    def respond(request: Request) -> bytes:
        """The first is answered for the friend's message alone, and for one that nobody has sent."""
        if len(mallory.requests.items) > 1:
            return accepts_all(request)
        return json_response(200, {"results": [{"id": i} | answer for i in (of_private, "", "0" * 32)]})

    mallory.respond = respond
    sent = ada.send("tea", "hello")
    ada.wait_delivery(sent, mallory.uuid, "delivered")
    assert len(mallory.requests.items) == 2, "it was not settled by an answer about others"
    assert (ada.delivery(private, friend.uuid) or {})["state"] == "waiting"
    friend.respond = accepts_all
    ada.wait_delivery(private, friend.uuid, "delivered")


# Floods


def test_a_verified_peer_with_many_addresses_cannot_take_every_place(
    start_node: StartNode, make_peer: MakePeer
) -> None:
    ada = start_node(
        "Ada", peer_connections=8, peer_connections_of_one_address=3, peer_connections_unverified=4
    )
    friend, mallory = make_peer(host="127.0.0.3"), make_peer()
    for peer in (friend, mallory):
        trust(ada, peer)
    ada.wait_delivery(ada.send("tea", "so that its address is known"), friend.uuid, "delivered")
    with contextlib.ExitStack() as stack:
        for number in range(16):
            with contextlib.suppress(OSError):  # refused
                stack.enter_context(mallory.connect(ada, source=f"127.0.1.{number // 2 + 1}"))
        assert served(ada, friend, 1, source="127.0.0.3")
        wait_until(lambda: len(ada.app.node.connections) == 3)


def test_a_flood_of_a_verified_peer_is_told_to_come_back(
    start_node: StartNode, mallory: HandmadePeer
) -> None:
    ada = start_node("Ada", rate_messages_per_second=1, rate_window_seconds=10.0)
    trust(ada, mallory)
    with mallory.connect(ada) as connection:
        for number in range(10):
            assert connection.post(SEED, {"username": "M", "content": str(number)}).status == 200
        reply = connection.post(SEED, {"username": "M", "content": "too much"})
        check_comes_again(reply)
    reply = post(ada, mallory, OURS, {"messages": [message(str(n)) for n in range(5)]})
    check_comes_again(reply)
    assert [content for _, content in in_history(ada)] == [str(number) for number in range(10)]


def test_a_flood_of_bytes_counts_too(start_node: StartNode, mallory: HandmadePeer) -> None:
    ada = start_node("Ada", rate_bytes_per_second=200, rate_window_seconds=10.0)
    trust(ada, mallory)
    assert post(ada, mallory, SEED, {"username": "M", "content": "x" * 1900}).status == 200
    reply = post(ada, mallory, SEED, {"username": "M", "content": "x" * 1900})
    check_comes_again(reply)


def test_past_its_bytes_a_request_is_refused_unread(start_node: StartNode, mallory: HandmadePeer) -> None:
    ada = start_node("Ada", rate_bytes_per_second=100, rate_window_seconds=10.0)
    trust(ada, mallory)
    with mallory.connect(ada) as connection:
        connection.sock.settimeout(5)
        connection.sock.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n")
        check_comes_again(connection.reply())
        assert connection.ended()


# Answers to our own requests


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(ada: LoopbackNode, mallory: HandmadePeer, status: int) -> None:
    """In the original a verified peer's 307 made the sender verify somebody at its own UI server."""
    target = f"http://127.0.0.1:{ada.ui_port}/api/rooms/redirected"
    mallory.respond = lambda _request: json_response(status, {}, f"Location: {target}")
    trust(ada, mallory)
    sent = ada.send("tea", "hello")
    ada.wait_delivery(sent, mallory.uuid, "refused")
    assert ada.room("redirected") is None
    assert len(mallory.requests.items) == 1


LIES = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    json_response(200, {"results": []}),
    json_response(200, {"results": [1]}),
    json_response(200, []),
    json_response(200, {"results": [{"id": 1, "status": 200}]}),
    b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    json_response(200, {"results": [{"id": "somebody else's", "status": 200}]}),
    b"not HTTP at all\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n" + b"y" * 10,
    b"HTTP/1.1 99999 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"y" * 200_000,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 1000,
    b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000,
    OK + OK,
]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: repr(lie[:48]))
def test_an_answer_that_makes_no_sense_delivers_nothing_and_is_tried_again(
    ada: LoopbackNode, mallory: HandmadePeer, lie: bytes
) -> None:
    def respond(request: Request) -> bytes:
        return lie if 2 <= len(mallory.requests.items) < 4 else accepts_all(request)

    mallory.respond = respond
    trust(ada, mallory)
    ada.wait_delivery(ada.send("tea", "first"), mallory.uuid, "delivered")  # it knows our form
    sent = ada.send("tea", "hello")
    ada.wait_delivery(sent, mallory.uuid, "delivered")
    said = [request.json["messages"][0]["content"] for request in mallory.requests.items]
    assert said == ["first", "hello", "hello", "hello"]
    assert {request.path for request in mallory.requests.items} == {OURS}


@pytest.mark.parametrize(
    "endless",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: ",
    ],
)
def test_an_endless_answer_is_bounded_in_time(
    start_node: StartNode, mallory: HandmadePeer, endless: bytes
) -> None:
    ada = start_node("Ada", reply_seconds=0.5)
    done = threading.Event()

    def respond(request: Request) -> bytes | None:
        if len(mallory.requests.items) > 1:
            return accepts_all(request)
        sock = next(s for s in mallory._sockets if s.fileno() >= 0)
        sock.sendall(endless)
        while not done.wait(0.1):
            sock.sendall(endless if b"100 Continue" in endless else b"a")
        return None

    mallory.respond = respond
    trust(ada, mallory)
    started = time.monotonic()
    try:
        ada.wait_delivery(ada.send("tea", "hello"), mallory.uuid, "delivered")
    finally:
        done.set()
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("then", ["ends", "is silent"])
def test_a_length_that_promises_more_than_comes_delivers_nothing(
    start_node: StartNode, mallory: HandmadePeer, then: str, version: int
) -> None:
    ada = start_node("Ada", reply_seconds=0.5)

    def respond(request: Request) -> bytes | None:
        if len(mallory.requests.items) > 1:
            return accepts_all(request)
        body = accepts_all(request).partition(b"\r\n\r\n")[2]
        [sock] = [sock for sock in mallory._sockets if sock.fileno() >= 0]
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + body)
        return None if then == "ends" else b""

    mallory.respond = respond
    trust(ada, mallory, version=version)
    ada.wait_delivery(ada.send("tea", "hello"), mallory.uuid, "delivered", timeout=5)
    assert len(mallory.requests.items) == 2


@pytest.mark.parametrize("other", ["Content-Length: 1", "Transfer-Encoding: chunked"])
def test_an_answer_with_two_lengths_delivers_nothing(
    ada: LoopbackNode, mallory: HandmadePeer, other: str
) -> None:
    """Whatever it says, by the one or by the other: two readers would read it differently."""

    def respond(request: Request) -> bytes:
        head, end, body = accepts_all(request).partition(b"\r\n\r\n")
        if len(mallory.requests.items) > 1:
            return head + end + body
        if "chunked" in other:
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        return head + f"\r\n{other}".encode() + end + body

    mallory.respond = respond
    trust(ada, mallory)
    ada.wait_delivery(ada.send("tea", "hello"), mallory.uuid, "delivered")
    assert len(mallory.requests.items) == 2

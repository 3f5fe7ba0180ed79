"""The answer of a peer: however it is cut into records, it is judged as what it says, once."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from loopback_node import LoopbackNode
from loopback_peer import OK, HandmadePeer, Request, accepts_all, trust
from waiting import wait_until

from cryptochat_lib import tls

StartNode = Callable[..., LoopbackNode]


def say(peer: HandmadePeer, *records: bytes) -> None:
    """Send these on the peer's one connection, each in a TLS record of its own."""
    [sock] = peer._sockets
    for record in records:
        sock.sendall(record)


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("how", ["close", "keep-alive"])
def test_a_reply_in_two_records_is_one_reply(
    ada: LoopbackNode, mallory: HandmadePeer, version: int, how: str
) -> None:
    def respond(request: Request) -> bytes | None:
        head, end, body = accepts_all(request).partition(b"\r\n\r\n")
        if request.path != "/v1/messages":
            head, body = head.replace(b"Content-Length: 0", b"Content-Length: 2"), b"{}"
        say(mallory, head + f"\r\nConnection: {how}".encode() + end, body)
        return None if how == "close" else b""

    mallory.respond = respond
    trust(ada, mallory, version=version)
    for content in ("first", "second"):
        ada.wait_delivery(ada.send("tea", content), mallory.uuid, "delivered")
    assert len(mallory.requests.items) == 2


@pytest.mark.parametrize("version", [0, 1])
def test_a_reply_of_http_1_0_ends_with_its_connection(
    ada: LoopbackNode, mallory: HandmadePeer, version: int
) -> None:
    def respond(request: Request) -> bytes | None:
        body = accepts_all(request).partition(b"\r\n\r\n")[2] or b"fine"
        say(mallory, b"HTTP/1.0 200 OK\r\n\r\n", body)
        return None

    mallory.respond = respond
    trust(ada, mallory, version=version)
    for content in ("first", "second"):
        ada.wait_delivery(ada.send("tea", content), mallory.uuid, "delivered")
    assert len(mallory.requests.items) == 2


def test_what_follows_a_reply_is_no_reply_to_the_next_request(
    ada: LoopbackNode, mallory: HandmadePeer
) -> None:
    """In the same record; the request that it would answer is not even sent on that connection."""
    connections: list[object] = []

    def respond(request: Request) -> bytes:
        connections.extend(sock for sock in mallory._sockets if sock not in connections)
        refusal = b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n"
        return accepts_all(request) + (refusal if len(mallory.requests.items) == 1 else b"")

    mallory.respond = respond
    trust(ada, mallory)
    for content in ("first", "second"):
        ada.wait_delivery(ada.send("tea", content), mallory.uuid, "delivered")
    assert len(connections) == 2


@pytest.mark.parametrize("refusal", [b"HTTP/1.1 400 No", b"HTTP/1.0 400 No"])
def test_a_refusal_in_two_records_is_not_tried_again(
    ada: LoopbackNode, mallory: HandmadePeer, refusal: bytes
) -> None:
    body = b'{"status": 400, "code": "not-a-member", "message": "no"}'

    def respond(_request: Request) -> bytes | None:
        length = f"Content-Length: {len(body)}\r\n".encode() if b"1.1" in refusal else b""
        say(mallory, refusal + b"\r\nConnection: close\r\n" + length + b"\r\n", body)
        return None

    mallory.respond = respond
    trust(ada, mallory)
    sent = ada.send("tea", "hello")
    ada.wait_delivery(sent, mallory.uuid, "refused")
    assert (ada.delivery(sent, mallory.uuid) or {})["reason"] == "has left the room"
    assert len(mallory.requests.items) == 1


@pytest.mark.parametrize(
    "cut",
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.0 200 OK\r\nServer: a",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n",
    ],
)
def test_a_head_that_is_cut_is_no_answer(ada: LoopbackNode, mallory: HandmadePeer, cut: bytes) -> None:
    def respond(_request: Request) -> bytes | None:
        if len(mallory.requests.items) > 1:
            return OK
        say(mallory, cut)
        return None

    mallory.respond = respond
    trust(ada, mallory, version=0)
    ada.wait_delivery(ada.send("tea", "hello"), mallory.uuid, "delivered")
    assert len(mallory.requests.items) == 2


def test_an_answer_that_never_begins_ends_when_it_is_too_long(
    ada: LoopbackNode, mallory: HandmadePeer
) -> None:
    """Long before the time that an answer may take, which is two minutes and a half."""
    assert ada.limits.reply_seconds > 60

    def respond(request: Request) -> bytes | None:
        if len(mallory.requests.items) > 1:
            return accepts_all(request)
        while True:  # until the other side has had enough, and sending fails
            say(mallory, b"HTTP/1.1 100 Continue\r\n\r\n" * 400)

    mallory.respond = respond
    trust(ada, mallory)
    started = time.monotonic()
    ada.wait_delivery(ada.send("tea", "hello"), mallory.uuid, "delivered")
    assert time.monotonic() - started < 5


def test_after_a_no_that_comes_during_the_handshake_nothing_is_sent(
    ada: LoopbackNode, mallory: HandmadePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = tls.ClientHandshake.go_on

    def go_on_while_the_user_says_no(handshake: tls.ClientHandshake, sock: tls.Socket) -> int:
        """The connection is not listed yet: nobody can end it."""
        waits_for = go_on(handshake, sock)
        if not waits_for:
            ada.unverify(mallory.uuid)
        return waits_for

    mallory.respond = accepts_all
    trust(ada, mallory)
    wait_until(lambda: not mallory._sockets)
    looks = mallory.handshakes
    monkeypatch.setattr(tls.ClientHandshake, "go_on", go_on_while_the_user_says_no)
    sent = ada.send("tea", "hello")
    ada.wait_delivery(sent, mallory.uuid, "withheld")
    wait_until(lambda: mallory.handshakes > looks and (mallory.requests.items or not mallory._sockets))
    assert mallory.requests.items == []


def test_what_a_seed_only_peer_has_answered_is_settled_while_the_next_answer_is_awaited(
    ada: LoopbackNode, mallory: HandmadePeer
) -> None:
    """And a no withholds the rest alone: what has arrived stays delivered."""
    trust(ada, mallory, version=0)
    mallory.hang_up()
    sent = [ada.send("tea", str(number)) for number in range(8)]
    ended = []

    def respond(_request: Request) -> bytes | None:
        if len(mallory.requests.items) <= 5:
            return OK
        [sock] = mallory._sockets
        ended.append(sock.recv(1))  # nothing, until Ada hangs up
        return None

    mallory.respond = respond
    mallory.move()
    mallory.announce("tea", version=0)
    ada.wait_delivery(sent[4], mallory.uuid, "delivered")
    mallory.requests.wait_for(lambda request: request.json["content"] == "5")

    def states() -> list[str]:
        return [(ada.delivery(message, mallory.uuid) or {})["state"] for message in sent]

    assert states() == ["delivered"] * 5 + ["waiting"] * 3
    ada.unverify(mallory.uuid)
    assert states() == ["delivered"] * 5 + ["withheld"] * 3
    wait_until(lambda: ended)
    assert len(mallory.requests.items) == 6

"""The peer API, asked over raw TLS by a peer that the test has made by hand."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from loopback_node import LoopbackNode
from loopback_peer import (
    HandmadePeer,
    message,
    trust,
)
from peer_api import OURS, SEED, check_problem, contents, post, refused
from waiting import wait_until

from cryptochat_lib.routing import Route

StartNode = Callable[..., LoopbackNode]
MakePeer = Callable[..., HandmadePeer]


def test_the_routes_here_are_all_there_are(ada: LoopbackNode) -> None:
    routes: tuple[Route, ...] = ada.app.peer_api.routes
    assert [(route.method, route.pattern) for route in routes] == [
        ("POST", "/rooms/{room}/message"),
        ("POST", "/v1/messages"),
        ("POST", "/v1/presence"),
    ]


# The seed's form


def test_a_message_in_the_seed_s_form_is_answered_with_an_empty_body(
    ada: LoopbackNode, friend: HandmadePeer
) -> None:
    with friend.connect(ada) as connection:
        for number in range(2):  # on one connection
            reply = connection.post(SEED, {"username": "Mal", "content": str(number)})
            assert (reply.status, reply.body) == (200, b"")
            assert reply.headers["Content-Length"] == "0"
    assert contents(ada) == ["0", "1"]
    [first, _] = ada.history("tea")
    assert first["sender"] == {"uuid": friend.uuid, "username": "Mal"}
    assert (first["own"], first["sent"], first["method"], first["kind"]) == (False, None, "number", "text")
    user = ada.user(friend.uuid) or {}
    assert (user["username"], user["username_verified"]) == ("Mal", True)


def test_the_name_of_a_verified_key_is_not_changed_by_an_announcement(
    ada: LoopbackNode, friend: HandmadePeer
) -> None:
    post(ada, friend, SEED, {"username": "Mal", "content": "hello"})
    friend.announce("tea", "more", name="Somebody Else")
    ada.wait_member("more", friend.uuid, username="Mal")


def test_the_same_words_twice_in_the_seed_s_form_are_two_messages(
    ada: LoopbackNode, friend: HandmadePeer
) -> None:
    for _ in range(2):
        assert post(ada, friend, SEED, {"username": "Mal", "content": "hello"}).status == 200
    assert contents(ada) == ["hello", "hello"]


def test_a_strange_name_is_cleaned_and_cut_not_refused(ada: LoopbackNode, friend: HandmadePeer) -> None:
    for name in ("\n\tMal\0lo\x7fr\u202ey\u2028 ", "é" * 100, "", "\0"):
        assert post(ada, friend, SEED, {"username": name, "content": "x"}).status == 200
    names = [m["sender"]["username"] for m in ada.history("tea")]
    assert names[:2] == ["Mallory", "é" * 64]
    assert names[2:] == ["é" * 64] * 2  # nothing was left of it: the last one stays


def test_a_message_for_a_room_we_are_not_in_is_refused(ada: LoopbackNode, friend: HandmadePeer) -> None:
    reply = post(ada, friend, "/rooms/elsewhere/message", {"username": "M", "content": "x"})
    check_problem(reply, 400, "not-a-member")
    reply = post(ada, friend, OURS, {"messages": [message("a", "elsewhere"), message("b")]})
    assert [(r["status"], r.get("code")) for r in reply.json["results"]] == [
        (400, "not-a-member"),
        (200, None),
    ]
    assert contents(ada) == ["b"]
    assert ada.history("elsewhere") == []


def test_the_sender_s_own_membership_is_not_checked(ada: LoopbackNode, friend: HandmadePeer) -> None:
    ada.join("mine alone")
    reply = post(ada, friend, "/rooms/mine%20alone/message", {"username": "M", "content": "x"})
    assert reply.status == 200


# Our form


def test_each_message_of_ours_is_answered(ada: LoopbackNode, friend: HandmadePeer) -> None:
    sent = [
        message("good", surprise=1),
        message("x" * (ada.limits.content_bytes + 1)),
        message("bad", room="\0"),
        message("there", room="elsewhere"),
        {"id": "typed", "room": "tea", "username": "M", "content": 1},
    ]
    reply = post(ada, friend, OURS, {"messages": sent, "surprise": True})
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.json == {
        "results": [
            {"id": sent[0]["id"], "status": 200},
            {"id": sent[1]["id"], "status": 413, "code": "too-large"},
            {"id": sent[2]["id"], "status": 400, "code": "malformed"},
            {"id": sent[3]["id"], "status": 400, "code": "not-a-member"},
            {"id": "typed", "status": 400, "code": "malformed"},
        ]
    }
    assert contents(ada) == ["good"]


def test_a_message_is_stored_once_for_its_id_and_certificate(
    ada: LoopbackNode, friend: HandmadePeer, make_peer: MakePeer
) -> None:
    once = message("once")
    for body in (
        {"messages": [once]},
        {"messages": [once, once]},
        {"messages": [{**once, "content": "other"}]},
    ):
        assert {r["status"] for r in post(ada, friend, OURS, body).json["results"]} == {200}
    assert contents(ada) == ["once"]
    other = make_peer()
    trust(ada, other)
    assert post(ada, other, OURS, {"messages": [once]}).status == 200
    assert contents(ada) == ["once", "once"]


def test_a_known_message_is_known_after_a_restart_too(ada: LoopbackNode, friend: HandmadePeer) -> None:
    once = message("once")
    post(ada, friend, OURS, {"messages": [once]})
    ada.restart()
    assert post(ada, friend, OURS, {"messages": [once]}).json["results"][0]["status"] == 200
    assert contents(ada) == ["once"]


@pytest.mark.parametrize("sent", [None, "yesterday", -1, 1.5, True, 2**60, []])
def test_a_sender_s_clock_is_only_a_claim(
    shared: LoopbackNode, shared_friend: HandmadePeer, sent: object
) -> None:
    assert (
        post(shared, shared_friend, OURS, {"messages": [message("x", sent=sent)]}).json["results"][0][
            "status"
        ]
        == 200
    )
    assert shared.history("tea")[-1]["sent"] is None


# Limits of a verified peer


@pytest.mark.parametrize("path", [SEED, OURS, "/"])
def test_a_reply_to_head_has_no_body(ada: LoopbackNode, friend: HandmadePeer, path: str) -> None:
    with friend.connect(ada) as connection:
        connection.send(path, b"", method="HEAD")
        reply = b""
        while data := connection.sock.recv(65536):
            reply += data
    assert reply.startswith(b"HTTP/1.1 40")
    assert b"\r\nContent-Length: " in reply
    assert reply.endswith(b"\r\n\r\n")


def test_who_calls_after_its_goodbye_is_here_until_the_call_ends(
    ada: LoopbackNode, friend: HandmadePeer
) -> None:
    ada.network.goodbye(friend.uuid)
    ada.wait_member("tea", friend.uuid, online=False)
    with friend.connect(ada) as connection:
        assert connection.post(OURS, {"messages": [message("one more thing")]}).status == 200
        ada.wait_member("tea", friend.uuid, online=True)
    ada.wait_member("tea", friend.uuid, online=False)


# TLS


def test_who_comes_too_early_is_looked_at(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    mallory.announce("elsewhere")
    wait_until(lambda: ada.user(mallory.uuid))
    assert (ada.user(mallory.uuid) or {})["fingerprint"] is None
    assert refused(ada, mallory)
    ada.wait_knows(mallory.uuid, mallory.fingerprint_sha256)
    with mallory.connect(ada) as connection:
        connection.send(SEED, {"username": "M", "content": "x"})
        ada.wait_for("verification", uuid=mallory.uuid, reason="knocked")
        ada.unverify(mallory.uuid)


def test_sockets_of_the_peer_api_are_not_on_other_addresses(ada: LoopbackNode) -> None:
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.9", ada.endpoint.port), 2)


def test_what_is_known_is_known_also_after_we_have_left_the_room(
    ada: LoopbackNode, friend: HandmadePeer
) -> None:
    """Its answer was lost, say: it was delivered, and nobody is told otherwise."""
    batch = {"messages": [message("hello", id="one"), message("new", id="two")]}
    post(ada, friend, OURS, {"messages": batch["messages"][:1]})
    ada.leave("tea")
    results = post(ada, friend, OURS, batch).json["results"]
    assert [(r["id"], r["status"]) for r in results] == [("one", 200), ("two", 400)]
    assert contents(ada) == ["hello"]

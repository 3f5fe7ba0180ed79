"""Presence and rooms over the authenticated connection, where there is no multicast at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from greeting_nodes import GREETS, StartNode, greets, introduce
from loopback_network import FakeNetwork
from loopback_node import LoopbackNode
from loopback_peer import (
    HandmadePeer,
    OwnCertificate,
    Request,
    accepts_all,
    json_response,
    message,
    trust,
)
from signed_records import greeting, milliseconds, signed
from waiting import Collected, wait_until

from cryptochat_lib.model import Endpoint
from cryptochat_lib.whereabouts import Reach

MakePeer = Callable[..., HandmadePeer]


@pytest.fixture(autouse=True)
def _no_multicast(network: FakeNetwork) -> None:
    network.cut()


def reach(one: LoopbackNode, other: LoopbackNode) -> Reach:
    where = one.app.node.presence.of(other.uuid)
    return Reach.AWAY if where is None else where.reach


def test_rooms_names_and_messages_pass_as_on_one_lan(start_node: StartNode) -> None:
    ada, bob = start_node("Ada", **GREETS), start_node("Bob", **GREETS)
    ada.join("tea")
    introduce(ada, bob)
    bob.wait_member("tea", ada.uuid, username="Ada", online=True)
    began = time.monotonic()
    bob.join("tea")
    ada.wait_member("tea", bob.uuid, 2)
    assert time.monotonic() - began < 2
    ada.send("tea", "hello")
    bob.wait_message("hello")
    assert reach(ada, bob) is reach(bob, ada) is Reach.REACHABLE
    bob.leave("tea")
    wait_until(lambda: bob.uuid not in ada.members("tea"), 2)
    bob.put("/api/info", {"username": "Bobby"})
    wait_until(lambda: (ada.user(bob.uuid) or {})["username"] == "Bobby", 2)
    exchange = ada.app.node.greetings.last(bob.uuid)
    assert exchange is not None
    assert abs(exchange.offset_seconds) < 1
    assert not exchange.heard_us
    assert exchange.reach_us == "answered"


def test_who_ends_is_seen_to_be_away_at_once_and_is_found_again(start_node: StartNode) -> None:
    ada, bob = (start_node(name, **GREETS) for name in ("Ada", "Bob"))
    for node in (ada, bob):
        node.join("tea")
    introduce(ada, bob)
    ada.wait_member("tea", bob.uuid, online=True)
    began = time.monotonic()
    bob.stop()
    ended = time.monotonic() - began
    wait_until(lambda: reach(ada, bob) is Reach.AWAY, 2)
    assert ended < 3
    assert bob.uuid in ada.members("tea")  # away, not gone
    bob.start()
    ada.wait_member("tea", bob.uuid, 4, online=True)


def added(node: LoopbackNode, peer: HandmadePeer) -> None:
    """The user has added the peer's address, and said yes."""
    node.app.node.presence.add(peer.uuid, [peer.endpoint])
    node.app.node.people.look(peer.uuid)
    node.wait_knows(peer.uuid, peer.fingerprint_sha256)
    node.verify(peer.uuid, peer.fingerprint_sha256)


def test_a_killed_program_is_noticed_by_the_end_of_its_connection_or_the_next_greeting(
    start_node: StartNode, make_peer: MakePeer
) -> None:
    ada = start_node("Ada", **GREETS, greet_seconds=1.0)
    ada.join("tea")
    talker, silent = (make_peer(certificate=OwnCertificate()) for _ in range(2))
    for peer in (talker, silent):
        greets(peer, "tea")
        added(ada, peer)
        ada.wait_member("tea", peer.uuid, 3, online=True)
    with talker.connect(ada) as connection:
        assert connection.post("/v1/messages", {"messages": [message("hello")]}).status == 200
        for peer in (talker, silent):
            peer.hang_up()  # nobody listens there any more
        assert ada.members("tea")[talker.uuid]["online"]
    for peer in (talker, silent):
        ada.wait_member("tea", peer.uuid, 4, online=False)


def test_who_only_greets_and_hangs_up_stays_here(
    start_node: StartNode, make_peer: MakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = start_node("Ada", **GREETS)
    ada.join("tea")
    bob, carol = (make_peer(certificate=OwnCertificate()) for _ in range(2))
    for peer in (bob, carol):
        greets(peer, "tea")
        added(ada, peer)
        ada.wait_member("tea", peer.uuid, online=True)
    ended: Collected[str] = Collected()
    monkeypatch.setattr(ada.app.node.greeter, "hung_up", ended.add)
    began = time.monotonic()
    with bob.connect(ada) as connection:
        reply = connection.post("/v1/presence", greeting(["tea", "coffee"]))
        assert reply.json["rooms"] == ["tea"]
        assert reply.json["reach"] == "answered"
        assert ada.app.node.greetings.came_at(bob.uuid) >= began
    ada.wait_member("coffee", bob.uuid, online=True)
    wait_until(lambda: len(ada.app.node.connections) == 0)
    with carol.connect(ada) as connection:
        assert connection.post("/v1/messages", {"messages": [message("hello")]}).status == 200
    ended.wait_for(lambda uuid: uuid == carol.uuid)
    assert ended.items == [carol.uuid]


def test_whoever_has_moved_is_found_through_a_friend_of_both(
    start_node: StartNode, make_peer: MakePeer
) -> None:
    """Carol has another port; of that she tells Bob alone."""
    ada, bob = (start_node(name, **GREETS, greet_seconds=0.5) for name in ("Ada", "Bob"))
    for node in (ada, bob):
        node.join("tea")
    introduce(ada, bob)
    carol = make_peer(certificate=OwnCertificate())
    for node in (ada, bob):
        greets(carol, "tea", record=signed(carol.certificate, carol.endpoint))
        added(node, carol)
        node.wait_member("tea", carol.uuid, 4, online=True)
    carol.move()
    ada.wait_member("tea", carol.uuid, 4, online=False)
    ada.send("tea", "where are you?")
    record = signed(carol.certificate, carol.endpoint)
    greets(carol, "tea", record=record)
    with carol.connect(bob) as connection:
        assert connection.post("/v1/presence", greeting(["tea"], record=record)).status == 200
    ada.wait_member("tea", carol.uuid, 5, online=True)
    carol.requests.wait_for(lambda request: b"where are you?" in request.body)


def test_a_friends_friend_shows_up_to_be_verified(start_node: StartNode) -> None:
    """Carol and Ada have met nobody but Bob."""
    ada, bob, carol = (start_node(name, **GREETS, greet_seconds=0.5) for name in ("Ada", "Bob", "Carol"))
    for node in (ada, bob, carol):
        node.join("tea")
    introduce(ada, bob)
    introduce(bob, carol)
    for one, other in ((ada, carol), (carol, ada)):
        member = one.wait_member("tea", other.uuid, 4)
        assert member["status"] == "unverified"
        one.wait_knows(other.uuid, other.fingerprint_sha256)
        one.verify(other.uuid, other.fingerprint_sha256)
    ada.wait_member("tea", carol.uuid, 4, online=True, status="verified")
    ada.send("tea", "hello, all")
    carol.wait_message("hello, all")


def test_after_a_restart_and_a_change_of_network_friends_are_tried_where_they_were(
    start_node: StartNode, make_peer: MakePeer
) -> None:
    ada = start_node("Ada", **GREETS)
    ada.join("tea")
    bob = make_peer(certificate=OwnCertificate())
    elsewhere = make_peer(certificate=bob.certificate)
    elsewhere.respond = lambda _request: None
    greets(bob, "tea", record=signed(bob.certificate, elsewhere.endpoint))
    added(ada, bob)
    ada.wait_member("tea", bob.uuid, online=True)
    bob.hang_up()
    ada.stop()
    greets(elsewhere, "tea")
    ada.start()
    elsewhere.requests.wait_for(lambda request: request.path == "/v1/presence", 4)
    ada.wait_member("tea", bob.uuid, online=True)
    mark = elsewhere.requests.mark()
    ada.app.node.presence.moved()
    elsewhere.requests.wait_for(lambda request: request.path == "/v1/presence", 4, mark)


def test_when_a_friend_was_last_there_is_remembered(start_node: StartNode, make_peer: MakePeer) -> None:
    ada = start_node("Ada", **GREETS)
    ada.join("tea")
    bob = make_peer(certificate=OwnCertificate())
    greets(bob, "tea")
    added(ada, bob)
    ada.wait_member("tea", bob.uuid, online=True)
    began = milliseconds()
    with bob.connect(ada) as connection:
        connection.post("/v1/presence", greeting(["tea"], leaving=True))
    ada.wait_member("tea", bob.uuid, online=False)
    wait_until(lambda: ada.app.node.store.keys.all()[0].last_seen >= began)
    bob.hang_up()
    ada.restart()
    where = ada.app.node.presence.of(bob.uuid)
    assert where is not None
    assert where.seen is not None
    assert where.seen >= began


def test_an_older_program_is_asked_once_and_mdns_counts(
    network: FakeNetwork, start_node: StartNode, make_peer: MakePeer
) -> None:
    ada = start_node("Ada", **GREETS, greet_seconds=0.3)
    bob = make_peer(certificate=OwnCertificate())
    bob.respond = lambda request: (
        accepts_all(request) if request.path == "/v1/messages" else json_response(404, {"code": "not-found"})
    )
    trust(ada, bob)
    bob.requests.wait_for(lambda request: request.path == "/v1/presence")
    bob.announce("tea", "coffee")
    ada.wait_member("coffee", bob.uuid)
    ada.send("tea", "hello")
    bob.requests.wait_for(lambda request: request.path == "/v1/messages")
    bob.announce("tea")
    wait_until(lambda: bob.uuid not in ada.members("coffee"))
    ada.app.node.presence.moved()
    ada.send("tea", "again")
    bob.requests.wait_for(lambda request: b"again" in request.body)
    assert [request.path for request in bob.requests.items].count("/v1/presence") == 1


@pytest.mark.parametrize(
    ("status", "code", "trouble"), [(403, "unverified", "undecided"), (404, "not-found", None)]
)
def test_who_has_taken_a_yes_back_or_greets_no_more_is_a_member_as_mdns_says(
    start_node: StartNode, make_peer: MakePeer, status: int, code: str, trouble: str | None
) -> None:
    ada = start_node("Ada", **GREETS)
    ada.join("tea")
    bob = make_peer(certificate=OwnCertificate())
    greets(bob, "tea", "cellar")
    trust(ada, bob)
    ada.wait_member("cellar", bob.uuid)
    bob.respond = lambda _request: json_response(status, {"code": code})
    ada.app.node.presence.moved()
    wait_until(lambda: bob.uuid not in ada.members("cellar"))
    assert ada.app.node.attempts.trouble([bob.endpoint]) == trouble


def test_an_older_answer_that_comes_later_undoes_no_newer_word(
    start_node: StartNode, make_peer: MakePeer
) -> None:
    """Bob answers, joins, and greets; his answer arrives last. Nor is what Ada did meanwhile forgotten."""
    ada = start_node("Ada", **GREETS)
    ada.join("tea")
    bob = make_peer(certificate=OwnCertificate())
    asked, answer = threading.Event(), threading.Event()

    def respond(request: Request) -> bytes:
        if request.path != "/v1/presence":
            return accepts_all(request)
        before = greeting([])
        asked.set()
        answer.wait(10)
        return json_response(200, before)

    bob.respond = respond
    ada.app.node.presence.add(bob.uuid, [bob.endpoint])
    ada.app.node.people.look(bob.uuid)
    ada.wait_knows(bob.uuid, bob.fingerprint_sha256)
    ada.verify(bob.uuid, bob.fingerprint_sha256)
    assert asked.wait(10)
    with bob.connect(ada) as connection:
        assert connection.post("/v1/presence", later(greeting(["tea"]))).status == 200
    ada.wait_member("tea", bob.uuid)
    mark = bob.requests.mark()
    ada.join("coffee")
    answer.set()
    told = bob.requests.wait_for(
        lambda request: request.path == "/v1/presence" and "coffee" in request.json["rooms"], 5, mark
    )
    assert told
    assert bob.uuid in ada.members("tea")


def later(said: dict[str, Any]) -> dict[str, Any]:
    """The same, written a moment after everything before."""
    return {**said, "time": said["time"] + 1000}


def test_who_is_there_and_has_not_verified_us_is_undecided_until_it_greets(
    start_node: StartNode, make_peer: MakePeer
) -> None:
    ada = start_node("Ada", **GREETS)
    ada.join("tea")
    bob = make_peer(certificate=OwnCertificate())
    bob.respond = lambda _request: json_response(403, {"code": "unverified"})
    added(ada, bob)
    wait_until(lambda: (ada.user(bob.uuid) or {})["trouble"] == "undecided")
    ada.app.node.attempts.note(bob.endpoint, None)  # a look, which says nothing of us
    ada.app.node.presence.reached(bob.uuid, bob.endpoint)
    user = ada.user(bob.uuid) or {}
    assert (user["reachability"], user["trouble"]) == ("reachable", "undecided")
    assert "peer-undecided" in [one["code"] for one in ada.get("/api/doctor")["findings"]]
    greets(bob, "tea")
    ada.app.node.presence.moved()
    wait_until(lambda: (ada.user(bob.uuid) or {})["trouble"] is None)


def test_who_answered_at_one_address_is_told_so_though_another_fails(
    start_node: StartNode, make_peer: MakePeer
) -> None:
    ada = start_node("Ada", **GREETS)
    bob = make_peer(certificate=OwnCertificate())
    old = Endpoint("127.0.0.9", 1)
    greets(bob, "tea")
    added(ada, bob)
    ada.app.node.presence.add(bob.uuid, [bob.endpoint, old])
    for endpoint, trouble in ((bob.endpoint, None), (old, "timed-out")):
        ada.app.node.attempts.note(endpoint, trouble)
    assert ada.app.node.greetings.say(bob.uuid).reach == "answered"
    ada.app.node.attempts.note(bob.endpoint, "refused")
    assert ada.app.node.greetings.say(bob.uuid).reach in ("refused", "timed-out")

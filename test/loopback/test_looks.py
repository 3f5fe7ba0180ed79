"""Looks: what an announcement makes us learn, and how little a flood of them costs."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import uuid as uuids
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from loopback_network import FakeNetwork
from loopback_node import LoopbackNode
from loopback_peer import HandmadePeer, know
from waiting import wait_until

from cryptochat_lib.errors import StorageFull
from cryptochat_lib.model import Announcement, Endpoint, KnownKey, PeerId, RoomName

StartNode = Callable[..., LoopbackNode]
MakePeer = Callable[..., HandmadePeer]

SILENT = "127.0.0.50"


def announce(network: FakeNetwork, endpoint: Endpoint, uuid: str = "", version: int = 1) -> PeerId:
    """Somebody says that `uuid`, or a new peer, is in the room at `endpoint`."""
    who = PeerId(uuid or str(uuids.uuid4()))
    network.announce(Announcement(who, (endpoint,), {RoomName("tea"): "tea"}, None, version))
    return who


def wait_looked() -> None:
    """Until nobody is looked at any more."""
    wait_until(lambda: all(thread.name != "look" for thread in threading.enumerate()))


@pytest.fixture
def silent() -> Iterator[Endpoint]:
    """An address where connections are taken, and nothing is ever said."""
    with socket.create_server((SILENT, 0), backlog=256) as listener:
        yield Endpoint(SILENT, listener.getsockname()[1])


def test_a_certificate_that_names_another_than_was_announced_there_is_not_learned(
    ada: LoopbackNode, mallory: HandmadePeer
) -> None:
    ada.join("tea")
    victim = announce(ada.network, mallory.endpoint)
    wait_until(lambda: mallory.handshakes == 1)
    wait_looked()
    assert ada.user(mallory.uuid) is None
    assert (ada.user(victim) or {})["fingerprint"] is None
    assert not ada.app.store.keys.all()


def test_many_peers_announced_at_one_silent_address_delay_no_look_at_another(
    silent: Endpoint, start_node: StartNode, mallory: HandmadePeer
) -> None:
    ada = start_node("Ada", look_again_seconds=30.0, handshake_seconds=10.0)
    ada.join("tea")
    for _ in range(48):
        announce(ada.network, silent)
    wait_until(lambda: ada.app.node.looker._busy[silent.host])
    started = time.monotonic()
    mallory.announce("tea")
    ada.wait_knows(mallory.uuid, mallory.fingerprint_sha256)
    assert time.monotonic() - started < 9  # less than one silent look takes


def test_many_peers_announced_at_one_silent_address_delay_no_look_that_the_user_asks_for(
    silent: Endpoint, start_node: StartNode, make_peer: MakePeer
) -> None:
    ada = start_node("Ada", look_again_seconds=30.0, handshake_seconds=2.0)
    friend = make_peer(host=SILENT)
    ada.join("tea")
    for _ in range(48):
        announce(ada.network, silent)
    wait_until(lambda: ada.app.node.looker._busy[silent.host])
    friend.announce("another room")
    wait_until(lambda: ada.user(friend.uuid))
    ada.post(f"/api/users/{friend.uuid}/look")
    ada.wait_for("verification", timeout=5, uuid=friend.uuid, reason="asked")


def test_silent_connections_from_where_a_seed_only_peer_is_announced_take_one_waiting_place(
    start_node: StartNode, mallory: HandmadePeer
) -> None:
    """Anybody can announce such a peer; a handshake may wait long there, while its user is asked."""
    ada = start_node("Ada", handshake_seconds=2.0)
    source = "127.0.0.51"
    announce(ada.network, Endpoint(source, 9), version=0)
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(mallory.dial(ada, source))
        wait_until(lambda: len(ada.app.node.connections) == 8)
        wait_until(lambda: len(ada.app.node.connections) == 1, 5, "more than one of them waits")
        assert ada.app.node.gates.waiting == 1


def test_a_look_whose_key_cannot_be_stored_stops_no_other_look(
    start_node: StartNode, make_peer: MakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = start_node("Ada", looks_at_once=1, look_again_seconds=30.0)
    ada.join("tea")
    first, second = make_peer(), make_peer()
    learn = ada.app.node.verification.learn
    failing, go_on = threading.Event(), threading.Event()

    def full(*arguments: Any) -> Any:
        if arguments[0].uuid == first.uuid:
            failing.set()
            go_on.wait(10)
            raise StorageFull()
        return learn(*arguments)

    monkeypatch.setattr(ada.app.node.verification, "learn", full)
    first.announce("tea")
    assert failing.wait(10)
    second.announce("tea")
    wait_until(lambda: (second.uuid, second.endpoint) in ada.app.node.looker._due)
    go_on.set()
    ada.wait_knows(second.uuid, second.fingerprint_sha256)


def test_a_flood_of_claims_to_be_us_takes_eight_places_among_the_looks(
    ada: LoopbackNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever else is to be looked at finds the places that are left."""
    looker = ada.app.node.looker
    with monkeypatch.context() as patch:
        patch.setattr(looker, "_begin", lambda: None)
        for number in range(100):
            looker.look_at_claim(Endpoint("127.0.0.66", 1000 + number))
    assert len(looker._due) == ada.limits.looks_at_once


def test_who_is_verified_before_a_look_has_ended_has_answered_there(
    ada: LoopbackNode, mallory: HandmadePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So what somebody else announces of it does not take its place."""
    note = ada.app.store.keys.set_answered

    def verified_before(key: KnownKey, endpoint: Endpoint) -> None:
        ada.verify(mallory.uuid, mallory.fingerprint_sha256)
        announce(ada.network, Endpoint(SILENT, 9), mallory.uuid)
        note(key, endpoint)

    monkeypatch.setattr(ada.app.store.keys, "set_answered", verified_before)
    ada.join("tea")
    mallory.announce("tea")
    wait_until(lambda: (ada.user(mallory.uuid) or {}).get("status") == "verified")
    wait_looked()
    assert first_place(ada, mallory) == mallory.endpoint


def test_who_answers_a_look_while_it_is_being_verified_has_answered_there(
    ada: LoopbackNode, mallory: HandmadePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    know(ada, mallory)
    keys, moved = ada.app.store.keys, Endpoint(SILENT, 7)
    decide = keys.set_trust

    def answered_before(changes: list[tuple[KnownKey, Any, Any, Any]]) -> None:
        keys.set_answered(changes[0][0], moved)
        decide(changes)

    monkeypatch.setattr(keys, "set_trust", answered_before)
    ada.verify(mallory.uuid, mallory.fingerprint_sha256)
    assert first_place(ada, mallory) == moved


def first_place(ada: LoopbackNode, peer: HandmadePeer) -> Endpoint:
    """Where it is tried first."""
    where = ada.app.node.presence.of(PeerId(peer.uuid))
    assert where is not None
    return where.endpoints[0]

"""Strangers who knock: from where they may raise a question, and how many they may.

The user's list of questions is worth something only as long as nobody can fill it. A flooder
has any number of keys, and as many addresses as the network has.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from loopback_node import LoopbackNode
from loopback_peer import HandmadePeer, know, message
from waiting import wait_until

StartNode = Callable[..., LoopbackNode]
MakePeer = Callable[..., HandmadePeer]

HOME = "127.0.0.1"


def knock(node: LoopbackNode, peer: HandmadePeer, source: str) -> float:
    """The peer wants to write, from `source`, and is not let in; returns how many seconds that took."""
    started = time.monotonic()
    with peer.connect(node, source=source) as connection:
        reply = connection.post("/v1/messages", {"messages": [message("let me in")]})
    assert (reply.status, reply.json["code"]) == (403, "unverified")
    return time.monotonic() - started


def pending(node: LoopbackNode) -> set[str]:
    return {user["uuid"] for user in node.get("/api/users")["users"] if user["pending"]}


def test_a_knock_from_off_the_link_waits_at_no_gate_and_raises_no_question(
    start_node: StartNode, mallory: HandmadePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Her certificate is known, from a look at her on the link; then she comes through a router."""
    ada = start_node("Ada", gate_seconds=3.0)
    know(ada, mallory)
    monkeypatch.setattr(ada.app.peer_api.neighbourhood, "has", lambda host: host == HOME)
    assert knock(ada, mallory, "127.9.9.9") < 2
    assert ada.seen("verification") == []
    assert pending(ada) == set()
    assert knock(ada, mallory, HOME) >= 3
    assert pending(ada) == {mallory.uuid}


def test_one_address_with_many_keys_raises_two_questions(start_node: StartNode, make_peer: MakePeer) -> None:
    ada = start_node("Ada", gate_seconds=0.05)
    flood, honest = [make_peer() for _ in range(5)], make_peer()
    for peer in (*flood, honest):
        know(ada, peer)
    for peer in flood:
        knock(ada, peer, "127.0.6.6")
    knock(ada, honest, "127.0.0.9")
    assert pending(ada) == {flood[0].uuid, flood[1].uuid, honest.uuid}
    asked = ada.seen("verification")
    assert [question["address"] for question in asked] == ["127.0.6.6", "127.0.6.6", "127.0.0.9"]
    assert all(question["time"] for question in asked)


def test_a_flood_of_knocks_from_many_addresses_drives_out_nobody_who_was_here_or_comes(
    start_node: StartNode, make_peer: MakePeer
) -> None:
    """Places for six: the flooder, with four addresses and eight keys, could fill them alone."""
    ada = start_node("Ada", knocks=6, unverified_keys_of_one_address=32, gate_seconds=0.05)
    early, late, wanted = (make_peer() for _ in range(3))
    flood = [make_peer() for _ in range(8)]
    for peer in (early, late, wanted, *flood):
        know(ada, peer)
    knock(ada, early, "127.0.0.5")
    for _ in range(2):
        for number, peer in enumerate(flood):
            knock(ada, peer, f"127.0.6.{1 + number % 4}")
    assert len(pending(ada)) == 6
    knock(ada, late, "127.0.0.7")
    ada.post(f"/api/users/{wanted.uuid}/look")
    ada.wait_for("verification", uuid=wanted.uuid, reason="asked")
    assert {early.uuid, late.uuid, wanted.uuid} < pending(ada)
    assert len(pending(ada)) == 6 + 1
    assert {peer.uuid for peer in flood[:5]} - pending(ada) == {flood[4].uuid}, "the latest of its address"
    ada.unverify(early.uuid)
    knock(ada, flood[4], "127.0.6.1")
    assert flood[4].uuid in pending(ada), "there is room again"
    told = [question["uuid"] for question in ada.seen("verification")]
    assert len(told) == len(set(told)), "once for each key"


def test_whom_the_user_wants_to_reach_is_learned_also_when_the_table_is_full_of_the_pending(
    start_node: StartNode, make_peer: MakePeer
) -> None:
    ada = start_node("Ada", unverified_keys=2)
    first, second, wanted = (make_peer() for _ in range(3))
    for peer in (first, second):
        know(ada, peer)
        ada.post(f"/api/users/{peer.uuid}/look")
        ada.wait_for("verification", uuid=peer.uuid)
    wanted.announce("elsewhere")
    wait_until(lambda: ada.user(wanted.uuid))
    ada.post(f"/api/users/{wanted.uuid}/look")
    ada.wait_for("verification", uuid=wanted.uuid, reason="asked")

"""First contact between two machines, step by step, and how trust ends.

Nobody here knows anybody. Each side looks at the other's certificate, its user
says yes, and only then is a certificate of its own presented (PROTOCOL.md).
"""

from __future__ import annotations

import re

import pytest
from friends import StartNode, befriend, wait_knows
from lab import Lan
from nodes import Node, wait_until


def questions(node: Node, about: Node, after: int = 0) -> int:
    return len(node.seen("verification", after, uuid=about.uuid))


def test_both_users_say_yes_once_and_messages_pass_from_then_on(
    lan: Lan, start_node: StartNode, room: str
) -> None:
    ada, bob = start_node(lan.hosts[0], "Ada"), start_node(lan.hosts[1], "Bob")
    ada.join(room)
    bob.join(room)
    ada.wait_member(room, bob.uuid, online=True, status="unverified")
    wait_knows(ada, bob)
    assert not questions(ada, bob), "a look alone lists Bob, and asks nothing"

    message = ada.send(room, "hello, stranger")
    question = ada.wait_for("verification", uuid=bob.uuid)
    assert question["reason"] == "queued"
    assert question["fingerprint"] == bob.fingerprint
    assert question["fingerprint_sha256"] == bob.fingerprint_sha256
    assert ada.delivery(message, bob.uuid)["state"] == "waiting"
    assert not questions(bob, ada), "Bob can't be asked before Ada has presented her certificate"

    ada.verify(bob.uuid, question["fingerprint_sha256"])
    question = bob.wait_for("verification", uuid=ada.uuid)
    assert question["reason"] == "knocked"
    assert question["fingerprint_sha256"] == ada.fingerprint_sha256
    assert bob.history(room) == [], "unread until Bob says yes"

    bob.verify(ada.uuid, question["fingerprint_sha256"])
    arrived = bob.wait_message("hello, stranger")
    assert arrived["sender"] == {"uuid": ada.uuid, "username": "Ada"}
    assert (arrived["room"], arrived["own"], arrived["kind"]) == (room, False, "text")
    ada.wait_for("delivery", id=message["id"], uuid=bob.uuid, state="delivered")
    assert ada.delivery(message, bob.uuid)["state"] == "delivered"

    bob.send(room, "hello, Ada")
    assert ada.wait_message("hello, Ada")["sender"] == {"uuid": bob.uuid, "username": "Bob"}
    ada.send(room, "and again")
    bob.wait_message("and again")
    assert (questions(ada, bob), questions(bob, ada)) == (1, 1)
    assert [one["content"] for one in bob.history(room)] == ["hello, stranger", "hello, Ada", "and again"]


def test_either_side_may_say_yes_first(lan: Lan, start_node: StartNode, room: str) -> None:
    ada, bob = start_node(lan.hosts[0], "Ada"), start_node(lan.hosts[1], "Bob")
    ada.join(room)
    bob.join(room)
    wait_knows(bob, ada)
    bob.verify(ada.uuid, ada.fingerprint_sha256)
    ada.wait_member(room, bob.uuid, online=True)
    ada.send(room, "you know me")
    ada.wait_for("verification", uuid=bob.uuid, reason="queued")
    ada.verify(bob.uuid, bob.fingerprint_sha256)
    bob.wait_message("you know me")
    assert not questions(bob, ada), "Bob had answered before he was asked"


def test_both_pages_show_the_same_safety_number(friends: tuple[Node, Node]) -> None:
    ada, bob = friends
    number = ada.user(bob.uuid)["safety_number"]
    assert number == bob.user(ada.uuid)["safety_number"]
    assert re.fullmatch(r"\d{5}( \d{5}){11}", number)


def test_a_yes_to_another_fingerprint_is_refused_and_changes_nothing(
    lan: Lan, start_node: StartNode, room: str
) -> None:
    ada, bob = start_node(lan.hosts[0], "Ada"), start_node(lan.hosts[1], "Bob")
    ada.join(room)
    bob.join(room)
    wait_knows(ada, bob)
    for fingerprint in ("00" * 32, ada.fingerprint_sha256):
        reply = ada.request(
            "POST", f"/api/users/{bob.uuid}/verify", {"fingerprint_sha256": fingerprint, "method": "number"}
        )
        assert (reply.status, reply.json["code"]) == (409, "fingerprint-differs")
    assert ada.status(bob.uuid) == "unverified"


def test_after_both_restart_nobody_is_asked_again(friends: tuple[Node, Node], room: str) -> None:
    ada, bob = friends
    ada.join(room)
    bob.join(room)
    before = (ada.uuid, ada.fingerprint_sha256, bob.uuid, bob.fingerprint_sha256)
    ada.restart()
    bob.restart()
    assert (ada.uuid, ada.fingerprint_sha256, bob.uuid, bob.fingerprint_sha256) == before
    ada.wait_member(room, bob.uuid, online=True, status="verified")
    bob.wait_member(room, ada.uuid, online=True, status="verified")
    ada.send(room, "still there?")
    bob.wait_message("still there?")
    bob.send(room, "still here")
    ada.wait_message("still here")
    assert (questions(ada, bob), questions(bob, ada)) == (0, 0)


def open_connections(node: Node, peer_port: int) -> list[str]:
    listing = node.host.run(["ss", "-Htn", "state", "established", f"( sport = :{peer_port} )"]).stdout
    return listing.splitlines()


def test_taking_a_yes_back_ends_open_connections_at_once(friends: tuple[Node, Node], room: str) -> None:
    ada, bob = friends
    ada.join(room)
    bob.join(room)
    ada.wait_member(room, bob.uuid, online=True)
    ada.send(room, "over an open connection")
    bob.wait_message("over an open connection")
    port = int(ada.members(room)[bob.uuid]["address"].rpartition(":")[2])
    assert open_connections(bob, port), "the connection is kept"
    try:
        mark = bob.events.mark()
        bob.unverify(ada.uuid)
        wait_until(lambda: not open_connections(bob, port), 2, "the connection is still open")
        assert bob.status(ada.uuid) == "unverified"
        message = ada.send(room, "not for now")
        wait_until(lambda: ada.delivery(message, bob.uuid)["reason"], 5, "no reason is given")
        ada.wait_delivery(message, bob.uuid, "waiting")
        assert not questions(bob, ada, mark), "who was declined is listed, not asked about again"
        assert not bob.seen("messages", mark)
        bob.verify(ada.uuid, ada.fingerprint_sha256)
        bob.wait_message("not for now", timeout=30)
    finally:
        bob.verify(ada.uuid, ada.fingerprint_sha256)


def test_a_rejected_key_is_refused_and_not_asked_about(friends: tuple[Node, Node], room: str) -> None:
    ada, bob = friends
    ada.join(room)
    bob.join(room)
    ada.wait_member(room, bob.uuid, online=True)
    mark = bob.events.mark()
    try:
        bob.unverify(ada.uuid)
        bob.unverify(ada.uuid)
        assert bob.status(ada.uuid) == "rejected"
        message = ada.send(room, "never for you")
        ada.wait_delivery(message, bob.uuid, "refused")
        assert not questions(bob, ada, mark)
        assert bob.history(room) == []
        own = bob.send(room, "not to her")
        assert all(one["uuid"] != ada.uuid for one in own["deliveries"]), "no row for the rejected"
    finally:
        bob.verify(ada.uuid, ada.fingerprint_sha256)
    ada.send(room, "friends again")
    bob.wait_message("friends again", timeout=30)


def test_a_no_to_the_question_refuses_what_waits_at_the_gate(
    lan: Lan, start_node: StartNode, room: str
) -> None:
    ada, bob = start_node(lan.hosts[0], "Ada"), start_node(lan.hosts[1], "Bob")
    ada.join(room)
    bob.join(room)
    wait_knows(ada, bob)
    ada.verify(bob.uuid, bob.fingerprint_sha256)
    message = ada.send(room, "let me in")
    bob.wait_for("verification", uuid=ada.uuid, reason="knocked")
    bob.unverify(ada.uuid)
    assert bob.status(ada.uuid) == "rejected"
    ada.wait_delivery(message, bob.uuid, "refused")
    assert bob.history(room) == []


@pytest.mark.parametrize("how", ["frozen", "undecided"])
def test_one_peer_that_does_not_answer_delays_no_other(
    lan: Lan, friends: tuple[Node, Node], start_node: StartNode, room: str, how: str
) -> None:
    ada, bob = friends
    carol = start_node(lan.hosts[2], "Carol")
    for node in (ada, bob, carol):
        node.join(room)
    for one in (bob, carol):
        ada.wait_member(room, one.uuid, online=True)
    if how == "frozen":
        befriend(ada, carol, room)
        ada.send(room, "all hear this")
        carol.wait_message("all hear this")
        carol.freeze()
    else:
        wait_knows(ada, carol)
        ada.verify(carol.uuid, carol.fingerprint_sha256)
        ada.send(room, "knock")
        carol.wait_for("verification", uuid=ada.uuid, reason="knocked")
    message = ada.send(room, "for whoever is awake")
    bob.wait_message("for whoever is awake", timeout=2)
    assert ada.delivery(message, carol.uuid)["state"] == "waiting"
    if how == "frozen":
        carol.thaw()
    else:
        carol.verify(ada.uuid, ada.fingerprint_sha256)
    carol.wait_message("for whoever is awake", timeout=15)

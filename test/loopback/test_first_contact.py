"""Two nodes meet: look, verify, then present, both ways through one decision."""

from __future__ import annotations

from collections.abc import Callable

from loopback_node import LoopbackNode

StartNode = Callable[..., LoopbackNode]


def test_two_strangers_verify_each_other_and_the_first_message_arrives(start_node: StartNode) -> None:
    ada, bob = start_node("Ada"), start_node("Bob")
    ada.join("tea")
    bob.join("tea")
    ada.wait_member("tea", bob.uuid, status="unverified", online=True)
    message = ada.send("tea", "hello")
    asked = ada.wait_for("verification", uuid=bob.uuid, reason="queued")
    assert ada.delivery(message, bob.uuid) == {
        "uuid": bob.uuid,
        "state": "waiting",
        "reason": "waiting for you to verify",
    }
    ada.verify(bob.uuid, asked["fingerprint_sha256"])
    knocked = bob.wait_for("verification", uuid=ada.uuid, reason="knocked")
    assert knocked["safety_number"] == asked["safety_number"]
    assert bob.history("tea") == []
    bob.verify(ada.uuid, knocked["fingerprint_sha256"])
    assert bob.wait_message("hello")["sender"] == {"uuid": ada.uuid, "username": "Ada"}
    ada.wait_delivery(message, bob.uuid, "delivered")
    answer = bob.send("tea", "hello yourself")
    ada.wait_message("hello yourself")
    bob.wait_delivery(answer, ada.uuid, "delivered")
    assert len(ada.seen("verification")) == len(bob.seen("verification")) == 1

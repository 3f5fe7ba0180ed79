"""How far a message got, as its sender reads it: in the POST's reply, as events, in the history.

Contract, section 4: `waiting` with a reason in words, then one of `delivered`, `refused`,
`withheld`, `expired`, and from there nowhere. `refused` is in `test_outbox`, answer by answer.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from loopback_node import LoopbackNode, befriend
from loopback_peer import HandmadePeer, accepts_all, json_response, know, trust
from ui_client import Data
from waiting import wait_until

StartNode = Callable[..., LoopbackNode]
MakePeer = Callable[..., HandmadePeer]


def state(node: LoopbackNode, message: Data, uuid: str) -> tuple[str, str | None]:
    """What the history says; and the last event about it, if there was one, says the same."""
    delivery = node.delivery(message, uuid)
    assert delivery is not None
    return delivery["state"], delivery["reason"]


def wait_state(node: LoopbackNode, message: Data, uuid: str, wanted: str, reason: str | None) -> None:
    """Wait for the event that says so; the history says the same, and the event names the message."""
    event = node.wait_for("delivery", id=message["id"], uuid=uuid, state=wanted, reason=reason)
    assert event == {
        "id": message["id"],
        "room": message["room"],
        "uuid": uuid,
        "state": wanted,
        "reason": reason,
    }
    assert state(node, message, uuid) == (wanted, reason)


def test_each_recipient_has_a_state_of_its_own(
    ada: LoopbackNode, mallory: HandmadePeer, make_peer: MakePeer
) -> None:
    mallory.respond = accepts_all
    trust(ada, mallory)
    away, stranger, rejected = make_peer(), make_peer(), make_peer()
    trust(ada, away)
    away.hang_up()
    ada.send("tea", "is anybody there?")
    ada.wait_member("tea", away.uuid, online=False)
    know(ada, stranger)
    know(ada, rejected)
    ada.unverify(rejected.uuid)
    message = ada.send("tea", "hello")
    assert {one["uuid"]: (one["state"], one["reason"]) for one in message["deliveries"]} == {
        mallory.uuid: ("waiting", None),
        away.uuid: ("waiting", "asleep or off the network"),
        stranger.uuid: ("waiting", "waiting for you to verify"),
    }, "none for the rejected"
    wait_state(ada, message, mallory.uuid, "delivered", None)
    assert state(ada, message, away.uuid) == ("waiting", "asleep or off the network")
    assert state(ada, message, stranger.uuid) == ("waiting", "waiting for you to verify")


def test_who_has_not_said_yes_to_us_is_named_as_the_reason(
    start_node: StartNode, mallory: HandmadePeer
) -> None:
    """Bob's gate answers 403 `unverified` once it has waited; and so does Mallory, at once."""
    ada, bob = start_node("Ada"), start_node("Bob", gate_seconds=0.2)
    befriend(ada, bob)
    mallory.respond = lambda _request: json_response(403, {"status": 403, "code": "unverified"})
    trust(ada, mallory)
    bob.unverify(ada.uuid)
    message = ada.send("tea", "hello")
    for uuid in (bob.uuid, mallory.uuid):
        wait_state(ada, message, uuid, "waiting", "has not verified you yet")
    bob.verify(ada.uuid)
    wait_state(ada, message, bob.uuid, "delivered", None)


def test_delivered_is_said_only_after_the_other_side_has_stored_it(start_node: StartNode) -> None:
    ada, bob = start_node("Ada"), start_node("Bob")
    befriend(ada, bob)
    message = ada.send("tea", "hello")
    wait_state(ada, message, bob.uuid, "delivered", None)
    assert [one["content"] for one in bob.history("tea")] == ["hello"]
    assert bob.history("tea")[0]["deliveries"] == [], "deliveries are told of our own messages"


@pytest.mark.parametrize("verified", [True, False])
def test_what_waits_is_withheld_when_the_user_says_no(
    ada: LoopbackNode, mallory: HandmadePeer, verified: bool
) -> None:
    """A yes that is taken back; and a no to somebody for whom something waits."""
    if verified:
        trust(ada, mallory)
        mallory.hang_up()
    else:
        know(ada, mallory)
    messages = [ada.send("tea", str(number)) for number in range(3)]
    ada.unverify(mallory.uuid)
    for message in messages:
        wait_state(ada, message, mallory.uuid, "withheld", "you have taken your trust back")
    mallory.respond = accepts_all
    mallory.move()
    mallory.announce("tea")
    ada.verify(mallory.uuid, mallory.fingerprint_sha256)
    last = ada.send("tea", "friends again")
    wait_state(ada, last, mallory.uuid, "delivered", None)
    assert [m["content"] for r in mallory.requests.items for m in r.json["messages"]] == ["friends again"]
    assert state(ada, messages[0], mallory.uuid)[0] == "withheld", "a final state stays"


def test_what_waits_too_long_for_somebody_who_is_away_expires_and_is_not_sent(
    start_node: StartNode, mallory: HandmadePeer
) -> None:
    """30 days for somebody verified; here, none. The outbox looks once a minute; here, when told to."""
    ada = start_node("Ada", queued_seconds=0.001)
    trust(ada, mallory)
    mallory.hang_up()
    message = ada.send("tea", "hello")
    wait_until(lambda: state(ada, message, mallory.uuid)[1] == "asleep or off the network")
    ada.app.node.outbox.expire()
    wait_state(ada, message, mallory.uuid, "expired", "it waited too long")
    mallory.respond = accepts_all
    mallory.move()
    mallory.announce("tea")
    ada.wait_member("tea", mallory.uuid, online=True)
    last = ada.send("tea", "in time")
    wait_state(ada, last, mallory.uuid, "delivered", None)
    assert [m["content"] for r in mallory.requests.items for m in r.json["messages"]] == ["in time"]


def test_past_what_may_wait_for_somebody_verified_the_oldest_expire_and_the_rest_arrives_in_order(
    start_node: StartNode, mallory: HandmadePeer
) -> None:
    ada = start_node("Ada", queued_for_one_recipient=3)
    trust(ada, mallory)
    mallory.hang_up()
    messages = [ada.send("tea", str(number)) for number in range(5)]
    for message in messages[:2]:
        wait_state(ada, message, mallory.uuid, "expired", "it waited too long")
    mallory.respond = accepts_all
    mallory.move()
    mallory.announce("tea")
    for message in messages[2:]:
        wait_state(ada, message, mallory.uuid, "delivered", None)
    assert [m["content"] for r in mallory.requests.items for m in r.json["messages"]] == ["2", "3", "4"]

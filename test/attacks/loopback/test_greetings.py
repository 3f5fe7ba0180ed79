"""What anybody can try with greetings, records, and announcements about people who greet."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from greeting_nodes import GREETS, StartNode, greets
from loopback_network import FakeNetwork
from loopback_node import LoopbackNode
from loopback_peer import HandmadePeer, OwnCertificate, Request, json_response, know, trust
from peer_api import check_problem, post
from signed_records import greeting, milliseconds, signed
from waiting import wait_until

from cryptochat_lib.model import Announcement, Endpoint, RoomName

PRESENCE = "/v1/presence"
MakePeer = Callable[..., HandmadePeer]


@pytest.fixture
def ada(start_node: StartNode) -> LoopbackNode:
    """A node that greets, in the room "tea"."""
    node = start_node("Ada", **GREETS)
    node.join("tea")
    return node


@pytest.fixture
def friend(ada: LoopbackNode, make_peer: MakePeer) -> HandmadePeer:
    """Verified by Ada, and has told her that it is in the room "tea"."""
    friend = make_peer(certificate=OwnCertificate())
    greets(friend, "tea", record=signed(friend.certificate, friend.endpoint))
    trust(ada, friend)
    wait_until(lambda: is_told(ada, friend), 10, "no greeting")
    return friend


def is_told(node: LoopbackNode, peer: HandmadePeer) -> bool:
    where = node.app.node.presence.of(peer.uuid)
    return where is not None and where.told


def endpoints(node: LoopbackNode, peer: HandmadePeer) -> tuple[Endpoint, ...]:
    where = node.app.node.presence.of(peer.uuid)
    return where.endpoints if where else ()


def test_a_forged_announcement_with_the_friends_own_address_and_port_takes_it_out_of_no_room(
    ada: LoopbackNode, friend: HandmadePeer, network: FakeNetwork
) -> None:
    mark = friend.requests.mark()
    network.announce(Announcement(friend.uuid, (friend.endpoint,), {}, None, 1))
    assert ada.members("tea")[friend.uuid]["status"] == "verified"
    sent = ada.send("tea", "who is there?")
    ada.wait_delivery(sent, friend.uuid, "delivered")
    friend.requests.wait_for(lambda request: request.path == PRESENCE, 4, mark)  # it is asked instead
    assert friend.uuid in ada.members("tea")


def test_a_forged_announcement_puts_a_friend_into_no_room(
    ada: LoopbackNode, friend: HandmadePeer, network: FakeNetwork
) -> None:
    ada.join("cellar")
    mark = friend.requests.mark()
    rooms = {RoomName(room): room for room in ("tea", "cellar")}
    network.announce(Announcement(friend.uuid, (friend.endpoint,), rooms, None, 1))
    sent = ada.send("cellar", "for nobody")
    assert sent["deliveries"] == []
    friend.requests.wait_for(lambda request: request.path == PRESENCE, 4, mark)
    assert friend.uuid not in ada.members("cellar")


def test_a_forged_goodbye_is_seen_through_in_seconds(
    ada: LoopbackNode, friend: HandmadePeer, network: FakeNetwork
) -> None:
    network.goodbye(friend.uuid)
    ada.wait_member("tea", friend.uuid, online=False)
    ada.wait_member("tea", friend.uuid, 6, online=True)


def test_flapping_announcements_cost_a_greeting_in_seconds_and_then_in_minutes(
    ada: LoopbackNode, friend: HandmadePeer, network: FakeNetwork
) -> None:
    mark = friend.requests.mark()
    for number in range(200):
        rooms = {RoomName(f"room {number}"): f"room {number}"}
        network.announce(Announcement(friend.uuid, (friend.endpoint,), rooms, None, 1))
        if number % 100 == 99:
            sent = ada.send("tea", f"{number}")
            ada.wait_delivery(sent, friend.uuid, "delivered")
    friend.requests.wait_for(lambda request: request.path == PRESENCE, 4, mark)
    rows = ada.app.node.greeter._timetable._rows
    wait_until(lambda: rows[friend.uuid].doubts == 1)  # the next one is put off for longer
    asked = [request for request in friend.requests.since(mark) if request.path == PRESENCE]
    assert len(asked) <= 2


def test_a_greeting_of_an_unverified_key_waits_at_no_gate_and_raises_no_question(
    ada: LoopbackNode, make_peer: MakePeer, friend: HandmadePeer
) -> None:
    mallory = make_peer()
    know(ada, mallory)
    check_problem(post(ada, mallory, PRESENCE, greeting(["tea"], name="Bob")), 403, "unverified")
    assert ada.seen("verification") == []
    assert not (ada.user(mallory.uuid) or {})["pending"]
    assert mallory.uuid in ada.members("tea")
    mark = friend.requests.mark()
    ada.app.node.presence.moved()
    friend.requests.wait_for(lambda request: request.path == PRESENCE, 4, mark)
    assert not ada.app.node.greeter._timetable.knows(mallory.uuid)  # nor is it greeted
    assert mallory.requests.items == []


def test_a_rejected_key_is_neither_heard_nor_greeted(ada: LoopbackNode, friend: HandmadePeer) -> None:
    ada.unverify(friend.uuid)
    ada.unverify(friend.uuid)
    mark = friend.requests.mark()
    ada.app.node.presence.moved()
    check_problem(post(ada, friend, PRESENCE, greeting(["tea", "cellar"])), 403, "rejected")
    assert friend.uuid not in ada.members("cellar")
    assert friend.requests.since(mark) == []


def test_a_friend_cannot_speak_for_another_friend(
    ada: LoopbackNode, friend: HandmadePeer, make_peer: MakePeer
) -> None:
    """Neither with a forged record, nor an older one, nor one passed off as its own, nor with rooms."""
    carol = make_peer(certificate=OwnCertificate())
    old = signed(carol.certificate, Endpoint("127.0.0.1", 4001), at=milliseconds(3600))
    greets(carol, "tea", record=signed(carol.certificate, carol.endpoint))
    trust(ada, carol)
    wait_until(lambda: is_told(ada, carol), 10, "no greeting")
    before, where = endpoints(ada, carol), endpoints(ada, friend)
    elsewhere = Endpoint("127.0.0.1", 4002)
    forged = signed(carol.certificate, elsewhere, at=milliseconds(-60), signer=friend.certificate)
    data = bytearray(base64.b64decode(signed(carol.certificate, elsewhere, at=milliseconds(-60))))
    data[9] ^= 1  # of the port
    records = [
        {"record": r, "rooms": ["tea", "cellar"]} for r in (forged, old, base64.b64encode(data).decode())
    ]
    body = greeting(["tea"], record=signed(carol.certificate, elsewhere), records=records)
    assert post(ada, friend, PRESENCE, body).status == 200
    assert endpoints(ada, carol) == before
    assert endpoints(ada, friend)[: len(where)] == where
    assert elsewhere not in endpoints(ada, friend)
    assert carol.uuid not in ada.members("cellar")
    later = signed(carol.certificate, carol.endpoint, at=milliseconds(-60))
    body = greeting(["tea"], records=[{"record": later, "rooms": ["tea", "cellar"]}])
    assert post(ada, friend, PRESENCE, body).status == 200
    assert carol.uuid not in ada.members("cellar")


def test_a_flood_of_made_up_people_is_bounded_and_drives_out_nobody(
    ada: LoopbackNode, friend: HandmadePeer
) -> None:
    for _ in range(3):
        made_up = [{"record": signed(OwnCertificate(), Endpoint("127.0.0.1", 4000)), "rooms": ["tea"]}] * 1
        made_up += [
            {"record": signed(OwnCertificate(), Endpoint("127.0.0.1", 4000 + n)), "rooms": ["tea"]}
            for n in range(20)
        ]
        assert post(ada, friend, PRESENCE, greeting(["tea"], records=made_up)).status == 200
    strangers = [where for where in ada.app.node.presence.all() if where.hinted and not where.pinned]
    assert len(strangers) == ada.limits.hinted_peers_of_one
    assert ada.seen("verification") == []
    ada.wait_member("tea", friend.uuid, online=True)
    sent = ada.send("tea", "still here")
    ada.wait_delivery(sent, friend.uuid, "delivered")


def test_too_much_in_a_greeting_is_refused(ada: LoopbackNode, friend: HandmadePeer) -> None:
    many = [{"record": "AQAA", "rooms": []}] * 33
    check_problem(post(ada, friend, PRESENCE, greeting(["tea"], records=many)), 413, "too-large")
    check_problem(post(ada, friend, PRESENCE, greeting(["tea"], record="A" * 70_000)), 413, "too-large")
    check_problem(post(ada, friend, PRESENCE, {"rooms": ["tea"]}), 400, "malformed")


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", json_response(200, {"time": "now"}), None],
    ids=["an empty answer", "nonsense", "no answer"],
)
def test_an_answer_that_is_none_changes_nothing(
    ada: LoopbackNode, make_peer: MakePeer, answer: bytes | None
) -> None:
    bob = make_peer(certificate=OwnCertificate())

    def respond(_request: Request) -> bytes | None:
        return answer

    bob.respond = respond
    trust(ada, bob)
    bob.requests.wait_for(lambda request: request.path == PRESENCE)
    assert bob.uuid in ada.members("tea")
    bob.announce("cellar")  # and mDNS counts as for any other
    ada.wait_member("cellar", bob.uuid)
    assert not is_told(ada, bob)


def test_an_impostor_at_a_friends_address_learns_nothing_from_a_greeting(
    ada: LoopbackNode, friend: HandmadePeer, make_peer: MakePeer
) -> None:
    """Nobody but the pinned key is presented our certificate, or told our rooms."""
    impostor = make_peer()
    record = signed(friend.certificate, impostor.endpoint)
    post(ada, friend, PRESENCE, greeting(["tea"], record=record))
    friend.hang_up()
    ada.app.node.presence.moved()
    ada.wait_member("tea", friend.uuid, online=False)
    assert impostor.requests.items == []

"""Adding people by contact code or by address, between nodes that never hear each other's announcements."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from contacts import add, code_for, code_of, contact, provable, status, wait_reason, wait_verified
from greeting_nodes import GREETS
from loopback_http import ask, check_problem
from loopback_network import FakeNetwork
from loopback_node import LoopbackNode
from loopback_peer import HandmadePeer
from waiting import wait_until

from cryptochat_lib.contact_code import ContactCode
from cryptochat_lib.identity import parse_certificate
from cryptochat_lib.model import Endpoint

StartNode = Callable[..., LoopbackNode]
MakePeer = Callable[..., HandmadePeer]
SOON = {"contact_retry_first_seconds": 0.1, "contact_retry_most_seconds": 0.3}


@pytest.fixture
def start_alone(start_node: StartNode) -> StartNode:
    """Start a node on a network of its own: it hears nobody, and nobody hears it."""
    return lambda name, **options: start_node(name, network=FakeNetwork(), **{**SOON, **options})


def test_who_enter_each_others_codes_are_verified_and_chat_without_multicast(start_alone: StartNode) -> None:
    ada, bob = (
        start_alone("Ada", **GREETS, greet_seconds=0.2),
        start_alone("Bob", **GREETS, greet_seconds=0.2),
    )
    for one, other in ((ada, bob), (bob, ada)):
        one.join("tea")
        added = add(one, code=code_of(other))
        assert (added["by"], added["uuid"], added["state"]) == ("code", other.uuid, "looking")
    for one, other in ((ada, bob), (bob, ada)):
        wait_verified(one, other.uuid)
        one.wait_for("contacts", where=lambda data: data["contacts"][0]["state"] == "found")
        one.wait_member("tea", other.uuid)
    for one, other in ((ada, bob), (bob, ada)):
        one.send("tea", f"hello from {one.options.username}")
        came = other.wait_for("messages", where=lambda data, one=one: data["sender"]["uuid"] == one.uuid)
        assert came["method"] == "code"
        assert not [event for event in one.events.items if event.kind == "verification"]


def test_who_alone_enters_a_code_has_verified_and_sees_that_the_other_has_not(start_alone: StartNode) -> None:
    ada, bob = start_alone("Ada", **GREETS, greet_seconds=0.2), start_alone("Bob")
    add(ada, code=code_of(bob))
    wait_verified(ada, bob.uuid)
    wait_reason(ada, "undecided")
    assert bob.get("/api/users")["users"] == []


def test_who_is_not_there_yet_is_found_when_it_comes(start_alone: StartNode, make_peer: MakePeer) -> None:
    ada, bob = start_alone("Ada"), provable(make_peer)
    bob.hang_up()
    add(ada, code=code_for(bob))
    wait_reason(ada, "refused")
    assert ada.get("/api/users")["users"] == []  # the contact is listed, as one; nobody is there
    port = bob.endpoint.port
    bob.listen(port)
    wait_verified(ada, bob.uuid)
    assert contact(ada) == {**(contact(ada) or {}), "state": "found", "reason": None}


def test_a_new_network_is_a_reason_to_look_at_once(start_alone: StartNode, make_peer: MakePeer) -> None:
    ada, bob = start_alone("Ada", contact_retry_first_seconds=3600.0), provable(make_peer)
    bob.hang_up()
    add(ada, code=code_for(bob))
    wait_reason(ada, "refused")
    bob.listen(bob.endpoint.port)
    ada.app.node.presence.moved()
    wait_verified(ada, bob.uuid)


def test_looks_become_rarer_up_to_a_bound(start_alone: StartNode, make_peer: MakePeer) -> None:
    ada, bob = (
        start_alone("Ada", contact_retry_first_seconds=40.0, contact_retry_most_seconds=60.0),
        provable(make_peer),
    )
    bob.hang_up()
    add(ada, code=code_for(bob))
    contacts = ada.app.node.contacts
    pauses = []
    for _ in range(4):
        pauses.append(contacts._tries[1].pause)
        contacts._try(ada.app.store.contacts.get(1))
    assert pauses == [40.0, 60.0, 60.0, 60.0]


def test_a_key_that_was_seen_before_is_verified_in_the_reply(
    start_node: StartNode, make_peer: MakePeer
) -> None:
    ada, bob = start_node("Ada"), provable(make_peer)
    bob.announce("tea")
    ada.join("tea")
    ada.wait_knows(bob.uuid, bob.fingerprint_sha256)
    assert add(ada, code=code_for(bob))["state"] == "found"
    assert status(ada, bob.uuid) == "verified"


def test_a_code_is_a_yes_to_a_key_that_was_rejected(start_node: StartNode, make_peer: MakePeer) -> None:
    ada, bob = start_node("Ada"), provable(make_peer)
    bob.announce("tea")
    ada.join("tea")
    ada.wait_knows(bob.uuid, bob.fingerprint_sha256)
    ada.delete(f"/api/users/{bob.uuid}/verify")
    assert status(ada, bob.uuid) == "rejected"
    add(ada, code=code_for(bob))
    assert status(ada, bob.uuid) == "verified"


def test_a_code_that_waits_outlives_a_restart(start_alone: StartNode, make_peer: MakePeer) -> None:
    ada, bob = start_alone("Ada"), provable(make_peer)
    bob.hang_up()
    added = add(ada, code=code_for(bob))
    ada.stop()
    bob.listen(bob.endpoint.port)
    ada.start()
    wait_verified(ada, bob.uuid)
    assert (contact(ada) or {})["added"] == added["added"]


def test_what_a_crash_left_between_a_look_and_the_yes_is_finished_at_the_next_start(
    start_alone: StartNode, make_peer: MakePeer
) -> None:
    ada, bob = start_alone("Ada"), provable(make_peer)
    bob.hang_up()
    add(ada, code=code_for(bob))
    certificate = parse_certificate(bob.certificate.der)
    ada.app.node.neighbours.close()  # what would say the yes; the look's row is on the disk
    ada.app.store.keys.add(certificate, "1", bob.host, 0)
    assert status(ada, bob.uuid) == "unverified"
    ada.restart()
    wait_verified(ada, bob.uuid)


def test_the_addresses_of_a_contact_are_tried_after_a_restart(
    start_alone: StartNode, make_peer: MakePeer
) -> None:
    """Also where nobody has said yes yet, so that no key says where it answered."""
    ada, bob = start_alone("Ada"), make_peer()
    add(ada, address=str(bob.endpoint))
    wait_until(lambda: (contact(ada) or {})["state"] == "found")
    ada.restart()
    where = ada.app.node.presence.of(bob.uuid)
    assert where is not None
    assert bob.endpoint in where.endpoints


def test_a_damaged_a_newer_an_own_code_and_no_code_are_told_apart(ada: LoopbackNode) -> None:
    own = code_of(ada)
    damaged = own[:-1] + ("A" if own[-1] != "A" else "B")
    for code, status_, name in (
        (own, 409, "own-code"),
        (own.lower().replace("cryptochat:", ""), 409, "own-code"),
        (damaged, 400, "damaged-code"),
        ("hello", 400, "malformed"),
        ("", 400, "malformed"),
    ):
        check_problem(ask(ada, "POST", "/api/contacts", json_body={"code": code}), status_, name)
    for body in ({}, {"code": own, "address": "a:1"}, {"code": 1}, {"address": None}, {"more": "a"}):
        check_problem(ask(ada, "POST", "/api/contacts", json_body=body), 400, "malformed")
    for address in ("", "1.2.3.4", "1.2.3.4:0", "300.1.1.1:5", own, "http://a:1"):
        check_problem(ask(ada, "POST", "/api/contacts", json_body={"address": address}), 400, "malformed")
    check_problem(
        ask(ada, "POST", "/api/contacts", json_body={"address": str(ada.endpoint)}), 409, "conflict"
    )
    for number in ("1", "0", "-1", "x", "9" * 30):
        check_problem(ask(ada, "DELETE", f"/api/contacts/{number}"), 404, "unknown-contact")
    assert ada.get("/api/contacts") == {"contacts": []}


def test_the_own_code_says_where_we_listen_in_every_form(ada: LoopbackNode) -> None:
    shown = ada.get("/api/code")
    expected = ContactCode.of(ada.app.node.profile.certificate, [ada.endpoint.host], ada.endpoint.port)
    assert shown["code"] == expected.encode()
    assert shown["link"].endswith(shown["code"])
    assert shown["addresses"] == [str(ada.endpoint)]
    assert len(shown["qr"]) == len(shown["qr"][0])


def test_as_many_contacts_as_the_limit_says_and_no_more(start_alone: StartNode) -> None:
    ada = start_alone("Ada", contacts=2)
    for port in (1, 2, 1, 2):  # the same again is the same contact
        add(ada, address=f"127.0.0.1:{port}")
    check_problem(
        ask(ada, "POST", "/api/contacts", json_body={"address": "127.0.0.1:3"}), 409, "too-many-contacts"
    )
    ada.wait_for("contacts", where=lambda data: "1" in [one["id"] for one in data["contacts"]])
    ada.delete("/api/contacts/1")
    ada.wait_for("contacts", where=lambda data: data["gone"] == ["1"])
    assert add(ada, address="127.0.0.1:3")["id"] == "3"


# By address


def test_an_address_finds_and_the_user_is_asked(start_alone: StartNode, make_peer: MakePeer) -> None:
    ada, bob = start_alone("Ada"), make_peer()  # a random UUID, as a seed-only peer has
    assert add(ada, address=str(bob.endpoint))["uuid"] is None
    asked = ada.wait_for("verification", where=lambda data: data["uuid"] == bob.uuid)
    assert (asked["reason"], asked["address"]) == ("asked", str(bob.endpoint))
    wait_until(lambda: (contact(ada) or {})["state"] == "found")
    assert status(ada, bob.uuid) == "unverified"
    ada.verify(bob.uuid, bob.fingerprint_sha256)
    wait_verified(ada, bob.uuid)


def test_a_name_is_looked_up_and_one_that_means_nothing_is_said(
    start_alone: StartNode, make_peer: MakePeer
) -> None:
    ada, bob = start_alone("Ada"), make_peer()
    add(ada, address="nobody.invalid:4242")
    wait_reason(ada, "no-such-name")
    add(ada, address=f"localhost:{bob.endpoint.port}")
    ada.wait_for("verification", where=lambda data: data["uuid"] == bob.uuid)
    wait_until(lambda: (contact(ada, "2") or {})["uuid"] == bob.uuid)
    places = ada.app.node.presence.of(bob.uuid)
    assert places is not None
    wait_until(
        lambda: Endpoint("127.0.0.1", bob.endpoint.port) in ada.app.node.presence.of(bob.uuid).endpoints
    )  # type: ignore[union-attr]


def test_a_name_of_our_own_address_is_no_contact(start_alone: StartNode) -> None:
    ada = start_alone("Ada")
    add(ada, address=f"localhost:{ada.endpoint.port}")
    wait_reason(ada, "itself")
    assert ada.get("/api/users")["users"] == []
    assert ada.get("/api/info")["clone"] is None


def test_a_second_person_behind_one_address_is_found_by_entering_it_again(
    start_alone: StartNode, make_peer: MakePeer
) -> None:
    ada, bob = start_alone("Ada"), make_peer()
    address = str(bob.endpoint)
    add(ada, address=address)
    wait_until(lambda: (contact(ada) or {})["uuid"] == bob.uuid)
    bob.hang_up()
    carol = make_peer(port=bob.endpoint.port)
    assert add(ada, address=address)["id"] == "2"
    wait_until(lambda: (contact(ada, "2") or {})["uuid"] == carol.uuid)
    assert (contact(ada) or {})["uuid"] == bob.uuid
    add(ada, address=address)  # Carol again: one contact, not two
    wait_until(
        lambda: [one["uuid"] for one in ada.get("/api/contacts")["contacts"]] == [bob.uuid, carol.uuid]
    )


def test_a_contact_goes_with_its_person_and_can_be_added_again(
    start_alone: StartNode, make_peer: MakePeer
) -> None:
    ada, bob = start_alone("Ada"), provable(make_peer)
    add(ada, code=code_for(bob))
    wait_verified(ada, bob.uuid)
    ada.delete(f"/api/users/{bob.uuid}")
    assert ada.get("/api/contacts") == {"contacts": []}
    wait_until(lambda: status(ada, bob.uuid) is None)
    add(ada, code=code_for(bob))
    wait_verified(ada, bob.uuid)

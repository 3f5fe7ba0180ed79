"""Codes and addresses that the user has entered, turned against the user.

Mallory has an old code, writes one for somebody else's key or address, or waits where a code points.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from contacts import add, code_for, contact, provable, status, wait_reason, wait_verified
from loopback_node import LoopbackNode
from loopback_peer import HandmadePeer, OwnCertificate
from waiting import wait_until

from cryptochat_lib import finder
from cryptochat_lib.errors import SpentCode

StartNode = Callable[..., LoopbackNode]
MakePeer = Callable[..., HandmadePeer]


def look_again(node: LoopbackNode, peer: HandmadePeer) -> None:
    """Wait until the node has looked at the peer once more, and has followed that."""
    looks = peer.handshakes
    node.app.node.looker.look(peer.uuid, again=True, urgent=True)
    wait_until(lambda: peer.handshakes > looks)
    wait_until(lambda: not node.app.node.looker._workers)
    node.app.node.contacts.follow(peer.uuid)


@pytest.mark.parametrize("steps", [1, 2])
def test_an_old_code_does_not_bring_back_trust_that_was_taken_back(
    ada: LoopbackNode, make_peer: MakePeer, steps: int
) -> None:
    """Not by a look, not by a new network, not by a restart; only by being entered again."""
    bob = provable(make_peer)
    code = code_for(bob)
    add(ada, code=code)
    wait_verified(ada, bob.uuid)
    for _ in range(steps):
        ada.delete(f"/api/users/{bob.uuid}/verify")
    taken = ("unverified", "rejected")[steps - 1]
    look_again(ada, bob)
    ada.app.node.presence.moved()
    assert status(ada, bob.uuid) == taken
    ada.restart()
    look_again(ada, bob)
    assert status(ada, bob.uuid) == taken
    add(ada, code=code)
    assert status(ada, bob.uuid) == "verified"


def test_a_code_that_waits_is_used_up_by_a_no(
    ada: LoopbackNode, make_peer: MakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The no comes when the certificate is there, and the yes has not been said yet: it never is."""
    follow = ada.app.node.contacts.follow
    monkeypatch.setattr(ada.app.node.contacts, "follow", lambda _uuid: None)  # which would say it at once
    bob = provable(make_peer)
    bob.announce("tea")
    ada.join("tea")
    ada.wait_knows(bob.uuid, bob.fingerprint_sha256)
    key = ada.app.store.keys.of(bob.uuid)[0]
    ada.app.store.contacts.add_code(bob.uuid, key.certificate.key_sha256, [])
    ada.delete(f"/api/users/{bob.uuid}/verify")
    with pytest.raises(SpentCode):  # whoever had begun to say yes finds the code used up
        ada.app.node.people.verify_by_code(key)
    follow(bob.uuid)
    assert status(ada, bob.uuid) == "rejected"


def test_a_code_that_was_removed_or_whose_person_was_forgotten_verifies_nobody(
    ada: LoopbackNode, make_peer: MakePeer
) -> None:
    for path in ("/api/contacts/1", "/api/users/{}"):
        bob = provable(make_peer)
        bob.hang_up()
        add(ada, code=code_for(bob))
        wait_until(lambda: contact(ada, "1") or contact(ada, "2"))
        ada.delete(path.format(bob.uuid))
        assert ada.get("/api/contacts") == {"contacts": []}
        bob.listen(bob.endpoint.port)
        ada.join("tea")
        bob.announce("tea")
        ada.app.node.looker.look(bob.uuid, urgent=True)
        ada.wait_knows(bob.uuid, bob.fingerprint_sha256)
        ada.app.node.contacts.follow(bob.uuid)
        assert status(ada, bob.uuid) == "unverified"


def test_a_code_verifies_no_other_key_than_the_one_that_it_names(
    ada: LoopbackNode, make_peer: MakePeer
) -> None:
    bob = provable(make_peer)
    bob.announce("tea")
    ada.join("tea")
    ada.wait_knows(bob.uuid, bob.fingerprint_sha256)
    key = ada.app.store.keys.of(bob.uuid)[0]
    half = key.certificate.key_sha256[:32]  # what the UUID proves: the first half of the hash
    ada.app.store.contacts.add_code(bob.uuid, half + "0" * 32, [])
    ada.app.node.contacts.follow(bob.uuid)
    assert status(ada, bob.uuid) == "unverified"
    with pytest.raises(SpentCode):
        ada.app.node.people.verify_by_code(key)


def test_who_waits_at_the_address_of_a_code_with_another_key_is_neither_verified_nor_remembered(
    ada: LoopbackNode, make_peer: MakePeer
) -> None:
    bob, mallory = provable(make_peer), make_peer()
    bob.hang_up()
    add(ada, code=code_for(bob, port=mallory.endpoint.port))
    wait_reason(ada, "wrong-key")
    assert not ada.app.store.keys.all()
    assert (contact(ada) or {})["state"] == "looking"


def test_who_waits_there_with_the_right_uuid_on_a_key_of_her_own_is_nobody_either(
    ada: LoopbackNode, make_peer: MakePeer
) -> None:
    bob = provable(make_peer)
    bob.hang_up()
    mallory = make_peer(bob.uuid, certificate=OwnCertificate(bob.uuid, like=bob.certificate))
    add(ada, code=code_for(bob, port=mallory.endpoint.port))
    wait_reason(ada, "wrong-key")
    assert not ada.app.store.keys.all()


def test_a_code_points_us_at_no_program_of_our_own_machine(ada: LoopbackNode, make_peer: MakePeer) -> None:
    """Ada was told to use 127.0.0.1, and nothing of ::1; what waits there is no business of a friend's."""
    victim = provable(make_peer, host="::1")
    add(ada, code=code_for(victim))
    bob = provable(make_peer)
    add(ada, code=code_for(bob))
    wait_verified(ada, bob.uuid)
    ada.app.node.presence.moved()
    wait_until(lambda: not ada.app.node.presence._moved)
    where = ada.app.node.presence.of(victim.uuid)
    assert where is None or not where.endpoints
    assert victim.handshakes == 0


def test_only_who_comes_from_an_added_address_counts_as_next_to_us(ada: LoopbackNode) -> None:
    near = ada.app.node.neighbourhood.has
    assert not near("::1")
    add(ada, address="[::1]:9")
    assert near("::1")
    ada.delete("/api/contacts/1")
    assert not near("::1")


def test_names_that_nobody_looks_up_for_us_hold_up_no_look(
    ada: LoopbackNode, make_peer: MakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()
    monkeypatch.setattr(finder, "_looked_up", lambda _name: ["127.0.0.1"] if answer.wait(30) else [])
    try:
        for number in range(12):
            add(ada, address=f"name{number}.invalid:1")
        bob = provable(make_peer)
        add(ada, code=code_for(bob))
        wait_verified(ada, bob.uuid)
        assert sum(thread.name == "find" for thread in threading.enumerate()) <= 2
    finally:
        answer.set()

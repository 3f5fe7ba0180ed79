"""Somebody on the network who is not who they say: what they get, and what they can change.

Mallory can say anything by multicast DNS and can sit at any address. She has
her own keys, and nobody else's. Each test is one thing that she tries.
"""

from __future__ import annotations

import socket
import uuid as uuids
from collections.abc import Iterator
from contextlib import contextmanager

import dns_packets as dns
import pytest
from announcing import SERVICE, Forger
from friends import StartNode, StartSeed, befriend, wait_knows
from lab import Host, Lan
from nodes import Node, wait_until


@pytest.fixture
def forger(lan: Lan) -> Iterator[Forger]:
    with Forger(lan.hosts[2]) as forger:
        yield forger


def heard(node: Node, forger: Forger) -> None:
    """Wait until `node` has heard what was forged before: a stranger says something, too."""
    stranger = str(uuids.uuid4())
    forger.announce(stranger, [b"v=1", f"room={stranger}".encode()])
    node.wait_member(stranger, stranger)


@contextmanager
def in_the_place_of(lan: Lan, victim: Host, taker: Host) -> Iterator[None]:
    """`taker` has the victim's address on the cable, and the victim is off it."""
    lan.cut(victim)
    address = victim.address
    taker.ip("address", "add", f"{address}/24", "dev", "eth0")
    try:
        for host in lan.hosts:
            host.ip("neighbour", "flush", "all")
        yield
    finally:
        taker.ip("address", "del", f"{address}/24", "dev", "eth0")
        lan.mend(victim)
        for host in lan.hosts:
            host.ip("neighbour", "flush", "all")


def test_an_impostor_at_a_verified_peers_address_gets_no_certificate_and_no_http(
    lan: Lan, start_node: StartNode, start_seed: StartSeed, room: str
) -> None:
    """The victim is a seed-only peer, whose UUID anybody's key can claim."""
    ada, bob = start_node(lan.hosts[0], "Ada"), start_seed(lan.hosts[1], "bob", rooms=[room], port=20600)
    ada.join(room)
    wait_knows(ada, bob)
    ada.verify(bob.uuid, bob.fingerprint_sha256)
    ada.send(room, "before")
    bob.wait_for("asked", uuid=ada.uuid)
    bob.verify(ada.uuid)
    bob.wait_for("message", content="before")
    bob.stop()
    with in_the_place_of(lan, lan.hosts[1], lan.hosts[2]):
        mallory = start_seed(
            lan.hosts[2], "mallory", rooms=[room], port=20600, uuid=bob.uuid, address=lan.hosts[1].address
        )
        message = ada.send(room, "for Bob alone")
        mallory.wait_for("dropped", timeout=20)
        assert mallory.count("asked") == 0, "she was shown our certificate"
        assert mallory.count("request") == 0, "she got HTTP"
        assert ada.delivery(message, bob.uuid)["state"] == "waiting"
        assert ada.status(bob.uuid) == "verified"
        mallory.stop()
    again = start_seed(lan.hosts[1], "bob", rooms=[room], port=20600)
    again.wait_for("message", content="for Bob alone", timeout=70)
    ada.wait_delivery(message, bob.uuid, "delivered")


def test_a_uuid_that_proves_itself_cannot_be_claimed_with_another_key(
    lan: Lan, friends: tuple[Node, Node], start_seed: StartSeed, room: str
) -> None:
    ada, bob = friends
    ada.join(room)
    bob.join(room)
    ada.wait_member(room, bob.uuid, online=True)
    bob.stop()
    try:
        mallory = start_seed(lan.hosts[2], "mallory", rooms=[room], uuid=bob.uuid)
        message = ada.send(room, "for Bob alone")
        ada.post(f"/api/users/{bob.uuid}/look")
        wait_until(lambda: ada.delivery(message, bob.uuid)["reason"], 10)
        mallory.wait_listed(ada.uuid)
        user = ada.user(bob.uuid)
        assert (user["status"], user["fingerprint_sha256"]) == ("verified", bob.fingerprint_sha256)
        assert user["conflict"] is None, "that key is not one of two: it is none"
        assert (mallory.count("asked"), mallory.count("request")) == (0, 0)
        mallory.stop()
    finally:
        bob.start()
    wait_until(lambda: "for Bob alone" in [one["content"] for one in bob.history(room)], 60)


def test_a_stranger_cannot_claim_a_uuid_that_proves_itself_either(
    lan: Lan, start_node: StartNode, start_seed: StartSeed, room: str
) -> None:
    """Announced by Mallory first, so that nobody knows Bob's key yet."""
    ada, bob = start_node(lan.hosts[0], "Ada"), start_node(lan.hosts[1], "Bob")
    bob.stop()
    mallory = start_seed(lan.hosts[2], "mallory", rooms=[room], uuid=bob.uuid)
    ada.join(room)
    ada.wait_member(room, bob.uuid)
    ada.post(f"/api/users/{bob.uuid}/look")
    mallory.wait_listed(ada.uuid, room)
    assert ada.user(bob.uuid)["fingerprint_sha256"] is None
    mallory.stop()
    bob.start()
    bob.join(room)
    wait_knows(ada, bob, timeout=45)
    assert ada.user(bob.uuid)["conflict"] is None


def test_a_forged_goodbye_costs_no_message(friends: tuple[Node, Node], forger: Forger, room: str) -> None:
    ada, bob = friends
    ada.join(room)
    bob.join(room)
    ada.wait_member(room, bob.uuid, online=True)
    forger.announce(bob.uuid, [], ttl=0)
    message = ada.send(room, "you are still there")
    bob.wait_message("you are still there")
    ada.wait_delivery(message, bob.uuid, "delivered")
    assert bob.uuid in ada.members(room)


def test_a_forged_announcement_cannot_take_a_verified_peer_out_of_a_room(
    friends: tuple[Node, Node], forger: Forger, room: str
) -> None:
    ada, bob = friends
    ada.join(room)
    bob.join(room)
    ada.wait_member(room, bob.uuid, online=True)
    ada.send(room, "first")
    bob.wait_message("first")
    wait_until(lambda: (ada.user(bob.uuid) or {})["username_verified"], 10)  # Bob has spoken for himself
    for _ in range(3):
        forger.announce(bob.uuid, [b"v=1", b"room=elsewhere"])
    heard(ada, forger)
    assert bob.uuid not in ada.members("elsewhere")
    message = ada.send(room, "second")
    bob.wait_message("second")
    ada.wait_delivery(message, bob.uuid, "delivered")


def test_a_forged_address_does_not_lead_a_message_astray(
    friends: tuple[Node, Node], forger: Forger, room: str
) -> None:
    """Where the pinned key answered last is tried first, whatever is announced since."""
    ada, bob = friends
    ada.join(room)
    bob.join(room)
    ada.wait_member(room, bob.uuid, online=True)
    ada.send(room, "first")
    bob.wait_message("first")
    for number in range(5):
        forger.announce(bob.uuid, [b"v=1", f"room={room}".encode()], address="10.77.0.250", port=1)
        message = ada.send(room, f"and number {number}")
        bob.wait_message(f"and number {number}", timeout=2)
        ada.wait_delivery(message, bob.uuid, "delivered")


def test_a_forged_version_costs_a_seed_peer_no_message(
    lan: Lan, start_node: StartNode, start_seed: StartSeed, forger: Forger, room: str
) -> None:
    """Announced as one of ours, it refuses our form as unknown: then the seed's form is used."""
    ada, seed = start_node(lan.hosts[0], "Ada"), start_seed(lan.hosts[1], rooms=[room])
    ada.join(room)
    wait_knows(ada, seed)
    ada.verify(seed.uuid, seed.fingerprint_sha256)
    forger.announce(
        seed.uuid,
        [b"v=1", f"room={room}".encode(), b"name=forged"],
        address=lan.hosts[1].address,
        port=seed.port,
    )
    wait_until(lambda: ada.members(room)[seed.uuid]["username"] == "forged", 5)
    message = ada.send(room, "in whatever form")
    seed.wait_for("asked", uuid=ada.uuid)
    seed.verify(ada.uuid)
    assert seed.wait_for("request")["path"] == "/v1/messages", "the forgery was believed"
    assert seed.wait_for("message", content="in whatever form")["room"] == room
    ada.wait_delivery(message, seed.uuid, "delivered")


def test_a_forged_name_is_not_shown_for_a_verified_peer_who_has_spoken(
    friends: tuple[Node, Node], forger: Forger, room: str
) -> None:
    ada, bob = friends
    ada.join(room)
    bob.join(room)
    ada.wait_member(room, bob.uuid, online=True)
    bob.send(room, "it is me")
    ada.wait_message("it is me")
    wait_until(lambda: (ada.user(bob.uuid) or {})["username_verified"], 5)
    forger.announce(bob.uuid, [b"v=1", b"name=Your Bank", b"room=bank"])
    heard(ada, forger)
    assert ada.user(bob.uuid)["username"] == "Bob"
    assert ada.members(room)[bob.uuid]["username"] == "Bob"


def test_our_own_uuid_in_somebody_elses_mouth_changes_nothing_about_us(
    friends: tuple[Node, Node], forger: Forger, room: str
) -> None:
    ada, bob = friends
    ada.join(room)
    bob.join(room)
    bob.wait_member(room, ada.uuid, online=True)
    forger.announce(ada.uuid, [b"v=1", b"name=Mallory", b"room=hers"])
    bob.send(room, "who are you?")
    ada.wait_message("who are you?")
    ada.send(room, "Ada, as ever")
    assert bob.wait_message("Ada, as ever")["sender"]["uuid"] == ada.uuid
    own = ada.members(room)[ada.uuid]
    assert (own["self"], own["username"]) == (True, "Ada")
    assert "hers" not in [one["name"] for one in ada.get("/api/rooms")["rooms"] if one["joined"]]


def test_records_that_make_no_sense_break_nothing(
    friends: tuple[Node, Node], forger: Forger, room: str
) -> None:
    ada, bob = friends
    uuid = "0704411d-699b-4cc0-9a55-6d9b2f1c0a11"
    instance, host = f"{uuid}.{SERVICE}", f"{uuid}.local."
    pointer, service = dns.pointer(SERVICE, instance), dns.service(instance, 4, host)
    forger.announce("no uuid at all", [b"room=x"])
    forger.announce(uuid.upper(), [b"room=x"])
    forger.announce(uuid, [])
    forger.announce(uuid, [b"room=", b"=", b"room", b"v=x", b"name=\x1b[31m"])
    forger.announce(uuid, [b"room=\xff\xfe", b"room=a\x00b", b"room=e\xcc"])
    forger.announce(uuid, [b"room=" + b"x" * 200, b"room=" + b"y" * 101])
    forger.announce(uuid, [b"room=x"], port=0)
    forger.announce(uuid, [b"room=x"], address="127.0.0.1")
    forger.announce(uuid, [b"room=x"], address="224.0.0.251")
    forger.announce(uuid, [b"room=x"], address="8.8.8.8", port=443)
    forger.say(pointer, service, dns.Record(instance, dns.TXT, 120, b"\xff\x00"))
    forger.say(pointer, service)
    forger.say(pointer, dns.service(instance, 4, instance), dns.text(instance, [b"room=x"]))
    forger.say(pointer, service, dns.text(instance, [b"room=x"]), dns.address(host, "fe80::1"))
    for number in range(60):
        forger.announce(f"{number:08x}-699b-4cc0-9a55-6d9b2f1c0a11", [b"room=crowd"])
    ada.join(room)
    bob.join(room)
    ada.wait_member(room, bob.uuid, online=True)
    ada.send(room, "still here")
    bob.wait_message("still here")
    for node in (ada, bob):
        node.check_stderr()
        assert not [line for line in node.stderr.items if " ERROR " in line]


def test_whoever_listens_on_the_cable_sees_only_ciphertext(
    lan: Lan, start_node: StartNode, room: str
) -> None:
    """Nothing that is said can be read, nor whose certificates they are: TLS 1.3 hides those."""
    ada, bob = start_node(lan.hosts[0], "Ada"), start_node(lan.hosts[1], "Bob", addr=":20700")
    befriend(ada, bob, room)
    ada.wait_member(room, bob.uuid, online=True)
    with _capture(lan.hosts[1]) as packets:
        ada.send(room, "the plain words of this message")
        bob.wait_message("the plain words of this message")
    seen = b"".join(packets)
    assert len(seen) > 500, "the capture caught the connection"
    assert b"plain words" not in seen
    assert ada.uuid.encode() not in seen
    assert ada.fingerprint_sha256.encode() not in seen


@contextmanager
def _capture(host: Host) -> Iterator[list[bytes]]:
    """Every TCP segment, over IPv4 or IPv6, that passes a machine's cable."""
    packets: list[bytes] = []
    sock = host.inside(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)))
    with sock:
        sock.bind(("eth0", 3))
        yield packets
        sock.setblocking(False)
        while True:
            try:
                packet = sock.recv(65535)
            except BlockingIOError:
                return
            kind, is_tcp4, is_tcp6 = packet[12:14], packet[23] == 6, packet[20] == 6
            if (kind == b"\x08\x00" and is_tcp4) or (kind == b"\x86\xdd" and is_tcp6):
                packets.append(packet)

"""CryptoChat and a peer that knows nothing but the seed protocol, both ways.

The peer is another program (test/support/seed_peer.py): it shares no code with
ours, asks its user inside the TLS handshake, and is nearly deaf on mDNS.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from friends import StartNode, StartSeed, wait_knows
from lab import Lan
from nodes import Node, wait_until
from seed_process import SeedProcess


def meet(ada: Node, seed: SeedProcess) -> None:
    """Each says yes to the other: ours first, then the seed's user, asked in the handshake."""
    wait_knows(ada, seed)
    ada.verify(seed.uuid, seed.fingerprint_sha256)


@pytest.fixture(scope="module")
def pair(lan: Lan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, SeedProcess]]:
    """A node and a seed-only peer, for a module, which have verified each other."""
    folder = tmp_path_factory.mktemp("pair")
    with (
        Node(lan.hosts[0], folder / "ada.db", username="Ada") as ada,
        SeedProcess(lan.hosts[1], folder / "seed.json", rooms=["where they met"]) as seed,
    ):
        ada.join("where they met")
        ada.wait_member("where they met", seed.uuid)
        meet(ada, seed)
        ada.send("where they met", "hello")
        seed.wait_for("asked", uuid=ada.uuid)
        seed.verify(ada.uuid)
        seed.wait_for("message", content="hello")
        yield ada, seed


@contextmanager
def both_in(pair: tuple[Node, SeedProcess], *rooms: str) -> Iterator[tuple[Node, SeedProcess]]:
    """Both join these rooms, see each other there, and leave them at the end."""
    ada, seed = pair
    mark = seed.events.mark()
    try:
        for room in rooms:
            ada.join(room)
            seed.join(room)
        for room in rooms:
            ada.wait_member(room, seed.uuid)
            seed.wait_listed(ada.uuid, room, after=mark)
        yield pair
    finally:
        for room in rooms:
            ada.leave(room)
            seed.leave(room)


def test_we_speak_first(lan: Lan, start_node: StartNode, start_seed: StartSeed, room: str) -> None:
    ada, seed = start_node(lan.hosts[0], "Ada"), start_seed(lan.hosts[1], rooms=[room])
    ada.join(room)
    ada.wait_member(room, seed.uuid)
    message = ada.send(room, "hello")
    question = ada.wait_for("verification", uuid=seed.uuid, reason="queued")
    assert question["fingerprint"] == seed.fingerprint, "what the seed's user can read out"
    assert not seed.count("asked"), "we looked without a certificate"
    ada.verify(seed.uuid, question["fingerprint_sha256"])
    assert seed.wait_for("asked", uuid=ada.uuid)["fingerprint"] == ada.fingerprint
    assert ada.delivery(message, seed.uuid)["state"] == "waiting"
    seed.verify(ada.uuid)
    got = seed.wait_for("message", uuid=ada.uuid)
    assert (got["room"], got["username"], got["content"]) == (room, "Ada", "hello")
    ada.wait_delivery(message, seed.uuid, "delivered")
    # And the way back: each knows the other's certificate from here on.
    seed.wait_listed(ada.uuid, room)
    seed.send(room, "hello yourself")
    assert ada.wait_message("hello yourself")["sender"] == {"uuid": seed.uuid, "username": "seed"}
    sent = seed.wait_for("sent")
    assert (sent["status"], sent["answer"]) == (200, ""), "200 with an empty body"
    assert len(ada.seen("verification", uuid=seed.uuid)) == 1


def test_the_seed_speaks_first_and_its_user_is_asked_before_ours(
    lan: Lan, start_node: StartNode, start_seed: StartSeed, room: str
) -> None:
    ada, seed = start_node(lan.hosts[0], "Ada"), start_seed(lan.hosts[1], rooms=[room])
    ada.join(room)
    seed.wait_listed(ada.uuid, room)
    wait_knows(ada, seed)
    seed.send(room, "may I?")
    assert seed.wait_for("asked", uuid=ada.uuid)["fingerprint"] == ada.fingerprint
    assert not ada.seen("verification"), "the seed's certificate comes only after its user's yes"
    seed.verify(ada.uuid)
    question = ada.wait_for("verification", uuid=seed.uuid, reason="knocked")
    assert not ada.seen("messages")
    ada.verify(seed.uuid, question["fingerprint_sha256"])
    assert ada.wait_message("may I?")["sender"]["uuid"] == seed.uuid
    assert seed.wait_for("sent")["status"] == 200
    ada.send(room, "of course")
    seed.wait_for("message", content="of course")


def test_the_seeds_user_may_take_a_while(
    lan: Lan, start_node: StartNode, start_seed: StartSeed, room: str
) -> None:
    """Its handshake waits for its user: longer than a handshake between our own may take (5 s)."""
    ada, seed = start_node(lan.hosts[0], "Ada"), start_seed(lan.hosts[1], rooms=[room])
    ada.join(room)
    ada.wait_member(room, seed.uuid)
    meet(ada, seed)
    seed.wait_listed(ada.uuid, room)
    seed.send(room, "my user is at lunch")
    ada.send(room, "so is mine")
    seed.wait_for("asked", uuid=ada.uuid)
    started = time.monotonic()
    wait_until(lambda: time.monotonic() > started + 7, 10)
    assert not seed.count("sent"), "we have not hung up on its client"
    seed.verify(ada.uuid)
    ada.wait_message("my user is at lunch")
    seed.wait_for("message", content="so is mine", timeout=30)


def test_nothing_but_username_and_content_is_in_the_body(pair: tuple[Node, SeedProcess], room: str) -> None:
    with both_in(pair, room) as (ada, seed):
        mark = seed.events.mark()
        ada.send(room, "plain")
        request = seed.wait_for("request", after=mark, status=200)
        assert json.loads(request["body"]) == {"username": "Ada", "content": "plain"}
        assert request["path"] == f"/rooms/{room.replace(' ', '%20')}/message"
        assert all(one["status"] == 200 for one in seed.events.items if one["event"] == "request"), (
            "our own protocol was never tried on it"
        )


def test_it_opens_a_new_connection_whenever_it_likes(pair: tuple[Node, SeedProcess], room: str) -> None:
    with both_in(pair, room) as (ada, seed):
        for number in range(20):
            seed.send(room, f"message {number}")
        for number in range(20):
            ada.wait_message(f"message {number}")
        assert len(ada.history(room)) == 20


def test_unknown_fields_from_it_are_refused_with_a_message(pair: tuple[Node, SeedProcess], room: str) -> None:
    with both_in(pair, room) as (ada, seed):
        seed.send(room, "with more", colour="red")
        sent = seed.wait_for("sent", room=room)
        assert sent["status"] == 400
        assert json.loads(sent["answer"])["message"]
        assert ada.history(room) == []


def test_a_room_we_have_not_joined_is_refused(pair: tuple[Node, SeedProcess], room: str) -> None:
    ada, seed = pair
    seed.wait_listed(ada.uuid)
    seed.send(room, "is anybody in?", to=ada.uuid)
    sent = seed.wait_for("sent", room=room)
    answer = json.loads(sent["answer"])
    assert (sent["status"], answer["code"]) == (400, "not-a-member")
    assert answer["message"]


def test_any_printable_room_name_is_carried_both_ways(pair: tuple[Node, SeedProcess]) -> None:
    names = [
        "100%",
        "%2F",
        "a+b&c=d?e#f",
        "room=room=1",
        'so "quoted" \\ it\'s',
        "Café 北京 🍵",
        "é" * 50,
        "; DROP TABLE rooms",
        "<b>bold",
        "{room}",
        "a;b:c@d,e",
        " spaces around ",
    ]
    with both_in(pair, *names) as (ada, seed):
        for name in names:
            message = ada.send(name, f"to {name}")
            assert seed.wait_for("message", content=f"to {name}")["room"] == name
            ada.wait_delivery(message, seed.uuid, "delivered")
            seed.send(name, f"from {name}")
            assert ada.wait_message(f"from {name}")["room"] == name


def test_room_names_that_it_cannot_carry_break_nobody(pair: tuple[Node, SeedProcess]) -> None:
    """Its router decodes the path first, and answers what it cleaned by a redirect: never followed."""
    statuses = {"a/b": 404, "..": 301, ".": 301, "/": 301}
    with both_in(pair, *statuses) as (ada, seed):
        for name, status in statuses.items():
            message = ada.send(name, f"lost in {name}")
            body = json.dumps({"username": "Ada", "content": f"lost in {name}"}, separators=(",", ":"))
            assert seed.wait_for("request", body=body)["status"] == status
            wait_until(lambda message=message: ada.delivery(message, seed.uuid)["reason"], 10)
            assert ada.delivery(message, seed.uuid)["state"] in ("waiting", "refused")
            seed.send(name, f"from {name}")
            assert ada.wait_message(f"from {name}")["room"] == name, "we can carry it"
            # What could not be carried holds up nothing else.
            ada.send("where they met", f"after {name}")
            seed.wait_for("message", content=f"after {name}", timeout=5)
        paths = [one["path"] for one in seed.events.items if one["event"] == "request"]
        assert all(path.startswith("/rooms/") for path in paths), "a redirect was followed"


def test_a_name_in_another_normal_form_is_sent_back_as_it_came(pair: tuple[Node, SeedProcess]) -> None:
    ada, seed = pair
    decomposed, composed = "cafe\u0301 room", "caf\u00e9 room"
    seed.join(decomposed)
    ada.join(composed)
    ada.wait_member(composed, seed.uuid)
    ada.send(composed, "one room")
    assert seed.wait_for("message", content="one room")["room"] == decomposed
    seed.leave(decomposed)
    ada.leave(composed)


def test_it_lists_us_within_fifteen_seconds_and_mostly_within_five(
    pair: tuple[Node, SeedProcess], lan: Lan, start_seed: StartSeed
) -> None:
    """From the start of its program. It listens for 500 ms in every 3 s, after asking twice."""
    ada, _ = pair
    took = []
    for number in range(7):
        started = time.monotonic()
        seed = start_seed(lan.hosts[2], f"seed {number}")
        seed.wait_listed(ada.uuid, timeout=20)
        took.append(time.monotonic() - started)
        seed.stop()
    print("listed after", [f"{one:.1f}" for one in took])
    assert max(took) < 15
    assert statistics.median(took) < 5


def test_a_change_of_our_rooms_reaches_it(pair: tuple[Node, SeedProcess], room: str) -> None:
    ada, seed = pair
    took = []
    for number in range(3):
        started = time.monotonic()
        ada.join(f"{room}.{number}")
        seed.wait_listed(ada.uuid, f"{room}.{number}", timeout=20)
        took.append(time.monotonic() - started)
    print("changed after", [f"{one:.1f}" for one in took])
    assert max(took) < 15
    for number in range(3):
        ada.leave(f"{room}.{number}")


def test_it_comes_back_on_another_port_without_ever_saying_goodbye(
    lan: Lan, start_node: StartNode, start_seed: StartSeed, room: str
) -> None:
    ada, seed = start_node(lan.hosts[0], "Ada"), start_seed(lan.hosts[1], "same", rooms=[room])
    ada.join(room)
    ada.wait_member(room, seed.uuid)
    meet(ada, seed)
    ada.send(room, "before")
    seed.wait_for("asked")
    seed.verify(ada.uuid)
    seed.wait_for("message", content="before")
    seed.stop()
    message = ada.send(room, "while it is away")
    wait_until(lambda: ada.delivery(message, seed.uuid)["reason"], 10)
    ada.wait_member(room, seed.uuid, online=False)
    again = start_seed(lan.hosts[1], "same", rooms=[room])
    assert (again.uuid, again.port) != (seed.uuid, seed.port)
    again.wait_for("message", content="while it is away", timeout=30)
    ada.wait_delivery(message, seed.uuid, "delivered")
    again.wait_listed(ada.uuid, room)
    again.send(room, "I am back")
    ada.wait_message("I am back")
    assert again.count("asked") == 0, "nobody is asked a second time"


def test_a_seed_peer_with_another_key_is_a_conflict_and_lowers_no_trust(
    lan: Lan, start_node: StartNode, start_seed: StartSeed, room: str
) -> None:
    ada, seed = start_node(lan.hosts[0], "Ada"), start_seed(lan.hosts[1], "true", rooms=[room])
    ada.join(room)
    ada.wait_member(room, seed.uuid)
    meet(ada, seed)
    ada.send(room, "before")
    seed.wait_for("asked")
    seed.verify(ada.uuid)
    seed.wait_for("message", content="before")
    seed.stop()

    false = start_seed(lan.hosts[2], "false", rooms=[room], uuid=seed.uuid)
    assert false.fingerprint != seed.fingerprint
    message = ada.send(room, "for the true one alone")
    conflict = wait_until(lambda: ada.user(seed.uuid)["conflict"], 20, "no conflict is shown")
    assert conflict["fingerprint_sha256"] == false.fingerprint_sha256
    assert conflict["address"].startswith(lan.hosts[2].address)
    user = ada.user(seed.uuid)
    assert (user["status"], user["fingerprint_sha256"]) == ("verified", seed.fingerprint_sha256)
    assert false.count("asked") == 0, "it never saw our certificate"
    assert false.count("request") == 0, "nor a byte of HTTP"
    assert ada.delivery(message, seed.uuid)["state"] == "waiting"
    assert len([one for one in ada.seen("users") if seed.uuid in str(one)]) < 20, "shown, not shouted"

    false.stop()
    true = start_seed(lan.hosts[1], "true", rooms=[room])
    true.wait_for("message", content="for the true one alone", timeout=40)
    ada.wait_delivery(message, seed.uuid, "delivered")
    assert ada.status(seed.uuid) == "verified"


def test_two_strangers_with_one_uuid_are_shown_as_changed(
    lan: Lan, start_node: StartNode, start_seed: StartSeed, room: str
) -> None:
    ada, first = start_node(lan.hosts[0], "Ada"), start_seed(lan.hosts[1], "first", rooms=[room])
    ada.join(room)
    wait_knows(ada, first)
    start_seed(lan.hosts[2], "second", rooms=[room], uuid=first.uuid)
    wait_until(lambda: ada.status(first.uuid) == "changed", 45, "two keys, and nobody is told")
    reply = ada.request("POST", f"/api/users/{first.uuid}/verify")
    assert reply.status == 409, "a yes without saying to whom"
    ada.verify(first.uuid, first.fingerprint_sha256)
    assert ada.status(first.uuid) == "verified"


def test_a_seed_peer_that_is_in_no_room_is_found_by_its_address(
    lan: Lan, start_node: StartNode, start_seed: StartSeed
) -> None:
    ada, seed = start_node(lan.hosts[0], "Ada"), start_seed(lan.hosts[1])
    ada.post("/api/contacts", {"address": f"{lan.hosts[1].address}:{seed.port}"})
    asked = ada.wait_for("verification", uuid=seed.uuid)
    assert (asked["reason"], asked["fingerprint"]) == ("asked", seed.fingerprint)
    ada.verify(seed.uuid, seed.fingerprint_sha256)
    assert (ada.user(seed.uuid) or {})["status"] == "verified"

"""Somebody in the middle of a live comparison: what they try, and what the two screens say.

Mallory has keys of her own and sits between two nodes, or talks to one of them; she
speaks the comparison by hand, in any order that she likes. A screen is the USER of
the other side in the API.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from loopback_network import FakeNetwork
from loopback_node import LoopbackNode
from loopback_peer import HandmadePeer, Request, json_response, know, message
from waiting import wait_until

from cryptochat_lib.model import Announcement, RoomName

StartNode = Callable[..., LoopbackNode]
MakePeer = Callable[..., HandmadePeer]

OPEN, REVEAL = "/v1/comparison", "/v1/comparison/reveal"


def digest(algorithm: str, *parts: bytes) -> bytes:
    """The hash of the protocol, section 4.8, written down once more."""
    framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hashlib.new(algorithm, framed).digest()


def commitment(role: bytes, initiator: str, responder: str, value: bytes) -> bytes:
    """Between two keys, by their fingerprints."""
    both = bytes.fromhex(initiator), bytes.fromhex(responder)
    return digest("sha256", b"CryptoChat comparison 1 commitment", role, *both, value)


def digits(initiator: str, responder: str, first: bytes, second: bytes) -> str:
    both = bytes.fromhex(initiator), bytes.fromhex(responder)
    made = digest("sha512", b"CryptoChat comparison 1 result", *both, first, second)
    number = f"{int.from_bytes(made[:8], 'big') % 10**9:09d}"
    return f"{number[:3]} {number[3:6]} {number[6:]}"


def press(node: LoopbackNode, uuid: str) -> None:
    """The node's user says "compare now"."""
    assert node.request("POST", f"/api/users/{uuid}/comparison").status == 202


def screen(node: LoopbackNode, uuid: str) -> dict[str, Any]:
    """What the node's page shows of the comparison with `uuid`."""
    return (node.user(uuid) or {}).get("comparison") or {"state": None}


def wait_screen(node: LoopbackNode, uuid: str, state: str) -> dict[str, Any]:
    wait_until(lambda: screen(node, uuid)["state"] == state, 15, f"not {state}: {screen(node, uuid)}")
    return screen(node, uuid)


class Mallory:
    """Her answers as a responder. `value`: what she has promised; `reveals`: what she shows, when she may."""

    def __init__(self, peer: HandmadePeer, victim: LoopbackNode) -> None:
        self.peer, self.victim = peer, victim
        self.value = self.reveals = secrets.token_bytes(32)
        self.learned: list[bytes] = []
        self.may_reveal = threading.Event()
        self.may_reveal.set()
        peer.respond = self.respond

    def respond(self, request: Request) -> bytes | None:
        if request.path == OPEN:
            ours, theirs = self.peer.fingerprint_sha256, self.victim.fingerprint_sha256
            return json_response(
                200, {"commitment": commitment(b"responder", theirs, ours, self.value).hex()}
            )
        self.learned.append(bytes.fromhex(request.json["value"]))
        self.may_reveal.wait(20)
        return json_response(200, {"value": self.reveals.hex()})


def ask_as_initiator(peer: HandmadePeer, node: LoopbackNode, value: bytes, shown: bytes | None = None) -> Any:
    """A whole comparison of Mallory's with `node`: the reply to the last request that was answered."""
    promise = commitment(b"initiator", peer.fingerprint_sha256, node.fingerprint_sha256, value)
    with peer.connect(node) as connection:
        reply = connection.post(OPEN, {"commitment": promise.hex()})
        if reply.status != 200:
            return reply
        return connection.post(REVEAL, {"value": (shown or value).hex()})


def ask_until_heard(
    peer: HandmadePeer, node: LoopbackNode, shown: bytes | None = None, value: bytes | None = None
) -> Any:
    """A comparison of Mallory's, begun again while the node still calls her itself."""
    replies = []

    def heard() -> bool:
        replies.append(ask_as_initiator(peer, node, value or secrets.token_bytes(32), shown))
        return bool(replies[-1].status != 409)

    wait_until(heard, 10, "the node calls, and never answers")
    return replies[-1]


def test_both_people_press_and_both_screens_show_the_same(start_node: StartNode) -> None:
    """The good case, which every attack below is held against; in either order, and at once."""
    ada, bob = start_node("Ada"), start_node("Bob")
    for node in (ada, bob):
        node.join("tea")
    for one, other in ((ada, bob), (bob, ada)):
        one.wait_knows(other.uuid, other.fingerprint_sha256)
    seen = set()
    for first, second, waits in ((ada, bob, True), (bob, ada, True), (ada, bob, False), (bob, ada, False)):
        press(first, second.uuid)
        if waits:
            wait_screen(second, first.uuid, "asked")
        press(second, first.uuid)
        shown = wait_screen(first, second.uuid, "shown")
        other = wait_screen(second, first.uuid, "shown")
        assert (shown["digits"], shown["picture"]) == (other["digits"], other["picture"])
        seen.add(shown["digits"])
        if len(seen) < 4:
            for one, with_whom in ((ada, bob), (bob, ada)):
                one.request("DELETE", f"/api/users/{with_whom.uuid}/comparison")
    assert len(seen) == 4  # another press, other digits
    for one, other in ((ada, bob), (bob, ada)):
        answer = {"fingerprint_sha256": other.fingerprint_sha256, "method": "ceremony"}
        assert one.request("POST", f"/api/users/{other.uuid}/verify", answer).status == 204
        assert (one.user(other.uuid) or {})["status"] == "verified"
        assert (one.user(other.uuid) or {})["comparison"] is None


def test_a_man_in_the_middle_shows_two_screens_that_differ(
    start_node: StartNode, make_peer: MakePeer
) -> None:
    """She plays both comparisons to the end, with the same value of hers, and even Bob's own with Ada."""
    ada, bob = start_node("Ada"), start_node("Bob")
    to_ada, to_bob = make_peer(), make_peer()
    know(ada, to_ada)
    know(bob, to_bob)
    mallory = Mallory(to_ada, ada)
    press(bob, to_bob.uuid)
    value = secrets.token_bytes(32)
    reply = ask_until_heard(to_bob, bob, value=value)
    of_bob = bytes.fromhex(reply.json["value"])
    mallory.value = mallory.reveals = of_bob
    press(ada, to_ada.uuid)
    at_ada = wait_screen(ada, to_ada.uuid, "shown")
    at_bob = wait_screen(bob, to_bob.uuid, "shown")
    assert at_ada["digits"] != at_bob["digits"]
    assert at_ada["picture"] != at_bob["picture"]
    # Both are what the protocol says, so the difference is no accident.
    assert at_bob["digits"] == digits(to_bob.fingerprint_sha256, bob.fingerprint_sha256, value, of_bob)
    [of_ada] = mallory.learned
    assert at_ada["digits"] == digits(ada.fingerprint_sha256, to_ada.fingerprint_sha256, of_ada, of_bob)


def test_a_value_that_was_not_promised_is_no_result(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    """Else she could choose hers when she knows Ada's, and search for digits that fit."""
    know(ada, mallory)
    hers = Mallory(mallory, ada)
    hers.reveals = secrets.token_bytes(32)
    press(ada, mallory.uuid)
    assert "interfering" in wait_screen(ada, mallory.uuid, "failed")["reason"]
    press(ada, mallory.uuid)
    hers.value = hers.reveals
    wait_screen(ada, mallory.uuid, "shown")


def test_as_the_initiator_she_learns_nothing_for_a_value_that_was_not_promised(
    ada: LoopbackNode, mallory: HandmadePeer
) -> None:
    know(ada, mallory)
    mallory.respond = lambda _request: json_response(409, {"code": "conflict"})
    press(ada, mallory.uuid)
    reply = ask_until_heard(mallory, ada, shown=secrets.token_bytes(32))
    assert reply.status == 400
    assert "value" not in reply.json
    assert "interfering" in wait_screen(ada, mallory.uuid, "failed")["reason"]


def test_to_break_off_after_learning_the_value_is_shown_and_gives_no_second_try(
    ada: LoopbackNode, mallory: HandmadePeer
) -> None:
    """With Ada's value she knows what Ada's screen would show; if it does not fit she would try again."""
    know(ada, mallory)
    hers = Mallory(mallory, ada)
    mallory.respond = lambda request: hers.respond(request) if request.path == OPEN else None
    press(ada, mallory.uuid)
    assert "broke off" in wait_screen(ada, mallory.uuid, "failed")["reason"]
    assert [request.path for request in mallory.requests.items].count(REVEAL) == 1
    # She calls now herself, within the same press: nobody answers.
    assert ask_as_initiator(mallory, ada, secrets.token_bytes(32)).status == 403
    assert screen(ada, mallory.uuid)["state"] == "failed"


def test_a_value_is_revealed_once_for_each_press(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    """As the initiator she has had her answer; a second opening of the same press gets none."""
    know(ada, mallory)
    mallory.respond = lambda _request: json_response(409, {"code": "conflict"})
    press(ada, mallory.uuid)
    assert ask_until_heard(mallory, ada).status == 200
    shown = wait_screen(ada, mallory.uuid, "shown")
    with mallory.connect(ada) as connection:
        assert connection.post(REVEAL, {"value": secrets.token_hex(32)}).status in (403, 409)
    assert ask_as_initiator(mallory, ada, secrets.token_bytes(32)).status == 403
    assert screen(ada, mallory.uuid) == shown


def test_what_ada_says_sent_back_to_her_is_no_answer(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    """A reflection: with Ada's own commitment and value in the other role, the roles are told apart."""
    know(ada, mallory)

    def reflect(request: Request) -> bytes:
        return json_response(200, request.json)

    mallory.respond = reflect
    press(ada, mallory.uuid)
    assert "interfering" in wait_screen(ada, mallory.uuid, "failed")["reason"]


def test_nobody_is_answered_before_the_user_has_pressed(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    """Who asks waits at the gate, is listed, and is told nothing; a reveal out of turn is refused."""
    know(ada, mallory)
    with mallory.connect(ada) as waiting:
        waiting.send(OPEN, {"commitment": secrets.token_hex(32)})
        wait_screen(ada, mallory.uuid, "asked")
        ada.wait_for("verification", uuid=mallory.uuid, reason="knocked")
        with mallory.connect(ada) as second:
            reply = second.post(OPEN, {"commitment": secrets.token_hex(32)})
            assert (reply.status, reply.json["code"]) == (403, "unverified")
        with mallory.connect(ada) as third:
            assert third.post(REVEAL, {"value": secrets.token_hex(32)}).status == 403
    wait_until(lambda: screen(ada, mallory.uuid)["state"] is None, 10, "who hung up is still shown to ask")


def test_the_press_opens_nothing_but_the_comparison(start_node: StartNode, mallory: HandmadePeer) -> None:
    """While Ada compares with her, Mallory is unverified in all else; and is sent nothing else."""
    ada = start_node("Ada", gate_seconds=0.3)
    know(ada, mallory)
    ada.send("tea", "a secret")
    Mallory(mallory, ada)
    press(ada, mallory.uuid)
    wait_screen(ada, mallory.uuid, "shown")
    with mallory.connect(ada) as connection:
        reply = connection.post("/v1/messages", {"messages": [message("let me in")]})
    assert (reply.status, reply.json["code"]) == (403, "unverified")
    assert [one["content"] for one in ada.history("tea")] == ["a secret"]
    assert {request.path for request in mallory.requests.items} == {OPEN, REVEAL}


def test_who_has_learned_the_value_cannot_answer_in_the_other_role_too(
    ada: LoopbackNode, mallory: HandmadePeer
) -> None:
    """She holds her reveal back, and calls: for one value of Ada's she would have two results."""
    know(ada, mallory)
    hers = Mallory(mallory, ada)
    hers.may_reveal.clear()
    press(ada, mallory.uuid)
    wait_until(lambda: hers.learned, 10, "nothing was revealed")
    assert ask_as_initiator(mallory, ada, secrets.token_bytes(32)).status == 409
    hers.may_reveal.set()
    wait_screen(ada, mallory.uuid, "shown")


def test_somebody_who_was_rejected_cannot_compare(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    know(ada, mallory)
    ada.unverify(mallory.uuid)
    reply = ask_as_initiator(mallory, ada, secrets.token_bytes(32))
    assert (reply.status, reply.json["code"]) == (403, "rejected")
    assert ada.request("POST", f"/api/users/{mallory.uuid}/comparison").status == 409


def test_an_impostor_at_the_address_gets_no_certificate_and_is_shown(
    start_node: StartNode, mallory: HandmadePeer, make_peer: MakePeer
) -> None:
    """The press is for the key that was looked at, and for no other at that address."""
    ada = start_node("Ada", comparison_seconds=1.5)
    know(ada, mallory)
    impostor = make_peer(mallory.uuid)
    mallory.hang_up()
    mallory.announce("tea", endpoint=impostor.endpoint)
    press(ada, mallory.uuid)
    assert "somebody else answers" in wait_screen(ada, mallory.uuid, "failed")["reason"]
    assert not impostor.requests.items


def test_a_squatter_who_announces_the_other_side_elsewhere_does_not_end_the_comparison(
    start_node: StartNode, make_peer: MakePeer, network: FakeNetwork
) -> None:
    """Her announcement is the last that was heard, before the press and between promise and reveal."""
    ada, bob, eve = start_node("Ada"), make_peer(), make_peer()
    know(ada, bob)
    squat = Announcement(bob.uuid, (eve.endpoint,), {RoomName("tea"): "tea"}, "Bob", 1)
    his = Mallory(bob, ada)

    def squatted(request: Request) -> bytes | None:
        network.announce(squat)
        return his.respond(request)

    bob.respond = squatted
    network.announce(squat)
    press(ada, bob.uuid)
    wait_screen(ada, bob.uuid, "shown")
    assert not eve.requests.items


def test_who_takes_the_call_and_never_answers_ends_the_comparison_in_its_time(
    start_node: StartNode, mallory: HandmadePeer
) -> None:
    ada, over = start_node("Ada", comparison_seconds=1.0), threading.Event()
    know(ada, mallory)

    def hold(_request: Request) -> None:
        over.wait(20)

    mallory.respond = hold
    press(ada, mallory.uuid)
    began = time.monotonic()
    wait_screen(ada, mallory.uuid, "failed")
    over.set()
    assert time.monotonic() - began < 5


def test_who_asks_for_time_is_not_called_again_before(start_node: StartNode, mallory: HandmadePeer) -> None:
    ada = start_node("Ada", retry_most_seconds=60.0)
    know(ada, mallory)
    busy = json_response(429, {"code": "too-many-requests"}, "Retry-After: 60")
    mallory.respond = lambda _request: busy
    press(ada, mallory.uuid)
    first = mallory.requests.wait_for(lambda request: request.path == OPEN)
    with pytest.raises(TimeoutError):
        mallory.requests.wait_for(lambda request: request is not first, 2)


def test_saying_that_it_was_compared_takes_a_comparison(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    know(ada, mallory)
    answer = {"fingerprint_sha256": mallory.fingerprint_sha256, "method": "ceremony"}
    assert ada.request("POST", f"/api/users/{mallory.uuid}/verify", answer).status == 409
    Mallory(mallory, ada)
    press(ada, mallory.uuid)
    wait_screen(ada, mallory.uuid, "shown")
    other = answer | {"fingerprint_sha256": ada.fingerprint_sha256}
    assert ada.request("POST", f"/api/users/{mallory.uuid}/verify", other).status == 409
    assert ada.request("POST", f"/api/users/{mallory.uuid}/verify", answer).status == 204


NONSENSE = [
    (OPEN, b"{}", 400),
    (OPEN, b'{"commitment": 7}', 400),
    (OPEN, b'{"commitment": "' + b"A" * 64 + b'"}', 400),
    (OPEN, b'{"commitment": "' + b"a" * 62 + b'"}', 400),
    (OPEN, b"x" * 1025, 413),
    (REVEAL, b"[]", 400),
    (REVEAL, b'{"value": null}', 400),
    ("/v1/comparison/", b"{}", 404),
    ("/v1/comparison/more", b"{}", 404),
]


def test_who_asks_for_more_time_than_there_is_gets_none(start_node: StartNode, mallory: HandmadePeer) -> None:
    """Neither by asking for a pause, nor by calling and then holding what is asked of her."""
    ada = start_node("Ada", comparison_seconds=1.0, retry_most_seconds=60.0)
    know(ada, mallory)
    busy = json_response(403, {"code": "unverified"}, "Retry-After: 60")
    mallory.respond = lambda _request: busy
    press(ada, mallory.uuid)
    began = time.monotonic()
    wait_screen(ada, mallory.uuid, "failed")
    assert time.monotonic() - began < 5


def test_a_try_whose_value_is_out_is_shown_as_failed_even_if_it_is_cancelled(
    ada: LoopbackNode, mallory: HandmadePeer
) -> None:
    """Else she could let every try that does not fit hang, and nobody would have seen one fail."""
    know(ada, mallory)
    hers = Mallory(mallory, ada)
    hers.may_reveal.clear()
    press(ada, mallory.uuid)
    wait_until(lambda: hers.learned, 10, "nothing was revealed")
    ada.request("DELETE", f"/api/users/{mallory.uuid}/comparison")
    assert "broke off" in wait_screen(ada, mallory.uuid, "failed")["reason"]
    hers.may_reveal.set()
    ada.request("DELETE", f"/api/users/{mallory.uuid}/comparison")
    assert screen(ada, mallory.uuid)["state"] is None


def test_what_was_ended_waits_at_nobody_s_gate(start_node: StartNode) -> None:
    """Ada verifies Bob in another way meanwhile: his page does not say that she waits."""
    ada, bob = start_node("Ada"), start_node("Bob")
    for node in (ada, bob):
        node.join("tea")
    for one, other in ((ada, bob), (bob, ada)):
        one.wait_knows(other.uuid, other.fingerprint_sha256)
    press(ada, bob.uuid)
    wait_screen(bob, ada.uuid, "asked")
    ada.verify(bob.uuid, bob.fingerprint_sha256)
    wait_until(lambda: screen(bob, ada.uuid)["state"] is None, 5, "she still seems to wait")


def test_a_comparison_that_makes_no_sense_is_refused_at_once(
    ada: LoopbackNode, mallory: HandmadePeer
) -> None:
    """Without a question, without a place at the gate."""
    know(ada, mallory)
    for path, body, status in NONSENSE:
        with mallory.connect(ada) as connection:
            assert connection.post(path, body).status == status
    assert not ada.seen("verification")
    assert screen(ada, mallory.uuid)["state"] is None


def test_an_answer_that_is_lost_while_both_call_leaves_nobody_waiting(
    start_node: StartNode, make_peer: MakePeer
) -> None:
    """The other side has our answer, or not, and never reveals; whoever has the smaller UUID calls again."""
    ada, other = start_node("Ada", request_seconds=3.0), make_peer("ffffffff-ffff-4fff-bfff-ffffffffffff")
    know(ada, other)
    other.respond = lambda _request: json_response(409, {"code": "conflict"})
    press(ada, other.uuid)

    def opened() -> bool:
        with other.connect(ada) as connection:
            return connection.post(OPEN, {"commitment": secrets.token_hex(32)}).status == 200

    wait_until(opened, 10, "the node calls, and never answers")
    Mallory(other, ada)
    wait_screen(ada, other.uuid, "shown")


def test_past_the_number_of_comparisons_a_press_is_refused_and_one_that_failed_can_be_begun_again(
    start_node: StartNode, make_peer: MakePeer
) -> None:
    ada, one, other = start_node("Ada", comparisons_at_once=1), make_peer(), make_peer()
    for peer in (one, other):
        know(ada, peer)
    Mallory(one, ada).reveals = secrets.token_bytes(32)
    press(ada, one.uuid)
    wait_screen(ada, one.uuid, "failed")
    assert ada.request("POST", f"/api/users/{other.uuid}/comparison").status == 429
    Mallory(one, ada)
    press(ada, one.uuid)
    wait_screen(ada, one.uuid, "shown")
    ada.request("DELETE", f"/api/users/{one.uuid}/comparison")
    press(ada, other.uuid)


def test_a_flood_of_strangers_does_not_drive_out_whom_the_user_compares_with(
    start_node: StartNode, make_peer: MakePeer, network: FakeNetwork
) -> None:
    """He is announced no more, so that no other look could learn his key again."""
    ada, bob = start_node("Ada", unverified_keys_of_one_address=2), make_peer()
    know(ada, bob)
    bob.respond = lambda _request: json_response(403, {"code": "unverified"})
    press(ada, bob.uuid)
    network.goodbye(bob.uuid)
    for _ in range(3):
        know(ada, make_peer())
    assert ask_until_heard(bob, ada).status == 200
    wait_screen(ada, bob.uuid, "shown")


def test_a_comparison_that_nobody_answers_ends_and_says_so(
    start_node: StartNode, mallory: HandmadePeer
) -> None:
    ada = start_node("Ada", comparison_seconds=1.5, comparison_shown_seconds=2)
    know(ada, mallory)
    mallory.respond = lambda _request: json_response(403, {"code": "unverified"})
    press(ada, mallory.uuid)
    wait_screen(ada, mallory.uuid, "failed")
    wait_until(lambda: screen(ada, mallory.uuid)["state"] is None, 10, "it is shown for ever")

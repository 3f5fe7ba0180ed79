"""Sending: nobody waits for anybody else, nothing is lost, and nothing comes twice in our form.

The other side is made by hand here, so that it can freeze, cut, lie and move.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from black_holes import black_hole, connecting_to
from loopback_node import LoopbackNode, befriend
from loopback_peer import (
    OK,
    HandmadePeer,
    Request,
    accepts_all,
    json_response,
    know,
    trust,
)
from waiting import wait_until

from cryptochat_lib import peer_client
from cryptochat_lib.attempts import Attempts
from cryptochat_lib.delivery import Deliverer, Outcome
from cryptochat_lib.dialing import Handshake, Where, dial
from cryptochat_lib.errors import NoConnection
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Announcement, Endpoint, Message, PeerId, RoomName

S = TypeVar("S", bound=socket.socket)
StartNode = Callable[..., LoopbackNode]
MakePeer = Callable[..., HandmadePeer]

OURS = "/v1/messages"
SEED = "/rooms/tea/message"


def contents(requests: list[Request]) -> list[str]:
    """What these requests carried, in order."""
    found: list[str] = []
    for request in requests:
        found += [m["content"] for m in request.json.get("messages", [request.json])]
    return found


# Nobody holds up anybody


def test_a_peer_that_never_answers_delays_no_other_and_not_the_page(
    ada: LoopbackNode, make_peer: MakePeer
) -> None:
    frozen, good = make_peer(), make_peer()
    thaw = threading.Event()

    def freeze(request: Request) -> bytes:
        thaw.wait(30)
        return accepts_all(request)

    frozen.respond, good.respond = freeze, accepts_all
    trust(ada, frozen)
    trust(ada, good)
    try:
        started = time.monotonic()
        sent = [ada.send("tea", str(number)) for number in range(20)]
        assert time.monotonic() - started < 2
        ada.wait_delivery(sent[-1], good.uuid, "delivered", timeout=3)
        frozen.requests.wait_for(lambda _request: True)
        assert (ada.delivery(sent[0], frozen.uuid) or {})["state"] == "waiting"
    finally:
        thaw.set()
    ada.wait_delivery(sent[-1], frozen.uuid, "delivered")
    assert contents(frozen.requests.items) == contents(good.requests.items) == [str(n) for n in range(20)]


def test_a_peer_frozen_before_its_handshake_delays_no_other(
    start_node: StartNode, make_peer: MakePeer
) -> None:
    ada = start_node("Ada", handshake_seconds=30.0)
    ada.join("tea")
    frozen, good = make_peer(), make_peer()
    good.respond = accepts_all
    trust(ada, frozen)
    trust(ada, good)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        frozen.hang_up()
        frozen.announce("tea", endpoint=Endpoint("127.0.0.1", listener.getsockname()[1]))
        sent = ada.send("tea", "hello")
        ada.wait_delivery(sent, good.uuid, "delivered", timeout=10)
        assert (ada.delivery(sent, frozen.uuid) or {})["state"] == "waiting"


def test_an_undecided_peer_delays_no_other(start_node: StartNode, make_peer: MakePeer) -> None:
    """Ada has verified both; Bob has not verified Ada, so her request waits at his gate."""
    ada, bob, carol = start_node("Ada"), start_node("Bob"), start_node("Carol")
    befriend(ada, carol)
    bob.join("tea")
    for one, other in ((ada, bob), (bob, ada)):
        one.wait_knows(other.uuid, other.fingerprint_sha256)
    ada.verify(bob.uuid)
    first = ada.send("tea", "first")
    bob.wait_for("verification", uuid=ada.uuid)
    second = ada.send("tea", "second")
    ada.wait_delivery(second, carol.uuid, "delivered", timeout=3)
    assert (ada.delivery(first, bob.uuid) or {})["state"] == "waiting"
    bob.verify(ada.uuid)
    ada.wait_delivery(second, bob.uuid, "delivered")
    assert [m["content"] for m in bob.history("tea")] == ["first", "second"]


# At least once on the wire, exactly once in the history


def test_a_cut_reply_is_tried_again_with_the_same_id(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    cuts = [
        None,
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\n",
        b"",
    ]

    def cut(request: Request) -> bytes | None:
        number = len(mallory.requests.items)
        if number > len(cuts):
            return accepts_all(request)
        half = cuts[number - 1]
        if half:
            mallory_socket(mallory).sendall(half)
        return None

    mallory.respond = cut
    trust(ada, mallory)
    sent = ada.send("tea", "hello")
    ada.wait_delivery(sent, mallory.uuid, "delivered")
    ids = {request.json["messages"][0]["id"] for request in mallory.requests.items}
    assert len(mallory.requests.items) == len(cuts) + 1
    assert len(ids) == 1


def mallory_socket(peer: HandmadePeer) -> socket.socket:
    [sock] = peer._sockets
    return sock


def test_a_reply_cut_between_two_nodes_shows_the_message_once(start_node: StartNode) -> None:
    """Bob stores the message, and the connection ends before Ada has his answer."""
    ada, bob = start_node("Ada"), start_node("Bob")
    befriend(ada, bob)
    receive = bob.app.node.chat.receive
    cuts: list[object] = []

    def receive_and_cut(*arguments: object) -> object:
        answer = receive(*arguments)  # type: ignore[arg-type]
        if not cuts:
            cuts.append(answer)
            raise ConnectionResetError("the cable is out")
        return answer

    bob.app.node.chat.receive = receive_and_cut  # type: ignore[method-assign, assignment]
    sent = ada.send("tea", "once")
    ada.wait_delivery(sent, bob.uuid, "delivered")
    assert len(cuts) == 1
    assert [m["content"] for m in bob.history("tea")] == ["once"]
    assert len(bob.seen("messages", content="once")) == 1


def test_what_waits_survives_a_restart_of_the_sender(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    trust(ada, mallory)
    mallory.respond = accepts_all
    ada.wait_delivery(ada.send("tea", "before"), mallory.uuid, "delivered")
    mallory.hang_up()
    waiting = ada.send("tea", "while away")
    ada.restart()
    assert (ada.delivery(waiting, mallory.uuid) or {})["state"] == "waiting"
    mallory.move()
    mallory.announce("tea")
    ada.wait_delivery(waiting, mallory.uuid, "delivered")
    assert contents(mallory.requests.items)[-1] == "while away"


def test_everything_arrives_in_order(start_node: StartNode) -> None:
    ada, bob = start_node("Ada"), start_node("Bob")
    befriend(ada, bob)
    sent = [ada.send("tea", str(number)) for number in range(250)]  # more than two batches
    ada.wait_delivery(sent[-1], bob.uuid, "delivered")
    assert [m["content"] for m in bob.history("tea")] == [str(number) for number in range(250)]


# The connection


def test_one_connection_is_kept_for_many_messages(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    mallory.respond = accepts_all
    trust(ada, mallory)
    looks = mallory.handshakes
    for number in range(10):
        ada.wait_delivery(ada.send("tea", str(number)), mallory.uuid, "delivered")
    assert mallory.handshakes == looks + 1
    assert {request.connection for request in mallory.requests.items} == {looks + 1}


def test_a_connection_that_the_other_side_has_ended_is_made_anew(
    ada: LoopbackNode, mallory: HandmadePeer
) -> None:
    mallory.respond = lambda request: accepts_all(request).replace(
        b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1
    )
    trust(ada, mallory)
    for number in range(3):
        ada.wait_delivery(ada.send("tea", str(number)), mallory.uuid, "delivered")
    assert contents(mallory.requests.items) == ["0", "1", "2"]
    assert len({request.connection for request in mallory.requests.items}) == 3


def test_a_peer_that_moves_to_another_port_gets_what_waited(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    mallory.respond = accepts_all
    trust(ada, mallory)
    ada.wait_delivery(ada.send("tea", "first"), mallory.uuid, "delivered")
    mallory.hang_up()
    waiting = ada.send("tea", "second")
    wait_until(lambda: (ada.delivery(waiting, mallory.uuid) or {})["reason"] == "asleep or off the network")
    ada.wait_member("tea", mallory.uuid, online=False)
    mallory.move()
    mallory.announce("tea")
    ada.wait_delivery(waiting, mallory.uuid, "delivered")
    ada.wait_member("tea", mallory.uuid, online=True, address=str(mallory.endpoint))
    assert contents(mallory.requests.items) == ["first", "second"]


def test_who_comes_back_while_a_try_is_under_way_is_not_taken_for_away_when_that_fails(
    ada: LoopbackNode, mallory: HandmadePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mallory.respond = accepts_all
    trust(ada, mallory)
    ada.wait_delivery(ada.send("tea", "first"), mallory.uuid, "delivered")
    mallory.hang_up()
    waiting = ada.send("tea", "second")
    ada.wait_member("tea", mallory.uuid, online=False)
    mallory.move()
    seen: list[bool] = []

    def dial_too_early(
        where: Where, handshake: Handshake[S], limits: Limits, attempts: Attempts
    ) -> tuple[Endpoint, S]:
        found = ada.app.node.presence.of(mallory.uuid)
        assert found is not None
        seen.append(found.online)
        if len(seen) > 1:
            return dial(where, handshake, limits, attempts)
        mallory.announce("tea")
        ada.wait_member("tea", mallory.uuid, online=True)
        raise NoConnection("it took too long")

    monkeypatch.setattr(peer_client, "dial", dial_too_early)
    ada.wait_delivery(waiting, mallory.uuid, "delivered")
    assert seen[:2] == [False, True]


def test_who_shows_up_elsewhere_while_its_old_address_is_dialed_is_reached_at_once(
    start_node: StartNode, mallory: HandmadePeer
) -> None:
    """A machine with another address: at the old one nothing answers, not even with a no."""
    ada = start_node("Ada", connect_seconds=30.0)
    mallory.respond = accepts_all
    trust(ada, mallory)
    ada.wait_delivery(ada.send("tea", "first"), mallory.uuid, "delivered")
    mallory.hang_up()
    with black_hole(mallory.endpoint.host, mallory.endpoint.port):
        waiting = ada.send("tea", "second")
        wait_until(lambda: connecting_to(mallory.endpoint.port))
        mallory.move()
        mallory.announce("tea")
        ada.wait_delivery(waiting, mallory.uuid, "delivered", timeout=5)


@pytest.mark.parametrize("somebody", ["with another key", "who is silent"])
def test_where_somebody_else_answers_first_the_next_address_is_tried(
    somebody: str,
    ada: LoopbackNode,
    mallory: HandmadePeer,
    make_peer: MakePeer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mallory.respond = accepts_all
    trust(ada, mallory)
    monkeypatch.setattr(ada.app.node.looker, "look", lambda *_, **__: None)  # it would find her first
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent_at = Endpoint("127.0.0.1", silent.getsockname()[1])
        first = make_peer().endpoint if somebody == "with another key" else silent_at
        mallory.move()
        where = (first, mallory.endpoint)
        ada.network.announce(Announcement(mallory.uuid, where, {RoomName("tea"): "tea"}, None, 1))
        ada.wait_delivery(ada.send("tea", "hello"), mallory.uuid, "delivered", timeout=5)


def test_a_forged_address_takes_nothing_from_the_one_that_works(
    ada: LoopbackNode, mallory: HandmadePeer, make_peer: MakePeer
) -> None:
    mallory.respond = accepts_all
    trust(ada, mallory)
    ada.wait_delivery(ada.send("tea", "first"), mallory.uuid, "delivered")
    thief = make_peer()
    thief.respond = accepts_all
    mallory.announce("tea", endpoint=thief.endpoint)
    ada.wait_delivery(ada.send("tea", "second"), mallory.uuid, "delivered")
    mallory.announce(endpoint=thief.endpoint)  # "has left", says somebody else
    third = ada.send("tea", "third")
    ada.wait_delivery(third, mallory.uuid, "delivered")
    assert contents(mallory.requests.items) == ["first", "second", "third"]
    assert thief.requests.items == []


def test_an_old_address_where_somebody_else_listens_now_is_passed_over(
    ada: LoopbackNode, mallory: HandmadePeer, make_peer: MakePeer
) -> None:
    mallory.respond = accepts_all
    trust(ada, mallory)
    stranger = make_peer()
    mallory.hang_up()
    mallory.announce("tea", endpoint=stranger.endpoint)
    sent = ada.send("tea", "hello")
    wait_until(lambda: "somebody else" in ((ada.delivery(sent, mallory.uuid) or {})["reason"] or ""))
    assert stranger.requests.items == []
    mallory.move()
    mallory.announce("tea")
    ada.wait_delivery(sent, mallory.uuid, "delivered")


# Answers


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (400, "not-a-member", "has left the room"),
        (403, "rejected", "has rejected you"),
        (400, "malformed", "could not read the message"),
        (413, "too-large", "the message is too large for them"),
        (400, None, "refused it"),
        (418, "teapot", "refused it"),
    ],
)
@pytest.mark.parametrize("version", [0, 1])
def test_a_final_answer_is_refused_with_its_reason(
    ada: LoopbackNode, mallory: HandmadePeer, version: int, status: int, code: str | None, reason: str
) -> None:
    body = {"message": "no"} if code is None else {"status": status, "code": code, "message": "no"}
    mallory.respond = lambda _request: json_response(status, body)
    trust(ada, mallory, version=version)
    sent = ada.send("tea", "hello")
    ada.wait_delivery(sent, mallory.uuid, "refused")
    assert (ada.delivery(sent, mallory.uuid) or {})["reason"] == reason
    ada.wait_for("delivery", id=sent["id"], state="refused")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "unverified"),
        (403, None),
        (429, "too-many-requests"),
        (500, None),
        (502, None),
        (507, "storage-full"),
    ],
)
@pytest.mark.parametrize("version", [0, 1])
def test_any_other_answer_is_tried_again(
    ada: LoopbackNode, mallory: HandmadePeer, version: int, status: int, code: str | None
) -> None:
    def respond(request: Request) -> bytes:
        if len(mallory.requests.items) < 3:
            return json_response(status, {"status": status, "code": code} if code else {"message": "later"})
        return accepts_all(request)

    mallory.respond = respond
    trust(ada, mallory, version=version)
    sent = ada.send("tea", "hello")
    ada.wait_delivery(sent, mallory.uuid, "delivered")
    assert len(mallory.requests.items) == 3


def test_retry_after_is_kept_to(start_node: StartNode, mallory: HandmadePeer) -> None:
    """Neither a new message nor a new address cuts it short."""
    ada = start_node("Ada", retry_most_seconds=5.0)
    times: list[float] = []

    def respond(request: Request) -> bytes:
        times.append(time.monotonic())
        return accepts_all(request) if len(times) > 1 else json_response(429, {}, "Retry-After: 1")

    mallory.respond = respond
    trust(ada, mallory)
    ada.send("tea", "hello")
    ada.wait_for("delivery", reason="cannot take more at the moment")  # she has read the whole answer
    mallory.move()
    mallory.announce("tea")
    meanwhile = ada.send("tea", "meanwhile")
    ada.wait_delivery(meanwhile, mallory.uuid, "delivered")
    assert contents(mallory.requests.items) == ["hello", "hello", "meanwhile"]
    assert times[1] - times[0] >= 1


def test_each_message_of_a_batch_gets_its_own_answer(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    answers = {"no": (400, "malformed"), "yes": (200, None), "later": (507, "storage-full")}

    def respond(request: Request) -> bytes:
        results = []
        for one in request.json["messages"]:
            status, code = answers[one["content"]]
            if one["content"] == "later":
                answers["later"] = (200, None)
            results.append({"id": one["id"], "status": status, **({"code": code} if code else {})})
        return json_response(200, {"results": results})

    trust(ada, mallory)
    mallory.hang_up()
    no, yes, later = (ada.send("tea", content) for content in ("no", "yes", "later"))
    mallory.respond = respond
    mallory.move()
    mallory.announce("tea")
    ada.wait_delivery(later, mallory.uuid, "delivered")
    assert (ada.delivery(no, mallory.uuid) or {})["state"] == "refused"
    assert (ada.delivery(yes, mallory.uuid) or {})["state"] == "delivered"


def test_a_server_that_says_yes_to_everything_gets_the_seed_s_form(
    ada: LoopbackNode, mallory: HandmadePeer
) -> None:
    trust(ada, mallory)
    ada.wait_delivery(ada.send("tea", "hello"), mallory.uuid, "delivered")
    assert [request.path for request in mallory.requests.items] == [OURS, SEED]


# Two forms


def test_a_seed_only_peer_gets_the_seed_s_form_and_nothing_else(
    ada: LoopbackNode, mallory: HandmadePeer
) -> None:
    trust(ada, mallory, "Größe & co/50%", version=0)
    sent = ada.send("Größe & co/50%", "hello")
    ada.wait_delivery(sent, mallory.uuid, "delivered")
    [request] = mallory.requests.items
    assert request.path == "/rooms/Gr%C3%B6%C3%9Fe%20%26%20co%2F50%25/message"
    assert request.json == {"username": "Ada", "content": "hello"}
    assert request.head.split("\n")[0].startswith("POST ")


def test_a_peer_s_own_form_of_a_room_name_goes_back_to_it(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    decomposed = "cafe\u0301"
    ada.join("caf\u00e9")
    mallory.announcement = Announcement(
        mallory.uuid, (mallory.endpoint,), {RoomName("caf\u00e9"): decomposed}
    )
    ada.network.announce(mallory.announcement)
    ada.wait_knows(mallory.uuid, mallory.fingerprint_sha256)
    ada.verify(mallory.uuid)
    ada.wait_delivery(ada.send("caf\u00e9", "hello"), mallory.uuid, "delivered")
    assert mallory.requests.items[0].path == "/rooms/cafe%CC%81/message"


def test_our_form_carries_exactly_what_is_documented(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    mallory.respond = accepts_all
    trust(ada, mallory)
    sent = ada.send("tea", "hello")
    ada.wait_delivery(sent, mallory.uuid, "delivered")
    [request] = mallory.requests.items
    assert request.path == OURS
    [one] = request.json["messages"]
    assert set(one) == {"id", "room", "username", "content", "sent", "kind"}
    assert (one["room"], one["username"], one["content"], one["kind"]) == ("tea", "Ada", "hello", "text")
    assert list(request.json) == ["messages"]


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_peer_that_refuses_our_form_gets_the_seed_s(
    ada: LoopbackNode, mallory: HandmadePeer, status: int
) -> None:
    mallory.respond = lambda request: json_response(status, {}) if request.path == OURS else OK
    trust(ada, mallory)
    ada.wait_delivery(ada.send("tea", "first"), mallory.uuid, "delivered")
    ada.wait_delivery(ada.send("tea", "second"), mallory.uuid, "delivered")
    assert [request.path for request in mallory.requests.items] == [OURS, SEED, SEED]


def test_what_a_key_once_accepted_is_not_lowered_by_an_announcement(
    ada: LoopbackNode, mallory: HandmadePeer
) -> None:
    mallory.respond = accepts_all
    trust(ada, mallory)
    ada.wait_delivery(ada.send("tea", "first"), mallory.uuid, "delivered")
    mallory.announce("tea", version=0)
    ada.wait_delivery(ada.send("tea", "second"), mallory.uuid, "delivered")
    ada.restart()
    ada.wait_member("tea", mallory.uuid, online=True)
    ada.wait_delivery(ada.send("tea", "third"), mallory.uuid, "delivered")
    assert {request.path for request in mallory.requests.items} == {OURS}


# The limits of a queue


def test_past_what_may_wait_for_one_recipient_the_oldest_expire(
    start_node: StartNode, mallory: HandmadePeer
) -> None:
    ada = start_node("Ada", queued_for_one_recipient=3)
    know(ada, mallory)
    sent = [ada.send("tea", str(number)) for number in range(5)]
    ada.restart()  # what is due once a minute is due at the start
    ada.wait_delivery(sent[1], mallory.uuid, "expired")
    states = [(ada.delivery(message, mallory.uuid) or {})["state"] for message in sent]
    assert states == ["expired", "expired", "waiting", "waiting", "waiting"]


def test_what_waits_too_long_for_a_yes_expires(start_node: StartNode, mallory: HandmadePeer) -> None:
    ada = start_node("Ada", queued_unverified_seconds=0.0)
    know(ada, mallory)
    sent = ada.send("tea", "hello")
    ada.restart()
    ada.wait_delivery(sent, mallory.uuid, "expired")
    ada.verify(mallory.uuid)
    assert mallory.requests.items == []


def test_everything_that_waits_says_why(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    """More than a batch waits for a peer that is there and busy: the last one says why, as the first."""
    mallory.respond = lambda _request: json_response(507, {"status": 507, "code": "storage-full"})
    trust(ada, mallory)
    sent = [ada.send("tea", str(number)) for number in range(150)]
    wait_until(
        lambda: (ada.delivery(sent[-1], mallory.uuid) or {})["reason"] == "cannot take more at the moment", 5
    )


def test_new_messages_do_not_make_the_next_try_later(start_node: StartNode, mallory: HandmadePeer) -> None:
    """Each new message wakes the sender and fails; the pause is that after one failure, not after 20."""
    ada = start_node("Ada", retry_first_seconds=0.2, retry_most_seconds=60.0)
    mallory.respond = lambda _request: json_response(507, {"status": 507, "code": "storage-full"})
    trust(ada, mallory)
    for number in range(20):
        tries = len(mallory.requests.items)
        sent = ada.send("tea", str(number))
        wait_until(lambda tries=tries: len(mallory.requests.items) > tries)
    mallory.respond = accepts_all
    ada.wait_delivery(sent, mallory.uuid, "delivered", timeout=5)


def test_a_yes_that_comes_while_a_message_is_stored_sends_it(
    ada: LoopbackNode, mallory: HandmadePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    know(ada, mallory)
    mallory.respond = accepts_all
    store = ada.app.store.messages.add_own

    def answered_meanwhile(*arguments: Any) -> Any:
        ada.app.node.verification.say_yes(mallory.uuid, mallory.fingerprint_sha256, "click")
        return store(*arguments)

    monkeypatch.setattr(ada.app.store.messages, "add_own", answered_meanwhile)
    ada.wait_delivery(ada.send("tea", "hello"), mallory.uuid, "delivered", timeout=5)


def test_a_no_that_comes_while_a_message_is_stored_withholds_it(
    ada: LoopbackNode, mallory: HandmadePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mallory.respond = accepts_all
    trust(ada, mallory)
    store = ada.app.store.messages.add_own

    def answered_meanwhile(*arguments: Any) -> Any:
        ada.app.node.people.withdraw(mallory.uuid, None)
        return store(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(ada.app.store.messages, "add_own", answered_meanwhile)
        sent = ada.send("tea", "hello")
    ada.wait_delivery(sent, mallory.uuid, "withheld", timeout=5)
    ada.verify(mallory.uuid, mallory.fingerprint_sha256)
    ada.wait_delivery(ada.send("tea", "and now"), mallory.uuid, "delivered")
    assert contents(mallory.requests.items) == ["and now"]


def test_a_no_to_a_stranger_that_comes_while_a_message_is_stored_withholds_it(
    ada: LoopbackNode, mallory: HandmadePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    know(ada, mallory)
    store = ada.app.store.messages.add_own

    def answered_meanwhile(*arguments: Any) -> Any:
        ada.app.node.people.withdraw(PeerId(mallory.uuid), None)
        return store(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(ada.app.store.messages, "add_own", answered_meanwhile)
        sent = ada.send("tea", "hello")
    ada.wait_delivery(sent, mallory.uuid, "withheld", timeout=5)


def test_what_a_sender_withholds_is_not_sent_after_a_later_yes(
    start_node: StartNode, mallory: HandmadePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The no comes between two requests, and the sender learns of it before anybody else has withheld."""
    ada = start_node("Ada", batch_messages=1)
    trust(ada, mallory)
    mallory.hang_up()
    sent = [ada.send("tea", str(number)) for number in range(4)]
    deliver = Deliverer.deliver

    def deliver_before_the_user_says_no(self: Deliverer, messages: list[Message]) -> Outcome:
        outcome = deliver(self, messages)
        if outcome.settled:
            for _ in ("not verified any more", "rejected"):
                ada.app.node.verification.say_no(PeerId(mallory.uuid), None)
        return outcome

    mallory.respond = accepts_all
    with monkeypatch.context() as patch:
        patch.setattr(Deliverer, "deliver", deliver_before_the_user_says_no)
        mallory.move()
        mallory.announce("tea")
        for message in sent[1:]:
            ada.wait_delivery(message, mallory.uuid, "withheld", timeout=5)
    ada.verify(mallory.uuid, mallory.fingerprint_sha256)
    ada.wait_delivery(ada.send("tea", "and now"), mallory.uuid, "delivered")
    assert contents(mallory.requests.items) == ["0", "and now"]


def test_of_a_long_backlog_each_request_is_settled_before_the_next(
    start_node: StartNode, mallory: HandmadePeer
) -> None:
    ada = start_node("Ada", batch_messages=10, retry_first_seconds=0.2)
    left: list[int] = []
    room_again = threading.Event()

    def respond(request: Request) -> bytes:
        if not room_again.is_set():
            return json_response(507, {"status": 507, "code": "storage-full"})
        left.append(ada.app.store.queue.counts()[mallory.uuid])
        ada.app.store.database.close_thread()
        return accepts_all(request)

    mallory.respond = respond
    trust(ada, mallory)
    sent = [ada.send("tea", str(n)) for n in range(35)]
    room_again.set()
    ada.wait_delivery(sent[-1], mallory.uuid, "delivered")
    assert left == [35, 25, 15, 5]


def test_what_was_answered_is_delivered_however_long_the_next_answer_takes(
    ada: LoopbackNode, mallory: HandmadePeer
) -> None:
    thaw = threading.Event()

    def respond(request: Request) -> bytes:
        if contents([request]) == ["first"]:
            ada.send("tea", "second")
        else:
            assert thaw.wait(20)
        return accepts_all(request)

    mallory.respond = respond
    trust(ada, mallory)
    first = ada.send("tea", "first")
    try:
        ada.wait_delivery(first, mallory.uuid, "delivered", timeout=5)
        wait_until(lambda: len(mallory.requests.items) == 2)
    finally:
        thaw.set()

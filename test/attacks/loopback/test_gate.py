"""The gate: where a stranger's connection waits for the user's answer, in bounds."""

from __future__ import annotations

import contextlib
import http.client
import ssl
import threading
import time
from collections.abc import Callable

import pytest
from loopback_node import LoopbackNode, befriend
from loopback_peer import HandmadePeer, Reply, accepts_all, know, message, trust
from waiting import wait_until

StartNode = Callable[..., LoopbackNode]
MakePeer = Callable[..., HandmadePeer]


def check_forbidden(reply: Reply, code: str) -> None:
    assert (reply.status, reply.json["code"]) == (403, code)
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.headers["Connection"] == "close"
    assert (reply.headers["Retry-After"] is not None) == (code == "unverified")


def waits(node: LoopbackNode) -> int:
    """How many connections wait at the node's gates."""
    return node.app.node.gates.waiting


def test_a_yes_lets_the_waiting_message_in(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    know(ada, mallory)
    with mallory.connect(ada) as connection:
        connection.send("/v1/messages", {"messages": [message("hello")]})
        asked = ada.wait_for("verification", uuid=mallory.uuid, reason="knocked")
        wait_until(lambda: waits(ada) == 1)
        assert ada.history("tea") == []
        ada.verify(mallory.uuid, asked["fingerprint_sha256"])
        assert connection.reply().status == 200
        [stored] = ada.history("tea")
        assert (stored["content"], stored["method"]) == ("hello", "number")
        assert connection.post("/v1/messages", {"messages": [message("more")]}).status == 200
    assert len(ada.seen("verification")) == 1


def test_a_no_is_told_at_once_and_every_time_after(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    know(ada, mallory)
    with mallory.connect(ada) as connection:
        connection.send("/rooms/tea/message", {"username": "M", "content": "hello"})
        ada.wait_for("verification", uuid=mallory.uuid)
        wait_until(lambda: waits(ada) == 1)
        ada.unverify(mallory.uuid)
        assert ada.status(mallory.uuid) == "rejected"
        with contextlib.suppress(OSError, http.client.HTTPException):  # the end of its connections may cut it
            check_forbidden(connection.reply(), "rejected")
    for _ in range(2):
        with mallory.connect(ada) as connection:
            check_forbidden(
                connection.post("/rooms/tea/message", {"username": "M", "content": "hello"}), "rejected"
            )
    assert ada.history("tea") == []
    assert len(ada.seen("verification")) == 1


def test_no_message_is_addressed_to_somebody_rejected(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    know(ada, mallory)
    ada.unverify(mallory.uuid)
    assert ada.send("tea", "hello")["deliveries"] == []


def test_the_gate_closes_after_its_time(start_node: StartNode, mallory: HandmadePeer) -> None:
    ada = start_node("Ada", gate_seconds=0.3)
    know(ada, mallory)
    with mallory.connect(ada) as connection:
        started = time.monotonic()
        check_forbidden(connection.post("/v1/messages", {"messages": [message("hello")]}), "unverified")
        assert 0.3 <= time.monotonic() - started < 3
        assert connection.ended()
    assert waits(ada) == 0


def test_who_hangs_up_at_the_gate_leaves_its_place_and_can_wait_again(
    ada: LoopbackNode, mallory: HandmadePeer
) -> None:
    know(ada, mallory)
    for number in range(2):
        with mallory.connect(ada) as connection:
            connection.send("/v1/messages", {"messages": [message(str(number))]})
            wait_until(lambda: waits(ada) == 1)
        wait_until(lambda: waits(ada) == 0, 2.5, "the place is still taken")
    with mallory.connect(ada) as connection:
        connection.send("/v1/messages", {"messages": [message("the last")]})
        wait_until(lambda: waits(ada) == 1)
        ada.verify(mallory.uuid)
        assert connection.reply().status == 200
    assert [m["content"] for m in ada.history("tea")] == ["the last"]


def test_shutdown_releases_who_waits(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    know(ada, mallory)
    with mallory.connect(ada) as connection:
        connection.send("/v1/messages", {"messages": [message("hello")]})
        wait_until(lambda: waits(ada) == 1)
        started = time.monotonic()
        ada.stop()
        assert time.monotonic() - started < 2
        with contextlib.suppress(OSError, http.client.HTTPException):  # the end of its connections may cut it
            check_forbidden(connection.reply(), "unverified")


def test_a_second_connection_of_the_same_key_does_not_wait(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    know(ada, mallory)
    with mallory.connect(ada) as first, mallory.connect(ada) as second:
        first.send("/v1/messages", {"messages": [message("first")]})
        wait_until(lambda: waits(ada) == 1)
        check_forbidden(second.post("/v1/messages", {"messages": [message("second")]}), "unverified")
        ada.verify(mallory.uuid)
        assert first.reply().status == 200
    assert [m["content"] for m in ada.history("tea")] == ["first"]


def test_past_eight_nobody_waits_and_the_question_is_asked_all_the_same(
    start_node: StartNode, make_peer: MakePeer
) -> None:
    ada = start_node("Ada", unverified_keys_of_one_address=32)
    peers = [make_peer() for _ in range(ada.limits.gate_waiting + 1)]
    for peer in peers:
        know(ada, peer)
    sources = [f"127.0.4.{number + 1}" for number in range(len(peers))]  # else some would not be asked about
    connections = [peer.connect(ada, source=source) for peer, source in zip(peers, sources, strict=True)]
    *waiting, late = connections
    try:
        for connection in waiting:
            connection.send("/v1/messages", {"messages": [message("hello")]})
        wait_until(lambda: waits(ada) == ada.limits.gate_waiting)
        check_forbidden(late.post("/v1/messages", {"messages": [message("late")]}), "unverified")
        asked = {ada.wait_for("verification", uuid=peer.uuid)["uuid"] for peer in peers}
        assert len(asked) == len(peers)
        ada.verify(peers[0].uuid)
        assert waiting[0].reply().status == 200
        with peers[-1].connect(ada, source=sources[-1]) as again:
            again.send("/v1/messages", {"messages": [message("again")]})
            wait_until(lambda: waits(ada) == ada.limits.gate_waiting)  # the place that became free
    finally:
        for connection in connections:
            connection.sock.close()
        for peer in peers:
            ada.unverify(peer.uuid)


def test_the_body_stays_unread_at_the_gate(start_node: StartNode, mallory: HandmadePeer) -> None:
    """A stranger's megabyte stays in the kernel's buffers: the server takes no more than the head."""
    ada = start_node("Ada", body_bytes=64 * 2**20)
    know(ada, mallory)
    with mallory.connect(ada) as connection:
        connection.sock.settimeout(1.0)
        length = 48 * 2**20
        connection.sock.sendall(
            f"POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n".encode()
        )
        wait_until(lambda: waits(ada) == 1)
        sent = 0
        try:
            while sent < length:
                connection.sock.sendall(b" " * 65536)
                sent += 65536
        except (TimeoutError, ssl.SSLError):
            pass
        assert sent < length
        assert waits(ada) == 1
        ada.unverify(mallory.uuid)


def test_unverify_ends_the_open_connections_of_both_directions(
    ada: LoopbackNode, mallory: HandmadePeer
) -> None:
    trust(ada, mallory)
    mallory.respond = accepts_all
    sent = ada.send("tea", "hello")
    ada.wait_delivery(sent, mallory.uuid, "delivered")
    with mallory.connect(ada) as incoming:
        assert incoming.post("/v1/messages", {"messages": [message("hello")]}).status == 200
        outgoing = next(iter(mallory._sockets))
        assert outgoing.fileno() >= 0
        ada.unverify(mallory.uuid)
        assert incoming.ended(timeout=2)
        wait_until(lambda: outgoing not in mallory._sockets, 2, "our own connection to them is still open")
    with mallory.connect(ada) as incoming:
        check_forbidden(incoming.post("/v1/messages", {"messages": [message("again")]}), "unverified")
    assert [m["content"] for m in ada.history("tea")] == ["hello", "hello"]


def test_who_was_unverified_is_not_asked_about_again(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    trust(ada, mallory)
    ada.unverify(mallory.uuid)
    mark = ada.events.mark()
    with mallory.connect(ada) as connection:
        started = time.monotonic()
        check_forbidden(connection.post("/v1/messages", {"messages": [message("x")]}), "unverified")
        assert time.monotonic() - started < 2
    assert ada.seen("verification", after=mark) == []
    assert (ada.user(mallory.uuid) or {})["status"] == "unverified"


def test_what_waited_is_withheld_after_a_no(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    know(ada, mallory)
    sent = ada.send("tea", "hello")
    ada.wait_for("verification", uuid=mallory.uuid)
    ada.unverify(mallory.uuid)
    ada.wait_delivery(sent, mallory.uuid, "withheld")
    assert mallory.requests.items == []


def test_a_second_key_under_one_uuid_never_changes_the_delivery_to_the_verified_one(
    ada: LoopbackNode, mallory: HandmadePeer, make_peer: MakePeer
) -> None:
    trust(ada, mallory)
    mallory.respond = accepts_all
    impostor = make_peer(mallory.uuid)
    impostor.respond = accepts_all
    impostor.announce("tea", name="the real one")

    def conflict() -> bool:
        user = ada.user(mallory.uuid) or {}
        return (
            bool(user["conflict"]) and user["conflict"]["fingerprint_sha256"] == impostor.fingerprint_sha256
        )

    wait_until(conflict)
    user = ada.user(mallory.uuid) or {}
    assert set(user["conflict"]) == {"fingerprint", "fingerprint_sha256", "address", "first_seen"}
    assert (user["status"], user["fingerprint_sha256"]) == ("verified", mallory.fingerprint_sha256)
    sent = ada.send("tea", "for the verified one")
    ada.wait_delivery(sent, mallory.uuid, "delivered")
    assert len(mallory.requests.items) == 1
    assert impostor.requests.items == []
    with impostor.connect(ada) as connection:
        check_forbidden(connection.post("/v1/messages", {"messages": [message("it is me")]}), "unverified")
    assert [m["content"] for m in ada.history("tea")] == ["for the verified one"]
    assert ada.seen("verification") == []


def test_only_the_user_moves_trust_to_the_other_key(
    ada: LoopbackNode, mallory: HandmadePeer, make_peer: MakePeer
) -> None:
    trust(ada, mallory)
    other = make_peer(mallory.uuid)
    other.respond = accepts_all
    other.announce("tea")
    wait_until(lambda: (ada.user(mallory.uuid) or {})["conflict"])
    ada.verify(other.uuid, other.fingerprint_sha256)
    user = ada.user(mallory.uuid) or {}
    assert (user["status"], user["fingerprint_sha256"]) == ("verified", other.fingerprint_sha256)
    with mallory.connect(ada) as connection:
        check_forbidden(connection.post("/v1/messages", {"messages": [message("x")]}), "rejected")
    sent = ada.send("tea", "hello")
    ada.wait_delivery(sent, other.uuid, "delivered")
    assert mallory.requests.items == []


def test_two_keys_of_which_none_is_verified_are_shown_as_changed(
    ada: LoopbackNode, mallory: HandmadePeer, make_peer: MakePeer
) -> None:
    know(ada, mallory)
    other = make_peer(mallory.uuid)
    other.announce("tea")
    ada.post(f"/api/users/{other.uuid}/look")
    wait_until(lambda: ada.status(mallory.uuid) == "changed")
    reply = ada.request("POST", f"/api/users/{mallory.uuid}/verify")
    assert (reply.status, reply.json["code"]) == (409, "no-single-certificate")
    ada.verify(mallory.uuid, mallory.fingerprint_sha256)
    assert ada.status(mallory.uuid) == "verified"


def test_a_no_to_an_impostor_leaves_what_waits_for_the_other_key_waiting(
    ada: LoopbackNode, mallory: HandmadePeer, make_peer: MakePeer
) -> None:
    know(ada, mallory)
    impostor = make_peer(mallory.uuid)
    impostor.announce("tea")
    ada.post(f"/api/users/{mallory.uuid}/look")
    wait_until(lambda: ada.status(mallory.uuid) == "changed")
    mallory.announce("tea")
    sent = ada.send("tea", "for the one whom I know")
    path = f"/api/users/{mallory.uuid}/verify"
    no = ada.request("DELETE", path, {"fingerprint_sha256": impostor.fingerprint_sha256})
    assert no.status < 300, no
    assert (ada.delivery(sent, mallory.uuid) or {})["state"] == "waiting"
    mallory.respond = accepts_all
    ada.verify(mallory.uuid, mallory.fingerprint_sha256)
    ada.wait_delivery(sent, mallory.uuid, "delivered")
    assert impostor.requests.items == []


def test_a_no_to_both_of_two_keys_withholds_what_waits(
    ada: LoopbackNode, mallory: HandmadePeer, make_peer: MakePeer
) -> None:
    know(ada, mallory)
    other = make_peer(mallory.uuid)
    other.announce("tea")
    ada.post(f"/api/users/{mallory.uuid}/look")
    wait_until(lambda: ada.status(mallory.uuid) == "changed")
    sent = ada.send("tea", "hello")
    path = f"/api/users/{mallory.uuid}/verify"
    states = []
    for peer in (mallory, other):
        ada.request("DELETE", path, {"fingerprint_sha256": peer.fingerprint_sha256})
        states.append((ada.delivery(sent, mallory.uuid) or {})["state"])
    assert states == ["waiting", "withheld"]


def test_nobody_takes_a_node_s_own_uuid(start_node: StartNode, make_peer: MakePeer) -> None:
    """It proves itself: version 8, made from the key."""
    ada, bob = start_node("Ada"), start_node("Bob")
    befriend(ada, bob)
    impostor = make_peer(bob.uuid)
    impostor.announce("tea")
    sent = ada.send("tea", "for Bob")
    ada.wait_delivery(sent, bob.uuid, "delivered")
    ada.post(f"/api/users/{bob.uuid}/look")
    bob.wait_message("for Bob")
    assert (ada.user(bob.uuid) or {})["conflict"] is None
    assert impostor.requests.items == []


def test_a_gate_is_opened_for_everyone_who_waits_by_one_answer(
    start_node: StartNode, mallory: HandmadePeer
) -> None:
    ada = start_node("Ada", gate_waiting_for_one_key=3)
    know(ada, mallory)
    replies: list[int] = []

    def knock(number: int) -> None:
        with mallory.connect(ada) as connection:
            replies.append(connection.post("/v1/messages", {"messages": [message(str(number))]}).status)

    threads = [threading.Thread(target=knock, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    wait_until(lambda: waits(ada) == 3)
    ada.verify(mallory.uuid)
    for thread in threads:
        thread.join(10)
    assert replies == [200, 200, 200]
    assert len(ada.seen("verification")) == 1


@pytest.mark.parametrize("decline", [False, True])
def test_forgetting_somebody_ends_their_connections(
    ada: LoopbackNode, mallory: HandmadePeer, decline: bool
) -> None:
    trust(ada, mallory)
    with mallory.connect(ada) as connection:
        assert connection.post("/v1/messages", {"messages": [message("hello")]}).status == 200
        if decline:
            ada.unverify(mallory.uuid)
        ada.delete(f"/api/users/{mallory.uuid}")
        assert connection.ended(timeout=2)

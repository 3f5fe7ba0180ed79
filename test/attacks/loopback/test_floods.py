"""Floods: each cap, while good peers are served. Slow ones: `test_slow_and_broken_connections.py`."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable

from loopback_node import LoopbackNode
from loopback_peer import HandmadePeer, know, message, trust
from slow import OURS, served, stays_open, wait_ended
from waiting import wait_until

StartNode = Callable[..., LoopbackNode]
MakePeer = Callable[..., HandmadePeer]


def test_an_idle_connection_lives_longer_than_a_request_may_take(
    start_node: StartNode, mallory: HandmadePeer
) -> None:
    ada = start_node("Ada", request_seconds=0.3, idle_seconds=30.0)
    trust(ada, mallory)
    with mallory.connect(ada) as connection:
        assert connection.post(OURS, {"messages": [message("x")]}).status == 200
        assert not connection.ended(1)
        assert connection.post(OURS, {"messages": [message("y")]}).status == 200


def test_the_time_at_the_gate_is_not_counted(start_node: StartNode, mallory: HandmadePeer) -> None:
    ada = start_node("Ada", request_seconds=0.5, gate_seconds=10.0)
    know(ada, mallory)
    with mallory.connect(ada) as connection:
        connection.sock.sendall(b"POST /v1/messages HTTP/1.1\r\nContent-Length: 15\r\n\r\n")
        asked = ada.wait_for("verification", uuid=mallory.uuid)
        started = time.monotonic()
        wait_until(lambda: time.monotonic() - started > 0.8)  # longer than a request may take
        ada.verify(mallory.uuid, asked["fingerprint_sha256"])
        connection.sock.sendall(b'{"messages":[]}')
        assert connection.reply().status == 400


def open_silently(
    node: LoopbackNode, peer: HandmadePeer, source: str, stack: contextlib.ExitStack
) -> socket.socket:
    return stack.enter_context(peer.dial(node, source))


def test_past_the_cap_of_one_address_the_newest_is_closed(
    start_node: StartNode, mallory: HandmadePeer
) -> None:
    ada = start_node("Ada", peer_connections_of_one_address=3, handshake_seconds=20.0)
    with contextlib.ExitStack() as stack:
        first = [open_silently(ada, mallory, "127.0.0.7", stack) for _ in range(3)]
        wait_ended(open_silently(ada, mallory, "127.0.0.7", stack), 5)
        assert stays_open(open_silently(ada, mallory, "127.0.0.8", stack))
        assert all(stays_open(sock) for sock in first)


def test_places_are_kept_for_friends(start_node: StartNode, make_peer: MakePeer) -> None:
    """A flood from many addresses takes the strangers' places; a verified peer still gets in."""
    ada = start_node("Ada", peer_connections=6, peer_connections_unverified=3, handshake_seconds=20.0)
    friend = make_peer(host="127.0.0.3")
    trust(ada, friend)
    sent = ada.send("tea", "so that its address is known")
    ada.wait_delivery(sent, friend.uuid, "delivered")
    with contextlib.ExitStack() as stack:
        for number in range(3):
            assert stays_open(open_silently(ada, friend, f"127.0.1.{number + 1}", stack))
        wait_ended(open_silently(ada, friend, "127.0.1.9", stack), 5)
        with friend.connect(ada, source="127.0.0.3") as connection:
            assert connection.post(OURS, {"messages": [message("x")]}).status == 200


def test_past_the_cap_of_all_even_a_friend_is_closed_and_a_place_comes_back(
    start_node: StartNode, make_peer: MakePeer
) -> None:
    ada = start_node("Ada", peer_connections=2, peer_connections_unverified=2, handshake_seconds=20.0)
    peer = make_peer()
    trust(ada, peer)
    with contextlib.ExitStack() as stack:
        one = open_silently(ada, peer, "127.0.1.1", stack)
        assert stays_open(open_silently(ada, peer, "127.0.1.2", stack))
        wait_ended(open_silently(ada, peer, "127.0.0.1", stack), 5)
        one.close()

        def gets_in() -> bool:
            with contextlib.suppress(OSError):
                return served(ada, peer)
            return False

        wait_until(gets_in)


def test_strangers_past_the_handshake_still_count_as_strangers(
    start_node: StartNode, make_peer: MakePeer
) -> None:
    ada = start_node("Ada", peer_connections_unverified=2, handshake_seconds=2.0)
    strangers = [make_peer() for _ in range(3)]
    friend = make_peer()
    for stranger in strangers:
        know(ada, stranger)
    trust(ada, friend)
    with contextlib.ExitStack() as stack:
        for stranger in strangers[:2]:
            connection = stack.enter_context(stranger.connect(ada))
            connection.send(OURS, {"messages": [message("x")]})
            ada.wait_for("verification", uuid=stranger.uuid)
        wait_ended(stack.enter_context(strangers[2].dial(ada)), 5)
        ada.verify(strangers[0].uuid)  # a friend now: the stranger's place is free
        wait_until(lambda: stays_open(stack.enter_context(friend.dial(ada))))
        ada.unverify(strangers[1].uuid)


def test_strangers_remembered_of_one_address_are_bounded(start_node: StartNode, make_peer: MakePeer) -> None:
    ada = start_node("Ada", unverified_keys_of_one_address=3, look_again_seconds=30.0)
    ada.join("tea")
    peers = [make_peer() for _ in range(5)]
    for peer in peers:
        know(ada, peer)

    def known() -> list[str]:
        return [user["uuid"] for user in ada.get("/api/users")["users"] if user["fingerprint"]]

    wait_until(lambda: len(known()) == 3)
    assert peers[-1].uuid in known()


def test_strangers_remembered_are_bounded_and_the_pending_stay(
    start_node: StartNode, make_peer: MakePeer
) -> None:
    ada = start_node("Ada", unverified_keys=3, look_again_seconds=30.0)
    ada.join("tea")
    peers = [make_peer(host=f"127.0.0.{number + 10}") for number in range(5)]
    know(ada, peers[0])
    ada.post(f"/api/users/{peers[0].uuid}/look")
    ada.wait_for("verification", uuid=peers[0].uuid)
    for peer in peers[1:]:
        know(ada, peer)

    def known() -> set[str]:
        return {user["uuid"] for user in ada.get("/api/users")["users"] if user["fingerprint"]}

    wait_until(lambda: len(known()) == 3)
    assert {peers[0].uuid, peers[4].uuid} <= known()

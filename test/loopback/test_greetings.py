"""Presence and rooms over the authenticated connection, where there is no multicast at all."""

from __future__ import annotations

import time

import pytest
from greeting_nodes import GREETS, StartNode, introduce
from loopback_network import FakeNetwork
from loopback_node import LoopbackNode
from waiting import wait_until

from cryptochat_lib.whereabouts import Reach


@pytest.fixture(autouse=True)
def _no_multicast(network: FakeNetwork) -> None:
    network.cut()


def reach(one: LoopbackNode, other: LoopbackNode) -> Reach:
    where = one.app.presence.of(other.uuid)
    return Reach.AWAY if where is None else where.reach


def test_rooms_names_and_messages_pass_as_on_one_lan(start_node: StartNode) -> None:
    ada, bob = start_node("Ada", **GREETS), start_node("Bob", **GREETS)
    ada.join("tea")
    introduce(ada, bob)
    bob.wait_member("tea", ada.uuid, 2.5, username="Ada", online=True)
    began = time.monotonic()
    bob.join("tea")
    ada.wait_member("tea", bob.uuid, 2)
    assert time.monotonic() - began < 2
    ada.send("tea", "hello")
    bob.wait_message("hello")
    assert reach(ada, bob) is reach(bob, ada) is Reach.REACHABLE
    bob.leave("tea")
    wait_until(lambda: bob.uuid not in ada.members("tea"), 2)
    bob.put("/api/info", {"username": "Bobby"})
    wait_until(lambda: (ada.user(bob.uuid) or {})["username"] == "Bobby", 2)
    exchange = ada.app.greetings.last(bob.uuid)
    assert exchange is not None
    assert abs(exchange.offset_seconds) < 1
    assert not exchange.heard_us
    assert exchange.reach_us == "answered"


def test_who_ends_is_seen_to_be_away_at_once_and_is_found_again(start_node: StartNode) -> None:
    ada, bob = (start_node(name, **GREETS, greet_seconds=0.5) for name in ("Ada", "Bob"))
    for node in (ada, bob):
        node.join("tea")
    introduce(ada, bob)
    ada.wait_member("tea", bob.uuid, online=True)
    began = time.monotonic()
    bob.stop()
    ended = time.monotonic() - began
    wait_until(lambda: reach(ada, bob) is Reach.AWAY, 0.5)
    assert ended < 3
    assert bob.uuid in ada.members("tea")  # away, not gone
    bob.start()
    ada.wait_member("tea", bob.uuid, 4, online=True)

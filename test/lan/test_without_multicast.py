"""Where mDNS does not get through, people add each other by contact code, and all else is as on one LAN.

Networks as they are: a switch that lets no multicast through, and two subnets with a router between
them. In each, codes are exchanged once, as on paper; from then on rooms, messages, joining, leaving
and going away are seen as between neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import pytest
from friends import forget_port
from lab import Lan
from nodes import Node
from waiting import wait_until

SOON = 10.0
NOTICED = 15.0  # asked at most every 5 s; an address of another family may be silent until 5 s are over
AT_ONCE = 2.0  # joining and leaving, as on one LAN
ROOM = "across"


def exchange_codes(*nodes: Node) -> None:
    """Each enters everybody else's code, and has verified them by that."""
    codes = [(node.uuid, node.get("/api/code")["code"]) for node in nodes]
    for node in nodes:
        for uuid, code in codes:
            if uuid != node.uuid:
                node.post("/api/contacts", {"code": code})
    for node in nodes:
        others = [uuid for uuid, _ in codes if uuid != node.uuid]
        wait_until(partial(has_verified, node, others), SOON, f"not verified: {node.get('/api/contacts')}")


def has_verified(node: Node, uuids: list[str]) -> bool:
    return all(node.status(uuid) == "verified" for uuid in uuids)


@pytest.fixture(scope="module", params=["multicast filtered", "two subnets"])
def apart(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Node]]:
    """Ada, Bob and Carol, who cannot hear each other's mDNS, and have exchanged codes two by two."""
    folder = tmp_path_factory.mktemp("apart")
    with Lan(hosts=4, cables=3) as lan, ExitStack() as stack:
        *hosts, router = lan.hosts
        if request.param == "two subnets":
            lan.put_behind(router, hosts[1], cable=1)
            lan.put_behind(router, hosts[2], cable=2)
        else:
            lan.filter_multicast()
        nodes = [
            stack.enter_context(Node(host, folder / f"{name}.db", username=name))
            for name, host in zip(("Ada", "Bob", "Carol"), hosts, strict=True)
        ]
        exchange_codes(*nodes)
        for node in nodes:
            node.join(ROOM)
        yield nodes


def test_who_has_exchanged_codes_is_shown_with_name_and_rooms(apart: list[Node]) -> None:
    ada, bob, _ = apart
    ada.wait_member(ROOM, bob.uuid, SOON, online=True, status="verified")
    user = ada.user(bob.uuid)
    assert user is not None
    assert (user["username"], user["reachability"]) == ("Bob", "reachable")


def test_messages_go_both_ways(apart: list[Node]) -> None:
    ada, bob, _ = apart
    for one, other in ((ada, bob), (bob, ada)):
        one.wait_member(ROOM, other.uuid, SOON)
        message = one.send(ROOM, f"from {one.uuid}")
        assert other.wait_message(f"from {one.uuid}")["method"] == "code"
        one.wait_delivery(message, other.uuid, "delivered")


def test_joining_and_leaving_show_within_2_s(apart: list[Node]) -> None:
    ada, bob, _ = apart
    bob.join("only for a moment")
    ada.wait_member("only for a moment", bob.uuid, AT_ONCE)
    bob.leave("only for a moment")
    wait_until(lambda: bob.uuid not in ada.members("only for a moment"), AT_ONCE)
    assert bob.uuid in ada.members(ROOM)


def test_who_ends_is_away_at_once_and_who_starts_again_is_back_with_what_was_said(apart: list[Node]) -> None:
    ada, bob, _ = apart
    ada.wait_member(ROOM, bob.uuid, SOON, online=True)
    bob.stop()
    ada.wait_member(ROOM, bob.uuid, AT_ONCE, online=False)
    message = ada.send(ROOM, "while you were away")
    forget_port(bob)
    bob.start()  # on another port: only its own greeting can say where it is now
    bob.wait_message("while you were away")
    ada.wait_delivery(message, bob.uuid, "delivered")
    ada.wait_member(ROOM, bob.uuid, SOON, online=True)


def test_who_is_killed_is_found_to_be_away(apart: list[Node]) -> None:
    """What he has said came over a connection of his, whose end is a reason to ask."""
    ada, bob, _ = apart
    bob.wait_member(ROOM, ada.uuid, SOON, online=True)
    bob.wait_delivery(bob.send(ROOM, "here I am"), ada.uuid, "delivered")
    bob.kill()
    ada.wait_member(ROOM, bob.uuid, NOTICED, online=False)
    bob.start()
    ada.wait_member(ROOM, bob.uuid, SOON, online=True)


def test_who_both_start_again_find_each_other_where_they_were(apart: list[Node]) -> None:
    """Nobody has seen the other since: each is where it was, also when killed."""
    ada, bob, carol = apart
    carol.stop()  # who could help
    ada.kill()
    bob.kill()
    ada.start()
    bob.start()
    ada.wait_member(ROOM, bob.uuid, SOON, online=True)
    message = ada.send(ROOM, "here again")
    bob.wait_message("here again")
    ada.wait_delivery(message, bob.uuid, "delivered")
    carol.start()


def test_two_who_share_a_room_learn_each_others_new_address_through_a_third(apart: list[Node]) -> None:
    """Ada and Carol both move while neither sees the other; Bob, whom both find, has their records."""
    ada, bob, carol = apart
    for one, other in ((ada, carol), (carol, ada), (ada, bob), (carol, bob)):
        one.wait_member(ROOM, other.uuid, SOON, online=True)
    ada.stop()
    carol.stop()
    for node in (ada, carol):
        forget_port(node)
    ada.start()
    ada.wait_member(ROOM, bob.uuid, SOON, online=True)
    carol.start()
    ada.wait_member(ROOM, carol.uuid, SOON, online=True)
    message = ada.send(ROOM, "found you")
    carol.wait_message("found you")
    ada.wait_delivery(message, carol.uuid, "delivered")

"""Who is away gets what was said meanwhile, once, in order, and soon; who left the room does not.

One evening, told by several tests. Ada says a few things and falls silent, so that no new message
of hers makes anybody try again. Bob is killed, and starts again on another port; Carol's cable is
out for a while; Dave's machine sleeps; Eve comes back with another address; Frank's program is
frozen for 30 s; Grace has left the room. Heidi stays.

All machines have one clock here, so the times in the histories say how long each message took.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from friends import befriend
from histories import check_database, whole_history
from lab import Lan
from nodes import Node
from ui_client import Data
from waiting import wait_until

ROOM = "the evening"
NAMES = ("Ada", "Bob", "Carol", "Dave", "Eve", "Frank", "Grace", "Heidi")
SAID = [f"Ada {number}" for number in range(12)]
FROZEN_SECONDS = 30.0
AWAY_SECONDS = 15.0
AT_ONCE = 1.0
BACK_WITHIN = 3.0
NOTICES_WITHIN = 5.0  # a program looks at its machine's addresses every 5 s


@dataclass
class Evening:
    """What happened. Times are those of the one clock, in seconds."""

    ada: str
    histories: dict[str, list[Data]] = field(default_factory=dict)
    back: dict[str, float] = field(default_factory=dict)
    noticed: float = 0.0  # when Eve's program saw her new address
    reasons: dict[str, tuple[str | None, bool]] = field(default_factory=dict)

    def arrived(self, name: str) -> dict[str, float]:
        """When each of Ada's messages was stored at `name`, in the order of the history there."""
        own = [one for one in self.histories[name] if one["sender"]["uuid"] == self.ada]
        assert len({one["content"] for one in own}) == len(own), f"{name} has some twice"
        return {one["content"]: _at(one) for one in own}

    def late(self, name: str) -> float:
        """How long after `name` was back the last that had been said meanwhile was there."""
        return max(self.arrived(name).values()) - self.back[name]


def _at(message: Data) -> float:
    return datetime.fromisoformat(message["time"].replace("Z", "+00:00")).timestamp()


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    folder = tmp_path_factory.mktemp("evening")
    with Lan(hosts=len(NAMES)) as lan, ExitStack() as stack:
        nodes = {
            name: stack.enter_context(Node(host, folder / f"{name}.db", username=name))
            for name, host in zip(NAMES, lan.hosts, strict=True)
        }
        for name in NAMES[1:]:
            befriend(nodes["Ada"], nodes[name], ROOM)
        yield _spend(lan, nodes)
        for node in nodes.values():
            node.stop()
            check_database(node.database)


def _spend(lan: Lan, nodes: dict[str, Node]) -> Evening:
    ada, bob, carol, dave, eve, frank, grace, _ = nodes.values()
    evening = Evening(ada.uuid)
    never = threading.Event()
    first = ada.send(ROOM, SAID[0])  # so that there are open connections, which is the harder case
    for node in (bob, carol, dave, eve, frank, grace):
        ada.wait_delivery(first, node.uuid, "delivered")
    grace.leave(ROOM)
    wait_until(lambda: grace.uuid not in ada.members(ROOM), 5)

    for node in (frank, dave):
        node.stop_listening()  # a frozen program says nothing to its page either
    frank.freeze()
    frozen = time.monotonic()
    bob.kill()
    dave.freeze()
    for node in (carol, dave, eve):
        lan.cut(node.host)
    for content in SAID[1:]:
        last = ada.send(ROOM, content)
        never.wait(0.1)
    never.wait(AWAY_SECONDS)
    for name in ("Bob", "Carol", "Dave", "Eve", "Frank"):
        delivery = ada.delivery(last, nodes[name].uuid)
        evening.reasons[name] = (delivery["reason"], ada.members(ROOM)[nodes[name].uuid]["online"])

    bob.start()
    evening.back["Bob"] = time.time()
    dave.thaw()
    dave.listen()
    lan.move(eve.host, 99)
    for name in ("Carol", "Dave", "Eve"):
        lan.mend(nodes[name].host)
        evening.back[name] = time.time()
    eve.stderr.wait_for(lambda line: "Looking for peers on" in line and eve.host.address in line)
    evening.noticed = time.time()
    never.wait(frozen + FROZEN_SECONDS - time.monotonic())
    frank.thaw()
    frank.listen()
    evening.back["Frank"] = time.time()
    for name in ("Bob", "Carol", "Dave", "Eve", "Frank", "Heidi"):
        ada.wait_delivery(last, nodes[name].uuid, "delivered", timeout=30)
    evening.histories = {name: whole_history(node, ROOM) for name, node in nodes.items()}
    late = {name: f"{evening.late(name):.2f}" for name in evening.back}
    noticing = f"{evening.noticed - evening.back['Eve']:.2f}"
    print(f"seconds from coming back to having everything: {late}; to Eve's noticing: {noticing}")
    return evening


@pytest.mark.parametrize("name", ["Bob", "Carol", "Dave", "Eve", "Frank", "Heidi"])
def test_everybody_who_is_a_member_has_everything_once_and_in_order(evening: Evening, name: str) -> None:
    assert list(evening.arrived(name)) == SAID


@pytest.mark.parametrize("name", ["Bob", "Carol", "Dave", "Frank"])
def test_what_was_said_meanwhile_is_there_soon_after_somebody_is_back(evening: Evening, name: str) -> None:
    assert evening.late(name) < BACK_WITHIN


def test_who_comes_back_with_another_address_has_it_soon_after_noticing(evening: Evening) -> None:
    """The old address is dead, and may just be being dialed; that takes nothing from the new one."""
    assert max(evening.arrived("Eve").values()) - evening.noticed < BACK_WITHIN
    assert evening.late("Eve") < NOTICES_WITHIN + BACK_WITHIN


def test_whoever_is_away_or_frozen_delays_nobody(evening: Evening) -> None:
    said, heard = evening.arrived("Ada"), evening.arrived("Heidi")
    assert max(heard[content] - said[content] for content in SAID) < AT_ONCE


def test_who_left_the_room_gets_nothing_that_was_said_after(evening: Evening) -> None:
    assert list(evening.arrived("Grace")) == SAID[:1]


@pytest.mark.parametrize(
    ("name", "reasons", "online"),
    [
        ("Bob", {"asleep or off the network"}, False),
        ("Carol", {"asleep or off the network", "the connection was lost before the answer"}, None),
        ("Frank", {None}, True),
    ],
)
def test_while_it_waits_ada_can_read_why(
    evening: Evening, name: str, reasons: set[str | None], online: bool | None
) -> None:
    """Frank's machine is there: a slow program is not away. Carol's is not."""
    reason, seen = evening.reasons[name]
    assert reason in reasons
    assert online is None or seen is online

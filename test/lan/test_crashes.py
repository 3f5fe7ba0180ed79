"""Nothing that was accepted is lost, nothing comes twice or out of order, whatever crashes.

Three nodes talk all the time. One at random is killed every few seconds, as by a power
cut, and restarted; cables are pulled out and muted. In the end everything is mended, and
every message that was answered with 202 has to be everywhere, once, in its sender's order.

    python3 tools/test.py test/lan/test_crashes.py --crash-seconds 3600 --crash-seed 7

runs it for longer. The seed decides whom it hits and when, not how the machines take it.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from friends import StartNode, befriend
from histories import check_database, check_same_history
from lab import Host, Lan
from nodes import Node
from resuming import Resuming
from talker import Talker
from ui_client import Data
from waiting import wait_until

MESSAGES_PER_SECOND = 20
KILL_EVERY = (2.0, 5.0)
DEAD_FOR = (0.0, 1.5)
BREAK_EVERY = (1.0, 4.0)
BROKEN_FOR = (0.3, 3.0)
ALL_DELIVERED_WITHIN = 60.0


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The time that the command line gives it, and the patience that goes with it."""
    if "seconds" in metafunc.fixturenames:
        seconds = metafunc.config.getoption("crash_seconds")
        patience = pytest.mark.timeout(2 * seconds + 180)
        metafunc.parametrize("seconds", [pytest.param(seconds, marks=patience)])


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    given: int | None = request.config.getoption("crash_seed")
    return random.SystemRandom().randrange(10**6) if given is None else given


@dataclass
class Mishaps:
    """What happens to the machines, until `run` ends: then all is mended and everybody is up."""

    lan: Lan
    nodes: Sequence[Node]
    chance: random.Random
    kills: int = 0
    cuts: int = 0
    mutes: int = 0
    broken: dict[Host, float] = field(default_factory=dict)

    def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        kill_at, break_at = self._soon(KILL_EVERY), self._soon(BREAK_EVERY)
        never = threading.Event()
        while (now := time.monotonic()) < end:
            if now >= kill_at:
                self._kill()
                kill_at = self._soon(KILL_EVERY)
            if now >= break_at:
                self._break()
                break_at = self._soon(BREAK_EVERY)
            for host in [host for host, until in self.broken.items() if now >= until]:
                self._mend(host)
            due = min([kill_at, break_at, end, *self.broken.values()])
            never.wait(max(0.0, due - time.monotonic()))
        for host in list(self.broken):
            self._mend(host)

    def _soon(self, span: tuple[float, float]) -> float:
        return time.monotonic() + self.chance.uniform(*span)

    def _kill(self) -> None:
        node = self.chance.choice(self.nodes)
        node.kill()
        self.kills += 1
        threading.Event().wait(self.chance.uniform(*DEAD_FOR))
        node.start()

    def _break(self) -> None:
        host = self.chance.choice(self.lan.hosts)
        if self.chance.random() < 0.5:
            self.lan.cut(host)
            self.cuts += 1
        else:
            self.lan.mute(host)
            self.mutes += 1
        self.broken[host] = self._soon(BROKEN_FOR)

    def _mend(self, host: Host) -> None:
        del self.broken[host]
        self.lan.mend(host)


def test_whatever_crashes_every_accepted_message_is_everywhere_once_and_in_order(
    seconds: float, seed: int, start_node: StartNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    room = "never lost"
    with Lan(hosts=3) as lan:
        names = ("Ada", "Bob", "Carol")
        nodes = [start_node(host, name) for host, name in zip(lan.hosts, names, strict=True)]
        ada, bob, carol = nodes
        for one, other in ((ada, bob), (ada, carol), (bob, carol)):
            befriend(one, other, room)
        mishaps = Mishaps(lan, nodes, random.Random(seed))
        with Resuming(ada) as page:
            with ExitStack() as stack:
                talkers = [
                    stack.enter_context(Talker(node, room, name, MESSAGES_PER_SECOND))
                    for node, name in zip(nodes, names, strict=True)
                ]
                mishaps.run(seconds)
            ended = time.monotonic()
            for node in nodes:
                _wait_all_delivered(node, room)
            took = time.monotonic() - ended
            histories = check_same_history(nodes, room)
            newest = histories[ada.uuid][-1]["id"]
            page.events.wait_for(lambda event: event.kind == "messages" and event.data["id"] == newest)
        _check_talkers(talkers, nodes, histories)
        seen = [event.data["id"] for event in page.events.items if event.kind == "messages"]
        assert seen == [message["id"] for message in histories[ada.uuid]], "the page's events"
        for node in nodes:
            node.stop()
            check_database(node.database)
    accepted, unsure = (sum(len(getattr(one, what)) for one in talkers) for what in ("accepted", "unsure"))
    with capsys.disabled():
        print(
            f"\ncrashes: seed {seed}, {seconds:g} s: {accepted} messages accepted, {unsure} cut before the"
            f" answer; {mishaps.kills} kills, {mishaps.cuts} cuts, {mishaps.mutes} mutes;"
            f" the page resumed {page.resumed} times; all delivered {took:.1f} s after the end"
        )


def _wait_all_delivered(node: Node, room: str) -> None:
    try:
        wait_until(lambda: not _newest_that_waits(node, room), ALL_DELIVERED_WITHIN)
    except TimeoutError:
        pytest.fail(f"{node.database.name}: these still wait: {_newest_that_waits(node, room)[:4]}")


def _newest_that_waits(node: Node, room: str) -> list[Data]:
    """Of the newest page. What is older went before it: a queue keeps its order."""
    return [
        one
        for message in node.history(room)
        for one in message["deliveries"] or ()
        if one["state"] == "waiting"
    ]


def _check_talkers(
    talkers: Sequence[Talker], nodes: Sequence[Node], histories: dict[str, list[Data]]
) -> None:
    """The sender's own history has what was accepted, in the order in which it was said."""
    for talker, node in zip(talkers, nodes, strict=True):
        assert talker.refused == []
        own = [message["content"] for message in histories[node.uuid] if message["own"]]
        unsure = set(talker.unsure)
        assert [content for content in own if content not in unsure] == talker.accepted
        numbers = [int(content.rpartition(" ")[2]) for content in own]
        assert numbers == sorted(numbers), "stored in another order than it was said"

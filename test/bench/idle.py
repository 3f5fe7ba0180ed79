"""What a node costs while nothing happens: in a room of 32, and among 250 peers that are announced.

In the room everybody has written once, so every node has its connection to every other.
Then nobody does anything for a minute: processor time by the kernel's account (user and
system, proc(5)), in percent of one core; resident memory at the end. A sample is a node.

The 250 are announced by raw packets from addresses of their own, in a room that the node is
in, each with a TLS server to look at (`crowd`): first what it costs to learn them all, then
what they cost while they stay.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench_node import BenchNode
from community import Community
from figures import Figure, Report
from lab import Host, Lan
from programs import running
from scale import Setting
from waiting import wait_until

NAME = "idle"
TARGET = 0.2
_ROOM = "tea"
_CROWD = Path(__file__).with_name("crowd.py")
_LEARNT_WITHIN = 300.0  # a safety number each, which is slow on purpose
_MACHINES = 254


def run(setting: Setting, report: Report) -> None:
    _room(setting, report)
    _among_strangers(setting, report)


def _room(setting: Setting, report: Report) -> None:
    scale = setting.scale
    with (
        Lan(hosts=scale.idle_members) as lan,
        Community(
            setting.people,
            setting.folder,
            lan.hosts,
            {_ROOM: range(scale.idle_members)},
            launch=setting.launch,
        ) as nodes,
    ):
        sent = [(node, node.send(_ROOM, "hello")) for node in nodes]
        for node, message in sent:
            wait_until(lambda: _delivered(node, message["id"]), 60, "not everybody has got it")  # noqa: B023
        time.sleep(scale.idle_settle_seconds)
        cpu = _idle_percent(nodes, scale.idle_seconds)
        where = f"in a room of {scale.idle_members}"
        idle = report.add(Figure(NAME, f"processor, {where}", "% of a core", (cpu,), series="processor"))
        memory = [node.resident_mib() for node in nodes]
        report.add(Figure(NAME, f"resident memory, {where}", "MiB", (memory,), series="memory"))
        report.hold(f"processor, {where}", idle, TARGET)


def _among_strangers(setting: Setting, report: Report) -> None:
    scale = setting.scale
    with (
        Lan(hosts=2) as lan,
        Community(
            setting.people, setting.folder, lan.hosts[:1], {_ROOM: [0]}, launch=setting.launch
        ) as nodes,
    ):
        time.sleep(scale.idle_settle_seconds)
        alone = nodes[0].resident_mib()
        before = nodes[0].cpu_seconds()
        with crowd(lan.hosts[1], _ROOM, scale.announced_peers):
            wait_looked_at(nodes[0], scale.announced_peers)
            learning = nodes[0].cpu_seconds() - before
            time.sleep(scale.idle_settle_seconds)
            cpu = _idle_percent(nodes, scale.idle_seconds)
            memory = nodes[0].resident_mib()
    where = f"among {scale.announced_peers} announced peers"

    def add(name: str, unit: str, value: float, series: str = "") -> Figure:
        return report.add(Figure(NAME, name, unit, ((value,),), series=series))

    add("resident memory, alone", "MiB", alone, "memory")
    add(f"resident memory, {where}", "MiB", memory, "memory")
    add(f"processor, {where}", "% of a core", cpu[0], "processor")
    add(f"processor, to learn {scale.announced_peers} announced peers", "s", learning)


def _idle_percent(nodes: Sequence[BenchNode], seconds: float) -> list[float]:
    """For each node, while nothing is asked of it: measured, not waited for."""
    before = [(time.monotonic(), node.cpu_seconds()) for node in nodes]
    time.sleep(seconds)
    return [
        100 * (node.cpu_seconds() - used) / (time.monotonic() - began)
        for node, (began, used) in zip(nodes, before, strict=True)
    ]


def _delivered(node: BenchNode, message: str) -> bool:
    stored = next(one for one in node.history(_ROOM) if one["id"] == message)
    return all(delivery["state"] == "delivered" for delivery in stored["deliveries"])


def wait_looked_at(node: BenchNode, count: int) -> None:
    """Until the node has the certificates of so many."""

    def looked_at() -> list[str]:
        users = node.get("/api/users")["users"]
        return [user["uuid"] for user in users if user["fingerprint_sha256"] is not None]

    try:
        wait_until(lambda: len(looked_at()) == count, _LEARNT_WITHIN)
    except TimeoutError:
        raise TimeoutError(f"{len(looked_at())} of {count} announced peers were looked at") from None


@contextmanager
def crowd(machine: Host, rooms: str, count: int) -> Iterator[None]:
    """`count` peers on `machine`, each with an address of its own on the cable."""
    network = machine.address.rpartition(".")[0]
    addresses = [f"{network}.{number}" for number in range(_MACHINES, _MACHINES - count, -1)]
    for address in addresses:
        machine.ip("address", "add", f"{address}/24", "dev", "eth0")
    with running(machine, sys.executable, _CROWD, machine.address, rooms, *addresses):
        yield

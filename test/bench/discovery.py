"""What it costs to be among peers: packets and processor a minute with 2 to 128 of them on the link.

For each number there is a network of its own: the node that is measured, and so many peers in a
room that the node is in and in one that it is not. The node comes last: first what it costs to
learn them all, then what they cost while they stay. Three kinds of peers:

    announced   by raw packets (`crowd`): answered, looked at, and cheap enough for 128 of them
    asking      each on a machine of its own, with the program's own discovery (`announcers`):
                they ask each other too, so these show what the whole link carries
    verified    whole nodes that have all verified each other and share the room

All that multicast says reaches everybody, so N who ask cost this machine N times N packets'
handling: more than 32 on two cores miss packets, ask again, and never come to rest. That would
be the laboratory's load; the 128 of a real network have a processor each. How many packets were
missed is said: if more than a few, the machine had something else to do, and `asking` means little.

At rest, all networks are measured in the same minutes: nothing here is a matter of speed.
Discovery asks whoever was quiet for 90 s, so a window has two such rounds, or three. In a
quick run silence is borne for 24 s instead of 120, and what belongs to a minute of ordinary
time is a fifth of what a minute then has.

Whatever is added up here may grow as the number of peers does, and no faster. What does not
depend on them only makes it grow more slowly; chance, a round more or less in the window, is
why half as much again is still met.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from bench_node import BenchNode
from community import Community
from figures import Figure, Report
from idle import crowd, wait_looked_at
from lab import Host, Lan
from programs import running
from scale import Setting
from traffic import Traffic, lost_by, sent_by, traffic
from waiting import wait_until

NAME = "discovery"
_ROOM, _ELSEWHERE = "tea", "elsewhere"
_ANNOUNCERS = Path(__file__).with_name("announcers.py")
_USUAL_SILENCE = 120.0
_CHANCE = 1.5
_GROWING = ("packets received", "packets sent", "bytes", "processor", "packets on the whole link")


@dataclass(frozen=True)
class _Sample:
    """One moment of one network."""

    at: float
    cpu: float
    node: Traffic
    link: int
    lost: int


@dataclass(frozen=True)
class _Network:
    """`kind`: what the peers are to the node, of which there are `peers`."""

    kind: str
    peers: int
    node: BenchNode
    hosts: list[Host]

    def sample(self) -> _Sample:
        return _Sample(
            time.monotonic(),
            self.node.cpu_seconds(),
            traffic(self.node.machine),
            sent_by(self.hosts),
            lost_by(self.hosts),
        )


def run(setting: Setting, report: Report) -> None:
    scale = setting.scale
    limits = {**(setting.launch.limits or {}), "silence_seconds": scale.discovery_silence_seconds}
    setting = replace(setting, launch=replace(setting.launch, limits=limits))
    with ExitStack() as ends:
        networks = [
            _announced(setting, report, ends, kind, peers)
            for kind, numbers in (("announced", scale.discovery_peers), ("asking", scale.discovery_asking))
            for peers in numbers
        ]
        networks += [_verified(setting, ends, peers) for peers in scale.discovery_verified]
        time.sleep(scale.idle_settle_seconds)
        before = [network.sample() for network in networks]
        time.sleep(scale.discovery_seconds)
        after = [network.sample() for network in networks]
    lapse = scale.discovery_silence_seconds / _USUAL_SILENCE
    for network, began, ended in zip(networks, before, after, strict=True):
        _add(report, network, began, ended, lapse)
    _judge(report)


def _announced(setting: Setting, report: Report, ends: ExitStack, kind: str, peers: int) -> _Network:
    scale = setting.scale
    lan = ends.enter_context(Lan(hosts=1 + (peers if kind == "asking" else 1)))
    own, *others = lan.hosts
    rooms = f"{_ROOM},{_ELSEWHERE}"
    if kind == "asking":
        paths = [f"/run/netns/{other.name}" for other in others]
        silence = str(scale.discovery_silence_seconds)
        ends.enter_context(running(own, sys.executable, _ANNOUNCERS, silence, rooms, *paths))
    else:
        ends.enter_context(crowd(others[0], rooms, peers))
    _wait_quiet(others, peers)
    before = traffic(own)
    (node,) = ends.enter_context(
        Community(setting.people, setting.folder, [own], {_ROOM: [0]}, launch=setting.launch)
    )
    alone = node.cpu_seconds()
    wait_looked_at(node, peers)
    learnt = traffic(own) - before

    def add(name: str, unit: str, value: float) -> None:
        report.add(Figure(NAME, f"to learn {peers} {kind}: {name}", unit, ((value,),)))

    add("processor", "s", node.cpu_seconds() - alone)
    add("packets, both ways", "packets", learnt.received + learnt.sent)
    return _Network(kind, peers, node, lan.hosts)


def _wait_quiet(machines: list[Host], peers: int) -> None:
    """Until those who have just come have told each other everything."""

    def is_quiet() -> bool:
        before = sent_by(machines)
        time.sleep(2)
        return sent_by(machines) - before <= peers

    wait_until(is_quiet, 120, "the announced peers do not come to rest")


def _verified(setting: Setting, ends: ExitStack, peers: int) -> _Network:
    lan = ends.enter_context(Lan(hosts=1 + peers))
    nodes = ends.enter_context(
        Community(setting.people, setting.folder, lan.hosts, {_ROOM: range(1 + peers)}, launch=setting.launch)
    )
    return _Network("verified", peers, nodes[0], lan.hosts)


def _add(report: Report, network: _Network, before: _Sample, after: _Sample, lapse: float) -> None:
    """`lapse`: how much of ordinary time's minute a minute of this run is."""
    minutes = (after.at - before.at) / 60 / lapse
    used = after.node - before.node

    def add(name: str, unit: str, amount: float) -> None:
        full = f"{name}, {network.peers} {network.kind}"
        series = f"{name}, {network.kind}"
        report.add(Figure(NAME, full, unit, ((amount / minutes,),), series=series, at=network.peers))

    add("packets received", "a minute", used.received)
    add("packets sent", "a minute", used.sent)
    add("multicast packets of these", "a minute", used.multicast)
    add("bytes", "KiB a minute", used.bytes_both_ways / 1024)
    add("processor", "ms a minute", 1000 * (after.cpu - before.cpu))
    add("packets on the whole link", "a minute", after.link - before.link)
    if network.kind == "asking":
        add("packets that came while a machine was too busy", "lost a minute", after.lost - before.lost)


def _judge(report: Report) -> None:
    """Against the smallest network of the same kind: as the number of peers, and chance."""
    for kind in ("announced", "asking", "verified"):
        for name in _GROWING:
            base, *others = _of(report, f"{name}, {kind}")
            for figure in others:
                peers, fewest = figure.at or 0, base.at or 1
                growth = f"{name}, {peers:.0f} {kind} / {fewest:.0f}"
                report.compare(growth, figure, base, _CHANCE * peers / fewest)


def _of(report: Report, series: str) -> list[Figure]:
    """From the fewest peers to the most."""
    return [figure for figure in report.figures if figure.benchmark == NAME and figure.series == series]

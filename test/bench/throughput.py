"""Messages a second at the receiver, with 1, 4 and 16 senders at one node.

Each sender is a kept-alive connection that posts one message after another. The clock runs
from the first POST until the last event has come at the other node's stream; every message
has to come there once. Three programs take turns with the same client on the same machine:

    CryptoChat                   as it is
    without sharing              the same, a request for each message and a commit for each write
    a bare http.server           stores each body with a shared commit, and does nothing else: no peer,
                                 no token, no JSON; counted at its answers
"""

from __future__ import annotations

import dataclasses
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench_node import Launch, around_mark
from community import Community
from figures import Figure, Report
from lab import Lan, Namespace
from load import Load
from programs import running
from scale import Setting

NAME = "throughput"
TARGET, STRETCH, OF_BARE = 1600.0, 3500.0, 0.5
UNSHARED = {"batch_messages": 1, "writes_in_one_commit": 1}
_ROOM = "tea"
_BARE = Path(__file__).with_name("bare_server.py")
_WARM_MESSAGES = 100


@dataclass
class Candidate:
    """One program under load. `stream`: which of the client's streams shows what has arrived."""

    name: str
    load: Load
    message: dict[str, str]
    count: int
    stream: int | None

    def rate(self, senders: int, count: int) -> float:
        took = self.load.order(
            "flood", connections=list(range(senders)), count=count, stream=self.stream, **self.message
        )
        return float(took["count"] / took["seconds"])


def run(setting: Setting, report: Report) -> None:
    with Lan(hosts=2) as lan, ExitStack() as stack:
        scale = setting.scale
        candidates = [
            _chat(stack, setting, lan, setting.launch, "CryptoChat", scale.flood_messages, 0),
            _chat(
                stack,
                setting,
                lan,
                dataclasses.replace(setting.launch, limits=UNSHARED),
                "without sharing",
                scale.flood_messages_unbatched,
                2,
            ),
            _bare(stack, setting, lan.hosts[0]),
        ]
        _measure(setting, report, candidates)


def _measure(setting: Setting, report: Report, candidates: list[Candidate]) -> None:
    scale = setting.scale
    for candidate in candidates:
        candidate.rate(max(scale.flood_senders), min(_WARM_MESSAGES, candidate.count))
    for senders in scale.flood_senders:
        rates: dict[str, list[list[float]]] = {candidate.name: [] for candidate in candidates}
        for _ in range(scale.flood_rounds):
            for candidate in candidates:
                rates[candidate.name].append([candidate.rate(senders, candidate.count)])
        word = "sender" if senders == 1 else "senders"
        found = [
            report.add(
                Figure(NAME, f"{name}, {senders} {word}", "messages/s", rounds, series=name, at=senders)
            )
            for name, rounds in rates.items()
        ]
        ours, _, bare = found
        report.hold(f"{senders} {word}", ours, TARGET, at_most=False)
        report.compare(f"{senders} {word} / bare http.server", ours, bare, OF_BARE, at_most=False)
        if senders == max(scale.flood_senders):
            report.hold(f"{senders} {word}, stretch", ours, STRETCH, at_most=False, stretch=True)


def _chat(
    stack: ExitStack, setting: Setting, lan: Lan, launch: Launch, name: str, count: int, first: int
) -> Candidate:
    """Two nodes of their own, in a room of their own: the candidates share only the machine."""
    community = Community(
        setting.people, setting.folder, lan.hosts, {name: range(2)}, launch=launch, first=first
    )
    ada, bob = stack.enter_context(community)
    senders = [ada.connect() for _ in range(max(setting.scale.flood_senders))]
    load = stack.enter_context(Load(senders, streams=[bob.stream()]))
    return Candidate(name, load, ada.message(name), count, 0)


def _bare(stack: ExitStack, setting: Setting, machine: Namespace) -> Candidate:
    port = int(stack.enter_context(running(machine, sys.executable, _BARE, setting.folder / "bare.db")))
    senders = [machine.connect(port) for _ in range(max(setting.scale.flood_senders))]
    load = stack.enter_context(Load(senders))

    def head(*fields: str) -> str:
        return "\r\n".join(["POST /message HTTP/1.1", f"Host: 127.0.0.1:{port}", *fields, "", ""])

    return Candidate("bare http.server", load, around_mark(head), setting.scale.flood_messages, None)

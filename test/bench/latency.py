"""A message from POST to the other side's event, against an echo of the same bytes over TLS 1.3.

Two machines on one cable, a node on each. The echo is between two Python processes on the
same two machines: what any program in this language pays for the wire, the record and two
wake-ups. A message is stored at both sides on its way: what one commit costs is a figure too.

In each round all of these take their turn: echoes; messages that start from rest (the sender
knows that the last one has been delivered); messages that start as soon as the last one was
answered and had arrived, while the sender is still noting that.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench_node import BenchNode
from bodies import Bodies
from community import Community
from cryptography.hazmat.primitives import serialization
from figures import Figure, Report
from lab import Host, Lan
from load import Load
from programs import running
from scale import Setting

NAME = "latency"
TARGET = 8.0
_ROOM = "tea"
_ECHO = Path(__file__).with_name("tls_echo.py")
_PASSWORD = b"of a key that nobody trusts"


def run(setting: Setting, report: Report) -> None:
    with (
        Lan(hosts=2) as lan,
        Community(
            setting.people, setting.folder, lan.hosts, {_ROOM: range(2)}, launch=setting.launch
        ) as nodes,
        _echo_server(setting, lan.hosts[1]) as port,
    ):
        ada, bob = nodes
        connection = lan.hosts[0].connect(port, lan.hosts[1].address)
        with Load([ada.connect()], streams=[bob.stream()], echo=connection) as load:
            _measure(setting, report, load, ada)


def _measure(setting: Setting, report: Report, load: Load, ada: BenchNode) -> None:
    scale = setting.scale
    parts = ada.message(_ROOM)
    message = {"connection": 0, "streams": [0], **parts}
    settled = {**message, "settled": ada.latest(_ROOM)}
    bytes_of_message = parts["before"] + "0123456789ab" + parts["after"]
    echoes, rest, at_once, answers, commits = [], [], [], [], []
    load.order("pass_on", count=scale.latency_messages, **settled)  # warm
    load.order("echo", text=bytes_of_message, count=scale.latency_echoes)
    for number in range(scale.latency_rounds):
        echoes.append(load.order("echo", text=bytes_of_message, count=scale.latency_echoes))
        took = load.order("pass_on", count=scale.latency_messages, **settled)
        rest.append([arrivals[0] for arrivals in took["arrivals"]])
        answers.append(took["answers"])
        took = load.order("pass_on", count=scale.latency_messages, **message)
        at_once.append([arrivals[0] for arrivals in took["arrivals"]])
        commits.append(commit_times(setting.folder / f"commits-{number}.db", scale.latency_messages))

    def add(name: str, rounds: list[list[float]]) -> Figure:
        in_ms = [[1000 * seconds for seconds in one] for one in rounds]
        return report.add(Figure(NAME, name, "ms", in_ms, series=name))

    echo = add("TLS 1.3 echo", echoes)
    add("one commit, SQLite alone", commits)
    add("POST to its answer", answers)
    from_rest = add("POST to the event", rest)
    following = add("POST to the event, one at once after another", at_once)
    report.compare("POST to the event / echo", from_rest, echo, TARGET)
    report.compare("one at once after another / echo", following, echo, TARGET)


@contextmanager
def _echo_server(setting: Setting, machine: Host) -> Iterator[int]:
    """The echo's port on `machine`, with a certificate as nodes have."""
    certificate = setting.folder / "echo.pem"
    certificate.write_bytes(_plain_pem(setting))
    with running(machine, sys.executable, _ECHO, machine.address, certificate) as line:
        yield int(line)


def _plain_pem(setting: Setting) -> bytes:
    pem = setting.people.identities(1)[0].encrypted_pem(_PASSWORD)
    key = serialization.load_pem_private_key(pem[pem.index(b"-----BEGIN ENC") :], _PASSWORD)
    return pem[: pem.index(b"-----BEGIN ENC")] + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def commit_times(path: Path, count: int) -> list[float]:
    """What it takes to insert one row and commit it, as a node does (WAL, FULL)."""
    bodies = Bodies(path)
    times = []
    for _ in range(count):
        started = time.perf_counter()
        bodies.keep([b"x" * 250])
        times.append(time.perf_counter() - started)
    bodies.close()
    return times

"""One identity on two machines: noticed by both, and said; and nobody else can make a node say it."""

from __future__ import annotations

import ipaddress
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from announcing import Forger
from friends import StartNode, StartSeed
from lab import Host, Lan
from nodes import Node, wait_until


def clone_of(node: Node) -> dict[str, str] | None:
    clone: dict[str, str] | None = node.get("/api/info")["clone"]
    return clone


def warnings(node: Node) -> list[str]:
    return [line for line in node.stderr.items if "copy of this identity" in line]


def looks(node: Node) -> int:
    """How many looks have led to nobody."""
    return sum("look at " in line for line in node.stderr.items)


def wait_for_rest(node: Node) -> None:
    """Wait until no look has come to its end for 2 s."""
    seen, since = -1, 0.0

    def rests() -> bool:
        nonlocal seen, since
        if looks(node) != seen:
            seen, since = looks(node), time.monotonic()
        return time.monotonic() - since > 2

    wait_until(rests, 30, "it goes on looking")


def copy_of(node: Node, to: Path) -> None:
    """The database of a node that has stopped."""
    for file in node.database.parent.glob(f"{node.database.name}*"):
        if file.name.endswith((".db", "-wal")):
            shutil.copy(file, to.parent / file.name.replace(node.database.stem, to.stem))


def test_two_machines_with_one_identity_both_notice_and_say_so(
    lan: Lan, start_node: StartNode, tmp_path: Path
) -> None:
    """A node whose database was copied, and the copy, at work on two machines."""
    one = start_node(lan.hosts[0], "Ada")
    one.stop()
    copy_of(one, tmp_path / "copy.db")
    one.start()
    assert clone_of(one) is None
    mark = one.events.mark()
    other = start_node(lan.hosts[1], "copy")
    assert other.uuid == one.uuid
    for node, there in ((one, lan.hosts[1]), (other, lan.hosts[0])):
        clone = wait_until(lambda node=node: clone_of(node), 20, "nothing was noticed")
        host = ipaddress.ip_address(clone["address"].rpartition(":")[0].strip("[]").partition("%")[0])
        assert host in map(ipaddress.ip_address, (there.address, there.address6, there.link_local))
        assert clone["first_seen"]
        wait_until(lambda node=node: warnings(node), 5)
    one.wait_for("reset", after=mark)
    for node in (one, other):
        assert len(warnings(node)) == 1
        assert node.uuid not in [user["uuid"] for user in node.get("/api/users")["users"]]


def test_a_forged_announcement_of_our_own_uuid_raises_no_alarm(
    lan: Lan, start_node: StartNode, start_seed: StartSeed
) -> None:
    """Nobody there; somebody with another key; a relay that passes the look back to ourselves; a flood."""
    ada = start_node(lan.hosts[0], "Ada", addr=":20900")
    eve = lan.hosts[2]
    impostor = start_seed(eve, "impostor")
    with relay(eve, lan.hosts[0].address, 20900) as (port, passed), Forger(eve) as forger:
        forger.announce(ada.uuid, [b"v=1"], port=9)
        forger.announce(ada.uuid, [b"v=1"], port=impostor.port)
        forger.announce(ada.uuid, [b"v=1"], port=port)
        forger.announce(ada.uuid, [b"v=1"], address=lan.hosts[0].address, port=20900)
        wait_until(passed.is_set, 10, "the relay was not looked at")
        impostor.wait_for("dropped")
        wait_until(lambda: any("reached ourselves" in line for line in ada.stderr.items), 10)
        wait_until(lambda: looks(ada) >= 2, 10)
        before = looks(ada)
        for number in range(400):
            forger.announce(ada.uuid, [b"v=1"], port=1000 + number)
        wait_until(lambda: looks(ada) > before, 10)
        wait_for_rest(ada)
        assert looks(ada) < before + 200, "a flood of claims"
    assert clone_of(ada) is None
    assert warnings(ada) == []


@contextmanager
def relay(host: Host, address: str, port: int) -> Iterator[tuple[int, threading.Event]]:
    """A port on `host` whose one connection goes on to another machine, byte by byte; and whether it has."""
    passed = threading.Event()
    listener = host.inside(lambda: socket.create_server((host.address, 0)))

    def carry(one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                other.sendall(data)
                passed.set()
            other.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def run() -> None:
        try:
            here, _ = listener.accept()
        except OSError:
            return
        with here, host.connect(port, address) as there:
            back = threading.Thread(target=carry, args=(there, here), name="relay back")
            back.start()
            carry(here, there)
            back.join(10)

    thread = threading.Thread(target=run, name="relay")
    thread.start()
    try:
        yield listener.getsockname()[1], passed
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(15)

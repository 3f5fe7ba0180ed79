"""The laboratory itself: what the other tests stand on."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab import Host, Lan, solo
from listening import GROUP, PORT, hears_from, multicast_socket

NAMESPACES = Path("/run/netns")


@contextmanager
def listening(host: Host, address: str) -> Iterator[int]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with host.inside(lambda: socket.create_server((address, 0), family=family)) as server:
        yield server.getsockname()[1]


def made_by(pid: int) -> set[Path]:
    return set(NAMESPACES.glob(f"cclab{pid}-*"))


def reaches(host: Host, other: Host) -> bool:
    with listening(other, other.address) as port:
        try:
            host.connect(port, other.address, timeout=0.5).close()
        except OSError:
            return False
        return True


def test_machines_reach_each_other_and_nothing_else(lan: Lan) -> None:
    ada, bob, _ = lan.hosts
    for address in (bob.address, bob.address6):
        with listening(bob, address) as port:
            ada.connect(port, address).close()
    with listening(bob, "127.0.0.1") as port, pytest.raises(OSError, match="refused"):
        ada.connect(port, "127.0.0.1")
    with pytest.raises(OSError, match="unreachable"):
        ada.connect(80, "192.0.2.1", timeout=1)
    assert bob.link_local.startswith("fe80:")


def test_a_thread_of_the_tests_stays_where_it_is(lan: Lan) -> None:
    before = os.readlink("/proc/thread-self/ns/net")
    assert lan.hosts[0].inside(lambda: os.readlink("/proc/thread-self/ns/net")) != before
    assert os.readlink("/proc/thread-self/ns/net") == before


def test_a_cable_can_be_cut_muted_and_mended(lan: Lan) -> None:
    ada, bob, _ = lan.hosts
    for breaks in (lan.cut, lan.mute):
        breaks(bob)
        assert not reaches(ada, bob)
        lan.mend(bob)
        assert reaches(ada, bob)


def test_a_machine_can_get_other_addresses() -> None:
    with Lan(hosts=2) as lan:
        ada, bob = lan.hosts
        lan.move(bob, 99)
        assert bob.address == "10.77.0.99"
        assert reaches(ada, bob)
        assert reaches(bob, ada)


def test_multicast_stays_on_its_cable() -> None:
    with Lan(hosts=3, cables=2) as lan:
        ada, bob, carol = lan.hosts
        for host in (ada, carol):
            lan.attach(host, 1)
        with (
            hears_from(bob, "eth0", ada) as zero,
            hears_from(carol, "eth1", ada) as one,
            multicast_socket(ada, "eth0", socket.AF_INET) as to_zero,
            multicast_socket(ada, "eth1", socket.AF_INET) as to_one,
        ):
            to_one.sendto(bytes(12), (GROUP, PORT))
            one.wait_for(bool)
            assert zero.items == []
            to_zero.sendto(bytes(12), (GROUP, PORT))
            zero.wait_for(bool)
            assert len(one.items) == 1


def test_a_machine_without_a_cable_has_loopback_multicast() -> None:
    with solo() as machine:
        assert machine.run(["ip", "-o", "link"]).stdout.count("\n") == 1
        with multicast_socket(machine, "lo", socket.AF_INET) as sock:
            sock.settimeout(5)
            sock.sendto(b"heard", (GROUP, PORT))
            assert sock.recv(100) == b"heard"


def test_nothing_is_left_behind() -> None:
    before = made_by(os.getpid())
    with Lan(hosts=2) as lan:
        program = lan.hosts[0].popen(["sleep", "1000"])
        assert len(made_by(os.getpid()) - before) == 3
    assert made_by(os.getpid()) == before
    assert program.poll() is not None


def test_what_a_killed_run_left_behind_is_swept_away() -> None:
    script = "import os, lab; lan = lab.Lan(2); lan.hosts[0].popen(['sleep', '1000']); os._exit(0)"
    killed = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[1] / "support")
    assert killed.wait(30) == 0
    assert len(made_by(killed.pid)) == 3
    with solo():
        assert made_by(killed.pid) == set()

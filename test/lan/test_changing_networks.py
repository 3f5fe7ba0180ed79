"""Networks change under it, and have more in them than one cable: found, verified, messages both ways.

Where it says "at once" it means within 10 s: so long may announcing and listening take to follow
a change. Ada uses every interface that she has; Bob was given `--interface eth0`. They are two
machines with one host name, as all machines of the laboratory are.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import impatient
import pytest
from bad_cable import BadCable
from friends import StartNode, befriend
from histories import whole_history
from lab import Host, Lan
from nodes import Node
from waiting import wait_until

from cryptochat_lib.limits import Limits

ROOM = "the network"
AT_ONCE = 10.0
# Whoever stays learns from nobody it can trust that the other has moved: it takes a connection for
# lost when nothing has come back for so long.
NOTICED = Limits().lost_seconds + 5.0
IMPATIENT = Path(impatient.__file__)
_numbers = itertools.count(1)


@dataclass
class Pair:
    """Two who have verified each other, on the first two machines of `lan`. `met`: the seconds it took."""

    lan: Lan
    ada: Node
    bob: Node
    met: float

    @property
    def hosts(self) -> tuple[Host, Host]:
        return self.lan.hosts[0], self.lan.hosts[1]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """When Bob's program starts, his interface has no address and is down. Then the network comes."""
    folder = tmp_path_factory.mktemp("changing")
    with Lan(hosts=2) as lan:
        host = lan.hosts[1]
        host.ip("link", "set", "eth0", "down")
        host.ip("address", "flush", "dev", "eth0")
        with (
            Node(lan.hosts[0], folder / "ada.db", username="Ada") as ada,
            Node(host, folder / "bob.db", username="Bob", interfaces=["eth0"]) as bob,
        ):
            lan.move(host, 2)
            began = time.monotonic()
            befriend(ada, bob, ROOM)
            yield Pair(lan, ada, bob, time.monotonic() - began)


def both_ways(ada: Node, bob: Node, room: str = ROOM, within: float = AT_ONCE) -> float:
    """One message each way; how many seconds that took."""
    began, number = time.monotonic(), next(_numbers)
    for one in (ada, bob):
        one.send(room, f"{number} from {one.uuid}")
    for one, other in ((ada, bob), (bob, ada)):
        one.wait_message(f"{number} from {other.uuid}", within - (time.monotonic() - began))
    return time.monotonic() - began


def talk(what: str, pair: Pair) -> None:
    print(f"{what}: messages both ways after {both_ways(pair.ada, pair.bob):.1f} s")


def switch_ipv6(host: Host, disabled: bool) -> None:
    word = "1" if disabled else "0"
    host.inside(lambda: Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text(word))


def test_a_network_that_is_missing_at_the_start_is_used_as_soon_as_it_is_there(pair: Pair) -> None:
    print(f"found and verified after {pair.met:.1f} s")
    assert pair.met < AT_ONCE


def test_an_address_changes_while_messages_flow_and_nothing_is_lost(pair: Pair) -> None:
    """Without IPv6, so that there is no other way. The peer API is at the new address, on the same port.

    What Ada has just sent to the old one she takes for lost after 10 s.
    """
    ada, bob = pair.ada, pair.bob
    for host in pair.hosts:
        switch_ipv6(host, disabled=True)
    talk("IPv6 is switched off", pair)
    said, pace = [], threading.Event()
    for number in range(20):
        if number == 5:
            pair.hosts[1].ip("address", "delete", "10.77.0.2/24", "dev", "eth0")
            pair.hosts[1].ip("address", "add", "10.77.0.50/24", "dev", "eth0")
        said.append(ada.send(ROOM, f"flowing {number}")["content"])
        pace.wait(0.05)
    began = time.monotonic()
    bob.wait_message(said[-1], NOTICED)
    print(f"an address has changed: all is there after {time.monotonic() - began:.1f} s")
    heard = [one["content"] for one in whole_history(bob, ROOM) if one["content"].startswith("flowing")]
    assert heard == said, "once each, in order"
    talk("the address has changed", pair)
    wait_until(lambda: ada.members(ROOM)[bob.uuid]["address"].startswith("10.77.0.50:"), AT_ONCE)
    for number, host in enumerate(pair.hosts, 1):
        switch_ipv6(host, disabled=False)
        host.ip("-6", "address", "replace", f"fd00:77:0::{number}/64", "dev", "eth0", "nodad")
    talk("IPv6 is back", pair)


def test_an_interface_is_deleted_and_made_again(pair: Pair) -> None:
    pair.hosts[1].ip("link", "delete", "eth0")
    pair.ada.send(ROOM, "while it is gone")
    pair.lan.attach(pair.hosts[1], 0)
    pair.bob.wait_message("while it is gone", NOTICED)
    talk("an interface was deleted and made again", pair)


def test_ipv4_goes_and_then_every_ipv6_address_but_the_link_local_one(pair: Pair) -> None:
    for host in pair.hosts:
        host.ip("-4", "address", "flush", "dev", "eth0")
    talk("there is no IPv4", pair)
    for host in pair.hosts:
        host.ip("-6", "address", "flush", "dev", "eth0", "scope", "global")
    talk("there are link-local addresses only", pair)
    wait_until(lambda: pair.ada.members(ROOM)[pair.bob.uuid]["address"].startswith("[fe80:"), AT_ONCE)
    for number, host in enumerate(pair.hosts, 1):
        pair.lan.move(host, number)
    talk("all addresses are back", pair)


def test_docker0_and_a_vpn_come_first_and_the_address_that_answers_is_found(start_node: StartNode) -> None:
    """docker0 has one address on all machines; the VPN's interface leads nowhere."""
    with Lan(hosts=2) as lan:
        for number, host in enumerate(lan.hosts, 1):
            host.ip("link", "delete", "eth0")
            host.ip("link", "add", "docker0", "type", "bridge")
            host.ip("tuntap", "add", "tun0", "mode", "tun")
            for name, address in (("docker0", "172.17.0.1/16"), ("tun0", f"10.8.0.{number}/24")):
                host.ip("address", "add", address, "dev", name)
                host.ip("link", "set", name, "up")
            lan.attach(host, 0)
        ada, bob = start_node(lan.hosts[0], "Ada"), start_node(lan.hosts[1], "Bob")
        began = time.monotonic()
        befriend(ada, bob, ROOM)
        print(f"docker0 and a VPN first: verified after {time.monotonic() - began:.1f} s")
        print(f"messages both ways after {both_ways(ada, bob):.1f} s")
        address = ada.members(ROOM)[bob.uuid]["address"]
        assert address.startswith(("10.77.0.2:", "[fd00:77:", "[fe80:"))
        ada.stop()
        bob.stop()


def test_who_slept_until_the_others_gave_it_up_is_back_at_once(start_node: StartNode) -> None:
    """And so is who had the cable out for as long. Silence is long after 6 s here."""
    with Lan(hosts=2) as lan:
        ada, bob = (
            start_node(host, name, program=IMPATIENT)
            for host, name in zip(lan.hosts, ("Ada", "Bob"), strict=True)
        )
        befriend(ada, bob, ROOM)
        both_ways(ada, bob)
        for what in ("asleep", "cut off"):
            if what == "asleep":
                bob.freeze()
            else:
                lan.cut(lan.hosts[1])
            message = ada.send(ROOM, f"while Bob is {what}")
            ada.wait_member(ROOM, bob.uuid, online=False, timeout=30)
            if what == "asleep":
                bob.thaw()
            else:
                lan.mend(lan.hosts[1])
            began = time.monotonic()
            bob.wait_message(message["content"], AT_ONCE)
            ada.wait_member(ROOM, bob.uuid, online=True, timeout=AT_ONCE)
            print(f"no longer {what}: back after {time.monotonic() - began:.1f} s")
            print(f"messages both ways after {both_ways(ada, bob):.1f} s")
        ada.stop()
        bob.stop()


def test_a_tenth_of_all_packets_is_lost_and_the_rest_comes_200_ms_late(start_node: StartNode) -> None:
    with Lan(hosts=2) as lan:
        for host in lan.hosts:
            host.ip("link", "delete", "eth0")
        with BadCable(*lan.hosts, delay=0.2, loss=10):
            ada, bob = start_node(lan.hosts[0], "Ada"), start_node(lan.hosts[1], "Bob")
            began = time.monotonic()
            befriend(ada, bob, ROOM)
            print(f"a bad cable: verified after {time.monotonic() - began:.1f} s")
            for _ in range(3):
                print(f"messages both ways after {both_ways(ada, bob, within=40):.1f} s")
            ada.stop()
            bob.stop()

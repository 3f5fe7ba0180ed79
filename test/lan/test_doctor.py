"""What the doctor says on real networks: a good one, one without multicast, and behind firewalls.

The firewalls are rules of the routing policy, which every kernel that has namespaces has: a packet
for which there is no way is dropped, as a firewall drops it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from friends import befriend
from lab import Host, Lan
from nodes import Node
from waiting import wait_until

PORT = 4242
_FIRST = 50


@pytest.fixture
def cable() -> Iterator[Lan]:
    """A network that a test may spoil."""
    with Lan(hosts=2) as lan:
        yield lan


def let_nobody_in(host: Host, port: int) -> None:
    """Drop whatever comes for that TCP port, without a word."""
    for family in ("-4", "-6"):
        # What is for this machine is looked up in the table `local`, before anything else.
        host.ip(family, "rule", "add", "pref", 100, "lookup", "local")
        host.ip(family, "rule", "del", "pref", 0)
        rule = ("iif", "eth0", "ipproto", "tcp", "dport", port, "blackhole")
        host.ip(family, "rule", "add", "pref", _FIRST, *rule)


def examined(node: Node) -> dict[str, Any]:
    """The findings by their codes."""
    found = node.get("/api/doctor")
    print(found["report"])
    return {finding["code"]: finding for finding in found["findings"]}


def test_on_a_good_network_all_is_well(cable: Lan, tmp_path: Path) -> None:
    one, two = cable.hosts
    with (
        Node(one, tmp_path / "ada.db", username="Ada") as ada,
        Node(two, tmp_path / "bob.db", username="Bob") as bob,
    ):
        befriend(ada, bob)
        found = examined(ada)
        assert {"all-is-well", "announced", "others-heard", "reachable"} <= found.keys()
        assert found["announced"]["values"]["interface"] == "eth0"
        assert one.address in found["announced"]["values"]["addresses"]


def test_without_multicast_it_says_so_once_two_reach_each_other(cable: Lan, tmp_path: Path) -> None:
    one, two = cable.hosts
    with (
        Node(one, tmp_path / "ada.db", username="Ada") as ada,
        Node(two, tmp_path / "bob.db", username="Bob", addr=f":{PORT}") as bob,
    ):
        befriend(ada, bob, "tea")
        ada.send("tea", "with multicast")
        bob.wait_message("with multicast")
        ada.stop()
        cable.filter_multicast()
        ada.start()
        ada.send("tea", "without multicast")
        ada.wait_for("delivery", state="delivered")
        # Until Bob has forgotten her first run, he says that he hears her.
        finding = wait_until(lambda: examined(ada).get("multicast-filtered"), 20)
        assert [peer["uuid"] for peer in finding["values"]["peers"]] == [bob.uuid]
        assert "contact code" in finding["advice"]


def test_a_firewall_over_there_is_told_by_silence(cable: Lan, tmp_path: Path) -> None:
    one, two = cable.hosts
    let_nobody_in(two, PORT)
    with (
        Node(one, tmp_path / "ada.db", username="Ada") as ada,
        Node(two, tmp_path / "bob.db", username="Bob", addr=f":{PORT}") as bob,
    ):
        ada.join("tea")
        bob.join("tea")
        wait_until(lambda: (ada.user(bob.uuid) or {}).get("trouble") == "timed-out", 20)
        finding = examined(ada)["peer-timed-out"]
        assert [peer["uuid"] for peer in finding["values"]["peers"]] == [bob.uuid]
        assert (ada.user(bob.uuid) or {})["reachability"] == "silent"


def test_without_an_interface_it_says_that_there_is_no_network(cable: Lan, tmp_path: Path) -> None:
    host = cable.hosts[0]
    cable.detach(host)
    with Node(host, tmp_path / "ada.db", username="Ada") as ada:
        assert "no-network" in examined(ada)

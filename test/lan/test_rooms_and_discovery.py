"""Who is seen in which room, from where, and how soon: real multicast DNS between machines."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import avahi
import pytest
from friends import StartNode, befriend, forget_port, wait_knows
from lab import Host, Lan
from listening import addresses_of, hears_from
from nodes import Node, wait_until

SOON = 2.0  # contract, section 3: joining and leaving show at the others within 2 s


def seconds_until_member(node: Node, room: str, uuid: str, present: bool) -> float:
    started = time.monotonic()
    wait_until(lambda: (uuid in node.members(room)) == present, 10, f"{uuid} in {room!r}: not {present}")
    return time.monotonic() - started


def test_joining_and_leaving_show_at_the_other_within_two_seconds(
    friends: tuple[Node, Node], room: str
) -> None:
    ada, bob = friends
    ada.join(room)
    assert seconds_until_member(bob, room, ada.uuid, present=True) < SOON
    assert bob.room(room)["joined"] is False
    bob.join(room)
    assert seconds_until_member(ada, room, bob.uuid, present=True) < SOON
    assert ada.members(room)[ada.uuid]["self"] is True
    bob.leave(room)
    assert seconds_until_member(ada, room, bob.uuid, present=False) < SOON
    ada.leave(room)
    wait_until(lambda: bob.room(room) is None, SOON, "an empty room is still listed")


def test_strangers_see_each_others_rooms_too(lan: Lan, start_node: StartNode, room: str) -> None:
    ada, bob = start_node(lan.hosts[0], "Ada"), start_node(lan.hosts[1], "Bob")
    ada.join(room)
    bob.wait_member(room, ada.uuid, online=True)
    assert bob.status(ada.uuid) == "unverified"
    ada.leave(room)
    assert seconds_until_member(bob, room, ada.uuid, present=False) < SOON


def test_saying_join_or_leave_twice_is_no_error(friends: tuple[Node, Node], room: str) -> None:
    ada, _ = friends
    for method in ("POST", "POST", "DELETE", "DELETE"):
        assert ada.request(method, f"/api/rooms/{room.replace(' ', '%20')}").status == 204


def test_a_changed_room_is_an_event(friends: tuple[Node, Node], room: str) -> None:
    ada, bob = friends
    mark = bob.events.mark()
    ada.join(room)
    bob.wait_for("rooms", after=mark, where=lambda data: room in str(data["rooms"]))
    ada.leave(room)
    bob.wait_for("rooms", after=mark, where=lambda data: room in data["gone"])


def test_goodbye_means_away_and_not_left(friends: tuple[Node, Node], room: str) -> None:
    ada, bob = friends
    ada.join(room)
    bob.join(room)
    ada.wait_member(room, bob.uuid, online=True)
    bob.stop()
    try:
        ada.wait_member(room, bob.uuid, online=False, timeout=5)
        message = ada.send(room, "read this when you are back")
        assert ada.delivery(message, bob.uuid)["state"] == "waiting"
    finally:
        bob.start()
    ada.wait_member(room, bob.uuid, online=True)
    wait_until(lambda: "read this when you are back" in [one["content"] for one in bob.history(room)], 15)
    ada.wait_delivery(message, bob.uuid, "delivered")


def test_who_was_killed_comes_back_on_another_port(friends: tuple[Node, Node], room: str) -> None:
    ada, bob = friends
    ada.join(room)
    bob.join(room)
    before = ada.wait_member(room, bob.uuid, online=True)["address"]
    bob.kill()
    message = ada.send(room, "are you all right?")
    forget_port(bob)
    bob.start()
    wait_until(
        lambda: ada.members(room)[bob.uuid]["address"] not in (None, before), 15, "the old address stays"
    )
    assert bob.uuid in ada.members(room)
    wait_until(lambda: "are you all right?" in [one["content"] for one in bob.history(room)], 30)
    ada.wait_delivery(message, bob.uuid, "delivered")
    bob.send(room, "yes")
    ada.wait_message("yes")


def test_avahi_shows_service_uuid_port_and_each_room(lan: Lan, start_node: StartNode) -> None:
    ada = start_node(lan.hosts[0], "Ada", addr=":20555")
    rooms = ["tea", "Café 北京 🍵", 'a "quoted" \\ one; really', "room=room"]
    for name in rooms:
        ada.join(name)

    def found() -> list[avahi.Resolved]:
        return [
            row
            for row in avahi.browse(lan.hosts[2])
            if row.name == ada.uuid and sum(one.startswith("room=") for one in row.txt) == len(rooms)
        ]

    rows = wait_until(found, 20, "avahi does not list the node with its rooms")
    for row in rows:
        assert row.port == 20555
        assert row.host == f"{ada.uuid}.local"
        assert sorted(row.txt) == sorted(["v=1", "name=Ada", *(f"room={one}" for one in rooms)])
    addresses = {row.address for row in rows}
    assert lan.hosts[0].address in addresses
    assert {row.protocol for row in rows} == {"IPv4", "IPv6"}


def test_the_name_stays_out_of_the_announcement_if_the_user_wants(lan: Lan, start_node: StartNode) -> None:
    ada = start_node(lan.hosts[0], "Ada", options=["--no-announce-name"])

    def rows() -> list[avahi.Resolved]:
        return [row for row in avahi.browse(lan.hosts[2]) if row.name == ada.uuid]

    assert all("Ada" not in str(row.txt) for row in wait_until(rows, 20))


def test_two_machines_that_have_only_ipv6_chat(start_node: StartNode, room: str) -> None:
    with Lan(hosts=2, ipv4=False) as lan:
        ada, bob = start_node(lan.hosts[0], "Ada"), start_node(lan.hosts[1], "Bob")
        befriend(ada, bob, room)
        assert ada.wait_member(room, bob.uuid, online=True)["address"].startswith("[")
        ada.send(room, "sixes only")
        bob.wait_message("sixes only")
        ada.stop()
        bob.stop()


def host_of(address: str) -> str:
    """`10.0.0.1` of `10.0.0.1:80`, `fe80::1` of `[fe80::1%eth0]:80`."""
    return address.rpartition(":")[0].strip("[]").partition("%")[0]


def test_a_network_that_goes_and_comes_back_with_other_addresses_is_followed(
    start_node: StartNode, room: str
) -> None:
    with Lan(hosts=2) as lan:
        ada, bob = start_node(lan.hosts[0], "Ada"), start_node(lan.hosts[1], "Bob")
        befriend(ada, bob, room)
        ada.wait_member(room, bob.uuid, online=True)
        lan.cut(lan.hosts[1])
        message = ada.send(room, "while you were away")
        lan.move(lan.hosts[1], 77)
        lan.mend(lan.hosts[1])
        wait_until(lambda: "while you were away" in [one["content"] for one in bob.history(room)], 60)
        ada.wait_delivery(message, bob.uuid, "delivered")
        now = addresses_of(lan.hosts[1])
        assert "10.77.0.77" in now
        wait_until(
            lambda: host_of(ada.members(room)[bob.uuid]["address"]) in now,
            30,
            "an address that it has no more is shown",
        )
        ada.stop()
        bob.stop()


@pytest.fixture(scope="module")
def forked() -> Iterator[tuple[Host, Host, Host]]:
    """One machine on two cables, and one more on each."""
    with Lan(hosts=3, cables=2) as lan:
        both, zero, one = lan.hosts
        lan.attach(both, 1)
        lan.attach(one, 1)
        one.ip("link", "set", "eth0", "down")
        yield both, zero, one


@pytest.mark.parametrize("interface", ["eth1", "10.77.1.1"])
def test_interface_is_obeyed_for_mdns_and_for_the_peer_api(
    forked: tuple[Host, Host, Host], start_node: StartNode, room: str, interface: str
) -> None:
    both, zero, one = forked
    with hears_from(zero, "eth0", both) as heard:
        ada = start_node(both, "Ada", interfaces=[interface])
        bob, carol = start_node(zero, "Bob"), start_node(one, "Carol")
        for node in (ada, bob, carol):
            node.join(room)
        carol.wait_member(room, ada.uuid, online=True)
        ada.wait_member(room, carol.uuid, online=True)
        bob.join(f"{room} too")  # a round of multicast DNS on the other cable
        assert ada.uuid not in bob.members(room)
        assert bob.uuid not in ada.members(room)
        address = carol.members(room)[ada.uuid]["address"]
        assert address.startswith(("10.77.1.1:", "[fd00:77:1::1]:", "[fe80:"))
        port = int(address.rpartition(":")[2])
        wait_knows(carol, ada)
        for unwanted in ("10.77.0.1", "fd00:77:0::1"):
            with pytest.raises(OSError, match="refused"):
                zero.connect(port, unwanted, timeout=3)
        ada.stop()
    assert heard.items == [], "nothing was said on the cable that was not named"


def test_an_address_on_none_of_the_interfaces_is_refused(
    forked: tuple[Host, Host, Host], tmp_path: Path
) -> None:
    both, _, _ = forked
    done = both.run(Node.words(tmp_path / "x.db", addr="10.77.0.1:0", interfaces=["eth1"]), check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) >= 1
    assert "10.77.0.1" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interface_that_does_not_exist_is_named(forked: tuple[Host, Host, Host], tmp_path: Path) -> None:
    both, _, _ = forked
    done = both.run(Node.words(tmp_path / "x.db", interfaces=["wlan7"]), check=False)
    assert done.returncode in (1, 2)
    assert "wlan7" in done.stderr
    assert "Traceback" not in done.stderr

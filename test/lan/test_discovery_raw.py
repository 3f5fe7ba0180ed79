"""Discovery alone, on links of its own: real multicast, forged packets, cables that come and go.

`Discovery` runs in this process; its thread is born on a machine of the laboratory
and stays there. Where silence matters, it is borne for 6 s instead of 120.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import dns_packets
import pytest
from lab import Host, Lan, Namespace, solo
from waiting import Collected, wait_until

from cryptochat_lib.discovery import Discovery, OwnAnnouncement
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Announcement, Endpoint, PeerId, RoomName, parse_room_name

SERVICE = "_cryptochat._tcp.local."
GROUP = ("224.0.0.251", 5353)
USUAL, IMPATIENT = Limits(), Limits(silence_seconds=6)


def new_id() -> PeerId:
    return PeerId(str(uuid.uuid4()))


class Ears:
    """A listener that keeps what it is told: announcements, and the UUID of who has gone."""

    def __init__(self) -> None:
        self.told: Collected[Announcement | PeerId] = Collected()
        self.moves: Collected[float] = Collected()

    def seen(self, announcement: Announcement) -> None:
        self.told.add(announcement)

    def gone(self, uuid: PeerId) -> None:
        self.told.add(uuid)

    def claimed(self, own: PeerId, endpoints: Sequence[Endpoint]) -> None:
        """That somebody else is said to be us is not what these tests are about."""

    def moved(self) -> None:
        self.moves.add(time.monotonic())


class Node:
    """One running `Discovery` and what it has heard."""

    def __init__(self, host: Namespace, interfaces: tuple[str, ...], limits: Limits) -> None:
        self.uuid, self.ears = new_id(), Ears()
        self.discovery = Discovery(self.ears, interfaces, limits)
        host.inside(self.discovery.start)

    def announce(self, *rooms: str, port: int = 4000, name: str | None = None) -> None:
        keyed = {parse_room_name(room): room for room in rooms}
        self.discovery.announce(OwnAnnouncement(self.uuid, port, keyed, name))

    def hears(
        self,
        uuid: PeerId,
        wanted: Callable[[Announcement], bool] = lambda _: True,
        *,
        timeout: float = 5,
        after: int = 0,
    ) -> Announcement:
        told = self.ears.told.wait_for(
            lambda one: isinstance(one, Announcement) and one.uuid == uuid and wanted(one), timeout, after
        )
        assert isinstance(told, Announcement)
        return told

    def misses(self, uuid: PeerId, *, timeout: float = 5, after: int = 0) -> None:
        self.ears.told.wait_for(lambda one: one == uuid, timeout, after)

    @property
    def knows(self) -> set[PeerId]:
        """Who has been seen and has not gone since."""
        known: set[PeerId] = set()
        for one in self.ears.told.items:
            if isinstance(one, Announcement):
                known.add(one.uuid)
            else:
                known.discard(one)
        return known


StartNode = Callable[..., Node]


@pytest.fixture(scope="module")
def lan() -> Iterator[Lan]:
    with Lan(hosts=3) as lan:
        yield lan


@pytest.fixture
def start() -> Iterator[StartNode]:
    """Start nodes that end with the test, each within its time and without a thread left."""
    with ExitStack() as stack:

        def start(
            host: Namespace,
            *rooms: str,
            interfaces: tuple[str, ...] = (),
            limits: Limits = USUAL,
            announce: bool = True,
        ) -> Node:
            node = Node(host, interfaces, limits)
            stack.callback(node.discovery.stop)
            if announce:
                node.announce(*rooms)
            return node

        yield start
    assert "discovery" not in [thread.name for thread in threading.enumerate()]


class Forger:
    """Says anything to the group, from a machine and its first cable, and hears what is said there."""

    def __init__(self, host: Host, address: str = "") -> None:
        self._address = address or host.address
        self.socket = host.inside(self._open)

    def _open(self) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        interface = socket.inet_aton(self._address)
        sock.setsockopt(socket.IPPROTO_IP, 49, 0)  # IP_MULTICAST_ALL: only what this socket joined
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP[0]) + interface)
        sock.bind(("", GROUP[1]))
        return sock

    def say(self, *records: dns_packets.Record) -> None:
        self.socket.sendto(dns_packets.encode([], records), GROUP)

    def ask(self, name: str = SERVICE, kind: int = dns_packets.PTR, to: tuple[str, int] = GROUP) -> None:
        self.socket.sendto(dns_packets.encode([dns_packets.Question(name, kind)]), to)

    def answers(self, seconds: float) -> Iterator[dns_packets.Packet]:
        """The answers that are heard in the next `seconds`."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                packet = dns_packets.decode(self.socket.recv(9000))
            except TimeoutError:
                return
            if packet.is_response:
                yield packet

    def __enter__(self) -> Forger:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def forged(
    name: str,
    *,
    host: str = "",
    port: int = 4000,
    ips: tuple[str, ...] = (),
    strings: tuple[bytes, ...] = (b"room=forged",),
) -> list[dns_packets.Record]:
    """A whole announcement of the instance `name`."""
    instance, host = f"{name}.{SERVICE}", host or f"{name}.local."
    return [
        dns_packets.pointer(SERVICE, instance),
        dns_packets.service(instance, port, host),
        dns_packets.text(instance, strings),
        *(dns_packets.address(host, ip) for ip in ips),
    ]


def rooms_of(announcement: Announcement) -> list[RoomName]:
    return sorted(announcement.rooms)


def test_two_nodes_see_each_other_within_two_seconds_with_every_address(lan: Lan, start: StartNode) -> None:
    one, two, _ = lan.hosts
    ada = start(one, "tea room", "Küche")
    bob = start(two)
    seen = bob.hears(ada.uuid, timeout=2)
    assert rooms_of(seen) == ["Küche", "tea room"]
    assert (seen.version, seen.name) == (1, None)
    assert {endpoint.port for endpoint in seen.endpoints} == {4000}
    scope = one.inside(lambda: socket.if_nametoindex("eth0"))
    assert {e.host for e in seen.endpoints} == {
        one.address,
        str(ipaddress.ip_address(one.address6)),
        f"{one.link_local}%{scope}",
    }
    assert ada.hears(bob.uuid, timeout=2).rooms == {}
    assert ada.uuid not in ada.knows


def test_a_change_is_seen_within_half_a_second_and_the_last_one_stays(lan: Lan, start: StartNode) -> None:
    ada, bob = start(lan.hosts[0]), start(lan.hosts[1])
    bob.hears(ada.uuid)
    for number in range(10):
        ada.announce(f"room {number}", name="Ada")
        bob.hears(ada.uuid, lambda seen, number=number: rooms_of(seen) == [f"room {number}"], timeout=0.5)
    ada.announce("room 9", port=4001, name="Ada")
    bob.hears(ada.uuid, lambda seen: seen.endpoints[0].port == 4001, timeout=0.5)
    mark = bob.ears.told.mark()
    # An answer that was held back since before the changes would come within 1.3 s.
    with pytest.raises(TimeoutError):
        bob.hears(ada.uuid, lambda seen: rooms_of(seen) != ["room 9"], timeout=1.5, after=mark)


def test_a_goodbye_is_heard_at_once_and_the_end_is_quick(lan: Lan, start: StartNode) -> None:
    ada, bob = start(lan.hosts[0]), start(lan.hosts[1])
    bob.hears(ada.uuid)
    before = time.monotonic()
    ada.discovery.stop()
    assert time.monotonic() - before < 1.5
    bob.misses(ada.uuid, timeout=1)


def test_who_falls_silent_is_gone_and_who_is_asked_stays(lan: Lan, start: StartNode) -> None:
    ada, bob, eve = (start(host, limits=IMPATIENT) for host in lan.hosts)
    for node in (bob, ada):
        wait_until(lambda node=node: node.knows == {ada.uuid, bob.uuid, eve.uuid} - {node.uuid})
    lan.mute(lan.hosts[0])
    muted = time.monotonic()
    try:
        bob.misses(ada.uuid, timeout=8)
        assert time.monotonic() - muted > 4, "it was not given up before it was silent for long"
        for uuid_ in (bob.uuid, eve.uuid):
            ada.misses(uuid_, timeout=8)
        assert bob.knows == {eve.uuid}
        mark = bob.ears.told.mark()
    finally:
        lan.mend(lan.hosts[0])
    bob.hears(ada.uuid, after=mark, timeout=4)
    ada.hears(bob.uuid, timeout=4)
    assert not [one for one in eve.ears.told.items if one == bob.uuid]


def test_a_deaf_seed_peer_hears_us_in_its_first_round(lan: Lan, start: StartNode) -> None:
    nodes = [start(host, "tea") for host in lan.hosts]
    nodes[0].hears(nodes[2].uuid)
    with Forger(lan.hosts[1]) as seed:
        for _ in range(5):
            seed.ask()
            seed.ask()
            whole = {_whole(packet) for packet in seed.answers(0.5)}
            assert {node.uuid for node in nodes} <= whole


def test_two_deaf_peers_do_not_keep_each_other_from_hearing_us(lan: Lan, start: StartNode) -> None:
    node = start(lan.hosts[0], "tea")
    node_heard = []
    with Forger(lan.hosts[1]) as first, Forger(lan.hosts[2]) as second:
        for _ in range(3):
            for seed in (first, second):
                seed.ask()
                seed.ask()
                node_heard.append(node.uuid in {_whole(packet) for packet in seed.answers(0.4)})
    assert node_heard == [True] * 6


def test_a_flood_of_questions_gets_four_answers_a_second(lan: Lan, start: StartNode) -> None:
    node = start(lan.hosts[0], "tea")
    with Forger(lan.hosts[1]) as seed:
        wait_until(lambda: seed.ask() or any(_whole(p) == node.uuid for p in seed.answers(0.3)))
        answers = []
        for _ in range(20):
            for _ in range(25):
                seed.ask()
            answers += [packet for packet in seed.answers(0.1) if _whole(packet) == node.uuid]
    assert len(answers) <= 16, "8 of ours, and fewer of the library's"


def _whole(packet: dns_packets.Packet) -> str | None:
    """Whom this packet describes with PTR, SRV, TXT and A together."""
    kinds = {record.type: record for record in packet.records}
    if not {dns_packets.PTR, dns_packets.SRV, dns_packets.TXT, dns_packets.A} <= set(kinds):
        return None
    return kinds[dns_packets.PTR].pointed.removesuffix("." + SERVICE)


def test_the_largest_announcement_is_one_packet_that_fits_a_frame(lan: Lan, start: StartNode) -> None:
    host = lan.hosts[0]
    extra = [f"10.77.0.{number}/24" for number in range(100, 120)]
    for address in extra:
        host.ip("address", "add", address, "dev", "eth0")
    try:
        rooms = [f"{number:02}".ljust(100, "x") for number in range(11)]
        ada, bob = start(host, *rooms), start(lan.hosts[1])
        assert len(bob.hears(ada.uuid).rooms) == 11
        with Forger(lan.hosts[1]) as seed:
            seed.ask()
            assert ada.uuid in {_whole(packet) for packet in seed.answers(0.5)}
    finally:
        for address in extra:
            host.ip("address", "delete", address, "dev", "eth0")


def test_hostile_records_neither_stop_nor_mislead_it(lan: Lan, start: StartNode) -> None:
    bob = start(lan.hosts[1])
    ids = [new_id() for _ in range(7)]
    near = lan.hosts[2].address
    with Forger(lan.hosts[2]) as eve:
        wait_until(lambda: eve.say(*forged(ids[1])) or bob.knows)
        for name in ("printer", "not-a-uuid", ids[0].upper(), "a" * 63, f"{ids[0]}x"):
            eve.say(*forged(name, ips=(near,)))
        for garbage in (b"", b"\0", b"\xff" * 12, b"\0" * 8000, dns_packets.encode([], forged(ids[0]))[:-3]):
            eve.socket.sendto(garbage, GROUP)
        eve.say(*forged(ids[1]))  # no address at all
        eve.say(*forged(ids[2], ips=("fd00:77::3",), strings=()))  # only AAAA; a TXT of length 0
        eve.say(*forged(ids[3], ips=(near,), port=0))
        eve.say(*forged(ids[4], ips=("127.0.0.1", "8.8.8.8", "10.77.0.255", "::1", "::ffff:10.77.0.2")))
        eve.say(*forged(ids[5], ips=(near,), host="shared.local."))
        eve.say(*forged(ids[6], ips=(lan.hosts[0].address,), host="shared.local."))
        seen = {one: bob.hears(one) for one in ids[1:]}
    assert [len(seen[one].endpoints) for one in ids[1:5]] == [0, 1, 0, 0]
    assert seen[ids[2]].rooms == {}
    assert rooms_of(seen[ids[3]]) == ["forged"]
    assert seen[ids[6]].endpoints
    assert bob.knows == set(ids[1:])


def test_our_own_uuid_is_not_reported_whoever_announces_it(lan: Lan, start: StartNode) -> None:
    bob = start(lan.hosts[1], announce=False)
    with Forger(lan.hosts[2]) as eve:
        wait_until(lambda: eve.say(*forged(bob.uuid, ips=(lan.hosts[2].address,))) or bob.knows == {bob.uuid})
        bob.announce("tea")
        bob.misses(bob.uuid)
        eve.say(*forged(bob.uuid, ips=(lan.hosts[2].address,)))
        last = new_id()
        eve.say(*forged(last))
        bob.hears(last)
    assert bob.knows == {last}


def test_records_that_are_missing_are_asked_for(lan: Lan, start: StartNode) -> None:
    bob, one = start(lan.hosts[1]), new_id()
    pointer, service, text, address = forged(one, ips=(lan.hosts[2].address,))
    answers = {pointer.pointed: [service, text], service.server[0]: [address]}
    with Forger(lan.hosts[2]) as slow:
        wait_until(lambda: slow.say(pointer) or any(True for _ in _questions(slow, pointer.pointed)))
        slow.say(*answers[pointer.pointed])
        bob.hears(one)
        assert any(True for _ in _questions(slow, service.server[0]))
        slow.say(address)
        assert bob.hears(one, lambda seen: bool(seen.endpoints)).endpoints[0].host == lan.hosts[2].address


def _questions(forger: Forger, name: str, seconds: float = 1.5) -> Iterator[dns_packets.Question]:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        forger.socket.settimeout(left)
        try:
            packet = dns_packets.decode(forger.socket.recv(9000))
        except TimeoutError:
            return
        yield from (question for question in packet.questions if question.name == name)


def test_a_flood_of_names_costs_no_threads_and_hides_nobody(lan: Lan, start: StartNode) -> None:
    limits = Limits(announced_peers=100)
    bob = start(lan.hosts[1], limits=limits)
    ada = start(lan.hosts[0])
    bob.hears(ada.uuid)
    threads = threading.active_count()
    with Forger(lan.hosts[2]) as eve:
        for number in range(5000):
            eve.say(*forged(new_id(), ips=(lan.hosts[2].address,)))
            if number % 50 == 0:
                time.sleep(0.02)  # paces the flood, or the kernel drops it; nothing is waited for
        assert threading.active_count() == threads
        late = start(lan.hosts[0])
        bob.hears(late.uuid)
    assert {ada.uuid, late.uuid} <= bob.knows
    assert len(bob.knows) <= 100


def test_two_nodes_on_one_machine_meet_on_loopback_alone(start: StartNode) -> None:
    with solo() as machine:
        ada, bob = (start(machine, "tea", interfaces=("lo",)) for _ in range(2))
        assert [str(e) for e in bob.hears(ada.uuid, timeout=2).endpoints] == ["127.0.0.1:4000"]
        ada.hears(bob.uuid, timeout=2)
        for node in (ada, bob):
            node.discovery.stop()


def test_a_node_that_was_given_one_interface_is_silent_and_deaf_on_the_other(start: StartNode) -> None:
    with Lan(hosts=2, cables=2) as lan:
        one, two = lan.hosts
        lan.attach(one, 1)
        lan.attach(two, 1)
        ada, bob, other = start(one, "tea", interfaces=("eth1",)), start(two, "tea"), new_id()
        seen = bob.hears(ada.uuid)
        assert {e.host for e in seen.endpoints} >= {"10.77.1.1"}
        assert not [e for e in seen.endpoints if e.host.startswith("10.77.0.")]
        with Forger(two) as eve:
            eve.say(*forged(other, ips=(two.address,)))
            for to in (GROUP, (one.address, 5353)):  # to all, and straight to its address on that cable
                eve.ask(to=to)
                eve.ask(f"{ada.uuid}.{SERVICE}", dns_packets.ANY, to=to)
            bob.hears(other)
            assert not [r for p in eve.answers(1.5) for r in p.records if ada.uuid in r.name + r.pointed]
        ada.hears(bob.uuid)
        assert ada.knows == {bob.uuid}
        for node in (ada, bob):
            node.discovery.stop()


def test_the_network_may_come_late_change_and_come_back(start: StartNode) -> None:
    with Lan(hosts=2) as lan:
        one, two = lan.hosts
        one.ip("link", "set", "eth0", "down")
        one.ip("address", "flush", "dev", "eth0")
        ada, bob = start(one, "tea", limits=IMPATIENT), start(two, limits=IMPATIENT)
        with pytest.raises(TimeoutError):
            bob.hears(ada.uuid, timeout=0.5)

        one.ip("link", "set", "eth0", "up")
        lan.move(one, 7)
        bob.hears(ada.uuid, lambda seen: seen.endpoints[0].host == "10.77.0.7", timeout=3)
        ada.hears(bob.uuid, timeout=3)

        lan.move(one, 8)
        bob.hears(ada.uuid, lambda seen: [e.host for e in seen.endpoints][:1] == ["10.77.0.8"], timeout=3)
        assert ada.uuid in bob.knows, "a new address is no goodbye"

        mark = bob.ears.told.mark()
        one.ip("link", "delete", "eth0")
        bob.misses(ada.uuid, timeout=9)
        lan.attach(one, 0)
        bob.hears(ada.uuid, after=mark, timeout=4)
        for node in (ada, bob):
            node.discovery.stop()


def test_without_any_network_it_starts_and_ends_at_once(start: StartNode) -> None:
    with solo() as machine:
        before = time.monotonic()
        start(machine, "tea").discovery.stop()
        start(machine, "tea", interfaces=("eth7",)).discovery.stop()
        assert time.monotonic() - before < 1


def test_a_listener_that_never_returns_does_not_hold_up_the_end(lan: Lan) -> None:
    answered = threading.Event()

    class Stuck(Ears):
        def seen(self, announcement: Announcement) -> None:
            super().seen(announcement)
            answered.wait(30)

    stuck, one = Stuck(), new_id()
    discovery = Discovery(stuck, (), USUAL)
    lan.hosts[0].inside(discovery.start)
    with Forger(lan.hosts[1]) as forger:
        wait_until(lambda: forger.say(*forged(one)) or stuck.told.items)
    before = time.monotonic()
    discovery.stop()
    assert time.monotonic() - before < 1.5
    answered.set()
    wait_until(lambda: "discovery" not in [thread.name for thread in threading.enumerate()])


def test_ipv6_alone_is_enough(start: StartNode) -> None:
    with Lan(hosts=2, ipv4=False) as lan:
        ada, bob = (start(host, "tea") for host in lan.hosts)
        hosts = [e.host for e in bob.hears(ada.uuid, timeout=2).endpoints]
        assert str(ipaddress.ip_address(lan.hosts[0].address6)) in hosts
        assert any(host.startswith("fe80::") and "%" in host for host in hosts)
        ada.hears(bob.uuid, timeout=2)
        for node in (ada, bob):
            node.discovery.stop()

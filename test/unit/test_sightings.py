"""What mDNS records become, without a network: the last word counts, and a flood stays small."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import pytest

from cryptochat_lib import txt
from cryptochat_lib.interfaces import Interface
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Announcement, Endpoint, PeerId
from cryptochat_lib.resource_records import Address, Pointer, Record, Service, Text
from cryptochat_lib.sightings import Sightings

ADA, BOB, EVE = (PeerId(f"00000000-0000-4000-8000-00000000000{letter}") for letter in "abe")
ETH = Interface("eth0", 2, (ipaddress.ip_interface("10.0.0.5/24"), ipaddress.ip_interface("fe80::5/64")))
WLAN = Interface("wlan0", 3, (ipaddress.ip_interface("10.9.0.5/24"),))
TEA = txt.encode(["tea"], "Ada")


class Told:
    """A listener that writes down what it is told."""

    def __init__(self) -> None:
        self.seen_: list[Announcement] = []
        self.gone_: list[PeerId] = []

    def seen(self, announcement: Announcement) -> None:
        self.seen_.append(announcement)

    def gone(self, uuid: PeerId) -> None:
        self.gone_.append(uuid)

    def claimed(self, own: PeerId, endpoints: Sequence[Endpoint]) -> None:
        raise AssertionError("what is said of us is nothing that sightings tell")

    def moved(self) -> None:
        raise AssertionError("where we are is nothing that sightings tell")


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def sightings(told: Told) -> Sightings:
    sightings = Sightings(told, Limits(announced_peers=20))
    sightings.set_links({"eth0": ETH, "wlan0": WLAN}, 0.0)
    return sightings


def packet(uuid: PeerId, *ips: str, port: int = 4000, raw: bytes = TEA, flush: bool = True) -> list[Record]:
    host = f"{uuid}.local."
    return [
        Pointer(uuid),
        Service(uuid, host, port),
        Text(uuid, raw),
        *(Address(host, ipaddress.ip_address(ip), flush) for ip in ips),
    ]


def number(n: int) -> PeerId:
    return PeerId(f"00000000-0000-4000-8000-{n:012}")


def test_a_whole_packet_is_reported_at_once(sightings: Sightings, told: Told) -> None:
    assert not sightings.hear("eth0", packet(ADA, "10.0.0.7", "fe80::7"), 1.0)
    endpoints = (Endpoint("10.0.0.7", 4000), Endpoint("fe80::7%2", 4000))
    assert told.seen_ == [Announcement(ADA, endpoints, {"tea": "tea"}, "Ada", 1)]


def test_the_same_again_is_reported_only_now_and_then(sightings: Sightings, told: Told) -> None:
    for now in (1.0, 1.2, 1.4, 12.0, 12.2):
        sightings.hear("eth0", packet(ADA, "10.0.0.7"), now)
    assert len(told.seen_) == 2


def test_a_changed_port_text_or_address_is_reported(sightings: Sightings, told: Told) -> None:
    sightings.hear("eth0", packet(ADA, "10.0.0.7"), 1.0)
    sightings.hear("eth0", [Text(ADA, txt.encode(["tea", "cake"]))], 1.1)
    sightings.hear("eth0", [Service(ADA, f"{ADA}.local.", 4001)], 1.2)
    sightings.hear("eth0", packet(ADA, "10.0.0.8"), 3.0)
    assert [(len(seen.rooms), seen.endpoints) for seen in told.seen_] == [
        (1, (Endpoint("10.0.0.7", 4000),)),
        (2, (Endpoint("10.0.0.7", 4000),)),
        (2, (Endpoint("10.0.0.7", 4001),)),
        (1, (Endpoint("10.0.0.8", 4000),)),
    ]


def test_records_that_come_one_by_one_make_one_peer(sightings: Sightings, told: Told) -> None:
    pointer, service, text, address = packet(ADA, "10.0.0.7")
    assert sightings.hear("eth0", [pointer], 1.0)
    assert sightings.hear("eth0", [service], 1.1)
    assert told.seen_ == []
    assert sightings.hear("eth0", [text], 1.2)
    assert told.seen_[-1].endpoints == ()
    assert not sightings.hear("eth0", [address], 1.3)
    assert told.seen_[-1].endpoints == (Endpoint("10.0.0.7", 4000),)


def test_a_peer_without_a_text_is_reported_once_it_was_asked_for_it(sightings: Sightings, told: Told) -> None:
    pointer, service, _, address = packet(ADA, "10.0.0.7")
    sightings.hear("eth0", [pointer, service, address], 1.0)
    asked = [sightings.to_ask_for("eth0", 8, 2.0) for _ in range(5)]
    assert asked == [[(ADA, f"{ADA}.local.")]] * 3 + [[]] * 2
    assert told.seen_ == [Announcement(ADA, (Endpoint("10.0.0.7", 4000),))]


def test_we_are_never_reported(sightings: Sightings, told: Told) -> None:
    sightings.set_own(ADA)
    sightings.hear("eth0", packet(ADA, "10.0.0.7"), 1.0)
    assert told.seen_ == []


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1",
        "0.0.0.0",
        "224.0.0.251",
        "10.0.0.255",
        "10.9.0.7",
        "8.8.8.8",
        "::1",
        "::ffff:10.0.0.7",
        "2001:db8::1",
        "ff02::1",
    ],
)
def test_an_address_that_is_not_on_its_link_leads_nowhere(sightings: Sightings, told: Told, ip: str) -> None:
    sightings.hear("eth0", packet(ADA, ip), 1.0)
    assert told.seen_[-1].endpoints == ()


@pytest.mark.parametrize("port", [0, 65536])
def test_a_port_that_is_none_leads_nowhere(sightings: Sightings, told: Told, port: int) -> None:
    sightings.hear("eth0", packet(ADA, "10.0.0.7", port=port), 1.0)
    assert told.seen_[-1].endpoints == ()


def test_two_peers_of_one_host_name_share_its_addresses(sightings: Sightings, told: Told) -> None:
    for uuid, ip in ((ADA, "10.0.0.7"), (BOB, "10.0.0.8")):
        sightings.hear(
            "eth0",
            [
                Pointer(uuid),
                Service(uuid, "laptop.local.", 4000),
                Text(uuid, TEA),
                Address("laptop.local.", ipaddress.ip_address(ip)),
            ],
            1.0,
        )
    assert {seen.uuid: len(seen.endpoints) for seen in told.seen_} == {ADA: 2, BOB: 1}


def test_a_peer_on_two_links_has_the_addresses_of_both(sightings: Sightings, told: Told) -> None:
    sightings.hear("eth0", packet(ADA, "10.0.0.7"), 1.0)
    sightings.hear("wlan0", packet(ADA, "10.9.0.7"), 3.0)
    assert told.seen_[-1].endpoints == (Endpoint("10.0.0.7", 4000), Endpoint("10.9.0.7", 4000))
    sightings.set_links({"wlan0": WLAN}, 4.0)
    assert told.seen_[-1].endpoints == (Endpoint("10.9.0.7", 4000),)
    assert told.gone_ == []


def test_a_goodbye_and_silence_end_a_peer_and_it_can_come_back(sightings: Sightings, told: Told) -> None:
    sightings.hear("eth0", packet(ADA, "10.0.0.7"), 1.0)
    sightings.hear("eth0", [Pointer(ADA, here=False)], 2.0)
    assert told.gone_ == [ADA]
    sightings.hear("eth0", packet(ADA, "10.0.0.7"), 3.0)
    assert len(told.seen_) == 2
    sightings.silence(122.9)
    assert told.gone_ == [ADA]
    sightings.silence(123.0)
    assert told.gone_ == [ADA, ADA]


def test_a_peer_that_falls_silent_is_asked_for_before_it_is_given_up(sightings: Sightings) -> None:
    sightings.hear("eth0", packet(ADA, "10.0.0.7"), 1.0)
    assert [bool(sightings.quiet("eth0", now)) for now in (90.0, 91.0)] == [False, True]
    assert not sightings.quiet("wlan0", 100.0)
    assert (sightings.is_alone("eth0"), sightings.is_alone("wlan0")) == (False, True)


def test_an_address_that_is_not_repeated_is_forgotten(sightings: Sightings, told: Told) -> None:
    sightings.hear("eth0", packet(ADA, "10.0.0.7", flush=False), 1.0)
    sightings.hear("eth0", packet(ADA, "10.0.0.8", flush=False), 100.0)
    assert len(told.seen_[-1].endpoints) == 2
    sightings.silence(122.0)
    assert told.seen_[-1].endpoints == (Endpoint("10.0.0.8", 4000),)


def test_a_flood_pushes_itself_out_and_neither_old_nor_new_peers(sightings: Sightings, told: Told) -> None:
    sightings.hear("eth0", packet(ADA, "10.0.0.7"), 1.0)
    for n in range(500):
        sightings.hear("eth0", packet(number(n), "10.0.0.66"), 2.0)
    sightings.hear("eth0", packet(BOB, "10.0.0.8"), 3.0)
    for n in range(500, 1000):
        sightings.hear("eth0", packet(number(n), "10.0.0.66"), 4.0)
    left = {seen.uuid for seen in told.seen_} - set(told.gone_)
    assert len(left) == 20
    assert {ADA, BOB} <= left


def test_a_flood_of_made_up_addresses_pushes_itself_out_too(sightings: Sightings, told: Told) -> None:
    """Each at an address of its own, which is on no link, or of the one /64 that everybody is in."""
    for n in range(60):
        sightings.hear("eth0", packet(number(n), f"8.8.8.{n}" if n % 2 else f"fe80::1:{n}"), 1.0)
        if n == 30:
            sightings.hear("eth0", packet(ADA, "10.0.0.7"), 1.0)
    assert len(told.seen_) == 61
    assert ADA not in told.gone_


def test_a_flood_of_bare_names_is_asked_for_a_few_at_a_time(sightings: Sightings, told: Told) -> None:
    for n in range(500):
        sightings.hear("eth0", [Pointer(number(n))], 1.0)
    assert len(sightings.to_ask_for("eth0", 8, 2.0)) == 8
    assert told.seen_ == told.gone_ == []


def test_a_host_with_thousands_of_addresses_keeps_a_few(sightings: Sightings, told: Told) -> None:
    sightings.hear("eth0", packet(ADA, *(f"10.0.0.{n}" for n in range(1, 255)), flush=False), 1.0)
    assert len(told.seen_[-1].endpoints) == 16


def test_a_listener_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Told):
        def seen(self, announcement: Announcement) -> None:
            super().seen(announcement)
            raise RuntimeError("broken on purpose")

        def gone(self, uuid: PeerId) -> None:
            super().gone(uuid)
            raise RuntimeError("broken on purpose")

    told = Broken()
    sightings = Sightings(told, Limits())
    for uuid in (ADA, BOB):
        sightings.hear("eth0", packet(uuid), 1.0)
    sightings.silence(200.0)
    assert (len(told.seen_), told.gone_) == (2, [ADA, BOB])
    assert len(caplog.records) == 4


def test_who_is_doubted_has_30_seconds_to_show_that_it_is_there(sightings: Sightings, told: Told) -> None:
    """After a sleep, or where the network has changed: what was heard before says little."""
    for link, uuid in (("eth0", ADA), ("eth0", BOB), ("wlan0", EVE)):
        sightings.hear(link, packet(uuid, "10.0.0.7" if link == "eth0" else "10.9.0.7"), 100.0)
    sightings.doubt({"eth0"}, 110.0)
    assert {uuid for uuid, _ in sightings.quiet("eth0", 110.0)} == {ADA, BOB}
    assert not sightings.quiet("wlan0", 110.0)
    sightings.hear("eth0", packet(BOB, "10.0.0.7"), 120.0)
    sightings.silence(139.0)
    assert told.gone_ == []
    sightings.silence(141.0)
    assert told.gone_ == [ADA]

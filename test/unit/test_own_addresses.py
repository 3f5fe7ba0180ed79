"""Which of our addresses others are told, and in which order."""

from __future__ import annotations

import ipaddress

import pytest

from cryptochat_lib.interfaces import Interface, is_inside
from cryptochat_lib.own_addresses import own_endpoints


def interface(name: str, *addresses: str, connected: bool = True) -> Interface:
    return Interface(name, 2, tuple(map(ipaddress.ip_interface, addresses)), connected)


def hosts(*interfaces: Interface, preferred: tuple[str, ...] = ()) -> list[str]:
    return [endpoint.host for endpoint in own_endpoints(interfaces, 4000, preferred)]


def test_link_local_ipv6_is_last_and_without_its_scope() -> None:
    assert hosts(interface("eth0", "fe80::5/64", "10.0.0.5/24", "fd00::5/64")) == [
        "10.0.0.5",
        "fd00::5",
        "fe80::5",
    ]


def test_what_is_inside_this_machine_comes_after_what_leads_out_of_it() -> None:
    docker, vpn = interface("docker0", "172.17.0.1/16"), interface("tun0", "10.8.0.2/24")
    found = hosts(docker, vpn, interface("wlan0", "10.0.0.5/24"), preferred=("10.8.0.2",))
    assert found == ["10.0.0.5", "10.8.0.2", "172.17.0.1"]


def test_the_way_to_the_rest_of_the_world_comes_first_and_a_cable_that_is_out_later() -> None:
    out, one, two = (
        interface("eth0", "10.0.0.5/24", connected=False),
        interface("eth1", "10.1.0.5/24"),
        interface("eth2", "10.2.0.5/24"),
    )
    assert hosts(out, one, two, preferred=("10.2.0.5",)) == ["10.2.0.5", "10.1.0.5", "10.0.0.5"]


def test_loopback_and_an_address_that_no_server_gave_are_there_but_late() -> None:
    found = hosts(interface("lo", "127.0.0.1/8"), interface("eth0", "169.254.7.7/16", "10.0.0.5/24"))
    assert found == ["10.0.0.5", "169.254.7.7", "127.0.0.1"]


def test_an_address_that_two_interfaces_have_is_named_once() -> None:
    assert hosts(interface("eth0", "10.0.0.5/24"), interface("wlan0", "10.0.0.5/24")) == ["10.0.0.5"]


@pytest.mark.parametrize(
    "name", ["docker0", "br-1f2e3d", "veth12ab", "virbr0", "tun0", "tap7", "wg0", "utun3"]
)
def test_bridges_to_containers_and_vpns_are_known_by_their_names(name: str) -> None:
    assert is_inside(name)


@pytest.mark.parametrize("name", ["eth0", "enp3s0", "wlan0", "wlp2s0", "br0", "bond0", "en0", "lo", "Wi-Fi"])
def test_an_interface_that_may_lead_out_is_not_taken_for_one(name: str) -> None:
    assert not is_inside(name)

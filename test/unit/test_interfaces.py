"""Which interfaces are chosen, and whose addresses are on their links."""

from __future__ import annotations

import errno
import ipaddress
import socket
from typing import NoReturn

import ifaddr
import pytest

from cryptochat_lib import interfaces
from cryptochat_lib.errors import UsageError
from cryptochat_lib.interfaces import Interface, announced_addresses, listen_hosts, on_link, present, select


def interface(name: str, index: int, *addresses: str) -> Interface:
    return Interface(name, index, tuple(map(ipaddress.ip_interface, addresses)))


LO = interface("lo", 1, "127.0.0.1/8", "::1/128")
ETH = interface("eth0", 2, "10.0.0.5/24", "192.0.2.9/32", "fd00::5/64", "fe80::5/64")
WLAN = interface("wlan0", 3, "172.16.0.5/30", "fe80::6/64")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interfaces, "_all", lambda: iter([LO, ETH, WLAN]))


@pytest.mark.usefixtures("machine")
class TestChoosing:
    def test_without_a_name_everything_counts_but_loopback(self) -> None:
        assert select([]) == [ETH, WLAN]

    def test_a_name_chooses_an_interface_with_all_its_addresses(self) -> None:
        assert select(["lo"]) == [LO]
        assert select(["wlan0", "eth0"]) == [ETH, WLAN]

    def test_an_address_chooses_its_interface_restricted_to_it(self) -> None:
        assert select(["127.0.0.1"]) == [interface("lo", 1, "127.0.0.1/8")]
        assert select(["FD00::5", "10.0.0.5"]) == [interface("eth0", 2, "10.0.0.5/24", "fd00::5/64")]
        assert select(["fe80::6%wlan0"]) == [interface("wlan0", 3, "fe80::6/64")]

    @pytest.mark.parametrize("name", ["eth9", "10.0.0.6", "", "eth", "10.0.0.0/24"])
    def test_an_unknown_name_is_an_error_that_says_what_there_is(self, name: str) -> None:
        with pytest.raises(UsageError, match=r"lo \(127\.0\.0\.1, ::1\), eth0 \(10\.0\.0\.5") as caught:
            select(["lo", name])
        assert f"--interface {name}:" in str(caught.value)

    def test_an_interface_that_has_gone_since_is_no_error(self) -> None:
        assert present(["eth9", "wlan0"]) == [WLAN]


def test_what_leads_out_of_this_machine_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many links are kept, and a machine with containers has dozens of interfaces."""
    there = [
        ifaddr.Adapter(name, name, [ifaddr.IP(ip, 24, name)], index=index)
        for index, (name, ip) in enumerate(
            (("docker0", "172.17.0.1"), ("wg0", "10.8.0.2"), ("eth0", "10.0.0.5"))
        )
    ]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: there)
    monkeypatch.setattr(interfaces, "_is_usable", lambda _host: True)
    assert [one.name for one in present()] == ["eth0", "docker0", "wg0"]


def test_without_a_descriptor_left_nothing_is_said_of_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else whoever fills our table of descriptors would make us leave the network."""

    def no_socket(*_: object) -> NoReturn:
        raise OSError(errno.EMFILE, "no descriptor is left")

    assert interfaces.is_here("127.0.0.1")
    assert not interfaces.is_here("192.0.2.77")
    monkeypatch.setattr(socket, "socket", no_socket)
    with pytest.raises(OSError, match="descriptor"):
        interfaces.is_here("127.0.0.1")


def test_this_machine_has_a_loopback_interface() -> None:
    (lo,) = select(["127.0.0.1"])
    assert lo.is_loopback
    assert listen_hosts([lo]) == ["127.0.0.1"]


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1",
        "10.0.0.5",
        "10.0.0.254",
        "192.0.2.9",
        "fd00::77",
        "fe80::77%eth0",
        "fe80::77%2",
        "172.16.0.6",
    ],
)
def test_an_address_of_a_subnet_is_on_its_link(host: str) -> None:
    assert on_link(host, [ETH, WLAN])


@pytest.mark.parametrize(
    "host",
    [
        "10.0.1.1",
        "8.8.8.8",
        "192.0.2.8",
        "fd01::1",
        "2001:db8::1",  # behind a router
        "127.0.0.1",
        "::1",
        "0.0.0.0",
        "::",  # this machine itself
        "10.0.0.0",
        "10.0.0.255",
        "172.16.0.7",
        "255.255.255.255",  # whole networks
        "224.0.0.251",
        "ff02::fb",
        "ff02::fb%2",  # groups
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "::10.0.0.1",  # IPv4 in disguise
        "fe80::77",
        "fe80::77%lo",
        "fe80::77%9",
        "fd00::77%3",  # no scope, or not the right one
        "",
        "localhost",
        "10.0.0.1:80",
        "10.0.0.1/24",
        "010.0.0.1",
        "10.1",
        "a" * 1000,
        "fe80::1%",
        "10.0.0.1%2",
    ],
)
def test_any_other_address_is_on_no_link(host: str) -> None:
    assert not on_link(host, [ETH, WLAN])


def test_loopback_is_on_link_only_where_it_was_chosen() -> None:
    assert on_link("127.0.0.1", [LO])
    assert on_link("::1", [LO])
    assert not on_link("127.0.0.1", select([]))


def test_listening_takes_every_address_with_the_scope_that_it_needs() -> None:
    assert listen_hosts([ETH]) == ["10.0.0.5", "192.0.2.9", "fd00::5", "fe80::5%2"]


def test_announced_addresses_have_no_scope_and_loopback_no_ipv6() -> None:
    assert announced_addresses(ETH) == ["10.0.0.5", "192.0.2.9", "fd00::5", "fe80::5"]
    assert announced_addresses(LO) == ["127.0.0.1"]

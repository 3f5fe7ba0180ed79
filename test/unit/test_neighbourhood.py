"""Who counts as next to us, and what an address means on our links."""

from __future__ import annotations

import time
from ipaddress import ip_interface

import pytest

from cryptochat_lib.interfaces import Interface
from cryptochat_lib.neighbourhood import Neighbourhood

ETH = Interface("eth0", 2, (ip_interface("10.0.0.5/24"), ip_interface("fe80::5/64")))
WLAN = Interface("wlan0", 3, (ip_interface("fe80::6/64"),))


@pytest.fixture
def neighbourhood() -> Neighbourhood:
    """Ours, on two links; the system is not asked."""
    made = Neighbourhood(())
    made._known = (time.monotonic() + 60, [ETH, WLAN])
    return made


@pytest.mark.parametrize(
    ("host", "places"),
    [
        ("10.0.0.9", ["10.0.0.9"]),
        ("192.0.2.1", ["192.0.2.1"]),
        ("2001:db8::1", ["2001:db8::1"]),
        ("fe80::9", ["fe80::9%2", "fe80::9%3"]),
        ("fe80::9%3", ["fe80::9%3"]),
        ("fe80::9%eth0", ["fe80::9%2"]),
        ("fe80::9%tun0", []),
    ],
)
def test_a_link_local_address_may_be_on_any_of_our_links(
    neighbourhood: Neighbourhood, host: str, places: list[str]
) -> None:
    assert neighbourhood.places(host) == places


def test_next_to_us_is_who_is_on_a_link_or_was_added_and_nobody_else(neighbourhood: Neighbourhood) -> None:
    assert neighbourhood.has("10.0.0.9")
    assert not neighbourhood.has("192.0.2.1")
    neighbourhood.expect(["192.0.2.1"])
    assert neighbourhood.has("192.0.2.1")
    assert neighbourhood.has("10.0.0.9")
    assert not neighbourhood.is_next_to("192.0.2.1")
    neighbourhood.expect([])
    assert not neighbourhood.has("192.0.2.1")

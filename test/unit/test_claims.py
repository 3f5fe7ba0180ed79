"""Whoever else announces our UUID: where, and only where that could be somebody else."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import pytest
from certificates import make_uuid

from cryptochat_lib.claims import Claims
from cryptochat_lib.interfaces import Interface
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Announcement, Endpoint, PeerId
from cryptochat_lib.resource_records import Address, Pointer, Record, Service

US = make_uuid()
ETH = Interface("eth0", 2, (ipaddress.ip_interface("10.0.0.5/24"), ipaddress.ip_interface("fe80::5/64")))


class Told:
    """A listener that writes down which claims it is told of."""

    def __init__(self) -> None:
        self.claims: list[Endpoint] = []

    def seen(self, announcement: Announcement) -> None:
        raise AssertionError("claims are about ourselves")

    def gone(self, uuid: PeerId) -> None:
        raise AssertionError("claims are about ourselves")

    def moved(self) -> None:
        raise AssertionError("claims are about ourselves")

    def claimed(self, own: PeerId, endpoints: Sequence[Endpoint]) -> None:
        assert own == US
        self.claims += endpoints


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def claims(told: Told) -> Claims:
    claims = Claims(told, Limits())
    claims.set_own(US, 4000)
    return claims


def packet(*ips: str, port: int = 4000, uuid: PeerId = US) -> list[Record]:
    host = f"{uuid}.local."
    addresses = [Address(host, ipaddress.ip_address(ip), True) for ip in ips]
    return [Pointer(uuid), Service(uuid, host, port), *addresses]


def test_our_own_words_are_no_claim(claims: Claims, told: Told) -> None:
    assert not claims.hear(ETH, packet("10.0.0.5", "fe80::5"), 1.0)
    assert not claims.hear(ETH, packet("10.0.0.7", uuid=make_uuid()), 1.0)
    assert told.claims == []


def test_another_address_or_another_port_is_a_claim(claims: Claims, told: Told) -> None:
    assert claims.hear(ETH, packet("10.0.0.7", "fe80::7"), 1.0)
    claims.hear(ETH, packet("10.0.0.5", port=4001), 2.0)
    assert told.claims == [
        Endpoint("10.0.0.7", 4000),
        Endpoint("fe80::7%2", 4000),
        Endpoint("10.0.0.5", 4001),
    ]


@pytest.mark.parametrize("ip", ["127.0.0.1", "0.0.0.0", "8.8.8.8", "10.0.0.255", "::1", "2001:db8::1"])
def test_a_claim_to_be_off_the_link_is_none(claims: Claims, told: Told, ip: str) -> None:
    assert not claims.hear(ETH, packet(ip, port=9080), 1.0)
    assert told.claims == []


def test_the_same_claim_is_told_of_now_and_then(claims: Claims, told: Told) -> None:
    for now in (1.0, 2.0, 20.0, 29.0, 40.0, 50.0):
        claims.hear(ETH, packet("10.0.0.7"), now)
    assert len(told.claims) == 2


def test_a_flood_of_claims_is_answered_once_in_a_while_and_remembered_in_part(claims: Claims) -> None:
    answers = [claims.hear(ETH, packet("10.0.0.7", port=1 + n), 1.0 + n / 1000) for n in range(5000)]
    assert sum(answers) == 1
    assert len(claims._heard) == 16

"""Signed peer records: what is made is read, and nothing else is; docs/vectors has one fault in each."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback_peer import OwnCertificate
from signed_records import signed

from cryptochat_lib import peer_record
from cryptochat_lib.errors import BadRequest
from cryptochat_lib.identity import Identity
from cryptochat_lib.model import Endpoint

HOSTS = ["fe80::5%2", "192.168.1.5", "2001:db8::5", *(f"10.0.0.{n}" for n in range(9))]
GOOD = base64.b64decode(signed(OwnCertificate(), Endpoint("10.0.0.2", 4000)))


def test_our_own_record_is_read_by_others(identity: Identity) -> None:
    made = peer_record.make(identity, HOSTS[:3], 4242, 1_795_418_354_849)
    assert peer_record.parse(made.text) == made
    assert made.uuid == identity.certificate.uuid
    assert [str(endpoint) for endpoint in made.endpoints()] == ["192.168.1.5:4242", "[2001:db8::5]:4242"]


def test_eight_addresses_and_link_local_ones_last(identity: Identity) -> None:
    made = peer_record.make(identity, HOSTS, 4242, 0)
    assert len(made.addresses) == peer_record.MOST_ADDRESSES
    assert str(made.addresses[0]) == "192.168.1.5"
    few = peer_record.make(identity, HOSTS[:2], 4242, 0)
    assert [str(address) for address in few.addresses] == ["192.168.1.5", "fe80::5"]


def test_a_link_local_address_counts_only_on_the_link_on_which_its_owner_said_it(identity: Identity) -> None:
    record = peer_record.parse(peer_record.make(identity, HOSTS[:1], 4242, 0).text)
    assert record.endpoints() == ()
    assert record.endpoints("7") == (Endpoint("fe80::5%7", 4242),)


@given(st.one_of(st.text(), st.binary().map(lambda data: base64.b64encode(data).decode())))
def test_whatever_the_text_is_it_is_no_record(text: str) -> None:
    with pytest.raises(BadRequest):
        peer_record.parse(text)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_no_changed_byte_is_unnoticed(at: int, change: int) -> None:
    data = bytearray(GOOD)
    data[at] ^= change
    with pytest.raises(BadRequest):
        peer_record.parse(base64.b64encode(data).decode())


@given(st.integers(0, len(GOOD) - 1))
def test_no_cut_is_unnoticed(length: int) -> None:
    with pytest.raises(BadRequest):
        peer_record.parse(base64.b64encode(GOOD[:length]).decode())


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "0.1.2.3", "240.0.0.1", "224.0.0.1", "::", "ff02::1", "::ffff:10.0.0.2"]
)
def test_an_address_of_no_single_machine_makes_a_record_invalid(host: str) -> None:
    with pytest.raises(BadRequest):
        peer_record.parse(signed(OwnCertificate(), Endpoint(host, 4000)))

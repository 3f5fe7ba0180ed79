"""Contact codes: what is written is read back, and no slip on the way makes another of one."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import uuid
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cryptochat_lib import contact_code, identity, options
from cryptochat_lib.contact_code import ContactCode, parse, parse_address
from cryptochat_lib.errors import BadRequest, CryptoChatError, DamagedCode, NewerCode
from cryptochat_lib.model import Certificate

KEY = b"a public key"
ADA = Certificate(identity.self_proving_id(KEY), b"", KEY)
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

addresses = st.ip_addresses().filter(contact_code._fits_a_code)
codes = st.builds(
    ContactCode,
    st.binary(min_size=32, max_size=32),
    st.lists(addresses, max_size=8, unique=True).map(tuple),
    st.integers(1, 65535),
)
CODE = ContactCode.of(ADA, ["192.168.1.5", "fe80::5%eth0"], 4242)


@given(codes)
def test_what_is_written_is_read_back(code: ContactCode) -> None:
    assert parse(code.encode()) == code
    assert parse(code.encode().upper()) == code
    assert parse(code.link()) == code


@given(codes, st.data())
def test_a_changed_character_is_forgiven_or_damage_and_never_another_code(
    code: ContactCode, data: st.DataObject
) -> None:
    text = code.encode()
    place = data.draw(st.integers(len(contact_code.PREFIX), len(text) - 1))
    put = data.draw(st.sampled_from(BASE32) | st.characters())
    _is_this_or_damaged(text[:place] + put + text[place + 1 :], code)


def test_each_single_letter_of_a_code_is_guarded() -> None:
    text = CODE.encode()
    for place in range(len(contact_code.PREFIX), len(text)):
        for put in BASE32 + "0189-= ":
            _is_this_or_damaged(text[:place] + put + text[place + 1 :], CODE)


def _is_this_or_damaged(text: str, code: ContactCode) -> None:
    with suppress(DamagedCode):
        assert parse(text) == code


def test_a_slip_in_the_first_letter_is_damage_and_no_newer_version() -> None:
    text = CODE.encode().removeprefix(contact_code.PREFIX)
    for put in BASE32.replace(text[0], ""):
        with pytest.raises(DamagedCode):
            parse(contact_code.PREFIX + put + text[1:])


@given(st.text(max_size=400) | st.text(BASE32 + "cryptochat:#ad= -%[]", max_size=400))
@example(contact_code.PREFIX + "\u0130" * 9)
@example("#add=\ud800")
@example("[::1%" + "x" * 500 + "]:1")
def test_nothing_but_our_own_errors_comes_of_any_text(text: str) -> None:
    for read in (parse, parse_address, lambda text: parse(contact_code.PREFIX + text)):
        with suppress(CryptoChatError):
            read(text)


@given(st.binary(max_size=200))
def test_a_right_check_sum_around_anything_is_read_in_one_way_or_refused(inner: bytes) -> None:
    """Trailing bytes, half addresses, impossible ports: who can sum can write all of these."""
    raw = b"\x01" + inner + hashlib.sha256(b"CryptoChat contact code\x01" + inner).digest()[:4]
    text = contact_code.PREFIX + base64.b32encode(raw).decode().rstrip("=")
    with suppress(BadRequest):
        assert parse(text).encode() == text


def test_a_code_names_its_key_and_no_other() -> None:
    bob = Certificate(identity.self_proving_id(b"another key"), b"", b"another key")
    assert CODE.uuid == ADA.uuid
    assert CODE.names(ADA)
    assert not CODE.names(bob)


def test_the_right_key_under_another_uuid_is_not_whom_a_code_names() -> None:
    assert not CODE.names(Certificate(str(uuid.uuid4()), b"", KEY))  # type: ignore[arg-type]


def test_a_uuid_announced_with_another_key_is_not_whom_a_code_names() -> None:
    assert not CODE.names(Certificate(ADA.uuid, b"", b"another key"))


def test_a_code_is_made_of_the_first_usable_addresses_without_scope_link_local_ones_last() -> None:
    hosts = [
        "fe80::5%eth0",
        "0.0.0.0",
        "192.168.1.5",
        "fe80::5%eth1",
        "192.168.1.5",
        "::ffff:10.0.0.1",
        "::1",
    ]
    made = ContactCode.of(ADA, hosts, 1)
    assert [str(address) for address in made.addresses] == ["192.168.1.5", "::1", "fe80::5"]
    assert [str(one) for one in made.endpoints] == ["192.168.1.5:1", "[::1]:1", "[fe80::5]:1"]
    many = ContactCode.of(ADA, ["fe80::5", *(f"10.0.0.{n}" for n in range(1, 20))], 1)
    assert [str(address) for address in many.addresses] == [f"10.0.0.{n}" for n in range(1, 9)]


@pytest.mark.parametrize(
    ("key_hash", "hosts", "port"),
    [
        (b"x" * 31, [], 1),
        (b"x" * 32, [], 0),
        (b"x" * 32, [], 65536),
        (b"x" * 32, ["10.0.0.1"] * 2, 1),
        (b"x" * 32, ["224.0.0.251"], 1),
        (b"x" * 32, ["fe80::5%eth0"], 1),
        (b"x" * 32, [f"10.0.0.{n}" for n in range(9)], 1),
    ],
)
def test_a_code_that_exists_is_valid(key_hash: bytes, hosts: list[str], port: int) -> None:
    with pytest.raises(BadRequest):
        ContactCode(key_hash, tuple(map(ipaddress.ip_address, hosts)), port)


def test_a_code_of_a_later_version_says_so_whatever_else_it_holds() -> None:
    raw = b"\x02what we do not know"
    text = base64.b32encode(raw + hashlib.sha256(b"CryptoChat contact code" + raw).digest()[:4]).decode()
    with pytest.raises(NewerCode):
        parse(contact_code.PREFIX + text.rstrip("="))


def test_the_longest_code_has_room_for_a_space_after_each_letter() -> None:
    longest = ContactCode(b"\xff" * 32, tuple(ipaddress.ip_address(f"fe80::{n}") for n in range(8)), 65535)
    assert parse(" ".join(longest.encode()) + "\r\n") == longest


def test_a_link_leads_to_the_page_of_whoever_reads_it() -> None:
    assert CODE.link() == f"http://{options.parse([]).uiaddr}/#add={CODE.encode()}"


def test_an_address_a_code_and_a_link_are_told_apart() -> None:
    with pytest.raises(BadRequest, match="this is an address"):
        parse("[fe80::5%eth0]:4242")
    for text in (CODE.encode(), CODE.link()):
        with pytest.raises(BadRequest, match="if it is a contact code"):
            parse_address(text)
    with pytest.raises(BadRequest, match="address of a page"):
        parse_address("http://192.168.1.5:9080/")


@given(addresses, st.integers(1, 65535))
def test_an_address_that_is_shown_can_be_typed(address: contact_code.Address, port: int) -> None:
    shown = f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
    assert str(parse_address(shown)) == shown

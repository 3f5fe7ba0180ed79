"""The nouns are valid once they exist."""

from __future__ import annotations

import pytest
from certificates import make_certificate, make_der, make_uuid
from hypothesis import given
from hypothesis import strategies as st

from cryptochat_lib.errors import BadRequest
from cryptochat_lib.model import (
    Certificate,
    Endpoint,
    KnownKey,
    PeerId,
    Trust,
    clean_username,
    parse_peer_id,
    parse_room_name,
    trust_of,
)

UUID = "0704411d-699b-4cc0-9a55-6d9b2f1c0a11"


def test_a_uuid_in_canonical_form_is_a_peers_id() -> None:
    assert parse_peer_id(UUID) == UUID


@pytest.mark.parametrize(
    "text",
    [
        "",
        UUID.upper(),
        UUID.replace("-", ""),
        "{" + UUID + "}",
        f"urn:uuid:{UUID}",
        UUID + "\n",
        " " + UUID,
        UUID[:-1],
        UUID + "0",
        UUID.replace("0", "g"),
        UUID.replace("0", "\u0660"),
    ],
)
def test_another_spelling_of_a_uuid_is_no_id(text: str) -> None:
    with pytest.raises(BadRequest):
        parse_peer_id(text)


def test_two_spellings_of_one_character_are_one_room() -> None:
    assert parse_room_name("cafe\u0301") == parse_room_name("caf\u00e9")


@pytest.mark.parametrize(
    "name", ["tea", "a/b", "../..", "%2F", "\u8336", "\U0001f375" * 25, " ", "a b", "room=x", "\u202e"]
)
def test_a_rooms_name_may_have_any_printable_character(name: str) -> None:
    assert parse_room_name(name) == name


@pytest.mark.parametrize("name", ["", "a\nb", "\0", "a\x7f", "\x85", "\ud800"])
def test_a_rooms_name_is_not_empty_and_has_no_control_characters(name: str) -> None:
    with pytest.raises(BadRequest):
        parse_room_name(name)


def test_a_rooms_name_of_100_bytes_and_one_more() -> None:
    assert parse_room_name("\u00e9" * 50)
    with pytest.raises(BadRequest):
        parse_room_name("\u00e9" * 50 + "x")


def test_a_rooms_name_that_is_too_long_in_either_form_is_refused() -> None:
    """Both forms travel: what a peer announced, and what we hold."""
    with pytest.raises(BadRequest):
        parse_room_name("e\u0301" * 34)  # 102 bytes, 68 as NFC
    with pytest.raises(BadRequest):
        parse_room_name("\U0001d15e" * 25)  # 100 bytes, 200 as NFC: a composition exclusion


@given(st.text(st.characters()))
def test_any_text_is_a_room_or_refused(text: str) -> None:
    try:
        name = parse_room_name(text)
    except BadRequest:
        return
    assert parse_room_name(name) == name
    assert len(name.encode()) <= 100


@given(st.text(st.characters()), st.integers(1, 20))
def test_a_cleaned_name_can_be_shown_and_is_clean_already(text: str, most: int) -> None:
    name = clean_username(text, most)
    assert len(name) <= most
    assert clean_username(name, most) == name
    assert name.isprintable() or name.encode()


def test_an_endpoint_is_written_as_in_a_url() -> None:
    assert str(Endpoint("10.0.0.1", 80)) == "10.0.0.1:80"
    assert str(Endpoint("fe80::1%2", 80)) == "[fe80::1%2]:80"


def test_a_certificate_is_its_bytes_not_its_name() -> None:
    assert make_certificate(UUID) != make_certificate(UUID)


def test_fingerprints_are_those_that_openssl_shows() -> None:
    nothing = Certificate(PeerId(UUID), b"", b"")
    assert nothing.fingerprint == "da39a3ee5e6b4b0d3255bfef95601890afd80709"
    assert nothing.fingerprint_sha256 == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert len(make_der(UUID)) > 100


V, U, R = Trust.VERIFIED, Trust.UNVERIFIED, Trust.REJECTED


@pytest.mark.parametrize(
    ("trusts", "shown"),
    [
        ([], "unverified"),
        ([U], "unverified"),
        ([V], "verified"),
        ([R], "rejected"),
        ([R, R], "rejected"),
        ([U, U], "changed"),
        ([U, V], "verified"),
        ([V, R], "verified"),
        ([U, R], "unverified"),
        ([U, U, R], "changed"),
    ],
)
def test_a_person_is_shown_as(trusts: list[Trust], shown: str) -> None:
    uuid = make_uuid()
    keys = [KnownKey(make_certificate(uuid), trust, "", 0, 0) for trust in trusts]
    assert trust_of(keys) == shown


@pytest.mark.parametrize("mark", "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_marks_that_turn_the_direction_of_writing_are_taken_out_of_names(mark: str) -> None:
    """Or "Bob" would be shown for what is not Bob's name."""
    assert clean_username(f"a{mark}doB{mark}", 64) == "adoB"

"""The TXT record: what we announce is read back, and hostile records are harmless."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptochat_lib import txt
from cryptochat_lib.errors import TooManyRooms
from cryptochat_lib.limits import Limits

LIMITS = Limits()


def record(*strings: bytes) -> bytes:
    return b"".join(bytes([len(string)]) + string for string in strings)


def test_what_is_announced_is_read_back() -> None:
    raw = txt.encode(["tea room", "Küche", "a=b"], "Ada")
    assert txt.parse(raw) == ({"tea room": "tea room", "Küche": "Küche", "a=b": "a=b"}, "Ada", 1)


def test_the_seed_finds_every_room_with_its_own_expression() -> None:
    raw = txt.encode(["tea room", "50%/é"], "room=nothing")
    strings = []
    while raw:
        strings.append(raw[1 : 1 + raw[0]].decode())
        raw = raw[1 + raw[0] :]
    matches = [re.match("^room=(.+)$", string) for string in strings]
    assert [match[1] for match in matches if match] == ["tea room", "50%/é"]


def test_without_a_room_there_is_no_room_string() -> None:
    assert txt.encode([]) == record(b"v=1")


def test_a_record_of_the_seed_has_version_0_and_no_name() -> None:
    assert txt.parse(record(b"room=tea")) == ({"tea": "tea"}, None, 0)
    assert txt.parse(b"") == ({}, None, 0)
    assert txt.parse(b"\0") == ({}, None, 0)


def test_a_room_is_keyed_by_its_nfc_and_keeps_the_announced_form() -> None:
    assert txt.parse(record(b"room=cafe\xcc\x81")).rooms == {"caf\u00e9": "cafe\u0301"}


def test_of_two_forms_of_one_room_the_first_counts() -> None:
    assert txt.parse(record(b"room=caf\xc3\xa9", b"room=cafe\xcc\x81")).rooms == {"caf\u00e9": "caf\u00e9"}


def test_our_keys_have_any_case_and_the_first_counts_but_room_is_exact() -> None:
    raw = record(b"V=2", b"v=9", b"NAME=Ada", b"name=Mallory", b"ROOM=tea", b"Room=tea")
    assert txt.parse(raw) == ({}, "Ada", 2)


@pytest.mark.parametrize(
    "string",
    [
        b"",
        b"=",
        b"=tea",
        b"room",
        b"room=",
        b"room=\xff\xfe",
        b"room=a\nb",
        b"room=a\0b",
        b"room=" + b"x" * 101,
        b"rooms=tea",
        b" room=tea",
        b"color=red",
        b"v",
        b"v=",
        b"v=x",
        b"v=-1",
        b"v=1_0",
        b"v=99999",
        "v=١".encode(),
        b"name",
        b"name=",
        b"name=\n",
        b"name=\xff",
        b"name=   ",
    ],
)
def test_a_string_that_is_not_of_our_form_is_left_out(string: bytes) -> None:
    assert txt.parse(record(string, b"room=tea")) == ({"tea": "tea"}, None, 0)


def test_a_record_that_is_cut_off_keeps_what_is_whole() -> None:
    assert txt.parse(record(b"room=tea", b"room=coffee")[:-1]).rooms == {"tea": "tea"}
    assert txt.parse(b"\xff").rooms == {}


def test_control_characters_are_taken_out_of_a_name_and_it_is_cut() -> None:
    assert txt.parse(record(b"name=A\x1b[2Jda\x00")).name == "A[2Jda"
    assert txt.parse(record(b"name=" + b"x" * 200)).name == "x" * LIMITS.username_characters


def test_thousands_of_announced_rooms_cost_bounded_memory() -> None:
    assert len(txt.parse(record(*(b"room=%d" % number for number in range(5000)))).rooms) == 64


def test_sixteen_rooms_fit_and_one_more_does_not() -> None:
    rooms = [f"room {number}" for number in range(17)]
    assert txt.fits(rooms[:16])
    assert len(txt.parse(txt.encode(rooms[:16], "Ada")).rooms) == 16
    assert not txt.fits(rooms)
    with pytest.raises(TooManyRooms):
        txt.encode(rooms)


def test_1200_bytes_fit_and_one_more_does_not() -> None:
    longest = [f"{number:02}".ljust(100, "x") for number in range(11)]  # 106 bytes each, and v=1 has 4
    full = [*longest, "y" * (1200 - 4 - 11 * 106 - 6)]
    assert txt.fits(full)
    assert len(txt.encode(full)) == 1200
    assert not txt.fits([*longest, full[-1] + "y"])
    with pytest.raises(TooManyRooms):
        txt.encode([*longest, full[-1] + "y"])


def test_a_long_name_never_keeps_anyone_out_of_a_room() -> None:
    full = [f"{number:02}".ljust(100, "x") for number in range(11)]
    raw = txt.encode(full, "€" * 64)
    assert len(raw) <= 1200
    assert len(txt.parse(raw).rooms) == 11
    assert set(txt.parse(raw).name or "") == {"€"}, "cut between two characters"


def test_a_name_is_cut_to_one_string_of_255_bytes() -> None:
    raw = txt.encode([], "\U0001f600" * 64)
    assert raw == record(b"v=1", b"name=" + ("\U0001f600" * 62).encode())


@given(st.binary(max_size=400))
def test_any_bytes_are_read_without_an_error(raw: bytes) -> None:
    rooms, name, version = txt.parse(raw)
    assert all(1 <= len(room.encode()) <= 100 for room in rooms)
    assert name is None or 0 < len(name) <= 64
    assert version >= 0

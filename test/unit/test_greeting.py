"""The body of a greeting: parsed strictly and within bounds, or refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryptochat_lib import greeting
from cryptochat_lib.errors import BadRequest, CryptoChatError, TooLarge
from cryptochat_lib.greeting import Greeting, PassedOn
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import RoomName

LIMITS = Limits()
TEA, CAFE = RoomName("tea"), RoomName("caf\u00e9")
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=9)
JSON = VALUES | st.lists(VALUES | st.dictionaries(st.sampled_from(["record", "rooms"]), VALUES), max_size=3)
FIELDS = ("time", "name", "rooms", "record", "records", "heard", "reach", "leaving")


def parsed(**fields: Any) -> Greeting:
    return greeting.parse(json.dumps({"time": 5, **fields}).encode(), LIMITS)


def test_what_one_says_the_other_reads() -> None:
    said = Greeting(
        time=1_795_418_354_849,
        rooms={TEA: "tea", CAFE: "cafe\u0301"},
        name="Ada",
        record="AQAA",
        records=(PassedOn("AQAB", {TEA: "tea"}),),
        heard=True,
        reach="timed-out",
    )
    for one in (said, Greeting(time=0), Greeting(time=1, leaving=True)):
        assert greeting.parse(greeting.dump(one), LIMITS) == one


def test_unknown_fields_are_ignored_and_all_but_the_time_may_be_left_out() -> None:
    assert parsed(colour="red") == Greeting(time=5)
    for wrong in ({"time": True}, {"time": -1}, {"time": 2**53 + 1}, {"time": "5"}, {"time": 5.0}):
        with pytest.raises(BadRequest):
            parsed(**wrong)
    with pytest.raises(BadRequest):
        greeting.parse(b"{}", LIMITS)


def test_a_room_that_is_none_is_left_out_and_a_name_is_cleaned() -> None:
    said = parsed(rooms=["tea", "", "a\u0000b", 5, "x" * 101, "tea"], name="A\u202eda\n", reach="x" * 33)
    assert (said.rooms, said.name, said.reach) == ({TEA: "tea"}, "Ada", None)
    assert parsed(name="\n").name is None
    assert len(parsed(rooms=[f"room {n}" for n in range(65)]).rooms) == 64


@pytest.mark.parametrize("field", ["name", "rooms", "record", "records", "reach"])
def test_a_field_of_another_kind_is_refused(field: str) -> None:
    with pytest.raises(BadRequest):
        parsed(**{field: 5})


@pytest.mark.parametrize("one", [5, {}, {"record": 5}, {"record": "AQAA", "rooms": "tea"}])
def test_a_record_of_a_third_person_is_an_object_of_that_form(one: object) -> None:
    with pytest.raises(BadRequest):
        parsed(records=[one])


def test_32_records_of_others_and_one_more() -> None:
    assert len(parsed(records=[{"record": "AQAA"}] * 32).records) == 32
    with pytest.raises(TooLarge):
        parsed(records=[{"record": "AQAA"}] * 33)


def test_a_body_of_64_kib_and_one_byte_more() -> None:
    least = len(greeting.dump(Greeting(time=0, record="")))
    whole = Greeting(time=0, record="x" * (LIMITS.greeting_bytes - least))
    assert greeting.parse(greeting.dump(whole), LIMITS) == whole
    with pytest.raises(TooLarge):
        greeting.parse(greeting.dump(replace(whole, record="x" + (whole.record or ""))), LIMITS)


@settings(max_examples=50)
@given(
    st.binary(max_size=20)
    | st.dictionaries(st.sampled_from(FIELDS), JSON).map(lambda v: json.dumps({"time": 5, **v}).encode())
)
def test_whatever_the_bytes_are_it_is_a_greeting_or_an_error_with_a_status(body: bytes) -> None:
    status = 200
    try:
        greeting.parse(body, LIMITS)
    except CryptoChatError as error:
        status = error.status
    assert status in (200, 400, 413)

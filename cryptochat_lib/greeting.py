"""What two verified peers say to each other of themselves: the body of `POST /v1/presence`, and its answer.

Both have one form. Pure, like `wire`: whatever the bytes are, `parse` returns a valid value or
raises a `CryptoChatError`. What is strange in one room or one record is left out, and the rest
counts, as with an announcement; records are still text here, and nobody has checked them (`peer_record`).
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any

from . import json_object
from .errors import BadRequest, TooLarge
from .limits import Limits
from .model import RoomName, clean_username, parse_room_name

_MOST_ROOMS = 64  # as of a TXT record
_MOST_REASON = 32
_LATEST_TIME = 2**53


@dataclass(frozen=True)
class PassedOn:
    """The record of a third person, and the rooms in which the sender knows that person."""

    record: str
    rooms: dict[RoomName, str]


@dataclass(frozen=True)
class Greeting:
    """What one side says. `time`: its clock, in milliseconds since 1970.

    `heard`: it hears the other's announcement now. `reach`: its last try to connect to the other; None,
    "answered" or one of `attempts.REASONS`. `leaving`: it ends.
    """

    time: int
    rooms: dict[RoomName, str] = field(default_factory=dict)
    name: str | None = None
    record: str | None = None
    records: tuple[PassedOn, ...] = ()
    heard: bool = False
    reach: str | None = None
    leaving: bool = False


def dump(greeting: Greeting) -> bytes:
    """`greeting` as a body."""
    fields: dict[str, Any] = {
        "time": greeting.time,
        "rooms": list(greeting.rooms.values()),
        "heard": greeting.heard,
        "reach": greeting.reach,
        "record": greeting.record,
        "records": [{"record": one.record, "rooms": list(one.rooms.values())} for one in greeting.records],
    }
    if greeting.name is not None:
        fields["name"] = greeting.name
    if greeting.leaving:
        fields["leaving"] = True
    return json_object.dump(fields)


def parse(body: bytes, limits: Limits) -> Greeting:
    """The greeting that `body` is. BadRequest, TooLarge. Unknown fields are ignored."""
    if len(body) > limits.greeting_bytes:
        raise TooLarge(f"a greeting is at most {limits.greeting_bytes} bytes")
    fields = json_object.parse_object(body, limits)
    time = fields.get("time")
    if type(time) is not int or not 0 <= time <= _LATEST_TIME:
        raise BadRequest("“time” must be milliseconds since 1970")
    name, record, reach = (_text(fields, key) for key in ("name", "record", "reach"))
    records = _list(fields, "records")
    if len(records) > limits.greeting_records:
        raise TooLarge(f"a greeting has at most {limits.greeting_records} records of others")
    return Greeting(
        time=time,
        rooms=_rooms(fields),
        name=None if name is None else clean_username(name, limits.username_characters) or None,
        record=record,
        records=tuple(_passed_on(one) for one in records),
        heard=fields.get("heard") is True,
        reach=reach if reach is None or len(reach) <= _MOST_REASON else None,
        leaving=fields.get("leaving") is True,
    )


def _text(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise BadRequest(f"“{name}” must be a string")
    return value


def _list(fields: dict[str, Any], name: str) -> list[Any]:
    value = fields.get(name, [])
    if not isinstance(value, list):
        raise BadRequest(f"“{name}” must be a list")
    return value


def _rooms(fields: dict[str, Any]) -> dict[RoomName, str]:
    """Each room with the form that the sender gave it. What can be no room's name is left out."""
    rooms: dict[RoomName, str] = {}
    for form in _list(fields, "rooms")[:_MOST_ROOMS]:
        with contextlib.suppress(BadRequest):
            if isinstance(form, str):
                rooms.setdefault(parse_room_name(form), form)
    return rooms


def _passed_on(fields: object) -> PassedOn:
    if not isinstance(fields, dict):
        raise BadRequest("each of “records” is an object")
    return PassedOn(json_object.text_field(fields, "record"), _rooms(fields))

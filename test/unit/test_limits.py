"""Each limit that a pure function, or one part alone, enforces: at the limit, and one past it.

Beside it, in one test for each, stand those with a story: of a message's parts in
`test_wire`, of strangers in `test_verification`, of connections in
`test_connections`, of rates in `test_rates`.
"""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest

from cryptochat_lib import guard, json_object, txt, wire
from cryptochat_lib.errors import BadRequest, CryptoChatError, HeadTooLarge, TooLarge, TooManyRooms
from cryptochat_lib.http_head import parse_head
from cryptochat_lib.limits import KIB, MIB, Limits
from cryptochat_lib.model import ROOM_NAME_BYTES, Message, PeerId, RoomName, parse_room_name

LIMITS = Limits()


def refused_with(error: type[CryptoChatError], function: object, *args: object) -> None:
    assert callable(function)
    with pytest.raises(error):
        function(*args)


def test_the_limits_are_those_of_the_contract() -> None:
    assert (LIMITS.content_bytes, LIMITS.username_characters) == (64 * KIB, 64)
    assert (LIMITS.head_bytes, LIMITS.head_fields, LIMITS.body_bytes) == (16 * KIB, 100, MIB)
    assert (LIMITS.request_seconds, LIMITS.gate_seconds) == (30, 120)
    assert (LIMITS.gate_waiting, LIMITS.gate_waiting_for_one_key) == (8, 1)
    assert (LIMITS.peer_connections, LIMITS.peer_connections_of_one_address) == (256, 32)
    assert LIMITS.peer_connections - LIMITS.peer_connections_unverified == 128
    assert (LIMITS.joined_rooms, LIMITS.txt_bytes, ROOM_NAME_BYTES) == (16, 1200, 100)
    assert (LIMITS.rate_messages_per_second, LIMITS.rate_bytes_per_second) == (5000, 16 * MIB)
    assert LIMITS.rate_window_seconds == 10
    assert (LIMITS.unverified_keys, LIMITS.unverified_keys_of_one_address) == (256, 8)
    assert (LIMITS.queued_for_one_recipient, LIMITS.queued_seconds) == (10_000, 30 * 86_400)
    assert LIMITS.queued_unverified_seconds == 86_400
    assert LIMITS.free_disk_bytes == 200 * MIB
    assert (LIMITS.history_default, LIMITS.history_most) == (50, 500)
    assert LIMITS.sse_comment_seconds <= 15
    assert LIMITS.open_code_seconds == 60


def test_limits_fit_each_other() -> None:
    assert LIMITS.reply_seconds > LIMITS.gate_seconds  # the other side may hold our request at its gate
    assert LIMITS.idle_seconds > LIMITS.request_seconds
    # One message of the largest content fits one body, however much JSON makes of it.
    assert LIMITS.body_bytes > 6 * LIMITS.content_bytes + 6 * LIMITS.username_characters + KIB
    assert LIMITS.events_bytes > 6 * LIMITS.content_bytes


def test_limits_are_handed_in_and_never_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        LIMITS.body_bytes = 5  # type: ignore[misc]
    assert all(getattr(LIMITS, field.name) > 0 for field in fields(Limits))


def test_content() -> None:
    wire.parse_content({"content": "x" * LIMITS.content_bytes}, LIMITS)
    refused_with(TooLarge, wire.parse_content, {"content": "x" * (LIMITS.content_bytes + 1)}, LIMITS)


def test_a_username() -> None:
    wire.parse_username("x" * LIMITS.username_characters, LIMITS)
    refused_with(BadRequest, wire.parse_username, "x" * (LIMITS.username_characters + 1), LIMITS)


def test_a_rooms_name() -> None:
    parse_room_name("x" * ROOM_NAME_BYTES)
    refused_with(BadRequest, parse_room_name, "x" * (ROOM_NAME_BYTES + 1))


def test_the_fields_of_a_head() -> None:
    parse_head(b"GET / HTTP/1.1" + b"\r\nX: y" * LIMITS.head_fields, LIMITS)
    refused_with(HeadTooLarge, parse_head, b"GET / HTTP/1.1" + b"\r\nX: y" * (LIMITS.head_fields + 1), LIMITS)


def test_the_length_of_a_body() -> None:
    def check(length: int) -> int:
        head = (
            f"PUT / HTTP/1.1\r\nHost: [::1]:1\r\nContent-Type: application/json\r\nContent-Length: {length}"
        )
        return guard.check(parse_head(head.encode(), LIMITS), guard.own_hosts("::1", 1), LIMITS.body_bytes)

    assert check(LIMITS.body_bytes) == LIMITS.body_bytes
    refused_with(TooLarge, check, LIMITS.body_bytes + 1)


def test_the_depth_of_json() -> None:
    def nested(depth: int) -> bytes:
        return b'{"a":' * depth + b"1" + b"}" * depth

    json_object.parse_object(nested(LIMITS.json_depth), LIMITS)
    refused_with(BadRequest, json_object.parse_object, nested(LIMITS.json_depth + 1), LIMITS)


def test_joined_rooms() -> None:
    rooms = [f"r{n}" for n in range(LIMITS.joined_rooms)]
    assert txt.fits(rooms, LIMITS)
    assert not txt.fits([*rooms, "one more"], LIMITS)
    refused_with(TooManyRooms, txt.encode, [*rooms, "one more"])


def test_the_bytes_of_an_announcement() -> None:
    """`v=1` takes 4 bytes, a room its name and 6 more."""
    rooms = [f"{n:x}" * 100 for n in range(11)]
    room_for = LIMITS.txt_bytes - 4 - 11 * 106 - 6
    assert txt.fits([*rooms, "x" * room_for], LIMITS)
    assert not txt.fits([*rooms, "x" * (room_for + 1)], LIMITS)


def test_what_we_send_in_one_batch_fits_one_body() -> None:
    """The largest messages, of the signs that JSON makes most of."""
    messages = [
        Message(
            n,
            RoomName("r"),
            "\0" * LIMITS.content_bytes,
            PeerId("me"),
            "\0" * 64,
            0,
            0,
            "text",
            True,
            f"w{n}",
        )
        for n in range(LIMITS.batch_messages)
    ]
    body, count = wire.batch(((message, "x" * 100) for message in messages), LIMITS)
    assert 1 <= count < LIMITS.batch_messages
    assert len(body) <= LIMITS.body_bytes
    assert len(wire.parse_batch(body, LIMITS)) == count

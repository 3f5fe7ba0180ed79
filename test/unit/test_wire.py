"""JSON from outside: accepted, or one error with its status; nothing else escapes."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptochat_lib import json_object, wire
from cryptochat_lib.errors import BadRequest, CryptoChatError, TooLarge
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Message, PeerId, RoomName
from cryptochat_lib.wire import Answer, Incoming

LIMITS = Limits()
TEA = RoomName("tea")
PARSERS: list[Callable[[bytes], object]] = [
    lambda body: json_object.parse_object(body, LIMITS),
    lambda body: wire.parse_outgoing(json_object.parse_object(body, LIMITS), LIMITS),
    lambda body: wire.parse_seed_message(TEA, body, LIMITS),
    lambda body: wire.parse_batch(body, LIMITS),
    lambda body: wire.parse_answers(body, LIMITS),
    lambda body: wire.error_code(body, LIMITS),
]

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)
known = st.sampled_from(
    ["messages", "results", "id", "room", "username", "content", "sent", "kind", "status", "code"]
)
objects = st.dictionaries(
    known, anything | st.lists(st.dictionaries(known, anything, max_size=6), max_size=2), max_size=4
)


def dumped(value: object) -> bytes:
    """As JSON text that `json` itself would not write: lone surrogates stay escapes."""
    return json.dumps(value).encode()


def one(**changes: object) -> bytes:
    fields = {
        "id": "1",
        "room": "tea",
        "username": "Ada",
        "content": "hi",
        "sent": 0,
        "kind": "text",
        **changes,
    }
    return dumped({"messages": [{k: v for k, v in fields.items() if v is not None}]})


def message(**changes: object) -> Message:
    fields: dict[str, object] = {
        "number": 1,
        "room": TEA,
        "content": "h\u00e9 \U0001f375",
        "sender": PeerId("x"),
        "username": "Ada",
        "time": 1_700_000_000_000,
        "sent": None,
        "kind": "text",
        "own": True,
        "wire_id": "w1",
        **changes,
    }
    return Message(**fields)  # type: ignore[arg-type]


# The one property


@given(st.binary(max_size=200))
def test_any_bytes_are_accepted_or_refused(body: bytes) -> None:
    accepted_or_refused(body)


@given(anything | objects)
def test_any_json_is_accepted_or_refused(value: object) -> None:
    accepted_or_refused(dumped(value))


def accepted_or_refused(body: bytes) -> None:
    for parse in PARSERS:
        try:
            parse(body)
        except CryptoChatError as error:
            assert 400 <= error.status < 500  # noqa: PT017 (what is refused is the asker's fault, never 500)


@given(objects)
def test_what_a_batch_accepts_can_be_stored_and_sent_on(value: object) -> None:
    """UTF-8 can carry it: a lone surrogate that passes here would break every reader later."""
    try:
        parsed = wire.parse_batch(dumped(value), LIMITS)
    except CryptoChatError:
        return
    for each in parsed:
        if isinstance(each, Incoming):
            f"{each.room}{each.username}{each.content}{each.wire_id}".encode()


# What is no JSON object

NO_OBJECT = {
    "an empty body": b"",
    "a list": b"[]",
    "a string": b'"x"',
    "two objects": b"{}{}",
    "a trailing comma": b'{"a":1,}',
    "invalid UTF-8": b'{"content":"\xff"}',
    "UTF-8 that encodes a surrogate": b'{"content":"\xed\xa0\x80"}',
    "UTF-16": '{"content":"x"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"content":"x"}',
    "a lone surrogate": rb'{"content":"\ud800"}',
    "a lone surrogate as a name": rb'{"\udfff":1}',
    "a lone surrogate deep inside": rb'{"a":[{"b":"\ud800"}]}',
    "NaN": b'{"sent":NaN}',
    "Infinity": b'{"sent":-Infinity}',
    "a name twice": b'{"content":"a","content":"b"}',
    "a name twice, deep inside": b'{"a":[{"b":1,"b":1}]}',
    "a number of 5,000 digits": b'{"sent":' + b"1" * 5000 + b"}",
    "nested 100,000 deep": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "100,000 brackets that never close": b"[" * 100_000,
    "a control character in a string": b'{"a":"\n"}',
}


@pytest.mark.parametrize("what", NO_OBJECT)
def test_is_no_body(what: str) -> None:
    with pytest.raises(BadRequest):
        json_object.parse_object(NO_OBJECT[what], LIMITS)


def test_a_pair_of_surrogate_escapes_is_one_character() -> None:
    assert json_object.parse_object(rb'{"a":"\ud83c\udf75"}', LIMITS) == {"a": "\U0001f375"}


# Our own user


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"content": 1},
        {"content": None},
        {"content": ""},
        {"content": "x", "to": "bob"},
        {"content": "x", "username": None},
        {"content": "x", "username": ""},
        {"content": "x", "username": "a\nb"},
    ],
)
def test_an_outgoing_message_of_another_form_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(BadRequest):
        wire.parse_outgoing(fields, LIMITS)


def test_an_outgoing_message_may_carry_a_name_of_its_own() -> None:
    assert wire.parse_outgoing({"content": " x ", "username": " Ada "}, LIMITS) == wire.Outgoing(" x ", "Ada")
    assert wire.parse_outgoing({"content": "x"}, LIMITS) == wire.Outgoing("x")


# The seed's form


def test_the_seeds_form_is_two_fields() -> None:
    body = dumped({"username": "Ada", "content": "hi"})
    assert wire.parse_seed_message(TEA, body, LIMITS) == Incoming(TEA, "Ada", "hi")


@pytest.mark.parametrize(
    "fields",
    [
        {"content": "hi"},
        {"username": "Ada"},
        {"username": 7, "content": "hi"},
        {"username": "Ada", "content": []},
        {"username": "Ada", "content": "hi", "sender": "somebody else"},
    ],
)
def test_the_seeds_form_with_other_fields_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(BadRequest):
        wire.parse_seed_message(TEA, dumped(fields), LIMITS)


def test_a_strange_name_of_a_peer_is_cleaned_not_refused() -> None:
    body = dumped({"username": " \u0000A\u2028da\x85 " + "x" * 100, "content": ""})
    assert wire.parse_seed_message(TEA, body, LIMITS).username == ("Ada " + "x" * 100)[:64]


def test_to_a_seed_only_peer_goes_nothing_but_its_two_fields() -> None:
    assert json.loads(wire.seed_message(message())) == {"username": "Ada", "content": "h\u00e9 \U0001f375"}


# Our form


def test_a_batch_that_we_make_is_one_that_we_read() -> None:
    sent = message()
    body, count = wire.batch([(sent, "tea")], LIMITS)
    assert count == 1
    assert wire.parse_batch(body, LIMITS) == [Incoming(TEA, "Ada", sent.content, "w1", sent.time)]


def test_unknown_fields_in_a_batch_are_ignored() -> None:
    body = dumped(
        {"messages": [{"id": "1", "room": "tea", "username": "", "content": "", "later": 1}], "x": 2}
    )
    assert wire.parse_batch(body, LIMITS) == [Incoming(TEA, "", "", "1")]


@pytest.mark.parametrize(
    "messages", [None, {}, [], "x", [1], [{}], [{"id": 1}], [{"id": ""}], [{"id": "x" * 65}]]
)
def test_a_batch_whose_messages_cannot_be_told_apart_is_refused_whole(messages: object) -> None:
    with pytest.raises(BadRequest):
        wire.parse_batch(dumped({"messages": messages}), LIMITS)


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"room": ""}, Answer("1", 400, "malformed")),
        ({"room": None}, Answer("1", 400, "malformed")),
        ({"room": "a\nb"}, Answer("1", 400, "malformed")),
        ({"content": 5}, Answer("1", 400, "malformed")),
        ({"username": None}, Answer("1", 400, "malformed")),
        ({"content": "x" * 65537}, Answer("1", 413, "too-large")),
    ],
)
def test_one_malformed_message_is_answered_beside_the_others(
    changes: dict[str, object], answer: Answer
) -> None:
    assert wire.parse_batch(one(**changes), LIMITS) == [answer]


@pytest.mark.parametrize("sent", [-1, 2**53 + 1, 1.5, True, "0", None])
def test_a_senders_impossible_time_is_no_time(sent: object) -> None:
    parsed = wire.parse_batch(one(sent=sent), LIMITS)
    assert [m.sent for m in parsed if isinstance(m, Incoming)] == [None]


# Answers


def test_answers_that_we_make_are_answers_that_we_read() -> None:
    given_ = [Answer("1", 200), Answer("2", 400, "not-a-member")]
    assert list(wire.parse_answers(wire.answers(given_), LIMITS).values()) == given_


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"results": {}},
        {"results": [1]},
        {"results": [{"id": "1"}]},
        {"results": [{"status": 200}]},
        {"results": [{"id": 1, "status": 200}]},
        {"results": [{"id": "1", "status": "200"}]},
    ],
)
def test_an_answer_of_another_form_is_refused(body: object) -> None:
    with pytest.raises(BadRequest):
        wire.parse_answers(dumped(body), LIMITS)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"status":403,"code":"unverified"}', "unverified"),
        (b'{"message":"no"}', None),
        (b"<html>", None),
        (b'{"code":5}', None),
        (b"", None),
    ],
)
def test_the_code_of_a_peers_error_is_read_if_there_is_one(body: bytes, code: str | None) -> None:
    assert wire.error_code(body, LIMITS) == code


# Limits, from both sides


def test_content_of_64_kib_of_utf8_and_one_byte_more() -> None:
    most = "\u00e9" * (LIMITS.content_bytes // 2)
    assert wire.parse_outgoing({"content": most}, LIMITS).content == most
    with pytest.raises(TooLarge):
        wire.parse_outgoing({"content": most + "x"}, LIMITS)
    with pytest.raises(TooLarge):
        wire.parse_seed_message(TEA, dumped({"username": "", "content": most + "x"}), LIMITS)


def test_a_name_of_64_characters_and_one_more() -> None:
    assert wire.parse_username("\U0001f375" * 64, LIMITS) == "\U0001f375" * 64
    with pytest.raises(BadRequest):
        wire.parse_username("x" * 65, LIMITS)


@pytest.mark.parametrize("name", ["", "   ", "a\tb", "a\x7fb", "\u2028", "a\u2029b", "a\x85b"])
def test_a_name_is_not_empty_and_has_no_control_characters(name: str) -> None:
    with pytest.raises(BadRequest):
        wire.parse_username(name or " ", LIMITS)


def test_a_batch_of_100_messages_and_one_more() -> None:
    def many(count: int) -> bytes:
        fields = [{"id": str(i), "room": "tea", "username": "", "content": ""} for i in range(count)]
        return dumped({"messages": fields})

    assert len(wire.parse_batch(many(100), LIMITS)) == 100
    with pytest.raises(BadRequest):
        wire.parse_batch(many(101), LIMITS)


def test_nesting_32_deep_and_one_deeper() -> None:
    def nested(depth: int) -> bytes:
        return b'{"a":' * (depth - 1) + b"[]" + b"}" * (depth - 1)

    assert json_object.parse_object(nested(32), LIMITS)
    with pytest.raises(BadRequest, match="deep"):
        json_object.parse_object(nested(33), LIMITS)


def test_an_id_of_64_characters_and_one_more() -> None:
    assert isinstance(wire.parse_batch(one(id="x" * 64), LIMITS)[0], Incoming)
    with pytest.raises(BadRequest):
        wire.parse_batch(one(id="x" * 65), LIMITS)

"""What peers and the page say in JSON: the one place where it is parsed, and its counterpart.

Everything here is pure. Whatever the bytes are, a function returns a valid
value or raises a `CryptoChatError` with its status; nothing else escapes
(`test/unit/test_wire.py` holds it to that with generated input).

Two forms of a message travel between peers (docs/PROTOCOL.md, sections 5 and 6):

    the seed's   POST /rooms/{room}/message   {"username", "content"}, nothing more
    ours         POST /v1/messages            {"messages": [{"id", "room", ...}]}, answered one by one
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from . import drawing
from .drawing import Drawing
from .errors import BadRequest, CryptoChatError, TooLarge
from .json_object import dump, only, parse_object, text_field
from .limits import Limits
from .model import Message, RoomName, clean_username, parse_room_name

_DIGEST = re.compile("[0-9a-f]{64}")
_WIRE_ID_CHARACTERS = 64
_BATCH = b'{"messages":[%b]}'
_LATEST_TIME = 2**53  # what every JSON reader can hold exactly (RFC 8259, section 6)


@dataclass(frozen=True)
class Incoming:
    """A message as it came from a peer. `wire_id` and `sent` are None in the seed's form."""

    room: RoomName
    username: str
    content: str
    wire_id: str | None = None
    sent: int | None = None
    drawing: Drawing | None = None


@dataclass(frozen=True)
class Answer:
    """What the receiver says of one message: an HTTP status and, if it refused, a code."""

    wire_id: str
    status: int
    code: str | None = None


def parse_content(fields: Mapping[str, Any], limits: Limits) -> str:
    """The `content` of a message; TooLarge past `limits.content_bytes` of UTF-8."""
    content = text_field(fields, "content")
    if len(content.encode()) > limits.content_bytes:
        raise TooLarge(f"a message is at most {limits.content_bytes} bytes")
    return content


def parse_username(text: str, limits: Limits) -> str:
    """A name that our own user typed; BadRequest if it is empty, too long, or has control characters."""
    name = text.strip()
    if not name or clean_username(name, limits.username_characters) != name:
        raise BadRequest(
            f"a name is 1 to {limits.username_characters} characters, without control characters"
        )
    return name


@dataclass(frozen=True)
class Outgoing:
    """What our own user sends. `username`: the name for this message alone, or None."""

    content: str
    username: str | None = None
    drawing: Drawing | None = None


def parse_outgoing(fields: Mapping[str, Any], limits: Limits) -> Outgoing:
    """What our own user sends; of a drawing, the content is its alternative text, which may be missing."""
    only(fields, "content", "username", "kind", "drawing")
    name = parse_username(text_field(fields, "username"), limits) if "username" in fields else None
    drawn = _drawing(fields, limits)
    if drawn is not None:
        return Outgoing(_described({"content": "", **fields}, drawn, limits), name, drawn)
    if text_field(fields, "kind", "text") != "text" or "drawing" in fields:
        raise BadRequest("a message is a text, or a “drawing” with the “kind” drawing")
    content = parse_content(fields, limits)
    if not content:
        raise BadRequest("a message is not empty")
    return Outgoing(content, name)


def parse_seed_message(room: RoomName, body: bytes, limits: Limits) -> Incoming:
    """The seed's form, in which unknown fields are refused."""
    fields = parse_object(body, limits)
    only(fields, "username", "content")
    name = clean_username(text_field(fields, "username"), limits.username_characters)
    return Incoming(room, name, parse_content(fields, limits))


def seed_message(message: Message) -> bytes:
    """`message` in the seed's form: to a seed-only peer nothing else is ever put in the body."""
    return dump({"username": message.username, "content": message.content})


def parse_batch(body: bytes, limits: Limits) -> list[Incoming | Answer]:
    """Our form: each message, or the answer to one that is malformed. Unknown fields are ignored."""
    messages = parse_object(body, limits).get("messages")
    if not isinstance(messages, list) or not 1 <= len(messages) <= limits.batch_messages:
        raise BadRequest(f"“messages” must be a list of 1 to {limits.batch_messages}")
    return [_parse_one(fields, limits) for fields in messages]


def batch(messages: Iterable[tuple[Message, str]], limits: Limits) -> tuple[bytes, int]:
    """As many of the first `messages` in our form as fit one body, and how many these are.

    Each goes with its room as the recipient announced it. One always fits, by the limits of its parts.
    """
    pieces: list[bytes] = []
    size = len(_BATCH) - 2
    for message, room in messages:
        piece = _piece(
            message.wire_id, room, message.username, message.content, message.time, message.drawing
        )
        size += len(piece) + 1
        if size > limits.body_bytes and pieces:
            break
        pieces.append(piece)
    return _BATCH % b",".join(pieces), len(pieces)


@lru_cache(maxsize=128)  # the members of a room get the same bytes, one soon after the other
def _piece(
    wire_id: str | None, room: str, username: str, content: str, sent: int, drawn: str | None
) -> bytes:
    said = {"id": wire_id, "room": room, "username": username, "content": content, "sent": sent}
    if drawn is None:
        return dump({**said, "kind": "text"})
    return dump({**said, "kind": "drawing", "drawing": drawing.for_a_peer(drawn)})


def forget_content() -> None:
    """Keep nothing of what `batch` has made: something was deleted for good."""
    _piece.cache_clear()


def answers(results: Iterable[Answer]) -> bytes:
    """The reply to `batch`."""
    return dump(
        {
            "results": [
                {"id": a.wire_id, "status": a.status, **({"code": a.code} if a.code else {})} for a in results
            ]
        }
    )


def parse_answers(body: bytes, limits: Limits) -> dict[str, Answer]:
    """The reply to `batch`, by message id; BadRequest if it is none."""
    results = parse_object(body, limits).get("results")
    if not isinstance(results, list):
        raise BadRequest("“results” must be a list")
    found = {}
    for fields in results:
        if not isinstance(fields, dict) or type(fields.get("status")) is not int:
            raise BadRequest("each result is an object with “id” and “status”")
        code = fields.get("code")
        answer = Answer(text_field(fields, "id"), fields["status"], code if isinstance(code, str) else None)
        found[answer.wire_id] = answer
    return found


def promise(commitment: bytes) -> bytes:
    """The first message of a live comparison, and its answer."""
    return dump({"commitment": commitment.hex()})


def parse_promise(body: bytes, limits: Limits) -> bytes:
    """The 32 bytes of a commitment; BadRequest."""
    return _digest_field(body, "commitment", limits)


def reveal(value: bytes) -> bytes:
    """The second message of a live comparison, and its answer."""
    return dump({"value": value.hex()})


def parse_reveal(body: bytes, limits: Limits) -> bytes:
    """The 32 bytes of a value; BadRequest."""
    return _digest_field(body, "value", limits)


def error_code(body: bytes, limits: Limits) -> str | None:
    """The `code` in a peer's error reply, None if it has none (a seed-only peer sends none)."""
    try:
        return text_field(parse_object(body, limits), "code")
    except CryptoChatError:
        return None


def _digest_field(body: bytes, name: str, limits: Limits) -> bytes:
    text = text_field(parse_object(body, limits), name)
    if not _DIGEST.fullmatch(text):
        raise BadRequest(f"“{name}” is 64 hex digits in lower case")
    return bytes.fromhex(text)


def _parse_one(fields: object, limits: Limits) -> Incoming | Answer:
    if not isinstance(fields, dict):
        raise BadRequest("each message is an object")
    wire_id = text_field(fields, "id")
    if not 1 <= len(wire_id) <= _WIRE_ID_CHARACTERS:
        raise BadRequest(f"an “id” is 1 to {_WIRE_ID_CHARACTERS} characters")
    try:
        sent = fields.get("sent")
        drawn = _drawing(fields, limits)
        return Incoming(
            room=parse_room_name(text_field(fields, "room")),
            username=clean_username(text_field(fields, "username"), limits.username_characters),
            content=parse_content(fields, limits) if drawn is None else _described(fields, drawn, limits),
            wire_id=wire_id,
            sent=sent if type(sent) is int and 0 <= sent <= _LATEST_TIME else None,
            drawing=drawn,
        )
    except CryptoChatError as error:
        return Answer(wire_id, error.status, error.code)


def _drawing(fields: Mapping[str, Any], limits: Limits) -> Drawing | None:
    """The drawing of a message of that kind. Every other kind is read as the text that it has beside it."""
    return drawing.parse(fields.get("drawing"), limits) if fields.get("kind") == "drawing" else None


def _described(fields: Mapping[str, Any], drawn: Drawing, limits: Limits) -> str:
    """The alternative text of a drawing; without one, a summary: so it is found, and heard."""
    content = parse_content(fields, limits)
    return content if content.strip() else drawing.summary(drawn)

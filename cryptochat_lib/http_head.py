"""The head of an HTTP/1.1 request or reply, parsed strictly (RFC 9112).

`http.server` and `http.client` forgive what attackers live on: bare line feeds,
folded fields, two different lengths, `Content-Length: +5`. Two readers of one
head that disagree are a smuggled request, so here there is one form and no
forgiving.

Pure: bytes in, a `Head` or an error out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from .errors import BadRequest, HeadTooLarge, LengthRequired, TooLarge
from .limits import Limits

END_OF_HEAD = b"\r\n\r\n"

_REQUEST_LINE = re.compile(r"([A-Z]{1,16}) ([\x21-\x7e]+) HTTP/1\.([01])")
_STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-5][0-9]{2})(?: [\x20-\x7e\x80-\xff\t]*)?")
_FIELD = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\x20-\x7e\x80-\xff\t]*)")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LENGTH = re.compile(r"0|[1-9][0-9]{0,15}")


class Fields:
    """The fields of one head, their names in lower case."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._values: dict[str, list[str]] = {}
        for line in lines:
            field = _FIELD.fullmatch(line)
            if not field:
                raise BadRequest("a header field is malformed")
            self._values.setdefault(field[1].lower(), []).append(field[2].strip(" \t"))

    def all(self, name: str) -> Sequence[str]:
        """Every value of the field `name`."""
        return self._values.get(name, ())

    def one(self, name: str) -> str | None:
        """The value of the field `name`, None without one; BadRequest if it stands twice."""
        values = self._values.get(name)
        if values is None:
            return None
        if len(values) > 1:
            raise BadRequest(f"{name} stands more than once")
        return values[0]

    def length(self) -> int | None:
        """The stated length of the body in bytes: one plain decimal, else BadRequest; None without one."""
        text = self.one("content-length")
        if text is not None and not _LENGTH.fullmatch(text):
            raise BadRequest("Content-Length must be one plain decimal number")
        return None if text is None else int(text)

    def keep_alive(self, http_1_1: bool) -> bool:
        """Whether the connection goes on after this message (RFC 9112, section 9.3)."""
        options = {option.strip().lower() for v in self.all("connection") for option in v.split(",")}
        return "close" not in options and (http_1_1 or "keep-alive" in options)


@dataclass(frozen=True)
class Head:
    """A request's head. `segments` are the path's, decoded."""

    method: str
    segments: tuple[str, ...]
    query: dict[str, str]
    keep_alive: bool
    fields: Fields

    def one(self, name: str) -> str | None:
        """The value of the field `name`, None without one; BadRequest if it stands twice."""
        return self.fields.one(name)

    def content_length(self, most: int) -> int:
        """The length of the body in bytes (RFC 9112, section 6): one plain decimal, no chunks.

        Raises BadRequest, LengthRequired for a body of no stated length, TooLarge past `most`.
        """
        length = self.fields.length()
        if self.fields.one("transfer-encoding") is not None:
            if length is not None:
                raise BadRequest("a body has one length, not two")
            raise LengthRequired()
        if length is None:
            return 0
        if length > most:
            raise TooLarge(f"a body is at most {most} bytes")
        return length


@dataclass(frozen=True)
class ReplyHead:
    """A reply's head."""

    status: int
    keep_alive: bool
    fields: Fields


def parse_head(data: bytes, limits: Limits) -> Head:
    """The head of a request in `data`, which ends before the empty line; BadRequest or HeadTooLarge else."""
    request_line, fields = _split(data, limits)
    line = _REQUEST_LINE.fullmatch(request_line)
    if not line:
        raise BadRequest("the request line is malformed")
    segments, query = _parse_target(line[2])
    return Head(line[1], segments, query, fields.keep_alive(line[3] == "1"), fields)


def parse_reply_head(data: bytes, limits: Limits) -> ReplyHead:
    """The head of a reply, likewise."""
    status_line, fields = _split(data, limits)
    line = _STATUS_LINE.fullmatch(status_line)
    if not line:
        raise BadRequest("the status line is malformed")
    return ReplyHead(int(line[2]), fields.keep_alive(line[1] == "1"), fields)


def _split(data: bytes, limits: Limits) -> tuple[str, Fields]:
    first, *lines = data.decode("latin-1").split("\r\n")
    if len(lines) > limits.head_fields:
        raise HeadTooLarge(f"a head has at most {limits.head_fields} fields")
    return first, Fields(lines)


def _parse_target(target: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Origin form only (RFC 9112, section 3.2.1): an absolute target could name another host."""
    if not target.startswith("/"):
        raise BadRequest("the target must be a path")
    path, _, raw_query = target.partition("?")
    segments = tuple(_decode(segment) for segment in path[1:].split("/"))
    query: dict[str, str] = {}
    for pair in filter(None, raw_query.split("&")):
        name, _, value = pair.partition("=")
        key = _decode(name)
        if key in query:
            raise BadRequest(f"“{key[:64]}” stands more than once in the query")
        query[key] = _decode(value.replace("+", " "))
    return segments, query


def _decode(part: str) -> str:
    """One percent-encoded part (RFC 3986, section 2.1), decoded after the path was split at its slashes."""
    if "%" not in part:
        return part
    if _BAD_PERCENT.search(part):
        raise BadRequest("the target has a % that encodes nothing")
    try:
        return unquote_to_bytes(part).decode()
    except UnicodeDecodeError as error:
        raise BadRequest("the target is not UTF-8") from error

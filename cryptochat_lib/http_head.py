"""The head of an HTTP/1.1 request, parsed strictly (RFC 9112).

`http.server` forgives what attackers live on: bare line feeds, folded fields,
two different lengths, `Content-Length: +5`. Two readers of one head that
disagree are a smuggled request, so here there is one form and no forgiving.

Pure: bytes in, a `Head` or an error out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from .errors import BadRequest, HeadTooLarge, LengthRequired, TooLarge
from .limits import Limits

END_OF_HEAD = b"\r\n\r\n"

_REQUEST_LINE = re.compile(rb"([A-Z]{1,16}) ([\x21-\x7e]+) HTTP/1\.([01])")
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\x20-\x7e\x80-\xff\t]*)")
_BAD_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_LENGTH = re.compile(r"0|[1-9][0-9]{0,15}")


@dataclass(frozen=True)
class Head:
    """A request's head. `segments` are the path's, decoded; field names are in lower case."""

    method: str
    segments: tuple[str, ...]
    query: dict[str, str]
    keep_alive: bool
    fields: tuple[tuple[str, str], ...]

    def one(self, name: str) -> str | None:
        """The value of the field `name`, None without one; BadRequest if it stands twice."""
        values = [value for field, value in self.fields if field == name]
        if len(values) > 1:
            raise BadRequest(f"{name} stands more than once")
        return values[0] if values else None

    def content_length(self, most: int) -> int:
        """The length of the body in bytes (RFC 9112, section 6): one plain decimal, no chunks.

        Raises BadRequest, LengthRequired for a body of no stated length, TooLarge past `most`.
        """
        length = self.one("content-length")
        if self.one("transfer-encoding") is not None:
            if length is not None:
                raise BadRequest("a body has one length, not two")
            raise LengthRequired()
        if length is None:
            return 0
        if not _LENGTH.fullmatch(length):
            raise BadRequest("Content-Length must be one plain decimal number")
        if int(length) > most:
            raise TooLarge(f"a body is at most {most} bytes")
        return int(length)


def parse_head(data: bytes, limits: Limits) -> Head:
    """The head in `data`, which ends before the empty line; BadRequest or HeadTooLarge else."""
    request_line, *lines = data.split(b"\r\n")
    line = _REQUEST_LINE.fullmatch(request_line)
    if not line:
        raise BadRequest("the request line is malformed")
    if len(lines) > limits.head_fields:
        raise HeadTooLarge(f"a head has at most {limits.head_fields} fields")
    fields = tuple(_parse_field(raw) for raw in lines)
    segments, query = _parse_target(line[2])
    connection = {t.strip().lower() for name, v in fields if name == "connection" for t in v.split(",")}
    keep_alive = "close" not in connection and (line[3] == b"1" or "keep-alive" in connection)
    return Head(line[1].decode(), segments, query, keep_alive, fields)


def _parse_field(raw: bytes) -> tuple[str, str]:
    field = _FIELD.fullmatch(raw)
    if not field:
        raise BadRequest("a header field is malformed")
    return field[1].decode().lower(), field[2].decode("latin-1").strip(" \t")


def _parse_target(target: bytes) -> tuple[tuple[str, ...], dict[str, str]]:
    """Origin form only (RFC 9112, section 3.2.1): an absolute target could name another host."""
    if not target.startswith(b"/"):
        raise BadRequest("the target must be a path")
    path, _, raw_query = target.partition(b"?")
    segments = tuple(_decode(segment) for segment in path[1:].split(b"/"))
    query: dict[str, str] = {}
    for pair in filter(None, raw_query.split(b"&")):
        name, _, value = pair.partition(b"=")
        key = _decode(name)
        if key in query:
            raise BadRequest(f"“{key[:64]}” stands more than once in the query")
        query[key] = _decode(value.replace(b"+", b" "))
    return segments, query


def _decode(part: bytes) -> str:
    """One percent-encoded part (RFC 3986, section 2.1), decoded after the path was split at its slashes."""
    if _BAD_PERCENT.search(part):
        raise BadRequest("the target has a % that encodes nothing")
    try:
        return unquote_to_bytes(part).decode()
    except UnicodeDecodeError as error:
        raise BadRequest("the target is not UTF-8") from error

"""Heads and whole replies, read from a connection (RFC 9112).

In TLS 1.3 nothing counts until a whole reply is there, so "whole" is decided
here, and nowhere else: every byte that the head states has come. `http.client`
ends a cut body silently, and puts no bound on one.

Threads: none; the owner of a reader gives it a deadline.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from .errors import BadRequest, HeadTooLarge
from .http_head import END_OF_HEAD, ReplyHead, parse_reply_head
from .limits import Limits

_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")
_CHUNK_LINE_BYTES = 256
_BODILESS = (204, 304)


@dataclass(frozen=True)
class WholeReply:
    """A reply with its body. `keep_alive`: the connection may carry another request."""

    head: ReplyHead
    body: bytes
    keep_alive: bool


def read_head(reader: io.BufferedReader, limits: Limits) -> bytes:
    """The bytes before the empty line, and no byte after it; nearly always they come at once.

    BadRequest, HeadTooLarge, ConnectionResetError if it is cut.
    """
    data = b""
    while True:
        ready = reader.peek(1)
        if not ready:
            raise ConnectionResetError("the head was cut")
        begun = data[1 - len(END_OF_HEAD) :]
        end = (begun + ready).find(END_OF_HEAD)
        data += reader.read(len(ready) if end < 0 else end + len(END_OF_HEAD) - len(begun))
        if len(data) > limits.head_bytes or data.count(b"\n") > limits.head_fields + 2:
            raise HeadTooLarge(f"a head is at most {limits.head_bytes} bytes, {limits.head_fields} fields")
        if end >= 0:
            return data[: -len(END_OF_HEAD)]
        if _BARE_LINE_FEED.search(data):  # whose sender waits for us already
            raise BadRequest("a line of the head ends in CR LF")


def read_reply(reader: io.BufferedReader, limits: Limits) -> WholeReply:
    """The next reply; BadRequest or HeadTooLarge if it makes no sense, ConnectionResetError if it is cut."""
    head = parse_reply_head(read_head(reader, limits), limits)
    while head.status < 200:  # interim (RFC 9110, section 15.2)
        head = parse_reply_head(read_head(reader, limits), limits)
    length = head.fields.length()
    chunked = head.fields.one("transfer-encoding")
    if head.status in _BODILESS:
        return WholeReply(head, b"", head.keep_alive)
    if chunked is not None:
        if chunked.lower() != "chunked" or length is not None:
            raise BadRequest("the reply's length makes no sense")
        return WholeReply(head, _read_chunks(reader, limits.reply_bytes), head.keep_alive)
    if length is not None:
        _check(length, limits.reply_bytes)
        return WholeReply(head, _read_exactly(reader, length), head.keep_alive)
    body = reader.read(limits.reply_bytes + 1)  # up to the end of the connection
    _check(len(body), limits.reply_bytes)
    return WholeReply(head, body, keep_alive=False)


def _read_chunks(reader: io.BufferedReader, most: int) -> bytes:
    """A body in chunks (RFC 9112, section 7.1), without its trailer."""
    body = b""
    while length := _read_chunk_size(reader):
        _check(len(body) + length, most)
        body += _read_exactly(reader, length)
        if _read_exactly(reader, 2) != b"\r\n":
            raise BadRequest("a chunk has another size than it says")
    while _read_line(reader, most) != b"\r\n":
        pass
    return body


def _read_chunk_size(reader: io.BufferedReader) -> int:
    size = _CHUNK_SIZE.fullmatch(_read_line(reader, _CHUNK_LINE_BYTES))
    if not size:
        raise BadRequest("a chunk has no size")
    return int(size[1], 16)


def _read_line(reader: io.BufferedReader, most: int) -> bytes:
    line = reader.readline(most)
    if not line.endswith(b"\r\n"):
        raise ConnectionResetError("the reply was cut")
    return line


def _read_exactly(reader: io.BufferedReader, length: int) -> bytes:
    body = reader.read(length)
    if len(body) < length:
        raise ConnectionResetError("the reply was cut")
    return body


def _check(length: int, most: int) -> None:
    if length > most:
        raise BadRequest(f"a reply is at most {most} bytes")

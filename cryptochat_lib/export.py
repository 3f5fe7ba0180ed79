"""A room's whole history as a file: JSON Lines, one MESSAGE a line, oldest first.

It is read in pages, each with a read of its own, so a million messages take no
more memory than a page, hold up no writer, and no checkpoint of the log. It ends
with what was the newest message when it was asked for. A reader tells a file
that was cut by the missing last chunk.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from urllib.parse import quote

from . import shapes, words
from .model import RoomName
from .routing import Reply, dump
from .store.messages import Messages

_READ_AT_ONCE = 200
_SENT_AT_ONCE = 2**16  # bytes


def reply(messages: Messages, room: RoomName) -> Reply:
    """The history of `room`, for a browser to save under a name that is safe everywhere."""
    name = unicodedata.normalize("NFC", "-".join(["cryptochat", *words.cut(room)])) + ".jsonl"
    plain = name if name.isascii() else "cryptochat.jsonl"
    return Reply(
        200,
        content_type="application/jsonl",
        # RFC 6266; the second form for names beyond ASCII (RFC 8187)
        headers={"Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"},
        stream=_blocks(_lines(messages, room)),
        whole=True,
    )


def _lines(messages: Messages, room: RoomName) -> Iterator[bytes]:
    newest = messages.page(room, 1)
    last, until = 0, newest[-1].number if newest else 0
    while last < until:
        page = messages.page(room, _READ_AT_ONCE, after=last)
        for message in page:
            if message.number <= until:
                yield dump(shapes.message(message)) + b"\n"
        last = page[-1].number if page else until  # none: it was deleted meanwhile


def _blocks(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer, larger pieces."""
    block = bytearray()
    for line in lines:
        block += line
        if len(block) >= _SENT_AT_ONCE:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)

"""`cryptochat send`: one message, or what a program writes, as it writes it.

    make 2>&1 | cryptochat send build

Lines that come close together are one message: what has come is sent `GATHER_SECONDS`
after its first byte, up to its last line end. The rest of an unfinished line waits
`LINE_SECONDS` for its end. A message takes 64 KiB; longer text is cut at a line end, or
between two characters. What is no UTF-8 is replaced.

Threads: `stdin` reads, and is at most a few blocks ahead; the main thread gathers and
sends. Whatever ends it (the end of the input, a signal, a refusal), what has come by
then was sent, or the error says how much was.
"""

from __future__ import annotations

import codecs
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator

from ..errors import NotDone, NotRunning
from ..limits import Limits
from ..screen import harmless
from ..ui_client import UiClient, segment
from .options import Send
from .wait import wait_for_all

GATHER_SECONDS = 1.0
LINE_SECONDS = 10.0
_MOST = Limits().content_bytes
_BLOCK = 2**16


def send(client: UiClient, asked: Send) -> None:
    """Post what was asked for; NotDone, NotRunning."""
    pieces = _from_stdin() if asked.text in (None, "-") else iter([asked.text or ""])
    sent: list[str] = []

    def post(content: str) -> None:
        body = {"content": content}
        if asked.username is not None:
            body["username"] = asked.username
        sent.append(client.post(f"/api/rooms/{segment(asked.room)}/message", body)["id"])

    try:
        for content in pieces:
            post(content)
    except (NotDone, NotRunning) as error:
        raise _explained(error, asked.room, len(sent)) from error
    if not sent:
        raise NotDone("there is nothing to send: give a text, or write one to standard input")
    if asked.wait is not None:
        wait_for_all(client, asked.room, sent, asked.wait)


def _explained(error: NotDone | NotRunning, room: str, sent: int) -> NotDone | NotRunning:
    text = str(error)
    if isinstance(error, NotDone) and error.refusal == "not-joined":
        text = f"you have not joined that room: cryptochat join {harmless(room)}"
    if sent:
        text = f"{sent} {'message was' if sent == 1 else 'messages were'} sent, and no more: {text}"
    return type(error)(text)


def _from_stdin() -> Iterator[str]:
    if sys.stdin is None:
        return iter([])
    if sys.stdin.isatty() and sys.stderr is not None:
        print("cryptochat: every line is sent as you type it; Ctrl-D ends", file=sys.stderr, flush=True)
    descriptor = sys.stdin.fileno()
    return gathered(lambda: os.read(descriptor, _BLOCK))


def gathered(read: Callable[[], bytes], clock: Callable[[], float] = time.monotonic) -> Iterator[str]:
    """The messages in what `read` returns, up to its first b""."""
    blocks: queue.Queue[bytes] = queue.Queue(4)
    threading.Thread(target=_fill, args=(blocks, read), name="stdin", daemon=True).start()
    gathering = Gathering()
    try:
        while True:
            try:
                block = blocks.get(timeout=gathering.patience(clock()))
            except queue.Empty:
                yield from gathering.due(clock())
                continue
            yield from gathering.add(block, clock())
            if not block:
                break
    except KeyboardInterrupt:
        yield from gathering.rest()
        raise
    yield from gathering.rest()


def _fill(blocks: queue.Queue[bytes], read: Callable[[], bytes]) -> None:
    block = b"-"
    while block:
        try:
            block = read()
        except OSError:  # a folder, or a terminal that has gone
            block = b""
        blocks.put(block)


class Gathering:
    """Text that comes in pieces, and leaves as messages. Pure: the time is handed in."""

    def __init__(self, most: int = _MOST) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._most = most
        self._text = ""
        self._since = 0.0

    def patience(self, now: float) -> float | None:
        """How long to wait for more; None: as long as it takes."""
        if not self._text:
            return None
        return max(0.0, self._since + self._seconds() - now)

    def add(self, block: bytes, now: float) -> Iterator[str]:
        """More has come: what is too long for one message, and what is due by now."""
        if not self._text:
            self._since = now
        self._text += self._decode(block)
        for first in self._whole():
            self._since = now
            yield from _message(first)
        yield from self.due(now)

    def due(self, now: float) -> Iterator[str]:
        """What has waited for its time: all lines that have ended, or one that does not end."""
        if not self._text or now < self._since + self._seconds():
            return
        end = self._text.rfind("\n") + 1 or len(self._text)
        first, self._text = self._text[:end], self._text[end:]
        self._since = now
        yield from _message(first)

    def rest(self) -> Iterator[str]:
        """What is left at the end."""
        self._text += self._decode(b"", True)
        for first in self._whole():
            yield from _message(first)
        text, self._text = self._text, ""
        yield from _message(text)

    def _whole(self) -> Iterator[str]:
        """What is too much for one message, in parts that are not."""
        while len(self._text.encode()) > self._most:
            first, self._text = cut(self._text, self._most)
            yield first

    def _seconds(self) -> float:
        return GATHER_SECONDS if "\n" in self._text else LINE_SECONDS


def cut(text: str, most: int) -> tuple[str, str]:
    """`text` in two: the first has at most so many bytes, up to a line end if it has one.

    >>> cut("one\\ntwo", 6), cut("éé", 3)
    (('one\\n', 'two'), ('é', 'é'))
    """
    head = text.encode()[:most].decode(errors="ignore")
    end = head.rfind("\n") + 1 or len(head)
    return text[:end], text[end:]


def _message(text: str) -> Iterator[str]:
    """Without the line end behind it; nothing, where that was all."""
    content = text.rstrip("\r\n")
    if content:
        yield content

"""`cryptochat tail`: the last messages of a room, and those that follow.

The stream of events is opened first, then the history is read from where we are, then
the stream is followed, without what the history had already: nothing is missed, and
nothing comes twice. The same again when the connection ends: a program that is started
anew within `PATIENCE_SECONDS` is followed, messages of the meantime included.

For people, each message has one head, and whatever it says stands behind that or is
indented: no message can look like two. The eight digits are the beginning of the
sender's UUID; a name is only what the sender chose.
"""

from __future__ import annotations

import json
import sys
import time
import unicodedata
from collections.abc import Iterator
from datetime import datetime

from ..errors import NotDone, NotRunning
from ..screen import columns, harmless, lines_of, pause, show
from ..ui_client import Data, UiClient, segment
from .options import Tail

PATIENCE_SECONDS = 60.0
_AGAIN_SECONDS = 0.5
_PAGE = 500
_INDENT = "    "


def tail(client: UiClient, asked: Tail) -> None:
    """Show messages until a signal comes; NotRunning when the program ends and does not come back."""
    following = _Following(client, asked)
    if not asked.follow:
        if not following.catch_up():
            _warn_if_unknown(client, asked.room)
        return
    _warn_unless_joined(client, asked.room)
    try:
        _follow(following)
    except KeyboardInterrupt:
        return


def _follow(following: _Following) -> None:
    following.until_it_ends()
    print("cryptochat: the program has ended; waiting for its next start", file=sys.stderr, flush=True)
    ends = time.monotonic() + PATIENCE_SECONDS
    while True:
        pause(_AGAIN_SECONDS)
        try:
            following.until_it_ends()
        except (NotRunning, NotDone) as error:
            gone = isinstance(error, NotRunning) or error.refusal == "ending"
            if not gone or time.monotonic() > ends:
                raise
        else:
            ends = time.monotonic() + PATIENCE_SECONDS


class _Following:
    """Where we are in one room."""

    def __init__(self, client: UiClient, asked: Tail) -> None:
        self._client = client
        self._asked = asked
        self._room = unicodedata.normalize("NFC", asked.room)
        self._last: str | None = None
        self._begun = False

    def until_it_ends(self) -> None:
        """Show what was missed, then what comes."""
        with self._client.events("messages", while_read=True) as events:
            shown = self.catch_up()
            for kind, data in events:
                if kind == "message" and data["room"] == self._room and data["id"] not in shown:
                    self._show(data)

    def catch_up(self) -> set[str]:
        """Show what the history has and we have not shown; returns the ids."""
        shown = set()
        for message in self._missed():
            shown.add(message["id"])
            self._show(message)
        return shown

    def _missed(self) -> Iterator[Data]:
        if self._last is None:
            # After the beginning, all that a room has which had nothing.
            wanted = _PAGE if self._begun else self._asked.lines
            page = self._page(f"limit={max(1, wanted)}")
            self._begun = True
            if page:
                self._last = page[-1]["id"]
            yield from page[len(page) - min(wanted, len(page)) :]
            return
        while page := self._page(f"limit={_PAGE}&after={self._last}"):
            yield from page

    def _page(self, query: str) -> list[Data]:
        path = f"/api/rooms/{segment(self._asked.room)}/messages?{query}"
        page: list[Data] = self._client.get(path)["messages"]
        return page

    def _show(self, message: Data) -> None:
        self._last = message["id"]
        if self._asked.json:
            show(json.dumps(message))
        else:
            show(*for_people(message, columns()))


def for_people(message: Data, width: int | None) -> list[str]:
    """The lines of one message, none of them wider than `width`."""
    sender = message["sender"]
    at = datetime.fromisoformat(message["time"].replace("Z", "+00:00")).astimezone()
    who = "you" if message["own"] else harmless(sender["uuid"][:8])
    head = f"{at:%Y-%m-%d %H:%M} {harmless(sender['username'])} [{who}]: "
    first, *rest = lines_of(head + message["content"], width and max(width - len(_INDENT), 20))
    return [first, *(_INDENT + line for line in rest)]


def _warn_unless_joined(client: UiClient, room: str) -> None:
    found = _room(client, room)
    if found is None:
        _warn_if_unknown(client, room)
    elif not found["joined"]:
        _warn(f"nothing will come before you join that room: cryptochat join {harmless(room)}")


def _warn_if_unknown(client: UiClient, room: str) -> None:
    """It may be a slip of the pen: nobody is in a room of that name, nor are we."""
    if _room(client, room) is None:
        _warn(
            f"nobody whom you know of is in a room of that name ({harmless(room)}), and nor are you:"
            f" see cryptochat rooms, or cryptochat join {harmless(room)}"
        )


def _room(client: UiClient, room: str) -> Data | None:
    name = unicodedata.normalize("NFC", room)
    rooms: list[Data] = client.get("/api/rooms")["rooms"]
    return next((one for one in rooms if one["name"] == name), None)


def _warn(text: str) -> None:
    if sys.stderr is not None:
        print(f"cryptochat: {text}", file=sys.stderr, flush=True)

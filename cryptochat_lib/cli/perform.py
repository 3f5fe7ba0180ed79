"""Which command does what: those to the running program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..screen import NobodyReads, tell
from ..ui_client import UiClient, segment
from .contacts import add, code
from .doctor import doctor
from .lists import rooms, users
from .options import Add, Code, Doctor, Join, Leave, Open, Rooms, Send, Tail, ToRunning, Users, Verify
from .send import send
from .tail import tail
from .verify import verify


def perform(asked: ToRunning) -> None:
    """Do what was asked for; NotDone, NotRunning."""
    try:
        _DOES[type(asked)](UiClient(asked.db), asked)
    except NobodyReads:  # `cryptochat users | head -1` has what it wanted
        return


def _join(client: UiClient, asked: Join) -> None:
    client.post(f"/api/rooms/{segment(asked.room)}")


def _leave(client: UiClient, asked: Leave) -> None:
    client.delete(f"/api/rooms/{segment(asked.room)}")


def _open(client: UiClient, asked: Open) -> None:
    """Open the page by a file that holds a code of one use, which no process list shows."""
    import webbrowser  # it looks for browsers, which only this command needs

    file = Path(client.post("/api/open")["file"])
    if not webbrowser.open(file.as_uri()):
        tell(f"No browser could be opened. For a minute this file leads one to the page, once: {file}")


_DOES: dict[type[ToRunning], Callable[[UiClient, Any], None]] = {
    Send: send,
    Tail: tail,
    Rooms: lambda client, asked: rooms(client, asked.json),
    Users: lambda client, asked: users(client, asked.json),
    Join: _join,
    Leave: _leave,
    Verify: verify,
    Code: code,
    Add: add,
    Open: _open,
    Doctor: doctor,
}

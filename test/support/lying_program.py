"""A program that says to its page, in every string there is, markup and script.

The server is the real one, with its headers; behind it is an API that never heard of rules: no
cleaning, no lengths, no UUIDs. So the page is tried by itself, whatever the program would have
let through. Each string says where it stands (`script("room name")`), so a test can tell which
ones were shown.

The users: Bob is verified and has a conflict, Cleo waits for an answer and has somebody's name, Dora's
key has changed, Eve is refused, a live comparison with Gil has a result and the one with Hal has none,
of Fay no key was seen. The room that we are in has a message of Bob's and one of ours.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from lab import Namespace
from loopback_node import SCALED, stock_identity

from cryptochat_lib.connections import Connection, Connections
from cryptochat_lib.errors import Conflict
from cryptochat_lib.model import Endpoint
from cryptochat_lib.routing import Reply, Request, Route, Routes, json_reply
from cryptochat_lib.session import Session
from cryptochat_lib.store import Store
from cryptochat_lib.ui_api import UiApi
from cryptochat_lib.ui_server import UiServer

NOW = "2030-01-01T00:00:00.000Z"


def script(where: str) -> str:
    """A string that would be noticed, were it anything but text."""
    return f"{where}</p><img src=x onerror=owned=1><script>owned=1</script><b title='\">{{{{7*7}}}}"


def user(name: str, status: str, *, seen: bool = True, **fields: Any) -> dict[str, Any]:
    return {
        "uuid": script(f"{name}-uuid"),
        "username": script(f"{name}-name"),
        "username_verified": status == "verified",
        "fingerprint": script(f"{name}-sha1") if seen else None,
        "fingerprint_sha256": script(f"{name}-sha256") if seen else None,
        "safety_number": " ".join(script(f"{name}-group-{n}").replace(" ", "_") for n in range(12)),
        "status": status,
        "online": True,
        "pending": False,
        "resembles": None,
        "comparison": None,
        "conflict": None,
        **fields,
    }


BOB = user(
    "bob",
    "verified",
    conflict={
        "fingerprint": script("conflict-sha1"),
        "fingerprint_sha256": script("conflict-sha256"),
        "address": script("conflict-address"),
        "first_seen": NOW,
    },
)
CLEO = user("cleo", "unverified", pending=True, resembles=script("unknown-uuid"))


def compared(name: str, state: str) -> dict[str, Any]:
    """Somebody with whom a live comparison has come to this."""
    part = {"shape": script("shape"), "colour": script("colour")}
    comparison = {
        "fingerprint_sha256": script(f"{name}-sha256"),
        "state": state,
        "digits": script("digits").replace(" ", "_"),
        "picture": [part] * 4,
        "reason": script("comparison-reason"),
    }
    return user(name, "unverified", comparison=comparison)


PEOPLE = [
    BOB,
    CLEO,
    user("dora", "changed"),
    user("eve", "rejected"),
    compared("gil", "shown"),
    compared("hal", "failed"),
    user("fay", "unverified", seen=False),
]
INFO = {**user("own", "verified"), "clone": {"address": script("clone-address"), "first_seen": NOW}}
ROOM, NEARBY = script("room-name"), script("nearby-room")


def member(one: dict[str, Any]) -> dict[str, Any]:
    kept = {name: one[name] for name in ("uuid", "username", "status", "online")}
    return {**kept, "address": script("member-address"), "self": one is INFO}


ROOMS = [
    {"name": ROOM, "joined": True, "members": [member(one) for one in (INFO, BOB, CLEO)]},
    {"name": NEARBY, "joined": False, "members": [member(BOB)]},
]


def message(number: int, sender: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "id": script(f"id-{number}"),
        "room": ROOM,
        "content": script(f"content-{number}"),
        "sender": {"uuid": sender["uuid"], "username": script(f"sender-{number}")},
        "time": NOW,
        "sent": NOW,
        "kind": script("kind"),
        "own": sender is INFO,
        "method": script("method"),
        "deliveries": [],
        **fields,
    }


MESSAGES = [
    message(1, BOB),
    message(
        2, INFO, deliveries=[{"uuid": BOB["uuid"], "state": script("state"), "reason": script("reason")}]
    ),
]
QUESTION = {"address": script("question-address"), "reason": script("question-reason"), "time": NOW}
EVENTS = [
    ("verification", {**CLEO, **QUESTION}),
    ("messages", message(3, BOB)),
    ("messages", {**message(4, BOB), "room": script("unknown-room")}),
    ("delivery", {"id": script("id-2"), "room": ROOM, "uuid": CLEO["uuid"], "state": "x", "reason": "y"}),
    ("rooms", {"rooms": [], "gone": [script("gone-room")]}),
    ("users", {"users": [], "gone": [script("gone-user")]}),
]


class OnAnotherMachine(UiServer):
    """Our threads are not on the machine where it listens, and cannot ask it whose a connection is."""

    def prepare(self, connection: Connection) -> bool:
        return True


class LyingProgram:
    """Runs for as long as it is entered. To a browser it is a node: `ui_port` and `token`."""

    def __init__(self, machine: Namespace, folder: Path) -> None:
        self._machine = machine
        self._ending = threading.Event()
        self._store = Store(folder / "lies.db", SCALED)
        self._store.open(lambda: stock_identity(1))
        self._connections = Connections(64, 64, 64)
        self.session = Session(folder / "lies.db", SCALED)
        self.token = self.session.token
        self.routes = Routes(
            Route("GET", "/api/info", lambda _: json_reply(200, INFO)),
            Route("GET", "/api/users", lambda _: json_reply(200, {"users": PEOPLE})),
            Route("GET", "/api/rooms", lambda _: json_reply(200, {"rooms": ROOMS})),
            Route("GET", "/api/rooms/{room}/messages", lambda _: json_reply(200, {"messages": MESSAGES})),
            Route("GET", "/api/events", self._events),
            Route("PUT", "/api/info", lambda _: _refuse("name")),
            Route("POST", "/api/rooms/{room}", lambda _: _refuse("join")),
            Route("DELETE", "/api/rooms/{room}", lambda _: _refuse("leave")),
            Route("POST", "/api/rooms/{room}/message", lambda _: _refuse("send")),
            Route("POST", "/api/users/{uuid}/look", lambda _: _refuse("look")),
        )

    def __enter__(self) -> LyingProgram:
        api = cast(UiApi, self)
        endpoint = Endpoint("127.0.0.1", 0)
        self._server = self._machine.inside(
            lambda: OnAnotherMachine(endpoint, api, self._connections, self._store, SCALED)
        )
        self.ui_port = self._server.port
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._machine.inside(self._server.stop)
        self._connections.end_all()
        self._store.close()

    def _events(self, _request: Request) -> Reply:
        return Reply(200, content_type="text/event-stream", stream=self._stream())

    def _stream(self) -> Iterator[bytes]:
        yield b": begun\n\n"
        self._ending.wait(0.5)  # so that they come one by one, after the state
        for number, (name, data) in enumerate(EVENTS, start=1):
            yield f"id: {number}\nevent: {name}\ndata: {json.dumps(data)}\n\n".encode()
        while not self._ending.wait(0.2):
            yield b": there\n\n"


def _refuse(what: str) -> Reply:
    raise Conflict(script(f"{what}-refused"))

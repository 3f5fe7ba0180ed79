"""A program behind the page that says what a test tells it to: to a browser it is a node.

    with StandIn(machine, folder, Route("GET", "/api/info", ...)) as program:
        page = chromium.open(program)
        program.tell("users", {"users": [...], "gone": []})

The server is the real one, with its guard and its headers. Every event stream begins with all that
was told so far; there is no state behind it.
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
from cryptochat_lib.model import Endpoint
from cryptochat_lib.routing import Reply, Request, Route, Routes
from cryptochat_lib.session import Session
from cryptochat_lib.store import Store
from cryptochat_lib.ui_api import UiApi
from cryptochat_lib.ui_server import UiServer


class OnAnotherMachine(UiServer):
    """Our threads are not on the machine where it listens, and cannot ask it whose a connection is."""

    def prepare(self, connection: Connection) -> bool:
        return True


class StandIn:
    """Runs for as long as it is entered. For `Chromium.open`: `ui_port` and `token`."""

    def __init__(self, machine: Namespace, folder: Path, *routes: Route) -> None:
        self._machine = machine
        self._told: list[tuple[str, Any]] = []
        self._changed = threading.Condition()  # guards `_told` and `_ending`
        self._ending = False
        self._store = Store(folder / "stand-in.db", SCALED)
        self._store.open(lambda: stock_identity(1))
        self._connections = Connections(64, 64, 64)
        self.session = Session(folder / "stand-in.db", SCALED)
        self.token = self.session.token
        self.routes = Routes(*routes, Route("GET", "/api/events", self._events))

    def __enter__(self) -> StandIn:
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
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        self._machine.inside(self._server.stop)
        self._connections.end_all()
        self._store.close()

    def tell(self, name: str, data: Any) -> None:
        """An event for every stream."""
        with self._changed:
            self._told.append((name, data))
            self._changed.notify_all()

    def _events(self, _request: Request) -> Reply:
        return Reply(200, content_type="text/event-stream", stream=self._stream())

    def _stream(self) -> Iterator[bytes]:
        yield b": begun\n\n"
        number = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ending or len(self._told) > number, 5)  # noqa: B023
                if self._ending:
                    return
                told = self._told[number:]
            for name, data in told:
                number += 1
                yield f"id: {number}\nevent: {name}\ndata: {json.dumps(data)}\n\n".encode()
            yield b": there\n\n"

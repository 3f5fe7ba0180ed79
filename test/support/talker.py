"""A user who keeps talking, whatever becomes of the node: what was accepted is remembered.

    with Talker(ada, room, per_second=20) as talker:
        ...                                # Ada's node may be killed and restarted meanwhile
    assert talker.accepted                 # answered 202: these must never be lost
    assert talker.unsure                   # cut before the answer: may be stored, at most once

Messages are numbered, on one kept-alive connection to the UI, made anew when it ends.
A message is unsure only if its request was begun; while the node is down none is.

Threads: one, `talker`, which alone writes the lists; read them after `stop`.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from types import TracebackType
from urllib.parse import quote

from ui_client import UiClient

_PATIENCE = 20.0  # seconds for one answer: a POST never waits for the network
_AGAIN_SECONDS = 0.02


class Talker:
    """Sends `NAME 1`, `NAME 2`, … to one room until it is stopped."""

    def __init__(self, client: UiClient, room: str, name: str, per_second: float) -> None:
        self.accepted: list[str] = []
        self.unsure: list[str] = []
        self.refused: list[tuple[int, bytes]] = []
        self.slowest = 0.0  # seconds until a 202
        self._client = client
        self._path = f"/api/rooms/{quote(room, safe='')}/message"
        self._name = name
        self._pause = 1 / per_second
        self._ending = threading.Event()
        self._connection: http.client.HTTPConnection | None = None
        self._thread = threading.Thread(target=self._talk, name="talker")

    def __enter__(self) -> Talker:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Say no more; waits for the last answer."""
        self._ending.set()
        self._thread.join(_PATIENCE + 10)

    def _talk(self) -> None:
        number, due = 0, time.monotonic()
        while not self._ending.wait(max(0.0, due - time.monotonic())):
            number += 1
            self._say(f"{self._name} {number}")
            due = max(due + self._pause, time.monotonic() - 1)  # what a dead node missed is not made up for
        self._hang_up()

    def _say(self, content: str) -> None:
        connection = self._connect()
        if connection is None:
            return
        body = json.dumps({"content": content}).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        started = time.monotonic()
        try:
            connection.request("POST", self._path, body, headers)
            reply = connection.getresponse()
            answer = reply.read()
        except (OSError, http.client.HTTPException):
            self.unsure.append(content)
            self._hang_up()
            return
        if reply.status == 202:
            self.accepted.append(content)
            self.slowest = max(self.slowest, time.monotonic() - started)
        else:
            self.refused.append((reply.status, answer))
            self._hang_up()

    def _connect(self) -> http.client.HTTPConnection | None:
        """The connection, made again and again until the node is there; None at the end."""
        while self._connection is None and not self._ending.is_set():
            port, self._token = self._client.ui_port, self._client.token
            connection = http.client.HTTPConnection("127.0.0.1", port)
            try:
                connection.sock = self._client.connect(_PATIENCE)
            except OSError:
                self._ending.wait(_AGAIN_SECONDS)
                continue
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection = connection
        return self._connection

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

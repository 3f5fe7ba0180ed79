"""The UI's API as a client that a script uses: requests, and the event stream.

Every request is made on the machine where the node runs, since the UI server
answers on loopback alone (contract, section 2). `listen` opens the one stream
that a page would open, and a thread keeps what comes until `stop_listening`.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from lab import Namespace
from waiting import Collected, wait_until

Data = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """What the UI server answered."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class SseEvent:
    """One event of the stream."""

    id: str
    kind: str
    data: Data


class UiClient:
    """The user of one node. `host` None: the machine that the tests run on."""

    def __init__(self, host: Namespace | None, ui_port: int, token: str) -> None:
        self.host, self.ui_port, self.token = host, ui_port, token
        self.events: Collected[SseEvent] = Collected()

    # Requests

    def connect(self, timeout: float = 30) -> socket.socket:
        """A connection to the UI server."""
        if self.host:
            return self.host.connect(self.ui_port, timeout=timeout)
        return socket.create_connection(("127.0.0.1", self.ui_port), timeout)

    def request(self, method: str, path: str, body: Any = None) -> Reply:
        """One request with the token, on a connection of its own, whatever the status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ui_port)
        connection.sock = self.connect()
        headers = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            return Reply(reply.status, reply.msg, reply.read())
        finally:
            connection.close()

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        reply = self.request(method, path, body)
        assert reply.status < 300, f"{method} {path}: {reply.status} {reply.body!r}"
        return reply.json if reply.body else None

    def get(self, path: str) -> Any:
        return self._ask("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        return self._ask("POST", path, body)

    def put(self, path: str, body: Any) -> Any:
        return self._ask("PUT", path, body)

    def delete(self, path: str) -> Any:
        return self._ask("DELETE", path)

    # What its user does

    def join(self, room: str) -> None:
        self.post(f"/api/rooms/{quote(room, safe='')}")

    def leave(self, room: str) -> None:
        self.delete(f"/api/rooms/{quote(room, safe='')}")

    def send(self, room: str, content: str) -> Data:
        """POST the message; returns it as it was stored."""
        message: Data = self.post(f"/api/rooms/{quote(room, safe='')}/message", {"content": content})
        return message

    def verify(self, uuid: str, fingerprint_sha256: str | None = None) -> None:
        """Say yes, to the certificate with that fingerprint if one is given."""
        self.post(
            f"/api/users/{uuid}/verify",
            fingerprint_sha256 and {"fingerprint_sha256": fingerprint_sha256, "method": "number"},
        )

    def unverify(self, uuid: str) -> None:
        self.delete(f"/api/users/{uuid}/verify")

    # What its user sees

    def user(self, uuid: str) -> Data | None:
        return next((user for user in self.get("/api/users")["users"] if user["uuid"] == uuid), None)

    def status(self, uuid: str) -> str | None:
        user = self.user(uuid)
        return str(user["status"]) if user else None

    def room(self, name: str) -> Data | None:
        return next((room for room in self.get("/api/rooms")["rooms"] if room["name"] == name), None)

    def members(self, room: str) -> dict[str, Data]:
        """The members of a room by UUID, ourselves among them."""
        found = self.room(room)
        return {member["uuid"]: member for member in found["members"]} if found else {}

    def history(self, room: str) -> list[Data]:
        messages: list[Data] = self.get(f"/api/rooms/{quote(room, safe='')}/messages?limit=500")["messages"]
        return messages

    def delivery(self, message: Data, uuid: str) -> Data | None:
        """How far one of our messages got on its way to one recipient."""
        stored = next((one for one in self.history(message["room"]) if one["id"] == message["id"]), None)
        return next((one for one in (stored or message)["deliveries"] if one["uuid"] == uuid), None)

    def wait_delivery(self, message: Data, uuid: str, state: str, timeout: float = 10) -> None:
        seen: list[Data | None] = []

        def reached() -> bool:
            seen[:] = [self.delivery(message, uuid)]
            return seen[0] is not None and seen[0]["state"] == state

        try:
            wait_until(reached, timeout)
        except TimeoutError:
            raise TimeoutError(f"not {state} in {timeout} s but {seen[0]}") from None

    def wait_member(self, room: str, uuid: str, timeout: float = 10, **fields: Any) -> Data:
        """Wait until that peer is shown in the room, with these fields (`online=True`, say)."""

        def shown() -> Data | None:
            member = self.members(room).get(uuid)
            return member if member is not None and fields.items() <= member.items() else None

        found = wait_until(shown, timeout, f"{uuid} is no member of {room!r} with {fields}")
        assert found
        return found

    # Events

    def listen(self, last_event_id: str | None = None) -> None:
        """Open the stream; what comes is added to `events`."""
        self._ending = False
        self._stream = self.connect()
        self._listener = threading.Thread(target=self._follow, args=(last_event_id,), name="node's events")
        self._listener.start()

    def stop_listening(self) -> None:
        self._ending = True
        with contextlib.suppress(OSError):
            self._stream.shutdown(socket.SHUT_RDWR)
        self._listener.join(10)
        self._stream.close()

    def wait_for(
        self,
        kind: str,
        timeout: float = 10,
        after: int = 0,
        where: Callable[[Data], bool] = lambda _data: True,
        **fields: Any,
    ) -> Data:
        """The data of the first such event past the mark `after`, with these fields."""

        def wanted(event: SseEvent) -> bool:
            return event.kind == kind and fields.items() <= event.data.items() and where(event.data)

        return self.events.wait_for(wanted, timeout, after).data

    def wait_message(self, content: str, timeout: float = 10, after: int = 0) -> Data:
        return self.wait_for("messages", timeout, after, content=content)

    def seen(self, kind: str, after: int = 0, **fields: Any) -> list[Data]:
        """The data of such events that have come so far."""
        return [
            event.data
            for event in self.events.since(after)
            if event.kind == kind and fields.items() <= event.data.items()
        ]

    def _follow(self, last_event_id: str | None) -> None:
        """Read the stream to its end. It has a comment every 15 s: 30 s of silence are a failure."""
        resume = f"Last-Event-ID: {last_event_id}\r\n" if last_event_id is not None else ""
        request = (
            f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:{self.ui_port}\r\n"
            f"Authorization: Bearer {self.token}\r\nAccept: text/event-stream\r\n{resume}\r\n"
        )
        try:
            self._stream.sendall(request.encode())
            with http.client.HTTPResponse(self._stream, method="GET") as reply:
                reply.begin()
                if reply.status != 200:
                    raise ValueError(f"the event stream was refused: {reply.status} {reply.read()!r}")
                for event in parse_events(line.decode().rstrip("\r\n") for line in reply):
                    self.events.add(event)
        except (OSError, http.client.HTTPException):
            if not self._ending:
                raise


def parse_events(lines: Iterator[str]) -> Iterator[SseEvent]:
    """Events from the lines of a stream (HTML Living Standard, 9.2.6)."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        if name:
            value = value.removeprefix(" ")
            fields[name] = f"{fields['data']}\n{value}" if name == "data" and "data" in fields else value
        elif not line:
            if "data" in fields:
                kind = fields.get("event", "message")
                yield SseEvent(fields.get("id", ""), kind, json.loads(fields["data"]))
            fields = {}

"""One event stream of the UI server, read when the test says so."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable
from types import TracebackType

from loopback_node import LoopbackNode
from ui_client import SseEvent, parse_events


class EventReader:
    """`GET /api/events`; an event without a name has the default kind, `message`."""

    def __init__(
        self, node: LoopbackNode, *, stream: str | None = None, after: str | None = None, timeout: float = 10
    ) -> None:
        self._sock = socket.create_connection(("127.0.0.1", node.ui_port), timeout)
        query = f"?stream={stream}" if stream else ""
        resume = f"Last-Event-ID: {after}\r\n" if after is not None else ""
        self._sock.sendall(
            f"GET /api/events{query} HTTP/1.1\r\nHost: 127.0.0.1:{node.ui_port}\r\n"
            f"Authorization: Bearer {node.token}\r\n{resume}\r\n".encode()
        )
        self._response = http.client.HTTPResponse(self._sock, method="GET")
        self._response.begin()
        self.status = self._response.status
        self.headers = self._response.msg
        self.comments: list[str] = []
        if self.status == 200:
            self.line()  # the comment with which a stream begins: from here on nothing is missed
            self.line()
        self._events = parse_events(iter(self.line, "the end"))

    def __enter__(self) -> EventReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._response.close()
        self._sock.close()

    def be_patient_for(self, seconds: float) -> None:
        """From now on, silence of that length is a TimeoutError."""
        self._sock.settimeout(seconds)

    def line(self) -> str:
        """The next line; comments are kept. EOFError at the end of the stream, TimeoutError without one."""
        raw = self._response.readline()
        if not raw:
            raise EOFError
        line = raw.decode().rstrip("\n")
        if line.startswith(":"):
            self.comments.append(line)
        return line

    def next(self) -> SseEvent:
        return next(self._events)

    def until(self, last: Callable[[SseEvent], bool]) -> list[SseEvent]:
        """The events up to the one that is `last`."""
        events = [self.next()]
        while not last(events[-1]):
            events.append(self.next())
        return events

    def messages_until(self, content: str) -> list[str]:
        """The contents of the messages up to the one with `content`."""
        events = self.until(lambda event: event.data.get("content") == content)
        return [event.data["content"] for event in events if "content" in event.data]

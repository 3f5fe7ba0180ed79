"""A page that is never closed: it resumes its event stream whenever it ends, by `Last-Event-ID`.

    with Resuming(ada) as page:
        ...                        # Ada's node may be killed and restarted meanwhile
    [event.data["id"] for event in page.events.items if event.kind == "messages"]

An event counts as had once its last line has come, as in a browser. Threads: one,
`resuming page`, which alone writes; `close` ends it.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from types import TracebackType

from ui_client import SseEvent, UiClient, parse_events
from waiting import Collected

_AGAIN_SECONDS = 0.5  # long enough to miss something, as a browser does
_SILENCE_SECONDS = 40.0  # a comment comes every 15


class Resuming:
    """All events of one node, across its restarts."""

    def __init__(self, client: UiClient) -> None:
        self.events: Collected[SseEvent] = Collected()
        self.resumed = 0  # how often it went on where it had stopped
        self._client = client
        self._last: str | None = None
        self._open = threading.Event()
        self._ending = threading.Event()
        self._lock = threading.Lock()  # guards `_sock`, which `close` shuts
        self._sock: socket.socket | None = None
        self._thread = threading.Thread(target=self._follow, name="resuming page")

    def __enter__(self) -> Resuming:
        self._thread.start()
        if not self._open.wait(_SILENCE_SECONDS):
            self.close()
            raise TimeoutError("the stream of events was not opened")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._ending.set()
        with self._lock, contextlib.suppress(OSError):
            if self._sock is not None:
                self._sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)

    def _follow(self) -> None:
        while not self._ending.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                self._read_one()
            self._ending.wait(_AGAIN_SECONDS)

    def _read_one(self) -> None:
        """One stream, to its end."""
        resume = f"Last-Event-ID: {self._last}\r\n" if self._last is not None else ""
        port, token = self._client.ui_port, self._client.token
        with self._client.connect(_SILENCE_SECONDS) as sock:
            with self._lock:
                self._sock = None if self._ending.is_set() else sock
            if self._ending.is_set():
                return
            sock.sendall(
                f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                f"Authorization: Bearer {token}\r\n{resume}\r\n".encode()
            )
            with http.client.HTTPResponse(sock, method="GET") as reply:
                reply.begin()
                if reply.status != 200:
                    return
                self.resumed += bool(resume)
                self._open.set()
                for event in parse_events(line.decode().rstrip("\r\n") for line in reply):
                    self.events.add(event)
                    self._last = event.id

"""The yardstick for throughput: a bare `http.server` that keeps what it is sent, and nothing else.

No token, no guard, no JSON, no events, no peers: a body comes, is committed to SQLite (WAL,
synchronous=FULL), and is answered. Commits are shared: a handler that gets the lock writes
for everybody who waits for it. What `http.server` needs to be fast is set: kept-alive
connections, no Nagle, one write for each answer, a backlog.

    python bare_server.py DATABASE          prints its port
"""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bodies import Bodies


class Waiting:
    """A body that is not on the disk yet."""

    __slots__ = ("body", "kept")

    def __init__(self, body: bytes) -> None:
        self.body, self.kept = body, False


class GroupCommit:
    """The first who gets the lock commits what all have brought; the others find it done."""

    def __init__(self, path: str) -> None:
        self._bodies = Bodies(Path(path))
        self._lock = threading.Lock()  # guards `_bodies`
        self._waiting: list[Waiting] = []  # appended to by all, swapped by the leader; both are atomic

    def keep(self, body: bytes) -> None:
        """`body` is on the disk when this returns."""
        mine = Waiting(body)
        self._waiting.append(mine)
        with self._lock:
            if mine.kept:
                return
            count = len(self._waiting)
            group, self._waiting[:count] = self._waiting[:count], []
            self._bodies.keep([waiting.body for waiting in group])
            for waiting in group:
                waiting.kept = True


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: BareServer

    def do_POST(self) -> None:
        self.server.commits.keep(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""


class BareServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: str) -> None:
        self.commits = GroupCommit(path)
        super().__init__(("127.0.0.1", 0), Handler)


if __name__ == "__main__":
    server = BareServer(sys.argv[1])
    print(server.server_address[1], flush=True)
    server.serve_forever()

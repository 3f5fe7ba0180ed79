"""A hostile web site, and a wire-tap in front of a node's UI server.

    with HostileSite(machine) as site:
        node = Node(machine, database, options=("--uiaddr", f"127.0.0.2:{site.ui_port}"))
        ...                                      # a browser opens site.page, and attacks
        site.arrived()                           # what the node was really asked, and answered

The site answers on a port of its own (any path gives the page with the attacks). The tap
has the port at 127.0.0.1 that the browser takes for the node's, and carries every byte to the
same port at 127.0.0.2, where the node listens: so what arrived is known, and the node can't
tell the difference. Both sides of every connection are kept.

DNS rebinding: the name `REBOUND` led to the attacker's server when its page was loaded, and
leads to the node now. So under that name the tap answers `/hostile` itself, and hands
everything else to the node. Its page is then of the origin of the node's port.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import select
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import quote, unquote

from lab import Namespace
from waiting import Collected

SAME_SITE, CROSS_SITE, REBINDING = "same-site", "cross-site", "rebinding"
FOREIGN, REBOUND = "evil.example", "rebound.example"
RESOLVER_RULES = f"--host-resolver-rules=MAP {FOREIGN} 127.0.0.1,MAP {REBOUND} 127.0.0.1"

_SCRIPT = Path(__file__).with_name("hostile_page.js")
_MARK = re.compile(r"\bby[=-]([a-z0-9-]+)")
_HEAD_BYTES = 65536
_PATIENCE = 60.0


@dataclass(frozen=True)
class Exchange:
    """A request that arrived at the node, and the status that it was answered with (None: none yet)."""

    method: str
    target: str
    fields: dict[str, str]
    status: int | None

    @property
    def technique(self) -> str | None:
        """The attack that the page named in the target."""
        mark = _MARK.search(self.target)
        return mark and mark[1]


class _Carried:
    """The bytes of one connection, both ways."""

    def __init__(self) -> None:
        self.up = self.down = b""

    def exchanges(self) -> list[Exchange]:
        requests, replies = _requests(self.up), _statuses(self.down)
        return [
            Exchange(method, target, fields, status)
            for (method, target, fields), status in itertools.zip_longest(requests, replies)
            if method
        ]


class HostileSite:
    """Listens from its constructor to its end."""

    def __init__(self, machine: Namespace) -> None:
        self._machine = machine
        self._carried: list[_Carried] = []
        self.reports: Collected[dict[str, str]] = Collected()
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listeners = [
            machine.inside(lambda: socket.create_server(("127.0.0.1", 0), backlog=128)) for _ in range(2)
        ]
        self.port, self.ui_port = (listener.getsockname()[1] for listener in self._listeners)
        for listener, serve in zip(self._listeners, (self._answer, self._tap), strict=True):
            self._run(self._accept, listener, serve)

    def __enter__(self) -> HostileSite:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(10)
        for listener in self._listeners:
            listener.close()

    def attack(self, token: str) -> str:
        """The address of a page of another site, which opens its like of the next origin when it has done."""
        own, node = f"127.0.0.1:{self.port}", f"127.0.0.1:{self.ui_port}"
        rebound = f"{REBOUND}:{self.ui_port}"
        last = self._address(f"{rebound}/hostile", REBINDING, rebound, token)
        second = self._address(f"{own}/", SAME_SITE, node, token, last)
        return self._address(f"{FOREIGN}:{self.port}/", CROSS_SITE, node, token, second)

    def _address(self, page: str, name: str, node: str, token: str, then: str = "") -> str:
        given = {
            "name": name,
            "ui": f"http://{node}",
            "site": f"http://127.0.0.1:{self.port}",
            "token": token,
            "next": then,
        }
        return f"http://{page}#{quote(json.dumps(given))}"

    def arrived(self) -> list[Exchange]:
        """Every request that has come to the node so far."""
        return [exchange for one in tuple(self._carried) for exchange in one.exchanges()]

    def _run(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, name="hostile site")
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        while not self._ending.is_set():
            if select.select([listener], [], [], 0.05)[0]:
                self._run(self._serve, listener.accept()[0], serve)

    def _serve(self, sock: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        with sock, contextlib.suppress(OSError):
            sock.settimeout(_PATIENCE)
            serve(sock)

    def _answer(self, sock: socket.socket) -> None:
        """As the attacker's own server: one reply for each connection."""
        data = b""
        while not _is_whole(data):
            if not (more := self._receive(sock)):
                return
            data += more
        method, target = data.decode("latin-1").split(" ", 2)[:2]
        if (method, target) == ("POST", "/hostile"):
            self.reports.add(json.loads(data.partition(b"\r\n\r\n")[2]))
            lines, body = ["HTTP/1.1 200 OK"], b""
        elif target.startswith("/redirect/"):  # the method and the body stay what they are
            lines = ["HTTP/1.1 307 There", f"Location: {unquote(target.removeprefix('/redirect/'))}"]
            body = b""
        elif target.startswith("/policy/"):  # what breaks it is reported to whatever address it names
            report = f"img-src 'none'; report-uri {unquote(target.removeprefix('/policy/'))}"
            lines = ["HTTP/1.1 200 OK", "Content-Type: text/html", f"Content-Security-Policy: {report}"]
            body = b"<img src=x>"
        else:
            lines, body = ["HTTP/1.1 200 OK", "Content-Type: text/html"], _page()
        lines += ["Access-Control-Allow-Origin: *", f"Content-Length: {len(body)}", "Connection: close"]
        sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def _tap(self, sock: socket.socket) -> None:
        """To the node and back, but for the page that the rebound name once led to."""
        if not (first := self._receive(sock, socket.MSG_PEEK)):
            return
        if first.split()[1] == b"/hostile" and f"Host: {REBOUND}:".encode() in first:
            return self._answer(sock)
        carried = _Carried()
        self._carried.append(carried)
        with self._machine.connect(self.ui_port, "127.0.0.2") as node:
            self._carry(sock, node, carried)

    def _carry(self, browser: socket.socket, node: socket.socket, carried: _Carried) -> None:
        while not self._ending.is_set():
            for ready in select.select([browser, node], [], [], 0.05)[0]:
                if not (data := ready.recv(65536)):
                    return
                if ready is browser:
                    carried.up += data
                    node.sendall(data)
                else:
                    carried.down += data
                    browser.sendall(data)

    def _receive(self, sock: socket.socket, flags: int = 0) -> bytes:
        """What comes next; nothing at the end. A browser opens connections that it never uses."""
        while not self._ending.is_set():
            if select.select([sock], [], [], 0.05)[0]:
                return sock.recv(_HEAD_BYTES, flags)
        return b""


def _page() -> bytes:
    return b"<!doctype html><title>hostile</title><body><script>" + _SCRIPT.read_bytes() + b"</script>"


def _is_whole(data: bytes) -> bool:
    """Whether a request has come with its body."""
    head, end, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"\r\nContent-Length: (\d+)", head)
    return bool(end) and len(body) >= int(length[1] if length else 0)


def _requests(data: bytes) -> list[tuple[str, str, dict[str, str]]]:
    """The heads of the requests in `data`, by the lengths that they state."""
    found = []
    while b"\r\n\r\n" in data:
        head, _, data = data.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ", 2)
        fields = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
        data = data[int(fields.get("content-length", 0)) :]
        found.append((method, target, fields))
    return found


def _statuses(data: bytes) -> list[int]:
    """The statuses of the replies in `data`; an endless one is the last."""
    found = []
    while data.startswith(b"HTTP/1.1 "):
        head, _, data = data.partition(b"\r\n\r\n")
        found.append(int(head.split()[1]))
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        data = data[int(length[1]) :] if length else b""
    return found

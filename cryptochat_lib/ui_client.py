"""The client side of the UI API: from a command to the program that runs with a database.

`FILE.session.json` says where the program is, and has its token. Both may be old: a
program that was killed leaves its file behind, and its port is free for everybody. So,
each time before anything is sent,

    1. the file is ours: no link, of our account, and closed to everybody else;
    2. it names a loopback address;
    3. its process lives;
    4. somebody listens there, and not another account (`accounts`).

Else NotRunning, or for the first two NotDone. There is no proxy and no redirect: what is
not answered as CryptoChat answers is NotRunning too. A refusal (`application/problem+json`)
becomes NotDone, with the sentence that the program has for people.

No threads: each request has a connection of its own, and reads the session file anew, so
that a program which was started again is found.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from . import accounts
from .errors import NotDone, NotRunning
from .screen import harmless, pause

Data = dict[str, Any]

_URL = re.compile(r"http://(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\]):(\d{1,5})/")
_TOKEN = re.compile(r"[\w-]{1,100}", re.ASCII)
_MOST_FILE_BYTES = 4096
_CONNECT_SECONDS = 5.0
_REPLY_SECONDS = 60.0  # a history that is deleted for good holds everything up so long
_SILENCE_SECONDS = 40.0  # a stream has a comment at least every 15 s


class Session(NamedTuple):
    """What the session file says."""

    host: str
    port: int
    token: str
    pid: int


class Event(NamedTuple):
    """One event of a stream."""

    kind: str
    data: Data


@dataclass(frozen=True)
class UiClient:
    """The program that runs with `database`."""

    database: Path

    def get(self, target: str) -> Any:
        return self._ask("GET", target)

    def post(self, target: str, body: Data | None = None) -> Any:
        return self._ask("POST", target, body)

    def delete(self, target: str) -> Any:
        return self._ask("DELETE", target)

    @contextlib.contextmanager
    def events(
        self, stream: str | None = None, seconds: float | None = None, while_read: bool = False
    ) -> Iterator[Iterator[Event]]:
        """The events from now on: what happens once this is entered is among them.

        They end with the connection, or after so many `seconds`; `while_read`: with NobodyReads once
        nobody reads our stdout any more.
        """
        ends = None if seconds is None else time.monotonic() + seconds
        query = "" if stream is None else f"?stream={stream}"
        with self._reply("GET", f"/api/events{query}") as (sock, reply):
            self._check(reply, "text/event-stream")
            yield _events(sock, reply, ends, while_read)

    def _ask(self, method: str, target: str, body: Data | None = None) -> Any:
        with self._reply(method, target, body) as (_, reply):
            if reply.status in (202, 204) and reply.length == 0:
                return None
            self._check(reply, "application/json")
            with self._explaining():
                return json.loads(reply.read())

    @contextlib.contextmanager
    def _reply(
        self, method: str, target: str, body: Data | None = None
    ) -> Iterator[tuple[socket.socket, http.client.HTTPResponse]]:
        """The reply to one request, its body unread."""
        session = read_session(self.database)
        connection = http.client.HTTPConnection(session.host, session.port, timeout=_CONNECT_SECONDS)
        headers = {"Authorization": f"Bearer {session.token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        with contextlib.ExitStack() as ends:
            ends.callback(connection.close)
            with self._explaining():
                connection.connect()
                sock = connection.sock
                if accounts.leads_to_another(sock):
                    raise self._not_running()
                sock.settimeout(_REPLY_SECONDS)
                connection.request(method, target, None if body is None else json.dumps(body), headers)
                reply = ends.enter_context(contextlib.closing(connection.getresponse()))
            yield sock, reply

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise NotRunning(f"the CryptoChat that runs with {self.database} does not answer") from error
        except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError) as error:
            raise self._not_running() from error

    def _check(self, reply: http.client.HTTPResponse, content_type: str) -> None:
        """NotDone if it is a refusal; NotRunning if that is nothing that CryptoChat answers."""
        given = reply.headers.get_content_type()
        if reply.status >= 400 and given == "application/problem+json":
            with self._explaining():
                problem = json.loads(reply.read())
                message, code = str(problem["message"]), str(problem["code"])
            if code in ("unauthorized", "misdirected"):  # it is another program's token, or port
                raise self._not_running()
            raise NotDone(harmless(message), code)
        if not (reply.status in (200, 202) and given == content_type):
            raise self._not_running()

    def _not_running(self) -> NotRunning:
        return NotRunning(
            f"no CryptoChat is running with {harmless(str(self.database))}: start one, or say with --db"
            " which database is meant"
        )


def segment(name: str) -> str:
    """A room's name as a part of a path."""
    return quote(name, safe="")


def read_session(database: Path) -> Session:
    """Where the program is that runs with `database`; NotRunning, or NotDone if the file is not ours."""
    path = database.with_name(database.name + ".session.json")
    try:
        data = _read_ours(path)
        found = json.loads(data)
        url = _URL.fullmatch(found["url"])
        token, pid = found["token"], found["pid"]
        if not (url and int(url[2]) < 65536 and _TOKEN.fullmatch(token) and isinstance(pid, int)):
            raise ValueError("it says something else")
    except FileNotFoundError as error:
        raise UiClient(database)._not_running() from error
    except OSError as error:
        raise NotDone(f"{harmless(str(path))} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise NotDone(
            f"{harmless(str(path))} is no session file of CryptoChat: remove it, and start CryptoChat anew"
        ) from error
    if not _lives(pid):
        raise UiClient(database)._not_running()
    return Session(url[1].strip("[]"), int(url[2]), token, pid)


def _read_ours(path: Path) -> bytes:
    """What the file holds: of our own account, closed to others, and no link that somebody has laid.

    Not blocking: of a pipe in its place, nothing is read.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if os.name != "nt" and (not accounts.is_ours(status.st_uid) or status.st_mode & 0o077):
            raise NotDone(
                f"{harmless(str(path))} is another account's, or open to others: it is not believed"
            )
        return file.read(_MOST_FILE_BYTES)


def _lives(pid: int) -> bool:
    """Whether a process of ours has that number. On Windows nobody is asked: it would end it."""
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except (OSError, OverflowError):
        return False
    return pid > 0


def _events(
    sock: socket.socket, reply: http.client.HTTPResponse, ends: float | None, while_read: bool
) -> Iterator[Event]:
    """The events of a stream (WHATWG HTML, section 9.2.6), as our server writes them."""
    kind, data = "message", ""
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
        while True:
            left = _SILENCE_SECONDS if ends is None else min(_SILENCE_SECONDS, ends - time.monotonic())
            if while_read:
                began = time.monotonic()
                sock.setblocking(False)
                if not reply.fp.peek(1):  # nothing is left of what was read before
                    pause(left, sock)
                left -= time.monotonic() - began
            sock.settimeout(max(left, 0.001))
            line = reply.readline().decode()
            if not line:
                return
            name, _, value = line.rstrip("\n").partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                data = value
            elif line == "\n":
                if data:
                    yield Event(kind, json.loads(data))
                kind, data = "message", ""

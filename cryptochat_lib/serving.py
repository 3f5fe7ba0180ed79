"""Sockets and replies: what the UI server and the peer server share.

`http.server` gives the threads and the accept loop. What it forgives or leaves
unbounded is replaced here: the reading and the parser of heads (`http_read`,
`http_head`), the cap on connections (`connections`), and one deadline for a
whole request (`deadline`).

Every reply of 400 and above ends the connection: an unread body would be parsed
as the next request, with a head of the attacker's choice.

Threads: one accepts for each listening address; one works for each connection,
and closes its own database connection at its end.
"""

from __future__ import annotations

import abc
import contextlib
import errno
import io
import logging
import socket
import sys
import threading
import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, islice
from types import MappingProxyType
from typing import Any

from .connections import Connection, Connections
from .deadline import Deadline, TimedReader, set_timeout
from .errors import CryptoChatError
from .http_head import Head, parse_head
from .http_read import read_head
from .limits import Limits
from .model import Endpoint
from .routing import Reply, problem
from .store.database import Database, DatabaseError, trouble
from .tls import CONNECTION_LOST

_log = logging.getLogger(__name__)

_LINGER_SECONDS = 1.0
_LINGER_BYTES = 2**20
_STREAM_BUFFER_BYTES = 2**16  # what a reader that does not read costs, before its write times out


class Server(ThreadingHTTPServer, abc.ABC):
    """A listening address. `start` it, `stop` it; requests go to `answer`, which subclasses write."""

    daemon_threads = True
    request_queue_size = 128
    thread_name = "server"
    headers: Mapping[str, str] = MappingProxyType({})
    """The header fields of every reply."""

    def __init__(
        self, endpoint: Endpoint, connections: Connections, database: Database, limits: Limits
    ) -> None:
        self.connections = connections
        self.limits = limits
        self._database = database
        self._stopping = threading.Event()
        self.address_family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
        info = socket.getaddrinfo(
            endpoint.host, endpoint.port, self.address_family, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST
        )
        self.fixed_head = [f"{name}: {value}" for name, value in self.headers.items()]
        super().__init__(info[0][4], Handler)  # type: ignore[arg-type]
        self._thread = threading.Thread(target=self._accept, name=f"{self.thread_name}-accept", daemon=True)

    @abc.abstractmethod
    def answer(self, handler: Handler, head: Head) -> Reply:
        """The reply to one request, whose body has not been read."""

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Accept no more. Connections are ended by `Connections.end_all`."""
        self._stopping.set()
        self._wake()
        self._thread.join(1)
        self.server_close()

    def server_bind(self) -> None:
        """Bind, without the parent's look-up of our own name in the DNS, which can hang."""
        if self.address_family == socket.AF_INET6:
            only_v6 = self.server_address[0] != "::"
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only_v6)
        if sys.platform == "win32":  # there, REUSEADDR would let others take our port
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def get_request(self) -> tuple[Any, Any]:
        try:
            return super().get_request()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._stopping.wait(0.1)  # no descriptors left: do not spin until one is free
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the connection a place and a thread; without a place, close it."""
        host = _plain(client_address)
        connection = self.connections.open(request, host, self.is_friend(host))
        if connection is None:
            self.shutdown_request(request)
            return
        if self._stopping.is_set():
            self.connections.close(connection)
            self.shutdown_request(request)
            return
        worker = threading.Thread(
            target=self._work, args=(connection, client_address), name=self.thread_name, daemon=True
        )
        try:
            worker.start()
        except RuntimeError:  # the system has no thread for us
            self.connections.close(connection)
            raise

    def handle_error(self, request: Any, client_address: Any) -> None:
        """What the parent prints to stderr; the connection is closed all the same."""
        _log.exception("%s: a connection could not be taken", self.thread_name)

    def is_friend(self, host: str) -> bool:
        """Whether a place kept for friends is for this address."""
        return True

    def prepare(self, connection: Connection) -> bool:
        """Make `connection.socket` ready for HTTP. False: it is over already."""
        return True

    def ended(self, connection: Connection) -> None:
        """`connection` is over."""

    def _work(self, connection: Connection, client_address: Any) -> None:
        try:
            with contextlib.suppress(OSError):
                connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.prepare(connection):
                Handler(connection, client_address, self)  # type: ignore[arg-type]
            _linger(connection.socket)
        except CONNECTION_LOST as error:
            _log.debug("%s: connection lost: %s", self.thread_name, error)
        except DatabaseError as error:  # in the middle of a stream, whose reader sees that it is cut
            trouble(error)
        except Exception:  # the top of a thread
            _log.exception("%s: a connection failed", self.thread_name)
        finally:
            self.connections.close(connection)
            connection.socket.close()
            self.ended(connection)
            self._database.close_thread()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            self.handle_request()

    def _wake(self) -> None:
        """Let `handle_request` return: a socket that is shut is ready, too; or by a connection of our own.

        On an address that this machine has no more, there is no connecting.
        """
        with contextlib.suppress(OSError):  # not on every system
            self.socket.shutdown(socket.SHUT_RDWR)
            return
        host, port = self.server_address[:2]
        wildcard = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (comparing, not binding)
        with contextlib.suppress(OSError):
            socket.create_connection((wildcard.get(str(host), str(host)), port), 0.5).close()


class Handler(BaseHTTPRequestHandler):
    """One connection: request after request, each under its own deadline."""

    server: Server
    request: Connection
    rfile: io.BufferedReader

    def setup(self) -> None:
        self.connection = self.request.socket
        at_once = self.server.limits.request_seconds
        self.deadline = Deadline(at_once)
        self.rfile = io.BufferedReader(TimedReader(self.connection, self.deadline, at_once=at_once), 16384)

    def handle(self) -> None:
        while self._one():
            self.deadline.restart(self.server.limits.idle_seconds)

    def finish(self) -> None:
        self.rfile.close()

    def read_body(self, length: int) -> bytes:
        """The body, whose length the head has stated; a cut one ends the connection."""
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionResetError("the request was cut")
        return body

    def _one(self) -> bool:
        """Answer one request; False when the connection is to end."""
        if not self.rfile.peek(1):
            return False
        self.deadline.restart(self.server.limits.request_seconds)
        keep_alive = bodiless = False
        try:
            head = parse_head(read_head(self.rfile, self.server.limits), self.server.limits)
            keep_alive, bodiless = head.keep_alive, head.method == "HEAD"
            reply = _begun(self.server.answer(self, head))
        except CryptoChatError as error:
            reply = problem(error)
        except DatabaseError as error:
            reply = problem(trouble(error))
        except CONNECTION_LOST:
            raise
        except Exception:  # the top of a request
            _log.exception("%s: a request failed", self.server.thread_name)
            reply = problem(CryptoChatError("something went wrong here: see the log"))
        keep_alive = keep_alive and reply.status < 400 and reply.stream is None
        try:
            self._write(reply, keep_alive, bodiless)
        finally:
            if reply.then is not None:
                reply.then()
        return keep_alive

    def _write(self, reply: Reply, keep_alive: bool, bodiless: bool) -> None:
        """The whole reply in one write, to HEAD without its body; then, of a stream, chunk by chunk."""
        fields = dict(reply.headers)
        if reply.content_type is not None:
            fields["Content-Type"] = reply.content_type
        if reply.stream is None and reply.status != 204:
            fields["Content-Length"] = str(len(reply.body))
        if reply.whole:
            fields["Transfer-Encoding"] = "chunked"
        if not keep_alive:
            fields["Connection"] = "close"
        lines = [f"HTTP/1.1 {reply.status} {self.responses.get(reply.status, ('', ''))[0]}"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        lines += [*self.server.fixed_head, f"Date: {_date(int(time.time()))}\r\n\r\n"]
        head = "\r\n".join(lines).encode("latin-1")
        set_timeout(self.connection, self.server.limits.request_seconds)
        self.connection.sendall(head if bodiless else head + reply.body)
        if reply.stream is not None:
            self.connection.settimeout(self.server.limits.sse_write_seconds)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _STREAM_BUFFER_BYTES)
            for chunk in reply.stream:
                self.connection.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk) if reply.whole else chunk)
            if reply.whole:
                self.connection.sendall(b"0\r\n\r\n")


def _begun(reply: Reply) -> Reply:
    """`reply` with its stream begun: what fails at once is still a reply of its own."""
    if reply.stream is None:
        return reply
    first = list(islice(reply.stream, 1))
    return reply._replace(stream=chain(first, reply.stream))


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    """The time in a reply's head (RFC 9110, section 6.6.1)."""
    return formatdate(second, usegmt=True)


def _plain(client_address: Any) -> str:
    """The client's IP address as `model.Endpoint` has it: IPv4 also where it reached an IPv6 socket."""
    host: str = client_address[0]
    if host.startswith("::ffff:") and "." in host:
        return host[7:]
    scope = client_address[3] if len(client_address) == 4 else 0
    return f"{host.partition('%')[0]}%{scope}" if scope else host


def _linger(sock: socket.socket) -> None:
    """Let what we have written arrive: closing on unread bytes would make the kernel discard it."""
    with contextlib.suppress(OSError, ValueError):
        socket.socket.shutdown(sock, socket.SHUT_WR)
        deadline = Deadline(_LINGER_SECONDS)
        left = _LINGER_BYTES
        while left > 0:
            sock.settimeout(deadline.left())
            got = len(socket.socket.recv(sock, 65536))
            left -= got or left

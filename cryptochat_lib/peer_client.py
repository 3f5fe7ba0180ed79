"""Requests to one peer, on one kept-alive connection. The home of `urllib.request`.

The other half of `peer_server`. A request goes only to the pinned certificate
(`tls.presenting`), and whether that is still wanted is asked again after every handshake
(`admit`, of `verification`). The opener is bare: no proxies, no cookies, and above all no
redirects, with which a verified peer could make us call our own UI server.

In TLS 1.3 a client's finished handshake means nothing until a whole response
has arrived: a refusal shows up only then. Everything short of a whole response
is Unreachable: not delivered, to be tried again with the same id.

Threads: a client belongs to one sender's thread; `connections` lets another
thread end its connection.
"""

from __future__ import annotations

import io
import socket
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from . import tls, wire
from .attempts import ITSELF, UNDECIDED, WRONG_KEY, Attempts
from .connections import Connection, Connections
from .deadline import Deadline, TimedReader, set_timeout
from .dialing import Where, dial
from .errors import CryptoChatError, PeerUndecided, UnacceptableCertificate, Unreachable
from .http_read import WholeReply, read_reply
from .identity import Identity
from .limits import Limits
from .model import Certificate, Endpoint, KnownKey

Admit = Callable[[Certificate], object]
"""Raises unless we may talk to whoever has shown this certificate."""


@dataclass(frozen=True)
class Reply:
    """A whole response of a peer. `retry_after` in seconds."""

    status: int
    body: bytes
    retry_after: float | None
    endpoint: Endpoint


def look(endpoint: Endpoint, limits: Limits, attempts: Attempts, mark: str | None = None) -> Certificate:
    """The certificate of whoever listens at `endpoint`; Unreachable, UnacceptableCertificate.

    Presents nothing, sends nothing, reads nothing. `mark`: of our own server; Unreachable if it is that one.
    """
    return look_at_any((endpoint,), limits, attempts, mark)[1]


def look_at_any(
    endpoints: tuple[Endpoint, ...], limits: Limits, attempts: Attempts, mark: str | None = None
) -> tuple[Endpoint, Certificate]:
    """`look`, at whichever of these finishes its handshake first."""
    endpoint, sock = dial(lambda: endpoints, tls.looking(mark), limits, attempts)
    with sock:
        if mark is not None and tls.is_marked(sock, mark):
            attempts.note(endpoint, ITSELF)
            raise Unreachable("we have reached ourselves", why=ITSELF)
        try:
            return endpoint, tls.peer_certificate(sock)
        except UnacceptableCertificate:
            attempts.note(endpoint, WRONG_KEY)
            raise


class PeerClient:
    """The connection to the holder of one key."""

    def __init__(
        self,
        identity: Identity,
        key: KnownKey,
        admit: Admit,
        connections: Connections,
        limits: Limits,
        attempts: Attempts,
    ) -> None:
        self.key = key
        self._limits = limits
        self._attempts = attempts
        self._channel = _Channel(identity, key.certificate, admit, connections, limits, attempts)
        self._opener = urllib.request.OpenerDirector()
        self._opener.add_handler(self._channel)

    def post(self, where: Where, path: str, body: bytes, seconds: float | None = None) -> Reply:
        """POST a JSON `body` to `path` at the first address of `where` that answers with the pinned key.

        The answer may take `seconds`, or `limits.reply_seconds`. Raises Unreachable (TlsRefused if the
        peer does not accept our certificate yet), CertificateChanged if only somebody else answers.
        """
        endpoint = self._channel.open(where)
        request = urllib.request.Request(
            f"https://{quote(str(endpoint), safe='[]:')}{path}",
            data=body,
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        timeout = self._limits.reply_seconds if seconds is None else seconds
        try:
            reply: WholeReply = self._opener.open(request, timeout=timeout)
        except Unreachable as error:
            self._attempts.note(endpoint, error.why)
            raise
        if reply.head.status == 403 and wire.error_code(reply.body, self._limits) == PeerUndecided.code:
            self._attempts.note(endpoint, UNDECIDED)
        text = "".join(reply.head.fields.all("retry-after"))
        retry_after = float(text) if text.isascii() and text.isdigit() else None
        return Reply(reply.head.status, reply.body, retry_after, endpoint)

    def close(self) -> None:
        self._channel.close()


class _Channel(urllib.request.BaseHandler):
    """The `https` handler of a bare opener: one pinned connection, kept alive."""

    def __init__(
        self,
        identity: Identity,
        pinned: Certificate,
        admit: Admit,
        connections: Connections,
        limits: Limits,
        attempts: Attempts,
    ) -> None:
        self._attempts = attempts
        self._handshake = tls.presenting(identity, pinned)
        self._pinned = pinned
        self._admit = admit
        self._connections = connections
        self._limits = limits
        self._sock: tls.Socket | None = None
        self._listed: Connection | None = None
        self._endpoint: Endpoint | None = None

    def open(self, where: Where) -> Endpoint:
        """A live connection to the pinned key: the one that is open, or a new one; says where.

        Raises what `dial` and `admit` do.
        """
        if self._endpoint is not None and self._endpoint in where() and self._is_idle():
            return self._endpoint
        self.close()
        endpoint, self._sock = dial(where, self._handshake, self._limits, self._attempts)
        self._listed = self._connections.outgoing(self._sock, endpoint.host, self._pinned.fingerprint_sha256)
        try:  # after it is listed: a no that comes from here on ends the connection
            self._admit(tls.peer_certificate(self._sock))
        except BaseException:
            self.close()
            raise
        self._endpoint = endpoint
        return endpoint

    def https_open(self, request: urllib.request.Request) -> WholeReply:
        """Send `request` and read the whole response, within the request's timeout."""
        if self._sock is None:
            raise Unreachable("the connection is closed")
        deadline = Deadline(request.timeout or 0)
        most = self._limits.head_bytes + self._limits.reply_bytes
        try:
            set_timeout(self._sock, deadline.left())
            self._sock.sendall(_to_bytes(request))
            reader = TimedReader(self._sock, deadline, most)
            buffered: io.BufferedReader = io.BufferedReader(reader)
            reply = read_reply(buffered, self._limits)
        except (*tls.CONNECTION_LOST, CryptoChatError) as error:
            self.close()
            raise tls.lost(error) from error
        reader.finish()
        if not reply.keep_alive or buffered.read(1):  # what follows a reply belongs to no request
            self.close()
        return reply

    def close(self) -> None:
        if self._listed is not None:
            self._connections.close(self._listed)
        if self._sock is not None:
            self._sock.close()
        self._sock = self._listed = self._endpoint = None

    def _is_idle(self) -> bool:
        """Open, with nothing to read: whatever a peer says between two requests ends the connection."""
        if self._sock is None:
            return False
        try:
            self._sock.setblocking(False)
            socket.socket.recv(self._sock, 1, socket.MSG_PEEK)  # under TLS: is there anything at all?
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False


def _to_bytes(request: urllib.request.Request) -> bytes:
    """`request` as it goes over the wire; in one piece, and so in one TLS record if it is short."""
    body = request.data
    assert isinstance(body, bytes)  # `post` makes them
    lines = [
        f"{request.get_method()} {request.selector} HTTP/1.1",
        f"Host: {request.host}",
        *(f"{name}: {value}" for name, value in request.header_items()),
        f"Content-Length: {len(body)}\r\n\r\n",
    ]
    return "\r\n".join(lines).encode("latin-1") + body

"""A peer made by hand: its own certificate, its own TLS, and every byte as the test wants it.

It knows nothing of `cryptochat_lib`'s client and server. As a server it counts
handshakes, collects requests and answers what `respond` says; as a client it
opens connections to a node's peer API and speaks HTTP on them, or something else.

    peer = HandmadePeer(network)
    peer.announce("tea")
    node.wait_knows(peer.uuid, peer.fingerprint_sha256)
    with peer.connect(node) as connection:
        assert connection.post("/v1/messages", body).status == 200
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import socket
import ssl
import tempfile
import threading
import uuid as uuids
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from types import TracebackType
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from loopback_network import FakeNetwork
from loopback_node import LoopbackNode
from waiting import Collected

from cryptochat_lib.identity import self_proving_id
from cryptochat_lib.model import Announcement, Endpoint, PeerId, RoomName

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True)
class Request:
    """What a node asked this peer. `connection` counts the handshakes: 1 for the first."""

    path: str
    head: str
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Respond = Callable[[Request], "bytes | None"]
"""The bytes to answer with; None ends the connection without any."""


@dataclass(frozen=True)
class Reply:
    """What a node answered this peer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class OwnCertificate:
    """A P-256 key and a self-signed certificate, or one that `signer` has signed.

    Without a `uuid` it is the one that the key proves. `like`: it has the serial number and the key
    identifier of that one. `ca`: it may sign others.
    """

    def __init__(
        self,
        uuid: str | None = None,
        signer: OwnCertificate | None = None,
        *,
        like: OwnCertificate | None = None,
        ca: bool = False,
    ) -> None:
        self.serial: int = like.serial if like else x509.random_serial_number()
        self.key_id: bytes = like.key_id if like else os.urandom(20)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.spki = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.uuid = uuid or self_proving_id(self.spki)
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.uuid)])
        now = datetime.now(timezone.utc)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(signer.name if signer else self.name)
            .public_key(self.key.public_key())
            .serial_number(self.serial)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=365))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier(self.key_id), critical=False)
            .sign(signer.key if signer else self.key, hashes.SHA256())
        )
        self.pem = certificate.public_bytes(serialization.Encoding.PEM)
        self.der = certificate.public_bytes(serialization.Encoding.DER)

    def load_into(self, context: ssl.SSLContext, *others: OwnCertificate) -> None:
        """Show this certificate, followed by those of `others`."""
        private = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        descriptor, path = tempfile.mkstemp()
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(private + b"".join(one.pem for one in (self, *others)))
            context.load_cert_chain(path)
        finally:
            os.unlink(path)


class PeerConnection:
    """A TLS connection of ours to a node's peer API."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self.sock = sock

    def __enter__(self) -> PeerConnection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sock.close()

    def send(
        self, path: str, body: bytes | dict[str, Any], method: str = "POST", fields: Sequence[str] = ()
    ) -> None:
        """One whole request; its reply is not waited for."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [
            f"{method} {path} HTTP/1.1",
            "Host: peer",
            "Content-Type: application/json",
            f"Content-Length: {len(data)}",
            *fields,
        ]
        self.sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + data)

    def reply(self, method: str = "POST") -> Reply:
        """The next whole reply. http.client.HTTPException or OSError if there is none."""
        with http.client.HTTPResponse(self.sock, method=method) as response:
            response.begin()
            return Reply(response.status, response.msg, response.read())

    def post(self, path: str, body: bytes | dict[str, Any], **more: Any) -> Reply:
        self.send(path, body, **more)
        return self.reply()

    def ended(self, timeout: float = 10) -> bool:
        """Whether the node has ended the connection, or does so in time, without another byte."""
        self.sock.settimeout(timeout)
        try:
            return self.sock.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True


class HandmadePeer:
    """One peer, whose server runs from the beginning. `close` it."""

    def __init__(
        self,
        network: FakeNetwork,
        uuid: str | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        certificate: OwnCertificate | None = None,
    ) -> None:
        self.certificate = certificate or OwnCertificate(uuid or str(uuids.uuid4()))
        self.uuid = PeerId(uuid or self.certificate.uuid)
        self.host = host
        self.fingerprint_sha256 = hashlib.sha256(self.certificate.der).hexdigest()
        self.requests: Collected[Request] = Collected()
        self.respond: Respond = lambda _request: OK
        self.handshakes = 0
        self._network = network
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.certificate.load_into(self._context)
        self._closing = threading.Event()
        self._lock = threading.Lock()  # guards the sockets and `handshakes`
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.listen(port)

    def __enter__(self) -> HandmadePeer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # On the network

    def announce(
        self, *rooms: str, version: int = 1, name: str | None = None, endpoint: Endpoint | None = None
    ) -> None:
        """Say where we are and in which rooms."""
        self.announcement = Announcement(
            self.uuid, (endpoint or self.endpoint,), {RoomName(room): room for room in rooms}, name, version
        )
        self._network.announce(self.announcement)

    def move(self) -> None:
        """Listen on a new port; the old one is closed, and every connection with it."""
        self.hang_up()
        self.listen(0)

    def listen(self, port: int) -> None:
        """Listen on that port."""
        self._listener = socket.create_server(
            (self.host, port), family=socket.AF_INET6 if ":" in self.host else socket.AF_INET
        )
        self.endpoint = Endpoint(self.host, self._listener.getsockname()[1])
        self._run(self._accept, self._listener)

    def hang_up(self) -> None:
        """End every connection, and listen no more."""
        with self._lock:
            sockets, self._sockets = self._sockets, set()
        for sock in sockets:
            _shut(sock)
        if hasattr(self, "_listener"):
            _shut(self._listener)
            self._listener.close()

    def close(self) -> None:
        self._closing.set()
        self.hang_up()
        for thread in self._threads:
            thread.join(10)

    # As a client

    def connect(
        self,
        node: LoopbackNode,
        *,
        source: str = "",
        certificate: OwnCertificate | None = None,
        chain: Sequence[OwnCertificate] = (),
        most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ) -> PeerConnection:
        """A finished handshake, as far as a TLS 1.3 client can tell."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = most
        (certificate or self.certificate).load_into(context, *chain)
        sock = self.dial(node, source)
        try:
            return PeerConnection(context.wrap_socket(sock))
        except BaseException:
            sock.close()
            raise

    def dial(self, node: LoopbackNode, source: str = "") -> socket.socket:
        """A bare TCP connection to the node's peer API."""
        where = (node.endpoint.host, node.endpoint.port)
        return socket.create_connection(where, 10, (source, 0) if source else None)

    # As a server

    def _run(self, target: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, name="handmade peer")
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._sockets.add(sock)
            self._run(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), contextlib.closing(sock):
            sock.settimeout(30)
            with self._context.wrap_socket(sock, server_side=True) as tls:
                with self._lock:
                    self._sockets.discard(sock)
                    self._sockets.add(tls)
                    self.handshakes += 1
                    number = self.handshakes
                try:
                    self._answer_all(tls, number)
                finally:
                    with self._lock:
                        self._sockets.discard(tls)

    def _answer_all(self, tls: ssl.SSLSocket, number: int) -> None:
        with tls.makefile("rb") as file:
            while request := _read_request(file, number):
                self.requests.add(request)
                reply = self.respond(request)
                if reply is None or self._closing.is_set():
                    return
                tls.sendall(reply)


def _read_request(file: Any, number: int) -> Request | None:
    lines: list[str] = []
    while (line := file.readline().decode("latin-1")) not in ("\r\n", ""):
        lines.append(line.rstrip("\r\n"))
    if not lines:
        return None
    length = next(
        (int(line.partition(":")[2]) for line in lines if line.lower().startswith("content-length:")), 0
    )
    return Request(lines[0].split()[1], "\n".join(lines), file.read(length), number)


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def json_response(status: int, value: Any, *fields: str) -> bytes:
    """A whole reply with a JSON body."""
    body = json.dumps(value).encode()
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def accepts_all(request: Request) -> bytes:
    """200 for every message, in the form that it came in."""
    if request.path == "/v1/messages":
        return json_response(
            200, {"results": [{"id": m["id"], "status": 200} for m in request.json["messages"]]}
        )
    return OK


def message(content: str, room: str = "tea", **more: Any) -> dict[str, Any]:
    """One message of our form, with an id of its own unless one is given."""
    return {
        "id": uuids.uuid4().hex,
        "room": room,
        "username": "Mallory",
        "content": content,
        "sent": 0,
        "kind": "text",
        **more,
    }


def trust(node: LoopbackNode, peer: HandmadePeer, *rooms: str, version: int = 1) -> None:
    """The peer is announced in `rooms`, which the node joins; the node looks, and its user says yes."""
    for room in rooms or ("tea",):
        node.join(room)
    know(node, peer, *rooms, version=version)
    node.verify(peer.uuid, peer.fingerprint_sha256)


def know(node: LoopbackNode, peer: HandmadePeer, *rooms: str, version: int = 1) -> None:
    """The peer is announced, and the node has looked at it; nobody has said yes."""
    peer.announce(*(rooms or ("tea",)), version=version)
    if node.user(peer.uuid) is None or not (node.user(peer.uuid) or {})["fingerprint_sha256"]:
        node.join((rooms or ("tea",))[0])
    node.wait_knows(peer.uuid, peer.fingerprint_sha256)

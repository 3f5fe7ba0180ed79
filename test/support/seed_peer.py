"""The other implementation: a peer that knows the seed protocol and nothing else.

Written from the seed document alone, in the plainest way, so that the tests
show what CryptoChat does with somebody else's program. It shares no code with
cryptochat_lib and imports nothing of it.

- A random version 4 UUID is the common name of a self-signed RSA-2048
  certificate that is good for one year.
- Its server asks for a client certificate, requires none, and takes any
  self-signed one: whoever is new is shown to the user *while the TLS handshake
  waits*, for as long as the user takes. Its client does the same.
- `POST /rooms/{room}/message` with `username` and `content`, in any room, from
  anybody verified: 200 and an empty body. Any other field: 400. Errors are
  `{"message": ...}`. Its router decodes a path before it matches it, so that a
  room with a slash in its name cannot be reached, and cleans `..` by a redirect.
- It sends a message to each listed member on a new connection, once, and
  follows no redirect.

It runs as a process of its own and talks JSON lines: commands on stdin (`obey`),
events on stdout: ready, listed, asked, decided, mismatch, message, request,
sent, dropped. Its standard input closed, it ends.
"""

from __future__ import annotations

import argparse
import base64
import datetime
import hashlib
import http.client
import http.server
import io
import json
import posixpath
import re
import socket
import sys
import threading
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from OpenSSL import SSL
from seed_mdns import Listing, SeedMdns

_stdout_lock = threading.Lock()


def tell(event: str, **fields: Any) -> None:
    """One event, one line."""
    with _stdout_lock:
        print(json.dumps({"event": event, **fields}), flush=True)


def make_identity(name: str) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=365))
    )
    return key, builder.sign(key, hashes.SHA256())


class Acquaintance:
    """What we hold of one peer: the certificate we saw first, and the user's answer."""

    def __init__(self, der: bytes, verified: bool = False) -> None:
        self.der = der
        self.verified = verified
        self.answered = threading.Event()
        if verified:
            self.answered.set()


class Store:
    """Key, certificate and acquaintances, in a JSON file. `_lock` guards `_known`."""

    def __init__(self, file: Path, name: str | None) -> None:
        self._file, self._lock = file, threading.Lock()
        self._known: dict[str, Acquaintance] = {}
        if file.exists():
            saved = json.loads(file.read_text())
            key = serialization.load_pem_private_key(saved["key"].encode(), None)
            assert isinstance(key, rsa.RSAPrivateKey)
            self.key, self.certificate = key, x509.load_pem_x509_certificate(saved["certificate"].encode())
            for peer, (der, verified) in saved["known"].items():
                self._known[peer] = Acquaintance(base64.b64decode(der), verified)
        else:
            self.key, self.certificate = make_identity(name or str(uuid.uuid4()))
            self._save()

    def _save(self) -> None:
        pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        whole = self._file.with_suffix(".new")
        whole.write_text(
            json.dumps(
                {
                    "key": pem.decode(),
                    "certificate": self.certificate.public_bytes(serialization.Encoding.PEM).decode(),
                    "known": {
                        peer: (base64.b64encode(one.der).decode(), one.verified)
                        for peer, one in self._known.items()
                    },
                }
            )
        )
        whole.replace(self._file)  # the tests kill this program at any time

    def meet(self, peer: str, der: bytes) -> Acquaintance:
        with self._lock:
            if peer not in self._known:
                self._known[peer] = Acquaintance(der)
                self._save()
            return self._known[peer]

    def decide(self, peer: str, verified: bool) -> None:
        with self._lock:
            one = self._known[peer]
            one.verified = verified
            self._save()  # before anybody goes on: the tests may end this program right after
            one.answered.set()
            if not verified:
                one.answered = threading.Event()  # whoever comes next is asked about again


def common_name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)


class SeedPeer:
    """Server, client and discovery of one peer."""

    def __init__(self, store: Store, username: str, interface_ip: str, port: int) -> None:
        self.store, self.username = store, username
        self.uuid = common_name(store.certificate)
        self._listener = socket.create_server((interface_ip, port), backlog=16)
        self.port = self._listener.getsockname()[1]
        self.mdns = SeedMdns(self.uuid, self.port, interface_ip, self._listed)

    def start(self) -> None:
        threading.Thread(target=self._accept_forever, name="accept", daemon=True).start()
        self.mdns.start()
        der = self.store.certificate.public_bytes(serialization.Encoding.DER)
        tell(
            "ready",
            uuid=self.uuid,
            port=self.port,
            fingerprint=hashlib.sha1(der).hexdigest(),
            fingerprint_sha256=hashlib.sha256(der).hexdigest(),
        )

    @staticmethod
    def _listed(listing: Listing) -> None:
        tell(
            "listed", uuid=listing.uuid, address=listing.address, port=listing.port, rooms=list(listing.rooms)
        )

    # Trust: one function for both directions

    def verify_peer(self, certificate: x509.Certificate, expected: str | None = None) -> bool:
        """Whether the user trusts this certificate. Waits for the answer, without end."""
        peer, der = common_name(certificate), certificate.public_bytes(serialization.Encoding.DER)
        one = self.store.meet(peer, der)
        if one.der != der or expected not in (None, peer):
            tell("mismatch", uuid=peer)
            return False
        if not one.verified:
            answered = one.answered
            tell("asked", uuid=peer, fingerprint=hashlib.sha1(der).hexdigest())
            answered.wait()
        return one.verified

    def _tls(self, sock: socket.socket, expected: str | None = None) -> SSL.Connection:
        """Wrap `sock`; `verify_peer` runs in the handshake, once, when a certificate is shown."""
        decision: list[bool] = []

        def verify(_connection: object, certificate: Any, _error: int, depth: int, _ok: int) -> bool:
            if depth == 0 and not decision:
                decision.append(self.verify_peer(certificate.to_cryptography(), expected))
            return all(decision)

        context = SSL.Context(SSL.TLS_METHOD)
        context.use_privatekey(self.store.key)
        context.use_certificate(self.store.certificate)
        context.set_verify(SSL.VERIFY_PEER, verify)  # VERIFY_FAIL_IF_NO_PEER_CERT is left out
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        return SSL.Connection(context, sock)

    # Server

    def _accept_forever(self) -> None:
        while True:
            sock, address = self._listener.accept()
            threading.Thread(target=self._serve, args=(sock, address), daemon=True).start()

    def _serve(self, sock: socket.socket, address: object) -> None:
        connection = self._tls(sock)
        connection.set_accept_state()
        try:
            connection.do_handshake()
            certificate = connection.get_peer_certificate(as_cryptography=True)
            sender = common_name(certificate) if certificate else None
            Handler(connection, address, sender)
            connection.shutdown()
        except (SSL.Error, OSError) as error:
            tell("dropped", error=repr(error))
        finally:
            connection.close()

    # Client

    def send(self, room: str, content: str, fields: dict[str, Any], to: str | None = None) -> None:
        """To each listed member, on a thread of its own, so that one who waits delays nobody.

        With `to`: to that peer alone, in the room or not.
        """
        body = json.dumps({"username": self.username, "content": content, **fields}).encode()
        for member in list(self.mdns.listed.values()):
            if member.uuid == to if to else room in member.rooms:
                threading.Thread(target=self._send_to, args=(member, room, body), daemon=True).start()

    def _send_to(self, member: Listing, room: str, body: bytes) -> None:
        try:
            with socket.create_connection((member.address, member.port), timeout=5) as sock:
                sock.settimeout(None)
                connection = self._tls(sock, expected=member.uuid)
                connection.set_connect_state()
                connection.do_handshake()
                status, answer = self._post(connection, room, body)
        except (SSL.Error, OSError, http.client.HTTPException) as error:
            tell("sent", uuid=member.uuid, room=room, status=None, error=repr(error))
        else:
            tell("sent", uuid=member.uuid, room=room, status=status, answer=answer)

    @staticmethod
    def _post(connection: SSL.Connection, room: str, body: bytes) -> tuple[int, str]:
        client = http.client.HTTPConnection("peer")
        client.sock = TlsStream(connection)
        path = f"/rooms/{quote(room, safe='$&+=:@')}/message"  # as Go's url.PathEscape
        client.request("POST", path, body, {"Content-Type": "application/json", "Connection": "close"})
        reply = client.getresponse()
        return reply.status, reply.read().decode()


class TlsStream(io.RawIOBase):
    """A pyOpenSSL connection as a file and as a socket, as far as `http` needs them."""

    def __init__(self, connection: SSL.Connection) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return self._connection.recv_into(buffer)
        except SSL.ZeroReturnError:
            return 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._connection.sendall(bytes(data)) or len(data)

    def sendall(self, data: bytes) -> None:
        self._connection.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(TlsStream(self._connection))


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the requests of one connection, whose `sender` the handshake has verified."""

    protocol_version = "HTTP/1.1"

    def __init__(self, connection: SSL.Connection, address: Any, sender: str | None) -> None:
        self.rfile = io.BufferedReader(TlsStream(connection))
        self.wfile = io.BufferedWriter(TlsStream(connection))
        self.client_address, self.sender = address, sender
        self.handle()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, message = self._handle(body)
        tell(
            "request",
            path=self.path,
            status=status,
            uuid=self.sender,
            headers=dict(self.headers.items()),
            body=body.decode(errors="replace"),
        )
        reply = json.dumps({"message": message}).encode() if message else b""
        self.send_response(status)
        if status == 301:
            self.send_header("Location", posixpath.normpath(self._decoded_path()))
        if reply:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)
        self.wfile.flush()

    def _decoded_path(self) -> str:
        return unquote(urlsplit(self.path).path)

    def _handle(self, body: bytes) -> tuple[int, str]:
        path = self._decoded_path()
        if posixpath.normpath(path) != path:
            return 301, ""
        route = re.fullmatch(r"/rooms/([^/]+)/message", path)
        if not route:
            return 404, "not found"
        if self.sender is None:
            return 401, "a client certificate is needed"
        try:
            message = json.loads(body)
        except ValueError:
            return 400, "malformed JSON"
        if not isinstance(message, dict) or not message.keys() <= {"username", "content"}:
            return 400, "unknown field"
        tell("message", uuid=self.sender, room=route[1], **message)
        return 200, ""

    def do_GET(self) -> None:
        self.send_error(405)

    def log_message(self, format: str, *arguments: Any) -> None:
        return


def obey(peer: SeedPeer, command: dict[str, Any]) -> None:
    """One command of the user."""
    do = command["do"]
    if do in ("verify", "reject"):
        peer.store.decide(command["uuid"], do == "verify")
        tell("decided", uuid=command["uuid"])
    elif do == "send":
        peer.send(command["room"], command["content"], command["fields"], command["to"])
    elif do in ("join", "leave"):
        others = [room for room in peer.mdns.rooms if room != command["room"]]
        peer.mdns.rooms = [*others, command["room"]] if do == "join" else others
        peer.mdns.rooms_changed()
    else:
        raise ValueError(f"no such command: {do}")


def main() -> int:
    parser = argparse.ArgumentParser(description="A peer that knows only the seed protocol.")
    parser.add_argument("--interface-ip", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--room", action="append", default=[])
    parser.add_argument("--username", default="seed")
    parser.add_argument("--state", type=Path, required=True, help="JSON file for key and acquaintances")
    parser.add_argument("--uuid", help="take this name instead of a random one")
    options = parser.parse_args()
    peer = SeedPeer(Store(options.state, options.uuid), options.username, options.interface_ip, options.port)
    peer.mdns.rooms = options.room
    peer.start()
    for line in sys.stdin:
        obey(peer, json.loads(line))
    return 0


if __name__ == "__main__":
    sys.exit(main())

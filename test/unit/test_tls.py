"""TLS between real sockets: which certificate a handshake lets through, on either side."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import ssl
import struct
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cryptochat_lib import tls
from cryptochat_lib.errors import CertificateChanged, TlsRefused, Unreachable
from cryptochat_lib.identity import Identity
from cryptochat_lib.model import Certificate, PeerId

BOB = PeerId("00000000-0000-4000-8000-00000000000b")


class Holder:
    """A key and a certificate for it; `signer`: by whom, if not by itself."""

    def __init__(
        self, folder: Path, name: str, signer: Holder | None = None, authority: bool = False
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(timezone.utc)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name((signer or self).name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=365))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .sign((signer or self).key, hashes.SHA256())
        )
        public = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.certificate = Certificate(BOB, certificate.public_bytes(serialization.Encoding.DER), public)
        self.file = folder / f"{name}.pem"
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(
                self.key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
            file.write(certificate.public_bytes(serialization.Encoding.PEM))

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        return context

    def client(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain(self.file)
        return context


@contextlib.contextmanager
def answering(context: ssl.SSLContext, ended: threading.Event | None = None) -> Iterator[socket.socket]:
    """A socket at whose other end `context` answers one handshake; `ended` says when we have hung up."""
    ours, theirs = socket.socketpair()

    def answer() -> None:
        with contextlib.suppress(OSError), contextlib.closing(theirs):
            theirs.settimeout(10)
            with context.wrap_socket(theirs, server_side=True) as sock:
                sock.recv(1)
                if ended is not None:
                    ended.set()

    thread = threading.Thread(target=answer, name="the other end")
    thread.start()
    try:
        yield ours
    finally:
        ours.close()
        thread.join(10)


def shaken(handshake: tls.ClientHandshake, sock: socket.socket) -> tls.Socket:
    """`sock` after the whole of `handshake`."""
    sock.setblocking(False)
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        shaking = stack.enter_context(handshake.begin(sock))
        while waits_for := handshake.go_on(shaking):
            selector.register(shaking, waits_for)
            assert selector.select(10), "nothing more comes"
            selector.unregister(shaking)
        stack.pop_all()
    return shaking


def let_in(server: tls.ServerTls, holder: Holder) -> bool:
    """Whether `server` finishes a handshake with that client."""
    ours, theirs = socket.socketpair()

    def knock() -> None:
        with contextlib.suppress(OSError), contextlib.closing(theirs):
            theirs.settimeout(10)
            with holder.client().wrap_socket(theirs) as sock:
                sock.recv(1)

    thread = threading.Thread(target=knock, name="client")
    thread.start()
    try:
        with server.wrap(ours) as sock:
            tls.handshake(sock, 10)
            return True
    except TlsRefused:
        return False
    finally:
        ours.close()
        thread.join(10)


def test_the_holder_of_the_pinned_certificate_is_reached(tmp_path: Path, identity: Identity) -> None:
    bob = Holder(tmp_path, "bob")
    with answering(bob.server()) as sock:
        shaken(tls.presenting(identity, bob.certificate), sock).close()


def test_a_certificate_that_openssl_takes_for_the_pinned_one_is_refused_all_the_same(
    tmp_path: Path, identity: Identity
) -> None:
    """OpenSSL asks whether a chain ends at the anchor; we mean the anchor itself, byte for byte."""
    bob = Holder(tmp_path, "bob", authority=True)
    other = Holder(tmp_path, "other", signer=bob)
    handshake = tls.presenting(identity, bob.certificate)
    with answering(other.server()) as sock, handshake._context.wrap_socket(sock) as accepted:
        assert accepted.getpeercert(binary_form=True) == other.certificate.der
    ended = threading.Event()
    with answering(other.server(), ended) as sock:
        with pytest.raises(CertificateChanged) as refused:
            shaken(handshake, sock)
        assert ended.wait(5)
        assert refused


@contextlib.contextmanager
def reset() -> Iterator[socket.socket]:
    """A connection that the other side has taken, and reset at once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.close()
        with ours:
            yield ours


def test_a_connection_that_is_reset_before_the_handshake_shows_no_certificate() -> None:
    with reset() as sock, pytest.raises(Unreachable):
        shaken(tls.looking(), sock)


def test_a_connection_that_is_reset_before_the_handshake_reaches_nobody(
    tmp_path: Path, identity: Identity
) -> None:
    bob = Holder(tmp_path, "bob")
    with reset() as sock, pytest.raises(Unreachable):
        shaken(tls.presenting(identity, bob.certificate), sock)


def test_who_is_trusted_while_the_anchors_are_replaced_is_not_lost(
    tmp_path: Path, identity: Identity
) -> None:
    server, bob = tls.ServerTls(identity), Holder(tmp_path, "bob")
    threads: list[threading.Thread] = []

    def stored() -> Iterable[Certificate]:
        """What was stored a moment ago: since then, somebody else has learned Bob's certificate."""
        threads.append(threading.Thread(target=server.trust, args=(bob.certificate,), name="look"))
        threads[0].start()
        threads[0].join(0.3)  # without the lock, it is done by now
        return []

    server.replace(stored)
    threads[0].join(10)
    assert let_in(server, bob)


def test_who_is_not_stored_any_more_is_not_let_in_after_a_replacement(
    tmp_path: Path, identity: Identity
) -> None:
    server, bob, carol = tls.ServerTls(identity), Holder(tmp_path, "bob"), Holder(tmp_path, "carol")
    for holder in (bob, carol):
        server.trust(holder.certificate)
        assert let_in(server, holder)
    server.replace(lambda: [carol.certificate])
    assert not let_in(server, bob)
    assert let_in(server, carol)

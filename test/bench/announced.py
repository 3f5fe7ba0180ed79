"""What stands behind an announcement that is only to be looked at: a TLS server with a certificate."""

from __future__ import annotations

import contextlib
import socket
import ssl
import tempfile
import threading
from pathlib import Path

from certificates import make_der, make_key
from cryptography import x509
from cryptography.hazmat.primitives import serialization

_HANDSHAKE_SECONDS = 5.0


def server_context(uuid: str) -> ssl.SSLContext:
    """With a new key and the certificate of `uuid`."""
    key = make_key()
    der = make_der(uuid, key=key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pem")
        path.write_bytes(
            x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context.load_cert_chain(path)
    return context


def serve_look(server: socket.socket, context: ssl.SSLContext) -> None:
    """One look: a handshake, until the other side closes."""
    plain, _ = server.accept()
    _shake_hands(plain, context)


def serve_looks(server: socket.socket, uuid: str) -> None:
    """Every look, each on a thread of its own; never returns."""
    context = server_context(uuid)
    while True:
        plain, _ = server.accept()
        threading.Thread(target=_shake_hands, args=(plain, context), daemon=True).start()


def _shake_hands(plain: socket.socket, context: ssl.SSLContext) -> None:
    plain.settimeout(_HANDSHAKE_SECONDS)
    with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
        connection.recv(1)

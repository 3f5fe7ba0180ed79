"""Servers at which a try fails, each for a reason of its own. Real sockets, on loopback."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from loopback_peer import OwnCertificate

from cryptochat_lib.model import Endpoint

Say = Callable[[socket.socket], None]
"""What is done with a connection, which is closed afterwards."""


@contextmanager
def serving(say: Say, host: str = "127.0.0.1", port: int = 0) -> Iterator[Endpoint]:
    """Whoever connects is dealt with by `say`, one after the other."""
    with socket.create_server((host, port)) as listener, ExitStack() as stack:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    sock = stack.enter_context(listener.accept()[0])
                    sock.settimeout(10)
                    with contextlib.suppress(OSError):
                        say(sock)
                    sock.close()

        thread = threading.Thread(target=accept, name="a bad server")
        thread.start()
        try:
            yield Endpoint(host, listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(15)


def closed_port(host: str = "127.0.0.1") -> Endpoint:
    """Nobody listens there any more."""
    with socket.create_server((host, 0)) as listener:
        return Endpoint(host, listener.getsockname()[1])


def plain_http(sock: socket.socket) -> None:
    sock.recv(4096)
    sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    sock.shutdown(socket.SHUT_WR)
    while sock.recv(4096):
        continue


def speaks_first(sock: socket.socket) -> None:
    """As SSH does."""
    sock.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    while sock.recv(4096):
        continue


def old_tls(sock: socket.socket) -> None:
    """TLS 1.2, and nothing newer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    OwnCertificate("somebody").load_into(context)
    with context.wrap_socket(sock, server_side=True):
        return


def nothing_in_common(sock: socket.socket) -> None:
    """A fatal alert, handshake_failure (RFC 8446, section 6.2): how servers of long ago refuse us."""
    sock.recv(4096)
    sock.sendall(bytes((21, 3, 3, 0, 2, 2, 40)))
    while sock.recv(4096):
        continue


def hangs_up(sock: socket.socket) -> None:
    sock.recv(4096)


def resets(sock: socket.socket) -> None:
    sock.recv(1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def says_nothing(sock: socket.socket) -> None:
    """Until we hang up."""
    while sock.recv(4096):
        continue

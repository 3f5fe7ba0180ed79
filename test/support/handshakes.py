"""Handshakes for who dials without TLS."""

from __future__ import annotations

import socket

from cryptochat_lib.dialing import READ
from cryptochat_lib.errors import CertificateChanged, Unreachable


class NoHandshake:
    """Whoever answers is the peer."""

    def begin(self, sock: socket.socket) -> socket.socket:
        return sock

    def go_on(self, sock: socket.socket) -> int:
        return 0


class AnyByte(NoHandshake):
    """The peer is who says "!", and whoever says anything else is somebody else."""

    def go_on(self, sock: socket.socket) -> int:
        try:
            said = sock.recv(1)
        except BlockingIOError:
            return READ
        except OSError as error:
            raise Unreachable(str(error)) from error
        if said != b"!":
            raise CertificateChanged()
        return 0

"""The yardstick for latency: sends back what it gets, over TLS 1.3, and does nothing else.

    python tls_echo.py ADDRESS CERTIFICATE          prints its port; serves one connection, then ends

CERTIFICATE is a PEM file with the key, of the kind that a node has.
"""

from __future__ import annotations

import socket
import ssl
import sys


def main(address: str, certificate: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    context.load_cert_chain(certificate)
    with socket.create_server((address, 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        plain, _ = listening.accept()
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with context.wrap_socket(plain, server_side=True) as connection:
        while data := connection.recv(65536):
            connection.sendall(data)


if __name__ == "__main__":
    main(*sys.argv[1:])

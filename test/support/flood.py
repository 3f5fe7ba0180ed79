"""A verified peer that sends as much as it can: a program of its own, so that it takes nobody else's turn.

    python flood.py DATABASE HOST PORT ROOM CONNECTIONS SECONDS

It speaks under the key in a node's database, over several connections at once, in requests of
100 messages, and connects again at once when it is refused. It prints FLOWING once the first
messages were accepted; at the end, how many messages were accepted, and how many requests were
refused, by status.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import sqlite3
import ssl
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

BATCH = 100
FLOWING = "flowing"


class Tally:
    """How many messages, or refused requests, had which status, on all connections together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards `answered`
        self.answered: Counter[int] = Counter()

    def add(self, status: int) -> None:
        with self._lock:
            if status == 200 and not self.answered[200]:
                print(FLOWING, flush=True)
            self.answered[status] += BATCH if status == 200 else 1


def context_of(database: Path) -> ssl.SSLContext:
    """A client's context with the key in `database`; it takes any server for the right one."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        der, private = connection.execute("SELECT certificate, private_key FROM identity").fetchone()
    key = serialization.load_der_private_key(private, None)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    descriptor, path = tempfile.mkstemp()
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    context.load_cert_chain(path)
    os.unlink(path)
    return context


def flood(context: ssl.SSLContext, host: str, port: int, room: str, until: float, tally: Tally) -> None:
    """One connection's part, until then; 0 in `tally` is a connection that was cut."""
    connection: http.client.HTTPConnection | None = None
    while time.monotonic() < until:
        try:
            if connection is None:
                connection = http.client.HTTPConnection(host, port)
                connection.sock = context.wrap_socket(socket.create_connection((host, port), 10))
            connection.request("POST", "/v1/messages", batch(room), {"Content-Type": "application/json"})
            reply = connection.getresponse()
            reply.read()
        except (OSError, http.client.HTTPException):
            tally.add(0)
            connection = None
            continue
        tally.add(reply.status)
        if reply.status != 200:
            connection.close()
            connection = None
    if connection is not None:
        connection.close()


def batch(room: str) -> bytes:
    common = {"room": room, "username": "Mallory", "content": "x" * 100, "sent": 0, "kind": "text"}
    return json.dumps({"messages": [{"id": uuid.uuid4().hex, **common} for _ in range(BATCH)]}).encode()


def main(database: str, host: str, port: str, room: str, connections: str, seconds: str) -> None:
    context, until = context_of(Path(database)), time.monotonic() + float(seconds)
    tally = Tally()
    threads = [
        threading.Thread(target=flood, args=(context, host, int(port), room, until, tally))
        for _ in range(int(connections))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(tally.answered))


if __name__ == "__main__":
    main(*sys.argv[1:])

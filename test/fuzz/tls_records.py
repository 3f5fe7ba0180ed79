"""TLS at the peers' port: records of every kind, and real handshakes that go wrong on their way.

Real flights are made by OpenSSL in memory (`ssl.MemoryBIO`), by somebody whom the node has
never seen or by its user's friend, and changed before they are said: one bit, a length, a piece
missing, said twice, or followed by something.
"""

from __future__ import annotations

import random
import socket
import ssl
import struct
from typing import Any

from mutations import mutate, noise
from target import ENDS_WITHIN, PEER_PORT, Target, Wrong, read_to_end

_ALERT, _HANDSHAKE, _DATA = 21, 22, 23
_WORDS = (
    b"\x03\x04",
    b"\x03\x01",
    b"\x00\x2b",
    b"\x00\x33",
    b"\x00\x29",
    b"\xff\xff\xff",
    b"\x16\x03\x01\x40\x01",
    b"\x00",
)


class TlsRecords(Target):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._contexts = [self.friends_context(), *(_stranger(**kind) for kind in _STRANGERS)]

    def once(self, chance: random.Random) -> None:
        self.said = b""
        with self.dial(PEER_PORT) as sock:
            try:
                if chance.random() < 0.3:
                    self._say(sock, b"".join(_record(chance) for _ in range(chance.randint(1, 8))))
                else:
                    self._handshake(sock, chance)
                socket.socket.shutdown(sock, socket.SHUT_WR)
            except TimeoutError:
                raise Wrong(f"no answer within {ENDS_WITHIN} s") from None
            except OSError:
                pass  # it has hung up, as it may
            read_to_end(sock)

    def _say(self, sock: socket.socket, data: bytes) -> None:
        self.said += data
        sock.sendall(data)

    def _handshake(self, sock: socket.socket, chance: random.Random) -> None:
        """Flight by flight; the one that chance chooses is changed, and after it nothing is as it was."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        name = chance.choice((None, None, "peer.local", "x" * 60))
        client = chance.choice(self._contexts).wrap_bio(incoming, outgoing, server_hostname=name)
        spoilt_flight = chance.randrange(3)
        for flight in range(3):
            _step(client, flight)
            said = outgoing.read()
            if flight == spoilt_flight:
                said = _spoil(said, chance)
            if said:
                self._say(sock, said)
            if flight == spoilt_flight:
                break
            if flight == 0:  # our second one it answers only if it does not like it
                incoming.write(_flight(sock))
        if chance.random() < 0.5:
            self._say(sock, _record(chance))


def _step(client: ssl.SSLObject, flight: int) -> None:
    try:
        if flight < 2:
            client.do_handshake()
        else:
            client.write(b"POST /v1/messages HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
    except ssl.SSLError:
        return  # it wants to read first, or has no more to say: what it said goes out all the same


def _flight(sock: socket.socket) -> bytes:
    """What the server says now: whole records, the last of which may still be on its way."""
    data = sock.recv(65536)
    while data and len(data) < 1500 and data[:1] == b"\x16" and (more := _soon(sock)):
        data += more
    return data


def _soon(sock: socket.socket) -> bytes:
    sock.settimeout(0.02)
    try:
        return sock.recv(65536)
    except TimeoutError:
        return b""
    finally:
        sock.settimeout(ENDS_WITHIN)


def _spoil(flight: bytes, chance: random.Random) -> bytes:
    kind = chance.random()
    if kind < 0.1:
        return flight * 2
    if kind < 0.2:
        return flight[: chance.randint(0, len(flight))]
    if kind < 0.3:
        return b"".join(
            bytes([flight[0], *flight[1:3], 0, 1, byte]) for byte in flight[5:105]
        )  # a byte a record
    changed = mutate(flight, chance, _WORDS)
    return _with_lengths(changed) if kind < 0.75 else changed


def _with_lengths(record: bytes) -> bytes:
    """The first record and the message in it with their right lengths, so that what is inside is read."""
    if len(record) < 9:
        return record
    body = bytearray(record[5 : 5 + 16384])
    if record[0] == _HANDSHAKE:
        body[1:4] = (len(body) - 4).to_bytes(3, "big")
    return record[:3] + struct.pack("!H", len(body)) + bytes(body)


def _record(chance: random.Random) -> bytes:
    kind = chance.choice((20, _ALERT, _HANDSHAKE, _HANDSHAKE, _DATA, 24, chance.randrange(256)))
    version = chance.choice((b"\x03\x01", b"\x03\x03", b"\x03\x04", b"\x02\x00", chance.randbytes(2)))
    body = noise(chance, 17000)
    if kind == _HANDSHAKE:
        body = bytes([chance.choice((1, 1, 2, 11, 20, 24, 254))]) + len(body).to_bytes(3, "big") + body
    length = chance.choice((len(body), len(body), len(body), 0, 65535, chance.randrange(65536)))
    return bytes([kind]) + version + struct.pack("!H", length & 0xFFFF) + body


def _stranger(**settings: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for name, value in settings.items():
        setattr(context, name, value)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


_STRANGERS: tuple[dict[str, Any], ...] = (
    {"minimum_version": ssl.TLSVersion.TLSv1_3},
    {"maximum_version": ssl.TLSVersion.TLSv1_2},
    {},
)

"""What the fuzzers have in common: where they aim, how one try goes, and when it went wrong.

A target is one way into a node. `once` makes one case out of the chance that it is handed,
says it to the node, and raises `Wrong` if the answer is one that nobody may get. What it
said is in `said`, so that it can be shown.
"""

from __future__ import annotations

import random
import re
import socket
import ssl
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass

ENDS_WITHIN = 30.0
"""Nothing waits for longer, once the other side has said that no more comes."""

PEER_PORT = 20700  # below those that the system gives to others
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n")
_FAULTS = {500, 501, 502, 503, 504, 505}  # 507 is a full disk, and its right answer


class Wrong(Exception):
    """The node did what it must never do."""


@dataclass(frozen=True)
class Aim:
    """A node; its user's friend, with a file of certificate and key; another friend, who may be lost."""

    ui_port: int
    token: str
    uuid: str
    room: str
    friend: str
    friend_uuid: str
    other_uuid: str


class Target(ABC):
    """One way in. `said`: the bytes of the latest case."""

    def __init__(self, aim: Aim) -> None:
        self.aim = aim
        self.said = b""

    @abstractmethod
    def once(self, chance: random.Random) -> None:
        """One case. Raises Wrong."""

    def dial(self, port: int) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", port), ENDS_WITHIN)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def dial_as_friend(self) -> ssl.SSLSocket:
        """A finished handshake with the key that the node's user has verified."""
        return self.friends_context().wrap_socket(self.dial(PEER_PORT))

    def friends_context(self) -> ssl.SSLContext:
        if not hasattr(self, "_friends"):
            self._friends = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._friends.check_hostname, self._friends.verify_mode = False, ssl.CERT_NONE
            self._friends.load_cert_chain(self.aim.friend)
        return self._friends


def exchange(sock: socket.socket, data: bytes) -> bytes:
    """Say `data` and that no more comes; returns all that is answered. Wrong if there is no end."""
    with sock:
        try:
            sock.sendall(data)
            socket.socket.shutdown(sock, socket.SHUT_WR)  # under TLS too: the end without a word
        except OSError:
            pass  # it has answered and hung up before it had all: that answer counts
        return read_to_end(sock)


def read_to_end(sock: socket.socket) -> bytes:
    """All that comes, but of an endless event stream only the beginning."""
    deadline, answer = time.monotonic() + ENDS_WITHIN, b""
    while True:
        sock.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            more = sock.recv(65536)
        except TimeoutError:
            raise Wrong(f"no end within {ENDS_WITHIN} s, after {answer[:200]!r}") from None
        except OSError:
            return answer
        if not more:
            return answer
        answer += more
        if b"text/event-stream" in answer:
            return answer


def check_replies(answer: bytes, *fields: bytes) -> None:
    """What HTTP says at least: replies or nothing, no fault, errors as problems, `fields` in each head."""
    if not answer:
        return
    if not _STATUS.match(answer):
        raise Wrong(f"this is no reply: {answer[:200]!r}")
    for reply in _STATUS.finditer(answer):
        status = int(reply[1])
        head = answer[reply.start() :].partition(b"\r\n\r\n")[0]
        if status in _FAULTS or b"Traceback" in answer:
            raise Wrong(f"answered {status}: {answer[reply.start() :][:2000]!r}")
        if status >= 400 and b"\r\nContent-Type: application/problem+json\r\n" not in head + b"\r\n":
            raise Wrong(f"{status} is no problem: {head!r}")
        if status >= 400 and b"\r\nConnection: close\r\n" not in head + b"\r\n":
            raise Wrong(f"{status} leaves the connection open: {head!r}")
        for field in fields:
            if field not in head:
                raise Wrong(f"{status} without {field!r}: {head!r}")

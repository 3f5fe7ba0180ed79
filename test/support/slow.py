"""Slow clients, and whether the good ones are served beside them."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

from loopback_node import LoopbackNode
from loopback_peer import HandmadePeer, message

OURS = "/v1/messages"


@contextlib.contextmanager
def dripping(sock: socket.socket, data: bytes) -> Iterator[None]:
    """Send `data` byte by byte, for as long as the other side lets us, or this is open."""
    done = threading.Event()

    def drip() -> None:
        with contextlib.suppress(OSError):
            for byte in data:
                sock.sendall(bytes([byte]))
                if done.wait(0.05):
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(10)


def wait_ended(sock: socket.socket, within: float) -> None:
    """The other side ends the connection in time, whatever it says before."""
    sock.settimeout(within)
    deadline = time.monotonic() + within
    with contextlib.suppress(ConnectionError):
        while sock.recv(4096):
            assert time.monotonic() < deadline


def stays_open(sock: socket.socket) -> bool:
    sock.settimeout(0.3)
    try:
        return sock.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


def served(node: LoopbackNode, peer: HandmadePeer, within: float = 2, source: str = "") -> bool:
    """Whether a good peer gets its message in at once."""
    started = time.monotonic()
    with peer.connect(node, source=source) as connection:
        reply = connection.post(OURS, {"messages": [message("in between")]})
    return reply.status == 200 and time.monotonic() - started < within

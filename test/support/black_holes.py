"""An address at which connecting takes as long as one lets it: nothing there says yes or no.

A listener with one place in its queue, taken: from then on Linux drops whatever asks for a
connection, as an address does that is gone.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_SYN_SENT = "02"


@contextmanager
def black_hole(host: str = "127.0.0.1", port: int = 0) -> Iterator[socket.socket]:
    """The listener. On "0.0.0.0" every loopback address is a black hole at its port; an `accept` ends it."""
    if sys.platform != "linux":
        pytest.skip("this platform does not drop what finds no place in a queue")
    with socket.create_server((host, port), backlog=0) as listener:
        reached = "127.0.0.1" if host == "0.0.0.0" else host
        with socket.create_connection((reached, port_of(listener)), 10):
            yield listener


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def connecting_to(port: int) -> int:
    """How many connections to `port` are being made in this namespace now, over IPv4."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(1 for line in lines if line[2].endswith(f":{port:04X}") and line[3] == _SYN_SENT)

"""Peers that are announced as ours are, each on a machine of its own, and that do nothing else.

    python announcers.py SILENCE-SECONDS ROOMS NAMESPACE...      prints how many there are

For each NAMESPACE (a file, as `ip netns` makes them) a process that runs the program's own
`Discovery` there, in ROOMS (with commas between): it announces, asks, answers and forgets as
a whole node does, with every packet and every pause. Behind it stands a TLS server with its
certificate, which is all that a look sees. A whole node would do the same on the wire, but
32 of them would look at each other first.

They are forked from one program, so that what is imported is in memory once; each ends with it.
They begin when all are there, spread over the time between two of discovery's ticks: people's
machines do not tick together.
"""

from __future__ import annotations

import ctypes
import os
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence

from announced import serve_looks
from certificates import make_uuid

from cryptochat_lib.discovery import Discovery, OwnAnnouncement
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Announcement, Endpoint, PeerId, parse_room_name

_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_TICK_OF_SILENCE = 1 / 24
_libc = ctypes.CDLL(None, use_errno=True)


class _Nobody:
    """A listener to whom it is all the same."""

    def seen(self, announcement: Announcement) -> None: ...

    def gone(self, uuid: PeerId) -> None: ...

    def claimed(self, own: PeerId, endpoints: Sequence[Endpoint]) -> None: ...

    def moved(self) -> None: ...


def _enter(namespace: str) -> None:
    """Go to that machine; the only thread must be this one, others are born there from now on."""
    descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
    os.close(descriptor)


def _announce(silence_seconds: float, rooms: Sequence[str]) -> None:
    """One peer, for as long as it runs."""
    time.sleep(random.uniform(0, silence_seconds * _TICK_OF_SILENCE))
    server = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    uuid = make_uuid()
    discovery = Discovery(_Nobody(), (), Limits(silence_seconds=silence_seconds))
    keyed = {parse_room_name(room): room for room in rooms}
    discovery.announce(OwnAnnouncement(uuid, server.getsockname()[1], keyed, "an announced peer"))
    discovery.start()
    serve_looks(server, uuid)


def main(silence_seconds: str, rooms: str, *namespaces: str) -> None:
    parent = os.getpid()
    begin, begun = os.pipe()
    for namespace in namespaces:
        if os.fork() == 0:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            os.close(begun)
            if os.getppid() == parent:
                _enter(namespace)
                os.read(begin, 1)  # until nobody could write: the parent has made us all
                _announce(float(silence_seconds), rooms.split(","))
            os._exit(1)
    os.close(begun)
    print(len(namespaces), flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])

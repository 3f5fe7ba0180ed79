"""Who is connected: how many connections there may be, and ending those of one key.

A cap on connections is also a cap on threads. Of a server's places some are
kept for friends (addresses and keys that the user verified), so that a flood
from strangers leaves room for them, and no address and no key has more than its
part: past a cap the newest is closed.

At the UI server everybody comes from one address, and is a stranger until the
token is shown. There the stranger who has been here longest makes way instead:
whoever holds places in silence keeps nobody out.

Threads: the accepting thread opens, workers identify and close, whoever
withdraws trust ends, and so does `listening` where an address of ours has gone.
`_lock` guards all fields and is never held while waiting.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections import Counter

from .interfaces import is_here
from .model import Certificate


class Connection:
    """One connection. After the handshake: `certificate` and, its SHA-256 fingerprint, `key`.

    `foreign`: another account of this machine is at its other end. `spoke`: something was asked on it
    that is more than a greeting.
    """

    def __init__(self, sock: socket.socket, address: str, friend: bool) -> None:
        self.socket = sock
        self.address = address
        self.friend = friend
        self.key: str | None = None
        self.certificate: Certificate | None = None
        self.foreign = False
        self.spoke = False

    def is_gone(self) -> bool:
        """Whether the other side has hung up, as far as the system can say with bytes still unread."""
        if not hasattr(select, "POLLRDHUP"):
            return False
        poll = select.poll()
        try:
            poll.register(self.socket, select.POLLRDHUP)
            return bool(poll.poll(0))
        except (OSError, ValueError):  # closed here
            return True

    def shut(self) -> None:
        """End it from another thread: a blocked read or write returns at once.

        The method of the base class, since `SSLSocket.shutdown` throws away the
        TLS state that the connection's own thread is still using.
        """
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


class Connections:
    """The open connections of one server, and those that go out beside it.

    `most_of_one`: of one address, and of one key. `oldest_makes_way`: of the strangers, past a cap.
    """

    def __init__(
        self, most: int, most_of_one: int, most_strangers: int, oldest_makes_way: bool = False
    ) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._most_strangers = most_strangers
        self._oldest_makes_way = oldest_makes_way
        self._lock = threading.Lock()
        self._open: dict[Connection, None] = {}  # the oldest first
        self._outgoing: set[Connection] = set()
        self._of_address: Counter[str] = Counter()
        self._of_key: Counter[str] = Counter()
        self._strangers = 0
        self._closed = False

    def open(self, sock: socket.socket, address: str, friend: bool) -> Connection | None:
        """A place for a new connection from `address`, None if there is none left for it."""
        with self._lock:
            if self._closed or (not self._has_place(address, friend) and not self._make_way()):
                return None
            connection = Connection(sock, address, friend)
            self._open[connection] = None
            self._of_address[address] += 1
            self._strangers += not friend
            return connection

    def identify(self, connection: Connection, key: str, friend: bool) -> bool:
        """It has shown `key`. False if it is ended, a stranger too many, or one too many of that key."""
        with self._lock:
            if self._closed or connection not in self._open:
                return False
            if connection.key is None:
                if self._of_key[key] >= self._most_of_one:
                    return False
                connection.key = key
                self._of_key[key] += 1
            self._strangers += int(connection.friend) - int(friend)
            connection.friend = friend
            return friend or self._strangers <= self._most_strangers

    def outgoing(self, sock: socket.socket, address: str, key: str) -> Connection:
        """List a connection of ours to `key`, which takes no place, so that it can be ended too."""
        connection = Connection(sock, address, friend=True)
        connection.key = key
        with self._lock:
            self._outgoing.add(connection)
            if self._closed:
                connection.shut()
        return connection

    def close(self, connection: Connection) -> None:
        """Give up its place. Its own thread closes the socket."""
        with self._lock:
            self._outgoing.discard(connection)
            if connection in self._open:
                self._leave(connection)

    def end(self, key: str) -> None:
        """Shut every connection of `key`."""
        with self._lock:
            for connection in self._open.keys() | self._outgoing:
                if connection.key == key:
                    connection.shut()

    def end_stranded(self) -> None:
        """Shut every connection from an address that is not ours any more: nothing will come there.

        Left alone it would take 10 s and more until the system gives it up. Raises OSError.
        """
        with self._lock:
            hosts = {
                connection: _own_host(connection.socket) for connection in self._open.keys() | self._outgoing
            }
        here = {host for host in set(hosts.values()) if host is None or is_here(host)}
        with self._lock:
            for connection, host in hosts.items():
                if host not in here and (connection in self._open or connection in self._outgoing):
                    connection.shut()

    def end_all(self) -> None:
        """Shut every connection, and open no more."""
        with self._lock:
            self._closed = True
            for connection in self._open.keys() | self._outgoing:
                connection.shut()

    def __len__(self) -> int:
        with self._lock:
            return len(self._open)

    def _has_place(self, address: str, friend: bool) -> bool:
        return (
            len(self._open) < self._most
            and self._of_address[address] < self._most_of_one
            and (friend or self._strangers < self._most_strangers)
        )

    def _make_way(self) -> bool:
        """End the stranger who has been here longest; False if nobody may be ended."""
        oldest = next((c for c in self._open if not c.friend), None) if self._oldest_makes_way else None
        if oldest is None:
            return False
        self._leave(oldest)
        oldest.shut()
        return True

    def _leave(self, connection: Connection) -> None:
        """Its place is free."""
        del self._open[connection]
        self._strangers -= not connection.friend
        _take_one(self._of_address, connection.address)
        if connection.key is not None:
            _take_one(self._of_key, connection.key)


def _own_host(sock: socket.socket) -> str | None:
    """Our address of a connection, None if it is closed."""
    try:
        host, _, *more = sock.getsockname()
    except OSError:
        return None
    host = str(host).removeprefix("::ffff:").partition("%")[0]
    return f"{host}%{more[1]}" if more and more[1] else host


def drain(*all_connections: Connections) -> None:
    """End every connection, and wait a moment for their threads, which close their own sockets."""
    for connections in all_connections:
        connections.end_all()
    deadline = time.monotonic() + 0.5
    while any(len(connections) for connections in all_connections) and time.monotonic() < deadline:
        time.sleep(0.01)


def _take_one(counts: Counter[str], what: str) -> None:
    """And remember nothing of what has gone."""
    counts[what] -= 1
    if not counts[what]:
        del counts[what]

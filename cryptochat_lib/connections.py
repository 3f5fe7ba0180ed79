"""Who is connected: how many connections there may be, and ending those of one key.

A cap on connections is also a cap on threads. Of a server's places some are
kept for friends (addresses and keys that the user verified), so that a flood
from strangers leaves room for them: past a cap the newest is closed.

Threads: the accepting thread opens, workers identify and close, whoever
withdraws trust ends. `_lock` guards all fields and is never held while waiting.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections import Counter

from .model import Certificate


class Connection:
    """One connection. After the handshake: `certificate` and, its SHA-256 fingerprint, `key`."""

    def __init__(self, sock: socket.socket, address: str, friend: bool) -> None:
        self.socket = sock
        self.address = address
        self.friend = friend
        self.key: str | None = None
        self.certificate: Certificate | None = None

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
    """The open connections of one server, and those that go out beside it."""

    def __init__(self, most: int, most_of_one_address: int, most_strangers: int) -> None:
        self._most = most
        self._most_of_one_address = most_of_one_address
        self._most_strangers = most_strangers
        self._lock = threading.Lock()
        self._open: set[Connection] = set()
        self._outgoing: set[Connection] = set()
        self._of_address: Counter[str] = Counter()
        self._strangers = 0
        self._closed = False

    def open(self, sock: socket.socket, address: str, friend: bool) -> Connection | None:
        """A place for a new connection from `address`, None if there is none left for it."""
        with self._lock:
            if (
                self._closed
                or len(self._open) >= self._most
                or self._of_address[address] >= self._most_of_one_address
                or (not friend and self._strangers >= self._most_strangers)
            ):
                return None
            connection = Connection(sock, address, friend)
            self._open.add(connection)
            self._of_address[address] += 1
            self._strangers += not friend
            return connection

    def identify(self, connection: Connection, key: str, friend: bool) -> bool:
        """It has shown `key`. False if all is closed, or it is a stranger too many."""
        with self._lock:
            connection.key = key
            self._strangers += int(connection.friend) - int(friend)
            connection.friend = friend
            return not self._closed and (friend or self._strangers <= self._most_strangers)

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
                self._open.remove(connection)
                self._strangers -= not connection.friend
                self._of_address[connection.address] -= 1
                if not self._of_address[connection.address]:
                    del self._of_address[connection.address]

    def end(self, key: str) -> None:
        """Shut every connection of `key`."""
        with self._lock:
            for connection in self._open | self._outgoing:
                if connection.key == key:
                    connection.shut()

    def end_all(self) -> None:
        """Shut every connection, and open no more."""
        with self._lock:
            self._closed = True
            for connection in self._open | self._outgoing:
                connection.shut()

    def __len__(self) -> int:
        with self._lock:
            return len(self._open)

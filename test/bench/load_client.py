"""The client that measures: a process of its own, so that it shares no interpreter with a node.

It does as little as it can for each request: bytes that are ready, sockets that are open
(their descriptors come from `load.py`, which had them made on the node's machine), replies
that are searched for their end and their length, event streams that are cut at blank lines.

Orders come as JSON lines on stdin, each is answered by a line on stdout:

    ask       one request after another on one connection: how long each took
    pass_on   one message after another, each once the last has arrived: the answer, every arrival
    flood     messages on several connections, each posting one after another: until all have arrived
    echo      bytes through the TLS echo, one after another

Each message carries a mark, twelve hex digits at the start of its content, by which it is
known again where it arrives. A mark that does not come, or comes twice, is an error.
All times are seconds.
"""

from __future__ import annotations

import gc
import json
import re
import select
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

WAITS_AT_MOST = 60.0
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)\r\n")
_MARK = re.compile(rb'"content": ?"([0-9a-f]{12}) ')
_DELIVERED = re.compile(rb'"state": ?"delivered"')
_clock = time.perf_counter


class Connection:
    """A kept-alive HTTP connection. `feed` it what came; it knows when the reply is whole."""

    def __init__(self, descriptor: int) -> None:
        self.socket = socket.socket(fileno=descriptor)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(WAITS_AT_MOST)
        self.reply = b""

    def send(self, request: bytes) -> None:
        self.reply = b""
        self.socket.sendall(request)

    def feed(self) -> bool:
        """Take what has come; whether the reply is whole. Raises for a reply that is not 2xx."""
        data = self.socket.recv(262144)
        if not data:
            raise ConnectionError(f"the connection was closed after {self.reply[:200]!r}")
        self.reply = self.reply + data if self.reply else data
        end = self.reply.find(b"\r\n\r\n")
        if end < 0:
            return False
        if not self.reply.startswith(b"HTTP/1.1 2"):
            raise ValueError(f"refused: {self.reply[:400]!r}")
        length = _LENGTH.search(self.reply, 0, end + 2)
        return len(self.reply) >= end + 4 + (int(length[1]) if length else 0)

    def ask(self, request: bytes) -> float:
        """How long the whole reply took."""
        started = _clock()
        self.send(request)
        while not self.feed():
            continue
        return _clock() - started


class Stream:
    """An event stream. `feed` gives the marks of the messages whose events are whole."""

    _rest = b""

    def __init__(self, descriptor: int, request: bytes) -> None:
        self.socket = socket.socket(fileno=descriptor)
        self.socket.settimeout(WAITS_AT_MOST)
        self.socket.sendall(request)
        while b"\r\n\r\n" not in self._rest:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("the event stream was closed")
            self._rest += data
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise ValueError(f"the event stream was refused: {head!r}")

    def feed(self) -> list[bytes]:
        data = self.socket.recv(262144)
        if not data:
            raise ConnectionError("the event stream was closed")
        return self.take(data)

    def take(self, data: bytes) -> list[bytes]:
        events, _, self._rest = (self._rest + data).rpartition(b"\n\n")
        return _MARK.findall(events)


class Client:
    """All connections and streams of one benchmark."""

    def __init__(self, setup: dict[str, Any]) -> None:
        self._connections = [Connection(descriptor) for descriptor in setup["connections"]]
        self._streams = [Stream(descriptor, text.encode()) for descriptor, text in setup["streams"]]
        everything: list[Connection | Stream] = [*self._connections, *self._streams]
        self._by_descriptor = {one.socket.fileno(): one for one in everything}
        self._echo = _tls(setup["echo"]) if setup["echo"] is not None else None
        self._marks = _marks(setup["number"])
        self._poll = select.epoll()
        for descriptor in self._by_descriptor:
            self._poll.register(descriptor, select.EPOLLIN)

    def ask(self, connection: int, requests: Sequence[str]) -> list[float]:
        ready = [request.encode() for request in requests]
        return [self._connections[connection].ask(request) for request in ready]

    def echo(self, text: str, count: int) -> list[float]:
        assert self._echo is not None
        data, times = text.encode(), []
        for _ in range(count):
            started = _clock()
            self._echo.sendall(data)
            left = len(data)
            while left:
                left -= len(self._echo.recv(left)) or left
            times.append(_clock() - started)
        return times

    def pass_on(
        self,
        connection: int,
        before: str,
        after: str,
        count: int,
        streams: Sequence[int],
        settled: str | None = None,
        recipients: int | None = None,
    ) -> dict[str, list[Any]]:
        """`before` and `after`: a request around its mark. `settled`: one that shows the last message.

        `recipients`: how many have it before the next one starts, if not those whose streams count.
        """
        poster = self._connections[connection]
        wanted = [self._streams[i] for i in streams]
        answers, arrivals = [], []
        for mark in (next(self._marks) for _ in range(count)):
            answer, arrived = self._one(poster, mark, before.encode() + mark + after.encode(), wanted)
            answers.append(answer)
            arrivals.append(arrived)
            if settled is not None:
                _until_settled(poster, settled.encode(), mark, recipients or len(wanted))
        return {"answers": answers, "arrivals": arrivals}

    def _one(
        self, poster: Connection, mark: bytes, request: bytes, wanted: Sequence[Stream]
    ) -> tuple[float, list[float]]:
        """When the POST was answered, and when the message arrived at each stream, in that order."""
        answer, arrived, left = 0.0, [], set(wanted)
        started = _clock()
        poster.send(request)
        while left or not answer:
            for source in self._ready(started + WAITS_AT_MOST):
                now = _clock() - started
                if source is poster:
                    answer = now if poster.feed() else answer
                elif isinstance(source, Stream) and (seen := source.feed()):
                    check_once([mark] if source in left else [], seen)
                    left.remove(source)
                    arrived.append(now)
        return answer, arrived

    def flood(
        self, connections: Sequence[int], before: str, after: str, count: int, stream: int | None
    ) -> dict[str, float]:
        """Without a stream, until the last answer."""
        marks = [next(self._marks) for _ in range(count)]
        requests = iter([before.encode() + mark + after.encode() for mark in marks])
        seen: list[bytes] = []
        busy = 0
        started = _clock()
        for connection in connections:
            self._connections[connection].send(next(requests))
            busy += 1
        posted, progress = 0.0, started  # progress: when something was answered or arrived last
        while busy or (stream is not None and len(seen) < count):
            for source in self._ready(progress + WAITS_AT_MOST):
                if isinstance(source, Stream):
                    arrived = source.feed()
                    seen += arrived
                    progress = _clock() if arrived else progress
                elif source.feed():
                    progress = _clock()
                    request = next(requests, None)
                    if request is not None:
                        source.send(request)
                    else:
                        busy -= 1
                        posted = _clock() - started
        took = _clock() - started
        if stream is not None:
            check_once(marks, seen)
        return {"seconds": took, "posted": posted, "count": count}

    def _ready(self, deadline: float) -> Iterator[Connection | Stream]:
        """What has something to read. A stream's comments do not hold off the deadline."""
        found = self._poll.poll(WAITS_AT_MOST)
        if not found or _clock() > deadline:
            raise TimeoutError(f"nothing that was waited for came in {WAITS_AT_MOST} s")
        return (self._by_descriptor[descriptor] for descriptor, _ in found)


def check_once(sent: Sequence[bytes], seen: Sequence[bytes]) -> None:
    """ValueError unless every message has come, and none twice."""
    if sorted(seen) != sorted(sent):
        missing, doubled = len(set(sent) - set(seen)), len(seen) - len(set(seen))
        raise ValueError(f"{missing} missing, {doubled} doubled")


def _until_settled(poster: Connection, request: bytes, mark: bytes, recipients: int) -> None:
    """Until the sender knows that the message has arrived: the next one starts from rest."""
    deadline = _clock() + WAITS_AT_MOST
    while True:
        poster.ask(request)
        if mark in poster.reply and len(_DELIVERED.findall(poster.reply)) >= recipients:
            return
        if _clock() > deadline:
            raise TimeoutError(f"never delivered: {poster.reply!r}")
        time.sleep(0.001)  # let the node do what is asked about


def _marks(number: int) -> Iterator[bytes]:
    """Marks that no other client of this run has: in order, also when sorted."""
    for i in range(16**8):
        yield b"%04x%08x" % (number, i)


def _tls(descriptor: int) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is protected here: this is the yardstick
    plain = socket.socket(fileno=descriptor)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    plain.settimeout(WAITS_AT_MOST)
    return context.wrap_socket(plain)


def main() -> None:
    """Answer orders until stdin ends."""
    client = Client(json.loads(sys.argv[1]))
    orders: dict[str, Callable[..., Any]] = {
        "ask": client.ask,
        "echo": client.echo,
        "pass_on": client.pass_on,
        "flood": client.flood,
    }
    print("ready", flush=True)
    gc.collect()
    gc.freeze()
    gc.disable()
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(orders[order.pop("do")](**order)), flush=True)


if __name__ == "__main__":
    main()

"""Silent, slow and broken connections, in each place where one can be: they end in time, and delay nobody."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from loopback_http import ask
from loopback_node import LoopbackNode
from loopback_peer import HandmadePeer, Request, accepts_all, message, trust
from loopback_stream import EventReader
from slow import OURS, dripping, served, wait_ended
from waiting import Collected, wait_until

from cryptochat_lib.connections import Connection, Connections
from cryptochat_lib.model import Announcement, Endpoint, RoomName

StartNode = Callable[..., LoopbackNode]
MakePeer = Callable[..., HandmadePeer]

HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)
"""The beginning of a TLS handshake."""


# The peer API: the handshake and the request


def test_a_silent_handshake_ends_and_holds_up_nobody(start_node: StartNode, mallory: HandmadePeer) -> None:
    ada = start_node("Ada", handshake_seconds=0.5)
    trust(ada, mallory)
    with mallory.dial(ada) as silent:
        assert served(ada, mallory)
        started = time.monotonic()
        wait_ended(silent, 5)
        assert time.monotonic() - started < 3


def test_a_handshake_byte_by_byte_ends_in_time(start_node: StartNode, mallory: HandmadePeer) -> None:
    ada = start_node("Ada", handshake_seconds=0.5)
    trust(ada, mallory)
    with mallory.dial(ada) as slow, dripping(slow, HELLO):
        assert served(ada, mallory)
        wait_ended(slow, 3)


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"POST /v1/messages HTTP/1.1\r\nHost: a\r\n",
        b"POST /v1/messages HTTP/1.1\r\nContent-Length: 1000\r\n\r\n",
    ],
    ids=["nothing", "half a head", "half a body"],
)
@pytest.mark.parametrize("drips", [False, True])
def test_a_slow_request_ends_in_time(
    start_node: StartNode, mallory: HandmadePeer, start: bytes, drips: bool
) -> None:
    ada = start_node("Ada", request_seconds=0.6)
    trust(ada, mallory)
    with mallory.connect(ada) as slow, mallory.connect(ada) as good:
        assert good.post(OURS, {"messages": [message("before")]}).status == 200
        started = time.monotonic()
        slow.sock.sendall(start or b"P")
        with dripping(slow.sock, b"O" * 1000) if drips else contextlib.nullcontext():
            assert good.post(OURS, {"messages": [message("meanwhile")]}).status == 200
            wait_ended(slow.sock, 4)
        assert time.monotonic() - started < 4


@pytest.mark.parametrize("start", [b"", b"GET /api/info HTTP/1.1\r\nHost: a\r\n"])
def test_a_slow_program_on_this_machine_holds_up_nobody(start_node: StartNode, start: bytes) -> None:
    ada = start_node("Ada", request_seconds=0.6)
    with (
        socket.create_connection(("127.0.0.1", ada.ui_port), 10) as slow,
        dripping(slow, (start or b"G") * 30),
    ):
        assert ada.get("/api/info")
        wait_ended(slow, 4)


def test_an_idle_connection_ends_after_its_time(start_node: StartNode, mallory: HandmadePeer) -> None:
    ada = start_node("Ada", idle_seconds=0.4)
    trust(ada, mallory)
    with mallory.connect(ada) as connection:
        assert connection.post(OURS, {"messages": [message("x")]}).status == 200
        started = time.monotonic()
        assert connection.ended(4)
        assert time.monotonic() - started >= 0.2


def small_buffers(connections: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written to those who connect soon finds no room: a network is slower than this machine."""
    opened = connections.open

    def open_(sock: socket.socket, *rest: Any) -> Connection | None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        return opened(sock, *rest)

    monkeypatch.setattr(connections, "open", open_)


@contextlib.contextmanager
def asking_without_listening(sock: socket.socket, request: bytes, reads: bool) -> Iterator[None]:
    """Ask again and again, and read the answers never, or byte by byte."""
    done = threading.Event()

    def ask_on() -> None:
        with contextlib.suppress(OSError):
            while not done.is_set():
                sock.sendall(request)

    def read() -> None:
        with contextlib.suppress(OSError):
            while reads and not done.wait(0.05) and sock.recv(1):
                """One byte at a time."""

    threads = [threading.Thread(target=work, name="who never listens") for work in (ask_on, read)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        with contextlib.suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in threads:
            thread.join(10)


@pytest.mark.parametrize("reads", [False, True], ids=["never", "byte by byte"])
def test_who_does_not_read_our_answers_is_let_go_and_delays_nobody(
    start_node: StartNode, make_peer: MakePeer, reads: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, mallory, friend = start_node("Ada", request_seconds=0.6), make_peer(), make_peer()
    for peer in (mallory, friend):
        trust(ada, peer)
    small_buffers(ada.app.node.connections, monkeypatch)
    one = '{"id":"%s","room":"no","username":"M","content":"x"}' % ("🍵" * 64)
    body = f'{{"messages":[{",".join([one] * 100)}]}}'.encode()
    head = f"POST {OURS} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with mallory.connect(ada) as slow, asking_without_listening(slow.sock, head + body, reads):
        wait_until(lambda: len(ada.app.node.connections) == 1)
        assert served(ada, friend, 1)
        wait_until(lambda: not len(ada.app.node.connections), 5, "who does not read has its thread")


@pytest.mark.parametrize("reads", [False, True], ids=["never", "byte by byte"])
def test_a_program_of_this_machine_that_does_not_read_our_answers_is_let_go(
    start_node: StartNode, reads: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = start_node("Ada", request_seconds=0.6)
    small_buffers(ada.app.pages, monkeypatch)
    before = len(ada.app.pages)
    request = f"GET /vendor/vue.js HTTP/1.1\r\nHost: 127.0.0.1:{ada.ui_port}\r\n\r\n".encode()
    with (
        socket.create_connection(("127.0.0.1", ada.ui_port), 10) as slow,
        asking_without_listening(slow, request, reads),
    ):
        assert answered_at_once(ada)
        wait_until(lambda: len(ada.app.pages) == before, 5, "who does not read has its thread")


def test_a_reader_that_never_reads_delays_nobody_and_is_let_go(start_node: StartNode) -> None:
    ada = start_node("Ada", sse_write_seconds=0.5)
    ada.join("tea")
    with EventReader(ada, stream="messages") as frozen:
        streams = _workers()
        content = "x" * ada.limits.content_bytes
        started = time.monotonic()
        for _ in range(120):  # 7.5 MiB: more than the kernel buffers for one connection
            ada.send("tea", content)
        ada.send("tea", "the end")
        ada.wait_message("the end", timeout=20)
        assert time.monotonic() - started < 20
        wait_until(lambda: _workers() < streams, 10, "the frozen reader still has its thread")
        assert frozen.status == 200


def _workers() -> int:
    """How many connections to UI servers have a thread."""
    return sum(thread.name == "ui" for thread in threading.enumerate())


# A hundred of them


def reset(sock: socket.socket) -> None:
    """End it as a cable that is cut, or a program that is killed."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def answered_at_once(node: LoopbackNode) -> bool:
    """Whether the page gets an answer within a second."""
    started = time.monotonic()
    return ask(node, "GET", "/api/info").status == 200 and time.monotonic() - started < 1


def threads_of(name: str) -> int:
    return sum(1 for thread in threading.enumerate() if thread.name == name)


def test_128_silent_slow_and_broken_peers_delay_no_friend_and_leave_nothing(
    start_node: StartNode, make_peer: MakePeer
) -> None:
    """Strangers in the handshake, from four addresses; a verified peer in the head and in the body."""
    ada = start_node("Ada", handshake_seconds=3.0, request_seconds=3.0)
    mallory, friend = make_peer(), make_peer(host="127.0.0.3")
    for peer in (mallory, friend):
        trust(ada, peer)
    ada.wait_delivery(ada.send("tea", "so that its address is known"), friend.uuid, "delivered")
    wait_until(lambda: not len(ada.app.node.connections))
    threads, before = threading.active_count(), open_files()
    with ExitStack() as stack:
        for number in range(96):
            sock = stack.enter_context(mallory.dial(ada, f"127.0.1.{number // 24 + 1}"))
            sock.sendall((b"", HELLO[:200], HELLO[:5], b"no TLS")[number % 4])
            if number % 8 == 1:
                reset(sock)
        for number in range(32):
            slow = stack.enter_context(mallory.connect(ada)).sock
            slow.sendall(b"POST /v1/messages HTTP/1.1\r\n")
            if number % 2:
                slow.sendall(b"Content-Length: 9\r\n\r\n{")
        wait_until(lambda: threads_of("peer") > 64)
        for _ in range(3):
            assert served(ada, friend, 1, source="127.0.0.3")
        wait_until(lambda: not len(ada.app.node.connections), 10, "some have not ended")
    wait_until(lambda: not threads_of("peer"), 5, "threads are left")
    wait_until(lambda: threading.active_count() <= threads and open_files() <= before, 5, "something is left")


def test_128_silent_slow_and_broken_programs_keep_the_page_out_of_nothing_and_leave_nothing(
    start_node: StartNode,
) -> None:
    """As many as there are places: who has been here longest without the token makes way."""
    ada = start_node("Ada", request_seconds=3.0)
    ada.join("tea")
    info = f"GET /api/info HTTP/1.1\r\nHost: 127.0.0.1:{ada.ui_port}\r\n"
    starts = (b"", b"GE", info.encode(), f"{info}Content-Length: 9\r\n".encode())
    wait_until(
        lambda: len(ada.app.pages) == threads_of("ui") == 1, 5, "more than the stream of events is open"
    )
    before, threads = open_files(), threads_of("ui")
    with ExitStack() as stack:
        for number in range(ada.limits.ui_connections + 8):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", ada.ui_port), 10))
            sock.sendall(starts[number % 4])
            if number % 16 == 3:
                reset(sock)
        wait_until(lambda: threads_of("ui") > 64)
        for _ in range(3):
            assert answered_at_once(ada)
        ada.send("tea", "the stream of events is where it was")
        ada.wait_message("the stream of events is where it was")
        wait_until(lambda: len(ada.app.pages) == threads, 10, "some have not ended")
    wait_until(lambda: threads_of("ui") <= threads and open_files() <= before, 5, "something is left")


# Answers to requests of ours


def test_a_request_that_is_read_slowly_ends_in_time(
    start_node: StartNode, mallory: HandmadePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record of 16 KiB in 0.3 s, and there are sixty of them; the whole exchange has one second."""
    ada = start_node("Ada", reply_seconds=1.0, retry_first_seconds=30.0, retry_most_seconds=30.0)
    outgoing, ended = ada.app.node.connections.outgoing, Collected[float]()

    def small(sock: socket.socket, *rest: Any) -> Connection:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        return outgoing(sock, *rest)

    def read_slowly(tls: socket.socket, _number: int) -> None:
        started = time.monotonic()
        with contextlib.suppress(OSError):
            while tls.recv(16384) and not mallory._closing.wait(0.3):
                """A little more."""
        ended.add(time.monotonic() - started)

    trust(ada, mallory)
    mallory.hang_up()
    for number in range(15):
        ada.send("tea", f"{number:02}" * 30_000)
    monkeypatch.setattr(ada.app.node.connections, "outgoing", small)
    monkeypatch.setattr(mallory, "_answer_all", read_slowly)
    mallory.move()
    mallory._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    mallory.announce("tea")
    assert ended.wait_for(lambda seconds: seconds > 0.5, timeout=10) < 4


def test_an_answer_byte_by_byte_is_bounded_in_time(start_node: StartNode, mallory: HandmadePeer) -> None:
    ada = start_node("Ada", reply_seconds=0.5)
    done = threading.Event()

    def respond(request: Request) -> bytes | None:
        if len(mallory.requests.items) > 1:
            return accepts_all(request)
        sock = next(s for s in mallory._sockets if s.fileno() >= 0)
        for byte in accepts_all(request):
            sock.sendall(bytes([byte]))
            if done.wait(0.1):
                break
        return None

    mallory.respond = respond
    trust(ada, mallory)
    try:
        ada.wait_delivery(ada.send("tea", "hello"), mallory.uuid, "delivered")
    finally:
        done.set()
    assert len(mallory.requests.items) > 1


def test_addresses_that_accept_and_hold_do_not_delay_a_friend_who_has_moved(
    start_node: StartNode, mallory: HandmadePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody can announce addresses for a friend, and hold whoever comes to them and to the old one."""
    ada = start_node("Ada", handshake_seconds=30.0, connect_stagger_seconds=0.1)
    mallory.respond = accepts_all
    trust(ada, mallory)
    ada.wait_delivery(ada.send("tea", "first"), mallory.uuid, "delivered")
    monkeypatch.setattr(ada.app.node.looker, "look", lambda *_, **__: None)  # it might find her first
    old = mallory.endpoint
    mallory.move()
    with socket.create_server((old.host, old.port), backlog=64), socket.create_server(("0.0.0.0", 0)) as hole:
        port = hole.getsockname()[1]
        holding = tuple(Endpoint(f"127.0.3.{number}", port) for number in range(1, 16))
        where = (*holding, mallory.endpoint)
        ada.network.announce(Announcement(mallory.uuid, where, {RoomName("tea"): "tea"}, None, 1))
        ada.wait_delivery(ada.send("tea", "second"), mallory.uuid, "delivered", timeout=5)
    assert len(mallory.requests.items) == 2

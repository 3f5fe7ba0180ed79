"""A full disk, a thread that cannot start, and the end: what fails for a while works again afterwards."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from typing import Any

import pytest
from loopback_http import ask, check_problem
from loopback_node import LoopbackNode
from loopback_peer import HandmadePeer, Request, accepts_all, know, message, trust
from waiting import wait_until

from cryptochat_lib.errors import StorageClosed, StorageFull
from cryptochat_lib.store.queue import Progress

StartNode = Callable[..., LoopbackNode]
MakePeer = Callable[..., HandmadePeer]

OURS = "/v1/messages"


def test_what_was_answered_while_the_disk_was_full_is_settled_afterwards(
    ada: LoopbackNode, mallory: HandmadePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mallory.respond = accepts_all
    trust(ada, mallory)
    queue, database = ada.app.store.queue, ada.app.store.database
    settle_soon = queue.settle_soon
    failed: list[None] = []

    def fail(_: object) -> list[Progress]:
        raise StorageFull()

    def full(*arguments: Any) -> Any:
        if len(failed) < 2:
            failed.append(None)
            return database.write_soon(fail, lambda _: None)
        return settle_soon(*arguments)

    monkeypatch.setattr(queue, "settle_soon", full)
    ada.wait_delivery(ada.send("tea", "hello"), mallory.uuid, "delivered")
    assert len(mallory.requests.items) == 3
    assert len({request.json["messages"][0]["id"] for request in mallory.requests.items}) == 1


def test_a_damaged_page_is_one_clear_answer_and_everything_else_goes_on(
    ada: LoopbackNode, mallory: HandmadePeer, caplog: pytest.LogCaptureFixture
) -> None:
    trust(ada, mallory, "tea", "coffee")
    for n in range(40):
        ada.send("tea", f"number {n} " + "x" * 1000)
    ada.stop()
    path = ada.options.db
    data = path.read_bytes()
    page = next(at for at in range(0, len(data), 4096) if b"number 20 " in data[at : at + 4096])
    path.write_bytes(data[:page] + b"\xa5" * 4096 + data[page + 4096 :])
    ada.start()
    check_problem(ask(ada, "GET", "/api/rooms/tea/messages"), 503, "storage-failed")
    assert ada.send("coffee", "goes on")["content"] == "goes on"
    assert ada.fingerprint_sha256 == ada.get("/api/info")["fingerprint_sha256"]
    lines = [one for one in caplog.records if "the database fails" in one.getMessage()]
    assert {(line.levelname, line.exc_info) for line in lines} == {("ERROR", None)}


@pytest.mark.parametrize("where", ["ui", "peer"])
@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("database or disk is full", 507, "storage-full"),
        ("disk I/O error", 503, "storage-failed"),
        ("attempt to write a readonly database", 503, "storage-failed"),
        ("database disk image is malformed", 503, "storage-failed"),
    ],
)
def test_a_disk_that_fails_stores_nothing_and_says_so(
    ada: LoopbackNode,
    mallory: HandmadePeer,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    fault: str,
    status: int,
    code: str,
) -> None:
    """And the sender keeps it: what is not stored is not acknowledged."""
    trust(ada, mallory)

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError(fault)

    with monkeypatch.context() as patch:
        patch.setattr("cryptochat_lib.store.search.is_due", fail)  # when its row is written already
        if where == "ui":
            reply = ask(ada, "POST", "/api/rooms/tea/message", json_body={"content": "hello"})
            check_problem(reply, status, code)
        else:
            with mallory.connect(ada) as connection:
                answer = connection.post(OURS, {"messages": [message("hello")]})
            assert (answer.status, answer.json["code"]) == (status, code)
    assert ada.history("tea") == []
    ada.send("tea", "works again")
    with mallory.connect(ada) as connection:
        assert connection.post(OURS, {"messages": [message("theirs")]}).status == 200
    assert [m["content"] for m in ada.history("tea")] == ["works again", "theirs"]


@pytest.mark.parametrize("thread", ["peer", "ui"])
def test_a_connection_that_gets_no_thread_keeps_no_place(
    start_node: StartNode, mallory: HandmadePeer, monkeypatch: pytest.MonkeyPatch, thread: str
) -> None:
    ada = start_node("Ada", peer_connections_of_one_address=1)
    trust(ada, mallory)
    wait_until(lambda: not len(ada.app.node.connections))
    start = threading.Thread.start
    failed = threading.Event()

    def no_thread(self: threading.Thread) -> None:
        if self.name == thread and not failed.is_set():
            failed.set()
            raise RuntimeError("can't start new thread")
        start(self)

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    with mallory.dial(ada) if thread == "peer" else ada.connect() as refused:
        assert failed.wait(10)
        assert refused.recv(1) == b""
    wait_until(lambda: len(ada.app.pages) == 1 and not len(ada.app.node.connections))  # 1: the stream
    with mallory.connect(ada) as connection:
        assert connection.post(OURS, {"messages": [message("hello")]}).status == 200
    assert [m["content"] for m in ada.history("tea")] == ["hello"]


def test_after_the_end_nothing_runs_any_more(
    ada: LoopbackNode, mallory: HandmadePeer, make_peer: MakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one peer is silent, another is on the line, and a stream is open; senders are slow to end."""
    close_thread = ada.app.store.database.close_thread
    never = threading.Event()

    def close_slowly() -> None:
        if threading.current_thread().name.startswith("outbox-"):
            never.wait(0.2)
        close_thread()

    monkeypatch.setattr(ada.app.store.database, "close_thread", close_slowly)
    frozen, good = mallory, make_peer()
    asked = threading.Event()

    def freeze(_request: Request) -> None:
        asked.set()
        [sock] = frozen._sockets
        sock.recv(1)  # nothing, until Ada hangs up

    frozen.respond, good.respond = freeze, accepts_all
    for peer in (frozen, good):
        trust(ada, peer)
    ada.wait_delivery(ada.send("tea", "hello"), good.uuid, "delivered")
    assert asked.wait(10)
    with good.connect(ada) as incoming:
        assert incoming.post(OURS, {"messages": [message("hello")]}).status == 200
        ada.stop()
        left = [thread.name for thread in threading.enumerate()]
    assert not [name for name in left if name.startswith(("outbox-", "neighbours", "peer", "ui"))], left


def test_who_was_verified_just_before_the_end_is_a_member_after_it(
    ada: LoopbackNode, mallory: HandmadePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`neighbours` pauses between two rounds; the end comes in that pause, and then Mallory goes too."""
    know(ada, mallory)
    pausing = threading.Event()

    class Closing(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pausing.set()
            return super().wait(60)

    monkeypatch.setattr(ada.app.node.neighbours, "_closing", Closing())
    ada.app.node.presence.touch(ada.uuid)
    assert pausing.wait(10)
    ada.verify(mallory.uuid, mallory.fingerprint_sha256)
    ada.stop()
    mallory.hang_up()
    ada.network.goodbye(mallory.uuid)
    ada.start()
    assert mallory.uuid in ada.members("tea")
    assert [one["uuid"] for one in ada.send("tea", "hello")["deliveries"]] == [mallory.uuid]


def test_after_the_end_nothing_opens_the_database_again(ada: LoopbackNode) -> None:
    database = ada.app.store.database
    ada.stop()
    found: list[object] = []

    def read() -> None:
        try:
            found.append(database.read())
        except StorageClosed as error:
            found.append(error)
        finally:
            database.close_thread()

    thread = threading.Thread(target=read)
    thread.start()
    thread.join(10)
    assert isinstance(found[0], StorageClosed)

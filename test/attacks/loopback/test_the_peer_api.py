"""The peer API under attack, over raw TLS: what a peer may be is its key, and what it says is measured.

A friend gone bad sends bodies, heads and targets of every wrong kind; a stranger shows other
certificates, none, or an older TLS.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from typing import Any

import pytest
from loopback_node import LoopbackNode
from loopback_peer import (
    HandmadePeer,
    OwnCertificate,
    know,
    message,
    trust,
)
from peer_api import OURS, SEED, check_problem, contents, post, refused
from waiting import wait_until

StartNode = Callable[..., LoopbackNode]
MakePeer = Callable[..., HandmadePeer]


def test_the_sender_is_the_certificate_never_a_field(ada: LoopbackNode, friend: HandmadePeer) -> None:
    claims = message("it was Ada", sender=ada.uuid, uuid=ada.uuid, own=True, username="Ada")
    assert post(ada, friend, OURS, {"messages": [claims], "sender": ada.uuid}).status == 200
    [stored] = ada.history("tea")
    assert (stored["sender"]["uuid"], stored["own"]) == (friend.uuid, False)


@pytest.mark.parametrize(
    "body",
    [
        {"username": "M", "content": "x", "id": "1"},
        {"username": "M", "content": "x", "sender": "y"},
        {"content": "x"},
        {"username": "M"},
        {"username": 1, "content": "x"},
        {"username": "M", "content": 1},
        {"username": "M", "content": None},
        {"username": None, "content": "x"},
        {},
    ],
)
def test_unknown_missing_and_mistyped_fields_are_malformed_in_the_seed_s_form(
    shared: LoopbackNode, shared_friend: HandmadePeer, body: dict[str, Any]
) -> None:
    before = contents(shared)
    check_problem(post(shared, shared_friend, SEED, body), 400, "malformed")
    assert contents(shared) == before


BROKEN = [
    b"",
    b"[]",
    b"{",
    b"\xff",
    b'{"a": NaN}',
    b"[" * 100_000,
    b'{"username": "\\ud800", "content": "x"}',
    b'{"username": "M", "content": "\\ud800"}',
    b'{"username": "M", "username": "M", "content": "x"}',
    b'{"messages": 1}',
    b'{"messages": []}',
    b'{"messages": [1]}',
    b'{"messages": [{}]}',
    b'{"messages": [{"id": 1}]}',
    b'{"messages": [{"id": ""}]}',
    b'{"messages": [{"id": "%s"}]}' % (b"a" * 65),
    json.dumps({"messages": [{"id": "a"}] * 101}).encode(),
]


@pytest.mark.parametrize("body", BROKEN, ids=lambda body: repr(body[:24]))
@pytest.mark.parametrize("path", [SEED, OURS])
def test_a_body_that_is_no_message_is_malformed(
    shared: LoopbackNode, shared_friend: HandmadePeer, path: str, body: bytes
) -> None:
    before = contents(shared)
    check_problem(post(shared, shared_friend, path, body), 400, "malformed")
    assert contents(shared) == before


@pytest.mark.parametrize("path", [SEED, OURS])
def test_content_is_measured_from_both_sides(ada: LoopbackNode, friend: HandmadePeer, path: str) -> None:
    def body(content: str) -> dict[str, Any]:
        return {"username": "M", "content": content} if path == SEED else {"messages": [message(content)]}

    most = "é" * (ada.limits.content_bytes // 2)
    assert post(ada, friend, path, body(most)).status == 200
    reply = post(ada, friend, path, body(most + "a"))
    if path == SEED:
        check_problem(reply, 413, "too-large")
    else:
        assert reply.status == 200
        assert [(r["status"], r["code"]) for r in reply.json["results"]] == [(413, "too-large")]
    assert contents(ada) == [most]


def test_a_body_over_the_limit_is_refused_unread(ada: LoopbackNode, friend: HandmadePeer) -> None:
    most = ada.limits.body_bytes
    body = json.dumps({"username": "M", "content": "x"}).encode()
    assert post(ada, friend, SEED, body.ljust(most)).status == 200
    with friend.connect(ada) as connection:
        connection.sock.sendall(f"POST {SEED} HTTP/1.1\r\nContent-Length: {most + 1}\r\n\r\n".encode())
        check_problem(connection.reply(), 413, "too-large")
        assert connection.ended()


@pytest.mark.parametrize("segment", ["", "%00", "%FF", "a" * 101, "a%0A"])
def test_a_room_that_can_have_no_name_is_malformed(
    shared: LoopbackNode, shared_friend: HandmadePeer, segment: str
) -> None:
    reply = post(shared, shared_friend, f"/rooms/{segment}/message", {"username": "M", "content": "x"})
    check_problem(reply, 400, "malformed")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/", 404, "not-found"),
        ("POST", "/rooms/tea", 404, "not-found"),
        ("GET", "/api/info", 404, "not-found"),
        ("POST", "/rooms/a/b/message", 404, "not-found"),
        ("POST", "/v2/messages", 404, "not-found"),
        ("GET", SEED, 405, "method-not-allowed"),
        ("PUT", OURS, 405, "method-not-allowed"),
        ("OPTIONS", OURS, 405, "method-not-allowed"),
    ],
)
def test_anything_else_is_not_there(
    shared: LoopbackNode, shared_friend: HandmadePeer, method: str, path: str, status: int, code: str
) -> None:
    check_problem(post(shared, shared_friend, path, b"", method=method), status, code)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ("Transfer-Encoding: chunked\r\n", 411),
        ("Content-Length: +1\r\n", 400),
        ("Content-Length: -1\r\n", 400),
        ("Content-Length: 1\r\nContent-Length: 2\r\n", 400),
        ("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400),
        (" folded\r\n", 400),
        ("X: " + "a" * 16384 + "\r\n", 431),
        ("X: a\r\n" * 101, 431),
    ],
)
def test_a_head_that_two_readers_could_read_differently_is_refused(
    shared: LoopbackNode, shared_friend: HandmadePeer, fields: str, status: int
) -> None:
    with shared_friend.connect(shared) as connection:
        connection.sock.sendall(f"POST {SEED} HTTP/1.1\r\nHost: a\r\n{fields}\r\n".encode())
        assert connection.reply().status == status
        assert connection.ended()


def test_a_request_smuggled_in_an_unread_body_is_not_answered(
    shared: LoopbackNode, shared_friend: HandmadePeer
) -> None:
    before = contents(shared)
    body = json.dumps({"username": "M", "content": "smuggled"})
    smuggled = f"POST {SEED} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    with shared_friend.connect(shared) as connection:
        check_problem(connection.post("/rooms/none", smuggled.encode()), 404, "not-found")
        assert connection.ended()
    assert contents(shared) == before


def test_a_nearly_full_disk_is_said_and_nothing_is_stored(
    start_node: StartNode, mallory: HandmadePeer
) -> None:
    ada = start_node("Ada", free_disk_bytes=2**62)
    trust(ada, mallory)
    check_problem(post(ada, mallory, SEED, {"username": "M", "content": "x"}), 507, "storage-full")
    check_problem(post(ada, mallory, OURS, {"messages": [message("x")]}), 507, "storage-full")
    assert contents(ada) == []


def test_a_stranger_whom_nobody_has_looked_at_is_refused_by_tls(
    ada: LoopbackNode, mallory: HandmadePeer
) -> None:
    assert refused(ada, mallory)
    assert ada.get("/api/users") == {"users": []}


def test_tls_1_2_is_refused(ada: LoopbackNode, friend: HandmadePeer) -> None:
    with pytest.raises(ssl.SSLError):
        friend.connect(ada, most=ssl.TLSVersion.TLSv1_2)


def test_no_certificate_is_refused(ada: LoopbackNode, friend: HandmadePeer) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with friend.dial(ada) as sock, context.wrap_socket(sock) as tls, pytest.raises(ssl.SSLError):
        tls.recv(1)


def test_plain_http_gets_no_answer(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    with mallory.dial(ada) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        received = sock.recv(4096)
        assert b"HTTP" not in received


def test_no_session_is_ever_resumed(ada: LoopbackNode, friend: HandmadePeer) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    friend.certificate.load_into(context)
    request = f"POST {SEED} HTTP/1.1\r\nContent-Length: 0\r\n\r\n".encode()
    with friend.dial(ada) as sock, context.wrap_socket(sock) as tls:
        tls.sendall(request)
        assert tls.recv(4096)
        session = tls.session
        assert session is None or not session.has_ticket
    with friend.dial(ada) as sock, context.wrap_socket(sock, session=session) as tls:
        tls.sendall(request)
        assert tls.recv(4096)
        assert not tls.session_reused


def test_an_admitted_peer_cannot_sign_a_leaf_for_another(
    ada: LoopbackNode, friend: HandmadePeer, make_peer: MakePeer
) -> None:
    """Its certificate is a trust anchor of the server: as an authority it could be anybody."""
    victim = make_peer()
    know(ada, victim)
    forged = OwnCertificate(victim.uuid, signer=friend.certificate)
    assert refused(ada, friend, certificate=forged)
    assert refused(ada, friend, certificate=forged, chain=[friend.certificate])
    assert contents(ada) == []


def test_another_key_under_a_friend_s_uuid_is_refused(
    ada: LoopbackNode, friend: HandmadePeer, make_peer: MakePeer
) -> None:
    assert refused(ada, make_peer(friend.uuid))
    assert contents(ada) == []


def test_the_key_is_compared_again_for_every_request(ada: LoopbackNode, friend: HandmadePeer) -> None:
    """Even if the connection survived the withdrawal: the decision is not made once."""
    with friend.connect(ada) as connection:
        assert connection.post(SEED, {"username": "M", "content": "a"}).status == 200
        ada.app.node.verification._connections = _Deaf()  # type: ignore[assignment]
        ada.unverify(friend.uuid)
        reply = connection.post(SEED, {"username": "M", "content": "b"})
        check_problem(reply, 403, "unverified")
    assert contents(ada) == ["a"]


class _Deaf:
    """Stands for connections that could not be ended in time."""

    def end(self, key: str) -> None:
        """Ends nothing."""


def test_after_a_no_was_answered_nothing_more_of_that_key_is_stored(
    ada: LoopbackNode, friend: HandmadePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request was admitted, read and parsed; the no comes while it waits for its commit."""
    add = ada.app.store.messages.add_received

    def answered_meanwhile(*arguments: Any) -> Any:
        ada.unverify(friend.uuid)
        return add(*arguments)

    with monkeypatch.context() as patch, friend.connect(ada) as connection:
        patch.setattr(ada.app.store.messages, "add_received", answered_meanwhile)
        connection.send(OURS, {"messages": [message("late")]})
        wait_until(lambda: ada.user(friend.uuid)["status"] == "unverified")  # type: ignore[index]
    assert contents(ada) == []

"""HTTP to the UI server byte by byte, for what no well-behaved client would send."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from loopback_node import LoopbackNode


@dataclass(frozen=True)
class RawReply:
    """One reply. `fields` by lower-case name."""

    status: int
    fields: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    node: LoopbackNode,
    method: str,
    target: str,
    fields: Sequence[str] = (),
    body: bytes = b"",
    *,
    host: str | None = None,
    token: bool = True,
    json_body: Any = None,
) -> RawReply:
    """One request and its one reply, on a connection that ends with it.

    The fields Host, Authorization and, for a body, Content-Length and -Type are
    added; `host=""` leaves Host out, and a field of that name in `fields` replaces ours.
    """
    if json_body is not None:
        body = json.dumps(json_body).encode()
    given = {line.partition(":")[0].lower() for line in fields}
    ours = [f"Host: {host if host is not None else f'127.0.0.1:{node.ui_port}'}"] if host != "" else []
    ours += [f"Authorization: Bearer {node.token}"] if token else []
    ours += [f"Content-Length: {len(body)}", "Content-Type: application/json"] if body else []
    lines = [
        f"{method} {target} HTTP/1.1",
        *(o for o in ours if o.partition(":")[0].lower() not in given),
        *fields,
        "Connection: close",
    ]
    replies = exchange(node, "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body)
    assert len(replies) == 1, replies
    return replies[0]


def exchange(node: LoopbackNode, data: bytes, timeout: float = 10) -> list[RawReply]:
    """Send `data`, read until the server ends the connection, and return every reply that came."""
    with socket.create_connection(("127.0.0.1", node.ui_port), timeout) as sock:
        sock.sendall(data)
        return split_replies(read_to_end(sock))


def read_to_end(sock: socket.socket) -> bytes:
    """Everything until the other side ends the connection. TimeoutError if it does not."""
    received = b""
    try:
        while data := sock.recv(65536):
            received += data
    except ConnectionResetError:
        return received
    return received


def split_replies(data: bytes) -> list[RawReply]:
    """The replies in `data`, one after the other."""
    replies = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        assert len(fields) == len(lines), f"a field stands twice: {lines}"
        length = int(fields.get("content-length", 0))
        replies.append(RawReply(int(status_line.split()[1]), fields, data[:length]))
        data = data[length:]
    return replies


HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


def check_headers(reply: RawReply) -> None:
    """What every reply carries, and what none does."""
    assert HEADERS.items() <= reply.fields.items()
    policy = {
        part.split()[0]: part.split()[1:] for part in reply.fields["content-security-policy"].split(";")
    }
    assert policy["default-src"] == policy["frame-ancestors"] == policy["trusted-types"] == ["'none'"]
    assert policy["script-src"] == ["'self'"]
    assert policy["require-trusted-types-for"] == ["'script'"]
    assert "unsafe-" not in reply.fields["content-security-policy"]
    assert not any(name.startswith("access-control-") for name in reply.fields)
    assert "set-cookie" not in reply.fields
    assert "python" not in str(reply.fields).lower()


def check_problem(reply: RawReply, status: int, code: str) -> None:
    """An error is always the same shape, and ends the connection."""
    assert (reply.status, reply.json["code"]) == (status, code), reply
    assert reply.fields["content-type"] == "application/problem+json"
    assert reply.fields["connection"] == "close"
    assert set(reply.json) == {"status", "code", "message"}
    assert reply.json["status"] == status
    assert len(reply.json["message"]) > 10
    assert "Traceback" not in reply.json["message"]
    check_headers(reply)

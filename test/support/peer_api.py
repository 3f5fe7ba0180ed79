"""The peer API as a peer made by hand asks it: what its tests and the attacks on it share."""

from __future__ import annotations

from typing import Any

from loopback_node import LoopbackNode
from loopback_peer import HandmadePeer, Reply

SEED = "/rooms/tea/message"
OURS = "/v1/messages"


def check_problem(reply: Reply, status: int, code: str) -> None:
    assert (reply.status, reply.json["code"]) == (status, code), reply.body
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.headers["Connection"] == "close"
    assert set(reply.json) == {"status", "code", "message"}
    assert "python" not in str(reply.headers).lower()


def post(
    node: LoopbackNode, peer: HandmadePeer, path: str, body: bytes | dict[str, Any], **more: Any
) -> Reply:
    with peer.connect(node) as connection:
        return connection.post(path, body, **more)


def contents(node: LoopbackNode) -> list[str]:
    return [m["content"] for m in node.history("tea")]


def refused(node: LoopbackNode, peer: HandmadePeer, **options: Any) -> bool:
    """Whether the node ends this connection without an answer."""
    try:
        with peer.connect(node, **options) as connection:
            connection.send(SEED, {"username": "M", "content": "x"})
            connection.reply()
    except OSError:
        return True
    return False

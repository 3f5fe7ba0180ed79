"""Nodes that greet each other, with multicast or without.

`introduce` stands for what a contact code or an address does: each is told where the other is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loopback_node import LoopbackNode
from loopback_peer import HandmadePeer, Request, accepts_all, json_response
from signed_records import greeting

StartNode = Callable[..., LoopbackNode]

GREETS: dict[str, Any] = {"greetings_at_once": 4}
"""What a node needs to greet: others keep still for tests that count connections."""


def introduce(*nodes: LoopbackNode) -> None:
    """Each learns each other's address and certificate, and its user says yes."""
    for one in nodes:
        for other in nodes:
            if one is not other:
                one.app.node.presence.add(other.uuid, [other.endpoint])
                one.app.node.people.look(other.uuid)
    for one in nodes:
        for other in nodes:
            if one is not other:
                one.wait_knows(other.uuid, other.fingerprint_sha256)
                one.verify(other.uuid, other.fingerprint_sha256)


def greets(
    peer: HandmadePeer, *rooms: str, record: str | None = None, records: list[dict[str, Any]] | None = None
) -> None:
    """From now on a peer made by hand answers greetings with this, and takes every message."""

    def respond(request: Request) -> bytes:
        if request.path != "/v1/presence":
            return accepts_all(request)
        return json_response(200, greeting(rooms, record=record, records=records or []))

    peer.respond = respond

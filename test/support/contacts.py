"""Contact codes and addresses, as the users of the tests' nodes hand them on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from loopback_node import LoopbackNode
from loopback_peer import HandmadePeer, OwnCertificate
from waiting import wait_until

from cryptochat_lib.contact_code import ContactCode
from cryptochat_lib.identity import parse_certificate


def code_of(node: LoopbackNode) -> str:
    """What a node's page shows."""
    code: str = node.get("/api/code")["code"]
    return code


def provable(make_peer: Callable[..., HandmadePeer], **options: Any) -> HandmadePeer:
    """A peer made by hand that can have a contact code."""
    return make_peer(certificate=OwnCertificate(), **options)


def code_for(peer: HandmadePeer, port: int | None = None, hosts: Sequence[str] | None = None) -> str:
    """A code with the key of `peer`, and its own address unless others are named."""
    certificate = parse_certificate(peer.certificate.der)
    return ContactCode.of(certificate, hosts or [peer.host], port or peer.endpoint.port).encode()


def add(node: LoopbackNode, **what: str) -> dict[str, Any]:
    """The user of `node` adds somebody: `code=` or `address=`. CONTACT."""
    contact: dict[str, Any] = node.post("/api/contacts", what)
    return contact


def contact(node: LoopbackNode, number: str = "1") -> dict[str, Any] | None:
    """CONTACT, as it is now."""
    return next((one for one in node.get("/api/contacts")["contacts"] if one["id"] == number), None)


def wait_reason(node: LoopbackNode, reason: str, number: str = "1") -> None:
    """Wait until the page says why that contact is not found."""
    wait_until(lambda: (contact(node, number) or {}).get("reason") == reason, 10, f"{contact(node, number)}")


def status(node: LoopbackNode, uuid: str) -> str | None:
    """What `node` shows of that person."""
    return (node.user(uuid) or {}).get("status")


def wait_verified(node: LoopbackNode, uuid: str) -> None:
    wait_until(lambda: status(node, uuid) == "verified", 10, f"{node.user(uuid)}")

"""How two nodes of a test come to know each other, where that is not what is tested."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable

from nodes import Node
from seed_process import SeedProcess
from waiting import wait_until

StartNode = Callable[..., Node]
StartSeed = Callable[..., SeedProcess]


def befriend(ada: Node, bob: Node, room: str = "where they met") -> None:
    """Both join, look at each other, and say yes."""
    ada.join(room)
    bob.join(room)
    for one, other in ((ada, bob), (bob, ada)):
        wait_knows(one, other)
        one.verify(other.uuid, other.fingerprint_sha256)


def wait_knows(one: Node, other: Node | SeedProcess, timeout: float = 15) -> None:
    """Wait until `one` has looked at the other's certificate."""

    def knows() -> bool:
        user = one.user(other.uuid)
        return user is not None and user["fingerprint_sha256"] == other.fingerprint_sha256

    wait_until(knows, timeout, f"the certificate of {other.uuid} is not known: {one.user(other.uuid)}")


def forget_port(node: Node) -> None:
    """Let it have another port at its next start, as where somebody else has taken it meanwhile."""
    with contextlib.closing(sqlite3.connect(node.database)) as database, database:
        database.execute("DELETE FROM settings WHERE name = 'port'")

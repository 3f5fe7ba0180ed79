"""What came where: whole histories, read page by page, and the files under them.

What every test of delivery ends with is `check_same_history`: every receiver has what
every sender has stored, once and in the sender's own order.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

from nodes import Node
from ui_client import Data, UiClient

_PAGE = 500


def whole_history(node: UiClient, room: str) -> list[Data]:
    """Every message of `room`, oldest first, by paging forwards."""
    found: list[Data] = []
    while page := _page(node, room, f"after={found[-1]['id'] if found else 0}"):
        found += page
    return found


def backwards(node: UiClient, room: str) -> list[Data]:
    """The same by paging back from the newest; oldest first too."""
    found: list[Data] = []
    page = _page(node, room, "")
    while page:
        found = page + found
        page = _page(node, room, f"before={found[0]['id']}")
    return found


def _page(node: UiClient, room: str, where: str) -> list[Data]:
    path = f"/api/rooms/{quote(room, safe='')}/messages?limit={_PAGE}&{where}"
    messages: list[Data] = node.get(path.rstrip("&"))["messages"]
    return messages


def contents_from(history: Iterable[Data], uuid: str) -> list[str]:
    """The contents of what `uuid` has sent, in this history's order."""
    return [message["content"] for message in history if message["sender"]["uuid"] == uuid]


def check_same_history(nodes: Sequence[Node], room: str) -> dict[str, list[Data]]:
    """Everybody has everything once, in order for each sender; nothing waits. The histories by UUID."""
    histories = {node.uuid: whole_history(node, room) for node in nodes}
    for node in nodes:
        assert backwards(node, room) == histories[node.uuid], "the pages differ by direction"
        own = contents_from(histories[node.uuid], node.uuid)
        assert not _repeated(own), f"{node.database.name} has stored its own twice: {_repeated(own)}"
        _check_deliveries(node, histories[node.uuid], {one.uuid for one in nodes if one is not node})
        for other in nodes:
            there = contents_from(histories[other.uuid], node.uuid)
            assert not _repeated(there), f"twice at {other.database.name}: {_repeated(there)}"
            lost, strange = sorted({*own} - {*there}), sorted({*there} - {*own})
            where = f"{node.database.name} to {other.database.name}"
            assert not lost, f"{where}: {len(lost)} of {len(own)} are lost: {lost[:10]}"
            assert not strange, f"{where}: never stored by the sender: {strange[:10]}"
            assert there == own, f"{where}: out of order"
    return histories


def _check_deliveries(node: Node, history: Iterable[Data], recipients: set[str]) -> None:
    for message in history:
        if message["own"]:
            states = {one["uuid"]: one["state"] for one in message["deliveries"]}
            assert states == dict.fromkeys(recipients, "delivered"), (node.database.name, message)


def _repeated(contents: Iterable[str]) -> list[str]:
    return sorted(content for content, times in Counter(contents).items() if times > 1)[:10]


def check_database(path: Path) -> None:
    """The file of a node that has ended is whole, and nothing waits in it."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)], path
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == [], path
        waiting = connection.execute("SELECT count(*) FROM deliveries WHERE state = 'waiting'").fetchone()[0]
        assert waiting == 0, f"{waiting} still wait in {path}"

"""`cryptochat rooms` and `cryptochat users`: tables for people, JSON for scripts."""

from __future__ import annotations

import json

from ..screen import show, table
from ..ui_client import Data, UiClient


def rooms(client: UiClient, as_json: bool) -> None:
    """Every room: whether we have joined, who is there, its name."""
    found = client.get("/api/rooms")["rooms"]
    if as_json:
        show(json.dumps(found, indent=1))
        return
    rows = [("joined" if room["joined"] else "", _present(room["members"]), room["name"]) for room in found]
    show(*table([("", "THERE", "ROOM"), *rows]) if rows else ["No room yet: cryptochat join ROOM makes one."])


def users(client: UiClient, as_json: bool) -> None:
    """Everybody who was seen."""
    found = client.get("/api/users")["users"]
    if as_json:
        show(json.dumps(found, indent=1))
        return
    show(*table_of(found) if found else ["Nobody was seen yet."])


def table_of(users: list[Data]) -> list[str]:
    """One line for each. The name is last: it is whatever they call themselves."""
    head = ("UUID", "STATUS", "THERE", "REMARK", "NAME")
    return table([head, *((u["uuid"], u["status"], _there(u), _remark(u), _name(u)) for u in users)])


def _present(members: list[Data]) -> str:
    """How many are there, of how many."""
    return f"{sum(member['online'] for member in members)} of {len(members)}"


def _there(user: Data) -> str:
    return str(user.get("reachability") or ("there" if user["online"] else "away"))


def _remark(user: Data) -> str:
    """What the user should know before the name, the most urgent alone."""
    if user["conflict"] is not None:
        return "another key has shown up"
    if user["resembles"] is not None and not user["username_verified"]:
        return f"the name is like that of {user['resembles'][:8]}"
    return "waits for your answer" if user["pending"] else ""


def _name(user: Data) -> str:
    if user["username"] is None:
        return ""
    return str(user["username"]) if user["username_verified"] else f"calls itself {user['username']}"

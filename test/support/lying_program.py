"""A program that says to its page, in every string there is, markup and script.

The server is the real one, with its headers (`stand_in`); behind it is an API that never heard of
rules: no cleaning, no lengths, no UUIDs. So the page is tried by itself, whatever the program would have
let through. Each string says where it stands (`script("room name")`), so a test can tell which
ones were shown.

The users: Bob is verified and has a conflict, Cleo waits for an answer and has somebody's name, Dora's
key has changed, Eve is refused, a live comparison with Gil has a result and the one with Hal has none,
of Fay no key was seen, Ira and Jan do not answer or are away. Four were added. The room that we are in
has a message of Bob's and one of ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab import Namespace
from stand_in import StandIn

from cryptochat_lib.errors import Conflict
from cryptochat_lib.routing import Reply, Route, json_reply

NOW = "2030-01-01T00:00:00.000Z"


def script(where: str) -> str:
    """A string that would be noticed, were it anything but text."""
    return f"{where}</p><img src=x onerror=owned=1><script>owned=1</script><b title='\">{{{{7*7}}}}"


def user(name: str, status: str, *, known: bool = True, **fields: Any) -> dict[str, Any]:
    return {
        "uuid": script(f"{name}-uuid"),
        "username": script(f"{name}-name"),
        "username_verified": status == "verified",
        "fingerprint": script(f"{name}-sha1") if known else None,
        "fingerprint_sha256": script(f"{name}-sha256") if known else None,
        "safety_number": " ".join(script(f"{name}-group-{n}").replace(" ", "_") for n in range(12)),
        "status": status,
        "online": True,
        "pending": False,
        "resembles": None,
        "reachability": "reachable",
        "seen": None,
        "trouble": None,
        "comparison": None,
        "conflict": None,
        **fields,
    }


BOB = user(
    "bob",
    "verified",
    conflict={
        "fingerprint": script("conflict-sha1"),
        "fingerprint_sha256": script("conflict-sha256"),
        "address": script("conflict-address"),
        "first_seen": NOW,
    },
)
CLEO = user("cleo", "unverified", pending=True, resembles=script("unknown-uuid"))


def compared(name: str, state: str) -> dict[str, Any]:
    """Somebody with whom a live comparison has come to this."""
    part = {"shape": script("shape"), "colour": script("colour")}
    comparison = {
        "fingerprint_sha256": script(f"{name}-sha256"),
        "state": state,
        "digits": script("digits").replace(" ", "_"),
        "picture": [part] * 4,
        "reason": script("comparison-reason"),
    }
    return user(name, "unverified", comparison=comparison)


PEOPLE = [
    BOB,
    CLEO,
    user("dora", "changed"),
    user("eve", "rejected"),
    compared("gil", "shown"),
    compared("hal", "failed"),
    user("ira", "verified", reachability="silent", trouble=script("trouble")),
    user("jan", "unverified", online=False, reachability="away", seen=NOW),
    user("kim", "unverified", reachability=script("reachability")),
    user("fay", "unverified", known=False),
]


def contact(name: str, *, by: str, state: str, reason: str | None, uuid: str | None) -> dict[str, Any]:
    addresses = [script(f"{name}-contact")]
    return {
        "id": f"id/{name}?{script('contact-id')}",
        "uuid": uuid,
        "by": by,
        "addresses": addresses,
        "state": state,
        "reason": reason,
        "added": NOW,
    }


CONTACTS = [
    contact("lea", by="code", state="looking", reason=script("contact-reason"), uuid=script("lea-uuid")),
    contact("max", by="address", state="looking", reason=None, uuid=None),
    contact("ira", by="code", state="found", reason=None, uuid=script("ira-uuid")),
]
FOUND = contact("nia", by=script("by"), state="found", reason=None, uuid=script("jan-uuid"))
CODE = {
    "code": script("own-code"),
    "link": script("own-link"),
    "addresses": [script("own-address")],
    "qr": ["101", script("modules") + "1", "011"],
}
FINDINGS = [("problem", "advice-1"), ("notice", "advice-2"), (script("level"), "advice-3")]
DOCTOR = {
    "findings": [
        {
            "code": script("code"),
            "level": level,
            "values": {},
            "text": script(f"of-{advice}"),
            "advice": script(advice),
        }
        for level, advice in FINDINGS
    ],
    "visible": [script("visible")],
    "report": script("report"),
}
INFO = {**user("own", "verified"), "clone": {"address": script("clone-address"), "first_seen": NOW}}
ROOM, NEARBY = script("room-name"), script("nearby-room")


def member(one: dict[str, Any]) -> dict[str, Any]:
    kept = {name: one[name] for name in ("uuid", "username", "status", "online")}
    return {**kept, "address": script("member-address"), "self": one is INFO}


ROOMS = [
    {"name": ROOM, "joined": True, "members": [member(one) for one in (INFO, BOB, CLEO)]},
    {"name": NEARBY, "joined": False, "members": [member(BOB)]},
]


def message(number: int, sender: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "id": script(f"id-{number}"),
        "room": ROOM,
        "content": script(f"content-{number}"),
        "sender": {"uuid": sender["uuid"], "username": script(f"sender-{number}")},
        "time": NOW,
        "sent": NOW,
        "kind": script("kind"),
        "own": sender is INFO,
        "method": script("method"),
        "deliveries": [],
        **fields,
    }


MESSAGES = [
    message(1, BOB),
    message(
        2, INFO, deliveries=[{"uuid": BOB["uuid"], "state": script("state"), "reason": script("reason")}]
    ),
]
STROKE = {
    "points": [10, 10, 5, 5],
    "width": script("width"),
    "colour": script("stroke-colour"),
    "time": [0, 1],
    "author": 0,
}
DRAWING = {
    "strokes": [STROKE, {**STROKE, "points": [20, 20], "text": script("letters")}],
    "authors": [{"fingerprint_sha256": script("author-key"), "username": script("author-name")}],
}
MESSAGES += [message(6, BOB, drawing=DRAWING), message(8, BOB, drawing=DRAWING)]
READS = [{"room": ROOM, "read": script("id-1"), "unread": 2}]
HITS = [{**message(7, BOB), "room": script("hit-room"), "marks": [[0, 4]]}]
QUESTION = {"address": script("question-address"), "reason": script("question-reason"), "time": NOW}
EVENTS = [
    ("verification", {**CLEO, **QUESTION}),
    ("messages", message(3, BOB)),
    ("messages", {**message(4, BOB), "room": script("unknown-room")}),
    ("delivery", {"id": script("id-2"), "room": ROOM, "uuid": CLEO["uuid"], "state": "x", "reason": "y"}),
    ("rooms", {"rooms": [], "gone": [script("gone-room")]}),
    ("users", {"users": [], "gone": [script("gone-user")]}),
    ("contacts", {"contacts": [FOUND], "gone": [script("gone-contact")]}),
]


class LyingProgram(StandIn):
    """Runs for as long as it is entered. To a browser it is a node."""

    def __init__(self, machine: Namespace, folder: Path) -> None:
        super().__init__(
            machine,
            folder,
            Route("GET", "/api/info", lambda _: json_reply(200, INFO)),
            Route("GET", "/api/users", lambda _: json_reply(200, {"users": PEOPLE})),
            Route("GET", "/api/contacts", lambda _: json_reply(200, {"contacts": CONTACTS})),
            Route("GET", "/api/code", lambda _: json_reply(200, CODE)),
            Route("GET", "/api/doctor", lambda _: json_reply(200, DOCTOR)),
            Route("GET", "/api/read", lambda _: json_reply(200, {"rooms": READS})),
            Route("PUT", "/api/rooms/{room}/read", lambda _: Reply(204)),
            Route("GET", "/api/search", lambda _: json_reply(200, {"messages": HITS})),
            Route("GET", "/api/rooms", lambda _: json_reply(200, {"rooms": ROOMS})),
            Route("GET", "/api/rooms/{room}/messages", lambda _: json_reply(200, {"messages": MESSAGES})),
            Route("PUT", "/api/info", lambda _: _refuse("name")),
            Route("POST", "/api/rooms/{room}", lambda _: _refuse("join")),
            Route("DELETE", "/api/rooms/{room}", lambda _: _refuse("leave")),
            Route("POST", "/api/rooms/{room}/message", lambda _: _refuse("send")),
            Route("POST", "/api/users/{uuid}/look", lambda _: _refuse("look")),
            Route("POST", "/api/contacts", lambda _: _refuse("contact")),
            Route("DELETE", "/api/contacts/{id}", lambda _: _refuse("remove")),
        )
        for name, data in EVENTS:
            self.tell(name, data)


def _refuse(what: str) -> Reply:
    raise Conflict(script(f"{what}-refused"))

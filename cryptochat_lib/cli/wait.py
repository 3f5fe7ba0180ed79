"""`cryptochat send --wait`: until everyone has what was sent.

The stream of events is opened first; then the messages are read once; then each
`delivery` event takes one recipient off the list. So nothing is missed in between.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from ..errors import NotDone, NotRunning
from ..screen import harmless
from ..ui_client import Data, UiClient, segment

_PAGE = 500
Recipients = dict[tuple[str, str], tuple[str, str]]
"""Of each (message, UUID): (state, reason)."""


def wait_for_all(client: UiClient, room: str, sent: Collection[str], seconds: float) -> None:
    """Return when every recipient has all messages `sent`; NotDone says who has not."""
    ends = time.monotonic() + seconds
    while True:
        with client.events(seconds=max(0.0, ends - time.monotonic())) as events:
            found = _recipients(client, room, set(sent))
            for kind, data in events if _is_open(found) else ():
                if kind == "reset":
                    break
                if kind == "delivery" and (data["id"], data["uuid"]) in found:
                    found[data["id"], data["uuid"]] = (data["state"], data["reason"] or "")
                if not _is_open(found):
                    break
        if not _is_open(found) or time.monotonic() >= ends:
            break
    _report(client, found)


def _is_open(found: Recipients) -> bool:
    return any(state == "waiting" for state, _ in found.values())


def _recipients(client: UiClient, room: str, sent: set[str]) -> Recipients:
    """How far each message has got, from the newest back to the first of them."""
    found: Recipients = {}
    before = ""
    while sent:
        page = client.get(f"/api/rooms/{segment(room)}/messages?limit={_PAGE}{before}")["messages"]
        for message in page:
            if message["id"] in sent:
                sent.discard(message["id"])
                for one in message["deliveries"]:
                    found[message["id"], one["uuid"]] = (one["state"], one["reason"] or "")
        if not page:
            break
        before = f"&before={page[0]['id']}"
    return found


def _report(client: UiClient, found: Recipients) -> None:
    """NotDone unless everyone has everything."""
    if not found:
        raise NotDone("it is sent, but nobody else was in the room")
    without = {
        uuid: f"{state}{reason and f', {reason}'}"
        for (_, uuid), (state, reason) in found.items()
        if state != "delivered"
    }
    if not without:
        return
    try:
        users: dict[str, Data] = {user["uuid"]: user for user in client.get("/api/users")["users"]}
    except NotRunning:
        users = {}
    people = "; ".join(
        f"{harmless(users.get(uuid, {}).get('username') or uuid)} ({harmless(how)})"
        for uuid, how in without.items()
    )
    raise NotDone(f"not everyone has it yet: {people}")

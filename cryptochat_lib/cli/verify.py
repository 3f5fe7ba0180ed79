"""`cryptochat verify`: is this key really theirs?

As on the page, the other person reads out two groups of the safety number, at places
that are chosen anew each time, and the program compares. Each group depends on both
keys: who wants to pass with another key has one chance in 10^10. A yes names the
fingerprint that the number belongs to, so that it cannot go to a key that came in
between. A script that has compared the fingerprint by a way of its own says which.

A name proves nothing, and is taken only where it means one person.
"""

from __future__ import annotations

import re
import secrets
import sys
import unicodedata

from ..errors import NotDone, UsageError
from ..screen import harmless, show, tell
from ..ui_client import Data, UiClient
from .lists import table_of
from .options import Verify

_LEAST_OF_UUID = 8


def verify(client: UiClient, asked: Verify) -> None:
    """Verify or withdraw, as was asked for; NotDone says why not."""
    users: list[Data] = client.get("/api/users")["users"]
    if asked.who is None:
        if asked.fingerprint is not None or asked.withdraw:
            raise UsageError("say who: cryptochat verify WHO")
        pending = [user for user in users if user["pending"]]
        show(*table_of(pending) if pending else ["Nobody waits for your answer."])
        return
    user = find(users, asked.who)
    path = f"/api/users/{user['uuid']}/verify"
    if asked.withdraw:
        client.delete(path)
        tell(f"One step back: {harmless(user['uuid'])} is not verified.")
        return
    if asked.fingerprint is not None:
        key, method = asked.fingerprint, "click"
    else:
        key, method = _compared(client, user), "number"
    client.post(path, {"fingerprint_sha256": key, "method": method})
    tell(f"Verified: {harmless(user['uuid'])}")


def find(users: list[Data], who: str) -> Data:
    """The one whom `who` means: by UUID, by its beginning, or by name; NotDone if it is not one."""
    start, name = who.lower(), unicodedata.normalize("NFC", who)
    found = [
        user
        for user in users
        if (len(start) >= _LEAST_OF_UUID and user["uuid"].startswith(start))
        or (user["username"] is not None and unicodedata.normalize("NFC", user["username"]) == name)
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotDone(f"nobody whom {harmless(who)} means was seen: cryptochat users lists everybody")
    raise NotDone("\n".join([f"{harmless(who)} may mean several: say the UUID", *table_of(found)]))


def _compared(client: UiClient, user: Data) -> str:
    """The fingerprint of the key whose number the other person has read out."""
    key, number = user["fingerprint_sha256"], user["safety_number"]
    if user["conflict"] is not None:
        raise NotDone("two keys claim to be that person: compare on the page (cryptochat open)")
    if key is None or number is None:
        client.post(f"/api/users/{user['uuid']}/look")
        raise NotDone("their key is not known yet; it is looked for now: try again in a moment")
    if not _is_same(user, number.split(" ")):
        raise NotDone(
            "these are not the groups of your safety number with them: nothing was changed. Ask for two"
            " others; if they differ again, somebody may sit between you"
        )
    return str(key)


def _is_same(user: Data, groups: list[str]) -> bool:
    """Whether two groups, at places by chance, are read out as we have them."""
    places = sorted(secrets.SystemRandom().sample(range(len(groups)), 2))
    name = f"{harmless(user['username'])} [{user['uuid'][:8]}]" if user["username"] else user["uuid"]
    _say(f"Ask {name}, in person or on the phone, to read you two groups")
    _say("of the safety number on their screen.")
    typed = [_digits(_typed(f"Group {place + 1}: ")) for place in places]
    return typed == [groups[place] for place in places]


def _typed(question: str) -> str:
    """The line that is answered; NotDone at the end of the input."""
    _say(question, end="" if sys.stdin is not None and sys.stdin.isatty() else "\n")
    try:
        line = sys.stdin.readline() if sys.stdin is not None else ""
    except ValueError:  # no text
        line = ""
    if not line:
        raise NotDone("nothing was typed: nothing was changed")
    return line


def _say(text: str, end: str = "\n") -> None:
    if sys.stderr is not None:
        print(text, end=end, file=sys.stderr, flush=True)


def _digits(typed: str) -> str:
    """As the page reads them: spaces and dashes do not matter."""
    return re.sub("[^0-9]", "", unicodedata.normalize("NFKC", typed))

"""`cryptochat code` and `cryptochat add`: finding people without multicast.

Whoever enters our contact code finds us, and has verified us; both sides do it once. A
bare address only says where to look, and verifying follows as always.

`add` waits for the first try, and says what came of it: the running program goes on
looking by itself. The stream of events is opened first, so nothing is missed.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence

from ..screen import harmless, show, table, tell
from ..ui_client import Data, UiClient, segment
from .options import Add, Code

PATIENCE_SECONDS = 10.0
_WORDS = {
    "refused": "no CryptoChat listens there",
    "timed-out": "nobody answers there",
    "no-route": "no way leads there from this network",
    "lost": "the connection broke off",
    "no-tls": "something that is not CryptoChat answers there",
    "too-old": "a program that is too old answers there",
    "wrong-key": "somebody else answers there, with another key",
    "no-such-name": "no computer of that name is known",
    "itself": "that is this computer itself",
    "undecided": "they answer, but have not verified you yet",
}
_ADDRESS = re.compile(r"(?!cryptochat:)\S+:[0-9]{1,5}", re.IGNORECASE)
_QUIET = 4  # modules around a QR code (ISO/IEC 18004, section 5.3)
_BLACK_ON_WHITE, _AS_BEFORE = "\x1b[30;107m", "\x1b[0m"
_HALVES = {("0", "0"): " ", ("1", "0"): "▀", ("0", "1"): "▄", ("1", "1"): "█"}


def code(client: UiClient, asked: Code) -> None:
    """Our own code; on a terminal that can, drawn too."""
    found: Data = client.get("/api/code")
    if asked.json:
        show(json.dumps(found, indent=1))
        return
    show(found["code"])
    if sys.stdout is not None and sys.stdout.isatty():
        show("", f"As a link: {found['link']}", f"It says: {', '.join(found['addresses'])}")
        if sys.stdout.encoding.lower().startswith("utf"):
            show("", *drawn(found["qr"]))


def add(client: UiClient, asked: Add) -> None:
    """Look for whoever has that code, or is at that address. Without one, list those who were added."""
    if asked.remove is not None:
        client.delete(f"/api/contacts/{segment(asked.remove)}")
    elif asked.what:
        what = " ".join(asked.what)
        by = "address" if _ADDRESS.fullmatch(what) else "code"
        tell(*outcome(_tried(client, {by: what})))
    else:
        found = client.get("/api/contacts")["contacts"]
        show(*contacts(found) if found else ["Nobody was added: cryptochat add CODE"])


def _tried(client: UiClient, what: Data) -> Data:
    """The contact, once it is found or a try has failed; as it is after `PATIENCE_SECONDS` else."""
    with client.events(seconds=PATIENCE_SECONDS) as events:
        contact: Data = client.post("/api/contacts", what)
        if contact["state"] == "found":
            return contact
        for kind, data in events:
            for one in data["contacts"] if kind == "contacts" else ():
                if one["id"] == contact["id"]:
                    contact = one
            if contact["state"] == "found" or (kind == "contacts" and contact["reason"] is not None):
                break
    return contact


def outcome(contact: Data) -> list[str]:
    """What came of it, and what to do next."""
    who = harmless(contact["uuid"] or contact["addresses"][0])
    by_code = contact["by"] == "code"
    they_too = "They have to add your code, too: cryptochat code"
    if contact["state"] == "found":
        if by_code:
            return [f"Found, and verified: {who}", they_too]
        return [f"Found: {who}", f"Compare with them: cryptochat verify {who[:8]}"]
    reason = _WORDS.get(contact["reason"], harmless(contact["reason"] or "nothing has come back yet"))
    return [
        f"Not found yet: {who} ({reason})",
        "CryptoChat goes on looking, once a minute at least. How it stands: cryptochat add",
        *([they_too] if by_code else []),
    ]


def contacts(found: Sequence[Data]) -> list[str]:
    """One line for each."""
    rows = [
        (one["id"], one["state"], one["reason"] or "", one["uuid"] or "", ", ".join(one["addresses"]))
        for one in found
    ]
    return table([("ID", "STATE", "LAST TRY", "UUID", "ADDRESSES"), *rows])


def drawn(modules: Sequence[str]) -> list[str]:
    """A QR code in half blocks, two rows of modules a line, in black on white on every terminal."""
    empty = ["0" * (len(modules[0]) + 2 * _QUIET)]
    rows = [*empty * _QUIET, *("0" * _QUIET + row + "0" * _QUIET for row in modules), *empty * _QUIET]
    if len(rows) % 2:
        rows += empty
    lines = []
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        halves = "".join(_HALVES[pair] for pair in zip(upper, lower, strict=True))
        lines.append(f"{_BLACK_ON_WHITE}{halves}{_AS_BEFORE}")
    return lines

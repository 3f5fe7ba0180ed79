"""`cryptochat code` and `cryptochat add`: finding people without multicast.

Whoever enters our contact code finds us, and has verified us; both sides do it once. A
bare address only says where to look, and verifying follows as always.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence

from ..screen import harmless, show, table, tell
from ..ui_client import Data, UiClient
from .options import Add, Code

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
    if not asked.what:
        found = client.get("/api/contacts")["contacts"]
        show(*contacts(found) if found else ["Nobody was added: cryptochat add CODE"])
        return
    what = " ".join(asked.what)
    by = "address" if _ADDRESS.fullmatch(what) else "code"
    contact = client.post("/api/contacts", {by: what})
    who = harmless(contact["uuid"] or what)
    if by == "code":
        tell(f"Looked for and, once found, verified: {who}. They have to add your code too: cryptochat code")
    else:
        tell(f"Looked for: {who}. Once found, compare: cryptochat verify")


def contacts(found: Sequence[Data]) -> list[str]:
    """One line for each."""
    rows = [
        (one["state"], one["reason"] or "", one["uuid"] or "", ", ".join(one["addresses"])) for one in found
    ]
    return table([("STATE", "LAST TRY", "UUID", "ADDRESSES"), *rows])


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

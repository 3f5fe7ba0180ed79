"""`cryptochat doctor`: what the program finds out about its network, and what to do about it."""

from __future__ import annotations

import json

from ..errors import NotDone
from ..screen import columns, lines_of, show
from ..ui_client import Data, UiClient
from .options import Doctor

_MARKS = {"good": "ok", "notice": "--", "problem": "!!"}
_INDENT = "    "


def doctor(client: UiClient, asked: Doctor) -> None:
    """Show what was found; NotDone if a problem is among it."""
    found: Data = client.get("/api/doctor")
    if asked.json:
        show(json.dumps(found, indent=1))
    elif asked.report:
        show(*lines_of(found["report"].rstrip("\n")))
    else:
        show(*for_people(found, columns()))
    problems = sum(finding["level"] == "problem" for finding in found["findings"])
    if problems:
        raise NotDone("a problem was found" if problems == 1 else f"{problems} problems were found")


def for_people(found: Data, width: int | None) -> list[str]:
    """A line for each finding, its advice below it; then what others can see.

    Names of others are in it. Only a mark stands where lines begin: no name can look like a finding.
    """
    lines = []
    for finding in found["findings"]:
        first, *rest = _indented(finding["text"], width)
        mark = _MARKS.get(finding["level"], "--")
        lines += [mark + first[len(mark) :], *rest, *_indented(finding["advice"] or "", width)]
    seen = [line for sentence in found["visible"] for line in _indented(sentence, width)]
    return [*filter(str.strip, lines), "", "What anybody on this network can read now:", *seen]


def _indented(text: str, width: int | None) -> list[str]:
    room = width and max(width - len(_INDENT), 20)
    return [_INDENT + line for line in lines_of(text, room)]

"""`cryptochat doctor`: what the program finds out about its network, and what to do about it."""

from __future__ import annotations

import json

from ..errors import NotDone
from ..screen import lines_of, show
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
        show(*for_people(found))
    problems = sum(finding["level"] == "problem" for finding in found["findings"])
    if problems:
        raise NotDone("a problem was found" if problems == 1 else f"{problems} problems were found")


def for_people(found: Data) -> list[str]:
    """A line for each finding, its advice below it; then what others can see."""
    lines = []
    for finding in found["findings"]:
        first, *rest = lines_of(finding["text"])
        lines += [f"{_MARKS.get(finding['level'], '--')}  {first}", *(_INDENT + line for line in rest)]
        lines += [_INDENT + line for line in lines_of(finding["advice"] or "") if line]
    seen = [_INDENT + line for sentence in found["visible"] for line in lines_of(sentence)]
    return [*lines, "", "What anybody on this network can read now:", *seen]

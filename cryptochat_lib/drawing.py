"""Drawings: strokes on a sheet of 1024 by 640 units, as numbers, colours and letters.

A drawing comes from a peer, so nothing in it is markup, a file, or a formula: integers within the
sheet, six hex digits of colour, a few letters. `parse` lets nothing else in (docs/PROTOCOL.md,
section 6.4; `test/loopback/test_drawings.py`), and `as_json` writes the one form that is stored.

A stroke keeps its author when somebody copies it into another drawing. Who that is, the sender
claims; that it is `known` we say ourselves, of a stroke that is in our own history under that
very key (`store/strokes.py`).

Pure.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from .errors import BadRequest, TooLarge
from .json_object import dump, text_field
from .limits import Limits
from .model import clean_username

WIDTH, HEIGHT = 1024, 640
"""The sheet, in units: every drawing's, on every screen."""

PAPER = "paper"
"""The colour of the eraser."""

_COLOUR = re.compile("#[0-9a-f]{6}")
_KEY = re.compile("[0-9a-f]{64}")
_WIDEST = 128
_MOST_LETTERS = 200
_SHOWN_LETTERS = 60  # in a summary
_DAY = 86_400_000  # milliseconds


@dataclass(frozen=True)
class Author:
    """Who drew a stroke, as somebody else says: SHA-256 of a certificate, in hex, and a name."""

    key: str
    username: str


@dataclass(frozen=True)
class Stroke:
    """One stroke, or letters.

    `points`: x and y of the first, then the steps to the next ones, all in one row. `pressure`: of each
    point 0 to 9, or None. `width` is in units; of letters, their size. `start` and `duration`: milliseconds
    since the drawing began. `author`: a place in the drawing's authors; None for whoever sent it.
    """

    points: tuple[int, ...]
    width: int
    colour: str
    start: int
    duration: int
    pressure: tuple[int, ...] | None = None
    text: str | None = None
    author: int | None = None

    @property
    def digest(self) -> bytes:
        """SHA-256 of what is seen of it: the same stroke, whoever sends it, and whenever it was drawn."""
        seen = [self.points, self.width, self.colour, self.pressure, self.text]
        return hashlib.sha256(dump(seen)).digest()


@dataclass(frozen=True)
class Drawing:
    """A drawing that has been parsed."""

    strokes: tuple[Stroke, ...]
    authors: tuple[Author, ...] = ()


def parse(value: object, limits: Limits) -> Drawing:
    """The drawing in a JSON value; BadRequest, or TooLarge past the limits. Unknown fields are ignored."""
    fields = _object(value, "a drawing")
    named = _list(fields, "authors", limits.drawing_authors) if "authors" in fields else ()
    authors = tuple(_author(one, limits) for one in named)
    strokes: list[Stroke] = []
    left = limits.drawing_points
    for one in _list(fields, "strokes", limits.drawing_points):
        stroke = _stroke(_object(one, "a stroke"), len(authors), left)
        left -= len(stroke.points) // 2
        strokes.append(stroke)
    if not strokes:
        raise BadRequest("a drawing has at least one stroke")
    drawing = Drawing(tuple(strokes), authors)
    if len(dump(_fields(drawing))) > limits.drawing_bytes:
        raise TooLarge(f"a drawing is at most {limits.drawing_bytes} bytes of JSON")
    return drawing


def as_json(drawing: Drawing, known: Collection[int] = ()) -> str:
    """`drawing` as it is stored and shown; `known`: the strokes whose author is in our own history."""
    return dump(_fields(drawing, known)).decode()


def for_a_peer(stored: str) -> dict[str, Any]:
    """What goes to others of what `as_json` wrote: all but what we know ourselves."""
    fields: dict[str, Any] = json.loads(stored)
    for stroke in fields["strokes"]:
        stroke.pop("known", None)
    return fields


def summary(drawing: Drawing) -> str:
    """Alternative text for a drawing that came without one."""
    lines = [stroke for stroke in drawing.strokes if stroke.text is None and stroke.colour != PAPER]
    colours = len({stroke.colour for stroke in drawing.strokes} - {PAPER})
    letters = " ".join(stroke.text for stroke in drawing.strokes if stroke.text is not None)
    parts = [_count(len(lines), "stroke"), f"in {_count(colours, 'colour')}"] if lines else []
    if letters:
        cut = letters if len(letters) <= _SHOWN_LETTERS else f"{letters[:_SHOWN_LETTERS]}…"
        parts.append(f"with the letters “{cut}”" if lines else f"the letters “{cut}”")
    return f"A drawing: {' '.join(parts) or 'an empty sheet'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _stroke(fields: dict[str, Any], authors: int, most_points: int) -> Stroke:
    points = _numbers(fields, "points", 2 * most_points)
    if not points or len(points) % 2:
        raise BadRequest("the “points” of a stroke are pairs of numbers")
    _stay_on_the_sheet(points)
    colour = text_field(fields, "colour")
    if colour != PAPER and not _COLOUR.fullmatch(colour):
        raise BadRequest(f"a “colour” is # and six hex digits in lower case, or {PAPER}")
    times = _numbers(fields, "time", 2)
    if len(times) != 2 or not all(0 <= time <= _DAY for time in times):
        raise BadRequest("the “time” of a stroke is when it began, and how long it took, in milliseconds")
    pressure = _numbers(fields, "pressure", len(points) // 2) if "pressure" in fields else None
    if pressure is not None and not (
        len(pressure) == len(points) // 2 and all(0 <= one <= 9 for one in pressure)
    ):
        raise BadRequest("the “pressure” of a stroke is 0 to 9 for each point")
    return Stroke(
        points=points,
        width=_number(fields.get("width"), "width", 1, _WIDEST),
        colour=colour,
        start=times[0],
        duration=times[1],
        pressure=pressure,
        text=_letters(fields, len(points)) if "text" in fields else None,
        author=_number(fields["author"], "author", 0, authors - 1) if "author" in fields else None,
    )


def _stay_on_the_sheet(points: tuple[int, ...]) -> None:
    x = y = 0
    for dx, dy in zip(points[::2], points[1::2], strict=True):
        x, y = x + dx, y + dy
        if not (0 <= x <= WIDTH and 0 <= y <= HEIGHT):
            raise BadRequest(f"a stroke leaves the sheet of {WIDTH} by {HEIGHT}")


def _letters(fields: dict[str, Any], coordinates: int) -> str:
    letters = clean_username(text_field(fields, "text"), _MOST_LETTERS)
    if not letters or coordinates != 2:
        raise BadRequest("letters are not empty, and stand at one point")
    return letters


def _author(value: object, limits: Limits) -> Author:
    fields = _object(value, "an author")
    key = text_field(fields, "fingerprint_sha256")
    if not _KEY.fullmatch(key):
        raise BadRequest("the “fingerprint_sha256” of an author is 64 hex digits in lower case")
    return Author(key, clean_username(text_field(fields, "username"), limits.username_characters))


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadRequest(f"{what} is an object")
    return value


def _list(fields: dict[str, Any], name: str, most: int) -> list[Any]:
    value = fields.get(name)
    if not isinstance(value, list):
        raise BadRequest(f"“{name}” is a list")
    if len(value) > most:
        raise TooLarge(f"“{name}” are at most {most}")
    return value


def _numbers(fields: dict[str, Any], name: str, most: int) -> tuple[int, ...]:
    value = fields.get(name)
    if not isinstance(value, list) or any(type(one) is not int for one in value):
        raise BadRequest(f"“{name}” is a list of whole numbers")
    if len(value) > most:
        raise TooLarge(f"“{name}” has too many numbers")
    return tuple(value)


def _number(value: object, name: str, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise BadRequest(f"“{name}” is a whole number from {least} to {most}")
    return value


def _fields(drawing: Drawing, known: Collection[int] = ()) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "strokes": [_stroke_fields(stroke, at in known) for at, stroke in enumerate(drawing.strokes)]
    }
    if drawing.authors:
        fields["authors"] = [{"fingerprint_sha256": a.key, "username": a.username} for a in drawing.authors]
    return fields


def _stroke_fields(stroke: Stroke, known: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "points": stroke.points,
        "width": stroke.width,
        "colour": stroke.colour,
        "time": (stroke.start, stroke.duration),
    }
    if stroke.pressure is not None:
        fields["pressure"] = stroke.pressure
    if stroke.text is not None:
        fields["text"] = stroke.text
    if stroke.author is not None:
        fields["author"] = stroke.author
    if known:
        fields["known"] = True
    return fields

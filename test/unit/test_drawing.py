"""What a drawing may be, and what is made of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cryptochat_lib import drawing, json_object
from cryptochat_lib.errors import BadRequest, CryptoChatError, TooLarge
from cryptochat_lib.limits import Limits

LIMITS = Limits()
KEY = "0123456789abcdef" * 4
LINE: dict[str, Any] = {"points": [10, 20, 5, -5, -15, 0], "width": 4, "colour": "#a63d22", "time": [0, 350]}
LETTERS: dict[str, Any] = {
    "points": [400, 300],
    "width": 48,
    "colour": "#000000",
    "time": [900, 0],
    "text": "Tea!",
    "author": 0,
}
WHOLE: dict[str, Any] = {
    "strokes": [{**LINE, "pressure": [0, 5, 9]}, LETTERS],
    "authors": [{"fingerprint_sha256": KEY, "username": "Bob"}],
}


def parse(value: object) -> drawing.Drawing:
    return drawing.parse(value, LIMITS)


def one(**changed: Any) -> dict[str, Any]:
    return {**WHOLE, "strokes": [{**LINE, **changed}]}


def test_a_drawing_is_written_as_it_was_read() -> None:
    assert json.loads(drawing.as_json(parse(WHOLE))) == WHOLE


def test_unknown_fields_and_what_the_sender_calls_known_are_ignored() -> None:
    said = {**WHOLE, "strokes": [{**LINE, "known": True, "onclick": "x"}], "script": "alert(1)"}
    assert json.loads(drawing.as_json(parse(said))) == {**WHOLE, "strokes": [LINE]}


def test_what_we_know_ourselves_is_shown_and_not_passed_on() -> None:
    stored = drawing.as_json(parse(WHOLE), known={1})
    assert [stroke.get("known") for stroke in json.loads(stored)["strokes"]] == [None, True]
    assert drawing.for_a_peer(stored) == WHOLE


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(None, id="none"),
        pytest.param([], id="a list"),
        pytest.param({}, id="no strokes"),
        pytest.param({"strokes": []}, id="an empty sheet"),
        pytest.param({"strokes": [7]}, id="a stroke that is none"),
        pytest.param({"strokes": [LINE], "authors": [{"username": "x"}]}, id="an author without a key"),
        pytest.param(
            {"strokes": [LINE], "authors": [{"fingerprint_sha256": KEY.upper(), "username": "x"}]},
            id="a key in capitals",
        ),
        pytest.param(one(points=[]), id="no point"),
        pytest.param(one(points=[1, 2, 3]), id="half a point"),
        pytest.param(one(points=[1.0, 2]), id="a fraction"),
        pytest.param(one(points=[True, 2]), id="a truth"),
        pytest.param(one(points=["1", 2]), id="a number in quotes"),
        pytest.param(one(points=[1025, 0]), id="right of the sheet"),
        pytest.param(one(points=[0, 641]), id="below the sheet"),
        pytest.param(one(points=[0, 0, -1, 0]), id="left of the sheet"),
        pytest.param(one(points=[0, 0, 0, 700, 0, -700]), id="off the sheet and back"),
        pytest.param(one(points=[10**300, 0]), id="a huge number"),
        pytest.param(one(width=0), id="no width"),
        pytest.param(one(width=129), id="too wide"),
        pytest.param(one(colour="red"), id="a word for a colour"),
        pytest.param(one(colour="#A63D22"), id="a colour in capitals"),
        pytest.param(one(colour="#a63d22;background:url(//x)"), id="a style"),
        pytest.param(one(colour="#a63d22\n"), id="a line end behind a colour"),
        pytest.param(one(time=[0]), id="half a time"),
        pytest.param(one(time=[-1, 0]), id="before the beginning"),
        pytest.param(one(time=[0, 86_400_001]), id="longer than a day"),
        pytest.param(one(pressure=[1, 2]), id="not one pressure for each point"),
        pytest.param(one(pressure=[1, 2, 10]), id="too much pressure"),
        pytest.param(one(author=1), id="an author who is not there"),
        pytest.param(one(author=-1), id="an author from behind"),
        pytest.param(one(text="two points"), id="letters along a line"),
        pytest.param(one(points=[1, 2], text="\x00\u202e"), id="letters of which nothing is left"),
        pytest.param(one(points=[1, 2], text=7), id="letters that are a number"),
    ],
)
def test_what_is_no_drawing_is_refused(said: object) -> None:
    with pytest.raises(BadRequest):
        parse(said)


def test_the_most_points_pass_and_one_more_does_not() -> None:
    limits = Limits(drawing_bytes=10**6)
    half = {**LINE, "points": [1, 1] + [0, 0] * 9_999}
    assert len(drawing.parse({"strokes": [half, half]}, limits).strokes) == 2
    for more in ([half, half, {**LINE, "points": [0, 0]}], [{**half, "points": half["points"] * 3}]):
        with pytest.raises(TooLarge):
            drawing.parse({"strokes": more}, limits)


def test_the_most_bytes_pass_and_one_more_does_not() -> None:
    size = len(drawing.as_json(parse(WHOLE)).encode())
    assert drawing.parse(WHOLE, Limits(drawing_bytes=size))
    with pytest.raises(TooLarge):
        drawing.parse(WHOLE, Limits(drawing_bytes=size - 1))


def test_so_many_authors_pass_and_one_more_does_not() -> None:
    author = WHOLE["authors"][0]
    assert parse({"strokes": [LINE], "authors": [author] * LIMITS.drawing_authors})
    with pytest.raises(TooLarge):
        parse({"strokes": [LINE], "authors": [author] * (LIMITS.drawing_authors + 1)})


def test_letters_and_names_are_cleaned() -> None:
    found = parse(
        {
            "strokes": [{**LETTERS, "text": " a\u202eb\x07 "}],
            "authors": [{"fingerprint_sha256": KEY, "username": "B\x1bob"}],
        }
    )
    assert (found.strokes[0].text, found.authors[0].username) == ("ab", "Bob")


def test_a_stroke_is_the_same_whoever_sends_it_and_whenever_it_was_drawn() -> None:
    def digest(**changed: Any) -> bytes:
        return parse(one(**changed)).strokes[0].digest

    assert digest() == digest(time=[7, 7]) == digest(author=0)
    others = [
        digest(width=5),
        digest(colour="paper"),
        digest(points=[10, 20]),
        digest(points=[10, 20], text="x"),
        digest(pressure=[1, 1, 1]),
    ]
    assert len({digest(), *others}) == 6


@pytest.mark.parametrize(
    ("strokes", "said"),
    [
        ([LINE], "A drawing: 1 stroke in 1 colour"),
        (
            [LINE, {**LINE, "colour": "#000000"}, {**LINE, "colour": "paper"}],
            "A drawing: 2 strokes in 2 colours",
        ),
        ([LINE, LETTERS], "A drawing: 1 stroke in 2 colours with the letters “Tea!”"),
        ([LETTERS], "A drawing: the letters “Tea!”"),
        ([{**LETTERS, "text": "x" * 61}], f"A drawing: the letters “{'x' * 60}…”"),
        ([{**LINE, "colour": "paper"}], "A drawing: an empty sheet"),
    ],
)
def test_a_summary_says_what_can_be_counted(strokes: list[dict[str, Any]], said: str) -> None:
    assert drawing.summary(parse({**WHOLE, "strokes": strokes})) == said


_VALUES: some.SearchStrategy[Any] = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda parts: some.lists(parts, max_size=4) | some.dictionaries(some.text(), parts, max_size=4),
    max_leaves=6,
)
_STROKES = some.fixed_dictionaries(
    {},
    optional={
        "points": some.lists(some.integers(-9, 1030), max_size=8) | _VALUES,
        "width": some.integers(-1, 130) | _VALUES,
        "colour": some.sampled_from(["#012abc", "paper", "red"]) | _VALUES,
        "time": some.lists(some.integers(-1, 99), min_size=1, max_size=3) | _VALUES,
        "pressure": some.lists(some.integers(-1, 10), max_size=4) | _VALUES,
        "text": some.text(max_size=9) | _VALUES,
        "author": some.integers(-1, 2) | _VALUES,
    },
)


@given(some.fixed_dictionaries({"strokes": some.lists(_STROKES, max_size=3)}, optional={"authors": _VALUES}))
def test_whatever_it_is_it_is_refused_or_a_drawing_that_reads_back_as_itself(said: dict[str, Any]) -> None:
    try:
        found = parse(said)
    except CryptoChatError:
        return
    written = drawing.as_json(found)
    assert parse(json_object.parse_object(written.encode(), LIMITS)) == found

"""Our QR Codes: module by module as another encoder's, and read by a decoder that knows neither."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

import pytest
import qrcodegen
from qr_reader import read

from cryptochat_lib import qr
from cryptochat_lib.contact_code import LINK

CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567:"
LEVELS = {"M": qrcodegen.QrCode.Ecc.MEDIUM, "L": qrcodegen.QrCode.Ecc.LOW}
CODE = "cryptochat:" + "AGR2" * 70  # as long as the longest


def of_length(length: int, signs: str) -> str:
    """Beginning with a letter: the other encoder writes mere digits in a mode of their own."""
    return signs[0] + "".join(random.Random(length).choices(signs, k=length - 1))


def theirs(text: str, version: int, level: str) -> list[str]:
    segments = qrcodegen.QrSegment.make_segments(text)
    made = qrcodegen.QrCode.encode_segments(segments, LEVELS[level], version, version, -1, False)
    side = range(made.get_size())
    return ["".join("01"[made.get_module(x, y)] for x in side) for y in side]


def with_quiet_zone(modules: Sequence[str]) -> list[str]:
    width = len(modules) + 2 * qr.QUIET
    margin = ["0" * width] * qr.QUIET
    return [*margin, *(row.center(width, "0") for row in modules), *margin]


@pytest.mark.parametrize("signs", [CAPITALS, "abcäé"], ids=["capitals", "bytes"])
@pytest.mark.parametrize("length", [1, 2, 17, 40, 75, 109, 140, 170])
def test_each_module_is_that_of_another_encoder(length: int, signs: str) -> None:
    text = of_length(length, signs)
    version, level = qr._fit(text)
    assert qr.rows(text) == theirs(text, version, level)


def test_a_symbol_too_light_or_dark_gets_the_mask_that_another_encoder_gives_it() -> None:
    """This text is one of the few in which that part of the penalty decides."""
    assert qr.rows("tttt773") == theirs("tttt773", 1, "M")


@pytest.mark.parametrize("version", qr._VERSIONS)
@pytest.mark.parametrize("level", LEVELS)
def test_the_fullest_symbol_of_each_version_and_level_is_that_of_another_encoder(
    version: int, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = 12 if version < 10 else 20
    text = of_length((8 * qr._capacity(version, level) - head) // 8, "abc")
    monkeypatch.setattr(qr, "_fit", lambda _: (version, level))
    assert qr.rows(text) == theirs(text, version, level)


@pytest.mark.parametrize(
    "text",
    [CODE.upper(), LINK + CODE, "A", "tea at five ☕"],
    ids=["code", "link", "one", "tea"],
)
def test_a_reader_sees_the_text(text: str) -> None:
    assert read(with_quiet_zone(qr.rows(text))) == text


def test_a_terminal_shows_the_same_modules_dark_on_light_with_a_quiet_zone() -> None:
    text = "CRYPTOCHAT:AGR2"
    lines = qr.drawn(qr.rows(text)).splitlines()
    shown = [re.fullmatch("\x1b\\[38;5;16;48;5;231m(.*)\x1b\\[0m", line) for line in lines]
    halves = {" ": "00", "▀": "10", "▄": "01", "█": "11"}
    cells = [[halves[sign] for sign in line[1]] for line in shown if line]
    drawn = ["".join(cell[half] for cell in row) for row in cells for half in (0, 1)]
    assert len(cells) == len(lines)
    assert drawn[: len(drawn[0])] == with_quiet_zone(qr.rows(text))


def test_a_code_of_usual_length_fits_a_terminal_of_24_lines() -> None:
    assert len(qr.drawn(qr.rows(CODE[:109].upper())).splitlines()) <= 24


def test_what_no_code_has_is_too_long() -> None:
    with pytest.raises(ValueError, match="too long"):
        qr.rows("x" * 426)
    assert read(with_quiet_zone(qr.rows("x" * 425))) == "x" * 425

"""A text as a QR Code (ISO/IEC 18004:2015), so that a contact code can be shown instead of read out.

In the order of the standard's chapter 7:

    1. mode       digits and capitals take 5½ bits each (alphanumeric), anything else a byte of UTF-8
    2. version    the smallest square that holds it: 21 modules wide, and 4 more for each version
    3. codewords  mode, length, text and padding, in bytes
    4. Reed-Solomon   bytes that let a reader mend what it sees wrongly; everything in blocks, mixed
    5. placing    finders, alignment and timing first; then the bits, in a zigzag from the lower right
    6. mask       of eight patterns that flip the data's modules, the one that is the least confusing
    7. format     which mask and level, twice, beside the finders

Error correction is of level M (about 15 % may be wrong), but L (7 %) where M would need a version
that a terminal hardly has room for: a screen has no dirt on it.

Pure. A module is "1" if it is dark. The quiet zone around it is whoever draws it to add: `drawn` does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from functools import cache

QUIET = 4
"""Light modules on every side, without which a reader does not find the square."""

_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_COMFORTABLE = 7  # 45 modules: with the quiet zone 27 lines of a terminal
_FORMAT_OF = {"M": 0b00, "L": 0b01}
# For versions 1 to 13 (table 9): codewords of error correction in each block, and how many blocks.
_BLOCKS = {
    "L": ((7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26), (1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4)),
    "M": ((10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22), (1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9)),
}
_VERSIONS = range(1, 14)
_Grid = list[list[str]]
_MASKS: tuple[Callable[[int, int], int], ...] = (
    lambda y, x: (y + x) % 2,
    lambda y, x: y % 2,
    lambda y, x: x % 3,
    lambda y, x: (y + x) % 3,
    lambda y, x: (y // 2 + x // 3) % 2,
    lambda y, x: y * x % 2 + y * x % 3,
    lambda y, x: (y * x % 2 + y * x % 3) % 2,
    lambda y, x: ((y + x) % 2 + y * x % 3) % 2,
)
"""Where each mask flips a module: where it is 0 (table 10)."""


def rows(text: str) -> list[str]:
    """The modules of `text`, row by row. ValueError for more than version 13 holds (425 bytes of UTF-8).

    >>> rows("CRYPTOCHAT")[0]
    '111111100001001111111'
    """
    version, level = _fit(text)
    bits = "".join(f"{byte:08b}" for byte in _mixed(_codewords(text, version, level), version, level))
    return min((_symbol(bits, version, level, mask) for mask in range(8)), key=_penalty)


def drawn(modules: Sequence[str]) -> str:
    """The modules for a terminal: two rows in one line, with the quiet zone.

    In colours of its own, black on white, since a reader wants the dark modules darker than the rest and
    nobody knows which of the two a terminal's background is. They are of the fixed part of the 256 colours,
    so that no theme makes grey on grey of them.
    """
    width = len(modules) + 2 * QUIET
    margin = ["0" * width] * QUIET
    framed = [*margin, *(row.join(["0" * QUIET] * 2) for row in modules), *margin]
    if len(framed) % 2:
        framed.append(margin[0])
    blocks = {"00": " ", "10": "▀", "01": "▄", "11": "█"}
    lines = (
        "".join(blocks[upper + lower] for upper, lower in zip(*pair, strict=True))
        for pair in zip(framed[::2], framed[1::2], strict=True)
    )
    return "".join(f"\x1b[38;5;16;48;5;231m{line}\x1b[0m\n" for line in lines)


def _fit(text: str) -> tuple[int, str]:
    """The smallest version that holds `text`, and its level."""
    for level, versions in (("M", _VERSIONS[:_COMFORTABLE]), ("L", _VERSIONS)):
        for version in versions:
            if len(_segment(text, version)) <= 8 * _capacity(version, level):
                return version, level
    raise ValueError("this text is too long for a QR Code of version 13")


def _capacity(version: int, level: str) -> int:
    """Codewords that are left for data."""
    correcting, blocks = _blocks(version, level)
    return len(_data_places(version)) // 8 - correcting * blocks


def _blocks(version: int, level: str) -> tuple[int, int]:
    correcting, blocks = _BLOCKS[level]
    return correcting[version - 1], blocks[version - 1]


def _segment(text: str, version: int) -> str:
    """Mode, length and text, as bits (7.4)."""
    if not set(text) <= set(_ALPHANUMERIC):
        data = text.encode()
        return f"0100{len(data):0{8 if version < 10 else 16}b}" + "".join(f"{byte:08b}" for byte in data)
    bits = f"0010{len(text):0{9 if version < 10 else 11}b}"
    for pair in re.findall("..?", text):
        number = 0
        for sign in pair:
            number = number * len(_ALPHANUMERIC) + _ALPHANUMERIC.index(sign)
        bits += f"{number:0{(6, 11)[len(pair) - 1]}b}"
    return bits


def _codewords(text: str, version: int, level: str) -> bytes:
    """The segment, an end of up to four zeros, and padding (7.4.9, 7.4.10)."""
    room = _capacity(version, level)
    bits = (_segment(text, version) + "0000")[: 8 * room]
    bits += "0" * (-len(bits) % 8)
    data = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
    return data + (b"\xec\x11" * room)[: room - len(data)]


def _mixed(data: bytes, version: int, level: str) -> bytes:
    """Data and error correction in blocks, then the first of each block, the second of each ... (7.6)."""
    correcting, count = _blocks(version, level)
    short, longer = divmod(len(data), count)
    blocks, start = [], 0
    for n in range(count):
        end = start + short + (n >= count - longer)
        blocks.append(data[start:end])
        start = end
    checks = [_remainder(block, correcting) for block in blocks]
    taken = [block[i] for i in range(short + 1) for block in blocks if i < len(block)]
    return bytes(taken) + bytes(check[i] for i in range(correcting) for check in checks)


# Reed-Solomon. A byte is a polynomial over GF(2), modulo x⁸+x⁴+x³+x²+1; 2, which is x, generates all but 0.
_POWER = [1]
while len(_POWER) < 255:
    _POWER.append(_POWER[-1] << 1 ^ (0x11D if _POWER[-1] & 0x80 else 0))
_LOGARITHM = {value: exponent for exponent, value in enumerate(_POWER)}


def _times(a: int, b: int) -> int:
    return _POWER[(_LOGARITHM[a] + _LOGARITHM[b]) % 255] if a and b else 0


@cache
def _generator(degree: int) -> tuple[int, ...]:
    """(x - 2⁰)(x - 2¹) ... of that degree, without its leading 1."""
    product = [1]
    for i in range(degree):
        product = [a ^ _times(b, _POWER[i]) for a, b in zip([*product, 0], [0, *product], strict=True)]
    return tuple(product[1:])


def _remainder(data: bytes, degree: int) -> bytes:
    """What is left of `data` times x^degree, divided by the generator: the codewords that correct."""
    left = [0] * degree
    for byte in data:
        factor = byte ^ left[0]
        left = [a ^ _times(b, factor) for a, b in zip([*left[1:], 0], _generator(degree), strict=True)]
    return bytes(left)


def _symbol(bits: str, version: int, level: str, mask: int) -> list[str]:
    grid = [list(row) for row in _patterns(version)]
    flips = _MASKS[mask]
    for n, (y, x) in enumerate(_data_places(version)):  # behind the last bit, the remainder is zeros
        dark = n < len(bits) and bits[n] == "1"
        grid[y][x] = "01"[dark != (flips(y, x) == 0)]
    _place_format(grid, _FORMAT_OF[level] << 3 | mask)
    return ["".join(row) for row in grid]


@cache
def _data_places(version: int) -> list[tuple[int, int]]:
    """Where bits go: two columns at a time, from the right, up and down by turns, around the timing."""
    patterns, size = _patterns(version), _size(version)
    pairs = [x for x in range(size - 1, 0, -1) if x % 2 == (x < 7)]
    places = []
    for turn, right in enumerate(pairs):
        for y in range(size) if turn % 2 else reversed(range(size)):
            places += [(y, x) for x in (right, right - 1) if patterns[y][x] == " "]
    return places


def _size(version: int) -> int:
    return 17 + 4 * version


@cache
def _patterns(version: int) -> list[str]:
    """All that does not depend on the text; a blank where data goes, "0" where the format will be."""
    size = _size(version)
    grid = [[" "] * size for _ in range(size)]
    for i in range(size):
        grid[6][i] = grid[i][6] = "10"[i % 2]  # timing
    for y in (centres := _alignment(version)):
        for x in centres:
            if (y, x) not in ((6, 6), (6, size - 7), (size - 7, 6)):
                _place_rings(grid, y, x, "101")
    for y, x in ((3, 3), (3, size - 4), (size - 4, 3)):
        _place_rings(grid, y, x, "11010")  # finder, and the light border around it
    _place_format(grid, None)
    if version >= 7:
        _place_version(grid, version)
    return ["".join(row) for row in grid]


def _alignment(version: int) -> list[int]:
    """The centres of alignment patterns, in both directions (annex E)."""
    if version == 1:
        return []
    gaps = version // 7 + 1
    step = -(-(_size(version) - 13) // (2 * gaps)) * 2
    return [6, *sorted(_size(version) - 7 - step * i for i in range(gaps))]


def _place_rings(grid: _Grid, y: int, x: int, rings: str) -> None:
    """Squares in each other around a centre, as far as they are in the grid; `rings` from inside out."""
    reach = range(1 - len(rings), len(rings))
    for dy in reach:
        for dx in reach:
            if 0 <= y + dy < len(grid) and 0 <= x + dx < len(grid):
                grid[y + dy][x + dx] = rings[max(abs(dy), abs(dx))]


def _place_format(grid: _Grid, data: int | None) -> None:
    """Level and mask with ten bits that correct them, twice, and the one module that is always dark (7.9)."""
    bits = "0" * 15 if data is None else f"{_with_check(data, 10, 0x537) ^ 0x5412:015b}"[::-1]
    upward = [*range(6), 7, 8]
    one = [(y, 8) for y in upward] + [(8, x) for x in (7, *range(5, -1, -1))]
    other = [(8, -1 - i) for i in range(8)] + [(y, 8) for y in range(-7, 0)]
    for places in (one, other):
        for (y, x), bit in zip(places, bits, strict=True):
            grid[y][x] = bit
    grid[-8][8] = "1"


def _place_version(grid: _Grid, version: int) -> None:
    """The version with twelve bits that correct it, beside two of the finders (7.10)."""
    for i, bit in enumerate(f"{_with_check(version, 12, 0x1F25):018b}"[::-1]):
        grid[i // 3][i % 3 - 11] = grid[i % 3 - 11][i // 3] = bit


def _with_check(data: int, bits: int, generator: int) -> int:
    """`data`, and behind it the remainder of its division by `generator`, as polynomials over GF(2)."""
    left = data
    for _ in range(bits):
        left = left << 1 ^ (left >> bits - 1) * generator
    return data << bits | left


def _penalty(modules: Sequence[str]) -> int:
    """How easily a reader may be confused (7.8.3): runs, blocks, what looks like a finder, imbalance."""
    columns = ["".join(column) for column in zip(*modules, strict=True)]
    lines = "0000\n0000".join(["", *modules, *columns, ""])  # on all sides is the quiet zone
    runs = sum(len(run[0]) - 2 for line in [*modules, *columns] for run in re.finditer("0{5,}|1{5,}", line))
    finders = len(re.findall("(?=000010111010)", lines)) + len(re.findall("(?=010111010000)", lines))
    dark, half = "".join(modules).count("1"), len(modules) ** 2 / 2
    unequal = math.ceil(10 * abs(dark - half) / half) - 1  # how many times 5 %, in full
    blocks = sum(map(_blocks_of_one_colour, modules, modules[1:]))
    return runs + 3 * blocks + 40 * finders + 10 * max(unequal, 0)


def _blocks_of_one_colour(upper: str, lower: str) -> int:
    """Of 2 by 2, which may overlap."""
    both = "".join(a if a == b else " " for a, b in zip(upper, lower, strict=True))
    return len(re.findall("(?=00|11)", both))

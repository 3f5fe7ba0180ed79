"""Bytes that are nearly right: what every fuzzer does to what it has made.

All chance comes from the generator that is handed in, so that a case is the same again
whenever its seed is.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

EDGES = (
    b"\x00",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\r\n",
    b"\n",
    b"%",
    b"\xc0\x0c",
    b"\xff\xff",
    b"\x00\x00",
    b"-1",
)


def mutate(data: bytes, chance: random.Random, words: Sequence[bytes] = EDGES, most: int = 4) -> bytes:
    """`data` with one to `most` changes: bits, bytes, pieces, and `words` that mean something there."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, most)):
        chance.choice(_CHANGES)(changed, chance, words)
    return bytes(changed)


def noise(chance: random.Random, most: int) -> bytes:
    """Up to `most` bytes of nothing in particular."""
    return chance.randbytes(chance.choice((0, 1, 2, most // 16, chance.randint(0, most))))


def _flip(data: bytearray, chance: random.Random, _words: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _overwrite(data: bytearray, chance: random.Random, _words: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.choice((0, 1, 9, 10, 13, 32, 127, 128, 255))


def _cut(data: bytearray, chance: random.Random, _words: Sequence[bytes]) -> None:
    start, end = _span(data, chance)
    del data[start:end]


def _truncate(data: bytearray, chance: random.Random, _words: Sequence[bytes]) -> None:
    del data[_span(data, chance)[1] :]


def _repeat(data: bytearray, chance: random.Random, _words: Sequence[bytes]) -> None:
    start, end = _span(data, chance)
    data[start:start] = data[start:end] * chance.choice((1, 1, 2, 50))


def _insert(data: bytearray, chance: random.Random, words: Sequence[bytes]) -> None:
    at = chance.randint(0, len(data))
    data[at:at] = chance.choice((*words, noise(chance, 64)))


def _replace(data: bytearray, chance: random.Random, words: Sequence[bytes]) -> None:
    start, end = _span(data, chance)
    data[start:end] = chance.choice(words)


def _span(data: bytearray, chance: random.Random) -> tuple[int, int]:
    start = chance.randint(0, len(data))
    return start, min(len(data), start + chance.choice((1, 2, 4, 16, 200)))


_CHANGES = (_flip, _flip, _overwrite, _cut, _truncate, _repeat, _insert, _insert, _replace)

"""DER as a tree (X.690), to be changed in one place and written again with all lengths right.

>>> encode(decode(bytes.fromhex("3003020105"))).hex()
'3003020105'
"""

from __future__ import annotations

import random
from copy import deepcopy
from dataclasses import dataclass

from mutations import mutate, noise

_CONSTRUCTED = 0x20
_DEEPEST = 12


@dataclass
class Element:
    """One element: its parts, or, of a primitive one, its bytes."""

    tag: int
    parts: list[Element] | None
    content: bytes = b""


def decode(data: bytes) -> Element:
    """The first element of `data`. Raises IndexError for what is none."""
    return _decode(data, 0)[0]


def encode(element: Element) -> bytes:
    content = element.content if element.parts is None else b"".join(map(encode, element.parts))
    size = len(content)
    if size < 128:
        length = bytes([size])
    else:
        digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
        length = bytes([0x80 | len(digits)]) + digits
    return bytes([element.tag]) + length + content


def everything(element: Element) -> list[Element]:
    """The element and all that is in it."""
    return [element, *(inner for part in element.parts or () for inner in everything(part))]


def change(element: Element, chance: random.Random) -> None:
    """One change somewhere in it: of a tag, of bytes, of the order and number of parts."""
    one = chance.choice(everything(element))
    kind = chance.random()
    if kind < 0.15:
        one.tag = chance.choice((1, 2, 3, 4, 5, 6, 12, 19, 22, 23, 24, 30, 0x30, 0x31, 0x80, 0xA0, 0xA3))
    elif one.parts is None:
        one.content = chance.choice((mutate(one.content, chance), noise(chance, 64), b"", one.content * 3))
    elif one.parts and kind < 0.4:
        del one.parts[chance.randrange(len(one.parts))]
    elif one.parts and kind < 0.7:
        copy = deepcopy(chance.choice(one.parts))
        one.parts.insert(chance.randint(0, len(one.parts)), copy)
    elif kind < 0.85:
        chance.shuffle(one.parts)
    else:
        nest = Element(5, None)
        for _ in range(chance.choice((1, 5, 60))):
            nest = Element(0x30, [nest])
        one.parts.append(nest)


def _decode(data: bytes, deep: int) -> tuple[Element, int]:
    tag, size, start = data[0], data[1], 2
    if size >= 128:
        start += size & 0x7F
        size = int.from_bytes(data[2:start], "big")
    content = data[start : start + size]
    if not tag & _CONSTRUCTED or deep > _DEEPEST:
        return Element(tag, None, content), start + size
    parts, at = [], 0
    while at < len(content):
        part, length = _decode(content[at:], deep + 1)
        parts.append(part)
        at += length
    return Element(tag, parts), start + size

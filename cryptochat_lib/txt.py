"""The TXT record of an announcement: which rooms a peer has joined, and what it calls itself.

A TXT record is a row of strings, each with one byte of length before it
(RFC 1035, 3.3.14; RFC 6763, section 6). Ours:

    v=1            we know more than the seed protocol does
    room=NAME      one for each joined room, in the form in which it was joined
    name=NAME      what we call ourselves: a hint, and the first thing to be cut

Several strings with one key are legal here, which is why the raw record is read:
the usual libraries keep one string for a key. `room=` is matched exactly, as the
seed does; the keys that are ours in any case (RFC 6763, 6.4), and the first counts.

`parse` reads bytes from anybody on the LAN. It never raises: what is not of this
form is left out. Pure: no I/O, no threads, no clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .errors import BadRequest, TooManyRooms
from .limits import Limits
from .model import RoomName, clean_username, parse_room_name

VERSION = 1
_LIMITS = Limits()

# More than any peer of ours can announce; a seed-only peer has no limit but the packet.
_MOST_ROOMS_READ = 64
_STRING_BYTES = 255
_ROOM_KEY, _NAME_KEY = b"room=", b"name="
_VERSION = re.compile(rb"[0-9]{1,4}")


class Txt(NamedTuple):
    """What a TXT record says. `rooms` maps a room's key to the form that was announced."""

    rooms: dict[RoomName, str]
    name: str | None
    version: int


def encode(
    rooms: Iterable[str], name: str | None = None, version: int = VERSION, limits: Limits = _LIMITS
) -> bytes:
    """The record that announces `rooms`. Raises TooManyRooms past the limits.

    The name gets the bytes that the rooms leave, so a long name never keeps anyone
    out of a room, and whether a room can be joined does not depend on it.

    >>> encode(["tea"], "Ada")
    b'\\x03v=1\\x08room=tea\\x08name=Ada'
    """
    strings = _required(rooms, version)
    if not _within(strings, limits):
        raise TooManyRooms
    record = b"".join(map(_string, strings))
    left = min(limits.txt_bytes - len(record) - 1, _STRING_BYTES) - len(_NAME_KEY)
    shown = _cut(name or "", left)
    return record + _string(_NAME_KEY + shown) if shown else record


def fits(rooms: Iterable[str], limits: Limits = _LIMITS) -> bool:
    """Whether an announcement of all of these rooms still fits one packet."""
    return _within(_required(rooms, VERSION), limits)


def parse(raw: bytes, limits: Limits = _LIMITS) -> Txt:
    """What `raw` announces. A peer that knows only the seed protocol has version 0.

    >>> parse(b'\\x08room=tea\\x05color')
    Txt(rooms={'tea': 'tea'}, name=None, version=0)
    """
    rooms: dict[RoomName, str] = {}
    first: dict[bytes, bytes] = {}
    for string in _strings(raw):
        key, equals, value = string.partition(b"=")
        if key == b"room":
            if len(rooms) < _MOST_ROOMS_READ:
                _read_room(value, rooms)
        elif equals and key:
            first.setdefault(key.lower(), value)
    version = first.get(b"v", b"")
    return Txt(
        rooms, _read_name(first.get(b"name", b""), limits), int(version) if _VERSION.fullmatch(version) else 0
    )


def _required(rooms: Iterable[str], version: int) -> list[bytes]:
    return [b"v=%d" % version, *(_ROOM_KEY + room.encode() for room in rooms)]


def _within(strings: list[bytes], limits: Limits) -> bool:
    size = sum(1 + len(string) for string in strings)
    return len(strings) - 1 <= limits.joined_rooms and size <= limits.txt_bytes


def _string(content: bytes) -> bytes:
    return bytes([len(content)]) + content


def _cut(text: str, most: int) -> bytes:
    """The longest start of `text` that has at most `most` bytes, cut between code points."""
    return text.encode(errors="ignore")[: max(most, 0)].decode(errors="ignore").encode()


def _strings(raw: bytes) -> Iterator[bytes]:
    """The strings of the record; the last one is left out if it is cut off."""
    position = 0
    while position < len(raw):
        end = position + 1 + raw[position]
        if end > len(raw):
            return
        yield raw[position + 1 : end]
        position = end


def _read_room(value: bytes, rooms: dict[RoomName, str]) -> None:
    try:
        announced = value.decode()
        rooms.setdefault(parse_room_name(announced), announced)
    except (UnicodeDecodeError, BadRequest):
        return  # a room that nobody can join or name


def _read_name(value: bytes, limits: Limits) -> str | None:
    try:
        return clean_username(value.decode(), limits.username_characters) or None
    except UnicodeDecodeError:
        return None

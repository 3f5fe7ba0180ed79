"""What is written to stdout, and how text that others have written is made harmless for a terminal.

A terminal obeys what it is sent: escape sequences (ECMA-48) move the cursor, change
the title, fill the clipboard; marks of direction put words in another order; a line
break lets one message look like two. So whatever came from others passes `harmless`
or `lines_of` before it is shown, and JSON goes out in ASCII.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
import time
import unicodedata
from collections.abc import Iterable, Sequence

from .errors import StartupError

_JOINERS = "\u200c\u200d"  # of Persian words and of emoji; they have no width and obey nobody
_WIDE = ("W", "F")


class NobodyReads(Exception):
    """Whoever read our stdout has closed it: `head` has seen enough, which is no error."""


def harmless(text: str) -> str:
    """`text` on one line, in which everything that a terminal could obey is shown as an escape.

    >>> harmless("\\x1b[2J\\u202eadA\\r\\n")
    '\\\\x1b[2J\\\\u202eadA\\\\r\\\\n'
    """
    return "".join(c if _is_shown(c) else c.encode("unicode_escape").decode() for c in text)


def lines_of(text: str, width: int | None = None) -> list[str]:
    """`text` as harmless lines, none of them wider than `width`.

    A terminal would begin the rest of a longer one where the next message begins.
    """
    lines = [harmless(line.expandtabs(8)) for line in text.replace("\r\n", "\n").split("\n")]
    return lines if width is None else [part for line in lines for part in _folded(line, width)]


def columns() -> int | None:
    """How wide the terminal is; None where stdout is none."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or None
    except (OSError, ValueError, AttributeError):
        return None


def table(rows: Iterable[Sequence[str]]) -> list[str]:
    """`rows` with their columns one below the other. What others have written comes last in a row,
    so that no name can look like another column."""
    every = [[harmless(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in every
    ]


def tell(*lines: str) -> None:
    """Say what was done, in what letters stdout has. Where nobody can read it, it is done all the same."""
    try:
        _write(lines)
    except (OSError, ValueError):
        sys.stdout = None  # or Python would try again at its end, and fail


def show(*lines: str) -> None:
    """Write what was asked for; NobodyReads, or StartupError if it cannot be written."""
    try:
        _write(lines)
    except BrokenPipeError as error:
        sys.stdout = None
        raise NobodyReads from error
    except (OSError, ValueError) as error:
        sys.stdout = None
        raise StartupError(f"stdout cannot be written: {error}") from error


def pause(seconds: float, sock: socket.socket | None = None) -> None:
    """Wait so long, or until there is something to read from `sock`.

    NobodyReads as soon as whoever reads our stdout has closed it, where the system tells (not Windows).
    """
    if not hasattr(select, "poll"):
        if sock is None:
            time.sleep(seconds)
        else:
            select.select([sock], [], [], seconds)
        return
    poll = select.poll()
    if sock is not None:
        poll.register(sock, select.POLLIN)
    reader = None
    with contextlib.suppress(OSError, ValueError, AttributeError):
        reader = sys.stdout.fileno()
        poll.register(reader, 0)  # its errors, and nothing else
    if any(where == reader for where, _ in poll.poll(seconds * 1000)):
        sys.stdout = None  # or Python would try again at its end, and fail
        raise NobodyReads


def _write(lines: Iterable[str]) -> None:
    if sys.stdout is None:
        return
    encoding = sys.stdout.encoding
    for line in lines:
        print(line.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()


def _is_shown(sign: str) -> bool:
    return sign in _JOINERS or unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _folded(line: str, width: int) -> list[str]:
    """`line` in parts of at most so many columns, each up to the end of a word if it has one."""
    parts = []
    while (end := _fitting(line, width)) < len(line):
        end = line.rfind(" ", 0, end) + 1 or end
        parts.append(line[:end])
        line = line[end:]
    return [*parts, line]


def _fitting(line: str, width: int) -> int:
    """How many signs of `line` fit; one at least."""
    for number, sign in enumerate(line):
        width -= 2 if unicodedata.east_asian_width(sign) in _WIDE else 1
        if width < 0:
            return max(number, 1)
    return len(line)

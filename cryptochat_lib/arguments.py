"""What the parsers of all commands share: their looks, the database, and kinds of values.

Pure but for asking the system where the user's data is. argparse itself ends the
program with status 2 where a value is of no such kind, as UsageError does.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

Given = argparse.Namespace
Parser = argparse.ArgumentParser


def parser(command: str, description: str, epilog: str) -> Parser:
    """Of `cryptochat COMMAND`. `epilog` has an example that works."""
    made = Parser(prog=f"cryptochat {command}".strip(), description=description, epilog=epilog)
    made.add_argument(
        "--db", metavar="FILE", help="the SQLite file (default: cryptochat.db in your data folder)"
    )
    return made


def add_descriptor(to: Parser, option: str, what: str) -> None:
    """A number that the shell gave to a pipe or a file: `3< <(pass show cryptochat)`, say."""
    to.add_argument(option, metavar="N", type=_descriptor, help=f"read a line from this descriptor: {what}")


def database(given: Given) -> Path:
    """The file that was asked for, else the one in the user's data folder."""
    return Path(given.db) if given.db else _data_folder() / "cryptochat.db"


def text(word: str) -> str:
    """A word of the command line as text: what is not of its encoding is replaced.

    >>> text("caf\\udce9")
    'caf\ufffd'
    """
    return word.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def number(most: int) -> Callable[[str], int]:
    """The kind of whole numbers from 0 to `most`."""

    def read(word: str) -> int:
        if not (word.isascii() and word.isdigit() and len(word) < 10 and int(word) <= most):
            raise argparse.ArgumentTypeError(f"a number from 0 to {most} is wanted")
        return int(word)

    return read


def fingerprint(word: str) -> str:
    """The SHA-256 of a public key, as programs write it: 64 hex digits, in any groups.

    >>> fingerprint("AB:" * 31 + "cd")[-4:]
    'abcd'
    """
    digits = re.sub(r"[\s:]", "", word).lower()
    if not re.fullmatch("[0-9a-f]{64}", digits):
        raise argparse.ArgumentTypeError("a fingerprint of 64 hex digits is wanted")
    return digits


def _descriptor(word: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) < 6):
        raise argparse.ArgumentTypeError("the number of an open descriptor is wanted")  # quotes nothing
    return int(word)


def _data_folder() -> Path:
    """Where this system keeps a user's data (on Unix: the XDG Base Directory Specification)."""
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return base / "cryptochat"

"""What is left of a history that was deleted, in the files of a node."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def left(database: Path, secrets: Iterable[str]) -> set[str]:
    """Which of `secrets` are still in any file beside `database`, and where.

    The end of a word is looked for, at least 6 characters: the index may keep its beginning with
    another word's.
    """
    files = {file.name: file.read_bytes().lower() for file in database.parent.iterdir() if file.is_file()}
    return {
        f"{secret} in {name}"
        for name, data in files.items()
        for secret in secrets
        if secret[-max(6, len(secret) // 2) :].lower().encode() in data
    }

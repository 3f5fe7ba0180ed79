"""Copies of the database beside it: `FILE.v1-backup` is how it was before version 2.

One is made before a migration (`opening`), and removed together with whatever is
deleted for good (`Database.erase`).
"""

from __future__ import annotations

import os
import re
from pathlib import Path


def copy_of(path: Path, version: int) -> Path:
    """Where the copy of that version lies."""
    return path.with_name(f"{path.name}.v{version}-backup")


def copies_of(path: Path) -> list[Path]:
    """All copies that were made, also those that were never finished; and no other file."""
    name = re.compile(re.escape(path.name) + r"\.v\d+-backup(\.part)?(-journal|-wal|-shm)?")
    return sorted(file for file in path.parent.iterdir() if name.fullmatch(file.name))


def sync_folder(folder: Path) -> None:
    """Make it last, where the system lets us, that a name in it is there or gone."""
    if os.name != "nt":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

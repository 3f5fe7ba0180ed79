"""Copies of the database beside it: `FILE.v1-backup` is how it was before version 2.

One is made before a migration (`opening`), and removed together with whatever is
deleted for good (`Database.erase`, `wiping`): overwritten first, since it holds what
is deleted, and what the file system frees a thief can read.

Overwriting reaches what the file system writes in place. It cannot reach older
blocks of an SSD or of a file system that copies, nor copies elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from pathlib import Path

_ZEROS = bytes(1 << 20)


def copy_of(path: Path, version: int) -> Path:
    """Where the copy of that version lies."""
    return path.with_name(f"{path.name}.v{version}-backup")


def copies_of(path: Path) -> list[Path]:
    """All copies that were made, also those that were never finished; and no other file."""
    name = re.compile(re.escape(path.name) + r"\.v\d+-backup(\.part)?(-journal|-wal|-shm)?")
    return sorted(file for file in path.parent.iterdir() if name.fullmatch(file.name))


def remove_for_good(file: Path, behind: int = 0) -> None:
    """Overwrite `file` from there on, on the disk, and then remove its name; OSError, and it is still there.

    Of what `is_alone` refuses only the name is removed: another account may have
    put it here, so that we overwrite what is behind it.
    """
    with contextlib.suppress(FileNotFoundError):
        found = file.lstat()
        if is_alone(found):
            if not found.st_mode & stat.S_IWUSR:
                file.chmod(0o600)  # a copy that was made read-only, lest it be lost
            _overwrite(file, behind)
        file.unlink()


def is_alone(found: os.stat_result) -> bool:
    """A regular file that has no other name: no link, and no pipe on which one would wait."""
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 1


def _overwrite(file: Path, behind: int) -> None:
    flags = (getattr(os, name, 0) for name in ("O_BINARY", "O_NOFOLLOW", "O_NONBLOCK"))
    descriptor = os.open(file, os.O_WRONLY | sum(flags))
    try:
        found = os.fstat(descriptor)  # whatever now has the name
        if is_alone(found):
            write_zeros(descriptor, behind, found.st_size)
    finally:
        os.close(descriptor)


def write_zeros(descriptor: int, start: int, end: int) -> None:
    """On the disk when it returns."""
    os.lseek(descriptor, start, os.SEEK_SET)
    while start < end:
        start += os.write(descriptor, _ZEROS[: end - start])
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Make it last, where the system lets us, that a name in it is there or gone."""
    if os.name != "nt":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

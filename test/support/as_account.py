"""Runs CryptoChat as another account: `python as_account.py UID RECORD OPTIONS…`, by root.

The interpreter and the checkout may be where only root can read: so everything is imported, and the
page's files are read, before root is given up. No file that the program makes is masked (umask 0).
In RECORD is a line for each file that it removes, renames or changes the mode of: what it was about
to do, the mode at that moment, and the path. So files that live for a moment are seen, too.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401 (else imported where it is needed)
import os
import stat
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cryptochat
import cryptochat_lib.app  # noqa: F401 (with all that it imports)
from cryptochat_lib import page, ui_server


def main(uid: int, record: str, *options: str) -> int:
    files = page.read_files()
    ui_server.read_files = lambda: files  # type: ignore[attr-defined]
    written = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if event in ("os.remove", "os.rename", "os.chmod") and isinstance(arguments[0], (str, os.PathLike)):
            path = os.fspath(arguments[0])
            if os.path.exists(path):
                mode = stat.S_IMODE(os.lstat(path).st_mode)
                os.write(written, f"{event} {mode:o} {path}\n".encode())

    sys.addaudithook(note)
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    os.umask(0)
    return cryptochat.main(options)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), *sys.argv[2:]))

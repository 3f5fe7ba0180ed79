"""The session: the token of this run, and how it reaches the page and scripts.

The token is new at every start and never kept: whoever takes our port after us
would be sent it. It reaches scripts through `FILE.session.json` (0600), and the
page through a code of one use: the browser is opened on a redirect file (0600)
that leads to `/#open=CODE`, so that no token stands in a process list or in the
browser's history.

Threads: UI workers exchange the code; `_lock` guards it, and which
redirect file there is.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import secrets
import tempfile
import threading
import time
from pathlib import Path

from .errors import Forbidden, StorageFailed, Unauthorized
from .limits import Limits


class Session:
    """One run's token and code."""

    def __init__(self, database: Path, limits: Limits) -> None:
        self.token = secrets.token_urlsafe(32)
        self.url = ""
        self._file = database.with_name(database.name + ".session.json")
        self._redirect: Path | None = None
        self._limits = limits
        self._lock = threading.Lock()
        self._code: str | None = None
        self._code_ends = 0.0

    def check(self, authorization: str | None) -> None:
        """Unauthorized unless `authorization` is `Bearer TOKEN`."""
        given = (authorization or "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, f"Bearer {self.token}".encode()):
            raise Unauthorized(headers={"WWW-Authenticate": "Bearer"})

    def exchange(self, code: str) -> str:
        """The token for the code, once, within its time; Forbidden else."""
        with self._lock:
            valid = self._code is not None and time.monotonic() < self._code_ends
            if not valid or not hmac.compare_digest(code.encode(), (self._code or "").encode()):
                raise Forbidden("this link was used already or is too old: open CryptoChat anew")
            self._code = None
        self._remove_redirect()
        return self.token

    def write_file(self, url: str) -> None:
        """Tell scripts where we are, for as long as we run."""
        self.url = url
        data = json.dumps({"url": url, "token": self.token, "pid": os.getpid()})
        temporary = self._file.with_name(self._file.name + ".new")
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(data)
            temporary.replace(self._file)
        except BaseException:
            _remove(temporary)
            raise

    def write_redirect(self, url: str) -> Path:
        """A file that leads a browser to `url` with a new code in its fragment.

        The code and the file before it end with this one. StorageFailed.
        """
        code = secrets.token_urlsafe(32)
        redirect = _write_redirect(f"{url}#open={code}")
        with self._lock:
            self._code = code
            self._code_ends = time.monotonic() + self._limits.open_code_seconds
            before, self._redirect = self._redirect, redirect
        if before is not None:
            _remove(before)
        return redirect

    def close(self) -> None:
        """Remove the files of this run."""
        self._remove_redirect()
        _remove(self._file)

    def _remove_redirect(self) -> None:
        with self._lock:
            redirect, self._redirect = self._redirect, None
        if redirect is not None:
            _remove(redirect)


def _write_redirect(target: str) -> Path:
    try:
        descriptor, name = tempfile.mkstemp(prefix="cryptochat-", suffix=".html")  # 0600
        with os.fdopen(descriptor, "w") as file:
            file.write(
                '<!doctype html><meta charset="utf-8"><title>CryptoChat</title>'
                f'<meta http-equiv="refresh" content="0; url={target}">'
            )
    except OSError as error:
        raise StorageFailed(f"the file that opens the page could not be written: {error.strerror}") from error
    return Path(name)


def _remove(file: Path) -> None:
    """Remove `file` if it is there and can be: its token ends with this run in any case."""
    with contextlib.suppress(OSError):
        file.unlink()

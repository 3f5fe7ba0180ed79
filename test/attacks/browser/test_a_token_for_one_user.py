"""The token is for one user: no file, process list, environment, log or history of the browser has it.

The node runs as an account of its own, with a terminal, so that it opens the user's browser
itself: a real Chromium, which is then in the page by the code of the redirect file. A second
account of the machine tries to read whatever it can.
"""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import as_account
import pytest
from another_account import STRANGER, request, run
from lab import solo
from programs import end
from ui_client import UiClient
from waiting import wait_until

OWNER = 65532
CONTENT = "words that are for nobody else"
BROWSER = (
    "chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --user-data-dir={profile} %s"
)
# Of each kind of request one, the refused among them.
REQUESTS: list[tuple[str, str, Any]] = [
    ("POST", "/api/rooms/tea", None),
    ("POST", "/api/rooms/tea/message", {"content": CONTENT}),
    ("POST", "/api/rooms/tea/message", {"content": CONTENT, "strange": CONTENT}),
    ("POST", "/api/rooms/elsewhere/message", {"content": CONTENT}),
    ("PUT", "/api/info", {"username": "Ada"}),
    ("GET", "/api/users", None),
    ("GET", "/api/rooms", None),
    ("GET", "/api/rooms/tea/messages", None),
    ("GET", "/api/rooms/tea/messages.jsonl", None),
    ("GET", "/api/search?q=nobody", None),
    ("GET", "/api/search?q=nobody&token={token}", None),
    ("GET", "/{token}", None),
    ("POST", "/api/session", {"code": "{token}"}),
    ("POST", "/api/users/{token}/verify", None),
    ("GET", "/api/events?stream={token}", None),
    ("DELETE", "/api/rooms/tea", None),
]


class Run:
    """What was seen of one run, from its start to its end."""

    token = code = ""
    readable: list[Path]
    modes: dict[Path, int]
    record = log = ""
    processes: dict[int, tuple[bytes, bytes]]
    replies: dict[str, str]
    profile: Path
    history = b""
    again = 0  # what trying the code once more was answered


def files_under(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in (folder, *folder.rglob("*"))]


def redirect_in(folder: Path) -> Path | None:
    """The redirect file, once it is written."""
    return next((file for file in folder.glob("cryptochat-*.html") if "url=" in file.read_text()), None)


def processes_of(uid: int) -> dict[int, tuple[bytes, bytes]]:
    """The command line and the environment of every process of an account."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if folder.stat().st_uid == uid:
                parts = [(folder / name).read_bytes() for name in ("cmdline", "environ")]
                found[int(folder.name)] = (parts[0], parts[1])
        except OSError:
            continue  # it has ended
    return found


def browser_of(seen: Run) -> int:
    """The process of the browser that started all its others."""
    [pid] = [
        pid
        for pid, (words, _) in seen.processes.items()
        if f"--user-data-dir={seen.profile}".encode() in words and b"--type=" not in words
    ]
    return pid


@pytest.fixture(scope="module")
def a_run() -> Iterator[Run]:
    seen = Run()
    with ExitStack() as stack:
        machine = stack.enter_context(solo())
        base = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        base.chmod(0o755)
        for name, mode in (("home", 0o755), ("tmp", 0o1777)):  # as on most machines
            (base / name).mkdir()
            (base / name).chmod(mode)
            os.chown(base / name, OWNER if name == "home" else 0, -1)
        seen.profile = base / "home" / "profile"
        data, temporary = base / "home" / "data", base / "tmp"
        database, record = data / "c.db", base / "record"
        terminal, stdout = pty.openpty()
        stack.callback(os.close, terminal)
        words = [sys.executable, as_account.__file__, str(OWNER), str(record), "--db", str(database)]
        words += ["--uiaddr", "127.0.0.1:0", "--interface", "lo", "--log", "debug"]
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(base / "home"),
            "TMPDIR": str(temporary),
            "DBUS_SESSION_BUS_ADDRESS": "disabled:",
            "BROWSER": BROWSER.format(profile=seen.profile),
        }
        with (base / "log").open("wb") as log:
            node = machine.popen(words, stdout=stdout, stderr=log, stdin=subprocess.DEVNULL, env=environment)
        os.close(stdout)
        stack.callback(lambda: node.poll() is None and end(node, signal.SIGKILL))
        stack.callback(lambda: print((base / "log").read_text()))  # shown if a test fails

        redirect = wait_until(lambda: redirect_in(temporary), 20, "no browser was opened")
        found = re.search(r"#open=([\w-]+)", redirect.read_text())
        assert found
        seen.code = found[1]
        seen.readable = [path for path in (redirect,) if run(STRANGER, "cat", path).returncode == 0]
        session = json.loads((data / "c.db.session.json").read_text())
        seen.token = session["token"]
        wait_until(lambda: not redirect.exists(), 20, "the page has not exchanged its code")

        port = int(session["url"].rstrip("/").rpartition(":")[2])
        user = UiClient(machine, port, seen.token)
        seen.again = user.request("POST", "/api/session", {"code": seen.code}).status
        for method, target, body in REQUESTS:
            filled = json.loads(json.dumps(body).replace("{token}", seen.token))
            user.request(method, target.replace("{token}", seen.token), filled)
        bearer = [f"Authorization: Bearer {seen.token}"]
        seen.replies = {
            "another": request(STRANGER, port, "/api/info", bearer, machine=machine),
            "another, without": request(STRANGER, port, "/api/info", machine=machine),
            "its own": request(OWNER, port, "/api/info", bearer, machine=machine),
            "root": request(0, port, "/api/info", bearer, machine=machine),
        }
        seen.processes = processes_of(OWNER)
        ours = [*files_under(data), *temporary.glob("cryptochat*")]
        seen.modes = {path: path.stat().st_mode & 0o777 for path in ours}
        seen.readable += [path for path in ours if run(STRANGER, "head", "-c1", path).returncode == 0]
        seen.readable += [data] if run(STRANGER, "ls", data).returncode == 0 else []
        history = seen.profile / "Default" / "History"
        # Written every 10 s, and not at a sudden end.
        wait_until(lambda: b"127.0.0.1" in history.read_bytes(), 30, "the browser keeps no history")
        seen.history = b"".join(file.read_bytes() for file in history.parent.glob("History*"))
        os.kill(browser_of(seen), signal.SIGTERM)  # which ends its own
        wait_until(lambda: processes_of(OWNER).keys() <= {node.pid}, 10, "the browser has not ended")
        end(node, signal.SIGTERM)
        seen.record, seen.log = record.read_text(), (base / "log").read_text()
        yield seen


def test_another_account_can_read_no_file_of_ours(a_run: Run) -> None:
    assert a_run.readable == []
    folders = [path for path, mode in a_run.modes.items() if mode == 0o700]
    assert [path.name for path in folders] == ["data"]
    assert {mode for path, mode in a_run.modes.items() if path not in folders} == {0o600}
    names = {path.name for path in a_run.modes}
    assert {"c.db", "c.db-wal", "c.db-shm", "c.db.lock", "c.db.session.json"} <= names


def test_nor_one_that_lives_for_a_moment(a_run: Run) -> None:
    """The key on its way to OpenSSL, the session file before it has its name, the redirect; umask 0."""
    lines = [line.split(" ", 2) for line in a_run.record.splitlines()]
    assert {mode for _, mode, _ in lines} == {"600"}
    assert not [line for line in lines if line[0] == "os.chmod"], "it was for others, if only for a moment"
    names = {re.sub(r"cryptochat-\w+", "cryptochat-x", Path(path).name) for _, _, path in lines}
    assert {"cryptochat-x", "cryptochat-x.html", "c.db.session.json.new", "c.db.session.json"} <= names


def test_another_account_cannot_use_the_port(a_run: Run) -> None:
    assert a_run.replies["another"].startswith("HTTP/1.1 403 ")
    assert a_run.replies["another, without"].startswith("HTTP/1.1 403 ")
    assert a_run.replies["its own"].startswith("HTTP/1.1 200 ")
    assert a_run.replies["root"].startswith("HTTP/1.1 200 ")


def test_no_process_shows_the_token_or_the_code(a_run: Run) -> None:
    assert browser_of(a_run)
    for shown in a_run.processes.values():
        for secret in (a_run.token, a_run.code):
            assert not any(secret.encode() in part for part in shown)


def test_the_log_has_neither_token_nor_code_nor_text_even_at_debug(a_run: Run) -> None:
    assert " DEBUG " in a_run.log
    assert "Traceback" not in a_run.log
    for secret in (a_run.token, a_run.code, CONTENT):
        assert secret not in a_run.log


def test_the_browser_s_history_has_no_token_and_of_the_code_only_what_is_worth_nothing(a_run: Run) -> None:
    """Chromium keeps the address that the redirect file led to, before the page took the code out of it."""
    assert b"127.0.0.1" in a_run.history
    assert a_run.token.encode() not in a_run.history
    assert a_run.again == 403

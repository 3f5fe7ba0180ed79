"""The session file, or the port that it names, is somebody else's, who would read what a command sends.

A program that was killed leaves its file behind, and its port is free for every account of the machine.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from another_account import STRANGER

from cryptochat_lib import accounts
from cryptochat_lib.errors import NotDone, NotRunning, StartupError
from cryptochat_lib.ui_client import UiClient

SECRET = {"content": "a secret text"}

only_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may act as another account"
)


def write_session(folder: Path, url: str, pid: int | None = None) -> tuple[Path, Path]:
    """A database's name, and its session file as our program leaves it."""
    file = folder / "a.db.session.json"
    file.write_text(json.dumps({"url": url, "token": "a-token", "pid": os.getpid() if pid is None else pid}))
    file.chmod(0o600)
    return folder / "a.db", file


@contextmanager
def listening(reply: bytes = b"") -> Iterator[tuple[socket.socket, list[bytes]]]:
    """Whoever took the port, and what they were sent."""
    got: list[bytes] = []

    def accept() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(5)
            got.append(connection.recv(10_000))
            connection.sendall(reply)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        thread = threading.Thread(target=accept)
        thread.start()
        yield listener, got
        thread.join(10)


def url_of(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}/"


@only_root
@pytest.mark.skipif(sys.platform != "linux", reason="this platform does not say whose a connection is")
def test_who_takes_the_port_of_a_killed_program_is_sent_nothing(tmp_path: Path) -> None:
    if not accounts._can_tell():
        pytest.skip("this kernel does not say whose a connection is")
    with listening() as (listener, got):
        os.fchown(listener.fileno(), STRANGER, -1)  # as if that account had made it
        database, _ = write_session(tmp_path, url_of(listener))
        with pytest.raises(NotRunning):
            UiClient(database).post("/api/rooms/tea/message", SECRET)
    assert got == [b""]


def test_where_the_process_has_ended_nobody_is_called(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        for pid in (2**22 + 1, 0, -1, 2**70):  # past what Linux gives out, and groups of processes
            database, _ = write_session(tmp_path, url_of(listener), pid)
            with pytest.raises(NotRunning):
                UiClient(database).get("/api/info")
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{]",
        b"HTTP/1.1 404 Not Found\r\nContent-Type: application/problem+json\r\nContent-Length: 2\r\n\r\n[]",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
)
def test_what_another_program_answers_is_no_answer(tmp_path: Path, reply: bytes) -> None:
    with listening(reply) as (listener, _):
        database, _ = write_session(tmp_path, url_of(listener))
        with pytest.raises(NotRunning, match="no CryptoChat is running"):
            UiClient(database).get("/api/info")


def test_what_another_program_refuses_with_commands_no_terminal(tmp_path: Path) -> None:
    body = json.dumps({"status": 409, "code": "conflict", "message": "no\x1b[2J\nyes"}).encode()
    head = b"HTTP/1.1 409 Conflict\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n\r\n"
    with listening(head % len(body) + body) as (listener, _):
        database, _ = write_session(tmp_path, url_of(listener))
        assert str(refused(database)) == "no\\x1b[2J\\nyes"


def test_no_proxy_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    with listening(reply) as (listener, got):
        database, _ = write_session(tmp_path, url_of(listener))
        assert UiClient(database).get("/api/info") == {}
    assert got[0].startswith(b"GET /api/info HTTP/1.1\r\n")


def refused(database: Path) -> StartupError:
    with pytest.raises(NotDone) as error:
        UiClient(database).post("/api/rooms/tea/message", SECRET)
    return error.value


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_session_file_that_others_can_open_is_not_believed(tmp_path: Path, mode: int) -> None:
    database, file = write_session(tmp_path, "http://127.0.0.1:9/")
    file.chmod(mode)
    assert "not believed" in str(refused(database))


@only_root
def test_a_session_file_of_another_account_is_not_believed(tmp_path: Path) -> None:
    """As somebody puts it where our database would be, in a folder that all can write."""
    database, file = write_session(tmp_path, "http://127.0.0.1:9/")
    os.chown(file, STRANGER, STRANGER)
    assert "another account" in str(refused(database))


def test_a_link_in_place_of_the_session_file_is_not_followed(tmp_path: Path) -> None:
    database, file = write_session(tmp_path, "http://127.0.0.1:9/")
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert "cannot be read" in str(refused(database))
    file.unlink()
    os.mkfifo(file, 0o600)
    assert "no session file" in str(refused(database))


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1:80/",
        "https://127.0.0.1:80/",
        "http://127.0.0.1.example:80/",
        "http://127.0.0.1:80@192.0.2.1/",
        "http://localhost:80/",
        "http://127.0.0.1:65536/",
        "http://127.0.0.1:80/\r\nX: y",
        5,
    ],
)
def test_a_session_file_that_leads_elsewhere_is_not_followed(tmp_path: Path, url: str) -> None:
    database, file = write_session(tmp_path, url)
    assert "no session file" in str(refused(database))
    forged = json.dumps({"url": "http://127.0.0.1:1/", "token": "a\r\nX: b", "pid": 1})
    for text in ("", "{", "[]", "null", forged):
        file.write_text(text)
        assert "no session file" in str(refused(database))

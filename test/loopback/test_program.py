"""The program itself, as a process: what stops it from starting, what it says, and how it ends.

Discovery is real here, so it runs on a machine of its own that has nothing but `lo`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from friends import wait_knows
from lab import Namespace, solo
from nodes import PROGRAM, Node
from waiting import wait_until

Words = Sequence[str]
DATA = Path(__file__).resolve().parents[1] / "data"


@pytest.fixture(scope="module")
def machine() -> Iterator[Namespace]:
    if os.geteuid() != 0 or not all(shutil.which(program) for program in ("ip", "nsenter", "unshare")):
        pytest.skip("a machine of its own is made by root, with `ip`, `nsenter` and `unshare`")
    with solo() as machine:
        yield machine


def words(database: Path, *options: str, python: Words = ()) -> list[str]:
    """The command line of a program that would start."""
    return [
        sys.executable,
        *python,
        str(PROGRAM),
        "--db",
        str(database),
        "--interface",
        "lo",
        "--uiaddr",
        "127.0.0.1:0",
        "--no-browser",
        *options,
    ]


def check_refused(result: subprocess.CompletedProcess[str], status: int, *names: str) -> None:
    """It did not start, and one line on stderr names the thing."""
    assert (result.returncode, result.stdout) == (status, ""), result
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("cryptochat: ")
    for name in names:
        assert name in lines[0]


def identity_of(path: Path) -> bytes:
    connection = sqlite3.connect(path)
    certificate: bytes = connection.execute("SELECT certificate FROM identity").fetchone()[0]
    connection.close()
    return certificate


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# What stops it from starting


@pytest.mark.parametrize("option", ["--uiaddr", "--addr"])
def test_a_taken_port_is_named(machine: Namespace, tmp_path: Path, option: str) -> None:
    with machine.inside(lambda: socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        result = machine.run(words(tmp_path / "a.db", option, f"127.0.0.1:{port}"), check=False)
    check_refused(result, 1, str(port), option)


def test_a_database_in_use_is_named_and_the_first_program_lives_on(
    machine: Namespace, tmp_path: Path
) -> None:
    with Node(machine, tmp_path / "a.db", interfaces=["lo"]) as node:
        check_refused(machine.run(words(tmp_path / "a.db"), check=False), 1, str(tmp_path / "a.db"), "in use")
        assert node.get("/api/info")


def test_a_file_that_is_no_database_of_ours_is_named_and_left_alone(
    machine: Namespace, tmp_path: Path
) -> None:
    text, other = tmp_path / "text.db", tmp_path / "other.db"
    text.write_text("These are my notes, and they are longer than the header of a database would be. " * 20)
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE mine (a)")
    connection.close()
    for path in (text, other):
        before = path.read_bytes()
        check_refused(machine.run(words(path), check=False), 1, str(path), "not a CryptoChat database")
        assert path.read_bytes() == before


def test_a_database_of_a_newer_version_is_named_and_left_alone(machine: Namespace, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Node(machine, path, interfaces=["lo"]):
        pass
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    check_refused(machine.run(words(path), check=False), 1, str(path), "newer")
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (999,)
    connection.close()


def test_a_damaged_database_never_leads_to_a_new_identity(machine: Namespace, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Node(machine, path, interfaces=["lo"]):
        pass
    data = path.read_bytes()
    for damaged in (data[:4096] + b"\xff" * (len(data) - 4096), data[: len(data) // 2]):
        path.write_bytes(damaged)
        check_refused(machine.run(words(path), check=False), 1, str(path))
        assert path.read_bytes() == damaged


def test_a_file_that_cannot_be_opened_is_named(machine: Namespace, tmp_path: Path) -> None:
    folder, file = tmp_path / "folder.db", tmp_path / "file"
    folder.mkdir()
    file.write_text("")
    for path in (folder, file / "a.db"):
        check_refused(machine.run(words(path), check=False), 1, str(path))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose name says nothing: a message is not taken for another by the path in it."""
    with tempfile.TemporaryDirectory(prefix="cc-") as name:
        yield Path(name)


@pytest.mark.parametrize("size", ["4k", "16k", "40k", "60k", "80k", "100k", "104k", "108k", "300k"])
def test_a_disk_too_small_for_the_first_start_is_said(machine: Namespace, folder: Path, size: str) -> None:
    """Wherever it runs out: in the lock, the database, its log, or the session file."""
    mount = f'mount -t tmpfs -o size={size} tmpfs "$0" && "$@"; s=$?; ls -A "$0" >&3; exit $s'
    mounted = ["sh", "-c", 'exec 3>"$0"; shift; exec unshare -m sh -c "$@"', str(folder / "left"), "-"]
    (folder / "disk").mkdir()
    if machine.run([*mounted, mount, str(folder / "disk"), "true"], check=False).returncode:
        pytest.skip("this kernel does not let us mount a small disk")
    program = words(folder / "disk" / "a.db", "--username", "Ada")
    result = machine.run(
        [*mounted, mount, str(folder / "disk"), "timeout", "-s", "TERM", "3", *program], check=False
    )
    if result.returncode == 124 and "ready" in result.stdout:
        assert size in ("108k", "300k")  # that was enough, then
        return
    assert (result.returncode, result.stdout) == (1, ""), result
    *log, line = result.stderr.splitlines()
    assert all(" INFO cryptochat_lib." in one for one in log), result.stderr
    assert line.startswith("cryptochat: ")
    assert "the disk" in line
    left = (folder / "left").read_text().split()
    assert not [name for name in left if "session" in name], left


@pytest.mark.parametrize("size", ["64k", "80k", "104k", "128k", "160k", "200k", "260k"])
def test_a_disk_too_small_for_a_migration_is_said_and_nothing_is_half_done(
    machine: Namespace, folder: Path, size: str
) -> None:
    """Wherever it runs out: in the copy, in the new version's tables, or after."""
    (folder / "disk").mkdir()
    mount = f'mount -t tmpfs -o size={size} tmpfs "$0" && cp "$1" "$0/a.db"; shift'
    keep = f'{mount}; "$@"; s=$?; cp -r "$0" "$0/../left"; exit $s'
    command = ["unshare", "-m", "sh", "-c", keep, str(folder / "disk"), str(DATA / "version-1.db")]
    if machine.run([*command, "true"], check=False).returncode:
        pytest.skip("this kernel does not let us mount a small disk")
    shutil.rmtree(folder / "left")
    program = ["timeout", "-s", "TERM", "3", *words(folder / "disk" / "a.db")]
    result = machine.run([*command, *program], check=False)
    left = {file.name for file in (folder / "left").iterdir()}
    if result.returncode == 124 and "ready" in result.stdout:
        assert size == "260k"  # that was enough, then
        assert left >= {"a.db", "a.db.v1-backup"}
        return
    assert (result.returncode, result.stdout) == (1, ""), result
    *log, line = result.stderr.splitlines()
    assert all(" INFO cryptochat_lib." in one for one in log), result.stderr
    assert line.startswith("cryptochat: the disk")
    later = "a.db.v1-backup" in left  # it was up to date already
    assert left - {"a.db.v1-backup"} <= {"a.db", "a.db.lock", "a.db-wal", "a.db-shm"}
    with sqlite3.connect(folder / "left" / "a.db") as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (3 if later else 1,)
        assert connection.execute("SELECT count(*) FROM messages").fetchone() == (8,)
    connection.close()


def test_a_file_of_version_1_is_brought_up_to_date_and_it_says_so(machine: Namespace, tmp_path: Path) -> None:
    shutil.copyfile(DATA / "version-1.db", tmp_path / "a.db")
    with Node(machine, tmp_path / "a.db", interfaces=["lo"]) as node:
        assert [m["content"] for m in node.get("/api/search?q=grusse")["messages"]] == [
            "Grüße aus der Teeküche"
        ]
        assert len(node.history("tea")) == 5
        assert any("up to date" in line for line in node.stderr.items)
    assert mode(tmp_path / "a.db.v1-backup") == 0o600


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_cannot_be_written_is_named_and_left_alone(machine: Namespace, folder: Path, what: str) -> None:
    """On a disk that is mounted for reading only, which holds for root too."""
    path = folder / "disk" / "a.db"
    path.parent.mkdir()
    shutil.copyfile(DATA / "version-1.db", path)
    if what == "file":
        path.with_name("a.db.lock").touch()
    bind = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0"'
    if what == "file":
        bind = f"{bind.replace('$0', '$0/a.db')}"
    command = ["unshare", "-m", "sh", "-c", f'{bind} && exec "$@"', str(path.parent)]
    if machine.run([*command, "true"], check=False).returncode:
        pytest.skip("this kernel does not let us mount a folder again")
    result = machine.run([*command, *words(path)], check=False)
    check_refused(result, 1, str(path))
    assert path.read_bytes() == (DATA / "version-1.db").read_bytes()
    assert not list(path.parent.glob("*backup*"))


@pytest.mark.parametrize("page", [1, 2, 4, 8])
def test_a_damaged_or_cut_file_never_leads_to_a_new_identity(
    machine: Namespace, tmp_path: Path, page: int
) -> None:
    """An old file, before its migration, cut or overwritten behind so many pages."""
    data = (DATA / "version-1.db").read_bytes()
    before = data[: page * 4096]
    for damaged in (before, before[:-100], before + b"\xa5" * 4096 + data[(page + 1) * 4096 :]):
        path = tmp_path / "a.db"
        path.write_bytes(damaged)
        result = machine.run(["timeout", "-s", "TERM", "5", *words(path)], check=False)
        assert "Traceback" not in result.stderr
        if result.returncode == 124:  # what is damaged there is not needed for the start
            assert identity_of(path) == identity_of(DATA / "version-1.db")
            continue
        assert (result.returncode, result.stdout) == (1, ""), result
        assert result.stderr.splitlines()[-1].startswith("cryptochat: ")
        assert str(path) in result.stderr


@pytest.mark.parametrize("database", [".", "/", "..", "sub/"])
def test_a_folder_is_named_in_one_line(machine: Namespace, folder: Path, database: str) -> None:
    (folder / "sub").mkdir()
    command = words(Path("a.db"))
    command[command.index("--db") + 1] = database
    check_refused(machine.run(["env", "-C", str(folder), *command], check=False), 1, "it is a folder")
    assert [path.name for path in folder.iterdir()] == ["sub"]


@pytest.mark.parametrize("link", ["symbolic", "hard"])
def test_another_name_of_a_database_in_use_is_refused(machine: Namespace, tmp_path: Path, link: str) -> None:
    """The lock of one of them does not protect the other; two programs would ruin both."""
    other = tmp_path / "folder" / "other.db"
    other.parent.mkdir()
    with Node(machine, tmp_path / "a.db", interfaces=["lo"]) as node:
        if link == "hard":
            os.link(tmp_path / "a.db", other)
        else:
            other.symlink_to(tmp_path / "a.db")
        what = "in use" if link == "symbolic" else "hard link"
        check_refused(machine.run(words(other), check=False), 1, what)
        assert node.get("/api/info")


@pytest.mark.parametrize(
    "options",
    [
        ("--uiaddr", "0.0.0.0:0"),
        ("--uiaddr", ":0"),
        ("--uiaddr", "[::]:0"),
        ("--uiaddr", "192.0.2.1:0"),
        ("--uiaddr", "127.0.0.1"),
        ("--uiaddr", "127.0.0.1:65536"),
        ("--uiaddr", "127.0.0.1:x"),
        ("--addr", "192.0.2.1:0"),
        ("--addr", "example.org:0"),
        ("--interface", "nosuch0"),
        ("--interface", "192.0.2.1"),
        ("--username", ""),
        ("--username", "a" * 65),
    ],
    ids=" ".join,
)
def test_what_cannot_be_asked_for_is_named(machine: Namespace, tmp_path: Path, options: Words) -> None:
    result = machine.run(words(tmp_path / "a.db", *options), check=False)
    check_refused(result, 2, options[0])


def test_an_unknown_option_is_named(machine: Namespace, tmp_path: Path) -> None:
    for options in (("--nonsense",), ("--log", "loud"), ("walk",)):
        result = machine.run(words(tmp_path / "a.db", *options), check=False)
        assert (result.returncode, result.stdout) == (2, "")
        assert options[-1] in result.stderr
        assert "Traceback" not in result.stderr


def test_a_missing_package_is_named(machine: Namespace, tmp_path: Path) -> None:
    result = machine.run(words(tmp_path / "a.db", python=["-S", "-E"]), check=False)
    check_refused(result, 1, "package", "README")


def test_an_old_sqlite_is_named(machine: Namespace, tmp_path: Path) -> None:
    stub = tmp_path / "stub"
    stub.mkdir()
    (stub / "sitecustomize.py").write_text(
        "import sqlite3\nsqlite3.sqlite_version_info, sqlite3.sqlite_version = (3, 36, 0), '3.36.0'\n"
    )
    result = machine.run(["env", f"PYTHONPATH={stub}", *words(tmp_path / "a.db")], check=False)
    check_refused(result, 1, "SQLite 3.36.0", "3.37")


def test_the_version_is_one_line(machine: Namespace, tmp_path: Path) -> None:
    result = machine.run([sys.executable, str(PROGRAM), "--version"])
    assert result.stdout.startswith("cryptochat ")
    assert result.stdout.count("\n") == 1


# What it says, and what it leaves on the disk


def test_when_it_is_ready_it_says_so_in_one_line_and_in_a_file(machine: Namespace, tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.db"
    session = path.with_name("a.db.session.json")
    program = machine.popen(
        words(path, "--username", "Ada"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert program.stdout
    assert program.stderr
    line = program.stdout.readline()
    said = json.loads(session.read_text())
    assert line == f"CryptoChat is ready: {said['url']}#token={said['token']}\n"
    assert set(said) == {"url", "token", "pid"}
    assert said["pid"] == program.pid
    port = int(said["url"].removeprefix("http://127.0.0.1:").removesuffix("/"))
    machine.connect(port).close()
    for file in path.parent.iterdir():
        assert mode(file) == 0o600, file
    assert {file.name for file in path.parent.iterdir()} >= {"a.db", "a.db.lock", "a.db.session.json"}
    assert mode(path.parent) == mode(path.parent.parent) == 0o700
    program.send_signal(signal.SIGTERM)
    rest, errors = program.communicate(timeout=10)
    assert (program.returncode, rest) == (0, "")
    assert "Traceback" not in errors
    assert not session.exists()
    assert mode(path) == 0o600


@pytest.mark.parametrize("stdout", ["/dev/full", "closed"])
def test_where_nobody_reads_its_line_it_runs_on(machine: Namespace, tmp_path: Path, stdout: str) -> None:
    session = tmp_path / "a.db.session.json"
    redirect = ">&-" if stdout == "closed" else f">{stdout}"
    command = ["sh", "-c", f'exec "$@" {redirect}', "sh", *words(tmp_path / "a.db")]
    program = machine.popen(command, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: session.exists() or program.poll() is not None, 20)
    assert program.poll() is None
    port = int(json.loads(session.read_text())["url"].removeprefix("http://127.0.0.1:").removesuffix("/"))
    for _ in range(2):  # also a moment later
        with machine.connect(port) as sock:
            sock.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
            assert sock.recv(100).startswith(b"HTTP/1.1 200")
    program.terminate()
    _, errors = program.communicate(timeout=10)
    assert program.returncode == 0
    assert "Traceback" not in errors
    assert not session.exists()


def test_an_existing_folder_is_never_changed(machine: Namespace, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with Node(machine, tmp_path / "a.db", interfaces=["lo"]):
        assert mode(tmp_path) == 0o755
    assert mode(tmp_path) == 0o755


def test_run_is_the_sub_command_that_none_means(machine: Namespace, tmp_path: Path) -> None:
    command = words(tmp_path / "a.db")
    command.insert(command.index(str(PROGRAM)) + 1, "run")
    program = machine.popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert program.stdout
    assert program.stdout.readline().startswith("CryptoChat is ready: ")
    program.terminate()
    assert program.wait(5) == 0
    program.stdout.close()


# How it ends


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_time_whatever_is_pending(machine: Namespace, tmp_path: Path, how: signal.Signals) -> None:
    """A gate waits, a question is open, streams are open, a message is on its way to somebody frozen."""
    with (
        Node(machine, tmp_path / "ada.db", username="Ada", interfaces=["lo"]) as ada,
        Node(machine, tmp_path / "bob.db", username="Bob", interfaces=["lo"]) as bob,
    ):
        for node in (ada, bob):
            node.join("tea")
        wait_knows(ada, bob)
        wait_knows(bob, ada)
        ada.verify(bob.uuid)
        ada.send("tea", "a secret text")
        bob.wait_for("verification", uuid=ada.uuid, reason="knocked")
        for node in (bob, ada):
            with node.connect() as stream:
                stream.sendall(
                    f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:{node.ui_port}\r\n"
                    f"Authorization: Bearer {node.token}\r\n\r\n".encode()
                )
                assert stream.recv(100).startswith(b"HTTP/1.1 200")
                started = time.monotonic()
                node.program.send_signal(how)
                assert node.program.wait(10) == 0
                assert time.monotonic() - started <= 3
            node.stop_listening()
            node._stderr_reader.join(10)
            log = "\n".join(node.stderr.items)
            assert "Traceback" not in log
            assert "a secret text" not in log
            assert node.token not in log
            for pipe in (node.program.stdout, node.program.stderr):
                assert pipe
                pipe.close()


_SIGNAL_AT = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGTERM)
sys.meta_path.insert(0, Finder())
"""


@pytest.mark.parametrize("name", ["cryptochat_lib", "cryptochat_lib.app", "cryptochat_lib.verification"])
def test_a_signal_in_its_first_moments_ends_it_in_order(
    machine: Namespace, tmp_path: Path, name: str
) -> None:
    """It comes while the program still reads its own code."""
    stub = tmp_path / "stub"
    stub.mkdir()
    (stub / "sitecustomize.py").write_text(_SIGNAL_AT.format(name=name))
    result = machine.run(["env", f"PYTHONPATH={stub}", *words(tmp_path / "a.db")], check=False)
    assert result.returncode == 0, result
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "a.db.session.json").exists()


def test_a_second_signal_ends_it_at_once(machine: Namespace, tmp_path: Path) -> None:
    node = Node(machine, tmp_path / "a.db", interfaces=["lo"])
    node.stop_listening()
    node.freeze()  # so that both signals are there when it looks
    node.program.send_signal(signal.SIGTERM)
    node.program.send_signal(signal.SIGINT)
    started = time.monotonic()
    node.thaw()
    assert node.program.wait(5) == 1
    assert time.monotonic() - started < 1
    node._end(signal.SIGTERM)


def test_a_killed_program_starts_again_with_everything_it_had(machine: Namespace, tmp_path: Path) -> None:
    node = Node(machine, tmp_path / "a.db", interfaces=["lo"])
    uuid = node.uuid
    node.join("tea")
    node.send("tea", "kept")
    node.kill()
    node.start()
    with node:
        assert node.uuid == uuid
        assert [m["content"] for m in node.history("tea")] == ["kept"]

"""A thief of the disk: what of our key is in the files, under a passphrase and after a wipe.

The program is a process of its own, as a person starts it, and what it leaves is
searched byte for byte.
"""

from __future__ import annotations

import contextlib
import os
import pty
import shutil
import signal
import sqlite3
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from certificates import make_certificate
from key_traces import holding, pieces_of
from lab import Namespace, solo
from nodes import PROGRAM
from old_databases import DATA
from programs import end, first_line
from traces import left
from waiting import wait_until

from cryptochat_lib.errors import StartupError
from cryptochat_lib.identity import Identity, create_identity
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import RoomName
from cryptochat_lib.sealing import Passphrase, SealedIdentity, seal
from cryptochat_lib.store import Store

pytestmark = pytest.mark.skipif(os.name == "nt", reason="this platform has no pseudo-terminals")

SECRET = "Teekanne und Tassen"
LIMITS = Limits(free_disk_bytes=0)
READY = "CryptoChat is ready: "


@pytest.fixture(scope="module")
def machine() -> Iterator[Namespace]:
    if os.geteuid() != 0 or not all(shutil.which(program) for program in ("ip", "nsenter", "unshare")):
        pytest.skip("a machine of its own is made by root, with `ip`, `nsenter` and `unshare`")
    with solo() as machine:
        yield machine


@pytest.fixture(scope="module")
def identity() -> Identity:
    return create_identity()


@pytest.fixture(scope="module")
def sealed_identity(identity: Identity) -> SealedIdentity:
    return seal(identity, Passphrase.parse(SECRET))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the database is."""
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where whatever we start keeps its temporary files."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


@pytest.fixture
def clear(home: Path) -> Path:
    """A file of version 1, with its key in the clear; its first start will leave a copy."""
    shutil.copyfile(DATA / "version-1.db", home / "a.db")
    return home / "a.db"


@pytest.fixture
def sealed(home: Path, sealed_identity: SealedIdentity) -> Path:
    """A database whose key has never been in the clear."""
    store = Store(home / "a.db", LIMITS)
    store.open(lambda: sealed_identity)
    store.close()
    return home / "a.db"


def pieces_in(path: Path) -> set[bytes]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return pieces_of(connection.execute("SELECT private_key FROM identity").fetchone()[0])


def command(*words: str | Path, given: str = "", **options: Any) -> subprocess.CompletedProcess[str]:
    """A sub-command, to its end, away from any terminal."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run(
        [sys.executable, PROGRAM, *words],
        input=given,
        text=True,
        timeout=60,
        start_new_session=True,
        **options,
    )


def run_words(path: Path, *options: str) -> list[str]:
    words = [sys.executable, str(PROGRAM), "--db", str(path), "--interface", "lo", "--uiaddr", "127.0.0.1:0"]
    return [*words, "--no-browser", "--log", "debug", *options]


def refused(result: subprocess.CompletedProcess[str], *names: str) -> None:
    """Exit 1, nothing on stdout, one line that names the thing."""
    assert (result.returncode, result.stdout) == (1, ""), result
    [line] = result.stderr.splitlines()
    assert line.startswith("cryptochat: ")
    assert all(name in line for name in names), line


@contextlib.contextmanager
def running(machine: Namespace, path: Path, given: str) -> Iterator[subprocess.Popen[str]]:
    """The program with its passphrase from a descriptor, ready."""
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    program = machine.popen(run_words(path, "--passphrase-fd", "0"), text=True, **pipes)
    try:
        program.stdin.write(given)
        program.stdin.close()
        program.stdin = None
        line = first_line(program)
        assert line.startswith(READY), program.stderr.read()
        yield program
    finally:
        end(program, signal.SIGTERM)
        for stream in (program.stdout, program.stderr):
            stream.close()


class Typist:
    """A person at a terminal of their own, which the program controls; stdout and stderr go elsewhere."""

    def __init__(self, words: list[str], machine: Namespace | None = None) -> None:
        self._master, terminal = pty.openpty()
        inside = [sys.executable, "-c", _AT_A_TERMINAL, os.ttyname(terminal), *words]
        start = machine.popen if machine else _popen
        self.program = start(inside, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._terminal = terminal
        self.seen = b""

    def __enter__(self) -> Typist:
        return self

    def __exit__(self, *_: object) -> None:
        end(self.program, signal.SIGKILL)
        for stream in (self.program.stdout, self.program.stderr):
            stream.close()
        os.close(self._master)
        os.close(self._terminal)

    def read_until(self, text: str) -> None:
        """Only returns once the prompt is there, and the echo off: getpass sees to that order."""
        os.set_blocking(self._master, False)

        def shown() -> bool:
            with contextlib.suppress(BlockingIOError):
                self.seen += os.read(self._master, 4096)
            return text.encode() in self.seen

        wait_until(shown, 20, f"{text!r} is not on the terminal: {self.seen!r}")
        self.seen = self.seen.partition(text.encode())[2]

    @property
    def all_seen(self) -> str:
        """What has been on the terminal so far, to be read once."""
        with contextlib.suppress(BlockingIOError):
            self.seen += os.read(self._master, 65536)
        return self.seen.decode()

    def type(self, prompt: str, text: str) -> None:
        self.read_until(prompt)
        os.write(self._master, text.encode() + b"\n")

    @property
    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self._terminal)[3] & termios.ECHO)

    def finish(self) -> subprocess.CompletedProcess[str]:
        out, errors = self.program.communicate(timeout=60)
        return subprocess.CompletedProcess([], self.program.returncode, out, errors)


_AT_A_TERMINAL = """
import os, sys, fcntl, termios
terminal = os.open(sys.argv[1], os.O_RDWR)
fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
os.close(terminal)
os.execv(sys.argv[2], sys.argv[2:])
"""


def _popen(words: list[str], **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(words, start_new_session=True, **options)


# No key in any file


def test_after_a_passphrase_was_set_no_file_of_ours_holds_the_key(clear: Path, temporary: Path) -> None:
    pieces = pieces_in(clear)
    half = clear.with_name("a.db.v0-backup.part")  # a migration was killed while it copied
    half.write_bytes(clear.read_bytes())
    key_in(clear, None)
    # A page that is free has the key, too: whoever wrote here did not overwrite what was deleted.
    for moved in ("zeroblob(9000) || private_key", "substr(private_key, 9001)"):
        tampered(clear, f"UPDATE identity SET private_key = cast({moved} AS BLOB)")
    assert holding(pieces, clear.parent) == {"a.db", "a.db.v1-backup", half.name}
    with half.open("rb") as held:
        set_it = command("passphrase", "--db", clear, "--new-passphrase-fd", "0", given=f"{SECRET}\n")
        assert not held.read().strip(b"\0")  # what the file system frees
    assert (set_it.returncode, set_it.stderr) == (0, ""), set_it
    assert "a.db.v1-backup" in set_it.stdout
    assert holding(pieces, clear.parent, temporary) == set()
    opened = key_in(clear, SECRET)
    assert pieces_of(opened.private_key) == pieces


def key_in(path: Path, passphrase: str | None) -> Identity:
    """The key in the file, opened as the next start would; the passphrase None: in the clear."""
    store = Store(path, LIMITS)
    store.open(create_identity)
    with contextlib.closing(store), store.explaining():
        stored = store.settings.identity()
        if passphrase is None:
            assert isinstance(stored, Identity)
            return stored
        assert isinstance(stored, SealedIdentity)
        return stored.open(Passphrase.parse(passphrase))


def test_a_database_that_begins_with_a_passphrase_has_its_key_sealed(home: Path, temporary: Path) -> None:
    """The new one is typed twice."""
    with Typist([sys.executable, str(PROGRAM), "passphrase", "--db", str(home / "a.db")]) as person:
        for prompt, text in (("New passphrase: ", SECRET), ("again: ", SECRET + "x")):
            person.type(prompt, text)
        for prompt in ("New passphrase: ", "again: "):
            person.type(prompt, SECRET)
        result = person.finish()
    assert (result.returncode, result.stderr) == (0, "cryptochat: these were not the same\n")
    assert holding(pieces_of(key_in(home / "a.db", SECRET).private_key), home, temporary) == set()


def test_a_passphrase_that_was_changed_opens_nothing_and_removing_it_needs_the_new_one(sealed: Path) -> None:
    both = ("--passphrase-fd", "0", "--new-passphrase-fd", "0")
    changed = command("passphrase", "--db", sealed, *both, given=f"{SECRET}\nanother\n")
    assert changed.returncode == 0, changed
    remove = ("passphrase", "--db", sealed, "--remove", "--passphrase-fd", "0")
    before = sealed.read_bytes()
    refused(command(*remove, given=f"{SECRET}\n"), "passphrase is wrong")
    assert sealed.read_bytes() == before
    assert command(*remove, given="another\n").returncode == 0
    key_in(sealed, None).check()


@pytest.mark.parametrize("moment", ["before the commit", "after it", "before the log"])
def test_killed_while_it_is_set_the_key_opens_and_the_next_start_removes_every_trace(
    home: Path, identity: Identity, sealed_identity: SealedIdentity, moment: str
) -> None:
    path = home / "a.db"
    store = Store(path, LIMITS)
    store.open(lambda: identity)
    store.database.copy_to(home / "a.db.v2-backup")
    store.close()
    program = f"""
import os, pathlib, signal
from cryptochat_lib.identity import parse_certificate
from cryptochat_lib.limits import Limits
from cryptochat_lib.sealing import SealedIdentity
from cryptochat_lib.store import Store
from cryptochat_lib.store.database import Database
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
store = Store(pathlib.Path({str(path)!r}), Limits(free_disk_bytes=0))
store.open(None)
certificate = store.settings.identity().certificate
sealed = SealedIdentity(certificate, {sealed_identity.header!r}, {sealed_identity.ciphertext!r})
if {moment!r} == "before the commit":
    store.settings._database.erase = lambda work, done: store.database.write(lambda tx: (work(tx), die()))
elif {moment!r} == "after it":
    Database.finish_erasing = die
else:
    Database.cut_log = die
store.settings.replace_identity(sealed)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=PROGRAM.parent, timeout=60)
    assert done.returncode == -signal.SIGKILL
    if moment == "before the commit":
        assert key_in(path, None) == identity
        return
    assert key_in(path, SECRET) == identity
    assert holding(pieces_of(identity.private_key), home) == set()


# Opening it


def test_it_is_typed_at_a_terminal_and_is_nowhere_to_be_seen(
    machine: Namespace, sealed: Path, identity: Identity, temporary: Path
) -> None:
    pieces = pieces_of(identity.private_key)
    with Typist(run_words(sealed), machine) as person:
        person.type("Passphrase: ", "a wrong one")
        person.type("Passphrase: ", SECRET)
        assert first_line(person.program).startswith(READY)
        assert person.echoes
        for name in ("cmdline", "environ"):
            assert SECRET.encode() not in Path(f"/proc/{person.program.pid}/{name}").read_bytes(), name
        assert Path(f"{sealed}.session.json").exists()
        assert holding(pieces, sealed.parent, temporary) == set()
        assert left(sealed, [SECRET]) == set()
        person.program.terminate()
        result = person.finish()
        assert "Tassen" not in person.all_seen
    assert (result.returncode, result.stdout) == (0, "")  # the ready line was all
    assert "the passphrase is wrong" in result.stderr
    assert "INFO" in result.stderr
    assert "Tassen" not in result.stderr
    assert "Traceback" not in result.stderr
    assert holding(pieces, sealed.parent, temporary) == set()


def test_a_wrong_one_is_one_line(machine: Namespace, sealed: Path) -> None:
    before = sealed.read_bytes()
    words = run_words(sealed, "--passphrase-fd", "0")
    refused(machine.run(words, check=False, stdin="a wrong one\n"), "passphrase is wrong")
    assert sealed.read_bytes() == before


@pytest.mark.parametrize("options", [(), ("--passphrase-fd", "9")])
def test_without_anybody_to_ask_it_says_so_in_one_line(sealed: Path, options: tuple[str, ...]) -> None:
    """No terminal, or a descriptor that nobody has handed over."""
    result = subprocess.run(
        run_words(sealed, *options),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        start_new_session=True,
    )
    refused(result, "no passphrase can be read" if options else "no terminal is there")


@pytest.mark.parametrize(("what", "how"), [("run", signal.SIGINT), ("passphrase", signal.SIGTERM)])
def test_a_signal_ends_the_question_and_leaves_the_terminal_as_it_was(
    sealed: Path, what: str, how: signal.Signals
) -> None:
    before = sealed.read_bytes()
    words = [*run_words(sealed)[:2], what, "--db", str(sealed)]
    with Typist(words) as person:
        person.read_until("Passphrase: ")
        assert not person.echoes
        person.program.send_signal(how)
        result = person.finish()
        assert person.echoes
    assert (result.returncode, result.stdout) == (0 if what == "run" else 1, "")
    assert len(result.stderr.splitlines()) == 1
    assert "ended before" in result.stderr
    assert sealed.read_bytes() == before


def test_a_signal_at_the_question_leaves_the_key_of_an_older_file_as_it_was_and_a_copy(clear: Path) -> None:
    """It has been brought up to date by then, as at any start; nothing says that it was not."""
    pieces, before = pieces_in(clear), clear.read_bytes()
    with Typist([sys.executable, str(PROGRAM), "passphrase", "--db", str(clear)]) as person:
        person.read_until("New passphrase: ")
        person.program.send_signal(signal.SIGINT)
        result = person.finish()
    said = "cryptochat: ended before it was done: identity and history are as they were\n"
    assert (result.returncode, result.stdout, result.stderr) == (1, "", said)
    assert clear.read_bytes() != before
    assert holding(pieces, clear.parent) == {"a.db", "a.db.v1-backup"}
    assert pieces_of(key_in(clear, None).private_key) == pieces


# In the thief's hands


def tampered(path: Path, statement: str, *values: object) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete=OFF")
        connection.execute(statement, values)


@pytest.mark.parametrize(
    ("statement", "values", "says"),
    [
        ("certificate = ?", (make_certificate().der,), "passphrase is wrong"),
        ("sealing = cast(x'01100801' || substr(sealing, 5) AS BLOB)", (), "out of bounds"),
        ("sealing = cast(x'011f0801' || substr(sealing, 5) AS BLOB)", (), "out of bounds"),
        ("sealing = null", (), "damaged"),
    ],
    ids=["another certificate", "a lower cost", "a cost beyond all memory", "no seal"],
)
def test_a_sealed_key_that_was_tampered_with_opens_nothing(
    sealed: Path, statement: str, values: tuple[object, ...], says: str
) -> None:
    tampered(sealed, f"UPDATE identity SET {statement}", *values)
    with pytest.raises(StartupError, match=says) as refusal:
        key_in(sealed, SECRET)
    assert "\n" not in str(refusal.value)


# Wiping


def test_what_is_wiped_is_gone_from_every_file_and_the_next_start_is_somebody_else(
    machine: Namespace, clear: Path, temporary: Path
) -> None:
    pieces, before = pieces_in(clear), key_in(clear, None)
    for name in (".session.json", ".session.json.new"):
        clear.with_name(clear.name + name).write_text("{}")
    old, new, others = (
        temporary / name for name in ("cryptochat-abcd_123.html", "cryptochat-abcd_124", "mine")
    )
    for file in (old, new, others):
        file.write_text("code")
    os.utime(old, (0, 0))
    letter, trap = clear.with_name("letter.txt"), temporary / "cryptochat-abcd_125"
    letter.write_text("Dear Bob")
    trap.hardlink_to(letter)  # as another account can, where the system lets it
    os.utime(letter, (0, 0))
    held = [file.open("rb") for file in (clear, clear.with_name("a.db.v1-backup"))]
    wiped = command("wipe", "--db", clear, given="a.db\n")
    assert (wiped.returncode, wiped.stderr) == (0, "Type a.db to confirm: \n"), wiped
    assert before.certificate.uuid in wiped.stdout
    assert "8 messages" in wiped.stdout
    assert "Ada Ünal" in wiped.stdout
    assert "a.db.v1-backup" in wiped.stdout
    assert letter.read_text() == "Dear Bob"
    assert {file.name for file in clear.parent.iterdir()} == {"a.db.lock", "letter.txt"}
    assert clear.with_name("a.db.lock").read_bytes() == b""
    assert set(temporary.iterdir()) == {new, trap, others}  # another program's, perhaps of this moment
    for file in held:  # what the file system frees
        data = file.read()
        assert not any(piece in data for piece in pieces)
        assert not data[100:].strip(b"\0")
        file.close()
    with running(machine, clear, ""):
        pass
    after = key_in(clear, None)
    assert after.certificate.uuid != before.certificate.uuid


@pytest.mark.parametrize("answer", ["", "wipe\n"])
def test_any_other_word_removes_nothing(sealed: Path, answer: str) -> None:
    before = sealed.read_bytes()
    result = command("wipe", "--db", sealed, given=answer)
    assert result.returncode == 1
    assert result.stderr.splitlines()[1:] == ["cryptochat: this was not a.db: nothing was removed"]
    assert sealed.read_bytes() == before


def test_what_is_not_ours_is_not_wiped(home: Path) -> None:
    letter, other = home / "letter.txt", home / "other.db"
    letter.write_text("Dear Bob, " * 500)
    tampered(other, "CREATE TABLE mine (a)")
    before = {path: path.read_bytes() for path in (letter, other)}
    for path in (letter, other):
        refused(command("wipe", "--db", path, given=f"{path.name}\n"), "not a CryptoChat database")
    refused(command("wipe", "--db", home / "none.db", given="none.db\n"), "there is no database")
    assert {path: path.read_bytes() for path in before} == before
    assert not (home / "none.db").exists()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_name_that_the_terminal_cannot_show_does_not_stop_a_wipe(
    sealed: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    tampered(sealed, "INSERT INTO settings VALUES ('username', 'Ада')")
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    wiped = command("wipe", "--db", sealed, given="a.db\n")
    assert (wiped.returncode, wiped.stderr) == (0, "Type a.db to confirm: \n")
    assert r"the identity: \u0410\u0434\u0430, " in wiped.stdout
    assert "It is gone" in wiped.stdout
    assert not sealed.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this platform has no /dev/full")
def test_what_is_done_is_no_failure_because_nobody_can_be_told(
    clear: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The output is a full disk, which is not the database's, or has been closed."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    given = ("--new-passphrase-fd", "0")
    others = ("--remove", "--passphrase-fd", "0")
    new = home / "new.db"
    for words, typed in (
        (("passphrase", "--db", new, *given), f"{SECRET}\n"),
        (("passphrase", "--db", clear, *given), f"{SECRET}\n"),
        (("passphrase", "--db", clear, *others), f"{SECRET}\n"),
        (("passphrase", "--db", clear, "--remove"), ""),
        (("wipe", "--db", clear), "a.db\n"),
    ):
        with open("/dev/full", "w") as full:
            result = command(*words, given=typed, stdout=full)
        assert result.returncode == 0, result
        assert result.stderr in ("", "Type a.db to confirm: \n")
    assert not clear.exists()
    end_of_nobody, ours = os.pipe()
    os.close(end_of_nobody)
    try:
        result = command("wipe", "--db", new, given="new.db\n", stdout=ours)
    finally:
        os.close(ours)
    assert (result.returncode, result.stderr) == (0, "Type new.db to confirm: \n")
    assert not new.exists()


def test_a_damaged_file_and_one_of_a_newer_version_can_be_wiped(sealed: Path, identity: Identity) -> None:
    newer, damaged = sealed.with_name("newer.db"), sealed.with_name("damaged.db")
    shutil.copyfile(sealed, newer)
    tampered(newer, "PRAGMA user_version = 99")
    data = sealed.read_bytes()
    damaged.write_bytes(data[:100] + b"\xa5" * 4000 + data[4100:])
    for path in (newer, damaged):
        result = command("wipe", "--db", path, given=f"{path.name}\n")
        assert result.returncode == 0, result
        assert not path.exists()
    assert sealed.read_bytes() == data


@pytest.mark.parametrize("moment", ["close", "overwritten", "unlink"])
def test_a_wipe_that_was_killed_leaves_no_key_in_the_file_and_is_finished_by_the_next(
    home: Path, identity: Identity, moment: str
) -> None:
    path = home / "a.db"
    store = Store(path, LIMITS)
    store.open(lambda: identity)
    store.settings.join(RoomName("tea"))
    store.database.copy_to(home / "a.db.v2-backup")
    store.close()
    program = f"""
import os, pathlib, signal
from cryptochat_lib.limits import Limits
from cryptochat_lib.store import Store, wiping
die = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
store = Store(pathlib.Path({str(path)!r}), Limits(free_disk_bytes=0))
store.open_to_wipe()
remove = wiping.remove_for_good
if {moment!r} == "close":
    store.database.close = die
elif {moment!r} == "overwritten":
    wiping.remove_for_good = lambda file, behind=0: die() if behind else remove(file)
else:
    wiping.remove_for_good = lambda file, behind=0: (setattr(pathlib.Path, "unlink", die) if behind else None,
                                             remove(file, behind))
store.wipe()
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=PROGRAM.parent, timeout=60)
    assert done.returncode == -signal.SIGKILL
    pieces = pieces_of(identity.private_key)
    assert holding(pieces, home) == ({"a.db.v2-backup"} if moment == "close" else set())
    with pytest.raises(StartupError, match=r"a wipe of .*a\.db was interrupted: finish it with"):
        key_in(path, None)
    assert command("wipe", "--db", path, given="a.db\n").returncode == 0
    assert [file.name for file in home.iterdir()] == ["a.db.lock"]


def test_damage_is_not_taken_for_a_wipe(sealed: Path) -> None:
    """The file that should be restored is not to be thrown away."""
    data = sealed.read_bytes()
    for begin, behind in ((100, 600), (512, 8192), (4096, len(data))):
        sealed.write_bytes(data[:begin] + bytes(behind - begin) + data[behind:])
        with pytest.raises(StartupError, match=r"damaged .*: restore a copy"):
            key_in(sealed, SECRET)


def test_nothing_is_changed_while_a_cryptochat_runs_on_it(sealed: Path) -> None:
    store = Store(sealed, LIMITS)
    store.open(create_identity)
    try:
        for words in (("passphrase", "--remove", "--passphrase-fd", "0"), ("wipe",)):
            refused(command(*words, "--db", sealed, given=f"{SECRET}\n"), "in use by another CryptoChat")
        store.settings.set("username", "Ada")
    finally:
        store.close()

"""The commands that talk to the running program, as a person and a script use them.

Ada and Bob are real programs on a machine of their own, which these tests share: they
stand in the order in which two people would come to talk.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import commands
import pytest
from commands import Person
from friends import wait_knows
from lab import Namespace
from nodes import PROGRAM, Node
from waiting import wait_until

from cryptochat_lib.cli.options import COMMANDS


@pytest.fixture(scope="module")
def people(machine: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Person, Person]]:
    folder = tmp_path_factory.mktemp("people")
    with (
        Node(machine, folder / "ada.db", username="Ada", interfaces=["lo"]) as ada,
        Node(machine, folder / "bob.db", username="Bob", interfaces=["lo"]) as bob,
    ):
        yield Person(machine, ada), Person(machine, bob)


@pytest.fixture
def ada(people: tuple[Person, Person]) -> Person:
    return people[0]


@pytest.fixture
def bob(people: tuple[Person, Person]) -> Person:
    return people[1]


def compare(reader: Person, typist: Person, *, wrong: bool = False) -> subprocess.Popen[bytes]:
    """`typist` verifies `reader`, who reads out the groups that are asked for."""
    whom = reader.node.uuid[:8]
    program = typist.starts("verify", whom, stdin=subprocess.PIPE)
    shown = reader.node.user(typist.node.uuid)
    assert shown
    groups = shown["safety_number"].split(" ")
    assert program.stderr
    assert program.stdin
    for _ in range(2):
        while not (asked := re.match(r"Group (\d+): $", program.stderr.readline().decode().rstrip("\n"))):
            pass
        group = groups[int(asked[1]) - 1]
        program.stdin.write(f"{group[:2]} {'x' if wrong else group[2:]}\n".encode())
        program.stdin.flush()
    return program


# From nothing to a conversation


def test_two_people_meet_compare_and_talk_by_commands_alone(ada: Person, bob: Person) -> None:
    not_joined = ada.does("send", "tea", "hello", status=1)
    assert "cryptochat join tea" in not_joined.stderr
    for one in (ada, bob):
        one.does("join", "tea")
    for one, other in ((ada, bob), (bob, ada)):
        wait_knows(one.node, other.node)
    ada.node.wait_member("tea", bob.node.uuid)
    [room] = json.loads(ada.does("rooms", "--json").stdout)
    assert (room["name"], room["joined"], len(room["members"])) == ("tea", True, 2)
    assert ada.does("rooms").stdout.splitlines()[1].split() == ["joined", "2", "of", "2", "tea"]
    assert "calls itself Bob" in ada.does("users").stdout

    with compare(bob, ada, wrong=True) as program:
        _, errors = program.communicate(timeout=15)
    assert program.returncode == 1
    assert b"not the groups" in errors
    assert ada.node.status(bob.node.uuid) == "unverified"
    for one, other in ((ada, bob), (bob, ada)):
        with compare(other, one) as program:
            said, _ = program.communicate(timeout=15)
        assert (program.returncode, said.decode()) == (0, f"Verified: {other.node.uuid}\n")
        assert one.node.status(other.node.uuid) == "verified"

    with bob.starts("tail", "tea", "--json") as tail:
        bob_hears = bob.node.events.mark()
        ada.does("send", "tea", "hello", "--wait", "10")
        heard = json.loads(commands.line(tail))
        assert (heard["content"], heard["sender"]["uuid"]) == ("hello", ada.node.uuid)
        assert heard["method"] == "number"
        assert bob.node.wait_message("hello", after=bob_hears - 1)["id"] == heard["id"]
        tail.send_signal(signal.SIGINT)
        assert tail.wait(5) == 0
        assert tail.stderr
        assert tail.stderr.read() == b""


def test_what_a_program_writes_is_sent_as_it_comes(ada: Person, bob: Person) -> None:
    before = len(ada.said())
    with ada.starts("send", "tea", stdin=subprocess.PIPE) as program:
        assert program.stdin
        program.stdin.write(b"cc -c one.c\ncc -c two.c\n")
        program.stdin.flush()
        wait_until(lambda: ada.said()[before:], 10, "nothing is sent while the program still writes")
        program.stdin.write(b"caf\xe9\x00\ndone")
        program.stdin.close()
        assert program.wait(10) == 0
    assert ada.said()[before:] == ["cc -c one.c\ncc -c two.c", "caf\ufffd\x00\ndone"]
    wait_until(lambda: bob.said()[-1] == "caf\ufffd\x00\ndone")
    shown = bob.does("tail", "tea", "--no-follow", "--lines", "2").stdout.splitlines()
    head = rf"\d{{4}}-\d\d-\d\d \d\d:\d\d Ada \[{ada.node.uuid[:8]}\]: "
    assert re.fullmatch(head + r"cc -c one\.c", shown[0])
    assert shown[1] == "    cc -c two.c"
    assert re.fullmatch(head + r"caf\ufffd\\x00", shown[2])
    assert shown[3:] == ["    done"]


def test_what_is_too_long_for_one_message_is_cut_at_its_lines(ada: Person) -> None:
    before = len(ada.said())
    lines = [f"{number} " + "é" * 1000 for number in range(100)]
    ada.does("send", "tea", "-", "--wait", "10", stdin="\n".join(lines))
    sent = ada.said()[before:]
    assert [len(message.encode()) <= 65536 for message in sent] == [True] * 4
    assert "\n".join(sent).split("\n") == lines


@pytest.mark.parametrize("stdin", ["", "\n\r\n"])
def test_nothing_is_no_message(ada: Person, stdin: str) -> None:
    before = len(ada.said())
    assert "nothing to send" in ada.does("send", "tea", stdin=stdin, status=1).stderr
    assert len(ada.said()) == before


def test_a_message_that_somebody_has_not_in_time_is_said(ada: Person, bob: Person) -> None:
    bob.node.freeze()
    try:
        late = ada.does("send", "tea", "are you there?", "--wait", "1", status=1)
    finally:
        bob.node.thaw()
    assert "not everyone has it yet: Bob (waiting" in late.stderr
    ada.does("join", "alone")
    assert "nobody else" in ada.does("send", "alone", "hello?", "--wait", "1", status=1).stderr


def test_a_program_that_is_started_anew_is_followed(machine: Namespace, tmp_path: Path) -> None:
    """Nothing is missed, and nothing comes twice."""
    with Node(machine, tmp_path / "carol.db", username="Carol", interfaces=["lo"]) as node:
        carol = Person(machine, node)
        node.join("diary")
        node.send("diary", "old")
        with carol.starts("tail", "diary", "--json", "--lines", "1") as tail:
            assert json.loads(commands.line(tail))["content"] == "old"
            node.send("diary", "before")
            assert json.loads(commands.line(tail))["content"] == "before"
            node.kill()
            assert tail.stderr
            assert b"ended; waiting" in tail.stderr.readline()
            refused = carol.does("send", "diary", "meanwhile", status=3)
            assert "no CryptoChat is running" in refused.stderr
            node.start()
            node.send("diary", "at once")
            assert json.loads(commands.line(tail))["content"] == "at once"
            node.send("diary", "later")
            assert json.loads(commands.line(tail))["content"] == "later"
            tail.send_signal(signal.SIGTERM)
            assert tail.wait(5) == 0


# People and rooms


def test_who_may_be_several_is_nobody(ada: Person, bob: Person) -> None:
    uuid = bob.node.uuid
    assert "nobody" in ada.does("verify", "Dora", status=1).stderr
    assert "nobody" in ada.does("verify", uuid[:7], status=1).stderr  # too short to mean anybody
    assert "Nobody waits" in ada.does("verify").stdout
    assert "verify WHO" in ada.does("verify", "--withdraw", status=2).stderr


def test_a_script_says_the_fingerprint_that_it_has_compared(ada: Person, bob: Person) -> None:
    right = bob.node.fingerprint_sha256
    ada.does("verify", "Bob", "--withdraw")
    assert ada.node.status(bob.node.uuid) == "unverified"
    wrong = ada.does("verify", "Bob", "--fingerprint", "0" * 64, status=1)
    assert "not the one stored" in wrong.stderr
    assert ada.node.status(bob.node.uuid) == "unverified"
    spaced = ":".join(right[i : i + 2] for i in range(0, 64, 2)).upper()
    ada.does("verify", bob.node.uuid[:8].upper(), "--fingerprint", spaced)
    assert ada.node.status(bob.node.uuid) == "verified"


def test_a_room_can_have_any_name(ada: Person) -> None:
    for name in ("..", "-a/b?c#d%20 cafe\u0301"):
        ada.does("join", "--", name)
        ada.does("send", "--", name, "-y")
        assert ada.does("tail", "--no-follow", "--json", "--", name).stdout.count("\n") == 1
        ada.does("leave", "--", name)
        assert "nothing to send" in ada.does("send", "--", name, status=1).stderr
    assert "1 to 100 bytes" in ada.does("join", "x" * 101, status=1).stderr


# The page


def test_the_page_is_opened_by_a_code_of_one_use(ada: Person, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > "{tmp_path / "opened"}"\n')
    browser.chmod(0o700)
    nothing_else = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    with ada.starts("open", only={"BROWSER": str(browser), **nothing_else}) as program:
        said, _ = program.communicate(timeout=15)
    assert (program.returncode, said) == (0, b"")
    redirect = Path((tmp_path / "opened").read_text().removeprefix("file://"))
    with ada.starts("open", only={"BROWSER": "none", **nothing_else}) as program:
        said, _ = program.communicate(timeout=15)
    assert program.returncode == 0
    assert not redirect.exists()  # the code before this one has ended
    redirect = Path(said.decode().strip().rpartition(" ")[2])
    code = re.search(r"#open=([\w-]+)", redirect.read_text())
    assert code
    assert ada.node.post("/api/session", {"code": code[1]}) == {"token": ada.node.token}
    assert not redirect.exists()


# What scripts rely on


def test_who_has_read_enough_ends_it_and_what_cannot_be_written_is_said(ada: Person) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with ada.starts("users", stdout=writer) as program:
        _, errors = program.communicate(timeout=15)
    os.close(writer)
    assert (program.returncode, errors) == (0, b"")
    with open("/dev/full", "wb") as full, ada.starts("users", stdout=full) as program:
        _, errors = program.communicate(timeout=15)
    assert program.returncode == 1
    assert b"stdout cannot be written" in errors


def test_tail_ends_when_nobody_reads_it_any_more_though_nothing_more_is_said(ada: Person) -> None:
    with ada.starts("tail", "tea", "--lines", "1") as tail:
        assert commands.line(tail)
        assert tail.stdout
        tail.stdout.close()
        try:
            assert tail.wait(5) == 0
        finally:
            tail.kill()


def test_tail_says_that_nobody_is_in_a_room_of_that_name(ada: Person) -> None:
    result = ada.does("tail", "--no-follow", "nowhere")
    assert result.stdout == ""
    assert "in a room of that name (nowhere)" in result.stderr
    assert ada.does("tail", "--no-follow", "tea").stderr == ""


def test_a_command_without_stdin_reads_from_nothing_else(ada: Person) -> None:
    """Its number is given to what the program opens next, which never ends."""
    closed = ["sh", "-c", 'exec "$@" <&-', "-", *commands.words(ada.node.database, "send", "tea")]
    result = ada.machine.run(closed, check=False)
    assert (result.returncode, result.stdout) == (1, "")
    assert "nothing to send" in result.stderr


def test_where_no_program_runs_each_command_says_so(machine: Namespace, tmp_path: Path) -> None:
    needs = {"send": ["tea", "x"], "tail": ["tea"], "join": ["tea"], "leave": ["tea"]}
    for command in ([name, *needs.get(name, [])] for name in COMMANDS):
        result = commands.run(machine, tmp_path / "none.db", *command)
        assert (result.returncode, result.stdout) == (3, "")
        assert "no CryptoChat is running" in result.stderr
        assert result.stderr.count("\n") == 1
        assert "start one" in result.stderr


EXAMPLES = {
    "join": (0, ""),
    "send": (0, ""),
    "tail": (0, '"content": "building'),
    "rooms": (0, '"name": "tea"'),
    "users": (0, '"username": "Ada"'),
    "verify": (1, "nothing was typed"),
    "code": (0, "cryptochat:"),
    "add": (0, "Not found yet: 192.0.2.7:4242"),
    "open": (0, ""),
    "doctor": (1, "What anybody on this network can read now"),
    "leave": (0, ""),
}
"""How each ends for Bob, and what it says, in an order in which he may try them."""


def test_the_examples_in_the_help_work_as_they_stand(ada: Person, bob: Person, tmp_path: Path) -> None:
    """`cryptochat` is the program with Bob's database, and nobody is at the keyboard.

    `make` is slow, and what it has written is sent before it ends.
    """
    assert set(EXAMPLES) == set(COMMANDS)
    for room in ("tea", "build"):
        bob.does("join", room)
    bob.node.send("tea", "building ...")
    go = tmp_path / "go"
    os.mkfifo(go)
    (tmp_path / "Makefile").write_text(f"all:\n\t@echo one; read x < {go}; echo two >&2\n")
    (tmp_path / "cryptochat").write_text(
        f"#!/bin/sh\nname=$1; shift\nexec {shlex.quote(sys.executable)} {PROGRAM} $name"
        f' --db {shlex.quote(str(bob.node.database))} "$@"\n'
    )
    (tmp_path / "cryptochat").chmod(0o700)
    for name, (status, says) in EXAMPLES.items():
        example = (COMMANDS[name][0]().epilog or "").removeprefix("Example: ")
        assert f"cryptochat {name}" in example
        folder = ["env", "-C", str(tmp_path), f"PATH={tmp_path}:{os.environ['PATH']}", "BROWSER=true"]
        with bob.machine.popen(
            [*folder, "sh", "-c", f"exec {example}" if name == "tail" else example],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as program:
            said = ""
            if name == "tail":
                while says not in said:
                    said += commands.line(program)
                program.send_signal(signal.SIGINT)
            if name == "send":
                wait_until(lambda: bob.said("build") == ["one"], 15, "make is still running")
                go.write_text("\n")
            said += program.communicate(timeout=30)[0].decode()
        assert program.returncode == status, (name, said)
        assert says in said, name
    assert bob.said("build") == ["one", "two"]
    bob.does("join", "tea")
    bob.does("add", "--remove", "1")

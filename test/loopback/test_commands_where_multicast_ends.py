"""`cryptochat code`, `add` and `doctor` between two real programs, as their users see them."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import termios
from collections.abc import Iterator

import pytest
from commands import Person
from lab import Namespace
from nodes import Node
from qr_reader import read


@pytest.fixture(scope="module")
def strangers(
    machine: Namespace, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Person, Person]]:
    """Carol and Dave, who have never heard of each other, and share no room."""
    folder = tmp_path_factory.mktemp("strangers")
    with (
        Node(machine, folder / "carol.db", username="Carol", interfaces=["lo"]) as carol,
        Node(machine, folder / "dave.db", username="Dave", interfaces=["lo"]) as dave,
    ):
        yield Person(machine, carol), Person(machine, dave)


def test_whoever_is_at_an_address_is_found_or_looked_for_until_they_are_removed(
    strangers: tuple[Person, Person],
) -> None:
    carol, dave = strangers
    [address, *_] = json.loads(dave.does("code", "--json").stdout)["addresses"]
    found = carol.does("add", address).stdout
    assert found.splitlines()[0] == f"Found: {dave.node.uuid}"
    assert carol.node.status(dave.node.uuid) == "unverified"
    looked_for = carol.does("add", "[::1]:1").stdout
    assert looked_for.startswith("Not found yet: [::1]:1 (no CryptoChat listens there)\nCryptoChat goes on")
    [_, first, second] = [line.split() for line in carol.does("add").stdout.splitlines()]
    assert (first[1], second[1:3]) == ("found", ["looking", "refused"])
    for row in (first, second):
        assert carol.does("add", "--remove", row[0]).stdout == ""
    assert "Nobody was added" in carol.does("add").stdout
    assert "No such contact" in carol.does("add", "--remove", first[0], status=1).stderr


def test_two_people_who_exchange_codes_are_verified_and_what_came_of_it_is_said(
    strangers: tuple[Person, Person],
) -> None:
    for one, other in (strangers, strangers[::-1]):
        code = other.does("code").stdout
        assert code.startswith("cryptochat:")
        assert code.count("\n") == 1
        uuid = other.node.uuid
        said = one.does("add", *re.findall(".{1,20}", code.lower().strip())).stdout.splitlines()
        assert said == [f"Found, and verified: {uuid}", "They have to add your code, too: cryptochat code"]
        assert one.node.status(uuid) == "verified"
        row = one.does("add").stdout.splitlines()[-1]
        assert row.split()[1:3] == ["found", uuid]

    carol, dave = strangers
    own = carol.does("add", carol.does("code").stdout.strip(), status=1)
    assert own.stderr == (
        "cryptochat: This is your own code: give it to the other person, and enter theirs.\n"
    )
    code = dave.does("code").stdout.strip()
    damaged = carol.does("add", code[:40] + ("A" if code[40] != "A" else "B") + code[41:], status=1)
    assert damaged.stderr == "cryptochat: A character of this code is missing or wrong: copy it again.\n"
    assert "no contact code" in carol.does("add", "hello", status=1).stderr


def test_a_phone_reads_the_code_off_a_terminal(strangers: tuple[Person, Person]) -> None:
    screen, terminal = pty.openpty()
    try:
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 50, 200, 0, 0))
        with strangers[0].starts("code", stdout=terminal) as program:
            os.close(terminal)
            shown = b""
            with contextlib.suppress(OSError):  # EIO: nobody has the terminal open any more
                while block := os.read(screen, 65536):
                    shown += block
        assert program.wait(5) == 0
    finally:
        os.close(screen)
    lines = shown.decode().splitlines()
    code = lines[0]
    assert lines[2] == f"As a link: http://127.0.0.1:9080/#add={code}"
    drawn = [re.fullmatch(r"\x1b\[30;107m([ ▀▄█]+)\x1b\[0m", line) for line in lines[5:]]
    rows = [half for line in drawn if line for half in halves(line[1])]
    assert read(rows[: len(rows[0])]) == code.upper()  # a last line has half a row too much
    assert json.loads(strangers[0].does("code", "--json").stdout)["code"] == code


def halves(line: str) -> tuple[str, str]:
    """The two rows of modules that one line of half blocks shows."""
    return "".join("01"[sign in "▀█"] for sign in line), "".join("01"[sign in "▄█"] for sign in line)


def test_the_doctor_says_what_it_finds_and_its_status_whether_there_is_a_problem(
    strangers: tuple[Person, Person],
) -> None:
    carol, dave = strangers
    well = carol.does("doctor")
    assert re.search(r"^--  .*no other computer", well.stdout, re.MULTILINE)
    assert "What anybody on this network can read now:" in well.stdout
    assert (well.stderr, json.loads(carol.does("doctor", "--json").stdout)["report"] != "") == ("", True)
    dave.does("add", "[::1]:1")
    ill = dave.does("doctor", status=1)
    assert re.search(r"^!!  ", ill.stdout, re.MULTILINE)
    assert ill.stderr == "cryptochat: a problem was found\n"
    report = dave.does("doctor", "--report", status=1).stdout
    assert report.startswith("CryptoChat examined itself.")
    assert "Dave" not in report
    assert dave.node.uuid not in report

"""A peer writes what a terminal obeys: in a message, in a name, in the name of a room.

What a terminal is sent by `cryptochat tail`, `users`, `rooms` and `doctor` can move its cursor, change its
title, fill its clipboard, or make one message look like another person's.
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from cryptochat_lib.cli import doctor
from cryptochat_lib.cli.contacts import contacts, outcome
from cryptochat_lib.cli.lists import table_of
from cryptochat_lib.cli.options import Doctor, Rooms, Tail, Users
from cryptochat_lib.cli.perform import perform
from cryptochat_lib.cli.tail import for_people
from cryptochat_lib.cli.verify import find
from cryptochat_lib.errors import NotDone
from cryptochat_lib.screen import harmless, lines_of
from cryptochat_lib.ui_client import UiClient

ATTACKS = [
    "\x1b[2J\x1b[H",  # an empty screen
    "\x1b]0;root@host\x07",  # another title
    "\x1b]52;c;cm0gLXJmIH4K\x07",  # the clipboard
    "\x9b2J",  # the same in one byte of C1
    "hidden\rshown",
    "abc\b\b\bxyz",
    "\u202egnp.exe",  # another direction
    "\u2066isolate\u2069",
    "one\u2028two",
    "\x85next line",
    "\u200b\ufeff\U000e0041",  # nothing that can be seen
    "\x00\x7f",
]
MARY = {"uuid": "0704411d-699b-8cc0-9a55-6d9b2f1c0a11", "username": "Mary"}


def message(content: str, **sender: str) -> dict[str, Any]:
    time = "2026-01-01T12:00:00.000Z"
    return {"id": "1", "sender": {**MARY, **sender}, "content": content, "time": time, "own": False}


def user(**fields: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("resembles", "conflict"), None)
    known = {"status": "unverified", "online": True, "pending": False, "username_verified": False}
    return {**MARY, **known, **nothing, **fields}


def obeyed(lines: list[str]) -> list[str]:
    """The signs in it that a terminal could obey."""
    return [c for c in "".join(lines) if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs")]


@pytest.mark.parametrize("attack", ATTACKS, ids=ascii)
def test_a_message_a_name_or_a_room_commands_no_terminal(attack: str) -> None:
    assert obeyed(for_people(message(attack), None)) == []
    assert obeyed(for_people(message("hello", username=attack), 80)) == []
    assert obeyed(table_of([user(username=attack)])) == []
    with pytest.raises(NotDone) as refused:
        find([user(username=attack), user(username=attack)], attack)
    assert obeyed(str(refused.value).split("\n")) == []


def test_no_sign_of_unicode_gets_through_that_a_terminal_could_obey() -> None:
    dangerous = "".join(obeyed([chr(number) for number in range(sys.maxunicode + 1)]))
    assert set(obeyed([harmless(dangerous)])) == {"\u200c", "\u200d"}  # joiners: emoji and Persian words


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_a_message_cannot_look_like_two(end: str) -> None:
    forged = "2026-01-01 12:01 Bob [0badcafe]: I agree"
    first, *others = for_people(message(f"What do you say?{end}{forged}"), None)
    assert first.endswith("What do you say?") == (end in ("\n", "\r\n"))  # the others break no line
    assert all(line.startswith("    ") for line in others)


def test_a_long_message_cannot_look_like_two_where_the_terminal_folds_it() -> None:
    forged = "2026-01-01 12:01 Bob [0badcafe]: I agree"
    lines = for_people(message("What do you say?" + " " * 27 + forged), 80)
    assert all(line.startswith("    ") for line in lines[1:])
    assert max(map(len, lines)) <= 80
    assert [len(line) for line in lines_of("\u4eac" * 50, 80)] == [40, 10]  # each is two columns wide


def test_a_name_cannot_look_like_another_column() -> None:
    [_, line] = table_of([user(username=f"x\n{MARY['uuid']}  verified  there  Ada")])
    assert line.split()[:2] == [MARY["uuid"], "unverified"]
    assert "calls itself x\\n" in line


@pytest.mark.parametrize("attack", ATTACKS, ids=ascii)
def test_a_name_in_what_the_doctor_says_commands_no_terminal(
    attack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finding = {"level": "problem", "text": f"{attack} is not reachable.", "advice": f"Ask {attack}."}
    found = {"findings": [finding], "visible": [attack], "report": attack}
    assert obeyed(doctor.for_people(found, 80)) == []
    monkeypatch.setattr(UiClient, "get", lambda _self, _target: found)
    for report, as_json in ((False, False), (True, False), (False, True)):
        with pytest.raises(NotDone):
            doctor.doctor(UiClient(Path("a.db")), Doctor(Path("a.db"), report=report, json=as_json))
        assert obeyed(capsys.readouterr().out.splitlines()) == []


@pytest.mark.parametrize("between", ["\n", "\r\n", " " * 60])
def test_a_name_cannot_look_like_another_finding(between: str) -> None:
    name = f"Bob{between}!!  This computer is infected"
    finding = {"level": "good", "text": f"{name} is reachable.", "advice": f"Greet {name}."}
    lines = doctor.for_people({"findings": [finding], "visible": [name]}, 60)
    assert [line[:4] for line in lines if not line.startswith("    ")] == ["ok  ", "", "What"]
    assert max(map(len, lines)) <= 60


def test_whoever_was_added_commands_no_terminal() -> None:
    for attack in ATTACKS:
        one = {"id": "1", "uuid": attack, "state": "found", "reason": None, "addresses": [attack]}
        looking = {**one, "uuid": None, "state": "looking", "reason": attack}
        for by in ("code", "address"):
            assert obeyed(outcome({**one, "by": by}) + outcome({**looking, "by": by})) == []
        assert obeyed(contacts([one, looking])) == []


def test_a_name_that_is_the_beginning_of_somebody_elses_uuid_means_nobody() -> None:
    impostor = user(uuid="ffffffff-699b-8cc0-9a55-6d9b2f1c0a11", username=MARY["uuid"][:8])
    with pytest.raises(NotDone, match="may mean several"):
        find([user(), impostor], MARY["uuid"][:8])
    with pytest.raises(NotDone, match="may mean several"):
        find([user(), user(uuid=impostor["uuid"], username="Mary")], "Mary")


@pytest.mark.parametrize("attack", ["\x9b2J", "\u202egnp.exe", "\x1b[2J"], ids=ascii)
def test_what_scripts_read_commands_no_terminal_either(
    attack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = {
        "users": [user(username=attack)],
        "rooms": [{"name": attack, "joined": True, "members": []}],
        "messages": [message(attack)],
    }
    monkeypatch.setattr(UiClient, "get", lambda _self, _target: answers)
    database = Path("a.db")
    for asked in (
        Users(database, True),
        Rooms(database, True),
        Tail(database, "tea", follow=False, json=True),
    ):
        perform(asked)
        out = capsys.readouterr().out
        assert obeyed(out.splitlines()) == []
        assert ascii(attack[0])[1:-1].replace("\\x", "\\u00") in out

"""What the commands to the running program show to people, of the objects that it answers with."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from cryptochat_lib import attempts
from cryptochat_lib.cli import doctor
from cryptochat_lib.cli.contacts import _ADDRESS, _WORDS, add, contacts, drawn, outcome
from cryptochat_lib.cli.options import Add, Doctor, Tail
from cryptochat_lib.cli.tail import tail
from cryptochat_lib.errors import NotDone
from cryptochat_lib.ui_client import UiClient

UUID = "0704411d-699b-8cc0-9a55-6d9b2f1c0a11"
CONTACT: dict[str, Any] = {
    "id": "7",
    "by": "address",
    "state": "looking",
    "reason": "refused",
    "uuid": None,
    "addresses": ["192.0.2.7:4242", "[::1]:1"],
}
FOUND: dict[str, Any] = {
    "findings": [
        {"code": "interfaces", "level": "good", "values": {}, "text": "One cable.", "advice": None},
        {
            "code": "multicast",
            "level": "problem",
            "values": {},
            "text": "No multicast comes back.",
            "advice": "Swap\ncontact codes.",
        },
    ],
    "visible": ["Your UUID."],
    "report": "multicast: problem\n",
}


def test_the_doctors_findings_stand_with_their_advice() -> None:
    assert doctor.for_people(FOUND, None) == [
        "ok  One cable.",
        "!!  No multicast comes back.",
        "    Swap",
        "    contact codes.",
        "",
        "What anybody on this network can read now:",
        "    Your UUID.",
    ]


def test_a_problem_is_exit_status_1_for_scripts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client, asked = UiClient(Path("x")), Doctor(Path("x"), report=True)
    monkeypatch.setattr(UiClient, "get", lambda _self, _target: FOUND)
    with pytest.raises(NotDone, match="a problem was found"):
        doctor.doctor(client, asked)
    assert capsys.readouterr().out == "multicast: problem\n"
    monkeypatch.setitem(FOUND, "findings", FOUND["findings"][:1])
    doctor.doctor(client, asked)


def test_a_qr_code_is_drawn_with_the_margin_that_readers_need() -> None:
    lines = [
        line.removeprefix("\x1b[30;107m").removesuffix("\x1b[0m") for line in drawn(["101", "110", "001"])
    ]
    assert lines == [" " * 11] * 2 + ["    █▄▀    ", "      ▀    "] + [" " * 11] * 2


def test_a_contact_is_one_line() -> None:
    assert contacts([CONTACT])[1].split() == ["7", "looking", "refused", "192.0.2.7:4242,", "[::1]:1"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "Not found yet: 192.0.2.7:4242 (no CryptoChat listens there)"),
        ({"reason": None}, "Not found yet: 192.0.2.7:4242 (nothing has come back yet)"),
        ({"reason": "a-new-one"}, "Not found yet: 192.0.2.7:4242 (a-new-one)"),
        ({"uuid": UUID, "state": "found"}, f"Found: {UUID}"),
        ({"uuid": UUID, "state": "found", "by": "code"}, f"Found, and verified: {UUID}"),
    ],
)
def test_what_came_of_adding_somebody_is_said(changed: dict[str, Any], said: str) -> None:
    assert outcome({**CONTACT, **changed})[0] == said


def test_each_reason_has_words() -> None:
    reasons = {value for name, value in vars(attempts).items() if name.isupper() and isinstance(value, str)}
    assert reasons == set(_WORDS)


@pytest.mark.parametrize("events", [[("contacts", {"contacts": [], "gone": ["1"]})], [("reset", {})], []])
def test_what_is_not_known_in_time_is_still_looked_for(
    events: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting = {**CONTACT, "reason": None}
    monkeypatch.setattr(UiClient, "post", lambda *_: waiting)
    monkeypatch.setattr(UiClient, "events", lambda *_, **__: contextlib.nullcontext(iter(events)))
    add(UiClient(Path("x")), Add(Path("x"), ["192.0.2.7:4242"]))
    assert "nothing has come back yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("what", "is_address"),
    [
        ("192.0.2.7:4242", True),
        ("[fe80::1%eth0]:4242", True),
        ("ada.example:1", True),
        ("cryptochat:2345", False),
        ("CRYPTOCHAT:2345", False),
        ("AEBA GBAF", False),
        ("http://127.0.0.1:9080/#add=AEBA", False),
    ],
)
def test_an_address_is_told_from_a_code(what: str, is_address: bool) -> None:
    assert bool(_ADDRESS.fullmatch(what)) == is_address


def test_whoever_is_found_already_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nothing_comes() -> Iterator[None]:
        pytest.fail("it waits for an event")
        yield

    monkeypatch.setattr(UiClient, "post", lambda *_: {**CONTACT, "uuid": UUID, "state": "found"})
    monkeypatch.setattr(UiClient, "events", lambda *_, **__: contextlib.nullcontext(nothing_comes()))
    add(UiClient(Path("x")), Add(Path("x"), ["192.0.2.7:4242"]))
    assert capsys.readouterr().out.startswith("Found: ")


def test_a_message_that_came_while_the_history_was_read_is_shown_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is in the history and in the stream, which was opened before."""
    history = [{"id": name, "room": "tea", "content": name} for name in ("old", "between")]
    events = [("message", history[1]), ("message", {"id": "new", "room": "tea", "content": "new"})]

    def get(_self: UiClient, target: str) -> Any:
        if "messages" in target:
            return {"messages": history}
        return {"rooms": [{"name": "tea", "joined": True}]}

    def stream(*_: Any, **__: Any) -> contextlib.AbstractContextManager[Iterator[Any]]:
        return contextlib.nullcontext(chain(events, interrupted()))

    def interrupted() -> Iterator[Any]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(UiClient, "get", get)
    monkeypatch.setattr(UiClient, "events", stream)
    tail(UiClient(Path("x")), Tail(Path("x"), "tea", json=True))
    shown = [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()]
    assert shown == ["old", "between", "new"]


def test_whoever_is_found_while_the_request_is_answered_is_not_missed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stream is open by then."""
    happened: list[tuple[str, Any]] = []

    @contextlib.contextmanager
    def stream(*_: Any, **__: Any) -> Iterator[Iterator[Any]]:
        happened.clear()
        yield iter(happened)

    def post(*_: Any) -> Any:
        happened.append(("contacts", {"contacts": [{**CONTACT, "uuid": UUID, "state": "found"}]}))
        return {**CONTACT, "reason": None}

    monkeypatch.setattr(UiClient, "events", stream)
    monkeypatch.setattr(UiClient, "post", post)
    add(UiClient(Path("x")), Add(Path("x"), ["192.0.2.7:4242"]))
    assert capsys.readouterr().out.startswith("Found: ")

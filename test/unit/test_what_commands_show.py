"""What the commands to the running program show to people, of the objects that it answers with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cryptochat_lib.cli import doctor
from cryptochat_lib.cli.contacts import _ADDRESS, contacts, drawn
from cryptochat_lib.cli.options import Doctor
from cryptochat_lib.errors import NotDone
from cryptochat_lib.ui_client import UiClient

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
    assert doctor.for_people(FOUND) == [
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
    one = {"state": "looking", "reason": "refused", "uuid": None, "addresses": ["192.0.2.7:4242", "[::1]:1"]}
    assert contacts([one])[1].split() == ["looking", "refused", "192.0.2.7:4242,", "[::1]:1"]


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

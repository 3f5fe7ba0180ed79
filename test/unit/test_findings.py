"""What the doctor finds: each finding appears when something is so, and is gone when it is mended."""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cryptochat_lib import attempts
from cryptochat_lib.diagnosis import Shown, by_number, find, report, visible
from cryptochat_lib.finding import ANSWERED, GOOD, NOTICE, PROBLEM, Examined, Finding, Person, Said
from cryptochat_lib.mdns_health import LinkHealth
from cryptochat_lib.whereabouts import Reach

API = Path(__file__).resolve().parents[2] / "docs" / "API.md"

NOW = 10_000.0
ETH = LinkHealth("eth0", ("10.0.0.5", "fe80::5"), True, True, None, True, NOW - 9, NOW - 9, 12, NOW - 5)
MET = Said(0.2, True, ANSWERED)
BOB = Person("b" * 8, "Bob", Reach.REACHABLE, True, addresses=("10.0.0.6:1",), said=MET, verified=True)
CAROL = Person("c" * 8, "Carol", Reach.SILENT, True, addresses=("10.0.0.7:1",), verified=True)
WELL = Examined((ETH,), True, (BOB,), 2, 4242, now=NOW)
ALONE = replace(WELL, people=())


def with_link(**changes: Any) -> Examined:
    return replace(WELL, links=(replace(ETH, **changes),))


def with_bob(**changes: Any) -> Examined:
    return replace(WELL, people=(replace(BOB, **changes),))


def told(reach_us: str | None = ANSWERED, *, offset: float = 0.0, heard_us: bool = True) -> Said:
    return Said(offset, heard_us, reach_us)


def codes(examined: Examined) -> list[str]:
    return [finding.code for finding in found(examined)]


def found(examined: Examined) -> list[Finding]:
    return find(examined, lambda person: person.name or "somebody")


BAD = {
    "cannot-tell": (PROBLEM, replace(WELL, unknown=("people",))),
    "no-network": (PROBLEM, replace(ALONE, links=(), has_interface=False)),
    "discovery-ended": (PROBLEM, replace(WELL, links=())),
    "loopback-only": (NOTICE, with_link(name="lo", addresses=("127.0.0.1",))),
    "no-router": (NOTICE, with_link(addresses=("169.254.3.4", "fe80::5"))),
    "ipv6-only": (NOTICE, with_link(addresses=("2001:db8::5", "fe80::5"))),
    "no-cable": (NOTICE, with_link(connected=False, open=False)),
    "not-open": (PROBLEM, with_link(open=False, trouble="Address in use")),
    "sending-blocked": (PROBLEM, with_link(error="Operation not permitted", error_number=errno.EPERM)),
    "sending-fails": (PROBLEM, with_link(error="Network is unreachable", error_number=errno.ENETUNREACH)),
    "nothing-returns": (PROBLEM, with_link(returned=None)),
    "multicast-filtered": (PROBLEM, with_bob(announced=False, said=told(heard_us=False))),
    "they-are-not-heard": (NOTICE, with_bob(announced=False)),
    "you-are-not-heard": (NOTICE, with_bob(said=told(heard_us=False))),
    "shut-off": (PROBLEM, with_bob(said=told(attempts.TIMED_OUT))),
    "shut-off-for-some": (
        NOTICE,
        replace(WELL, people=(BOB, replace(BOB, name="Eve", said=told(attempts.TIMED_OUT)))),
    ),
    "they-fail": (NOTICE, with_bob(said=told(attempts.REFUSED))),
    "announced-only": (NOTICE, with_bob(reach=Reach.ANNOUNCED, said=None)),
    "nobody-here": (NOTICE, ALONE),
    "nobody-heard": (NOTICE, replace(ALONE, links=(replace(ETH, heard=0, heard_at=None),))),
    "clock-impossible": (NOTICE, replace(WELL, wall=0.0)),
    "clock-differs": (NOTICE, with_bob(said=told(offset=-90.0))),
    "copied-identity": (PROBLEM, replace(WELL, clone="10.0.0.8:1")),
    **{
        f"peer-{why}": (
            NOTICE if why == attempts.UNDECIDED else PROBLEM,
            replace(WELL, people=(BOB, replace(CAROL, trouble=why))),
        )
        for why in attempts.REASONS
    },
}
"""For each code: its level, and what it is found in; it is not in `WELL`, where that is mended."""


@pytest.mark.parametrize(("code", "level", "examined"), [(code, *rest) for code, rest in BAD.items()])
def test_each_finding_appears_with_advice_and_is_gone_once_it_is_mended(
    code: str, level: str, examined: Examined
) -> None:
    [finding] = [one for one in found(examined) if one.code == code]
    assert finding.level == level
    assert finding.advice
    assert finding.text[0].isupper()
    assert finding.text.endswith(".")
    assert "all-is-well" not in codes(examined)
    assert code not in codes(WELL)


def test_what_is_well_is_said_too_in_one_line_at_first() -> None:
    assert codes(WELL) == ["all-is-well", "announced", "others-heard", "can-be-reached", "reachable"]
    assert all(finding.level == GOOD for finding in found(WELL))
    assert "1 person is reachable: Bob." in [finding.text for finding in found(WELL)]


def test_what_is_well_is_not_said_when_it_is_not_so() -> None:
    assert "announced" not in codes(with_link(announced=False))
    assert "others-heard" not in codes(with_link(heard=0, heard_at=None))
    assert "can-be-reached" not in codes(with_bob(said=told(None)))
    assert "reachable" not in codes(with_bob(reach=Reach.AWAY))


def test_each_code_is_in_its_table_with_its_level_and_no_other() -> None:
    table = API.read_text().partition("| code | level | when |")[2].partition("\n\n")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    written = {(code, row[2].strip()) for row in rows for code in re.findall(r"`([a-z0-9-]+)`", row[1])}
    good = {(code, GOOD) for code in codes(WELL)}
    assert written == good | {(code, level) for code, (level, _) in BAD.items()}


def test_the_worst_is_first() -> None:
    levels = [
        finding.level for finding in found(replace(with_bob(said=told(offset=999)), clone="10.0.0.8:1"))
    ]
    assert levels == sorted(levels, key=[PROBLEM, NOTICE, GOOD].index)


@pytest.mark.parametrize(
    "examined",
    [
        replace(
            WELL, people=(BOB, replace(CAROL, reach=Reach.AWAY, announced=False, trouble=attempts.REFUSED))
        ),
        with_bob(near=False, announced=False, said=told(heard_us=False)),
        with_link(sent=NOW - 0.5, returned=None),
        replace(WELL, links=(ETH, LinkHealth("docker0", ("172.17.0.1",), connected=False))),
    ],
    ids=[
        "somebody has gone home",
        "somebody behind a router is not heard by mDNS",
        "what was said a moment ago has not come back yet",
        "an interface for containers of which there are none",
    ],
)
def test_what_is_normal_is_no_finding(examined: Examined) -> None:
    assert "all-is-well" in codes(examined)


def test_a_place_that_the_user_has_added_is_a_finding_though_nobody_announces_it() -> None:
    added = Person(None, None, added=True, trouble=attempts.REFUSED, addresses=("10.9.9.9:1",))
    [finding] = [one for one in found(replace(WELL, people=(added,))) if one.code == "peer-refused"]
    assert finding.values["peers"] == [{"uuid": None, "addresses": ["10.9.9.9:1"]}]


def test_a_stranger_who_is_announced_and_not_there_is_no_problem() -> None:
    stranger = replace(CAROL, trouble=attempts.REFUSED, verified=False)
    [finding] = [one for one in found(replace(WELL, people=(BOB, stranger))) if one.code == "peer-refused"]
    assert finding.level == NOTICE
    both = replace(WELL, people=(stranger, replace(CAROL, trouble=attempts.REFUSED)))
    assert [one.level for one in found(both) if one.code == "peer-refused"] == [PROBLEM, NOTICE]


def test_who_is_reachable_and_has_not_verified_us_is_said_to_be_so() -> None:
    assert "peer-undecided" in codes(with_bob(announced=False, trouble=attempts.UNDECIDED))


@pytest.mark.parametrize("inside", [(), (LinkHealth("docker0", ("172.17.0.1",), True, True),)])
def test_without_a_cable_nobody_can_reach_us_whatever_they_said(inside: tuple[LinkHealth, ...]) -> None:
    cut = replace(WELL, links=(replace(ETH, connected=False, open=False), *inside))
    assert "no-network" in codes(cut)
    assert not {"can-be-reached", "reachable", "all-is-well"} & set(codes(cut))
    other = replace(ETH, name="wlan0")
    assert "no-network" not in codes(replace(cut, links=(*cut.links, other)))


def test_one_clock_that_is_wrong_among_three_is_not_ours() -> None:
    offsets = (500.0, 0.1, -0.3)
    people = tuple(replace(BOB, name=str(offset), said=told(offset=offset)) for offset in offsets)
    assert "clock-differs" not in codes(replace(WELL, people=people))


def test_many_people_make_one_sentence_that_can_be_read() -> None:
    people = tuple(replace(BOB, name=f"B{number}") for number in range(40))
    texts = [one.text for one in found(replace(WELL, people=people)) if one.code == "reachable"]
    assert texts == ["40 people are reachable: B0, B1, B2, B3, B4 and 35 more."]


def every(examined: Sequence[Examined]) -> list[str]:
    return [report(one, ["CryptoChat 1"]) for one in examined]


def test_no_finding_puts_a_name_an_identifier_or_a_peers_address_into_the_report() -> None:
    for text in every([WELL, ALONE, *(examined for _, examined in BAD.values())]):
        assert not re.search(r"Bob|Carol|Eve|bbbb|cccc|10\.0\.0\.[678]", text), text
        assert "10.0.0.5" in text or "eth0 (" not in text or "169.254" in text or "2001:db8" in text


def test_the_report_numbers_people_and_says_how_each_link_is() -> None:
    text = report(replace(WELL, people=(BOB, replace(CAROL, trouble=attempts.REFUSED))), ["CryptoChat 1"])
    assert "peer 2: nobody listens there." in text
    assert "1 person is reachable: peer 1." in text
    assert "eth0 (10.0.0.5, fe80::5): open, connected, announced, sent 9 seconds ago" in text


def test_people_are_called_by_one_number_each() -> None:
    call = by_number([BOB, CAROL])
    assert (call(BOB), call(CAROL)) == ("peer 1", "peer 2")


SHOWN = Shown("some-uuid", "ab" * 32, "Ada", ("tea", "work"), ("10.0.0.5",), 4242)


def test_what_strangers_see_names_what_they_see() -> None:
    text = "\n".join(visible(SHOWN))
    for seen in ("some-uuid", "“Ada”", "“tea”, “work”", "10.0.0.5", "4242", "abababab", "come and go"):
        assert seen in text


def test_what_strangers_see_says_what_is_left_out() -> None:
    text = "\n".join(visible(replace(SHOWN, name=None, rooms=())))
    assert "Not your name" in text
    assert "in no room" in text

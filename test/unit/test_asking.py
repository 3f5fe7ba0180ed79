"""Asking whether somebody is still there: one question serves all, and somebody does ask it.

Without sockets; silence is borne for 4 s, so a question comes up to 0.1 s after its tick.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Callable, Sequence

from cryptochat_lib.limits import Limits
from cryptochat_lib.mdns_asking import Asking
from cryptochat_lib.model import Announcement, PeerId
from cryptochat_lib.resource_records import Address, Pointer, Record, Service, Text
from cryptochat_lib.sightings import Sightings

LIMITS = Limits(silence_seconds=4)
QUIET, LONGEST_WAIT = 3.2, 0.1
BOB = PeerId("0b5a8a43-7a5a-4c7e-9a43-2d1b2f0c9e11")
EVE = PeerId("7c1e0a52-4a0e-4b5e-8d3f-5f0f4d1c2a22")


class Nobody:
    def seen(self, announcement: Announcement) -> None: ...

    def gone(self, uuid: PeerId) -> None: ...

    def claimed(self, own: PeerId, endpoints: object) -> None: ...

    def moved(self) -> None: ...


class Voice:
    """Keeps what it would have sent."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def ask(self) -> None:
        self.said.append("question")

    def say_everything(self) -> None:
        self.said.append("announcement")

    def ask_about(self, peers: Sequence[tuple[PeerId, str | None]]) -> None:
        self.said += [uuid for uuid, _ in peers]


def packet(uuid: PeerId) -> list[Record]:
    """All that there is to know of a peer."""
    host = f"{uuid}.local."
    address = Address(host, ipaddress.ip_address("10.0.0.7"))
    return [Pointer(uuid), Service(uuid, host, 4000), Text(uuid, b"\x03v=1"), address]


def what_is_said(meanwhile: Callable[[Sightings], None], *others: PeerId) -> tuple[list[str], list[str]]:
    """At the tick in which Bob has been quiet for too long; and until a while after `meanwhile`."""

    async def live() -> tuple[list[str], list[str]]:
        sightings = Sightings(Nobody(), LIMITS)
        voice = Voice()
        asking = Asking("eth0", sightings, LIMITS, voice)
        now = time.monotonic()
        sightings.hear("eth0", packet(BOB), now)
        asking.tick(now)  # somebody is heard again: that is another reason to speak
        voice.said.clear()
        asking._asked_at = float("-inf")
        for uuid in (BOB, *others):
            sightings.hear("eth0", packet(uuid), now - QUIET)
        asking.tick(now)
        at_once = list(voice.said)
        meanwhile(sightings)
        await asyncio.sleep(2 * LONGEST_WAIT)
        asking.close()
        return at_once, voice.said

    return asyncio.run(live())


def test_whoever_asks_says_its_own_too_since_it_will_not_answer() -> None:
    at_once, said = what_is_said(lambda _: None)
    assert at_once == [], "all machines would ask in the same moment"
    assert said == ["question", "announcement"]


def test_nobody_asks_again_what_another_has_just_asked() -> None:
    def the_answer_comes(sightings: Sightings) -> None:
        sightings.hear("eth0", packet(BOB), time.monotonic())

    assert what_is_said(the_answer_comes) == ([], [])


def test_who_alone_was_missed_when_all_answered_is_asked_by_name() -> None:
    def all_but_bob(sightings: Sightings) -> None:
        sightings.hear("eth0", packet(EVE), time.monotonic())

    assert what_is_said(all_but_bob, EVE) == ([], [BOB]), "all would answer once more"

"""The lists of the page, while people come and go."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from certificates import make_certificate, make_uuid

from cryptochat_lib.attempts import REFUSED, TIMED_OUT, UNDECIDED, Attempts
from cryptochat_lib.comparisons import Comparisons
from cryptochat_lib.events import EventLog
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Endpoint, PeerId, RoomName, Trust
from cryptochat_lib.presence import Presence, Whereabouts
from cryptochat_lib.profile import Profile
from cryptochat_lib.questions import Questions
from cryptochat_lib.roster import Roster
from cryptochat_lib.shapes import rfc3339
from cryptochat_lib.store import Store
from cryptochat_lib.whereabouts import Reach

BOB = make_uuid()
TEA = RoomName("tea")
HERE = Whereabouts(BOB, {TEA: "tea"}, (Endpoint("10.0.0.2", 4000),), True, True, False, "Bob", 1)


class BusyDoor:
    """Presence in which Bob arrives, or leaves, between any two looks at it."""

    def __init__(self, here_first: bool) -> None:
        self._looks: Iterator[list[Whereabouts]] = itertools.cycle(
            [[HERE], []] if here_first else [[], [HERE]]
        )

    def all(self) -> list[Whereabouts]:
        return next(self._looks)

    def of(self, uuid: PeerId) -> Whereabouts | None:
        return next((where for where in self.all() if where.uuid == uuid), None)


@pytest.fixture
def make_roster(store: Store, limits: Limits) -> Callable[[bool], tuple[Roster, EventLog]]:
    def make(here_first: bool) -> tuple[Roster, EventLog]:
        events = EventLog(limits)
        events.start(1)
        profile = SimpleNamespace(uuid=make_uuid(), username="Ada", rooms=lambda: [TEA])
        undecided = SimpleNamespace(pending=lambda _uuid: False)
        no_comparisons = SimpleNamespace(of=lambda _uuid: None)
        return (
            Roster(
                cast(Profile, profile),
                store,
                cast(Presence, BusyDoor(here_first)),
                cast(Questions, undecided),
                cast(Comparisons, no_comparisons),
                events,
                Attempts(),
            ),
            events,
        )

    return make


@pytest.mark.parametrize("here_first", [False, True])
def test_a_list_of_rooms_is_of_one_moment(
    make_roster: Callable[[bool], tuple[Roster, EventLog]], here_first: bool
) -> None:
    roster, _ = make_roster(here_first)
    for here in (here_first, not here_first):
        [tea] = roster.rooms()
        assert (BOB in [member["uuid"] for member in tea["members"]]) == here


@pytest.mark.parametrize("here_first", [False, True])
def test_what_is_published_of_users_and_of_rooms_is_of_one_moment(
    make_roster: Callable[[bool], tuple[Roster, EventLog]], here_first: bool
) -> None:
    roster, events = make_roster(here_first)
    before = events.latest
    for _ in range(3):
        roster.publish()
    shown: dict[str, Any] = {"users": False, "rooms": False}
    for event in events.after(before, 0) or []:
        data = json.loads(event.data)
        if event.stream == "users":
            shown["users"] = BOB not in data["gone"]
        else:
            shown["rooms"] = BOB in [m["uuid"] for m in data["rooms"][0]["members"]]
            assert shown["rooms"] == shown["users"]
    assert shown == {"users": here_first, "rooms": here_first}


SEEN = 1_700_000_000_000


def seen_as(
    reach: Reach, *, tried: str | None = "never", seen: int | None = None, key_seen: int | None = None
) -> tuple[str, str | None, str | None]:
    """(reachability, seen, trouble) of Bob, at whose one address a try ended so."""
    where = replace(HERE, reach=reach, seen=seen)
    attempts = Attempts()
    if tried != "never":
        attempts.note(where.endpoints[0], tried)
    key = SimpleNamespace(uuid=BOB, last_seen=key_seen, trust=Trust.VERIFIED, username="Bob")
    key.certificate = make_certificate()
    key.safety_number = "number"
    store = SimpleNamespace(keys=SimpleNamespace(all=lambda: [] if key_seen is None else [key]))
    roster = Roster(
        cast(Profile, SimpleNamespace(uuid=make_uuid(), username="Ada", rooms=list)),
        cast(Store, store),
        cast(Presence, SimpleNamespace(all=lambda: [where])),
        cast(Questions, SimpleNamespace(pending=lambda _uuid: False)),
        cast(Comparisons, SimpleNamespace(of=lambda _uuid: None)),
        EventLog(Limits()),
        attempts,
    )
    [user] = roster.users()
    return user["reachability"], user["seen"], user["trouble"]


def test_who_was_reached_lately_has_neither_a_last_time_nor_a_trouble() -> None:
    found = seen_as(Reach.REACHABLE, tried=TIMED_OUT, seen=SEEN, key_seen=SEEN)
    assert found == ("reachable", None, None)


def test_who_is_only_announced_is_said_to_be_no_more_than_that() -> None:
    assert seen_as(Reach.ANNOUNCED) == ("announced", None, None)
    assert seen_as(Reach.ANNOUNCED, tried=None) == ("announced", None, None)


def test_who_is_announced_and_does_not_answer_is_silent_and_says_why() -> None:
    assert seen_as(Reach.ANNOUNCED, tried=REFUSED) == ("silent", None, REFUSED)
    assert seen_as(Reach.SILENT, tried=TIMED_OUT) == ("silent", None, TIMED_OUT)


def test_who_has_not_verified_us_yet_is_not_silent() -> None:
    assert seen_as(Reach.ANNOUNCED, tried=UNDECIDED) == ("announced", None, UNDECIDED)


def test_who_is_away_was_last_seen_in_this_run_or_else_in_an_earlier_one() -> None:
    assert seen_as(Reach.AWAY, seen=SEEN, key_seen=5) == ("away", rfc3339(SEEN), None)
    assert seen_as(Reach.AWAY, key_seen=SEEN) == ("away", rfc3339(SEEN), None)
    assert seen_as(Reach.AWAY, tried=REFUSED) == ("away", None, REFUSED)


def test_a_failure_that_repeats_itself_is_published_once(
    make_roster: Callable[[bool], tuple[Roster, EventLog]],
) -> None:
    roster, events = make_roster(True)
    where = replace(HERE, reach=Reach.SILENT, seen=SEEN)
    roster._presence = cast(Presence, SimpleNamespace(all=lambda: [where]))
    roster.publish()
    before = events.latest
    for _ in range(3):
        roster._attempts.note(where.endpoints[0], REFUSED)
        roster.publish()
    assert [event.stream for event in events.after(before, 0) or []] == ["users"]


def test_a_name_like_that_of_somebody_verified_or_our_own_is_marked(
    make_roster: Callable[[bool], tuple[Roster, EventLog]], store: Store
) -> None:
    roster, _ = make_roster(True)
    people = {
        name: make_certificate()
        for name in ("Bob", "B0b", "bob", "\u0410da", "Carol", "\u0421arol", "nobody")
    }
    friends = ("Bob", "bob", "Carol")
    for certificate in people.values():
        store.keys.add(certificate, "", None, 1)
    keys = {name: store.keys.find(certificate) for name, certificate in people.items()}
    store.keys.set_trust([(keys[name], Trust.VERIFIED, "number", False) for name in friends])  # type: ignore[misc]
    around = [
        Whereabouts(certificate.uuid, {}, (), True, True, False, name, 1)
        for name, certificate in people.items()
    ]
    roster._presence = cast(Presence, SimpleNamespace(all=lambda: around))
    uuid_of = {name: certificate.uuid for name, certificate in people.items()}
    resembles = {user["username"]: user["resembles"] for user in roster.users()}
    assert resembles == {
        "Bob": uuid_of["bob"],
        "bob": uuid_of["Bob"],
        "B0b": min(uuid_of["Bob"], uuid_of["bob"]),
        "\u0410da": roster._profile.uuid,
        "Carol": None,
        "\u0421arol": uuid_of["Carol"],
        "nobody": None,
    }

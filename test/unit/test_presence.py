"""What anybody on the LAN can say about anybody, and how far it is believed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from cryptochat_lib import presence as presence_module
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Announcement, Endpoint, PeerId, RoomName
from cryptochat_lib.presence import Presence, Whereabouts

BOB = PeerId("00000000-0000-4000-8000-00000000000b")
TEA, COFFEE = RoomName("tea"), RoomName("coffee")
HOME, MOVED, EVIL = Endpoint("10.0.0.2", 4000), Endpoint("10.0.0.3", 4001), Endpoint("10.6.6.6", 666)

NOW = float("inf")  # when a try begins after all that was heard


def announced(
    *endpoints: Endpoint,
    rooms: tuple[RoomName, ...] = (TEA,),
    name: str | None = "Bob",
    uuid: PeerId = BOB,
    version: int = 1,
) -> Announcement:
    return Announcement(uuid, endpoints or (HOME,), {room: str(room) for room in rooms}, name, version)


def stranger(n: int) -> PeerId:
    return PeerId(f"00000000-0000-4000-8000-{n:012}")


@pytest.fixture
def presence() -> Presence:
    return Presence(Limits(announced_peers=4))


@pytest.fixture
def friend(presence: Presence) -> Callable[[], Whereabouts]:
    """Bob is announced in tea, verified, and has answered at HOME."""
    presence.seen(announced())
    presence.pin(BOB, {}, None)
    presence.reached(BOB, HOME)
    return lambda: bob(presence)


def bob(presence: Presence) -> Whereabouts:
    found = presence.of(BOB)
    assert found is not None
    return found


# The attacks


def test_a_forged_goodbye_makes_a_peer_away_but_takes_it_out_of_no_room(
    presence: Presence, friend: Callable[[], Whereabouts]
) -> None:
    presence.gone(BOB)
    assert not friend().online
    assert friend().rooms == {TEA: "tea"}
    assert friend().endpoints == (HOME,)


def test_a_forged_goodbye_is_undone_when_the_key_answers(
    presence: Presence, friend: Callable[[], Whereabouts]
) -> None:
    presence.gone(BOB)
    presence.reached(BOB, HOME)
    assert friend().online


def test_a_forged_txt_without_the_room_takes_a_verified_peer_out_of_no_room(
    presence: Presence, friend: Callable[[], Whereabouts]
) -> None:
    presence.seen(announced(EVIL, rooms=()))
    assert TEA in friend().rooms


def test_a_forged_txt_is_not_believed_of_a_verified_peer_that_has_not_answered_yet(
    presence: Presence,
) -> None:
    presence.seen(announced())
    presence.pin(BOB, {}, None)
    presence.seen(announced(EVIL, rooms=()))
    assert TEA in bob(presence).rooms


def test_a_forged_txt_with_the_right_address_and_another_port_is_not_believed(
    presence: Presence, friend: Callable[[], Whereabouts]
) -> None:
    presence.seen(announced(Endpoint(HOME.host, HOME.port + 1), rooms=()))
    assert TEA in friend().rooms


def test_leaving_is_believed_from_where_the_pinned_key_last_answered(
    presence: Presence, friend: Callable[[], Whereabouts]
) -> None:
    presence.seen(announced(HOME, rooms=(COFFEE,)))
    assert friend().rooms == {COFFEE: "coffee"}


def test_after_a_move_the_rooms_are_settled_when_the_key_answers_there(
    presence: Presence, friend: Callable[[], Whereabouts]
) -> None:
    presence.seen(announced(MOVED, rooms=(COFFEE,)))
    assert set(friend().rooms) == {TEA, COFFEE}
    presence.wait(0)
    presence.reached(BOB, MOVED)
    assert set(friend().rooms) == {COFFEE}
    assert presence.wait(0) == {BOB}  # so that the page and the table of members follow
    presence.reached(BOB, MOVED)
    assert presence.wait(0) == set()


def test_a_forged_txt_may_add_a_room_which_costs_one_refused_message(
    presence: Presence, friend: Callable[[], Whereabouts]
) -> None:
    presence.seen(announced(EVIL, rooms=(COFFEE,)))
    assert set(friend().rooms) == {TEA, COFFEE}


def test_a_forged_address_is_tried_after_the_one_that_worked(
    presence: Presence, friend: Callable[[], Whereabouts]
) -> None:
    presence.seen(announced(EVIL))
    assert friend().endpoints == (HOME, EVIL)


def test_a_forged_address_does_not_make_its_host_a_friends(
    presence: Presence, friend: Callable[[], Whereabouts]
) -> None:
    presence.seen(announced(EVIL))
    assert presence.is_pinned_at(HOME.host)
    assert not presence.is_pinned_at(EVIL.host)


def test_a_key_that_is_not_pinned_settles_nothing(presence: Presence) -> None:
    presence.seen(announced())
    presence.reached(BOB, EVIL)
    assert bob(presence).endpoints == (HOME,)
    assert not presence.is_pinned_at(EVIL.host)


def test_a_flood_of_strangers_never_drives_out_a_friend(presence: Presence) -> None:
    presence.pin(BOB, {TEA: "tea"}, HOME)
    for n in range(50):
        presence.seen(announced(uuid=stranger(n)))
    assert len(presence.all()) == 4
    assert TEA in bob(presence).rooms


def test_in_a_flood_the_longest_unheard_stranger_makes_way(
    presence: Presence, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(100))
    monkeypatch.setattr(presence_module, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    for n in range(4):
        presence.seen(announced(uuid=stranger(n)))
    presence.seen(announced(uuid=stranger(0)))
    presence.seen(announced(uuid=stranger(4)))
    assert [where.uuid for where in presence.all()] == [stranger(n) for n in (0, 2, 3, 4)]


def test_in_a_flood_who_is_announced_no_more_makes_way_first(presence: Presence) -> None:
    """Discovery drops a flood, but not who was here before: no more does it go from here."""
    presence.seen(announced())
    for n in range(20):
        presence.seen(announced(uuid=stranger(n)))
        presence.gone(stranger(n))
    assert presence.of(BOB) is not None
    assert bob(presence).announced


def test_friends_always_have_a_place_and_then_strangers_have_none(presence: Presence) -> None:
    for n in range(6):
        presence.pin(stranger(n), {}, None)
    presence.seen(announced())
    presence.reached(BOB, HOME)
    assert len(presence.all()) == 6
    assert presence.of(BOB) is None


# What is true


def test_an_unverified_peer_is_as_it_last_announced(presence: Presence) -> None:
    presence.seen(announced())
    presence.seen(announced(MOVED, rooms=(COFFEE,), name="Bobby", version=0))
    where = bob(presence)
    assert (where.rooms, where.endpoints, where.name, where.version) == (
        {COFFEE: "coffee"},
        (MOVED,),
        "Bobby",
        0,
    )


def test_the_form_that_a_peer_announced_is_kept_beside_the_rooms_key(presence: Presence) -> None:
    presence.seen(Announcement(BOB, (HOME,), {RoomName("caf\u00e9"): "cafe\u0301"}))
    assert bob(presence).rooms == {"caf\u00e9": "cafe\u0301"}


def test_who_is_away_is_still_a_member(presence: Presence) -> None:
    presence.seen(announced())
    presence.failed(BOB, NOW)
    assert [(w.uuid, w.online) for w in presence.in_room(TEA)] == [(BOB, False)]
    assert presence.in_room(COFFEE) == []


def test_a_friend_of_an_earlier_run_is_away_and_a_member(presence: Presence) -> None:
    presence.pin(BOB, {TEA: "tea"}, HOME)
    where = bob(presence)
    assert (where.rooms, where.endpoints, where.online, where.announced) == (
        {TEA: "tea"},
        (HOME,),
        False,
        False,
    )


def test_pinning_again_forgets_neither_rooms_nor_the_last_answer(
    presence: Presence, friend: Callable[[], Whereabouts]
) -> None:
    presence.pin(BOB, {COFFEE: "coffee"}, MOVED)
    assert set(friend().rooms) == {TEA, COFFEE}
    assert friend().endpoints == (HOME,)


def test_unpinning_forgets_where_the_key_answered(
    presence: Presence, friend: Callable[[], Whereabouts]
) -> None:
    presence.seen(announced(MOVED))
    presence.unpin(BOB)
    assert friend().endpoints == (MOVED,)
    assert not presence.is_pinned_at(HOME.host)


def test_who_is_announced_at_an_address_is_found_until_the_goodbye(presence: Presence) -> None:
    presence.seen(announced(HOME, MOVED))
    assert [w.uuid for w in presence.expected_at(MOVED.host) if w.announced] == [BOB]
    presence.gone(BOB)
    assert not any(w.announced for w in presence.expected_at(MOVED.host))


def test_who_is_announced_cannot_be_forgotten_and_who_is_not_can(presence: Presence) -> None:
    presence.seen(announced())
    presence.forget(BOB)
    assert presence.of(BOB)
    presence.gone(BOB)
    presence.forget(BOB)
    assert presence.of(BOB) is None


def test_a_knock_makes_online_but_settles_no_address(
    presence: Presence, friend: Callable[[], Whereabouts]
) -> None:
    presence.failed(BOB, NOW)
    presence.reached(BOB, None)
    assert friend().online
    assert friend().endpoints == (HOME,)


def test_changes_are_handed_over_once(presence: Presence) -> None:
    presence.seen(announced())
    presence.touch(stranger(1))
    assert presence.wait(0) == {BOB, stranger(1)}
    assert presence.wait(0) == set()


@pytest.mark.parametrize("change", ["gone", "failed"])
def test_what_changes_nothing_wakes_nobody(presence: Presence, change: str) -> None:
    def happens() -> None:
        if change == "gone":
            presence.gone(BOB)
        else:
            presence.failed(BOB, NOW)

    happens()
    presence.seen(announced())
    happens()
    presence.wait(0)
    happens()
    assert presence.wait(0) == set()


def test_closing_releases_who_waits(presence: Presence) -> None:
    found: list[object] = []
    waiter = threading.Thread(target=lambda: found.append(presence.wait(60)))
    waiter.start()
    presence.close()
    waiter.join(10)
    assert found == [None]


# Who says nothing more


def test_who_called_after_its_goodbye_is_away_when_that_call_ends(
    presence: Presence, friend: Callable[[], Whereabouts]
) -> None:
    presence.gone(BOB)
    presence.reached(BOB, None)
    assert friend().online
    presence.hung_up(BOB)
    assert not friend().online


def test_who_is_announced_stays_when_a_call_ends(
    presence: Presence, friend: Callable[[], Whereabouts]
) -> None:
    presence.hung_up(BOB)
    assert friend().online


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(
        presence_module, "time", SimpleNamespace(monotonic=clock.monotonic, time_ns=lambda: 0)
    )
    return clock


def test_who_is_not_announced_and_was_not_heard_for_long_is_away(presence: Presence, clock: Clock) -> None:
    presence.seen(announced())
    presence.pin(BOB, {}, None)
    presence.seen(announced(uuid=stranger(1)))
    presence.gone(BOB)
    presence.reached(BOB, None)
    clock.now += Limits().silence_seconds - 1
    presence.silence()
    assert bob(presence).online
    clock.now += 2
    presence.silence()
    assert [(w.uuid, w.online) for w in presence.all()] == [(stranger(1), True), (BOB, False)]


def test_the_same_words_again_do_not_bring_back_whom_we_have_just_failed_to_reach(
    presence: Presence, clock: Clock
) -> None:
    presence.seen(announced())
    presence.failed(BOB, NOW)
    presence.seen(announced())
    assert not bob(presence).online
    clock.now += Limits().retry_most_seconds + 1
    presence.seen(announced())
    assert bob(presence).online


@pytest.mark.parametrize("shows_up", ["at the same place", "elsewhere", "by a call", "by an answer", "later"])
def test_a_try_that_began_before_somebody_came_back_does_not_send_it_away(
    presence: Presence, friend: Callable[[], Whereabouts], clock: Clock, shows_up: str
) -> None:
    if shows_up != "later":
        presence.gone(BOB)
    presence.failed(BOB, NOW)
    clock.now += Limits().retry_most_seconds + 1 if shows_up == "later" else 1
    began = clock.now
    clock.now += 1
    if shows_up == "by a call":
        presence.reached(BOB, None)
    elif shows_up == "by an answer":
        presence.reached(BOB, HOME)
    else:
        presence.seen(announced(MOVED) if shows_up == "elsewhere" else announced())
    assert friend().online
    presence.wait(0)
    presence.failed(BOB, began)
    assert friend().online
    assert presence.wait(0) == set()
    presence.failed(BOB, clock.now + 1)
    assert not friend().online


def test_the_same_words_while_a_try_is_under_way_are_no_sign_of_somebody_who_is_gone(
    presence: Presence, clock: Clock
) -> None:
    """Anybody's cache, or anybody, can say them."""
    presence.seen(announced())
    began = clock.now + 1
    clock.now += 2
    presence.seen(announced())
    presence.failed(BOB, began)
    assert not bob(presence).online


@pytest.mark.parametrize("comes_back", ["with news", "after a goodbye"])
def test_news_bring_back_whom_we_have_just_failed_to_reach(
    presence: Presence, clock: Clock, comes_back: str
) -> None:
    presence.seen(announced())
    presence.failed(BOB, NOW)
    if comes_back == "with news":
        presence.seen(announced(MOVED))
    else:
        presence.gone(BOB)
        presence.seen(announced())
    assert bob(presence).online

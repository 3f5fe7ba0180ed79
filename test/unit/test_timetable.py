"""Who is greeted when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Endpoint, PeerId
from cryptochat_lib.timetable import NEVER, Timetable
from cryptochat_lib.whereabouts import Reach, Whereabouts

BOB, EVE = PeerId("00000000-0000-8000-8000-00000000000b"), PeerId("00000000-0000-8000-8000-00000000000e")
HOME, MOVED = Endpoint("10.0.0.2", 4000), Endpoint("10.0.0.2", 4001)
THERE = Whereabouts(BOB, {}, (HOME,), True, False, True, "Bob", 1, Reach.REACHABLE, told=True)
HEARD = replace(THERE, announced=True)

Due = Callable[[float], float]
"""In how many seconds Bob is due, seen from then."""


@pytest.fixture
def table() -> Timetable:
    """Bob has just been greeted, at 1000."""
    table = Timetable(Limits())
    table.follow(THERE, 900)
    assert table.first_after(900) <= 901.2
    assert table.begin(902) == BOB
    table.exchanged(BOB, False, False, 1000)
    table.ended(BOB)
    return table


@pytest.fixture
def due(table: Timetable) -> Due:
    return lambda now: table.first_after(now - 0.001) - now


def test_who_was_greeted_is_greeted_again_in_a_minute_or_five_if_mdns_shows_it(
    table: Timetable, due: Due
) -> None:
    assert 48 <= due(1000) <= 77
    table.exchanged(BOB, True, False, 1000, by_us=False)
    assert 240 <= due(1000) <= 365


def test_what_is_due_by_the_clock_is_put_together_into_moments_of_5_seconds(table: Timetable) -> None:
    assert table.first_after(1000) % 5 == 0


def test_who_does_not_answer_is_tried_ever_less_often_up_to_15_minutes(table: Timetable, due: Due) -> None:
    pauses, now = [], 2000.0
    for _ in range(8):
        assert table.begin(now) == BOB
        table.failed(BOB, now)
        table.ended(BOB)
        pauses.append(due(now))
        now += pauses[-1]
    assert 48 <= pauses[0] <= 77
    assert 96 <= pauses[1] <= 149
    assert all(720 <= pause <= 1085 for pause in pauses[4:])
    table.moved(now)
    assert due(now) <= 2.2


def test_a_change_of_ours_is_said_to_whoever_is_there_and_soon(table: Timetable, due: Due) -> None:
    table.change({EVE}, 1010)
    assert due(1010) > 30
    table.change({BOB}, 1010)
    assert due(1010) == pytest.approx(0.2)


def test_an_announcement_that_differs_is_asked_about_and_ever_less_often_if_it_means_nothing(
    table: Timetable, due: Due
) -> None:
    pauses = []
    now = 1010.0
    for _ in range(9):
        table.follow(replace(THERE, doubted=True), now)
        pauses.append(due(now))
        now += pauses[-1] + 0.001
        assert table.begin(now) == BOB
        table.exchanged(BOB, True, True, now, by_us=False)
        table.ended(BOB)
    assert pauses[0] == pytest.approx(0.7)
    assert pauses[1:5] == [pytest.approx(seconds, abs=0.01) for seconds in (10, 20, 40, 80)]
    assert max(pauses) <= 365  # it would have been greeted anyway
    table.exchanged(BOB, True, False, now, by_us=False)  # this time something was behind it
    table.follow(replace(THERE, doubted=True), now)
    assert due(now) == pytest.approx(5, abs=0.01)
    table.exchanged(BOB, True, False, now + 60, by_us=False)
    table.follow(replace(THERE, doubted=True), now + 60)
    assert due(now + 60) == pytest.approx(0.7)


def test_a_goodbye_is_checked_when_an_honest_one_would_be_over(table: Timetable, due: Due) -> None:
    table.follow(HEARD, 1010)
    table.exchanged(BOB, True, False, 1010, by_us=False)
    table.follow(replace(THERE, online=False, reach=Reach.AWAY), 1020)
    assert due(1020) == pytest.approx(3)


def test_who_is_announced_again_is_greeted_soon(table: Timetable, due: Due) -> None:
    table.failed(BOB, 1010)
    table.follow(HEARD, 1020)
    assert due(1020) == pytest.approx(0.2)


def test_who_may_be_elsewhere_is_tried_there_but_not_as_often_as_somebody_says_so(
    table: Timetable, due: Due
) -> None:
    away = replace(THERE, online=False, reach=Reach.AWAY)
    table.failed(BOB, 1010)
    table.follow(replace(away, endpoints=(HOME, MOVED)), 1010)
    assert due(1010) == pytest.approx(0.2)
    now = 1011.0
    for port in range(5000, 5010):  # somebody makes up addresses
        assert table.begin(now) == BOB
        table.failed(BOB, now)
        table.ended(BOB)
        table.follow(replace(away, endpoints=(HOME, Endpoint("10.0.0.2", port))), now)
        now += due(now)
    assert now - 1011 >= 9 * 48
    table.exchanged(BOB, False, False, now, by_us=False)
    table.follow(replace(THERE, endpoints=(HOME, Endpoint("10.0.0.3", 1))), now)
    assert due(now) > 30  # who is reachable needs no other address


def test_the_end_of_a_connection_is_asked_about_every_5_seconds_at_most(table: Timetable, due: Due) -> None:
    assert table.hung_up(BOB, 1001)
    assert due(1001) == pytest.approx(4)
    table.exchanged(BOB, False, False, 1005, by_us=False)
    assert table.hung_up(BOB, 1050)
    assert due(1050) == pytest.approx(0.2)
    assert not table.hung_up(EVE, 1050)


def test_who_knows_no_greetings_gets_no_more_of_them_unless_it_sends_one(table: Timetable) -> None:
    table.unknown(BOB)
    table.change({BOB}, 1010)
    table.moved(1010)
    table.follow(replace(HEARD, doubted=True), 1010)
    assert not table.hung_up(BOB, 1010)
    assert table.first_after(0) == NEVER
    table.exchanged(BOB, False, False, 1020, by_us=False)
    assert table.first_after(1020) < NEVER


def test_nobody_is_greeted_twice_at_a_time_and_nobody_who_was_dropped(table: Timetable) -> None:
    assert table.begin(2000) == BOB
    table.change({BOB}, 2000)
    assert table.begin(2001) is None
    assert table.first_after(2000) == NEVER
    table.ended(BOB)
    assert table.begin(2001) == BOB  # what changed meanwhile
    table.drop(BOB)
    table.failed(BOB, 2002)
    table.exchanged(BOB, False, False, 2002, by_us=False)
    table.ended(BOB)
    assert table.first_after(0) == NEVER


def test_who_answered_and_went_no_further_is_tried_soon(table: Timetable, due: Due) -> None:
    assert table.begin(2000) == BOB
    assert table.failures(BOB) == 0
    table.failed_once(BOB, 2000)
    table.ended(BOB)
    assert (table.failures(BOB), due(2000)) == (1, 5)


def test_what_changes_while_we_greet_is_told_right_after(table: Timetable, due: Due) -> None:
    for change in (lambda at: table.change({BOB}, at), table.moved, lambda at: table.hung_up(BOB, at)):
        table.change({BOB}, 2000)
        assert table.begin(2001) == BOB
        change(2001.5)  # what we say has been written by now
        table.exchanged(BOB, True, False, 2002)
        table.ended(BOB)
        assert table.due(2002) or due(2002) <= 5
        table.exchanged(BOB, True, False, 2002, by_us=False)
        assert not table.due(2002)
        assert due(2002) > 60


def test_whoever_hangs_up_again_and_again_is_dialed_every_5_seconds_at_most(table: Timetable) -> None:
    begun, now = [], 2000.0
    while now < 2060:  # it answers no greeting
        table.hung_up(BOB, now)
        if table.begin(now):
            begun.append(now)
            table.failed(BOB, now)
            table.ended(BOB)
        now += 0.25
    assert len(begun) <= 13


def test_forged_announcements_about_somebody_who_is_away_dial_nobody_more_often(table: Timetable) -> None:
    begun, now, rooms = [], 2000.0, 0
    away = replace(HEARD, online=False, reach=Reach.SILENT, doubted=True)
    while now < 2300:
        rooms += 1
        table.follow(replace(away, announced=bool(rooms % 2)), now)
        if table.begin(now):
            begun.append(now)
            table.failed(BOB, now)
            table.ended(BOB)
        now += 0.5
    assert len(begun) <= 9

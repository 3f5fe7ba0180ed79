"""What follows from a change around us, when something of it fails."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from certificates import make_uuid
from waiting import Collected, wait_until

from cryptochat_lib import neighbours as neighbours_module
from cryptochat_lib.contacts import Contacts
from cryptochat_lib.errors import StorageFull
from cryptochat_lib.greeter import Greeter
from cryptochat_lib.hearsay import Hearsay
from cryptochat_lib.limits import Limits
from cryptochat_lib.looker import Looker
from cryptochat_lib.model import Announcement, Endpoint, PeerId, RoomName
from cryptochat_lib.neighbours import Neighbours
from cryptochat_lib.outbox import Outbox
from cryptochat_lib.presence import Presence
from cryptochat_lib.profile import Profile
from cryptochat_lib.roster import Roster
from cryptochat_lib.store import Store
from cryptochat_lib.verification import Verification

TEA = RoomName("tea")


class Scene:
    """Neighbours between a real presence and store, and parts of which a test lets some fail."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self.presence = Presence(limits)
        self.rounds: Collected[None] = Collected()
        self.looked: Collected[PeerId] = Collected()
        self.published: Collected[None] = Collected()
        self.fail_round: Callable[[], None] = lambda: None
        self.fail_look: Callable[[], None] = lambda: None
        verification = SimpleNamespace(pin_all=lambda _keys: None, ask=lambda *_: None)
        looker = SimpleNamespace(look=self._look, look_for_wanted=lambda: None)
        outbox = SimpleNamespace(wake=lambda _uuid: None, resume=lambda _uuid: None, expire=self._expire)
        self.fail_tick: Callable[[], None] = lambda: None
        self.fail_contact: Callable[[], None] = lambda: None
        self.ticks: Collected[None] = Collected()
        greeter = SimpleNamespace(
            follow=lambda _uuid: None, tick=self._tick, moved=lambda: self.moves.add(None)
        )
        self.moves: Collected[None] = Collected()
        contacts = SimpleNamespace(
            start=lambda: None,
            moved=lambda: None,
            follow=lambda _uuid: self.fail_contact(),
            retry=lambda: None,
            next_try=lambda: float("inf"),
            publish=lambda: None,
        )
        self.neighbours = Neighbours(
            cast(Profile, SimpleNamespace(rooms=lambda: [TEA], uuid=make_uuid())),
            store,
            self.presence,
            cast(Verification, verification),
            cast(Looker, looker),
            cast(Outbox, outbox),
            cast(Roster, SimpleNamespace(publish=lambda: self.published.add(None))),
            cast(Greeter, greeter),
            cast(Hearsay, SimpleNamespace(start=lambda: None)),
            cast(Contacts, contacts),
        )

    def _look(self, uuid: PeerId, **_more: Any) -> None:
        self.looked.add(uuid)
        self.fail_look()

    def _tick(self) -> float:
        self.ticks.add(None)
        self.fail_tick()
        return 60.0

    def _expire(self) -> None:
        self.rounds.add(None)
        self.fail_round()

    def announce(self) -> PeerId:
        uuid = make_uuid()
        self.presence.seen(Announcement(uuid, (Endpoint("10.0.0.2", 4000),), {TEA: "tea"}))
        return uuid


def fail() -> None:
    raise StorageFull()


@pytest.fixture
def scene(store: Store, limits: Limits, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr(neighbours_module, "_PAUSE_SECONDS", 0.01)
    scene = Scene(store, limits)
    yield scene
    scene.neighbours.close()


def test_a_round_that_fails_is_not_done_again_before_its_time(scene: Scene) -> None:
    scene.fail_round = fail
    scene.neighbours.start()
    scene.rounds.wait_for(lambda _none: True)
    for _ in range(3):
        mark = scene.looked.mark()
        uuid = scene.announce()
        scene.looked.wait_for(lambda looked, uuid=uuid: looked == uuid, after=mark)
    assert len(scene.rounds.items) == 1


def test_one_peer_that_cannot_be_followed_loses_nobody_else_s_change(scene: Scene) -> None:
    scene.fail_look = fail
    uuids = {scene.announce() for _ in range(20)}
    scene.neighbours.start()
    wait_until(lambda: set(scene.looked.items) >= uuids, 5)
    scene.published.wait_for(lambda _none: True)


def test_it_ends_while_something_still_fails(scene: Scene) -> None:
    scene.fail_look = scene.fail_round = fail
    uuid = scene.announce()
    scene.neighbours.start()
    scene.looked.wait_for(lambda looked: looked == uuid)
    scene.neighbours.close()
    assert scene.neighbours.thread not in threading.enumerate()


def test_a_change_of_the_network_is_followed_once(scene: Scene) -> None:
    scene.neighbours.start()
    scene.presence.moved()
    scene.moves.wait_for(lambda _none: True)
    uuid = scene.announce()
    scene.looked.wait_for(lambda looked: looked == uuid)
    assert len(scene.moves.items) == 1


def test_a_machine_whose_interfaces_never_rest_is_not_elsewhere_each_time(scene: Scene) -> None:
    scene.neighbours.start()
    for count in range(1, 4):
        scene.presence.moved()
        wait_until(lambda count=count: len(scene.moves.items) == count)
    scene.presence.moved()
    wait_until(lambda: scene.neighbours._move_due() < math.inf)
    uuid = scene.announce()  # who comes in the round after
    scene.looked.wait_for(lambda looked: looked == uuid)
    assert len(scene.moves.items) == 3
    assert 0 < scene.neighbours._move_due() - time.monotonic() <= 30


def test_without_a_thread_to_be_had_for_greetings_all_else_goes_on(scene: Scene) -> None:
    def no_thread() -> None:
        raise RuntimeError("can't start new thread")

    scene.fail_tick = no_thread
    scene.neighbours.start()
    scene.ticks.wait_for(lambda _none: True)
    uuid = scene.announce()
    scene.looked.wait_for(lambda looked: looked == uuid)


def test_a_contact_that_cannot_be_followed_keeps_nobody_from_being_looked_at(scene: Scene) -> None:
    scene.fail_contact = fail
    scene.neighbours.start()
    uuid = scene.announce()
    scene.looked.wait_for(lambda looked: looked == uuid)

"""What verified peers pass on of third persons: what is taken of it, and what we pass on."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from certificates import make_certificate
from loopback_peer import OwnCertificate
from signed_records import milliseconds, signed

from cryptochat_lib import hearsay as hearsay_module
from cryptochat_lib import peer_record
from cryptochat_lib.greeting import PassedOn
from cryptochat_lib.hearsay import Hearsay
from cryptochat_lib.identity import parse_certificate
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Announcement, Endpoint, PeerId, RoomName, Told, Trust
from cryptochat_lib.neighbourhood import Neighbourhood
from cryptochat_lib.presence import Presence
from cryptochat_lib.profile import Profile
from cryptochat_lib.store import Store
from cryptochat_lib.whereabouts import Whereabouts

TEA, COFFEE, CELLAR = RoomName("tea"), RoomName("coffee"), RoomName("cellar")
OURS = Endpoint("10.0.0.1", 4242)
HOME, MOVED, LATEST = (Endpoint("10.0.0.3", port) for port in (4000, 4001, 4002))
FRIEND = PeerId("00000000-0000-8000-8000-00000000000f")
OTHER = PeerId("00000000-0000-8000-8000-00000000000a")
DAY = 86_400


class Scene:
    """We are in tea and coffee, and hear from friends about Carol, whose key a test has."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self.store = store
        self.presence = Presence(limits)
        self.profile = SimpleNamespace(
            uuid=make_certificate().uuid, rooms=lambda: [TEA, COFFEE], own_endpoints=lambda: [OURS]
        )
        self.limits = limits
        self.carol = OwnCertificate()
        self.uuid = PeerId(self.carol.uuid)
        self.restart()

    def restart(self) -> None:
        self.near = Neighbourhood(("no interface of that name",))
        self.hearsay = Hearsay(cast(Profile, self.profile), self.store, self.presence, self.near, self.limits)

    def know(self, trust: Trust, certificate: OwnCertificate | None = None) -> PeerId:
        """The user has said this of Carol, or of somebody else."""
        parsed = parse_certificate((certificate or self.carol).der)
        key = self.store.keys.add(parsed, "", None, 1)
        self.store.keys.set_trust([(key, trust, None, False)])
        if trust is Trust.VERIFIED:
            self.presence.pin(key.uuid, {}, None)
        return key.uuid

    def hear(self, *records: str, rooms: tuple[RoomName, ...] = (TEA,), source: PeerId = FRIEND) -> None:
        forms = {room: str(room) for room in rooms}
        self.hearsay.hear(source, [PassedOn(record, forms) for record in records])

    def where(self, uuid: PeerId | None = None) -> Whereabouts | None:
        return self.presence.of(uuid or self.uuid)

    def rooms(self) -> set[RoomName]:
        """Those that Carol is in, and we see her in."""
        found = self.where()
        assert all(self.presence.in_room(room) for room in (found.rooms if found else ()))
        return set(found.rooms) if found else set()

    def endpoints(self, uuid: PeerId | None = None) -> tuple[Endpoint, ...]:
        found = self.where(uuid)
        return found.endpoints if found else ()


@pytest.fixture
def make_scene(store: Store) -> Callable[..., Scene]:
    return lambda **limits: Scene(store, Limits(free_disk_bytes=0, **limits))


@pytest.fixture
def scene(make_scene: Callable[..., Scene]) -> Scene:
    return make_scene()


# Of somebody verified


def test_a_verified_peer_is_tried_where_it_says_that_it_is_and_put_into_no_room(scene: Scene) -> None:
    scene.know(Trust.VERIFIED)
    scene.hear(signed(scene.carol, HOME), rooms=(TEA, COFFEE))
    assert scene.endpoints() == (HOME,)
    assert (scene.where() or pytest.fail("unknown")).rooms == {}


def test_an_older_record_that_is_shown_again_moves_nobody_back(scene: Scene) -> None:
    scene.know(Trust.VERIFIED)
    old, new = (signed(scene.carol, e, at=milliseconds(ago)) for e, ago in ((HOME, 60), (MOVED, 30)))
    scene.hear(old, new)
    assert scene.endpoints() == (MOVED,)
    scene.hear(old)
    assert scene.endpoints() == (MOVED,)
    scene.restart()
    scene.hearsay.start()
    scene.hear(old)
    assert scene.endpoints() == (MOVED,)


def test_what_its_owner_says_replaces_what_others_have_passed_on_whatever_its_date(scene: Scene) -> None:
    scene.know(Trust.VERIFIED)
    scene.hear(signed(scene.carol, HOME, at=milliseconds(-3600)))  # her clock was wrong
    said = signed(scene.carol, MOVED, at=milliseconds(3600))
    assert scene.hearsay.own_word(scene.uuid, said, None) == (MOVED,)
    scene.hear(signed(scene.carol, LATEST, at=milliseconds(1800)))
    assert scene.endpoints() == (LATEST,)


def test_a_record_of_somebody_else_is_nobodys_own_word(scene: Scene) -> None:
    scene.know(Trust.VERIFIED)
    other = OwnCertificate()
    assert scene.hearsay.own_word(scene.uuid, signed(other, HOME), None) == ()
    assert scene.hearsay.own_word(scene.uuid, "AQAA", None) == ()
    assert scene.hearsay.own_word(scene.uuid, None, None) == ()
    assert scene.store.records.all() == {}


@pytest.mark.parametrize("ago", [31 * DAY, -2 * DAY], ids=["a month old", "from the future"])
def test_a_record_counts_for_a_month_and_not_from_the_future(scene: Scene, ago: float) -> None:
    scene.know(Trust.VERIFIED)
    scene.hear(signed(scene.carol, HOME, at=milliseconds(ago)))
    assert scene.endpoints() == ()


def test_after_a_restart_it_is_tried_where_it_was_and_mdns_takes_it_out_of_no_room(scene: Scene) -> None:
    uuid = scene.know(Trust.VERIFIED)
    scene.hearsay.own_word(uuid, signed(scene.carol, HOME), None)
    scene.presence = Presence(scene.limits)
    scene.presence.pin(uuid, {TEA: "tea"}, MOVED)
    scene.restart()
    scene.hearsay.start()
    assert scene.endpoints() == (MOVED, HOME)
    scene.presence.seen(Announcement(uuid, (MOVED,), {COFFEE: "coffee"}, None, 1))
    where = scene.where()
    assert where is not None
    assert (set(where.rooms), where.told) == ({TEA, COFFEE}, False)
    scene.presence.untell(uuid)  # it greets no more
    assert set((scene.where() or where).rooms) == {COFFEE}


def test_a_record_is_forgotten_with_its_last_key(scene: Scene) -> None:
    uuid = scene.know(Trust.VERIFIED)
    scene.hear(signed(scene.carol, HOME))
    assert set(scene.store.records.all()) == {uuid}
    scene.store.keys.forget(scene.store.keys.of(uuid))
    assert scene.store.records.all() == {}


# Of strangers, and of those who do not count


def test_a_stranger_is_a_hint_in_the_rooms_that_we_are_in(scene: Scene) -> None:
    scene.hear(signed(scene.carol, HOME), rooms=(TEA, CELLAR))
    where = scene.where()
    assert where is not None
    assert (where.rooms, where.endpoints, where.online, where.hinted) == ({TEA: "tea"}, (HOME,), False, True)
    assert scene.store.records.all() == {}


def test_a_stranger_in_no_room_of_ours_is_nobody(scene: Scene) -> None:
    scene.hear(signed(scene.carol, HOME), rooms=(CELLAR,))
    assert scene.where() is None


def test_a_strangers_rooms_are_those_that_the_friend_has_named_last(scene: Scene) -> None:
    record = signed(scene.carol, HOME)
    for named, seen in (
        ((TEA,), {TEA}),
        ((TEA, COFFEE), {TEA, COFFEE}),  # she has joined another
        ((COFFEE,), {COFFEE}),  # and left one
        ((COFFEE, CELLAR), {COFFEE}),
    ):
        scene.hear(record, rooms=named)
        assert scene.rooms() == seen
    scene.profile.rooms = lambda: [TEA, COFFEE, CELLAR]  # now we have joined, where she is already
    scene.hear(record, rooms=(COFFEE, CELLAR))
    assert scene.rooms() == {COFFEE, CELLAR}
    scene.hear(record, rooms=())
    assert scene.where() is None


def test_each_friend_speaks_for_the_rooms_that_it_shares_with_a_stranger(scene: Scene) -> None:
    record = signed(scene.carol, HOME)
    scene.hear(record, rooms=(TEA,))
    scene.hear(record, rooms=(COFFEE,), source=OTHER)
    scene.hear(record, rooms=(TEA,))
    assert scene.rooms() == {TEA, COFFEE}


def test_a_stranger_who_was_deleted_comes_back_when_a_friend_names_her_again(scene: Scene) -> None:
    record = signed(scene.carol, HOME, at=milliseconds(60))
    scene.hear(record)
    scene.presence.forget(scene.uuid)
    assert scene.where() is None
    scene.hear(record)
    assert (scene.rooms(), scene.endpoints()) == ({TEA}, (HOME,))
    scene.presence.forget(scene.uuid)
    scene.hear(signed(scene.carol, MOVED))
    assert scene.endpoints() == (MOVED,)


def test_a_flood_of_announcements_keeps_no_stranger_away_whom_a_friend_names(make_scene: Any) -> None:
    scene = make_scene(announced_peers=3)
    record = signed(scene.carol, HOME)
    scene.hear(record)
    for _ in range(3):
        scene.presence.seen(Announcement(make_certificate().uuid, (MOVED,), {TEA: "tea"}, None, 1))
    assert scene.where() is None
    for where in scene.presence.all():
        scene.presence.gone(where.uuid)
    scene.hear(record)
    assert scene.rooms() == {TEA}


def test_a_stranger_who_is_verified_stays_in_the_rooms_where_she_was_met(scene: Scene) -> None:
    scene.hear(signed(scene.carol, HOME), rooms=(TEA, COFFEE))
    scene.know(Trust.VERIFIED)
    assert scene.rooms() == {TEA, COFFEE}
    scene.presence.tell(scene.uuid, Told({TEA: "tea"}))
    assert scene.rooms() == {TEA}


def test_what_a_friend_said_of_strangers_ends_when_it_is_a_friend_no_more(scene: Scene) -> None:
    record = signed(scene.carol, HOME)
    scene.hear(record, signed(OwnCertificate(), MOVED), rooms=(TEA,))
    scene.hear(record, rooms=(COFFEE,), source=OTHER)
    scene.hearsay.forget(FRIEND)
    assert [where.uuid for where in scene.presence.all()] == [scene.uuid]
    assert scene.rooms() == {COFFEE}
    scene.presence.forget(scene.uuid)
    scene.hear(record, rooms=(TEA,))
    scene.presence.forget(scene.uuid)  # by the user, who wants nothing of her
    scene.hearsay.forget(FRIEND)
    assert scene.where() is None
    scene.hear(record, rooms=(TEA, COFFEE), source=OTHER)
    scene.hearsay.forget(OTHER)
    assert scene.where() is None


def test_a_stranger_goes_on_the_account_of_the_friend_who_is_left(make_scene: Any) -> None:
    scene = make_scene(hinted_peers_of_one=1)
    for source in (FRIEND, OTHER):
        scene.hear(signed(scene.carol, HOME), source=source)
    scene.hearsay.forget(FRIEND)
    scene.hear(signed(OwnCertificate(), HOME), source=OTHER)
    assert [where.uuid for where in scene.presence.all()] == [scene.uuid]


def test_a_stranger_whom_no_friend_has_named_for_a_day_is_forgotten(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(hearsay_module, "time", SimpleNamespace(monotonic=lambda: now, time=lambda: NOW))
    other, record = OwnCertificate(), signed(scene.carol, HOME)
    scene.hear(record, signed(other, HOME))
    now += DAY / 2
    scene.hear(record)
    now += DAY / 2 + 1
    scene.hear()
    assert [where.uuid for where in scene.presence.all()] == [scene.uuid]


def test_a_rejected_person_is_not_brought_back_by_a_friend(scene: Scene) -> None:
    scene.know(Trust.REJECTED)
    scene.hear(signed(scene.carol, HOME))
    assert scene.where() is None


def test_nobody_says_anything_of_us_or_of_itself_as_of_a_third(scene: Scene) -> None:
    scene.profile.uuid = scene.uuid
    scene.hear(signed(scene.carol, HOME))
    assert scene.where() is None
    scene.profile.uuid = FRIEND
    scene.hear(signed(scene.carol, HOME), source=scene.uuid)
    assert scene.where() is None


def test_a_record_that_somebody_else_has_signed_is_nothing(scene: Scene) -> None:
    scene.hear(signed(scene.carol, HOME, signer=OwnCertificate()), "", "AQAA", "\u00e9")
    assert scene.where() is None


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "255.255.255.255", "240.0.0.1", "fe80::5", "10.0.0.1"])
def test_a_friend_cannot_make_us_connect_to_loopback_or_to_ourselves(scene: Scene, host: str) -> None:
    scene.hear(signed(scene.carol, Endpoint(host, OURS.port)))
    assert scene.where() is None


@pytest.mark.parametrize("host", ["10.0.0.1", "fe80::1"])
def test_no_port_of_our_own_machine_is_connected_to_because_a_friend_says_so(scene: Scene, host: str) -> None:
    scene.profile.own_endpoints = lambda: [OURS, Endpoint("fe80::1%eth0", OURS.port)]
    scene.hear(signed(scene.carol, Endpoint(host, 9080)))
    assert scene.where() is None
    said = signed(scene.carol, Endpoint(host, 9080))
    assert scene.hearsay.own_word(scene.uuid, said, "2") == ()


def test_who_adds_localhost_lets_no_friend_lead_us_there(scene: Scene) -> None:
    scene.near.expect(["127.0.0.1"])
    scene.hear(signed(scene.carol, Endpoint("127.0.0.1", 9080)))
    assert scene.where() is None
    assert scene.hearsay.own_word(scene.uuid, signed(scene.carol, Endpoint("127.0.0.1", 9080)), None) == ()


def test_who_has_chosen_loopback_meets_others_there(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene.near, "is_next_to", lambda host: True)
    scene.profile.own_endpoints = lambda: [Endpoint("127.0.0.1", OURS.port)]
    said = [signed(scene.carol, Endpoint("127.0.0.1", port)) for port in (OURS.port, 4243)]
    assert scene.hearsay.own_word(scene.uuid, said[0], None) == ()
    assert scene.hearsay.own_word(scene.uuid, said[1], None) == (Endpoint("127.0.0.1", 4243),)


def test_a_friend_cannot_make_us_look_at_the_ports_of_a_systems_services(scene: Scene) -> None:
    said = signed(scene.carol, Endpoint("10.0.0.3", 1023))
    scene.hear(said)
    assert scene.where() is None
    assert scene.hearsay.own_word(scene.uuid, said, None) == ()
    scene.hear(signed(scene.carol, Endpoint("10.0.0.3", 1024)))
    assert scene.where() is not None


def test_of_a_stranger_four_addresses_count(scene: Scene) -> None:
    scene.hear(signed(scene.carol, *(Endpoint(f"10.0.0.{n}", 4000) for n in range(2, 10))))
    assert len(scene.endpoints()) == 4


def test_a_flood_of_made_up_strangers_ends_with_the_32nd_of_one_friend(make_scene: Any) -> None:
    scene = make_scene()
    made_up = [OwnCertificate() for _ in range(40)]
    scene.hear(*(signed(one, HOME) for one in made_up))
    assert len(scene.presence.all()) == scene.limits.hinted_peers_of_one == 32
    scene.hear(*(signed(one, MOVED, at=milliseconds(-5)) for one in made_up))  # later, elsewhere
    assert {e for where in scene.presence.all() for e in where.endpoints} == {HOME}
    scene.hear(signed(scene.carol, HOME), source=OTHER)
    assert scene.where() is not None  # another friend's word counts as before


def test_after_ten_minutes_the_oldest_of_that_friend_makes_way(
    make_scene: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = make_scene(hinted_peers_of_one=2, hinted_peers=3)
    now = 1000.0
    monkeypatch.setattr(hearsay_module, "time", SimpleNamespace(monotonic=lambda: now, time=lambda: NOW))
    first, second, third = (OwnCertificate() for _ in range(3))
    scene.hear(signed(first, HOME), signed(second, HOME), signed(third, HOME))
    assert {w.uuid for w in scene.presence.all()} == {first.uuid, second.uuid}
    now += scene.limits.hint_seconds + 1
    scene.hear(signed(second, MOVED, at=milliseconds(-5)), signed(third, HOME))
    assert {w.uuid for w in scene.presence.all()} == {second.uuid, third.uuid}
    assert scene.endpoints(PeerId(second.uuid)) == (MOVED,)
    others = [PeerId(f"00000000-0000-8000-8000-{n:012}") for n in range(2)]
    for source in others:
        scene.hear(signed(OwnCertificate(), HOME), source=source)
    assert len(scene.presence.all()) == 3  # and of all together


NOW = milliseconds() / 1000


# What we pass on


def test_passed_on_is_who_is_verified_and_has_told_us_of_a_room_that_all_three_share(scene: Scene) -> None:
    bob, dave, eve = OwnCertificate(), OwnCertificate(), OwnCertificate()
    for one, rooms in ((bob, (TEA,)), (scene.carol, (TEA, COFFEE)), (dave, (COFFEE, CELLAR))):
        uuid = scene.know(Trust.VERIFIED, one)
        scene.hearsay.own_word(uuid, signed(one, HOME), None)
        scene.presence.tell(uuid, Told({room: str(room) for room in rooms}))
    scene.hear(signed(eve, HOME))  # a stranger in tea

    def passed_on(to: OwnCertificate) -> dict[str, set[RoomName]]:
        where = scene.where(PeerId(to.uuid))
        assert where is not None
        chosen = scene.hearsay.to_pass_on(where)
        return {peer_record.parse(one.record).uuid: set(one.rooms) for one in chosen}

    assert passed_on(bob) == {scene.uuid: {TEA}}
    assert passed_on(scene.carol) == {bob.uuid: {TEA}, dave.uuid: {COFFEE}}
    assert passed_on(dave) == {scene.uuid: {COFFEE}}
    assert passed_on(eve) == {}
    scene.presence.untell(scene.uuid)  # she has taken her yes back, say
    assert passed_on(bob) == {}


def test_a_yes_that_was_taken_back_ends_passing_on(scene: Scene) -> None:
    bob = OwnCertificate()
    for one in (bob, scene.carol):
        uuid = scene.know(Trust.VERIFIED, one)
        scene.hearsay.own_word(uuid, signed(one, HOME), None)
        scene.presence.tell(uuid, Told({TEA: "tea"}))
    scene.know(Trust.UNVERIFIED)
    assert scene.hearsay.to_pass_on(scene.where(PeerId(bob.uuid)) or pytest.fail("unknown")) == ()


def test_as_many_are_passed_on_as_a_greeting_holds(make_scene: Any) -> None:
    scene = make_scene(greeting_records=2)
    for one in [OwnCertificate() for _ in range(4)] + [scene.carol]:
        uuid = scene.know(Trust.VERIFIED, one)
        scene.hearsay.own_word(uuid, signed(one, HOME), None)
        scene.presence.tell(uuid, Told({TEA: "tea"}))
    assert len(scene.hearsay.to_pass_on(scene.where())) == 2

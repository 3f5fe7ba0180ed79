"""The one decision: each step of `admit`, the questions, and what only the user can do.

Certificates are real, the store is a real database, the gates are real. Races are
made certain by parts that answer at the worst moment, never by sleeping.
"""

from __future__ import annotations

import itertools
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from certificates import make_certificate, make_uuid
from waiting import wait_until

from cryptochat_lib.connections import Connection, Connections
from cryptochat_lib.errors import (
    CertificateChanged,
    Conflict,
    FingerprintDiffers,
    NoSingleCertificate,
    NotAllowed,
    PeerRejected,
    PeerUndecided,
    WrongPeer,
)
from cryptochat_lib.events import EventLog
from cryptochat_lib.gates import Gates
from cryptochat_lib.identity import Identity, safety_number
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import (
    Announcement,
    Certificate,
    Endpoint,
    KnownKey,
    PeerId,
    RoomName,
    Trust,
    trust_of,
)
from cryptochat_lib.presence import Presence
from cryptochat_lib.questions import ASKED, KNOCKED, QUEUED
from cryptochat_lib.store import Store
from cryptochat_lib.verification import Verification

LIMITS = Limits(
    unverified_keys=6,
    unverified_keys_of_one_address=4,
    keys_of_one_uuid=2,
    knocks=6,
    knocks_of_one_address=4,
)
LONG = 60.0
HOME, EVIL = Endpoint("10.0.0.2", 4000), Endpoint("10.6.6.6", 666)


class Scene:
    """One node's policy, with its real parts; and a network and a user that a test plays."""

    def __init__(self, own: Certificate, store: Store, limits: Limits = LIMITS) -> None:
        self.own, self.store, self.limits = own, store, limits
        self.events = EventLog(limits)
        self.events.start(1)
        self.presence = Presence(limits)
        self.connections = Connections(100, 100, 100)
        self.gates = Gates(limits)
        self.verification = Verification(
            own, store, self.events, self.presence, self.connections, self.gates, limits
        )
        self._begin = self.events.latest
        self._addresses = itertools.count(1)

    def learn(
        self, certificate: Certificate, address: str | None = None, queued: bool = False
    ) -> list[KnownKey]:
        return self.verification.learn(certificate, address, lambda _uuid: queued)[1]

    def known(self, uuid: PeerId | None = None) -> Certificate:
        """A new certificate that a look has shown."""
        certificate = make_certificate(uuid)
        self.learn(certificate, f"10.0.1.{next(self._addresses)}")
        return certificate

    def verified(self, uuid: PeerId | None = None) -> Certificate:
        certificate = self.known(uuid)
        self.yes(certificate)
        return certificate

    def yes(self, certificate: Certificate) -> KnownKey:
        return self.verification.say_yes(certificate.uuid, certificate.fingerprint_sha256, "number")

    def no(self, certificate: Certificate) -> None:
        self.verification.say_no(certificate.uuid, certificate.fingerprint_sha256)

    def key(self, certificate: Certificate) -> KnownKey:
        key = self.store.keys.find(certificate)
        assert key is not None
        return key

    def trust(self, certificate: Certificate) -> Trust:
        return self.key(certificate).trust

    def asked(self) -> list[dict[str, Any]]:
        """Every question that the user has been asked so far."""
        found = self.events.after(self._begin, 0) or []
        return [json.loads(event.data) for event in found if event.stream == "verification"]

    def open_questions(self) -> list[str]:
        return [q.key.certificate.fingerprint_sha256 for q in self.verification.questions.open()[1]]


class Knock:
    """A connection that comes to us, in its own thread, and what becomes of it."""

    def __init__(self, scene: Scene, certificate: Certificate, patience: float = LONG) -> None:
        self._scene, self._certificate, self._patience = scene, certificate, patience
        self._outcome: list[KnownKey | NotAllowed] = []
        self._thread = threading.Thread(target=self._run, name="knock")
        self._thread.start()

    def _run(self) -> None:
        try:
            self._outcome.append(self._scene.verification.admit(self._certificate, patience=self._patience))
        except NotAllowed as error:
            self._outcome.append(error)
        finally:
            self._scene.store.database.close_thread()

    def wait_at_gate(self) -> Knock:
        key = self._certificate.fingerprint_sha256
        wait_until(lambda: key in self._scene.gates._gates)
        return self

    @property
    def outcome(self) -> KnownKey | NotAllowed:
        self._thread.join(10)
        assert not self._thread.is_alive(), "it still waits"
        return self._outcome[0]


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look happens a moment after the one before."""
    times = itertools.count(1)
    monkeypatch.setattr("cryptochat_lib.verification._now", lambda: next(times))


@pytest.fixture
def scene(identity: Identity, store: Store) -> Iterator[Scene]:
    scene = Scene(identity.certificate, store)
    yield scene
    scene.gates.close()


# The steps of `admit`, in their order


def test_1_another_peer_than_the_one_we_meant_is_refused_even_if_it_is_verified(scene: Scene) -> None:
    bob, carol = scene.verified(), scene.verified()
    with pytest.raises(WrongPeer):
        scene.verification.admit(carol, meant=bob.uuid)


def test_2_a_certificate_that_no_look_has_shown_is_refused_without_asking(scene: Scene) -> None:
    with pytest.raises(CertificateChanged):
        scene.verification.admit(make_certificate(), patience=LONG)
    assert scene.asked() == []


def test_2_a_known_uuid_with_another_certificate_is_refused_without_asking(scene: Scene) -> None:
    bob = scene.verified()
    with pytest.raises(CertificateChanged):
        scene.verification.admit(make_certificate(bob.uuid), meant=bob.uuid, patience=LONG)
    assert scene.asked() == []


def test_2_a_second_certificate_beside_a_verified_one_is_refused_even_if_a_look_has_shown_it(
    scene: Scene,
) -> None:
    bob = scene.verified()
    mallory = scene.known(bob.uuid)
    with pytest.raises(CertificateChanged):
        scene.verification.admit(mallory, meant=bob.uuid, patience=LONG)
    assert scene.asked() == []
    assert scene.verification.admit(bob).certificate == bob


def test_2_one_different_byte_is_another_certificate(scene: Scene) -> None:
    """The same name, the same key, the same fingerprint even: identity is the bytes."""
    bob = scene.verified()
    with pytest.raises(CertificateChanged):
        scene.verification.admit(replace(bob, der=bob.der[:-1] + bytes([bob.der[-1] ^ 1])))


def test_2_a_copy_of_ourselves_is_refused_even_if_it_was_stored_and_verified(scene: Scene) -> None:
    key = scene.store.keys.add(scene.own, "", "10.0.0.2", 1)
    scene.store.keys.set_trust([(key, Trust.VERIFIED, "number", False)])
    with pytest.raises(CertificateChanged):
        scene.verification.admit(scene.own, patience=LONG)
    assert scene.asked() == []


def test_3_a_verified_key_is_let_in_at_once(scene: Scene) -> None:
    bob = scene.verified()
    assert scene.verification.admit(bob, meant=bob.uuid).trust is Trust.VERIFIED
    assert scene.verification.admit(bob, patience=LONG).method == "number"


def test_4_a_rejected_key_is_refused_without_asking(scene: Scene) -> None:
    bob = scene.known()
    scene.no(bob)
    with pytest.raises(PeerRejected) as refused:
        scene.verification.admit(bob, patience=LONG)
    assert (refused.value.status, refused.value.code) == (403, "rejected")
    assert scene.asked() == []


def test_5_an_undecided_key_waits_and_is_let_in_by_a_yes(scene: Scene) -> None:
    bob = scene.known()
    knock = Knock(scene, bob).wait_at_gate()
    scene.yes(bob)
    outcome = knock.outcome
    assert isinstance(outcome, KnownKey)
    assert outcome.trust is Trust.VERIFIED


def test_5_an_undecided_key_waits_and_is_refused_by_a_no(scene: Scene) -> None:
    bob = scene.known()
    knock = Knock(scene, bob).wait_at_gate()
    scene.no(bob)
    assert isinstance(knock.outcome, PeerRejected)


def test_5_without_an_answer_it_is_told_to_come_again(scene: Scene) -> None:
    outcome = Knock(scene, scene.known(), patience=0.01).outcome
    assert isinstance(outcome, PeerUndecided)
    assert (outcome.status, outcome.code) == (403, "unverified")
    assert outcome.headers["Retry-After"].isdigit()


def test_5_a_sender_does_not_wait_and_does_not_ask(scene: Scene) -> None:
    with pytest.raises(PeerUndecided):
        scene.verification.admit(scene.known())
    assert scene.asked() == []


def test_5_shutdown_releases_who_waits(scene: Scene) -> None:
    knock = Knock(scene, scene.known()).wait_at_gate()
    scene.gates.close()
    assert isinstance(knock.outcome, PeerUndecided)


def test_5_who_finds_no_place_at_the_gate_is_asked_about_all_the_same(
    identity: Identity, store: Store
) -> None:
    scene = Scene(identity.certificate, store, replace(LIMITS, gate_waiting=0))
    bob = scene.known()
    with pytest.raises(PeerUndecided):
        scene.verification.admit(bob, patience=LONG)
    assert [question["uuid"] for question in scene.asked()] == [bob.uuid]


# Questions


def test_the_question_says_who_it_is_about_why_and_since_when(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cryptochat_lib.questions._now", lambda: 7)
    bob = scene.known()
    scene.verification.questions.ask(scene.key(bob), QUEUED, "Bob", "10.0.0.2:4000")
    assert scene.asked() == [
        {
            "uuid": bob.uuid,
            "fingerprint": bob.fingerprint,
            "fingerprint_sha256": bob.fingerprint_sha256,
            "safety_number": safety_number(scene.own, bob),
            "username": "Bob",
            "address": "10.0.0.2:4000",
            "reason": "queued",
            "time": "1970-01-01T00:00:00.007Z",
        }
    ]
    assert scene.verification.questions.pending(bob.uuid)


def test_a_look_alone_asks_nothing(scene: Scene) -> None:
    bob = scene.known()
    assert scene.asked() == []
    assert not scene.verification.questions.pending(bob.uuid)


def test_one_question_for_a_key_however_often_it_knocks(scene: Scene) -> None:
    bob = scene.known()
    for _ in range(3):
        assert isinstance(Knock(scene, bob, patience=0.001).outcome, PeerUndecided)
    scene.verification.questions.ask(scene.key(bob), QUEUED)
    scene.verification.questions.ask(scene.key(bob), ASKED)
    assert len(scene.asked()) == 1


def test_what_the_user_wants_is_no_longer_one_of_the_knocks(identity: Identity, store: Store) -> None:
    """Bob has knocked, and the user writes to him; a flood of knocks cannot take that question away."""
    scene = Scene(identity.certificate, store, replace(LIMITS, knocks=2, knocks_of_one_address=2))
    questions = scene.verification.questions
    bob, carol = scene.known(), scene.known()
    flood = [scene.known() for _ in range(4)]
    for certificate in (flood[0], bob):
        assert questions.ask(scene.key(certificate), KNOCKED, address="10.0.6.6")
    assert questions.ask(scene.key(bob), QUEUED)
    assert questions.ask(scene.key(flood[1]), KNOCKED, address="10.0.6.6")
    assert questions.ask(scene.key(carol), KNOCKED, address="10.0.0.3")
    assert questions.pending(bob.uuid)
    assert questions.pending(carol.uuid)
    assert len(scene.open_questions()) == 3


def test_two_keys_under_one_uuid_are_two_questions(scene: Scene) -> None:
    one = scene.known()
    other = scene.known(one.uuid)
    assert trust_of(scene.store.keys.of(one.uuid)) == "changed"
    for certificate in (one, other):
        scene.verification.questions.ask(scene.key(certificate), KNOCKED)
    assert {q["fingerprint_sha256"] for q in scene.asked()} == {
        one.fingerprint_sha256,
        other.fingerprint_sha256,
    }


def test_after_a_yes_was_taken_back_a_knock_is_refused_and_not_asked(scene: Scene) -> None:
    bob = scene.verified()
    scene.no(bob)
    assert scene.trust(bob) is Trust.UNVERIFIED
    with pytest.raises(PeerUndecided):
        scene.verification.admit(bob, patience=LONG)
    assert scene.asked() == []


def test_after_a_yes_was_taken_back_the_user_can_still_ask(scene: Scene) -> None:
    bob = scene.verified()
    scene.no(bob)
    scene.verification.questions.ask(scene.key(bob), QUEUED)
    assert scene.asked() == []
    scene.verification.questions.ask(scene.key(bob), ASKED)
    assert len(scene.asked()) == 1


@pytest.mark.parametrize("reason", [QUEUED, KNOCKED, ASKED])
def test_an_impostor_beside_a_verified_key_is_never_asked_about(scene: Scene, reason: str) -> None:
    """Something is queued for Bob, who is away, and Mallory announces his UUID with her key."""
    bob = scene.verified()
    mallory = scene.known(bob.uuid)
    scene.verification.questions.ask(scene.key(mallory), reason)
    assert scene.asked() == []
    assert not scene.verification.questions.pending(bob.uuid)


def test_a_yes_ends_the_questions_about_every_other_key_of_that_peer(scene: Scene) -> None:
    bob = scene.known()
    mallory = scene.known(bob.uuid)
    knocks = [Knock(scene, certificate).wait_at_gate() for certificate in (bob, mallory)]
    scene.yes(bob)
    assert scene.open_questions() == []
    assert isinstance(knocks[0].outcome, KnownKey)
    assert isinstance(knocks[1].outcome, CertificateChanged)


def test_the_questions_are_counted_while_none_can_be_added(scene: Scene) -> None:
    bob = scene.known()
    scene.verification.questions.ask(scene.key(bob), QUEUED)
    place, questions = scene.verification.questions.open(scene.events.reserve)
    assert [q.key.certificate for q in questions] == [bob]
    assert place == scene.events.latest


# Races


class Meanwhile:
    """Stands before a part of `Verification`; after the first call of one method, something happens."""

    def __init__(self, part: object, method: str, then: Callable[[], object]) -> None:
        self._part, self._method, self._then = part, method, then

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._part, name)
        if name != self._method:
            return real

        def stale(*args: Any, **named: Any) -> Any:
            self._method = ""
            result = real(*args, **named)
            self._then()
            return result

        return stale


def meanwhile(scene: Scene, part: str, method: str, then: Callable[[], object]) -> None:
    setattr(scene.verification, part, Meanwhile(getattr(scene.verification, part), method, then))


def test_a_yes_between_reading_the_key_and_asking_leaves_no_question_behind(scene: Scene) -> None:
    bob = scene.known()
    meanwhile(scene, "_keys", "find", lambda: scene.yes(bob))
    assert isinstance(Knock(scene, bob).outcome, KnownKey)
    assert scene.asked() == []
    assert scene.open_questions() == []


def test_a_key_that_made_way_between_reading_and_asking_is_not_asked_about(scene: Scene) -> None:
    bob = scene.known()
    meanwhile(scene, "_keys", "find", lambda: scene.verification.forget(bob.uuid))
    assert isinstance(Knock(scene, bob).outcome, CertificateChanged)
    assert scene.open_questions() == []


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_an_answer_between_the_question_and_the_gate_is_heard(scene: Scene, answer: str) -> None:
    bob = scene.known()
    answers: list[None] = []
    meanwhile(scene, "questions", "ask", lambda: answers.append(None))
    real_wait = scene.gates.wait

    def wait(key: str, patience: float, undecided: Callable[[], bool], gone: Callable[[], bool]) -> None:
        getattr(scene, answer)(bob)
        real_wait(key, patience, undecided, gone)

    scene.gates.wait = wait  # type: ignore[method-assign]
    outcome = Knock(scene, bob).outcome
    assert answers  # it had been asked
    assert isinstance(outcome, KnownKey if answer == "yes" else PeerRejected)


def test_no_answer_is_lost_while_many_knock(scene: Scene) -> None:
    certificates = [scene.known() for _ in range(6)]
    knocks = [Knock(scene, certificate).wait_at_gate() for certificate in certificates]
    for certificate in certificates:
        scene.yes(certificate)
    assert [isinstance(knock.outcome, KnownKey) for knock in knocks] == [True] * 6
    assert scene.open_questions() == []


# What only the user can do


def test_what_the_user_compared_must_be_what_is_stored(scene: Scene) -> None:
    bob = scene.known()
    with pytest.raises(FingerprintDiffers):
        scene.verification.say_yes(bob.uuid, "00" * 32, "number")
    assert scene.trust(bob) is Trust.UNVERIFIED


def test_the_sha1_fingerprint_is_not_what_is_compared(scene: Scene) -> None:
    bob = scene.known()
    with pytest.raises(FingerprintDiffers):
        scene.verification.say_yes(bob.uuid, bob.fingerprint, "number")


def test_a_yes_without_a_fingerprint_means_the_only_certificate_there_is(scene: Scene) -> None:
    bob = scene.known()
    scene.verification.say_yes(bob.uuid, None, "click")
    assert (scene.trust(bob), scene.key(bob).method) == (Trust.VERIFIED, "click")


def test_a_yes_without_a_fingerprint_means_nothing_if_there_are_two_or_none(scene: Scene) -> None:
    bob = scene.known()
    scene.known(bob.uuid)
    for uuid in (bob.uuid, make_uuid()):
        with pytest.raises(NoSingleCertificate):
            scene.verification.say_yes(uuid, None, "click")
    assert scene.trust(bob) is Trust.UNVERIFIED


def test_nobody_verifies_himself(scene: Scene) -> None:
    scene.learn(scene.own)
    with pytest.raises(Conflict):
        scene.yes(scene.own)


def test_a_yes_to_another_key_moves_the_trust(scene: Scene) -> None:
    """Bob has a new key, and the user has compared it with him."""
    old = scene.verified()
    new = scene.known(old.uuid)
    scene.yes(new)
    assert (scene.trust(old), scene.trust(new)) == (Trust.REJECTED, Trust.VERIFIED)
    with pytest.raises(PeerRejected):
        scene.verification.admit(old, patience=LONG)


def test_when_trust_moves_where_the_old_key_answered_counts_no_more(scene: Scene) -> None:
    old = scene.verified()
    scene.presence.seen(Announcement(old.uuid, (HOME,), {RoomName("tea"): "tea"}))
    scene.presence.reached(old.uuid, EVIL)
    new = scene.known(old.uuid)
    scene.store.keys.set_answered(scene.key(new), HOME)
    scene.yes(new)
    where = scene.presence.of(old.uuid)
    assert where is not None
    assert where.endpoints == (HOME,)
    assert not scene.presence.is_pinned_at(EVIL.host)


def test_a_yes_is_possible_from_any_state(scene: Scene) -> None:
    bob = scene.known()
    for _ in range(2):
        scene.no(bob)
        assert scene.trust(bob) is Trust.REJECTED
        scene.yes(bob)
        scene.yes(bob)
        assert scene.trust(bob) is Trust.VERIFIED
        scene.no(bob)
        assert scene.trust(bob) is Trust.UNVERIFIED


def test_a_no_takes_one_step_back_at_a_time(scene: Scene) -> None:
    bob = scene.verified()
    steps = []
    for _ in range(3):
        scene.verification.say_no(bob.uuid, None)
        steps.append(scene.trust(bob))
    assert steps == [Trust.UNVERIFIED, Trust.REJECTED, Trust.REJECTED]


def test_a_no_without_a_fingerprint_means_the_verified_key(scene: Scene) -> None:
    bob = scene.verified()
    mallory = scene.known(bob.uuid)
    scene.verification.say_no(bob.uuid, None)
    assert (scene.trust(bob), scene.trust(mallory)) == (Trust.UNVERIFIED, Trust.UNVERIFIED)


def test_a_no_without_a_fingerprint_means_all_keys_if_none_is_verified(scene: Scene) -> None:
    one = scene.known()
    other = scene.known(one.uuid)
    scene.verification.say_no(one.uuid, None)
    assert (scene.trust(one), scene.trust(other)) == (Trust.REJECTED, Trust.REJECTED)


def test_a_no_to_an_impostor_changes_nothing_for_the_verified_key(scene: Scene) -> None:
    bob = scene.verified()
    mallory = scene.known(bob.uuid)
    scene.no(mallory)
    assert (scene.trust(bob), scene.trust(mallory)) == (Trust.VERIFIED, Trust.REJECTED)
    assert scene.verification.pinned(bob.uuid).certificate == bob


def test_a_no_to_somebody_whose_certificate_was_never_seen_is_an_error(scene: Scene) -> None:
    with pytest.raises(NoSingleCertificate):
        scene.verification.say_no(make_uuid(), None)


class OpenConnection:
    """A connection of one key, and whether it was ended."""

    def __init__(self, scene: Scene, certificate: Certificate) -> None:
        ours, self._theirs = socket.socketpair()
        self._connection = scene.connections.open(ours, "10.0.0.2", friend=True)
        assert isinstance(self._connection, Connection)
        scene.connections.identify(self._connection, certificate.fingerprint_sha256, friend=True)

    @property
    def ended(self) -> bool:
        self._theirs.setblocking(False)
        try:
            return self._theirs.recv(1) == b""
        except BlockingIOError:
            return False

    def close(self) -> None:
        self._theirs.close()
        assert self._connection
        self._connection.socket.close()


@pytest.mark.parametrize("withdraw", ["no", "forget", "move"])
def test_open_connections_end_when_trust_is_withdrawn(scene: Scene, withdraw: str) -> None:
    bob, carol = scene.verified(), scene.verified()
    hers, his = OpenConnection(scene, carol), OpenConnection(scene, bob)
    try:
        if withdraw == "no":
            scene.no(bob)
        elif withdraw == "forget":
            scene.verification.forget(bob.uuid)
        else:
            scene.yes(scene.known(bob.uuid))
        assert his.ended
        assert not hers.ended
    finally:
        hers.close()
        his.close()


def test_who_is_forgotten_is_a_stranger(scene: Scene) -> None:
    bob = scene.verified()
    scene.verification.forget(bob.uuid)
    assert scene.verification.find(bob) is None
    assert scene.presence.of(bob.uuid) is None
    with pytest.raises(PeerUndecided):
        scene.verification.pinned(bob.uuid)


# What things may be sent to


def test_things_are_sent_to_the_verified_key_alone(scene: Scene) -> None:
    bob = scene.verified()
    scene.known(bob.uuid)
    assert scene.verification.pinned(bob.uuid).certificate == bob


def test_nothing_is_sent_to_the_undecided_or_the_rejected(scene: Scene) -> None:
    bob = scene.known()
    with pytest.raises(PeerUndecided):
        scene.verification.pinned(bob.uuid)
    scene.no(bob)
    with pytest.raises(PeerRejected):
        scene.verification.pinned(bob.uuid)


# What the network can add, and how much


def test_a_look_never_changes_trust(scene: Scene) -> None:
    bob, carol = scene.verified(), scene.known()
    scene.no(carol)
    for certificate in (bob, carol):
        scene.learn(certificate, "10.6.6.6")
    assert (scene.trust(bob), scene.trust(carol)) == (Trust.VERIFIED, Trust.REJECTED)


def test_a_conflict_leaves_the_verified_key_as_it_was(scene: Scene) -> None:
    bob = scene.verified()
    before = scene.key(bob)
    scene.known(bob.uuid)
    assert scene.key(bob) == before
    assert trust_of(scene.store.keys.of(bob.uuid)) == "verified"


def test_of_one_address_the_longest_unseen_makes_way(scene: Scene) -> None:
    certificates = [make_certificate() for _ in range(5)]
    for certificate in certificates[:4]:
        assert scene.learn(certificate, "10.6.6.6") == []
    scene.learn(certificates[0], "10.6.6.6")  # seen again
    out = scene.learn(certificates[4], "10.6.6.6")
    assert [key.certificate for key in out] == [certificates[1]]
    assert scene.verification.find(certificates[1]) is None


def test_of_all_addresses_the_longest_unseen_makes_way(scene: Scene) -> None:
    certificates = [make_certificate() for _ in range(7)]
    out = [scene.learn(certificate, f"10.0.0.{n}") for n, certificate in enumerate(certificates)]
    assert [[key.certificate for key in each] for each in out] == [[]] * 6 + [[certificates[0]]]


@pytest.mark.parametrize("flooder", ["10.6.6.6", "fe80::{}%2"], ids=["one address", "one /64"])
def test_of_all_addresses_the_one_that_has_most_makes_way_first(scene: Scene, flooder: str) -> None:
    """Bob was here before the flood, and nobody asks about him."""
    bob = make_certificate()
    scene.learn(bob, "10.0.0.2")
    for number in range(4):
        scene.learn(make_certificate(), flooder.format(number))
    carol, dan = make_certificate(), make_certificate()
    assert scene.learn(carol, "10.0.0.3") == []
    out = scene.learn(dan, "10.0.0.4")
    assert [str(key.address).startswith(flooder[:4]) for key in out] == [True]
    assert all(map(scene.verification.find, (bob, carol, dan)))


def test_of_one_uuid_the_longest_unseen_makes_way(scene: Scene) -> None:
    uuid = make_uuid()
    certificates = [make_certificate(uuid) for _ in range(3)]
    out = [scene.learn(certificate, f"10.0.0.{n}") for n, certificate in enumerate(certificates)]
    assert [[key.certificate for key in each] for each in out] == [[], [], [certificates[0]]]


def test_a_flood_never_drives_out_whom_the_user_has_decided_about(scene: Scene) -> None:
    bob, carol = make_certificate(), make_certificate()
    for certificate in (bob, carol):
        scene.learn(certificate, "10.6.6.6")
    scene.yes(bob)
    scene.no(carol)
    for _ in range(12):
        scene.learn(make_certificate(), "10.6.6.6")
    assert (scene.trust(bob), scene.trust(carol)) == (Trust.VERIFIED, Trust.REJECTED)


def test_a_flood_drives_out_who_is_pending_last(scene: Scene) -> None:
    bob = make_certificate()
    scene.learn(bob, "10.6.6.6")
    scene.verification.questions.ask(scene.key(bob), KNOCKED)
    for _ in range(12):
        scene.learn(make_certificate(), "10.6.6.6")
    assert scene.verification.questions.pending(bob.uuid)
    assert scene.trust(bob) is Trust.UNVERIFIED


def test_a_flood_drives_out_for_whom_something_is_queued_last(scene: Scene) -> None:
    bob = make_certificate()
    scene.learn(bob, "10.6.6.6")
    for _ in range(12):
        scene.verification.learn(make_certificate(), "10.6.6.6", lambda uuid: uuid == bob.uuid)
    assert scene.trust(bob) is Trust.UNVERIFIED


def test_among_those_who_are_all_pending_the_new_one_finds_no_place(scene: Scene) -> None:
    for _ in range(4):
        certificate = make_certificate()
        scene.learn(certificate, "10.6.6.6")
        scene.verification.questions.ask(scene.key(certificate), KNOCKED)
    late = make_certificate()
    assert [key.certificate for key in scene.learn(late, "10.6.6.6")] == [late]
    assert scene.verification.find(late) is None


def test_who_made_way_is_asked_about_no_more_and_its_connection_goes_on(scene: Scene) -> None:
    knocks = []
    for _ in range(4):
        certificate = make_certificate()
        scene.learn(certificate, "10.6.6.6")
        knocks.append(Knock(scene, certificate).wait_at_gate())
    scene.learn(make_certificate(), "10.6.6.6", queued=True)
    assert isinstance(knocks[0].outcome, CertificateChanged)
    assert len(scene.open_questions()) == 3

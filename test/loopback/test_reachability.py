"""Why somebody cannot be reached: each reason with a server that really fails so, and how USER tells it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest
from bad_servers import (
    Say,
    closed_port,
    hangs_up,
    nothing_in_common,
    old_tls,
    plain_http,
    resets,
    says_nothing,
    serving,
    speaks_first,
)
from black_holes import black_hole, port_of
from loopback_node import LoopbackNode, befriend
from loopback_peer import HandmadePeer, OwnCertificate
from waiting import wait_until

from cryptochat_lib import peer_client, tls
from cryptochat_lib.attempts import (
    ITSELF,
    LOST,
    NO_ROUTE,
    NO_TLS,
    REFUSED,
    TIMED_OUT,
    TOO_OLD,
    UNDECIDED,
    WRONG_KEY,
    Attempts,
)
from cryptochat_lib.dialing import dial
from cryptochat_lib.errors import CryptoChatError
from cryptochat_lib.identity import parse_certificate
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Announcement, Endpoint, PeerId, RoomName

StartNode = Callable[..., LoopbackNode]
MakePeer = Callable[..., HandmadePeer]

LIMITS = replace(Limits(), connect_seconds=0.2, handshake_seconds=0.2)
PATIENT = replace(Limits(), connect_seconds=10.0, handshake_seconds=10.0)


def looked(endpoint: Endpoint, limits: Limits = PATIENT) -> str | None:
    """What a look at `endpoint` leaves behind."""
    attempts = Attempts()
    with pytest.raises(CryptoChatError):
        peer_client.look(endpoint, limits, attempts)
    return attempts.trouble((endpoint,))


def test_a_port_at_which_nobody_listens_refuses() -> None:
    assert looked(closed_port()) == REFUSED


def test_an_address_that_swallows_everything_times_out() -> None:
    with swallowing() as endpoint:
        assert looked(endpoint, LIMITS) == TIMED_OUT


def test_who_takes_a_connection_and_says_nothing_times_out() -> None:
    with serving(says_nothing) as endpoint:
        assert looked(endpoint, LIMITS) == TIMED_OUT


def test_an_address_to_which_the_system_knows_no_way_has_no_route() -> None:
    assert looked(Endpoint("2001:db8::1", 9)) == NO_ROUTE  # the tests run where there is only loopback


@pytest.mark.parametrize(
    ("say", "why"),
    [
        (plain_http, NO_TLS),
        (speaks_first, NO_TLS),
        (old_tls, TOO_OLD),
        (nothing_in_common, TOO_OLD),
        (hangs_up, LOST),
        (resets, LOST),
    ],
)
def test_whoever_answers_something_else_is_told_by_what_it_says(say: Say, why: str) -> None:
    with serving(say) as endpoint:
        assert looked(endpoint) == why


def test_somebody_with_another_key_than_the_pinned_one_is_the_wrong_one(
    make_peer: MakePeer, shared: LoopbackNode
) -> None:
    bob, mallory, attempts = make_peer(), make_peer(), Attempts()
    pinned = tls.presenting(shared.app.node.outbox._means.identity, parse_certificate(bob.certificate.der))
    with pytest.raises(CryptoChatError):
        dial(lambda: (mallory.endpoint,), pinned, PATIENT, attempts)
    assert attempts.trouble((mallory.endpoint,)) == WRONG_KEY


def test_a_certificate_that_we_would_never_accept_is_not_the_right_key(make_peer: MakePeer) -> None:
    somebody = make_peer(certificate=OwnCertificate("no uuid"))
    assert looked(somebody.endpoint) == WRONG_KEY


def test_our_own_server_is_known_for_ours(shared: LoopbackNode) -> None:
    attempts = Attempts()
    with pytest.raises(CryptoChatError):
        peer_client.look(shared.endpoint, PATIENT, attempts, shared.app.node.server_tls.mark)
    assert attempts.trouble((shared.endpoint,)) == ITSELF


@pytest.mark.parametrize("knows_us", [False, True])
def test_who_has_not_verified_us_is_undecided_whether_or_not_it_has_looked_at_us(
    start_node: StartNode, knows_us: bool
) -> None:
    bob = start_node("Bob", gate_seconds=0.1)
    bob.join("tea")
    if not knows_us:
        bob.app.node.looker.close()
    ada = start_node("Ada")
    ada.join("tea")
    ada.wait_knows(bob.uuid, bob.fingerprint_sha256)
    ada.verify(bob.uuid, bob.fingerprint_sha256)
    ada.send("tea", "hello")
    wait_until(lambda: ada.app.node.attempts.trouble((bob.endpoint,)) == UNDECIDED)


def test_who_takes_back_that_we_are_verified_is_undecided_as_soon_as_we_write(start_node: StartNode) -> None:
    ada, bob = start_node("Ada"), start_node("Bob", gate_seconds=0.1)
    befriend(ada, bob)
    for said in ("not verified any more", "rejected"):
        ada.send("tea", "hello")
        ada.wait_for("delivery", state="delivered")
        assert (ada.user(bob.uuid) or {})["trouble"] is None
        bob.unverify(ada.uuid)
        if said == "rejected":
            bob.unverify(ada.uuid)
        ada.send("tea", said)
        user = wait_until(lambda: (user := ada.user(bob.uuid) or {})["trouble"] and user)
        assert (user["reachability"], user["trouble"]) == ("reachable", "undecided"), said
        assert "peer-undecided" in [one["code"] for one in ada.get("/api/doctor")["findings"]]
        bob.verify(ada.uuid, ada.fingerprint_sha256)
        ada.send("tea", "and now?")
        wait_until(lambda: (ada.user(bob.uuid) or {})["trouble"] is None)


def test_who_is_there_is_reachable_and_who_went_was_seen_a_moment_ago(start_node: StartNode) -> None:
    ada, bob = start_node("Ada"), start_node("Bob")
    befriend(ada, bob)
    ada.send("tea", "hello")
    ada.wait_for("delivery", state="delivered")
    user = ada.user(bob.uuid) or {}
    assert (user["reachability"], user["seen"], user["trouble"]) == ("reachable", None, None)
    bob.stop()
    wait_until(lambda: (ada.user(bob.uuid) or {})["reachability"] == "away")
    left = (ada.user(bob.uuid) or {})["seen"]
    assert left is not None
    ada.send("tea", "are you there?")
    wait_until(lambda: (ada.user(bob.uuid) or {})["trouble"] == REFUSED)
    assert (ada.user(bob.uuid) or {})["seen"] == left
    ada.restart()
    assert (ada.user(bob.uuid) or {})["seen"] is not None
    assert (ada.user(bob.uuid) or {})["reachability"] == "away"


@contextmanager
def swallowing() -> Iterator[Endpoint]:
    with black_hole() as hole:
        yield Endpoint("127.0.0.1", port_of(hole))


def test_who_is_announced_and_does_not_answer_is_silent_with_the_reason_and_an_event_tells_it(
    start_node: StartNode, make_peer: MakePeer
) -> None:
    ada, mallory = start_node("Ada", connect_seconds=0.2, look_again_seconds=30.0), make_peer()
    ada.join("tea")
    with serving(old_tls) as old, serving(plain_http) as plain, swallowing() as hole:
        there = {
            TOO_OLD: old,
            NO_TLS: plain,
            TIMED_OUT: hole,
            REFUSED: closed_port(),
            WRONG_KEY: mallory.endpoint,
        }
        for why, endpoint in there.items():
            uuid = PeerId(_uuid_for(why))
            ada.network.announce(Announcement(uuid, (endpoint,), {RoomName("tea"): "tea"}, why, 1))
        for why in there:
            assert ada.wait_for("users", where=partial(_tells, why))
            user = ada.user(_uuid_for(why)) or {}
            assert (user["reachability"], user["seen"], user["trouble"]) == ("silent", None, why)


def _uuid_for(why: str) -> str:
    digits = hashlib.md5(why.encode(), usedforsecurity=False).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


def _tells(why: str, data: dict[str, list[dict[str, str]]]) -> bool:
    return any(user["trouble"] == why for user in data["users"] if user["uuid"] == _uuid_for(why))

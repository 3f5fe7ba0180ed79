"""The doctor of a running node: what it tries again, how often, and that it answers whatever is broken."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from bad_servers import closed_port, old_tls, says_nothing, serving
from loopback_node import LoopbackNode, befriend
from loopback_peer import HandmadePeer
from waiting import wait_until

from cryptochat_lib.greetings import Exchange
from cryptochat_lib.model import Announcement, Endpoint, PeerId, RoomName

StartNode = Callable[..., LoopbackNode]
SOMEBODY = PeerId("0704411d-699b-4cc0-9a55-6d9b2f1c0a11")


def codes(found: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in found["findings"]]


def announce(
    node: LoopbackNode, endpoint: Endpoint, why: str, uuid: PeerId = SOMEBODY, *more: Endpoint
) -> None:
    """Somebody is announced there, and a look has failed so."""
    node.network.announce(Announcement(uuid, (endpoint, *more), {RoomName("tea"): "tea"}, "Somebody", 1))
    wait_until(lambda: (node.user(uuid) or {}).get("trouble") == why)


def test_who_is_reachable_and_who_is_not_is_found_on_a_node(start_node: StartNode) -> None:
    ada, bob = start_node("Ada", doctor_seconds=0.1), start_node("Bob")
    befriend(ada, bob)
    with serving(old_tls) as endpoint:
        announce(ada, endpoint, "too-old")
        found = ada.get("/api/doctor")
    assert {"loopback-only", "announced", "peer-too-old", "reachable"} <= set(codes(found))
    [reachable] = [one for one in found["findings"] if one["code"] == "reachable"]
    assert reachable["values"]["peers"] == [{"uuid": bob.uuid, "addresses": [str(bob.endpoint)]}]


def test_whoever_does_not_answer_is_tried_once_more(
    start_node: StartNode, make_peer: Callable[..., HandmadePeer]
) -> None:
    ada, mallory = start_node("Ada", look_again_seconds=60.0, doctor_seconds=1.0), make_peer()
    ada.join("tea")
    mallory.hang_up()
    announce(ada, mallory.endpoint, "refused", mallory.uuid)
    old = mallory.endpoint
    with serving(old_tls, old.host, old.port):
        assert "peer-too-old" in codes(ada.get("/api/doctor"))


def test_one_who_answers_with_another_name_is_still_the_wrong_one(
    start_node: StartNode, make_peer: Callable[..., HandmadePeer]
) -> None:
    ada, mallory = start_node("Ada", look_again_seconds=60.0, doctor_seconds=0.5), make_peer()
    ada.join("tea")
    announce(ada, mallory.endpoint, "wrong-key")
    handshakes = mallory.handshakes
    assert "peer-wrong-key" in codes(ada.get("/api/doctor"))
    assert mallory.handshakes == handshakes + 1


def test_an_examination_is_over_in_time_though_somebody_is_silent(start_node: StartNode) -> None:
    ada = start_node("Ada", handshake_seconds=0.1, doctor_seconds=0.5)
    ada.join("tea")
    with serving(says_nothing, "0.0.0.0") as somewhere:
        # Tried one after the other, a quarter of a second apart: all of them together take far longer.
        silent = [Endpoint(f"127.0.0.{number}", somewhere.port) for number in range(10, 24)]
        announce(ada, silent[0], "timed-out", SOMEBODY, *silent[1:])
        began = time.monotonic()
        assert "peer-timed-out" in codes(ada.get("/api/doctor"))
        assert 0.2 <= time.monotonic() - began < 1.5


def test_nothing_is_examined_twice_in_a_moment_and_who_asks_meanwhile_waits(start_node: StartNode) -> None:
    ada = start_node("Ada", doctor_seconds=0.4, doctor_again_seconds=60.0)
    ada.join("tea")
    asked: list[float] = []
    ada.app.node.doctor._discovery.ask = lambda: asked.append(time.monotonic())  # type: ignore[method-assign]
    answers: list[dict[str, Any]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(ada.get("/api/doctor")), name=f"page {number}")
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    announce(ada, closed_port(), "refused")
    answers.append(ada.get("/api/doctor"))
    assert len(asked) == 1
    assert [answer == answers[0] for answer in answers] == [True] * 5


def test_an_old_result_is_not_given_again(start_node: StartNode) -> None:
    ada = start_node("Ada", doctor_seconds=0.1, doctor_again_seconds=0.0)
    ada.join("tea")
    assert "peer-refused" not in codes(ada.get("/api/doctor"))
    announce(ada, closed_port(), "refused")
    assert "peer-refused" in codes(ada.get("/api/doctor"))


def test_what_the_others_say_and_what_the_user_has_added_is_examined(start_node: StartNode) -> None:
    ada, bob = start_node("Ada", doctor_seconds=0.1), start_node("Bob")
    befriend(ada, bob)
    told = Exchange(600.0, True, "timed-out", time.monotonic())
    ada.app.node.greetings.last = lambda uuid: told if uuid == bob.uuid else None  # type: ignore[method-assign]
    ada.post("/api/contacts", {"address": str(closed_port())})
    wait_until(lambda: [one["reason"] for one in ada.get("/api/contacts")["contacts"]] == ["refused"])
    found = codes(ada.get("/api/doctor"))
    assert {"shut-off", "clock-differs", "peer-refused"} <= set(found)


def said_by(node: LoopbackNode, told: Exchange) -> set[str]:
    """What is found if everybody has told us this."""
    node.app.node.greetings.last = lambda _uuid: told  # type: ignore[method-assign]
    return set(codes(node.get("/api/doctor")))


def test_what_was_said_before_the_network_changed_counts_no_more(start_node: StartNode) -> None:
    ada, bob = (start_node(name, doctor_seconds=0.1, doctor_again_seconds=0.0) for name in ("Ada", "Bob"))
    befriend(ada, bob)
    told = Exchange(0.0, True, "answered", time.monotonic())
    assert "can-be-reached" in said_by(ada, told)
    ada.app.node.presence.moved()
    assert "can-be-reached" not in said_by(ada, told)


def test_who_has_just_come_by_itself_is_not_shut_off_whatever_it_says(start_node: StartNode) -> None:
    ada, bob = (start_node(name, doctor_seconds=0.1, doctor_again_seconds=0.0) for name in ("Ada", "Bob"))
    befriend(ada, bob)
    told = Exchange(0.0, True, "timed-out", time.monotonic())
    ada.app.node.greetings.forget(bob.uuid)
    assert "shut-off" in said_by(ada, told)
    ada.app.node.greetings.came(bob.uuid)
    assert not {"shut-off", "shut-off-for-some"} & said_by(ada, told)


def test_whom_the_user_added_elsewhere_is_not_on_our_link(start_node: StartNode) -> None:
    ada, bob = (start_node(name, doctor_seconds=0.1, doctor_again_seconds=0.0) for name in ("Ada", "Bob"))
    befriend(ada, bob)
    node = ada.app.node
    for endpoint in (bob.endpoint, Endpoint("10.9.9.9", 1)):
        node.attempts.note(endpoint, None)
    node.neighbourhood.expect(["10.9.9.9"])
    assert node.doctor._is_near((bob.endpoint,))
    assert not node.doctor._is_near((Endpoint("10.9.9.9", 1),))
    node.attempts.note(bob.endpoint, "refused")
    assert not node.doctor._is_near((bob.endpoint,))


def test_a_strangers_name_does_not_pass_for_a_friends(start_node: StartNode) -> None:
    ada, bob = start_node("Ada", doctor_seconds=0.1), start_node("Somebody")
    befriend(ada, bob)
    announce(ada, closed_port(), "refused")
    [finding] = [one for one in ada.get("/api/doctor")["findings"] if one["code"] == "peer-refused"]
    assert finding["level"] == "notice"
    assert finding["text"].startswith("Somebody who calls itself “Somebody”: ")


def test_the_doctor_answers_when_nothing_works(start_node: StartNode) -> None:
    ada = start_node("Ada", doctor_seconds=0.1)

    def fail(*_arguments: Any) -> Any:
        raise RuntimeError("broken")

    doctor = ada.app.node.doctor
    doctor._discovery.ask = doctor._discovery.health = fail  # type: ignore[method-assign]
    doctor._profile.rooms = doctor._roster.users = fail  # type: ignore[method-assign]
    doctor._contacts = fail
    found = ada.get("/api/doctor")
    what = {one["values"]["what"] for one in found["findings"] if one["code"] == "cannot-tell"}
    assert what == {"discovery", "people", "contacts", "rooms"}
    assert len(found["visible"]) == 8

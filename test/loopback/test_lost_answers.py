"""The receiver has stored it, and the sender does not know: two real nodes, and a cable between them.

What is sent again carries the same id, so it is stored and shown once, after a restart too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from loopback_network import FakeNetwork
from loopback_node import LoopbackNode, befriend
from waiting import wait_until
from wire_cutter import WireCutter

from cryptochat_lib.model import Announcement, RoomName

StartNode = Callable[..., LoopbackNode]
Pair = tuple[LoopbackNode, LoopbackNode, WireCutter]


@pytest.fixture
def pair(start_node: StartNode, network: FakeNetwork) -> Iterator[Pair]:
    """Ada, who knows only the cable's address for Bob; Bob; and the cable."""
    ada, bob = start_node("Ada"), start_node("Bob")
    with WireCutter(bob.endpoint) as cable:
        network.withhold(bob.uuid, but=at_the_cable(bob, cable))
        befriend(ada, bob)
        ada.wait_delivery(ada.send("tea", "before"), bob.uuid, "delivered")
        yield ada, bob, cable


def at_the_cable(bob: LoopbackNode, cable: WireCutter) -> Announcement:
    return Announcement(bob.uuid, (cable.endpoint,), {RoomName("tea"): "tea"}, version=1)


def contents(node: LoopbackNode) -> list[str]:
    return [message["content"] for message in node.history("tea")]


def send_unanswered(pair: Pair, count: int) -> list[str]:
    """Ada sends, Bob stores and shows it all, and she waits for his answer."""
    ada, bob, cable = pair
    cable.lose_answers = True
    said = [str(number) for number in range(count)]
    sent = [ada.send("tea", content) for content in said]
    bob.wait_message(said[0])
    wait_until(lambda: cable.lost > 0)
    assert (ada.delivery(sent[0], bob.uuid) or {})["state"] == "waiting"
    return said


def test_an_answer_cut_after_the_commit_shows_the_message_once(pair: Pair) -> None:
    ada, bob, cable = pair
    said = send_unanswered(pair, 5)
    cable.lose_answers = False
    cable.cut()
    ada.wait_delivery(ada.history("tea")[-1], bob.uuid, "delivered")
    assert contents(bob) == ["before", *said]
    assert [event["content"] for event in bob.seen("messages")] == ["before", *said]


def test_the_same_where_the_sender_has_restarted_meanwhile(pair: Pair) -> None:
    ada, bob, cable = pair
    said = send_unanswered(pair, 5)
    ada.stop()
    cable.lose_answers = False
    ada.start()
    ada.wait_delivery(ada.history("tea")[-1], bob.uuid, "delivered")
    assert contents(bob) == ["before", *said]
    assert [event["content"] for event in bob.seen("messages")] == ["before", *said]


def test_the_same_where_the_receiver_has_restarted_meanwhile(pair: Pair) -> None:
    ada, bob, cable = pair
    said = send_unanswered(pair, 5)
    bob.stop()
    cable.lose_answers = False
    bob.start()
    cable.target = bob.endpoint
    cable.cut()
    ada.wait_delivery(ada.history("tea")[-1], bob.uuid, "delivered")
    assert contents(bob) == ["before", *said]


def test_one_lost_answer_after_the_other_still_shows_each_message_once(pair: Pair) -> None:
    ada, bob, cable = pair
    said = send_unanswered(pair, 3)
    for _ in range(3):
        before = cable.lost
        cable.cut()
        wait_until(lambda before=before: cable.lost > before, what="she did not try again")
    cable.lose_answers = False
    cable.cut()
    ada.wait_delivery(ada.history("tea")[-1], bob.uuid, "delivered")
    assert contents(bob) == ["before", *said]


def test_an_announcement_without_a_version_takes_no_ids_from_one_of_ours(
    start_node: StartNode, network: FakeNetwork
) -> None:
    """Bob's UUID is made from his key, so he knows ids, whatever is said of him."""
    ada, bob = start_node("Ada"), start_node("Bob")
    forged = Announcement(bob.uuid, (bob.endpoint,), {RoomName("tea"): "tea"}, version=0)
    network.withhold(bob.uuid, but=forged)
    befriend(ada, bob)
    ada.wait_delivery(ada.send("tea", "hello"), bob.uuid, "delivered")
    assert bob.wait_message("hello")["sent"] is not None  # only our form says when

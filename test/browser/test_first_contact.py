"""Two strangers meet in two browsers: they compare, say yes, and talk."""

from __future__ import annotations

from chromium import Page
from friends import StartNode, wait_knows
from lab import Lan
from nodes import Node


def meet(lan: Lan, start_node: StartNode, start_chromium, room: str) -> tuple[Node, Page, Node, Page]:
    """Ada and Bob, strangers in one room, each in front of a page."""
    ada, bob = start_node(lan.hosts[0], "Ada"), start_node(lan.hosts[1], "Bob")
    hers, his = start_chromium(lan.hosts[0]).open(ada), start_chromium(lan.hosts[1]).open(bob)
    hers.join(room)
    his.wait_text(".rooms", room)  # discovered, by mDNS
    his.click(".room button")
    his.wait_text(".conversation-head h2", room)
    hers.wait_text(".people", "calls itself “Bob”")
    wait_knows(ada, bob)
    wait_knows(bob, ada)
    return ada, hers, bob, his


def test_from_strangers_to_a_conversation_both_ways(lan, start_node, start_chromium):
    ada, hers, bob, his = meet(lan, start_node, start_chromium, "kitchen")

    hers.write("hello, stranger")
    hers.wait_text(".progress", "not delivered yet")
    hers.wait_text(".questions", "You have written something for them")
    assert not his.all(".questions"), "Bob can't be asked before Ada has presented her certificate"

    hers.click(".questions .primary")
    hers.wait_text(".will-send", "1 waiting message is sent")
    hers.compare(bob.uuid, his.read_out(ada.uuid))
    hers.wait_text(f"[data-uuid='{bob.uuid}'] .status", "verified")
    hers.wait_gone(".questions")

    his.wait_text(".questions", "They tried to reach you")
    assert not his.all(".card"), "unread until Bob says yes"
    his.compare(ada.uuid, hers.read_out(bob.uuid))
    his.wait_text(f"[data-uuid='{ada.uuid}'] .trusted", "compared keys")

    his.wait_text(".card .content", "hello, stranger")
    hers.wait_text(".progress.done", "delivered")
    his.write("hello, Ada")
    hers.wait_text(".card:not(.own) .content", "hello, Ada")
    hers.write("no more questions")
    his.wait_text(".card:not(.own) .content", "no more questions")
    assert not hers.all(".questions")
    assert not his.all(".questions")
    assert hers.texts(".card:not(.own) .tag") == ["Bob"]
    assert set(his.texts(".card:not(.own) .method")) == {"by number"}


def test_two_groups_that_differ_verify_nobody(lan, start_node, start_chromium):
    ada, hers, bob, _his = meet(lan, start_node, start_chromium, "hall")
    hers.compare(bob.uuid, ["00000"] * 12)
    hers.wait_text(".verification .warning", "do not trust this key")
    assert ada.status(bob.uuid) == "unverified"
    positions = [field.get_attribute("data-position") for field in hers.asked_groups(bob.uuid)]
    assert len(set(positions)) == 2


def test_the_groups_that_are_asked_for_are_covered_on_ones_own_screen(lan, start_node, start_chromium):
    _ada, hers, bob, _his = meet(lan, start_node, start_chromium, "cellar")
    asked = [field.get_attribute("data-position") for field in hers.asked_groups(bob.uuid)]
    hers.click(".reading summary")
    covered = [item.get_attribute("data-group") for item in hers.all(".number-grid .covered")]
    assert covered == asked
    assert len(hers.texts(".number-grid .digits")) == 10


def test_a_click_verifies_and_says_so_and_can_be_taken_back(lan, start_node, start_chromium):
    ada, hers, bob, _his = meet(lan, start_node, start_chromium, "garden")
    person = f"[data-uuid='{bob.uuid}']"
    hers.open_person(bob.uuid)
    hers.click(".other-way summary")
    hers.click(".other-way button")
    hers.wait_text(f"{person} .trusted", "compared keys")
    assert ada.status(bob.uuid) == "verified"

    hers.click(f"{person} .confirm button")  # Stop trusting
    hers.click(f"{person} .confirm .danger")
    hers.wait_text(f"{person} .status", "not verified")
    assert ada.status(bob.uuid) == "unverified"

    hers.click(f"{person} .confirm button")  # Refuse this key
    hers.click(f"{person} .confirm .danger")
    hers.wait_text(f"{person} .warning", "You have refused this key")
    assert ada.status(bob.uuid) == "rejected"


def test_both_screens_show_the_same_number_and_the_keys_exact_names(lan, start_node, start_chromium):
    ada, hers, bob, his = meet(lan, start_node, start_chromium, "attic")
    assert hers.read_out(bob.uuid) == his.read_out(ada.uuid) == ada.user(bob.uuid)["safety_number"].split()
    hers.click(f"[data-uuid='{bob.uuid}'] .key-details summary")
    shown = {kind: hers.texts(f".person .{kind}")[0].replace(" ", "") for kind in ("uuid", "sha256", "sha1")}
    assert shown == {"uuid": bob.uuid, "sha256": bob.fingerprint_sha256, "sha1": bob.fingerprint}

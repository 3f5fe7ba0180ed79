"""Who wants to be taken for somebody else: what the page says of it, without getting in the way."""

from __future__ import annotations

import shutil

from friends import befriend, wait_knows
from nodes import Node

LIKE_BOB = "\u0412ob"  # with a Cyrillic letter


def test_a_stranger_with_a_friends_name_knocks_quietly_and_is_marked(lan, start_node, start_chromium):
    ada, bob = start_node(lan.hosts[0], "Ada"), start_node(lan.hosts[1], "Bob")
    befriend(ada, bob, "tea")
    bob.send("tea", "it is me")
    eve = start_node(lan.hosts[1], LIKE_BOB)
    eve.join("tea")
    page = start_chromium(lan.hosts[0]).open(ada)
    page.wait_text(
        f"[data-uuid='{eve.uuid}'] .lookalike", "looks like the name of Bob, whom you have verified"
    )
    page.wait_text(".composer .readers", "Verify whoever calls itself")
    for one, other in ((ada, eve), (eve, ada)):
        wait_knows(one, other)
    eve.verify(ada.uuid, ada.fingerprint_sha256)
    eve.send("tea", "it is me, too")
    page.wait_text(".questions", "They tried to reach you")
    page.wait_text(".questions .lookalike", "this is somebody else")
    [question] = ada.seen("verification", uuid=eve.uuid, reason="knocked")
    assert question["address"] in page.texts(".questions .since")[0]
    assert page.one(".questions time").get_attribute("datetime") == question["time"]
    assert not page.all("dialog, [role=dialog], [aria-modal]"), "nothing gets in front of what the user does"
    assert not page.all(f"[data-uuid='{bob.uuid}'] .lookalike")
    eve.request("PUT", "/api/info", {"username": "Ada"})
    page.wait_text(f"[data-uuid='{eve.uuid}'] .lookalike", "looks like your own name")


def test_a_second_machine_with_our_identity_is_said_on_the_page(
    lan, start_node, start_chromium, tmp_path_factory
):
    ada = start_node(lan.hosts[0], "Ada")
    ada.stop()
    copy = tmp_path_factory.mktemp("copy") / "copy.db"
    shutil.copy(ada.database, copy)
    ada.start()
    page = start_chromium(lan.hosts[0]).open(ada)
    assert not page.all(".is-clone")
    with Node(lan.hosts[1], copy):
        page.wait_text(".banner.is-clone", "a copy of your identity", timeout=20)

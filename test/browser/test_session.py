"""The token in the page: where it is, and how a tab survives a reload and a restart of the program."""

from __future__ import annotations

import pytest

RESTART = (
    "ERR_CONNECTION_REFUSED",
    "ERR_CONNECTION_RESET",
    "ERR_INCOMPLETE_CHUNKED_ENCODING",
    "ERR_EMPTY_RESPONSE",
    "401 (Unauthorized)",
)


@pytest.fixture
def ada(lan, start_node):
    # A port that stays: after a restart the program is where the page expects it.
    return start_node(lan.hosts[0], "Ada", options=("--uiaddr", "127.0.0.1:9080"))


def test_the_token_leaves_the_address_at_once_and_is_kept_in_this_tab_alone(lan, ada, start_chromium):
    page = start_chromium(lan.hosts[0]).open(ada)
    page.wait_text(".identity", "Ada")
    assert page.run("return location.href") == "http://127.0.0.1:9080/"
    assert page.run("return Object.values(sessionStorage)").count(ada.token) == 1
    assert page.run("return [localStorage.length, document.cookie]") == [0, ""]
    assert page.run("return (await caches.keys()).length") == 0
    assert page.run("return (await indexedDB.databases()).length") == 0


def test_a_reload_keeps_the_session_the_room_and_what_was_typed(lan, ada, start_chromium):
    page = start_chromium(lan.hosts[0]).open(ada)
    page.join("study")
    page.join("tea")
    page.write("said")
    page.one(".composer textarea").send_keys("not yet sa")
    page.goto("http://127.0.0.1:9080/")
    page.wait_text(".conversation-head h2", "tea")
    page.wait_text(".card.own .content", "said")
    assert page.one(".composer textarea").get_attribute("value") == "not yet sa"


def test_a_tab_without_a_token_says_where_to_get_one(lan, ada, start_chromium):
    page = start_chromium(lan.hosts[0]).open(ada, fragment="")
    page.wait_text(".banner.is-none", "the link that CryptoChat printed")
    assert not page.all(".parts")


def test_a_second_tab_takes_the_token_from_the_first(lan, ada, start_chromium):
    chromium = start_chromium(lan.hosts[0])
    chromium.open(ada).wait_text(".identity", "Ada")
    chromium.open(ada, fragment="").wait_text(".identity", "Ada")


def test_a_token_that_is_not_the_programs_opens_nothing(lan, ada, start_chromium):
    chromium = start_chromium(lan.hosts[0])
    chromium.allow("401 (Unauthorized)")
    page = chromium.open(ada, fragment="#token=" + "x" * 43)
    page.wait_text(".banner.is-restarted", "the link that it printed")
    assert not page.all(".parts")
    assert page.run("return sessionStorage.getItem('cryptochat.token')") is None


def test_a_code_that_is_used_or_unknown_is_said_to_be(lan, ada, start_chromium):
    chromium = start_chromium(lan.hosts[0])
    chromium.allow("/api/session")
    chromium.open(ada, fragment="#open=" + "x" * 43).wait_text(".banner.is-used-link", "used already")


def test_a_restart_of_the_program_is_said_and_survived_by_every_tab(lan, ada, start_chromium):
    chromium = start_chromium(lan.hosts[0])
    first = chromium.open(ada)
    first.join("tea")
    first.write("before")
    first.one(".composer textarea").send_keys("half a sen")
    second = chromium.open(ada)
    second.wait_text(".card .content", "before")
    chromium.allow(*RESTART)

    ada.stop()
    first.wait_text(".banner.is-lost", "CryptoChat is not answering")
    ada.start()
    first.wait_text(".banner.is-restarted", "CryptoChat was restarted", timeout=15)
    second.wait_text(".banner.is-restarted", "CryptoChat was restarted", timeout=15)
    assert ada.token not in first.run("return Object.values(sessionStorage)")

    second.goto(f"http://127.0.0.1:9080/#token={ada.token}")  # the fragment alone changes: no reload
    second.wait_text(".banner.is-returned", "CryptoChat is back")
    first.wait_gone(".banner.is-restarted")
    assert first.one(".composer textarea").get_attribute("value") == "half a sen"
    ada.send("tea", "after")
    for page in (first, second):
        page.wait_text(".card .content", "after")
        assert page.texts(".card .content") == ["before", "after"], "nothing lost, nothing twice"

"""What happens to the browser and to the program, the page goes on, and nothing that was typed is lost."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.keys import Keys

FORBIDDEN = """
    for (const name of ["localStorage", "sessionStorage"]) {
        const area = window[name];
        Object.defineProperty(window, name, { get() {
            if (window.over) return area; // the test asks it for violations of the policy
            throw new DOMException("no", "SecurityError"); } });
    }"""
FULL = """
    Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };"""
# A minute without a sign is two seconds here.
QUICK_SILENCE = """
    const later = window.setTimeout;
    window.setTimeout = (act, time, ...more) => later(act, time === 40_000 ? 2_000 : time, ...more);"""


QUICK_LOOKS = """
    const again = window.setInterval, now = performance.now.bind(performance);
    window.setInterval = (act, time, ...more) => again(act, time === 10_000 ? 300 : time, ...more);
    performance.now = () => now() * 30;"""


@pytest.fixture
def ada(lan, start_node):
    ada = start_node(lan.hosts[0], "Ada")
    ada.join("tea")
    ada.join("toast")
    return ada


@pytest.fixture
def chromium(lan, start_chromium):
    return start_chromium(lan.hosts[0])


def open_with(chromium, ada, script):
    page = chromium.open(ada, fragment="")
    page.before_anything(script)
    page.driver.refresh()
    page.goto(f"http://127.0.0.1:{ada.ui_port}/#token={ada.token}")
    return page


def typed(page):
    return page.run("return document.querySelector('.composer textarea').value")


@pytest.mark.parametrize("script", [FORBIDDEN, FULL], ids=["forbidden", "full"])
def test_a_browser_that_keeps_nothing_keeps_what_is_typed_all_the_same(chromium, ada, script):
    page = open_with(chromium, ada, script)
    page.click(".rooms li:nth-child(1) button")
    page.one(".composer textarea").send_keys("half a sent")
    page.click(".rooms li:nth-child(2) button")
    page.wait_text(".conversation-head h2", "toast")
    assert typed(page) == ""
    page.click(".rooms li:nth-child(1) button")
    page.wait_text(".conversation-head h2", "tea")
    assert typed(page) == "half a sent"
    page.one(".composer textarea").send_keys("ence" + Keys.ENTER)
    page.wait_text(".card.own .content", "half a sentence")
    page.run("window.over = true")


def test_two_tabs_type_at_once_and_neither_takes_the_others_words(chromium, ada):
    one, other = chromium.open(ada), chromium.open(ada)
    for page in (one, other):
        page.wait_text(".conversation-head h2", "tea")
    one.one(".composer textarea").send_keys("from the one")
    other.one(".composer textarea").send_keys("from the other")
    one.driver.refresh()
    one.wait(lambda: one.all(".composer textarea"), "the field")
    assert [typed(one), typed(other)] == ["from the one", "from the other"]
    one.one(".composer textarea").send_keys(Keys.ENTER)
    other.wait_text(".card .content", "from the one")
    assert typed(other) == "from the other"
    other.one(".composer textarea").send_keys(Keys.ENTER)
    for page in (one, other):
        page.wait_text(".card .content", "from the other")
        assert page.texts(".card .content") == ["from the one", "from the other"]


def test_a_leading_tab_that_says_nothing_any_more_loses_the_lead(chromium, ada):
    stuck = chromium.open(ada, fragment="")
    stuck.run("navigator.locks.request('cryptochat.events', () => new Promise(() => {})).catch(() => {})")
    page = open_with(chromium, ada, QUICK_LOOKS)
    page.wait_text(".conversation-head h2", "tea")
    page.write("all by itself")


def test_a_stream_that_died_in_silence_is_noticed_and_goes_on_with_nothing_lost(chromium, ada):
    chromium.allow("/api/")
    page = open_with(chromium, ada, QUICK_SILENCE)
    page.wait_text(".conversation-head h2", "tea")
    page.write("before it slept")
    ada.freeze()
    page.wait_text(".banner", "CryptoChat is not answering")
    page.one(".composer textarea").send_keys("typed meanwhile")
    ada.thaw()
    page.wait_gone(".is-lost")
    ada.send("tea", "after it woke")
    page.wait_text(".card .content", "after it woke")
    assert page.texts(".card .content") == ["before it slept", "after it woke"]
    assert typed(page) == "typed meanwhile"

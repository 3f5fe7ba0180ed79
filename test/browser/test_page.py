"""What one person does with the page."""

from __future__ import annotations

import pytest
from friends import wait_knows
from selenium.webdriver.common.keys import Keys


@pytest.fixture
def ada(lan, start_node):
    return start_node(lan.hosts[0], "Ada")


@pytest.fixture
def chromium(lan, start_chromium):
    return start_chromium(lan.hosts[0])


@pytest.fixture
def page(ada, chromium):
    return chromium.open(ada)


def test_a_newcomer_is_told_what_it_is_who_is_near_and_what_to_do(lan, page, start_node):
    page.wait_text(".welcome", "straight from your computer to theirs, encrypted")
    page.wait_text(".near", "People appear here when CryptoChat runs on their computers")
    page.wait_text(".rooms .empty", "Make one below")
    start_node(lan.hosts[1], "Bob").join("board games")
    page.wait_text(".near", "Near you now: “Bob”")
    page.wait_text(".welcome button", "Join board games")
    page.click(".make-room")
    assert page.run("return document.activeElement.matches('.new-room input')")
    page.wait_text(".new-room", "Names of rooms are public")
    page.driver.switch_to.active_element.send_keys("a room of my own" + Keys.ENTER)
    page.wait_text(".scroller .empty", "Run CryptoChat on another computer of this network")
    page.wait_text(".readers", "Nobody else is here")


def test_the_history_is_read_upwards_page_by_page(ada, page):
    ada.join("long")
    for number in range(120):
        ada.send("long", f"line {number}")
    page.wait_text(".rooms", "long")
    page.click(".room")
    page.wait_text(".card .content", "line 119")
    assert page.run(
        "const s = document.querySelector('.scroller'); "
        "return s.scrollHeight - s.scrollTop - s.clientHeight < 2"
    ), "at the newest"
    for _ in range(3):
        page.wait(lambda: not page.texts(".edge") or "Loading" not in page.texts(".edge")[0], "still loading")
        page.run("document.querySelector('.scroller').scrollTop = 0")
    page.wait_text(".edge", "where the room begins")
    assert page.texts(".card .content") == [f"line {number}" for number in range(120)]


def test_everything_from_joining_to_sending_is_done_by_keyboard(page):
    page.wait_text(".identity", "Ada")

    def tab_to(selector):
        for _ in range(30):
            page.driver.switch_to.active_element.send_keys(Keys.TAB)
            if page.run("return document.activeElement.matches(given)", selector):
                style = page.run("return getComputedStyle(document.activeElement).outlineStyle")
                assert style != "none", "the focus is visible"
                return page.driver.switch_to.active_element
        raise AssertionError(f"{selector} is not reached by Tab")

    tab_to(".new-room input").send_keys("by hand" + Keys.ENTER)
    page.wait_text(".conversation-head h2", "by hand")
    field = page.driver.switch_to.active_element
    assert field.get_attribute("name") == "message", "who opens a room wants to write"
    field.send_keys("no mouse" + Keys.SHIFT + Keys.ENTER + Keys.NULL + "two lines" + Keys.ENTER)
    page.wait_text(".card.own .content", "no mouse\ntwo lines")
    assert page.run("return document.activeElement.matches('.composer textarea')"), "one goes on typing"


def test_ones_name_is_changed_and_a_bad_one_is_explained(ada, chromium, page):
    page.click(".edit-name")
    page.fill(".identity-panel input", "Ada Lovelace" + Keys.ENTER)
    page.wait_text(".identity .tag", "Ada Lovelace")
    assert ada.get("/api/info")["username"] == "Ada Lovelace"
    chromium.allow("/api/info")  # the refusal that follows
    page.click(".edit-name")
    page.fill(".identity-panel input", "   " + Keys.ENTER)
    page.wait_text(".identity-panel .problem", "name")
    assert page.texts(".identity > .tag") == ["Ada Lovelace"]


def test_rooms_are_joined_left_and_any_name_is_taken_as_it_is(ada, page):
    for name in ("a/b?c#d%2e&e=f", "Küche ☕", "__proto__"):
        page.join(name)
        page.write(f"in {name}")
    page.wait(lambda: len(page.all("button.room")) == 3, "three rooms")
    assert {room["name"] for room in ada.get("/api/rooms")["rooms"] if room["joined"]} == {
        "a/b?c#d%2e&e=f",
        "Küche ☕",
        "__proto__",
    }
    page.click(".conversation-head .confirm button")
    page.click(".conversation-head .danger")
    page.wait_text(".conversation", "Talk to people on this network")
    page.wait(lambda: len(page.all("button.room")) == 2, "two rooms are left")


def test_what_cannot_be_done_is_said_beside_it_and_nothing_typed_is_lost(page):
    page.join("tea")
    page.fill(".new-room input", ".." + Keys.ENTER)
    page.wait_text(".new-room .problem", "cannot open a room of this name")
    long = "x" * (64 * 1024 + 1)
    page.run(
        "const field = document.querySelector('.composer textarea'); field.value = given;"
        "field.dispatchEvent(new Event('input'))",
        long,
    )
    page.one(".composer textarea").send_keys(Keys.ENTER)
    page.wait_text(".composer .problem", "too long for one message")
    assert page.one(".composer textarea").get_attribute("value") == long


def test_a_narrow_screen_shows_one_part_at_a_time_and_never_scrolls_sideways(page):
    page.join("a room whose name is rather long for a narrow screen")
    page.write("w" * 300)
    page.resize(390, 844)
    for number, part in enumerate((".rooms", ".conversation", ".people"), start=1):
        page.click(f".view-switch button:nth-child({number})")
        shown = page.run(
            "return [...document.querySelectorAll('.part')].filter((p) => p.checkVisibility())"
            ".map((p) => p.matches(given))",
            part,
        )
        assert shown == [True]
        assert page.run("return document.documentElement.scrollWidth") <= 390


def test_the_event_parser_gives_the_same_wherever_the_stream_is_cut(page):
    stream = (
        "id: 1\r\ndata: a\r\n\r\n: comment\r\n\r\nevent: users\nid: 2\ndata: b\ndata:c\n\n"
        "event: x\n\rdata: d\r\r\n"
    )
    expected = [
        {"event": "message", "data": "a", "id": "1"},
        {"event": "users", "data": "b\nc", "id": "2"},
        {"event": "message", "data": "d", "id": "2"},
    ]
    results = page.run(
        """
        const { EventParser } = await import("/sse.js");
        const stream = given, results = [];
        for (let cut = 0; cut <= stream.length; cut += 1) {
            const parser = new EventParser();
            results.push([...parser.feed(stream.slice(0, cut)), ...parser.feed(stream.slice(cut))]);
        }
        return results;""",
        stream,
    )
    assert all(result == expected for result in results)


def test_every_pair_of_positions_is_asked_for(page):
    pairs = page.run("""
        const { twoPositions } = await import("/safety.js");
        return [...new Set(Array.from({ length: 5000 }, () => twoPositions(12).join()))];""")
    assert len(pairs) == 66


def test_what_a_stranger_queued_for_is_not_a_box_in_the_way(lan, ada, page, start_node):
    bob = start_node(lan.hosts[1], "Bob")
    page.join("tea")
    bob.join("tea")
    wait_knows(ada, bob)
    wait_knows(bob, ada)
    field = page.one(".composer textarea")
    field.send_keys("I am typing ")
    bob.verify(ada.uuid, ada.fingerprint_sha256)
    bob.send("tea", "knock knock")
    page.wait_text(".questions", "They tried to reach you")
    page.driver.switch_to.active_element.send_keys("and go on")
    assert field.get_attribute("value") == "I am typing and go on"
    page.click(".questions .row button:not(.primary)")
    page.wait_gone(".questions")
    assert ada.status(bob.uuid) == "rejected"

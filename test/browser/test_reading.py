"""Where one reads: what is new, what was, how one finds it again, and how the page asks one to look."""

from __future__ import annotations

import pytest
from friends import befriend
from selenium.webdriver.common.keys import Keys

ROOM = "where they met"
PLACE = """
    const scroller = document.querySelector(".scroller"), top = scroller.getBoundingClientRect().top;
    const place = (one) => one.getBoundingClientRect();
    const card = [...document.querySelectorAll(".card")].find((one) => place(one).bottom > top);
    return { text: card.querySelector(".content").innerText, top: Math.round(place(card).top - top) };"""
IN_VIEW = """
    const scroller = document.querySelector(".scroller").getBoundingClientRect();
    return [...document.querySelectorAll(given)].some((one) => {
        const { top, bottom } = one.getBoundingClientRect();
        return top >= scroller.top - 1 && bottom <= scroller.bottom + 1; });"""
NO_EYES = """
    window.looks = true;
    Object.defineProperty(document, "visibilityState", { get: () => (window.looks ? "visible" : "hidden") });
    window.look = (looks) => { window.looks = looks; document.dispatchEvent(new Event("visibilitychange")); };
    window.notices = [];
    class Notice {
        static permission = "default";
        static requestPermission() { return Promise.resolve((Notice.permission = "granted")); }
        constructor(title, options) { window.notices.push([title, options.body, options.tag]); }
        close() {}
    }
    window.Notification = Notice;"""
STREAMS = """
    window.streams = 0;
    const reach = window.fetch;
    window.fetch = (where, how) => {
        if (where === "/api/events") window.streams += 1;
        return reach(where, how);
    };"""


@pytest.fixture
def ada(lan, start_node):
    return start_node(lan.hosts[0], "Ada")


@pytest.fixture
def bob(lan, ada, start_node):
    bob = start_node(lan.hosts[1], "Bob")
    befriend(ada, bob)
    return bob


@pytest.fixture
def chromium(lan, start_chromium):
    return start_chromium(lan.hosts[0])


def unread(node, room=ROOM):
    return next(one["unread"] for one in node.get("/api/read")["rooms"] if one["room"] == room)


def test_a_room_opens_where_one_has_stopped_reading_and_each_page_knows_how_far_that_is(ada, bob, chromium):
    ada.join("a quiet room")
    page = chromium.open(ada)
    page.wait_text(".conversation-head h2", "a quiet room")
    for number in range(150):
        bob.send(ROOM, f"line {number}")
    page.wait_text(".room .count", "150")
    page.wait(lambda: page.driver.title == "(150) CryptoChat", "the title says it too")

    page.click(".rooms li:nth-child(2) button")
    page.wait_text(".new-line", "New")
    page.wait_text(".card .content", "line 0")
    assert page.run(IN_VIEW, ".new-line"), "it opens at what is new"
    assert 0 < unread(ada) < 150, "only what was in view is read"

    other = chromium.open(ada)
    other.wait_text(".room .count", str(unread(ada)))
    page.click(".to-newest")
    page.wait_text(".card .content", "line 149")
    page.wait(lambda: unread(ada) == 0, "all is read at the newest")
    other.wait(lambda: not other.all(".room .count"), "the other page knows it")
    page.wait(lambda: page.driver.title == "CryptoChat", "the title too")


def test_a_long_history_is_a_window_that_moves_and_nothing_moves_under_the_reader(ada, bob, chromium):
    ada.join("long")
    for number in range(420):
        ada.send("long", f"line {number}")
    page = chromium.open(ada)
    page.wait_text(".rooms", "long")
    page.click(".rooms li button")
    page.wait_text(".card .content", "line 419")

    def up_to(text):
        page.run("document.querySelector('.scroller').scrollTop = 400")
        before = page.run(PLACE)
        page.wait(lambda: page.texts(".card .content")[0] != first, "an earlier page")
        assert page.run(PLACE) == before, "what one reads stays where it is"
        assert len(page.all(".card")) <= 200
        return text in page.texts(".card .content")

    first = page.texts(".card .content")[0]
    while not up_to("line 0"):
        first = page.texts(".card .content")[0]
    assert "line 419" not in page.texts(".card .content"), "the window has moved on"

    before = page.run(PLACE)
    ada.send("long", "while one reads above")
    page.wait(lambda: page.all(".to-newest"), "a way back")
    assert page.run(PLACE) == before
    page.click(".to-newest")
    page.wait_text(".card .content", "while one reads above")
    assert page.run(IN_VIEW, ".card:last-child")

    # Back down from far above, page by page.
    page.run("document.querySelector('.scroller').scrollTop = 0")
    page.wait(lambda: page.run("return document.querySelectorAll('.card').length") > 50, "an earlier page")
    page.one(".composer textarea").send_keys("my own" + Keys.ENTER)
    page.wait_text(".card.own .content", "my own")
    page.wait(lambda: page.run(IN_VIEW, ".card:last-child"), "one's own message is in view")


def test_rooms_are_switched_quickly_while_messages_come_and_each_has_its_own_whole_and_once(
    ada, bob, chromium
):
    for node in (ada, bob):
        node.join("another")
    for node, other in ((ada, bob), (bob, ada)):
        node.wait_member("another", other.uuid, online=True)
    page = chromium.open(ada)
    page.wait_text(".rooms", "another")
    for number in range(60):
        bob.send((ROOM, "another")[number // 3 % 2], f"line {number}")
        page.run("document.querySelectorAll('button.room')[given].click()", number % 2)
    for at, room in enumerate(("another", ROOM)):
        ada.wait_message("line 59" if room == "another" else "line 56")
        page.run("document.querySelectorAll('button.room')[given].click()", at)
        page.wait_text(".conversation-head h2", room)
        if page.all(".to-newest"):
            page.run("document.querySelector('.to-newest')?.click()")
        page.wait(lambda: page.run(IN_VIEW, ".card:last-child"), "its newest")
        whole = [message["content"] for message in ada.history(room)]
        assert page.texts(".card .content") == whole
        assert len(whole) == len(set(whole)) == 30


def test_words_are_searched_for_and_the_page_goes_to_the_place(ada, chromium):
    ada.join("long")
    ada.join("short")
    ada.send("long", "the first word about Grüße and kettles")
    for number in range(230):
        ada.send("long", f"line {number}")
    ada.send("short", "GRUSSE again")
    page = chromium.open(ada)
    page.wait_text(".rooms", "short")
    page.one("body").send_keys(Keys.CONTROL + "k")
    page.one("input[type=search]").send_keys("grusse")
    page.wait(lambda: len(page.all(".hit")) == 2, "both, newest first")
    assert page.texts(".hit mark") == ["GRUSSE", "Grüße"]
    page.driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN + Keys.NULL)
    page.driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN + Keys.NULL)
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    page.wait_text(".conversation-head h2", "long")
    page.wait_text(".card .content", "about Grüße")
    page.wait(
        lambda: page.run("return document.activeElement.innerText").count("kettles") == 1, "it is there"
    )
    assert page.run(IN_VIEW, ".card:focus")
    assert "line 229" not in page.texts(".card .content"), "with what was around it, and no more"
    page.one("body").send_keys(Keys.CONTROL + "k")
    page.fill("input[type=search]", "nosuchword")
    page.wait_text("[role=status]", "Nothing with “nosuchword”")


def test_who_comes_and_goes_is_announced_and_who_is_named_can_see_it(ada, bob, chromium):
    page = chromium.open(ada)
    page.wait_text(".conversation-head h2", ROOM)
    page.wait_text(".readers", "1 person: 1 verified")
    bob.send(ROOM, "@ada: do you hear me? And @adam?")
    page.wait_text(".card mark", "@ada")
    assert page.texts(".card mark") == ["@ada"]
    assert page.texts(".card .method") == ["by number"]
    bob.leave(ROOM)
    page.wait_text(".coming", "Now leaving: Bob")
    bob.join(ROOM)
    page.wait_text(".coming", "Now entering: Bob")
    assert len(page.all(".coming")) == 1, "one line, however often"
    spoken = page.run("return document.querySelector('[role=log]').innerText")
    assert "Bob: @ada: do you hear me?" in spoken
    assert "Now entering: Bob" in spoken
    assert not page.run("return document.querySelector('[role=log] time')"), "times are not read out"

    page.one(".composer textarea").send_keys("hello @bo")
    page.wait_text("[role=option]", "Bob")
    page.one(".composer textarea").send_keys(Keys.ENTER)
    assert page.run("return document.querySelector('.composer textarea').value") == "hello @Bob "
    page.one(".composer textarea").send_keys("!" + Keys.ENTER)
    page.wait_text(".card.own .content", "hello @Bob !")


def test_notices_are_asked_for_after_the_first_message_and_say_who_and_where_once(ada, bob, chromium):
    pages = [chromium.open(ada), chromium.open(ada)]
    for page in pages:
        page.before_anything(NO_EYES)
        page.driver.refresh()
        page.wait_text(".conversation-head h2", ROOM)
    first, second = pages
    assert not first.all(".ask-notifications")
    first.write("is anybody there?")
    first.click(".ask-notifications .allow")
    first.wait_gone(".ask-notifications")
    second.front()
    second.run("Notification.permission = 'granted'")
    second.driver.refresh()
    second.wait_text(".card .content", "is anybody there?")
    second.run("Notification.permission = 'granted'")

    bob.send(ROOM, "while somebody looks")
    for page in pages:
        page.wait_text(".card .content", "while somebody looks")
    assert [page.run("return window.notices.length") for page in pages] == [0, 0]
    for page in pages:
        page.run("window.look(false)")
    bob.send(ROOM, "while nobody looks: a secret")
    for page in pages:
        page.wait_text(".card .content", "a secret")
    first.wait(lambda: first.run("return window.notices.length") == 1, "one notice")
    assert first.run("return window.notices") == [["Bob has written", f"in {ROOM}", ROOM]]
    assert second.run("return window.notices") == []
    assert unread(ada) > 0, "nobody has looked"
    first.run("window.look(true)")
    first.wait_text(".new-line", "New")
    first.wait(lambda: unread(ada) == 0, "now somebody has")


def test_all_tabs_share_one_stream_and_the_next_goes_on_where_the_first_was_closed(ada, bob, chromium):
    pages = []
    for _ in range(3):
        page = chromium.open(ada)
        page.before_anything(STREAMS)
        page.driver.refresh()
        page.wait_text(".conversation-head h2", ROOM)
        pages.append(page)
    bob.send(ROOM, "to all tabs")
    for page in pages:
        page.wait_text(".card .content", "to all tabs")
    streams = [page.run("return window.streams") for page in pages]
    assert sum(streams[1:]) <= 1, "each tab that was reloaded has let the stream go to another"
    leader = next(page for page, count in zip(pages, streams, strict=True) if count and page_leads(page))
    rest = [page for page in pages if page is not leader]
    leader.front()
    leader.driver.close()
    chromium.pages.remove(leader)
    rest[0].driver.switch_to.window(rest[0].handle)
    bob.send(ROOM, "after the first was closed")
    for page in rest:
        page.wait_text(".card .content", "after the first was closed")
        assert page.texts(".card .content").count("to all tabs") == 1
    assert sum(page_leads(page) for page in rest) == 1


def page_leads(page):
    """Whether the tab holds the lock, by the browser's own word."""
    return page.run(
        "const mine = (await navigator.locks.query()).held.find((lock) => lock.name === 'cryptochat.events');"
        "const me = await new Promise((done) => navigator.locks.request('who', async () =>"
        " done((await navigator.locks.query()).held.find((lock) => lock.name === 'who').clientId)));"
        "return mine?.clientId === me"
    )


def test_keys_lead_everywhere_and_are_listed(ada, chromium):
    for room in ("first", "second"):
        ada.join(room)
    page = chromium.open(ada)
    page.wait_text(".conversation-head h2", "first")
    page.one(".composer textarea").send_keys(Keys.ALT + Keys.ARROW_DOWN)
    page.wait_text(".conversation-head h2", "second")
    page.one("body").send_keys(Keys.ALT + Keys.ARROW_UP)
    page.wait_text(".conversation-head h2", "first")
    page.one("body").send_keys(Keys.CONTROL + ".")
    page.one(".board")
    page.one("body").send_keys(Keys.CONTROL + ".")
    page.wait_gone(".board")
    page.one("body").send_keys(Keys.CONTROL + "/")
    page.wait_text(".keys-list", "The next room")
    page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.wait_gone("dialog")


def test_a_window_of_a_history_is_whole_whatever_comes_while_a_page_is_on_its_way(page_of_words):
    found = page_of_words.run(
        """
        const { History, MOST, PAGE } = await import("/history.js");
        const said = (from, count) => Array.from({ length: count }, (_, at) => ({ id: String(from + at) }));
        const span = ({ messages }) => [messages[0]?.id, messages.at(-1)?.id, messages.length];
        const later = () => {
            const { promise, resolve } = Promise.withResolvers();
            return [promise, resolve];
        };
        const found = {};

        const one = new History();
        const [newest, giveNewest] = later();
        const loading = one.load(() => newest, (page) => one.putNewest(page));
        one.add({ id: "150" }, false);
        giveNewest(said(100, PAGE));
        await loading;
        found.cameMeanwhile = span(one);
        one.add({ id: "150" }, false);
        found.onceOnly = span(one);

        one.putPage(said(0, PAGE), { whole: true, newer: true });
        const [end, giveEnd] = later();
        const toEnd = one.load(() => end, (page) => one.putNewest(page));
        one.add({ id: "151" }, false);
        giveEnd(said(101, PAGE));
        await toEnd;
        found.fromFarAbove = span(one);

        const two = new History();
        two.putPage(said(500, PAGE), { whole: false, newer: false });
        const [early, giveEarly] = later();
        const earlier = two.load(() => early, (page) => two.putEarlier(page));
        await two.load(async () => said(0, PAGE), (page) => two.putPage(page, { whole: true, newer: true }));
        giveEarly(said(450, PAGE));
        await earlier;
        found.lastAskedWins = [...span(two), two.loading];

        const three = new History();
        three.putPage(said(0, MOST), { whole: false, newer: false });
        three.add({ id: "200" }, true);
        found.notUnderTheEyes = [...span(three), three.newer];
        three.putPage(said(0, MOST), { whole: true, newer: false });
        three.add({ id: "200" }, false);
        found.theOldestGoes = [...span(three), three.whole];
        three.putEarlier(said(-49, PAGE));
        found.theNewestGoes = [...span(three), three.newer];
        three.putLater(said(151, 40));
        found.andComesBack = [...span(three), three.newer, three.whole];
        return found;"""
    )
    assert found == {
        "cameMeanwhile": ["100", "150", 51],
        "onceOnly": ["100", "150", 51],
        "fromFarAbove": ["101", "151", 51],
        "lastAskedWins": ["0", "49", 50, False],
        "notUnderTheEyes": ["0", "199", 200, True],
        "theOldestGoes": ["1", "200", 200, False],
        "theNewestGoes": ["-49", "150", 200, True],
        "andComesBack": ["-9", "190", 200, False, False],
    }


@pytest.fixture
def page_of_words(ada, chromium):
    return chromium.open(ada)

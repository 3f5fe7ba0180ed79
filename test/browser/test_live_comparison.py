"""Two people who are both there compare live: what each screen shows, and what it takes to say yes."""

from __future__ import annotations

import pytest
from chromium import Page
from friends import wait_knows
from nodes import Node
from seed_process import SeedProcess
from selenium.webdriver.common.keys import Keys

from cryptochat_lib.ceremony import COLOURS, SHAPES
from cryptochat_lib.limits import Limits

ROOM = "kitchen"


@pytest.fixture(scope="module")
def nodes(lan, tmp_path_factory):
    """Ada and Bob, who know each other's keys and no more."""
    folder = tmp_path_factory.mktemp("nodes")
    with (
        Node(lan.hosts[0], folder / "ada.db", username="Ada") as ada,
        Node(lan.hosts[1], folder / "bob.db", username="Bob") as bob,
    ):
        for node in (ada, bob):
            node.join(ROOM)
        wait_knows(ada, bob)
        wait_knows(bob, ada)
        yield ada, bob


@pytest.fixture
def screens(lan, nodes, start_node, start_chromium):
    """The two pages, each with the other person's card open; nobody has verified anybody."""
    pages = [start_chromium(host).open(node) for host, node in zip(lan.hosts, nodes, strict=False)]
    for page, one, other in zip(pages, nodes, reversed(nodes), strict=True):
        one.request("DELETE", f"/api/users/{other.uuid}/comparison")
        if one.status(other.uuid) != "unverified":  # what was decided about a key goes only with the key
            one.request("DELETE", f"/api/users/{other.uuid}")
            one.post(f"/api/users/{other.uuid}/look")
            wait_knows(one, other)
        page.open_person(other.uuid)
        page.wait_text(".live-comparison", "side by side or on the phone")
    return pages


def show_result(hers: Page, his: Page) -> None:
    """Both press "Compare now"."""
    hers.click(".live-comparison .compare-now")
    his.wait_text(".questions", "They have pressed Compare now")
    his.click(".questions .compare-now")
    for page in (hers, his):
        page.one(".nine-digits")


def test_both_press_both_see_the_same_both_say_so_and_messages_pass(nodes, screens):
    ada, bob = nodes
    hers, his = screens
    his.write("may I come in?")
    his.one(".composer textarea").send_keys("I am typing ")

    button = hers.one(".live-comparison .compare-now")
    button.send_keys(Keys.ENTER)
    hers.wait_text(".live-comparison [role=status]", "“Bob” has to press Compare now too")
    hers.wait_text(".live-comparison [role=timer]", "1:5")
    assert hers.run("return document.activeElement.closest('.live-comparison') !== null"), "the focus stays"

    his.wait_text(".live-comparison [role=status]", "“Ada” has pressed Compare now and waits for you")
    his.wait_text(".questions", "They have pressed Compare now")
    his.driver.switch_to.active_element.send_keys("and go on")
    typed = his.one(".composer textarea").get_attribute("value")
    assert typed == "I am typing and go on", "it is no box in the way"
    his.one(".questions .compare-now").send_keys(Keys.ENTER)
    his.wait_text(".live-comparison .will-send", "1 waiting message is sent")
    assert his.run("return document.activeElement.closest('.live-comparison') !== null"), "the focus follows"

    hers.wait_text(".live-comparison [role=status]", "Does “Bob”'s screen show exactly this")
    seen = [
        (page.texts(".nine-digits span"), page.texts(".part-of-picture"), len(page.all(".drawing")))
        for page in (hers, his)
    ]
    assert seen[0] == seen[1]
    digits, words, drawings = seen[0]
    assert [len(group) for group in digits] == [3, 3, 3]
    assert len(words) == drawings == 4
    spoken = hers.one(".nine-digits").get_attribute("aria-label")
    assert spoken is not None
    assert [digit for digit in spoken if digit.isdigit()] == list("".join(digits))
    assert (ada.status(bob.uuid), bob.status(ada.uuid)) == ("unverified", "unverified")
    hers.resize(390, 844)
    hers.click(".view-switch button:nth-child(3)")
    assert hers.run(
        "return [document.documentElement, document.querySelector('.people'), "
        "...document.querySelectorAll('.live-comparison, .part-of-picture')]"
        ".every((part) => part.scrollWidth <= part.clientWidth + 1)"
    ), "it fits a narrow screen"
    hers.resize(1280, 800)

    for page in (hers, his):
        page.wait(lambda page=page: page.one(".same").is_enabled(), "it can't be said")
        page.click(".same")
        page.wait_text(".live-comparison [role=status]", "both screens showed the same")
        page.wait_text(".person.open .trusted", "compared keys")
    hers.wait_text(".card .content", "may I come in?")
    assert hers.texts(".card .method")[0] == "live"
    hers.write("do!")
    his.wait_text(".card:not(.own) .content", "do!")
    assert ada.get(f"/api/rooms/{ROOM}/messages")["messages"][0]["method"] == "ceremony"


def test_a_double_click_cannot_say_the_same_and_screens_that_differ_verify_nobody_and_warn(nodes, screens):
    ada, bob = nodes
    hers, his = screens
    hers.run(
        """globalThis.seen = [];
        new MutationObserver(() => {
            const same = document.querySelector(".same");
            if (same && seen.length === 0) { seen.push(same.disabled); same.click(); }
        }).observe(document.body, { subtree: true, childList: true });"""
    )
    show_result(hers, his)
    hers.wait(lambda: hers.run("return seen") == [True], "enabled at once")
    assert hers.run("return (await import('/components/trust/live-comparison.js')).LOOK_FOR") >= 2000

    hers.wait(lambda: hers.one(".same").is_enabled(), "it can't be said")
    hers.run(
        """
        const { state } = await import("/store.js");
        const user = state.users.get(given);
        state.users.set(given, { ...user, comparison: { ...user.comparison, digits: "000 000 000" } });""",
        bob.uuid,
    )
    hers.wait(lambda: not hers.one(".same").is_enabled(), "another result is to be looked at anew")
    hers.click(".different")
    hers.wait_text(".live-comparison [role=alert]", "somebody may sit between you")
    hers.wait_text(".live-comparison [role=alert]", "Do not trust this key")
    hers.wait(lambda: ada.user(bob.uuid)["comparison"] is None, "the result is still there")
    hers.click(".person.open .person-row")  # closed, and opened again
    hers.wait_gone(".live-comparison")
    hers.click(f"[data-uuid='{bob.uuid}'] .person-row")
    hers.wait_text(".live-comparison [role=alert]", "somebody may sit between you")
    assert ada.status(bob.uuid) == "unverified"
    # Refuse this key; wherever it is: that he knocks may be said above it at any moment.
    hers.one(".live-comparison .confirm button")
    hers.run("document.querySelector('.live-comparison .confirm button').click()")
    hers.one(".live-comparison .confirm .danger")
    hers.run("document.querySelector('.live-comparison .confirm .danger').click()")
    hers.wait_text(".person.open .warning", "You have refused this key")
    hers.wait_gone(".live-comparison")
    assert ada.status(bob.uuid) == "rejected"
    his.click(".cancel")
    his.wait_text(".live-comparison", "Then both press Compare now")
    assert bob.status(ada.uuid) == "unverified"


def test_one_cancels_or_it_fails_and_both_screens_say_so(nodes, screens):
    ada, bob = nodes
    hers, his = screens
    hers.click(".live-comparison .compare-now")
    his.wait_text(".live-comparison", "“Ada” has pressed Compare now")
    hers.click(".live-comparison .cancel")
    hers.wait_text(".live-comparison", "Then both press Compare now")
    his.wait_text(".live-comparison", "Then both press Compare now")
    assert not his.all(".questions .compare-now"), "what was cancelled is gone from the other screen"

    bob.request("DELETE", f"/api/users/{ada.uuid}/verify")
    hers.click(".live-comparison .compare-now")
    hers.wait_text(".live-comparison [role=alert]", "There is no result: they have rejected you.")
    bob.verify(ada.uuid, ada.fingerprint_sha256)
    hers.click(".live-comparison .compare-now")
    hers.wait_text(".live-comparison", "“Bob” has to press Compare now too")
    assert ada.status(bob.uuid) == "unverified"


def test_one_who_has_verified_is_asked_again_without_losing_it(nodes, screens):
    ada, bob = nodes
    hers, his = screens
    bob.verify(ada.uuid, ada.fingerprint_sha256)
    his.wait_text(".live-comparison", "Does “Ada” still have to verify you?")
    hers.click(".live-comparison .compare-now")
    his.wait_text(".questions", "They have pressed Compare now")
    assert his.texts(".questions button") == ["Compare now"], "no button takes trust back unasked"
    his.click(".questions .compare-now")
    his.click(".different")
    his.wait_text(".live-comparison [role=alert]", "Stop trusting this key")
    assert bob.status(ada.uuid) == "verified"


def test_a_program_that_does_not_know_it_is_said_to_be_one(lan, nodes, start_chromium, tmp_path):
    ada, _bob = nodes
    hers = start_chromium(lan.hosts[0]).open(ada)
    with SeedProcess(lan.hosts[1], tmp_path / "seed.json", rooms=[ROOM]) as seed:
        wait_knows(ada, seed)
        start_chromium(lan.hosts[0]).allow(f"/api/users/{seed.uuid}/comparison")  # the refusal that follows
        hers.open_person(seed.uuid)
        hers.click(f"[data-uuid='{seed.uuid}'] .compare-now")
        hers.wait_text(".live-comparison .problem", "their program does not know this comparison")


def test_what_another_key_of_that_uuid_has_come_to_is_not_shown_on_the_card(lan, nodes, start_chromium):
    ada, bob = nodes
    hers = start_chromium(lan.hosts[0]).open(ada)
    hers.open_person(bob.uuid)
    hers.one(".live-comparison")
    hers.run(
        """
        const { state } = await import("/store.js");
        const { nextTick } = await import("/vendor/vue.js");
        const user = state.users.get(given);
        const comparison = { state: "shown", digits: "123 456 789", picture: [], reason: null };
        for (const key of [user.fingerprint_sha256, user.fingerprint_sha256.replace(/^./, "x")]) {
            state.users.set(given, { ...user, comparison: { ...comparison, fingerprint_sha256: key } });
            await nextTick();
            (globalThis.seen ??= []).push(document.querySelectorAll(".nine-digits").length);
        }""",
        bob.uuid,
    )
    assert hers.run("return seen") == [1, 0]


def test_every_shape_and_colour_is_drawn_and_stands_out_and_any_other_name_is_only_words(
    lan, nodes, start_chromium
):
    hers = start_chromium(lan.hosts[0]).open(nodes[0])
    drawn = hers.run(
        """
        const { COLOURS, SHAPES } = await import("/shapes.js");
        const { WAITS_SECONDS } = await import("/components/trust/live-comparison.js");
        const { picture } = await import("/components/trust/picture.js");
        const { createApp } = await import("/vendor/vue.js");
        const place = document.createElement("div");
        document.body.append(place);
        const names = [["<b>kite", "red"], ["kite", "red; x"], ["__proto__", "red"], ["star", "toString"]];
        const parts = names.map(([shape, colour]) => ({ shape, colour }));
        const app = createApp({ render: () => picture(parts) });
        app.mount(place);
        const shown = [place.querySelectorAll("svg, b").length, place.innerText];
        app.unmount();
        place.remove();
        return { shapes: [...SHAPES.keys()], colours: [...COLOURS], waits: WAITS_SECONDS, shown };"""
    )
    assert sorted(drawn["shapes"]) == sorted(SHAPES)
    assert sorted(drawn["colours"]) == sorted(COLOURS)
    assert drawn["waits"] == Limits().comparison_seconds
    drawings, text = drawn["shown"]
    assert drawings == 0
    assert "red <b>kite" in text

    for scheme in ("light", "dark"):
        hers.resize(1280, 800, scheme)
        check_contrast(hers, scheme)
    hers.resize(1280, 800)


def check_contrast(page: Page, scheme: str) -> None:
    """WCAG 2.2, 1.4.11: 3:1 between what lies next to each other, from the style in force."""
    tokens = page.run(
        """
        const style = getComputedStyle(document.documentElement);
        const probe = document.body.appendChild(document.createElement("i"));
        const toys = given.map((name) => {
            probe.className = `colour-${name}`;
            return [name, getComputedStyle(probe).getPropertyValue("--toy")];
        });
        probe.remove();
        const [line, ground] = ["--toy-line", "--panel"].map((name) => style.getPropertyValue(name));
        return { toys, line, ground };""",
        list(COLOURS),
    )
    for name, toy in tokens["toys"]:
        assert contrast(toy, tokens["line"]) >= 3, f"{scheme}: {name} and its outline"
        outlined = max(contrast(toy, tokens["ground"]), contrast(tokens["line"], tokens["ground"]))
        assert outlined >= 3, f"{scheme}: {name} on its ground"


def contrast(one: str, other: str) -> float:
    """The contrast of two colours `#rrggbb`, as WCAG defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour.strip()[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

"""axe-core finds nothing in any view, in light and dark, wide and narrow, and written from the right."""

from __future__ import annotations

from importlib import resources

import pytest
from friends import befriend, wait_knows
from selenium.webdriver.common.keys import Keys

AXE = resources.files("selenium_axe_python").joinpath("axe-core", "axe.min.js").read_text("utf-8")
# What WCAG 2.2 AA asks for, and what the authors of axe-core hold to be good practice.
ASK = """
    const runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const { violations } = await axe.run({ runOnly });
    const told = (nodes) => nodes.map((node) => node.html.slice(0, 160)).join(" | ");
    return violations.map(({ id, nodes }) => `${id}: ${told(nodes)}`);"""
WIDE, NARROW = (1280, 800), (390, 844)
ROOM = "where they met"


@pytest.fixture
def page(lan, start_node, start_chromium):
    ada = start_node(lan.hosts[0], "Ada")
    bob = start_node(lan.hosts[1], "Bob")
    cleo = start_node(lan.hosts[1], "Cleo")
    page = start_chromium(lan.hosts[0]).open(ada)
    page.wait_text(".welcome", "Talk to people")
    befriend(ada, bob)
    cleo.join(ROOM)
    cleo.join("darkroom")
    wait_knows(ada, cleo)
    bob.send(ROOM, "Hello @Ada, how is the kettle?")
    stroke = {"points": [100, 100, 300, 200], "width": 12, "colour": "#1f6fd0", "time": [0, 400]}
    for said in ("a line", "the same line"):
        drawn = {"content": said, "kind": "drawing", "drawing": {"strokes": [stroke]}}
        bob.post(f"/api/rooms/{ROOM.replace(' ', '%20')}/message", drawn)
    ada.send(ROOM, "On its way")
    page.cleo = cleo
    return page


def look(page, view):
    """In both themes, and as wide as a desk and as narrow as a phone."""
    if not page.run("return 'axe' in globalThis"):
        page.driver.execute_script(AXE)
    for size in (WIDE, NARROW):
        for scheme in ("light", "dark"):
            page.resize(*size, scheme)
            assert page.run(ASK) == [], f"{view}, {size}, {scheme}"
            assert page.run("return document.documentElement.scrollWidth <= innerWidth"), f"{view}, {size}"
    page.resize(*WIDE)


def test_nothing_keeps_anybody_out_in_any_view(page):
    look(page, "without a room")
    page.click(".rooms li button")
    page.wait_text(".card .content", "On its way")
    page.click(".card.own .progress button")
    page.one(".drawn")
    look(page, "the conversation")
    for part in (1, 3):
        page.resize(*NARROW)
        page.click(f".view-switch button:nth-child({part})")
        look(page, f"part {part} of a narrow screen")
    page.resize(*WIDE)
    page.open_person(page.cleo.uuid)
    page.run("document.querySelectorAll('.person details').forEach((one) => { one.open = true })")
    look(page, "verifying somebody")
    page.click(".edit-name")
    look(page, "oneself")
    page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.run("document.querySelector('.view-switch button:nth-child(2)').click()")
    page.click(".composer .draw")
    page.one(".board")
    look(page, "the pen")
    page.click(".composer .draw")
    for door, shown in (
        (".add-someone", ".own-code .qr"),
        (".ask-doctor", ".finding"),
        (".open-flip-book", ".flip-book"),
        (".open-keys", ".keys-list"),
        (".open-search", "input[type=search]"),
    ):
        page.run("document.querySelector(given).click()", door)
        page.one(shown)
        if door == ".open-search":
            page.one("input[type=search]").send_keys("kettle")
            page.one(".hit mark")
        if door == ".ask-doctor":
            page.wait_gone("[aria-disabled=true]")
        look(page, shown)
        page.click(".dialog-close")
        page.wait_gone("dialog")
    page.run("localStorage.setItem('cryptochat.language', 'ar')")
    page.driver.refresh()
    page.wait_text(".card .content", "On its way")
    look(page, "in Arabic")
    page.run("localStorage.clear()")

"""Adding somebody by a code or an address, as the page shows it."""

from __future__ import annotations

import pytest
from quiet_program import BOB, QuietProgram, contact, person
from selenium.webdriver.common.keys import Keys

from cryptochat_lib.errors import CryptoChatError

FIELD, ADD = ".their-code textarea", ".their-code button.primary"


@pytest.fixture
def program(lan, tmp_path):
    with QuietProgram(lan.hosts[0], tmp_path) as program:
        yield program


@pytest.fixture
def chromium(lan, start_chromium):
    return start_chromium(lan.hosts[0])


@pytest.fixture
def page(program, chromium):
    page = chromium.open(program)
    page.click(".add-someone")
    page.one(".own-code .qr")
    return page


def refusal(status: int, code: str) -> CryptoChatError:
    error = CryptoChatError("the program's own words")
    error.status, error.code = status, code
    return error


def test_what_will_happen_is_said_before_anything_is_sent(program, page):
    assert not page.all(".will-happen")
    assert page.texts(ADD) == ["Add"]
    for typed, said, button in (
        ("10.0.0.5:4242", "An address verifies nobody", "Look there"),
        ("[fe80::1]:4242", "An address verifies nobody", "Look there"),
        ("bobs-laptop.local:4242", "An address verifies nobody", "Look there"),
        ("cryptochat:abcd-efgh", "This verifies whoever this code belongs to", "Verify and add"),
        ("http://127.0.0.1:9080/#add=ABCD", "This verifies whoever this code belongs to", "Verify and add"),
        ("cryptochat:abcd 10.0.0.5:4242", "This verifies whoever this code belongs to", "Verify and add"),
        ("10.0.0.5:4242 cryptochat:abcd", "This verifies whoever this code belongs to", "Verify and add"),
    ):
        page.fill(FIELD, typed)
        page.wait_text(".will-happen", said)
        assert page.texts(ADD) == [button]
    assert program.given == []


def test_a_code_and_an_address_are_asked_for_in_their_own_way(program, page):
    page.fill(FIELD, "  CRYPTOCHAT:ABCD  ")
    page.click(ADD)
    page.wait_text(".added", "Looking for them at 10.0.0.5:4242")
    assert page.one(FIELD).get_attribute("value") == ""
    page.fill(FIELD, "10.0.0.5:4242" + Keys.ENTER)
    page.wait(lambda: len(program.given) == 2, "not sent")
    assert program.given == [{"code": "CRYPTOCHAT:ABCD"}, {"address": "10.0.0.5:4242"}]


def test_what_is_wrong_with_a_code_is_said_beside_it_and_it_stays_to_be_mended(program, chromium, page):
    chromium.allow("/api/contacts")
    page.fill(FIELD, Keys.ENTER)
    page.wait_text(".their-code .problem", "Paste a contact code")
    for status, code, typed, said in (
        (400, "malformed", "hello", "This is no contact code"),
        (400, "malformed", "host:99999", "This is no address"),
        (400, "damaged-code", "cryptochat:x", "wrong or missing"),
        (400, "newer-code", "cryptochat:x", "a newer CryptoChat"),
        (409, "own-code", "cryptochat:x", "your own code"),
        (409, "too-many-contacts", "cryptochat:x", "64 people already"),
        (503, "storage-failed", "cryptochat:x", "the program's own words"),
    ):
        program.answer = refusal(status, code)
        page.fill(FIELD, typed)
        page.click(ADD)
        page.wait_text(".their-code .problem", said)
        assert page.one(FIELD).get_attribute("value") == typed
    assert not page.all(".contact")


def test_who_was_added_is_listed_with_what_has_come_of_it_until_they_are_found(program, chromium):
    program.contacts = [contact(by="code", uuid=BOB, reason="timed-out"), contact(id="c2")]
    page = chromium.open(program)
    page.wait_text(
        "[data-contact=c1]",
        "at 10.0.0.5:4242: nobody answers there (timed out). It is tried again by itself.",
    )
    page.wait_text("[data-contact=c1]", "somebody (22222222)")
    program.see(person())
    program.tell("contacts", {"contacts": [contact(by="code", uuid=BOB, state="found")], "gone": ["c2"]})
    page.wait_text(".contacts [role=status] .contact", "Verified by code")
    page.wait_gone("[data-contact=c2]")
    page.click(".contacts .contact button")  # Show
    page.wait_text(f"[data-uuid='{BOB}'] .trusted", "by their contact code")
    page.wait_gone(".contacts .contact")
    page.click(".added-at button")
    page.wait_gone(".added-at")
    assert program.removed == ["c1"]


def test_somebody_found_by_an_address_is_not_said_to_be_verified(program, page):
    page.fill(FIELD, "10.0.0.5:4242" + Keys.ENTER)
    page.wait_text(".added", "Looking for them")
    program.see(person(status="unverified", username_verified=False))
    program.tell("contacts", {"contacts": [contact(uuid=BOB, state="found")], "gone": []})
    page.wait_text(".added", "nobody is verified by an address")
    page.wait_text(".added .contact-who", "calls itself “Bob”")
    program.see(person())  # whom we have verified in another way
    page.wait(lambda: page.texts(".added .contact-who") == ["Bob"], "not the name that is known")
    assert "Verified by code" not in page.texts(".added")[0]


def test_who_is_not_found_can_be_removed(program, chromium):
    program.contacts = [contact()]
    page = chromium.open(program)
    page.click(".contact .remove")
    page.wait_gone(".contact")
    assert program.removed == ["c1"]
    assert page.run("return document.activeElement.matches('.add-someone')"), "the focus is not lost"


def test_the_dialog_takes_the_focus_keeps_it_and_gives_it_back(program, chromium):
    page = chromium.open(program)
    for door, dialog in ((".add-someone", "dialog.add"), (".ask-doctor", "dialog.doctor")):
        page.one(door).send_keys(Keys.ENTER)
        page.one(dialog)
        for _ in range(6):
            inside = page.run(
                "return document.activeElement === document.body || !!document.activeElement.closest(given)",
                dialog,
            )
            assert inside
            page.driver.switch_to.active_element.send_keys(Keys.TAB)
        page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        page.wait_gone("dialog")
        assert page.run("return document.activeElement.matches(given)", door)


def test_ones_code_and_link_are_copied_and_can_be_selected(program, page):
    page.click(".own-code summary")
    for button, text in ((1, program.code["code"]), (2, program.code["link"])):
        page.run("document.querySelectorAll('.own-code .copy button')[given].focus()", button - 1)
        page.driver.switch_to.active_element.send_keys(Keys.ENTER)
        page.wait_text(".own-code .copy [role=status]", "Copied")
        page.one(FIELD).clear()
        page.one(FIELD).send_keys(Keys.CONTROL + "v")
        assert page.one(FIELD).get_attribute("value") == text
    page.one(".own-code .whole").click()
    assert page.run("return getSelection().toString()") == program.code["code"]


def test_a_link_only_shows_its_code_with_the_question_where_it_comes_from(program, chromium):
    page = chromium.open(program, f"#token={program.token}")
    page.one(".doors")
    page.run("location.hash = 'add=CRYPTOCHAT:ABCD'")
    page.wait_text(".caution", "anybody can make such a link")
    assert page.one(FIELD).get_attribute("value") == "CRYPTOCHAT:ABCD"
    page.wait_text(".will-happen", "This verifies")
    assert page.run("return location.href").endswith(f":{program.ui_port}/")
    page.wait(lambda: page.one(ADD).is_enabled(), "never to be pressed")
    assert page.run("return document.activeElement.id") == "add-title", "no field that Enter sends"
    for key in (Keys.ENTER, Keys.SPACE):  # meant for what was there before
        page.driver.switch_to.active_element.send_keys(key)
    assert program.given == []
    page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.wait_gone("dialog")
    page.click(".add-someone")
    assert page.one(FIELD).get_attribute("value") == "", "what was put away stays away"
    assert program.given == []


def test_a_link_in_a_tab_without_a_token_waits_for_one(program, chromium):
    page = chromium.open(program, "#add=CRYPTOCHAT:ABCD")
    page.wait_text(".banner", "The contact code from the link is kept")
    assert page.run("return location.hash") == ""
    chromium.open(program).one(".doors")  # this tab has the token, and hands it on
    page.wait_text(".caution", "anybody can make such a link")
    page.click(".their-code h3")  # a window that comes to the front begins to count anew
    page.wait(lambda: page.one(ADD).is_enabled(), "too early to add")
    page.run("dispatchEvent(new Event('focus'))")
    page.wait(lambda: not page.one(ADD).is_enabled(), "what was over this window went away just now")
    page.wait(lambda: page.one(ADD).is_enabled(), "too early to add")
    page.click(ADD)
    page.wait_text(".added", "Looking for them")
    assert program.given == [{"code": "CRYPTOCHAT:ABCD"}]

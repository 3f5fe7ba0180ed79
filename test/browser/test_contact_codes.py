"""Two people give each other their contact codes, each in front of a page."""

from __future__ import annotations

import io

import zxingcpp
from PIL import Image

FIELD, ADD = ".their-code textarea", ".their-code button.primary"


def shown_code(page):
    """What a person reads from the page and gives to somebody."""
    page.click(".add-someone")
    page.one(".own-code .qr")
    return page.texts(".own-code .whole")[0]


def scanned(page):
    """What a camera reads from the screen."""
    screen = Image.open(io.BytesIO(page.driver.get_screenshot_as_png()))
    return [(found.text, found.format) for found in zxingcpp.read_barcodes(screen)]


def test_two_people_enter_each_others_codes_and_talk(lan, start_node, start_chromium):
    ada, bob = start_node(lan.hosts[0], "Ada"), start_node(lan.hosts[1], "Bob")
    chromium = start_chromium(lan.hosts[0])
    hers, his = chromium.open(ada), start_chromium(lan.hosts[1]).open(bob)
    hers.join("kitchen")
    his.join("kitchen")
    his_code, her_code = shown_code(his), shown_code(hers)
    chromium.allow("/api/contacts")  # these two refusals
    for wrong, said in ((her_code, "your own code"), (his_code[:-4] + her_code[-4:], "wrong or missing")):
        hers.fill(FIELD, wrong)
        hers.click(ADD)
        hers.wait_text(".their-code .problem", said)
    hers.fill(FIELD, his_code)
    hers.click(ADD)
    hers.wait_text(".added", "Verified by code")
    his.fill(FIELD, her_code)
    his.click(ADD)
    his.wait_text(".added", "Verified by code")
    assert ada.status(bob.uuid) == bob.status(ada.uuid) == "verified"
    for page, other in ((hers, bob), (his, ada)):
        page.click(".added button")  # Show
        page.wait_text(f"[data-uuid='{other.uuid}'] .trusted", "by their contact code")
    hers.wait_text(".readers", "1 verified")
    hers.write("hello, by code")
    his.wait_text(".card:not(.own) .content", "hello, by code")
    assert his.texts(".card:not(.own) .method") == ["by code"]


def test_the_qr_code_on_the_screen_is_the_code_in_light_and_dark(lan, start_node, start_chromium):
    page = start_chromium(lan.hosts[0]).open(start_node(lan.hosts[0], "Ada"))
    code = shown_code(page)
    for scheme in ("light", "dark"):
        for size in ((1280, 800), (390, 844)):
            page.resize(*size, scheme)
            page.run("document.querySelector('.qr').scrollIntoView()")
            assert [text.upper() for text, _ in scanned(page)] == [code.upper()], (scheme, size)
    assert page.one(".qr").get_attribute("aria-label")

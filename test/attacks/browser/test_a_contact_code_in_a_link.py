"""A hostile web page leads the browser to `/#add=CODE`, with the code of whoever made the page.

Our page is open in another tab, which hands its token to every tab of ours: so the dialog comes up.
It must do nothing but ask, whatever the user was pressing at that moment.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from chromium import Page
from lab import Namespace
from nodes import Node
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

ADD = ".their-code button.primary"

# However slow the machine is, what this test presses at once comes while the page still waits.
SLOWER = "const real = setTimeout; globalThis.setTimeout = (work, wait) => real(work, wait * 100);"


class _Hostile(BaseHTTPRequestHandler):
    """A page that goes where its address says as soon as it is touched."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        script = b"onmousedown = () => { location = decodeURIComponent(location.search.slice(1)) }"
        self.wfile.write(b"<!doctype html><h1>You have won</h1><script>" + script + b"</script>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hostile(lan) -> Iterator[str]:
    machine: Namespace = lan.hosts[0]
    server = machine.inside(lambda: HTTPServer(("127.0.0.1", 0), _Hostile))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="hostile")
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
    server.server_close()


def assert_nobody_was_added(ada: Node) -> None:
    assert ada.get("/api/contacts")["contacts"] == []
    assert [user for user in ada.get("/api/users")["users"] if user["status"] == "verified"] == []


def lure(page: Page, hostile: str, link: str) -> None:
    """The user touches the hostile page."""
    page.goto(f"{hostile}/?{link.replace('#', '%23')}")
    page.click("h1")


def test_a_link_on_a_hostile_page_verifies_nobody_whatever_is_pressed(
    lan, start_node, start_chromium, hostile
):
    ada, mallory = start_node(lan.hosts[0], "Ada"), start_node(lan.hosts[1], "Mallory")
    chromium = start_chromium(lan.hosts[0])
    chromium.allow("favicon.ico")
    chromium.open(ada).one(".doors")
    code = mallory.get("/api/code")["code"]
    page = chromium.open(ada)
    page.one(".doors")
    page.run("sessionStorage.clear()")  # a tab without anything of ours
    before = page.run("return history.length")
    page.before_anything(SLOWER)
    lure(page, hostile, f"http://127.0.0.1:{ada.ui_port}/#add={code}")

    page.one(ADD, timeout=15)
    for _ in range(3):  # a second click, and keys, on their way to the hostile page
        page.driver.find_element(By.CSS_SELECTOR, ADD).click()
        page.driver.switch_to.active_element.send_keys(Keys.ENTER)
        page.driver.switch_to.active_element.send_keys(Keys.SPACE)
    page.wait_text(".caution", "anybody can make such a link")
    assert page.one(".their-code textarea").get_attribute("value") == code
    assert_nobody_was_added(ada)

    assert page.run("return location.href") == f"http://127.0.0.1:{ada.ui_port}/"
    page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.wait_gone("dialog")
    page.driver.refresh()
    page.one(".doors")
    assert not page.all("dialog"), "it is not asked again"
    assert page.run("return history.length") <= before + 2, "the code is not in the history"
    assert_nobody_was_added(ada)

"""A real Chromium on a machine of the laboratory, and the page as its user handles it.

    with Chromium(host) as chromium:
        page = chromium.open(node)                  # a tab with the ready line's address
        page.join("tea")
        page.write("hello")
        page.wait_text(".card .content", "hello")

The page is on the loopback of the node's machine, so Chromium and chromedriver run
there. Selenium runs here: it speaks with chromedriver through `Forwarder`, a port of
ours whose connections come out on that machine's loopback.

Every tab writes down what the policy of the page refused (`securitypolicyviolation`).
`close`, and `renew` between tests that share a browser, fail the test for that, and for
any line in the browser's console that the test has not provoked and named with `allow`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from forwarder import Forwarder
from lab import Namespace
from nodes import Node
from selenium.webdriver import ChromeOptions, Remote
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from waiting import wait_until

# Nothing is looked up or fetched but the page; a root user's Chromium needs the second one.
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--lang=en-GB",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,800",
)
_STARTED = re.compile(r"started successfully on port (\d+)")
_KEEP_VIOLATIONS = """
    const kept = JSON.parse(sessionStorage.getItem("violations") ?? "[]");
    addEventListener("securitypolicyviolation", (event) => {
        kept.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample} ${event.sourceFile}`);
        sessionStorage.setItem("violations", JSON.stringify(kept));
    });"""


class Page:
    """One tab. Selectors are CSS; every question waits for its answer, 10 s at most."""

    def __init__(self, driver: Remote, handle: str) -> None:
        self.driver, self.handle = driver, handle
        self.before_anything(_KEEP_VIOLATIONS)

    def front(self) -> None:
        """Make this the tab that is spoken to."""
        if self.driver.current_window_handle != self.handle:
            self.driver.switch_to.window(self.handle)

    # What the user sees

    def all(self, selector: str) -> list[WebElement]:
        self.front()
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str, timeout: float = 10) -> WebElement:
        found: list[WebElement] = self.wait(lambda: self.all(selector), f"no {selector}", timeout)
        return found[0]

    def texts(self, selector: str) -> list[str]:
        """The text of every such element, read at one moment."""
        self.front()
        script = "return [...document.querySelectorAll(arguments[0])].map((element) => element.innerText)"
        texts: list[str] = self.driver.execute_script(script, selector)
        return texts

    def run(self, script: str, given: Any = None) -> Any:
        """The result of a script in the page; it may `await`. `given` is what is handed in."""
        self.front()
        whole = f"const [given, done] = arguments; (async () => {{ {script} }})().then(done)"
        return self.driver.execute_async_script(whole, given)

    def wait(self, question: Callable[[], Any], what: str, timeout: float = 10) -> Any:
        try:
            return wait_until(question, timeout, what)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; the page shows:\n{self.texts('body')[0]}") from None

    def wait_text(self, selector: str, text: str, timeout: float = 10) -> None:
        """Wait until some such element has `text` in it."""
        self.wait(
            lambda: any(text in shown for shown in self.texts(selector)),
            f"no {text!r} in {selector}",
            timeout,
        )

    def wait_gone(self, selector: str, timeout: float = 10) -> None:
        self.wait(lambda: not self.all(selector), f"still a {selector}", timeout)

    # What the user does

    def click(self, selector: str) -> None:
        self.one(selector).click()

    def fill(self, selector: str, text: str) -> None:
        field = self.one(selector)
        field.clear()
        field.send_keys(text)

    def join(self, room: str) -> None:
        """Make or join a room by the form."""
        self.fill(".new-room input", room + Keys.ENTER)
        self.wait_text(".conversation-head h2", room)

    def write(self, text: str) -> None:
        """Type a message and press Enter."""
        self.one(".composer textarea").send_keys(text + Keys.ENTER)
        self.wait_text(".card.own .content", text)

    def open_person(self, uuid: str) -> None:
        if not self.all(f"[data-uuid='{uuid}'].open"):
            self.click(f"[data-uuid='{uuid}'] .person-row")

    def read_out(self, uuid: str) -> list[str]:
        """The groups of the safety number with that person, as this screen shows them."""
        self.open_person(uuid)
        person = f"[data-uuid='{uuid}']"
        self.one(f"{person} .number-grid, {person} .reading")
        if self.all(f"{person} .reading:not([open])"):
            self.click(f"{person} .reading summary")
            self.click(f"{person} .uncover")
        self.wait(lambda: len(self.texts(f"{person} .digits")) == 12, "not 12 groups")
        return self.texts(f"{person} .digits")

    def asked_groups(self, uuid: str) -> list[WebElement]:
        """The fields for the two groups that the page asks for; each knows its position."""
        self.open_person(uuid)
        self.one(f"[data-uuid='{uuid}'] .groups input")
        return self.all(f"[data-uuid='{uuid}'] .groups input")

    def compare(self, uuid: str, groups: list[str]) -> None:
        """Type, of the groups that the other person reads out, the two that are asked for."""
        for field in self.asked_groups(uuid):
            field.send_keys(groups[int(field.get_attribute("data-position") or 0) - 1])
        self.click(f"[data-uuid='{uuid}'] .groups button")

    def resize(self, width: int, height: int, scheme: str = "light") -> None:
        """Another screen, and `prefers-color-scheme`."""
        self.front()
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.devtools("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.devtools("Emulation.setEmulatedMedia", {"features": features})

    def before_anything(self, script: str) -> None:
        """Run `script` in every document from now on, before any of its own."""
        self.devtools("Page.addScriptToEvaluateOnNewDocument", {"source": script})

    def devtools(self, command: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """What Chromium answers to a command of its DevTools protocol."""
        self.front()
        asked = {"cmd": command, "params": parameters}
        answer: dict[str, Any] = self.driver.execute("executeCdpCommand", asked)["value"]
        return answer

    def goto(self, address: str) -> None:
        self.front()
        self.driver.get(address)

    def violations(self) -> list[str]:
        kept: list[str] = self.run("return JSON.parse(sessionStorage.getItem('violations') ?? '[]')")
        return kept


class Chromium:
    """One browser with a profile of its own, and its chromedriver, on one machine."""

    def __init__(self, host: Namespace) -> None:
        self._allowed: list[str] = []
        self.pages: list[Page] = []
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        self._chromedriver = host.popen(
            [_program("chromedriver"), "--port=0"], stdout=subprocess.PIPE, text=True
        )
        self._forwarder = Forwarder(host, self._port())
        self.driver = Remote(f"http://127.0.0.1:{self._forwarder.port}", options=self._options())

    def _port(self) -> int:
        """The port that chromedriver says it has; the rest of what it says is read and forgotten."""
        lines = self._chromedriver.stdout or ()
        for line in lines:
            if match := _STARTED.search(line):
                self._reader = threading.Thread(target=list, args=(lines,), name="chromedriver's stdout")
                self._reader.start()
                return int(match[1])
        raise RuntimeError("chromedriver did not start")

    def _options(self) -> ChromeOptions:
        options = ChromeOptions()
        options.binary_location = _program("chromium")
        for flag in (*_FLAGS, f"--user-data-dir={self._profile.name}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        return options

    def open(self, node: Node, fragment: str | None = None) -> Page:
        """A new tab with the page of `node`; by default with its token, as the ready line has it."""
        self.driver.switch_to.new_window("tab")
        page = Page(self.driver, self.driver.current_window_handle)
        self.pages.append(page)
        fragment = f"#token={node.token}" if fragment is None else fragment
        page.goto(f"http://127.0.0.1:{node.ui_port}/{fragment}")
        return page

    def allow(self, *parts: str) -> None:
        """From now on, console lines with one of these in them are what the test provoked."""
        self._allowed += parts

    def renew(self) -> None:
        """Check, and close every tab: what the next test opens has nothing of this one's."""
        try:
            self.check()
        finally:
            for handle in self.driver.window_handles[1:]:
                self.driver.switch_to.window(handle)
                self.driver.close()
            self.driver.switch_to.window(self.driver.window_handles[0])
            self.console()
            self.pages, self._allowed = [], []

    def console(self) -> list[str]:
        """The lines of the console since it was last asked for, of every tab but the browser's own."""
        log = self.driver.execute("getLog", {"type": "browser"})["value"]
        return [line["message"] for line in log if not line["message"].startswith("chrome://")]

    def check(self) -> None:
        """No violation of the policy, and nothing on the console but what was allowed."""
        violations = [violation for page in self.pages for violation in page.violations()]
        assert not violations, violations
        unexpected = [line for line in self.console() if not any(part in line for part in self._allowed)]
        assert not unexpected, unexpected

    def close(self, check: bool = True) -> None:
        try:
            if check:
                self.check()
        finally:
            self.driver.quit()
            self._chromedriver.terminate()
            self._chromedriver.wait(10)
            self._reader.join(10)
            if self._chromedriver.stdout:
                self._chromedriver.stdout.close()
            self._forwarder.close()
            self._profile.cleanup()

    def __enter__(self) -> Chromium:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            for page in self.pages:
                print("--- the page:", page.texts("body"), sep="\n")
        self.close(check=error is None)


def _program(name: str) -> str:
    path = shutil.which(name)
    assert path, f"{name} is not installed (Debian: chromium and chromium-driver)"
    return str(Path(path))

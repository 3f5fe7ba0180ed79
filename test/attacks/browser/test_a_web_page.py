"""A web page in the user's browser tries everything that a page can do to the UI server, and gets nothing.

A real Chromium opens a hostile page of three origins, each of which tries everything in
support/hostile_page.js. It is told where the node is, and even its token:

- *cross-site*, a page of another name;
- *same-site*, a page of another port of this machine, for which browsers send cookies and more;
- *rebinding*, a page of a name that led to the attacker's server and now leads to the node: to the
  browser it is of the node's own port, and everything between the two is same-origin.

What counts is what happened at the node: the tap in front of it saw every attack arrive, with
what it was answered, and nothing there has changed. So an attack that never left the browser
cannot be taken for one that was refused: those are named in `NEVER_SENT`.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from hostile_site import CROSS_SITE, REBINDING, RESOLVER_RULES, SAME_SITE, Exchange, HostileSite
from lab import solo
from nodes import Node, wait_until
from programs import end

SECRETS = ("Ada the first", "the hidden room", "what was said")

# What looks at the browser alone; and what Chromium 156 refuses, of itself, to send to another
# origin. A page of a rebound name is no secure context, and may register no service worker.
_LOOKS = {"broadcast", "cookies", "timings"}
_OWN_ORIGIN_ONLY = {"fetch-same-origin", "worker", "service-worker", "speculated"}
NEVER_SENT = {
    SAME_SITE: _LOOKS | _OWN_ORIGIN_ONLY,
    CROSS_SITE: _LOOKS | _OWN_ORIGIN_ONLY,
    REBINDING: _LOOKS | {"service-worker"},
}
OPENS_THE_PAGE = {"window", "window-token"}


class Attacked:
    """What has arrived of the attacks, and what their pages could read; the node before and after."""

    def __init__(self, site: HostileSite, before: Any) -> None:
        self._site = site
        self.before, self.after = before, None

    def read(self, origin: str) -> dict[str, str]:
        """What the page of that origin could read, by attack; nothing before it has finished."""
        return next((report for report in self._site.reports.items if report["name"] == origin), {})

    def arrived(self, origin: str) -> dict[str, list[Exchange]]:
        """What came to the node, by the attack that it was part of."""
        found: dict[str, list[Exchange]] = {}
        for exchange in self._site.arrived():
            if exchange.technique and exchange.technique.startswith(f"{origin}-"):
                found.setdefault(exchange.technique.removeprefix(f"{origin}-"), []).append(exchange)
        return found

    def missing(self, origin: str) -> set[str]:
        """The attacks that were tried and have not arrived, or were not answered yet."""
        answered = {
            attack
            for attack, exchanges in self.arrived(origin).items()
            if all(exchange.status for exchange in exchanges)
        }
        return set(self.read(origin)) - {"name"} - answered

    def is_over(self) -> bool:
        """Whether every page has finished, and all that it sent has been answered."""
        return all(
            self.read(origin) and self.missing(origin) <= never for origin, never in NEVER_SENT.items()
        )


def state_of(node: Node) -> Any:
    """All that a page could want to change."""
    paths = ("/api/info", "/api/users", "/api/rooms", "/api/rooms/tea/messages")
    return [*map(node.get, paths), node.seen("messages")]


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    folder = tmp_path_factory.mktemp("attacked")
    with solo() as machine, HostileSite(machine) as site:
        options = ("--uiaddr", f"127.0.0.2:{site.ui_port}")
        with Node(machine, folder / "a.db", username=SECRETS[0], interfaces=["lo"], options=options) as node:
            node.join("tea")
            node.join(SECRETS[1])
            node.send("tea", SECRETS[2])
            node.wait_message(SECRETS[2])
            before = state_of(node)
            words = [
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-popup-blocking",
            ]
            words += ["--disable-background-timer-throttling", "--disable-renderer-backgrounding"]
            words += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
            words += [RESOLVER_RULES, f"--user-data-dir={folder / 'profile'}", site.attack(node.token)]
            program = shutil.which("chromium") or ""
            browser = machine.popen([program, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            attacked = Attacked(site, before)
            try:
                with contextlib.suppress(TimeoutError):  # what is missing, a test says
                    wait_until(attacked.is_over, 45)
            finally:
                end(browser, signal.SIGTERM)
            attacked.after = state_of(node)
            yield attacked


@pytest.mark.parametrize("origin", NEVER_SENT)
def test_every_attack_of_a_page_arrives_and_is_refused_by_the_guard(attacked: Attacked, origin: str) -> None:
    assert attacked.read(origin), "the hostile page has not finished"
    assert attacked.missing(origin) == NEVER_SENT[origin]
    for attack, exchanges in attacked.arrived(origin).items():
        allowed = {421} if origin == REBINDING else {200} if attack in OPENS_THE_PAGE else {403, 405}
        assert {exchange.status for exchange in exchanges} <= allowed, (attack, exchanges)


@pytest.mark.parametrize("origin", NEVER_SENT)
def test_a_hostile_page_reads_nothing(attacked: Attacked, origin: str) -> None:
    info = attacked.before[0]
    for attack, found in attacked.read(origin).items():
        for secret in (*SECRETS, info["uuid"], info["fingerprint"], info["fingerprint_sha256"]):
            assert secret not in found, attack


@pytest.mark.parametrize("origin", [SAME_SITE, CROSS_SITE])
def test_a_page_that_opens_ours_loses_its_hold_on_the_window(attacked: Attacked, origin: str) -> None:
    for attack in sorted(OPENS_THE_PAGE):
        assert attacked.read(origin)[attack].startswith("closed | frames 0")


def test_a_hostile_page_changes_nothing_even_with_the_token(attacked: Attacked) -> None:
    assert attacked.before == attacked.after

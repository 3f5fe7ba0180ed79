"""Makes the pictures of the page for the README: `python3 tools/test.py --version` once, then

    sudo .venv/bin/python test/browser/screenshots.py [FOLDER]

(FOLDER: docs/ by default.) Three real nodes on a cable of their own talk to each other; what
Chromium shows is written as PNG, in light and dark, at 1280x800 and at 390x844. Needs root, for
the network namespaces, and Chromium with chromedriver.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "test" / "support")]

from chromium import Chromium, Page  # noqa: E402
from friends import befriend, wait_knows  # noqa: E402
from lab import Lan  # noqa: E402
from nodes import Node  # noqa: E402

ROOM = "kitchen"
WIDE, NARROW = (1280, 800), (390, 844)


def converse(ada: Node, bob: Node, cleo: Node) -> None:
    """Ada and Bob know each other; Cleo is new."""
    befriend(ada, bob, ROOM)
    bob.join("board games")
    bob.leave("where they met")
    for said in ("The kettle is on. Who is in the house?", "There is cake as well, while it lasts."):
        bob.send(ROOM, said)
        ada.wait_message(said)
    ada.send(ROOM, "Two minutes! Is Cleo coming too?")
    bob.wait_message("Two minutes! Is Cleo coming too?")
    bob.send(ROOM, "She has just joined. Read her two groups\nof your number, then she hears us.")
    cleo.join(ROOM)
    cleo.join("darkroom")
    wait_knows(ada, cleo)
    ada.wait_member(ROOM, cleo.uuid, online=True)
    message = ada.send(ROOM, "Cleo, this is for you as soon as I have verified you.")
    ada.wait_delivery(message, bob.uuid, "delivered")


def shoot(page: Page, folder: Path, name: str, size: tuple[int, int], scheme: str) -> None:
    page.resize(*size, scheme)
    page.run("await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.driver.save_screenshot(str(folder / f"{name}.png"))
    print(folder / f"{name}.png")


def main(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as work, Lan(hosts=3) as lan:
        people = zip(lan.hosts, ("Ada", "Bob", "Cleo"), strict=True)
        ada, bob, cleo = (Node(host, Path(work, name), username=name) for host, name in people)
        with ada, bob, cleo, Chromium(lan.hosts[0]) as chromium:
            page = chromium.open(ada)
            page.join(ROOM)
            converse(ada, bob, cleo)
            page.wait_text(".questions", "Cleo")
            page.wait_text(".progress", "delivered to 1 of 2")
            views(page, folder, cleo)


def views(page: Page, folder: Path, cleo: Node) -> None:
    for scheme in ("light", "dark"):
        shoot(page, folder, f"page-{scheme}", WIDE, scheme)
        shoot(page, folder, f"page-narrow-{scheme}", NARROW, scheme)
    page.resize(*WIDE)
    page.open_person(cleo.uuid)
    page.one(".verification")
    for scheme in ("light", "dark"):
        page.resize(*NARROW)
        page.click(".view-switch button:nth-child(3)")
        page.run("document.querySelector('.person.open').scrollIntoView()")
        shoot(page, folder, f"verify-narrow-{scheme}", NARROW, scheme)
        page.resize(*WIDE)
        page.run("document.querySelector('.person.open').scrollIntoView()")
        shoot(page, folder, f"verify-{scheme}", WIDE, scheme)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs")

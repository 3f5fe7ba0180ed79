"""Makes the pictures of the page for the README: `python3 tools/test.py --version` once, then

    sudo .venv/bin/python test/browser/screenshots.py [FOLDER]

(FOLDER: docs/ by default; one of your own also gets every state of a live comparison, and a sheet
of all its shapes in all their colours, for whoever changes them to look at.) Three real nodes on a
cable of their own talk to each other; what Chromium shows is written as PNG, in light and dark, at
1280x800 and at 390x844. Needs root, for the network namespaces, and Chromium with chromedriver.
"""

from __future__ import annotations

import itertools
import math
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "test" / "support")]

from chromium import Chromium, Page  # noqa: E402
from friends import befriend, wait_knows  # noqa: E402
from lab import Lan  # noqa: E402
from nodes import Node  # noqa: E402
from waiting import wait_until  # noqa: E402

DOCS = ROOT / "docs"
ROOM = "kitchen"
CAKE_SAID = "A cake with three candles, for Cleo"
Drawing = dict[str, Any]
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
    plain = {"strokes": cake()["strokes"][:4]}
    for said, drawn in (("A cake, before the party", plain), (CAKE_SAID, cake())):
        bob.post(f"/api/rooms/{ROOM}/message", {"content": said, "kind": "drawing", "drawing": drawn})
    bob.send(ROOM, "She has just joined, @Ada. Ask her for two groups of her number, then she hears us.")
    cleo.join(ROOM)
    cleo.join("darkroom")
    wait_knows(ada, cleo)
    ada.wait_member(ROOM, cleo.uuid, online=True)
    message = ada.send(ROOM, "Cleo, this is for you as soon as I have verified you.")
    ada.wait_delivery(message, bob.uuid, "delivered")


def cake() -> Drawing:
    """A cake as somebody draws it in half a minute."""

    def wave(y: int, high: int) -> list[tuple[int, int]]:
        return [(240 + 12 * i, y + round(high * math.sin(i / 2))) for i in range(46)]

    def flame(x: int) -> list[tuple[int, int]]:
        ring = [2 * math.pi * i / 12 for i in range(13)]
        return [(x + round(9 * math.sin(a)), 150 - round(20 * math.cos(a))) for a in ring]

    brown, red, orange = "#8a5a34", "#c8321f", "#d9730d"
    drawn = [
        ([(180, 520), (240, 548), (512, 562), (790, 548), (850, 520)], 12, "#1f6fd0"),
        ([(240, 300), (236, 500), (300, 524), (512, 532), (730, 524), (788, 500), (780, 300)], 12, brown),
        (wave(300, 14), 12, red),
        (wave(410, 8), 12, brown),
        *(([(x, 280), (x + 2, 190)], 12, colour) for x, colour in ((390, "#2e8b3d"), (512, "#7b3fc4"))),
        ([(640, 280), (638, 190)], 12, "#1f6fd0"),
        *((flame(x), 4, orange) for x in (392, 514, 638)),
    ]
    strokes: list[Drawing] = []
    for number, (points, width, colour) in enumerate(drawn):
        steps = [points[0], *((x - a, y - b) for (a, b), (x, y) in itertools.pairwise(points))]
        row = [number for step in steps for number in step]
        strokes.append({"points": row, "width": width, "colour": colour, "time": [700 * number, 500]})
    letters = {"points": [330, 620], "width": 72, "colour": "#2c2520", "text": "for Cleo!", "time": [8400, 0]}
    return {"strokes": [*strokes, letters]}


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
            page.wait_text(".welcome", "Talk to people")
            everywhere(page, folder, "welcome")
            page.join(ROOM)
            converse(ada, bob, cleo)
            page.wait_text(".questions", "Cleo")
            page.wait_text(".progress", "delivered to 1 of 2")
            page.one(".drawn canvas")
            views(page, folder, cleo)
            pen(page, folder)
            in_arabic(page, folder, cleo)
            dialogs(page, folder)
            comparison(page, folder, cleo, ada)
            if folder != DOCS:
                other_states(page, folder, cleo, ada)
                shapes(page, folder)


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


def everywhere(page: Page, folder: Path, name: str) -> None:
    for scheme in ("light", "dark"):
        shoot(page, folder, f"{name}-{scheme}", WIDE, scheme)
        shoot(page, folder, f"{name}-narrow-{scheme}", NARROW, scheme)
    page.resize(*WIDE)


def pen(page: Page, folder: Path) -> None:
    """Bob's drawing is drawn on."""
    page.run("document.querySelector('.view-switch button:nth-child(2)').click()")
    page.run("[...document.querySelectorAll('.take-up')].at(-1).click()")
    page.one(".board .ink")
    page.one(".description").send_keys(CAKE_SAID)
    everywhere(page, folder, "pen")
    page.click(".composer .draw")
    page.wait_gone(".board")


def in_arabic(page: Page, folder: Path, cleo: Node) -> None:
    page.run("localStorage.setItem('cryptochat.language', 'ar')")
    page.driver.refresh()
    page.one(".drawn canvas")
    everywhere(page, folder, "arabic")
    page.run("localStorage.removeItem('cryptochat.language')")
    page.driver.refresh()
    page.one(".drawn canvas")
    page.open_person(cleo.uuid)


def comparison(page: Page, folder: Path, cleo: Node, ada: Node) -> None:
    """Both have pressed "compare now"."""
    page.resize(*WIDE)
    page.click(".live-comparison .compare-now")
    wait_until(lambda: (cleo.user(ada.uuid) or {}).get("comparison"), 10, "Cleo is not asked")
    cleo.post(f"/api/users/{ada.uuid}/comparison")
    page.wait(lambda: page.one(".same").is_enabled(), "too early to say the same")
    for scheme in ("light", "dark"):
        state(page, folder, "compare", scheme, sizes=(WIDE,))


def dialogs(page: Page, folder: Path) -> None:
    """Adding somebody, and what the doctor says; the code and the addresses are those of this laboratory."""
    for name, door, shown in (
        ("add", ".add-someone", ".own-code .qr"),
        ("doctor", ".ask-doctor", ".finding"),
        ("search", ".open-search", "input[type=search]"),
        ("flip-book", ".open-flip-book", ".flip-book"),
        ("keys", ".open-keys", ".keys-list"),
    ):
        page.resize(*WIDE)
        page.run("document.querySelector(given).click()", door)
        page.one(shown)
        if name == "search":
            page.one(shown).send_keys("cleo")
            page.one(".hit")
        page.wait(lambda: not page.all("[aria-disabled=true]"), "the doctor is still at it")
        for scheme in ("light", "dark"):
            shoot(page, folder, f"{name}-{scheme}", WIDE, scheme)
            shoot(page, folder, f"{name}-narrow-{scheme}", NARROW, scheme)
        page.click(".dialog-close")
        page.wait_gone("dialog")


def other_states(page: Page, folder: Path, cleo: Node, ada: Node) -> None:
    """Every state of a live comparison, each reached from the one before."""

    def both(name: str) -> None:
        page.one(f".live-comparison.is-{name}")
        for scheme in ("light", "dark"):
            state(page, folder, f"compare-{name}", scheme)

    cleos = f"/api/users/{ada.uuid}/comparison"
    both("shown")
    page.click(".different")
    both("differs")
    cleo.request("DELETE", cleos)
    page.click(".live-phase > .row > button")  # Close
    both("ready")
    cleo.post(cleos)
    both("asked")
    cleo.request("DELETE", cleos)
    page.wait_gone(".is-asked")
    page.click(".live-comparison .compare-now")
    both("waiting")
    page.click(".live-comparison .cancel")
    page.one(".is-ready")
    cleo.request("DELETE", f"/api/users/{ada.uuid}/verify")
    page.click(".live-comparison .compare-now")
    both("failed")


def state(
    page: Page, folder: Path, name: str, scheme: str, sizes: tuple[tuple[int, int], ...] = (WIDE, NARROW)
) -> None:
    for size in sizes:
        page.resize(*size, scheme)
        if size == NARROW:
            page.click(".view-switch button:nth-child(3)")
        page.run("document.querySelector('.person.open').scrollIntoView()")
        shoot(page, folder, name + ("-narrow" if size == NARROW else "") + f"-{scheme}", size, scheme)


def shapes(page: Page, folder: Path) -> None:
    """Put a sheet of every part that a picture can have in place of the page."""
    page.run(
        """
        const { COLOURS, SHAPES } = await import("/shapes.js");
        const { picture } = await import("/components/trust/picture.js");
        const { createApp, h } = await import("/vendor/vue.js");
        const sheet = document.createElement("main");
        document.body.replaceChildren(sheet);
        document.documentElement.style.overflow = "auto";
        const rows = [...SHAPES.keys()].map((shape) => [...COLOURS].map((colour) => ({ shape, colour })));
        createApp({ render: () => rows.map((row) => picture(row)) }).mount(sheet);
        for (const row of document.querySelectorAll(".picture"))
            Object.assign(row.style, { gridTemplateColumns: "repeat(8, 1fr)", padding: "0.5rem 1rem" });
        Object.assign(sheet.style, { display: "grid", gridTemplateColumns: "1fr 1fr" });"""
    )
    for scheme in ("light", "dark"):
        shoot(page, folder, f"shapes-{scheme}", (1280, 1560), scheme)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS)

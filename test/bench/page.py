"""The page in a real Chromium: how soon it can be used, what a message costs it, what it holds and loads.

One node has a long history and the page open, a friend on another machine says things. Times are
taken in the page, by its own clock. What a message costs the page is the time from its event, as a
bare reader of the same stream in the same tab has it, to the frame in which its card is painted.

`python3 tools/bench.py page`; needs Chromium and chromedriver.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from bench_node import BenchNode
from chromium import Chromium, Page
from community import write_database
from figures import Figure, Report
from history_maker import ROOMS, HistoryMaker
from lab import Lan
from scale import Setting
from waiting import wait_until

NAME = "page"
_LARGE, _SMALL = ROOMS[0], ROOMS[-1]
# When what `wanted` says is there and painted, in ms since the tab began to load.
_BEFORE = """
    window.painted = (wanted) => new Promise((done) => {
        const look = () => {
            if (!wanted()) return requestAnimationFrame(look);
            requestAnimationFrame(() => setTimeout(() => done(performance.now())));
        };
        look();
    });
    addEventListener("DOMContentLoaded", () => {
        window.usable = window.painted(() => document.querySelector(".card")
            && document.querySelector(".composer .primary:not(:disabled)"));
    });"""
_OPEN = """
    const room = [...document.querySelectorAll("button.room")]
        .find((one) => one.querySelector(".room-name").textContent === given);
    const began = performance.now();
    room.click();
    const shown = () => document.querySelector(".conversation-head h2")?.textContent === given
        && document.querySelectorAll(".card").length > 20;
    return (await window.painted(shown)) - began;"""
# Wheel up through the history, a notch a frame: how long each frame took, and how far one came.
_SCROLL = """
    const scroller = document.querySelector(".scroller");
    const frames = [];
    let last = performance.now();
    for (let number = 0; number < given; number += 1) {
        scroller.scrollTop -= 120;
        await new Promise(requestAnimationFrame);
        frames.push(performance.now() - last);
        last = performance.now();
    }
    return frames;"""
# A bare reader of the event stream, and when each card comes: both by the mark in the text.
_WATCH = """
    const token = sessionStorage.getItem("cryptochat.token");
    window.heard = new Map();
    window.shown = new Map();
    new MutationObserver(() => {
        for (const card of [...document.querySelectorAll(".card .content")].slice(-3)) {
            const text = card.textContent;
            if (!text.startsWith("mark ") || window.shown.has(text)) continue;
            window.shown.set(text, null);
            requestAnimationFrame(() => setTimeout(() => window.shown.set(text, performance.now())));
        }
    }).observe(document.body, { subtree: true, childList: true });
    const headers = { Authorization: `Bearer ${token}` };
    const stream = await fetch("/api/events?stream=messages", { headers });
    const reader = stream.body.pipeThrough(new TextDecoderStream()).getReader();
    (async () => {
        for (let part = await reader.read(); !part.done; part = await reader.read())
            for (const [, mark] of part.value.matchAll(/"content":"(mark \\d+)"/g))
                window.heard.set(mark, performance.now());
    })();"""
_LOADED = """
    const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    const files = all.filter((one) => !new URL(one.name).pathname.startsWith("/api/"));
    return [files.length, files.reduce((sum, one) => sum + one.encodedBodySize, 0)];"""


def run(setting: Setting, report: Report) -> None:
    with Lan(hosts=2) as lan:
        maker = HistoryMaker(setting.folder / "page.db", setting.people)
        began = time.monotonic()
        maker.grow_to(setting.scale.page_history)
        print(f"        {maker.count:,} messages made, {time.monotonic() - began:.0f} s", file=sys.stderr)
        own, friend = setting.people.identities(2)
        number = setting.people.safety_numbers(range(2))[0, 1]
        write_database(setting.folder / "friend.db", friend, {own: number}, ROOMS)
        with (
            BenchNode(lan.hosts[0], maker.path, setting.launch) as ada,
            BenchNode(lan.hosts[1], setting.folder / "friend.db", setting.launch) as bob,
            Chromium(lan.hosts[0]) as chromium,
        ):
            wait_until(lambda: ada.uuid in bob.members(_LARGE), 60, "they do not see each other")
            page = chromium.open(ada)  # type: ignore[arg-type]  # a port and a token are all that it takes
            page.before_anything(_BEFORE)
            _opening(page, setting, report)
            _rooms(page, setting, report)
            _scrolling(page, setting, report)
            _messages(page, bob, setting, report)
            _memory(page, bob, setting, report)


def _opening(page: Page, setting: Setting, report: Report) -> None:
    times = []
    for _ in range(setting.scale.page_rounds):
        page.driver.refresh()
        times.append([float(page.run("return await window.usable"))])
    report.add(Figure(NAME, "from opening to usable", "ms", times))
    files, size = page.run(_LOADED)
    report.add(Figure(NAME, f"what it loads, in {files} files", "KiB", ((size / 1024,),)))


def _rooms(page: Page, setting: Setting, report: Report) -> None:
    times: dict[str, list[list[float]]] = {_LARGE: [], _SMALL: []}
    for _ in range(setting.scale.page_rounds):
        for room, rounds in times.items():
            page.driver.refresh()
            page.run("await window.usable")
            other = _SMALL if room == _LARGE else _LARGE
            page.run(_OPEN, other)
            page.driver.refresh()
            page.run("await window.usable")
            rounds.append([float(page.run(_OPEN, room))])
    sizes: dict[str, str] = {
        room: f"{share * setting.scale.page_history // 100:,}" for room, share in ((_LARGE, 50), (_SMALL, 1))
    }
    figures = [
        report.add(Figure(NAME, f"opening a room of {sizes[room]}", "ms", rounds))
        for room, rounds in times.items()
    ]
    report.compare(f"a room of {sizes[_LARGE]} / one of {sizes[_SMALL]}", figures[0], figures[1])


def _scrolling(page: Page, setting: Setting, report: Report) -> None:
    rounds = []
    for _ in range(setting.scale.page_rounds // 2):
        _show(page, _LARGE)
        rounds.append([float(one) for one in page.run(_SCROLL, setting.scale.page_frames)])
    size = f"{setting.scale.page_history // 2:,}"
    report.add(Figure(NAME, f"a frame while scrolling back through {size}", "ms", rounds))


def _messages(page: Page, bob: BenchNode, setting: Setting, report: Report) -> None:
    _show(page, _LARGE)
    page.run(_WATCH)
    rounds = []
    for number in range(setting.scale.page_messages):
        mark = f"mark {number}"
        bob.send(_LARGE, mark)
        page.wait(lambda: page.run("return window.shown.get(given) != null", mark), "the message")  # noqa: B023
        heard, shown = page.run("return [window.heard.get(given), window.shown.get(given)]", mark)
        rounds.append([shown - heard])
    report.add(Figure(NAME, "from a message's event to the screen", "ms", rounds))


def _memory(page: Page, bob: BenchNode, setting: Setting, report: Report) -> None:
    """An hour's worth of messages: one each second. They come as fast as they go."""
    before = _heap(page)
    count = setting.scale.page_hour
    for number in range(count):
        bob.send(_LARGE, f"number {number} of an hour: what one says in a room, and others answer")
    page.wait_text(".card .content", f"number {count - 1} ", timeout=300)
    after = _heap(page)
    for name, figures in (("before", before), (f"after {count:,} messages", after)):
        report.add(Figure(NAME, f"JavaScript heap {name}", "MiB", ((figures["JSHeapUsedSize"] / 2**20,),)))
        report.add(Figure(NAME, f"nodes of the document {name}", "", ((figures["Nodes"],),)))


def _show(page: Page, room: str) -> None:
    if page.texts(".conversation-head h2") != [room]:
        page.run(_OPEN, room)
    if page.all(".to-newest"):
        page.click(".to-newest")
        page.wait_gone(".to-newest")


def _heap(page: Page) -> dict[str, float]:
    page.devtools("Performance.enable", {})
    page.devtools("HeapProfiler.collectGarbage", {})
    metrics: list[dict[str, Any]] = page.devtools("Performance.getMetrics", {})["metrics"]
    return {metric["name"]: float(metric["value"]) for metric in metrics}

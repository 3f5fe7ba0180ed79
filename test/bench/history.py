"""A node with 10,000, 100,000 and 1,000,000 messages: what is slower with a hundred times the history?

The three histories are one that has grown (`history_maker`), on three machines without a
network, so the same person can run three times. Sizes take turns. Start-up is counted from the
start of the process to the ready line, the rest on one kept-alive connection:

    opening a room     the newest 50 messages, of each room in turn
    paging back        50 messages before an id: from the newest on, and from ids all along the history
    searching          a word of every third message, a word of 20, both at once, each also in one room
    sending            a message to a room where nobody else is: storing it
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

from bench_node import BenchNode, path_of
from figures import Figure, Report
from history_maker import COMMON, RARE, RARE_COUNT, ROOMS, HistoryMaker
from lab import solo
from load import Load
from scale import Setting

NAME = "history"
TARGET = 2.0
_PAGE = 50
_SEARCHES = {
    "a common word": (COMMON, None),
    "a rare word": (RARE, None),
    "both words": (f"{COMMON} {RARE}", None),
    "a common word in one room": (COMMON, ROOMS[2]),
    "a rare word in one room": (RARE, ROOMS[0]),
}


def run(setting: Setting, report: Report) -> None:
    sizes = setting.scale.history_sizes
    maker = HistoryMaker(setting.folder / "history.db", setting.people)
    with ExitStack() as stack:
        nodes = {}
        for size in sizes:
            path = _make(setting, report, maker, size)
            nodes[size] = stack.enter_context(BenchNode(stack.enter_context(solo()), path, setting.launch))
        _measure_starts(setting, report, nodes)
        load = stack.enter_context(Load([node.connect() for node in nodes.values()]))
        kinds = _kinds(maker, nodes)
        _measure(setting, report, load, nodes, kinds)


def _make(setting: Setting, report: Report, maker: HistoryMaker, size: int) -> Path:
    began = time.monotonic()
    maker.grow_to(size)
    path = setting.folder / f"history-{size}.db"
    maker.copy_to(path)
    mib = path.stat().st_size / 2**20
    print(f"        {size:,} messages made, {time.monotonic() - began:.0f} s more", file=sys.stderr)
    report.add(Figure(NAME, f"database file, {_thousands(size)}", "MiB", ((mib,),)))
    return path


def _measure_starts(setting: Setting, report: Report, nodes: dict[int, BenchNode]) -> None:
    rounds: dict[int, list[list[float]]] = {size: [] for size in nodes}
    for _ in range(setting.scale.history_rounds):
        for size, node in nodes.items():
            node.stop()
            node.start()
            rounds[size].append([1000 * node.started_in])
    _add(report, "start-up", rounds)


Kinds = dict[str, dict[int, list[str]]]
"""For each kind of request and each size, the requests that take turns."""


def _kinds(maker: HistoryMaker, nodes: dict[int, BenchNode]) -> Kinds:
    kinds: Kinds = {
        "opening a room": {
            size: [node.head("GET", f"{path_of(room)}/messages?limit={_PAGE}") for room in ROOMS]
            for size, node in nodes.items()
        },
        "paging back from the newest": {s: _back(n, _newest(n)) for s, n in nodes.items()},
        "paging back, anywhere": {
            size: _back(node, _along(maker.marked[ROOMS[0]], size, maker.count))
            for size, node in nodes.items()
        },
    }
    for name, (words, room) in _SEARCHES.items():
        path = f"/api/search?limit={_PAGE}&q={quote(words)}" + (f"&room={quote(room)}" if room else "")
        kinds[f"searching {name}"] = {s: [n.head("GET", path)] for s, n in nodes.items()}
    _check_searches(nodes)
    kinds["sending"] = {size: [_send(node)] for size, node in nodes.items()}
    return kinds


def _newest(node: BenchNode, pages: int = 20) -> list[str]:
    """The ids at which one goes on who pages back."""
    ids: list[str] = []
    while len(ids) < pages:
        before = f"&before={ids[-1]}" if ids else ""
        page = node.get(f"{path_of(ROOMS[0])}/messages?limit={_PAGE}{before}")["messages"]
        if not page:
            break
        ids.append(page[0]["id"])
    return ids


def _along(marked: Sequence[str], size: int, whole: int) -> list[str]:
    """Up to 20 ids, evenly from the part of the history that this size has."""
    own = marked[: max(1, len(marked) * size // whole)]
    return list(own[:: max(1, len(own) // 20)])[:20]


def _back(node: BenchNode, ids: Sequence[str]) -> list[str]:
    room = path_of(ROOMS[0])
    return [node.head("GET", f"{room}/messages?limit={_PAGE}&before={before}") for before in ids]


def _send(node: BenchNode) -> str:
    parts = node.message(ROOMS[0])
    return parts["before"] + "0" * 12 + parts["after"]


def _check_searches(nodes: dict[int, BenchNode]) -> None:
    """A search that finds nothing is fast, and worth nothing."""
    for node in nodes.values():
        for word, least in ((COMMON, _PAGE), (RARE, RARE_COUNT)):
            found = len(node.get(f"/api/search?limit={_PAGE}&q={word}")["messages"])
            if found != least:
                raise RuntimeError(f"{node.database.stem}: {found} messages with {word!r}, not {least}")


def _measure(setting: Setting, report: Report, load: Load, nodes: dict[int, BenchNode], kinds: Kinds) -> None:
    scale = setting.scale
    rounds: dict[str, dict[int, list[list[float]]]] = {kind: {s: [] for s in nodes} for kind in kinds}
    for turn in range(scale.history_rounds + 1):
        for kind, by_size in kinds.items():
            for connection, (size, requests) in enumerate(by_size.items()):
                ready = [requests[i % len(requests)] for i in range(scale.history_requests)]
                took = load.order("ask", connection=connection, requests=ready)
                if turn:  # the first one warms
                    rounds[kind][size].append([1000 * seconds for seconds in took])
    for kind, of_kind in rounds.items():
        _add(report, kind, of_kind)


def _add(report: Report, kind: str, rounds: dict[int, list[list[float]]]) -> None:
    found = [
        report.add(Figure(NAME, f"{kind}, {_thousands(size)}", "ms", one, series=kind, at=size))
        for size, one in rounds.items()
    ]
    report.compare(f"{kind}, growth from first to last", found[-1], found[0], TARGET)


def _thousands(size: int) -> str:
    return f"{size:,}"

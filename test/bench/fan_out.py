"""A room of 2, 4, 8, 16 and 32 nodes: when POST is answered, when the first and the last member has it.

One network with as many machines as the largest room has members, and on the same nodes a
room for each size. The sizes take turns message by message: after 32 nodes have run on these
cores the next message finds their caches cold, and it must not always be the large room's.
A message starts when its sender knows that the one before has arrived everywhere.

Sending writes a row for each member, and each member's copy is one request on its own
connection: the last arrival may grow as the number of members does, POST's answer not.
"""

from __future__ import annotations

from typing import Any

from community import Community
from figures import Figure, Report
from lab import Lan
from load import Load
from scale import Setting

NAME = "fan_out"
ANSWER_TARGET = 1.25
"""POST's answer in the largest room against that in the smallest: not at all, but for noise and the rows."""


def run(setting: Setting, report: Report) -> None:
    sizes = setting.scale.room_sizes
    with (
        Lan(hosts=max(sizes)) as lan,
        Community(
            setting.people,
            setting.folder,
            lan.hosts,
            {_room(size): range(size) for size in sizes},
            launch=setting.launch,
        ) as nodes,
        Load([nodes[0].connect()], streams=[node.stream() for node in nodes[1:]]) as load,
    ):
        orders: dict[int, dict[str, Any]] = {
            size: {
                "connection": 0,
                "streams": list(range(size - 1)),
                "settled": nodes[0].latest(_room(size)),
                **nodes[0].message(_room(size)),
            }
            for size in sizes
        }
        _measure(setting, report, load, orders)


def _measure(setting: Setting, report: Report, load: Load, orders: dict[int, dict[str, Any]]) -> None:
    scale = setting.scale
    answers: dict[int, list[list[float]]] = {size: [] for size in orders}
    arrivals: dict[int, list[list[list[float]]]] = {size: [] for size in orders}
    for size in sorted(orders, reverse=True):  # warm
        load.order("pass_on", count=3, **orders[size])
    for _ in range(scale.room_rounds):
        for size in orders:
            answers[size].append([])
            arrivals[size].append([])
        for size, order in list(orders.items()) * scale.room_messages:
            took = load.order("pass_on", count=1, **order)
            answers[size][-1] += [1000 * seconds for seconds in took["answers"]]
            arrivals[size][-1] += [[1000 * one for one in seconds] for seconds in took["arrivals"]]

    def add(series: str, rounds: dict[int, list[list[float]]]) -> dict[int, Figure]:
        return {
            size: report.add(Figure(NAME, f"{series}, {size} members", "ms", one, series=series, at=size))
            for size, one in rounds.items()
        }

    answer = add("POST's answer", answers)
    add("first arrival", {n: [[min(one) for one in turn] for turn in x] for n, x in arrivals.items()})
    last = add("last arrival", {n: [[max(one) for one in turn] for turn in x] for n, x in arrivals.items()})
    smallest = min(orders)
    for size in sorted(orders)[1:]:
        of = f"{size} members / {smallest}"
        report.compare(f"last arrival, {of}", last[size], last[smallest], size / smallest)
    for size in sorted(orders)[1:]:
        of = f"{size} members / {smallest}"
        report.compare(f"POST's answer, {of}", answer[size], answer[smallest], ANSWER_TARGET)


def _room(size: int) -> str:
    return f"room of {size}"

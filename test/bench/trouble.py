"""A room of 8 in which one member is frozen, one has not decided and one is unplugged.

Four members are well, and sit in two rooms of 8: in one the other three are well too, in the
other they are in trouble. The rooms have senders of their own, so that what the trouble costs
one sender does not slow the other. The rooms take turns; what counts is when the last of the
same four has the message: the trouble of others must not delay it.

    frozen       SIGSTOP, with its connection open: the kernel goes on to take what is sent
    undecided    its user has not answered who the sender is: the connection waits at its gate
    unplugged    its cable is cut, with its connection open
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bench_node import BenchNode
from community import Community
from figures import Figure, Report
from lab import Lan
from load import Load
from scale import Setting

NAME = "trouble"
TARGET = 1.2
_TROUBLED, _WELL = "a room in trouble", "a room that is well"
_FOUR = (1, 2, 3, 4)
_FROZEN, _UNDECIDED, _UNPLUGGED = 5, 6, 7
_IN_TROUBLE = (_FROZEN, _UNDECIDED, _UNPLUGGED)
_ROOMS = {_TROUBLED: (0, *_FOUR, *_IN_TROUBLE), _WELL: (8, *_FOUR, 9, 10, 11)}


def run(setting: Setting, report: Report) -> None:
    with (
        Lan(hosts=12) as lan,
        Community(
            setting.people,
            setting.folder,
            lan.hosts,
            _ROOMS,
            launch=setting.launch,
            strangers=[(_UNDECIDED, 0)],
        ) as nodes,
        Load([nodes[0].connect(), nodes[8].connect()], streams=[nodes[i].stream() for i in _FOUR]) as load,
    ):
        orders: dict[str, dict[str, Any]] = {
            room: {
                "connection": number,
                "streams": list(range(len(_FOUR))),
                "settled": nodes[sender].latest(room),
                **nodes[sender].message(room),
            }
            for number, (room, sender) in enumerate(((_TROUBLED, 0), (_WELL, 8)))
        }
        load.order("pass_on", count=5, recipients=6, **orders[_TROUBLED])  # warm: all but the undecided
        load.order("pass_on", count=5, recipients=7, **orders[_WELL])
        with _in_trouble(lan, nodes):
            _measure(setting, report, load, orders)
            _check(nodes)


@contextmanager
def _in_trouble(lan: Lan, nodes: Sequence[BenchNode]) -> Iterator[None]:
    nodes[_FROZEN].freeze()
    lan.cut(lan.hosts[_UNPLUGGED])
    try:
        yield
    finally:
        nodes[_FROZEN].thaw()
        lan.mend(lan.hosts[_UNPLUGGED])


def _measure(setting: Setting, report: Report, load: Load, orders: dict[str, dict[str, Any]]) -> None:
    scale = setting.scale
    last: dict[str, list[list[float]]] = {room: [] for room in orders}
    first: dict[str, list[list[float]]] = {room: [] for room in orders}
    recipients = {_TROUBLED: len(_FOUR), _WELL: 7}
    for room in orders:
        load.order("pass_on", count=5, recipients=recipients[room], **orders[room])
    for _ in range(scale.trouble_rounds):
        for room, order in orders.items():
            took = load.order("pass_on", count=scale.trouble_messages, recipients=recipients[room], **order)
            last[room].append([1000 * max(one) for one in took["arrivals"]])
            first[room].append([1000 * min(one) for one in took["arrivals"]])
    found = {}
    for series, rounds in (("first of the four", first), ("last of the four", last)):
        for room in (_WELL, _TROUBLED):
            figure = Figure(NAME, f"{series}, {room}", "ms", rounds[room], series=series)
            found[series, room] = report.add(figure)
    well, troubled = found["last of the four", _WELL], found["last of the four", _TROUBLED]
    report.compare("last of the four, in trouble / well", troubled, well, TARGET)


def _check(nodes: Sequence[BenchNode]) -> None:
    """The trouble was real: nothing that was sent meanwhile has reached one of the three."""
    latest = nodes[0].get(nodes[0].path_of_latest(_TROUBLED))["messages"][0]
    states = {delivery["uuid"]: delivery["state"] for delivery in latest["deliveries"]}
    reached = [i for i in _IN_TROUBLE if states[nodes[i].uuid] != "waiting"]
    if reached:
        raise RuntimeError(f"nodes {reached} should have been out of reach, and were not: {states}")

"""Nodes that know each other before they start: identities and databases made by the program's own store.

Two people who verify each other in the page end up with the same rows; making 32 of them
do so would take longer than the benchmark. Keys are made once for a run and used again by
each benchmark, as are the safety numbers, which are slow on purpose.

    with Community(setting, lan.hosts, {"tea": range(3)}) as nodes:   # three friends in one room
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from bench_node import BenchNode, Launch
from lab import Namespace
from waiting import wait_until

from cryptochat_lib.identity import Identity, create_identity, safety_number
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import RoomName, Trust
from cryptochat_lib.store import Store

_MEET_WITHIN = 90.0
_numbers = itertools.count(1)


class People:
    """Identities, made once. The same number is the same person in every benchmark."""

    def __init__(self) -> None:
        self._identities: list[Identity] = []
        self._numbers: dict[tuple[int, int], str] = {}

    def identities(self, count: int) -> list[Identity]:
        missing = count - len(self._identities)
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # making a key leaves the interpreter to others
            jobs = [pool.submit(create_identity) for _ in range(missing)]
        self._identities += [job.result() for job in jobs]
        return self._identities[:count]

    def safety_numbers(self, numbers: range) -> dict[tuple[int, int], str]:
        """By the numbers of both, the smaller one first."""
        people = self.identities(numbers.stop)
        missing = [pair for pair in itertools.combinations(numbers, 2) if pair not in self._numbers]

        def number(pair: tuple[int, int]) -> str:
            return safety_number(people[pair[0]].certificate, people[pair[1]].certificate)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            self._numbers.update(zip(missing, pool.map(number, missing), strict=True))
        return self._numbers


class Community:
    """Started nodes, one on each machine. `rooms`: for each room, who is in it, by their numbers.

    `strangers`: pairs (one, other) of which one has not answered yet who the other is.
    `first`: the number of the first person, where others are on the same network already.
    """

    def __init__(
        self,
        people: People,
        folder: Path,
        machines: Sequence[Namespace],
        rooms: Mapping[str, Collection[int]],
        *,
        launch: Launch | None = None,
        strangers: Collection[tuple[int, int]] = (),
        first: int = 0,
    ) -> None:
        self._ends = ExitStack()
        self._rooms = rooms
        who = range(first, first + len(machines))
        identities, numbers = people.identities(who.stop), people.safety_numbers(who)
        folder = folder / f"community-{next(_numbers)}"
        folder.mkdir()
        paths = [folder / f"node-{own:02d}.db" for own in who]
        for own, path in zip(who, paths, strict=True):
            write_database(
                path,
                identities[own],
                {identities[i]: numbers[min(i, own), max(i, own)] for i in who if i != own},
                [room for room, members in rooms.items() if own - first in members],
                [identities[first + other] for one, other in strangers if one == own - first],
            )
        try:
            self.nodes = [
                self._ends.enter_context(BenchNode(machine, path, launch))
                for machine, path in zip(machines, paths, strict=True)
            ]
            self._meet()
        except BaseException:
            self._ends.close()
            raise

    def _meet(self) -> None:
        """Wait until all see all others in the rooms they share."""
        for room, members in self._rooms.items():
            wanted = {self.nodes[i].uuid for i in members}
            for i in members:
                wait_until(lambda: wanted <= _online(self.nodes[i], room), _MEET_WITHIN, f"{i} in {room}")  # noqa: B023

    def __enter__(self) -> list[BenchNode]:
        return self.nodes

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.close()


def write_database(
    path: Path,
    own: Identity,
    known: Mapping[Identity, str],
    rooms: Collection[str] = (),
    strangers: Collection[Identity] = (),
) -> None:
    """A database as it is after this person has verified all `known`, each with its safety number."""
    store = Store(path, Limits())
    store.open(lambda: own)
    for other, number in known.items():
        key = store.keys.add(other.certificate, number, None, 0)
        if other not in strangers:
            store.keys.set_trust([(key, Trust.VERIFIED, "number", False)])
    for room in rooms:
        store.settings.join(RoomName(room))
    store.close()


def _online(node: BenchNode, room: str) -> set[str]:
    return {uuid for uuid, member in node.members(room).items() if member["online"] or member["self"]}

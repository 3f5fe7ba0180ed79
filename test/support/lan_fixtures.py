"""Machines for the LAN tests: one network for a module, nodes for a test.

What is shared by a module is named so in its fixtures. Every room has a new
name, so that tests that share a network don't meet in one.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from friends import StartNode, StartSeed, befriend
from lab import Host, Lan, Namespace
from nodes import Node
from seed_process import SeedProcess


@pytest.fixture(scope="session", autouse=True)
def _may_make_machines() -> None:
    for program in ("ip", "nsenter", "unshare"):
        if not shutil.which(program):
            pytest.skip(f"machines are made with `{program}`, which is not here")
    if os.geteuid() != 0:
        pytest.skip("network namespaces are made by root alone")


@pytest.fixture(scope="module")
def lan() -> Iterator[Lan]:
    """Three machines on one cable."""
    with Lan(hosts=3) as lan:
        yield lan


@pytest.fixture(scope="session")
def _room_numbers() -> Iterator[int]:
    return itertools.count(1)


@pytest.fixture
def room(_room_numbers: Iterator[int]) -> str:
    """A room that no other test uses."""
    return f"room {next(_room_numbers)}"


@pytest.fixture
def start_node(tmp_path: Path) -> Iterator[StartNode]:
    """Start nodes that are stopped, and held to their promises, at the end of the test."""
    with ExitStack() as stack:

        def start(host: Namespace, name: str, **options: Any) -> Node:
            return stack.enter_context(Node(host, tmp_path / f"{name}.db", username=name, **options))

        yield start


@pytest.fixture
def start_seed(tmp_path: Path) -> Iterator[StartSeed]:
    """Start seed-only peers that are gone at the end of the test. One name, one key."""
    with ExitStack() as stack:

        def start(host: Host, name: str = "seed", **options: Any) -> SeedProcess:
            return stack.enter_context(SeedProcess(host, tmp_path / f"{name}.json", **options))

        yield start


@pytest.fixture(scope="module")
def friends(lan: Lan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node]]:
    """Two nodes for a module that have verified each other. A test that ends that restores it."""
    folder = tmp_path_factory.mktemp("friends")
    with (
        Node(lan.hosts[0], folder / "ada.db", username="Ada") as ada,
        Node(lan.hosts[1], folder / "bob.db", username="Bob") as bob,
    ):
        befriend(ada, bob)
        yield ada, bob

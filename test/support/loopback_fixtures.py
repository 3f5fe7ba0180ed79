"""Nodes in one process, for a test each; nothing of them may be left behind."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from loopback_network import FakeNetwork
from loopback_node import LoopbackNode
from loopback_peer import HandmadePeer, trust
from waiting import wait_until

_FOLDER_OF_DESCRIPTORS = Path("/proc/self/fd")


@pytest.fixture(autouse=True)
def _nothing_is_left_behind() -> Iterator[None]:
    """No thread and no descriptor outlives its test."""
    threads, descriptors = set(threading.enumerate()), _descriptors()
    yield
    wait_until(
        lambda: set(threading.enumerate()) <= threads,
        10,
        f"threads are left: {set(threading.enumerate()) - threads}",
    )
    wait_until(
        lambda: _descriptors() <= descriptors,
        10,
        f"descriptors are left: {_descriptors() - descriptors}",
    )


def _descriptors() -> set[tuple[str, str]]:
    """What this process has open, but for the files of a module's shared node.

    SQLite keeps a closed connection's descriptor while another one of this process has
    the file locked (sqlite.org/howtocorrupt.html, 2.2), and uses it again.
    """
    found = set()
    for name in os.listdir(_FOLDER_OF_DESCRIPTORS) if _FOLDER_OF_DESCRIPTORS.exists() else ():
        with contextlib.suppress(OSError):  # the listing's own is closed by now
            file = os.readlink(_FOLDER_OF_DESCRIPTORS / name)
            if not Path(file).name.startswith("shared.db"):
                found.add((name, file))
    return found


@pytest.fixture
def network() -> FakeNetwork:
    return FakeNetwork()


@pytest.fixture
def start_node(network: FakeNetwork, tmp_path: Path) -> Iterator[Callable[..., LoopbackNode]]:
    """Start a node by its name; the first name gets the first stock identity, and so on."""
    names: list[str] = []
    with ExitStack() as stack:

        def start(name: str, **options: Any) -> LoopbackNode:
            names.append(name)
            around = options.pop("network", network)
            node = LoopbackNode(around, tmp_path / f"{name}.db", len(names), username=name, **options)
            return stack.enter_context(node)

        yield start


@pytest.fixture
def ada(start_node: Callable[..., LoopbackNode]) -> LoopbackNode:
    """A node that has met nobody."""
    return start_node("Ada")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopbackNode]:
    """A node for the tests of one module that change nothing of it, or do not mind."""
    with LoopbackNode(
        FakeNetwork(), tmp_path_factory.mktemp("shared") / "shared.db", sse_comment_seconds=0.2
    ) as node:
        yield node


@pytest.fixture
def make_peer(network: FakeNetwork) -> Iterator[Callable[..., HandmadePeer]]:
    """Make peers by hand."""
    with ExitStack() as stack:

        def make(*arguments: Any, **options: Any) -> HandmadePeer:
            return stack.enter_context(HandmadePeer(network, *arguments, **options))

        yield make


@pytest.fixture
def mallory(make_peer: Callable[..., HandmadePeer]) -> HandmadePeer:
    """A peer made by hand, of whom nobody has heard."""
    return make_peer()


@pytest.fixture
def friend(ada: LoopbackNode, mallory: HandmadePeer) -> HandmadePeer:
    """A peer whom Ada has verified, in the room "tea"."""
    trust(ada, mallory)
    return mallory


@pytest.fixture(scope="module")
def shared_friend(shared: LoopbackNode) -> Iterator[HandmadePeer]:
    """The same for the module's shared node, whom nothing that is refused changes."""
    with HandmadePeer(shared.network) as peer:
        trust(shared, peer)
        yield peer

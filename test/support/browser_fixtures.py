"""Two machines on one cable for the browser tests, with a node and a Chromium on each as wanted.

Every Chromium is held to the same at the end of its test: no violation of the page's
policy, and nothing on the console that the test has not provoked (support/chromium.py).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from chromium import Chromium
from friends import StartNode
from lab import Lan, Namespace
from nodes import Node

StartChromium = Callable[[Namespace], Chromium]


@pytest.fixture(scope="session", autouse=True)
def _needs() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may make the network namespaces that the browser tests need")
    for program in ("chromium", "chromedriver"):
        if not shutil.which(program):
            pytest.skip(f"no {program} on the PATH")


@pytest.fixture(scope="module")
def lan() -> Iterator[Lan]:
    """Two machines on one cable."""
    with Lan(hosts=2) as lan:
        yield lan


@pytest.fixture
def start_node(tmp_path: Path) -> Iterator[StartNode]:
    """Start nodes that are stopped, and held to their promises, at the end of the test."""
    with ExitStack() as stack:

        def start(host: Namespace, name: str, **options: Any) -> Node:
            return stack.enter_context(
                Node(host, tmp_path / f"{len(os.listdir(tmp_path))}.db", username=name, **options)
            )

        yield start


@pytest.fixture(scope="module")
def _browsers(lan: Lan) -> Iterator[dict[str, Chromium]]:
    """The browsers of a module, by machine: starting one takes longer than most tests."""
    browsers: dict[str, Chromium] = {}
    yield browsers
    for browser in browsers.values():
        browser.close()


@pytest.fixture
def start_chromium(start_node: StartNode, _browsers: dict[str, Chromium]) -> Iterator[StartChromium]:
    """A browser on a machine, without a tab. At the end of the test, before the nodes stop, it is checked."""
    with ExitStack() as stack:

        def start(host: Namespace) -> Chromium:
            if host.name not in _browsers:
                _browsers[host.name] = Chromium(host)
            browser = _browsers[host.name]
            stack.callback(browser.renew)
            return browser

        yield start

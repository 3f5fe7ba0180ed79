"""Nodes in one process; each test leaves nothing behind."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from lab import Namespace, solo
from loopback_fixtures import (  # noqa: F401 (fixtures are found by their names)
    _nothing_is_left_behind,
    ada,
    friend,
    make_peer,
    mallory,
    network,
    shared,
    shared_friend,
    start_node,
)


@pytest.fixture(scope="module")
def machine() -> Iterator[Namespace]:
    if os.geteuid() != 0 or not all(shutil.which(program) for program in ("ip", "nsenter", "unshare")):
        pytest.skip("a machine of its own is made by root, with `ip`, `nsenter` and `unshare`")
    with solo() as machine:
        yield machine

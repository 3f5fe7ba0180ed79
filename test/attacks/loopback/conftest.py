"""Nodes in one process; each test leaves nothing behind."""

from __future__ import annotations

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

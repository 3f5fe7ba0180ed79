"""Machines on one cable, with a node each."""

from __future__ import annotations

from lan_fixtures import (  # noqa: F401 (fixtures are found by their names)
    _may_make_machines,
    _room_numbers,
    friends,
    lan,
    room,
    start_node,
    start_seed,
)

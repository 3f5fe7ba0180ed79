"""Machines on one cable, with a node and a Chromium on each as wanted."""

from __future__ import annotations

from browser_fixtures import (  # noqa: F401 (fixtures are found by their names)
    _browsers,
    _needs,
    lan,
    start_chromium,
    start_node,
)

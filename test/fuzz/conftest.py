"""Fuzzers and nodes on machines of their own."""

from __future__ import annotations

from lan_fixtures import _may_make_machines  # noqa: F401 (found by its name)

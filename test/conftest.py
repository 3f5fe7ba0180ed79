"""What holds for every test.

A test may be skipped where it can't run: no browser, no `ip`, no right to make a
network namespace. With CI set, nothing may be missing that .ci/run could have
installed: there, a skip is a failure, or a suite that tests nothing would be green.
The exception is what no install mends; its reason starts with one of `BEYOND_US`.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

BEYOND_US = ("this kernel", "this platform", "this network")

# Helpers, not tests: imported by their plain names (pyproject.toml, pythonpath), never collected.
collect_ignore = ["support"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Here and not beside their test: pytest knows options only from where it starts to look."""
    parser.addoption(
        "--crash-seconds", type=float, default=60.0, help="how long test/lan/test_crashes.py crashes nodes"
    )
    parser.addoption(
        "--delivery-examples",
        type=int,
        default=20,
        help="how many stories test/loopback/test_delivery_rules.py makes up",
    )
    parser.addoption(
        "--fuzz-seconds", type=float, default=60.0, help="how long each fuzzer of test/fuzz runs; all at once"
    )
    for option in ("--crash-seed", "--delivery-seed", "--fuzz-seed"):
        parser.addoption(option, type=int, default=None, help="the seed that an earlier run printed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that skips itself, or that a mark skips."""
    report = yield
    if not hasattr(report, "wasxfail"):
        _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module that skips all of itself, `pytest.importorskip` among them."""
    report = yield
    _fail_if_skipped(report)
    return report


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not os.environ.get("CI") or not report.skipped:
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    if not reason.startswith(BEYOND_US):
        report.outcome = "failed"
        report.longrepr = f"skipped, and CI skips nothing that it could install: {reason}"

"""With CI set, a skipped test is a failure, unless nothing that can be installed would help."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"
SKIP_THEMSELVES = """
import pytest

def test_in_itself():
    pytest.skip("no browser")

@pytest.mark.skipif(True, reason="no browser")
def test_by_a_mark(): pass

@pytest.fixture
def browser():
    pytest.skip("no browser")

def test_in_a_fixture(browser): pass
"""
SKIPPED_AS_A_MODULE = """
import pytest
pytest.importorskip("no_such_module")
"""
NOT_MENDED_BY_AN_INSTALL = """
import pytest

def test_that_this_kernel_cannot_run():
    pytest.skip("this kernel has no network namespaces")

@pytest.mark.xfail
def test_that_is_expected_to_fail():
    raise ValueError
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "pytest.ini").touch()
    for name, text in enumerate((SKIP_THEMSELVES, SKIPPED_AS_A_MODULE, NOT_MENDED_BY_AN_INSTALL)):
        (tmp_path / f"test_{name}.py").write_text(text)
    return tmp_path


def closing_line(suite: Path, **environment: str) -> str:
    """What pytest says of the suite in the end, without the time it took."""
    outside = {name: value for name, value in os.environ.items() if name != "CI"}
    command = [sys.executable, "-m", "pytest", "-q", "--continue-on-collection-errors", "--color=no"]
    done = subprocess.run(command, cwd=suite, env=outside | environment, capture_output=True, text=True)
    return done.stdout.splitlines()[-1].partition(" in ")[0]


def test_where_a_person_tests_what_is_missing_is_skipped(suite: Path) -> None:
    assert closing_line(suite) == "5 skipped, 1 xfailed"


def test_in_ci_every_skip_that_an_install_would_mend_is_a_failure(suite: Path) -> None:
    assert closing_line(suite, CI="true") == "1 failed, 1 skipped, 1 xfailed, 3 errors"

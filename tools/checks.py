"""Every check there is, behind `tools/test.py`: ruff; mypy beside pytest in three parts; the fuzzers.

The parts take about as long as each other, and most of their tests wait most of the time:

1. the tests that have machines and networks of their own, and those with whole installations
2. those with a browser, of the measuring, and of the modules
3. all the rest, whose words are shown as they come

The fuzzers come last, since they take all the processor that there is.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import ExitStack

_FIRST = (("ruff", "check", "."), ("ruff", "format", "--check", "."))
_APART = (
    ("mypy",),
    ("pytest", "test/lan", "test/attacks/lan", "test/packaging"),
    ("pytest", "test/browser", "test/attacks/browser", "test/bench", "test/unit"),
)
_FUZZ = "test/fuzz"


def run_all(python: str) -> list[str]:
    """Run every check with this interpreter; returns those that failed."""
    failed = [" ".join(check) for check in _FIRST if _status(python, *check) != 0]
    return failed + _side_by_side(python) + ([_FUZZ] if _status(python, "pytest", _FUZZ) != 0 else [])


def _side_by_side(python: str) -> list[str]:
    """The checks that failed. What those apart say is shown when the rest of the tests is through."""
    elsewhere = [path for check in _APART for path in check[1:]]
    rest = [f"--ignore={path}" for path in (*elsewhere, _FUZZ)]
    with ExitStack() as stack:
        running = []
        for check in _APART:
            said = stack.enter_context(tempfile.TemporaryFile())
            apart = subprocess.Popen([python, "-m", *check], stdout=said, stderr=subprocess.STDOUT)
            stack.callback(apart.terminate)
            running.append((check, apart, said))
        failed = ["pytest"] if _status(python, "pytest", *rest) != 0 else []
        for check, apart, said in running:
            if apart.wait() != 0:
                failed.append(" ".join(check))
            said.seek(0)
            sys.stdout.buffer.write(said.read())
            sys.stdout.flush()
    return failed


def _status(python: str, module: str, *arguments: str) -> int:
    return subprocess.call([python, "-m", module, *arguments])

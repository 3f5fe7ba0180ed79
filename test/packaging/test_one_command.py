"""README's first command: from a fresh checkout to a program that runs, and at once from then on."""

from __future__ import annotations

import ast
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from lab import solo

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(600)  # whichever test is the first one builds
COMMANDS = ("tools/run.py", "tools/test.py", "tools/bench.py")


@pytest.fixture(scope="module")
def set_up(checkout: Path, wheels: Path, fresh_machine: dict[str, str]) -> Path:
    """The checkout in which the first command has run once; its page was built by `wheels`, without Node."""
    first = subprocess.run(
        [sys.executable, "tools/run.py", "--version"],
        cwd=checkout,
        env=fresh_machine,
        capture_output=True,
        text=True,
    )
    assert first.returncode == 0, first.stderr
    assert first.stdout.count("\n") == 1, "what pip says belongs to stderr"
    return checkout


def test_once_set_up_the_first_command_starts_without_a_network_and_becomes_the_program(
    set_up: Path, offline: dict[str, str], tmp_path: Path
) -> None:
    with solo() as machine:
        command = [
            sys.executable,
            set_up / "tools/run.py",
            "--db",
            "ada.db",
            "--interface",
            "lo",
            "--uiaddr",
            "127.0.0.1:0",
            "--no-browser",
        ]
        program = machine.popen(command, env=offline, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        assert program.stdout is not None
        assert program.stdout.readline().startswith("CryptoChat is ready: ")
        assert (tmp_path / "ada.db").exists(), "paths are the caller's"
        program.send_signal(signal.SIGTERM)
        assert program.wait(10) == 0, "the signal reaches the program itself"
        program.stdout.close()


def test_after_a_change_of_what_is_required_it_sets_up_again(set_up: Path, offline: dict[str, str]) -> None:
    inputs = set_up / "setup.cfg"
    inputs.write_text(inputs.read_text() + "\n")

    again = subprocess.run(
        [sys.executable, "tools/run.py", "--version"], cwd=set_up, env=offline, capture_output=True, text=True
    )

    assert again.returncode == 1, "setuptools for the build is not to be had offline"
    assert again.stderr.startswith("Setting up in .venv")
    assert again.stderr.splitlines()[-1].startswith("The set-up failed, for the reason above.")
    assert again.stdout == ""


def run_pretending(pretence: str, command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one of the commands in a Python that was first made to look like another."""
    code = f"""
import runpy, sys
{pretence}
sys.path.insert(0, "tools")
runpy.run_path({command!r}, run_name="__main__")
"""
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_python_that_is_too_old_is_told_so_in_one_line(command: str) -> None:
    told = run_pretending("sys.version_info, sys.version = (3, 9, 18), '3.9.18 (of old)'", command, ROOT)

    assert told.returncode == 1
    assert told.stderr.startswith("CryptoChat needs Python 3.10 or later; this is 3.9.18 (")
    assert told.stderr.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_a_python_that_is_too_old_can_read_the_commands(command: str) -> None:
    ast.parse((ROOT / command).read_text(), feature_version=(3, 4))


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_virtual_environments_is_told_so_in_one_line(
    module: str, project_files: list[str], tmp_path: Path
) -> None:
    for name in [name for name in project_files if name.startswith("tools/")]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())

    told = run_pretending(f"sys.modules[{module!r}] = None", "tools/run.py", tmp_path)

    assert told.returncode == 1
    assert f"comes without `{module}`" in told.stderr.splitlines()[-1]
    assert "Traceback" not in told.stderr
    assert not (tmp_path / ".venv").exists()

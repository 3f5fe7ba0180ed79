"""The set-up behind `tools/run.py` and `tools/test.py`: a `.venv` with all that this checkout needs.

    1. a virtual environment in `.venv`
    2. pip installs the checkout into it, editable; the build fetches Vue (setup.py)
    3. a stamp says by which files that was done: as long as they are the same,
       later starts skip all of this, and need no network and no time

What is said on the way goes to stderr: stdout belongs to the program that runs next,
whose one line a script may be waiting for.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import fetch_vue

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

# Change one of these, and the next start sets up again.
_INPUTS = ("setup.cfg", "setup.py", "pyproject.toml", "tools/fetch_vue.py", "web/package-lock.json")
_WORKS = "import sys; sys.exit(sys.version_info < (3, 10))"


def prepare(extra: str = "") -> None:
    """Make `.venv` hold the program and, if named, one of setup.cfg's extras. Or exit, and say why."""
    if _is_ready(extra):
        return
    print("Setting up in .venv, once. This needs the network.", file=sys.stderr)
    try:
        _make_venv()
        _pip_install("pip>=22.3")  # one that installs editable by pyproject.toml; most Pythons bring it
        _pip_install("--editable", f"{ROOT}[{extra}]" if extra else str(ROOT))
    except subprocess.CalledProcessError:
        sys.exit("The set-up failed, for the reason above. Mended, the same command goes on from there.")
    for name in {"", extra}:
        _stamp_of(name).write_text(_fingerprint_of_inputs())


def _is_ready(extra: str) -> bool:
    """Was it set up by the files as they are now, and is it still there?"""
    try:
        return _stamp_of(extra).read_text() == _fingerprint_of_inputs() and fetch_vue.is_in_place()
    except OSError:
        return False


def _stamp_of(extra: str) -> Path:
    return VENV / f"cryptochat-{extra or 'run'}.ready"


def _fingerprint_of_inputs() -> str:
    """One hash over what decides what is installed: the place, the Python behind `.venv`, the files.

    Raises OSError if the Python is gone.
    """
    digest = hashlib.sha256(f"{ROOT}\0{PYTHON.resolve(strict=True)}".encode())
    for name in _INPUTS:
        content = (ROOT / name).read_bytes()
        digest.update(f"\0{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _make_venv() -> None:
    """Make `.venv`, mend it if it has no pip, make it anew if its Python is gone or too old."""
    works = _succeeds(PYTHON, "-c", _WORKS)
    if works and _succeeds(PYTHON, "-m", "pip", "--version"):
        return
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            sys.exit(
                f"This Python ({sys.executable}) comes without `{module}`, and nothing is installed outside "
                "of a virtual environment: `apt install python3-venv` on Debian and Ubuntu, elsewhere use "
                "a Python that is whole."
            )
    _run(sys.executable, "-m", "venv", *(() if works else ("--clear",)), str(VENV))


def _pip_install(*words: str) -> None:
    # Most of what is installed here is never imported: what is gets compiled then, not all of it now.
    _run(str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--no-compile", *words)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr)


def _succeeds(*command: str | Path) -> bool:
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def become(*words: str) -> NoReturn:
    """From now on be `.venv`'s Python with these arguments: signals are its own, its exit code is ours."""
    command = [str(PYTHON), *words]
    if os.name != "nt":
        sys.stderr.flush()
        os.execv(command[0], command)
    # Windows has no exec. Ctrl+C reaches both of us: the program ends by it, and we wait for that.
    with subprocess.Popen(command) as program:
        while True:
            try:
                sys.exit(program.wait())
            except KeyboardInterrupt:
                continue

"""A fresh machine, as far as one machine can play another: a checkout in which nothing
was ever set up, no Node on the PATH, and nothing of ours in the environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def project_files() -> list[str]:
    """Every file of the project, as git sees it: tracked, or new and not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs git, and a checkout")
    return sorted({name for name in listing.split("\0") if name and (ROOT / name).is_file()})


@pytest.fixture(scope="session")
def fresh_machine(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a machine without Node: almost nothing is on the PATH."""
    path = tmp_path_factory.mktemp("path")
    if nsenter := shutil.which("nsenter"):
        (path / "nsenter").symlink_to(nsenter)  # which the laboratory starts programs with
    ours = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    return {k: v for k, v in os.environ.items() if k not in ours} | {"PATH": str(path)}


@pytest.fixture(scope="session")
def offline(fresh_machine: dict[str, str]) -> dict[str, str]:
    """The same, with a pip that knows no registry and no folder of packages."""
    kept = {k: v for k, v in fresh_machine.items() if not k.startswith("PIP_")}
    return kept | {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1"}


@pytest.fixture(scope="session")
def checkout(project_files: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh copy of the project. Its tests share it; `wheels` is the first to build in it."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in project_files:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="session")
def wheels(checkout: Path, fresh_machine: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `pip wheel .` leaves, on a machine without Node."""
    folder = tmp_path_factory.mktemp("wheels")
    pip = [sys.executable, "-m", "pip"]
    probe = [*pip, "download", "--no-deps", "--dest", tmp_path_factory.mktemp("probe"), "ifaddr"]
    reached = subprocess.run(probe, env=fresh_machine, capture_output=True, text=True)
    if reached.returncode != 0:
        pytest.skip("no package registry is in reach: " + (reached.stderr.strip().splitlines() or [""])[-1])
    built = subprocess.run(
        [*pip, "wheel", ".", "--wheel-dir", folder],
        cwd=checkout,
        env=fresh_machine,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert built.returncode == 0, built.stdout
    return folder

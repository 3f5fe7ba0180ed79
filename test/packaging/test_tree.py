"""What the project's files may not say, and may not hold."""

from __future__ import annotations

import json
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# In parts, or this file would be the first to be found.
REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("npmjs", "com"),
        ("registry", "yarnpkg", "com"),
        ("deb", "debian", "org"),
    )
)


def test_no_file_names_a_package_registry(project_files: list[str]) -> None:
    """Whoever builds has a registry of their own, which pip, npm and apt know."""
    text = {name: (ROOT / name).read_bytes().decode(errors="replace") for name in project_files}

    assert [(name, host) for name in text for host in REGISTRY_HOSTS if host in text[name]] == []


def test_the_lock_has_a_hash_and_no_address_for_every_package() -> None:
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}

    assert "node_modules/vue" in packages
    assert [name for name in packages if "resolved" in packages[name]] == []
    assert [name for name in packages if not packages[name]["integrity"].startswith("sha512-")] == []


def test_nothing_that_was_fetched_or_built_is_in_the_project(project_files: list[str]) -> None:
    fetched = ("node_modules", "vendor", "build", "dist", ".venv", "wheels")

    assert [name for name in project_files if set(Path(name).parts[:-1]) & set(fetched)] == []
    assert [name for name in project_files if name.endswith((".whl", ".pyc", ".min.js", ".prod.js"))] == []


def test_ci_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)

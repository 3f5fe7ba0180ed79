"""On what a run was measured: figures of different machines are not compared without this."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
import ssl
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("zeroconf", "cryptography", "ifaddr")


def describe(folder: Path) -> dict[str, Any]:
    """The machine, the versions and the commit. `folder`: where the databases are."""
    return {
        "machine": {
            "processor": _first(r"model name\s*: (.+)", "/proc/cpuinfo") or platform.processor(),
            "cores": os.cpu_count(),
            "memory_bytes": int(_first(r"MemTotal:\s*(\d+)", "/proc/meminfo") or 0) * 1024,
            "system": f"{platform.system()} {platform.release()}",
            "file_system": _file_system(folder),
            "load_before": os.getloadavg(),
        },
        "versions": {
            "python": platform.python_version(),
            "implementation": sys.implementation.name,
            "openssl": ssl.OPENSSL_VERSION,
            "sqlite": sqlite3.sqlite_version,
            **{name: metadata.version(name) for name in _PACKAGES},
        },
        "commit": _git("rev-parse", "HEAD"),
        "changed_since_commit": bool(_git("status", "--porcelain")),
    }


def _first(pattern: str, path: str) -> str | None:
    match = re.search(pattern, Path(path).read_text())
    return match[1].strip() if match else None


def _file_system(folder: Path) -> str | None:
    """Its type; what a commit costs hangs on it."""
    command = ["stat", "--file-system", "--format=%T", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() or None


def _git(*words: str) -> str | None:
    """None in an unpacked archive."""
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None

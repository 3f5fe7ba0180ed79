"""No version that is known to be vulnerable is ever installed: by our own list, and by everybody's.

`ADVISORIES` is what is known of the packages that setup.cfg names. Its floors exclude all of that, so
nobody lowers one without noticing. What has become known since, `pip-audit` asks the database that the
registry of packages keeps, where that can be reached.
"""

from __future__ import annotations

import configparser
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

SETUP = Path(__file__).resolve().parents[2] / "setup.cfg"
PATIENCE = 60


class Advisory(NamedTuple):
    """`mended`: the first version without the fault, or at the latest the first."""

    package: str
    mended: str
    id: str
    fault: str


ADVISORIES = (
    Advisory(
        "zeroconf", "0.149.5", "CVE-2026-47180", "a packet of chained pointers escapes as RecursionError"
    ),
    Advisory("zeroconf", "0.149.7", "CVE-2026-47183", "memory without bound, filled from the network"),
    Advisory("zeroconf", "0.149.7", "CVE-2026-47184", "memory without bound, filled from the network"),
    Advisory("zeroconf", "0.149.12", "CVE-2026-48045", "queues of truncated questions without bound"),
    Advisory("zeroconf", "0.149.13", "CVE-2026-48487", "a record longer than its packet gets into the cache"),
    Advisory("cryptography", "46.0.5", "CVE-2026-26007", "points of small subgroups on binary curves"),
    Advisory("cryptography", "46.0.6", "CVE-2026-34073", "name constraints that do not hold"),
    Advisory("cryptography", "46.0.7", "CVE-2026-39892", "buffers in pieces are read past their end"),
    Advisory("cryptography", "48.0.1", "GHSA-537c-gmf6-5ccf", "its wheels bring a vulnerable OpenSSL"),
    Advisory("cryptography", "50.0.0", "CVE-2026-69247", "a Bleichenbacher oracle in PKCS #7"),
    Advisory("cryptography", "50.0.0", "CVE-2026-69248", "a wildcard escapes from name constraints"),
    Advisory("cryptography", "50.0.0", "GHSA-jwv3-5hgf-82ww", "high severity, in the versions before"),
    Advisory("pyopenssl", "26.0.0", "CVE-2026-27459", "a long cookie overflows a buffer"),
    Advisory("pyopenssl", "26.0.0", "CVE-2026-27448", "an exception of the server name's callback is lost"),
    Advisory("pytest", "9.0.3", "CVE-2025-71176", "its folder in /tmp can be another user's"),
)


def requirements() -> dict[str, Requirement]:
    """Everything that setup.cfg has installed, for running and for testing, by name."""
    setup = configparser.ConfigParser()
    setup.read(SETUP)
    lines = setup["options"]["install_requires"] + setup["options.extras_require"]["test"]
    wanted = [Requirement(line) for line in lines.splitlines() if line and not line.startswith("#")]
    return {canonicalize_name(one.name): one for one in wanted}


def test_each_package_has_a_floor() -> None:
    assert [one.name for one in requirements().values() if ">=" not in str(one.specifier)] == []


def test_no_floor_is_below_a_version_that_is_known_to_be_vulnerable() -> None:
    wanted = requirements()
    for advisory in ADVISORIES:
        floors = [Version(s.version) for s in wanted[advisory.package].specifier if s.operator == ">="]
        assert max(floors) >= Version(advisory.mended), advisory


def test_each_floor_that_an_advisory_has_raised_names_the_advisory() -> None:
    """So that who reads setup.cfg knows why: the latest ones of each package."""
    text = SETUP.read_text()
    for advisory in ADVISORIES:
        of_package = [Version(one.mended) for one in ADVISORIES if one.package == advisory.package]
        assert advisory.id in text or Version(advisory.mended) < max(of_package), advisory


def test_nothing_that_is_installed_is_known_to_be_vulnerable(tmp_path: Path) -> None:
    """By the registry's own database. It is skipped, and says so, where that cannot be asked."""
    pinned = tmp_path / "requirements.txt"
    names = {*requirements(), "cffi", "pycparser"}  # the last two come with cryptography
    pinned.write_text("".join(f"{name}=={version(name)}\n" for name in sorted(names)))
    audit = [sys.executable, "-m", "pip_audit", "--format=json", "--progress-spinner=off", "--timeout=5"]
    asked = subprocess.run(
        [*audit, "--no-deps", "--disable-pip", "--requirement", str(pinned)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    if not asked.stdout:
        pytest.skip(f"this network does not let pip-audit ask: {asked.stderr.strip().splitlines()[-1]}")
    answers = json.loads(asked.stdout)["dependencies"]
    vulnerable = {one["name"]: one["vulns"] for one in answers if one.get("vulns")}
    assert not vulnerable
    unknown = [one["name"] for one in answers if "skip_reason" in one]
    if unknown:  # an exit status of 0 and "no known vulnerabilities" all the same
        pytest.skip(f"this network has no database of advisories about {', '.join(unknown)}")

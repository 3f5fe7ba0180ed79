"""`pip wheel .` gives all that an offline machine needs: program, page, Vue, dependencies."""

from __future__ import annotations

import http.client
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from lab import solo

pytestmark = pytest.mark.timeout(600)  # whichever test is the first one builds
READY = "CryptoChat is ready: "


def test_the_wheel_holds_every_module_and_every_file_of_the_page_and_vue(
    wheels: Path, project_files: list[str]
) -> None:
    (wheel,) = wheels.glob("cryptochat-*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    modules = {name for name in project_files if name.startswith("cryptochat_lib/") and name.endswith(".py")}
    page = {name for name in project_files if name.startswith("web/")}
    page -= {"web/.npmrc", "web/package.json", "web/package-lock.json"}
    page |= {"web/vendor/vue.js", "web/vendor/vue.LICENSE"}
    assert packed == {"cryptochat.py"} | modules | {f"cryptochat_lib/{name}" for name in page}


def test_the_vue_in_the_wheel_is_the_runtime_build_of_the_version_that_is_named(wheels: Path) -> None:
    (wheel,) = wheels.glob("cryptochat-*.whl")
    vue = zipfile.ZipFile(wheel).read("cryptochat_lib/web/vendor/vue.js").decode()

    assert "* vue v3.5." in vue[:100]
    assert "new Function" not in vue  # the template compiler's, which would need `unsafe-eval`


def test_a_machine_without_network_and_node_installs_the_wheels_and_runs_the_program(
    wheels: Path, offline: dict[str, str], tmp_path: Path
) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], env=offline, check=True)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            venv / "bin" / "python",
            "install",
            "--quiet",
            "--find-links",
            wheels,
            "cryptochat",
        ],
        env=offline,
        check=True,
    )

    with solo() as machine:
        command = [
            venv / "bin" / "cryptochat",
            "--db",
            tmp_path / "ada.db",
            "--interface",
            "lo",
            "--uiaddr",
            "127.0.0.1:0",
            "--no-browser",
        ]
        program = machine.popen(command, env=offline, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        assert program.stdout is not None
        line = program.stdout.readline()
        assert line.startswith(READY)
        port = urlsplit(line.removeprefix(READY)).port
        assert port is not None
        for path in ("/", "/main.js", "/vendor/vue.js"):
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.sock = machine.connect(port)
            connection.request("GET", path)
            assert connection.getresponse().status == 200, path
            connection.close()
        program.send_signal(signal.SIGTERM)
        assert program.wait(10) == 0
        assert program.stdout.read() == "", "the ready line is all that stdout gets"
        program.stdout.close()

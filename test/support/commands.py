"""The command line as a person or a script uses it: `cryptochat.py COMMAND`, as a process."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab import Namespace
from nodes import PROGRAM, Node


def words(database: Path, command: str, *arguments: str) -> list[str]:
    return [sys.executable, str(PROGRAM), command, "--db", str(database), *arguments]


def run(
    machine: Namespace | None, database: Path, command: str, *arguments: str, stdin: str | bytes = b""
) -> subprocess.CompletedProcess[str]:
    """The command's end, whatever its status. Nothing that it prints is a traceback."""
    data = stdin if isinstance(stdin, bytes) else stdin.encode()
    with start(machine, database, command, *arguments, stdin=subprocess.PIPE) as program:
        out, errors = program.communicate(data, timeout=30)
    result = subprocess.CompletedProcess(program.args, program.returncode, out.decode(), errors.decode())
    assert "Traceback" not in result.stderr, result.stderr
    return result


def start(
    machine: Namespace | None,
    database: Path,
    command: str,
    *arguments: str,
    only: Mapping[str, str] | None = None,
    **options: Any,
) -> subprocess.Popen[bytes]:
    """`only`: all that its environment has."""
    clean = [] if only is None else ["env", "-i", *(f"{name}={value}" for name, value in only.items())]
    popen = machine.popen if machine else subprocess.Popen
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    program: subprocess.Popen[bytes] = popen([*clean, *words(database, command, *arguments)], **pipes)
    return program


def line(program: subprocess.Popen[bytes], within: float = 15) -> str:
    """The next line of its output; the program is killed if there is none in time."""
    assert program.stdout
    watchdog = threading.Timer(within, program.kill)
    watchdog.start()
    try:
        return program.stdout.readline().decode()
    finally:
        watchdog.cancel()
        watchdog.join()


class Person:
    """Somebody at a shell beside their node."""

    def __init__(self, machine: Namespace, node: Node) -> None:
        self.machine, self.node = machine, node

    def does(
        self, command: str, *arguments: str, stdin: str | bytes = b"", status: int = 0
    ) -> subprocess.CompletedProcess[str]:
        result = run(self.machine, self.node.database, command, *arguments, stdin=stdin)
        assert result.returncode == status, result
        return result

    def starts(self, command: str, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        return start(self.machine, self.node.database, command, *arguments, **options)

    def said(self, room: str = "tea") -> list[str]:
        return [message["content"] for message in self.node.history(room)]

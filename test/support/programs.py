"""Programs that tests start: the first line that they say, their sleep, and their end, each with a limit."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab import Namespace

_READY_WITHIN = 20.0
_KILLED_WITHIN = 10.0


class Freezable:
    """Whatever runs as `program` can be stopped in its tracks."""

    program: subprocess.Popen[str]

    def freeze(self) -> None:
        """The kernel still accepts connections for it. `thaw` lets it go on."""
        self.program.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.program.send_signal(signal.SIGCONT)


def first_line(program: subprocess.Popen[str]) -> str:
    """The first line of its output; "" if it ends without one, or says nothing in time and is killed."""
    assert program.stdout
    watchdog = threading.Timer(_READY_WITHIN, program.kill)
    watchdog.start()
    try:
        return program.stdout.readline().rstrip("\n")
    finally:
        watchdog.cancel()


def end(program: subprocess.Popen[Any], how: signal.Signals, within: float = _KILLED_WITHIN) -> int:
    """Its exit status after the signal `how`, and after SIGKILL if it has not ended by then."""
    program.send_signal(how)
    try:
        return program.wait(within)
    except subprocess.TimeoutExpired:
        program.kill()
        return program.wait(_KILLED_WITHIN)


@contextmanager
def running(machine: Namespace, *words: str | Path) -> Iterator[str]:
    """A program on `machine`, killed at the end. It says a line once it is ready: that one."""
    program = machine.popen(words, stdout=subprocess.PIPE, text=True)
    try:
        line = first_line(program)
        if not line:
            raise RuntimeError(f"{words[1]} did not start, for the reason above")
        yield line
    finally:
        end(program, signal.SIGKILL)
        if program.stdout:
            program.stdout.close()

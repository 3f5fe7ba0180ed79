"""A node that is measured: the real program, told to say little, with nobody listening.

`test/support/nodes.py` follows the events and keeps the debug log; here both would be
measured too. What a benchmark needs is made ready instead: the bytes of a POST around
its mark (`load_client`), the request that opens the event stream, sockets on its machine.
"""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import quote, urlsplit

from lab import Namespace
from programs import Freezable, end, first_line
from ui_client import UiClient

ROOT = Path(__file__).resolve().parents[2]
TEXT = "It arrives, once, in order: whatever crashes, sleeps or moves, and however many listen."
_LAUNCHER = Path(__file__).with_name("launcher.py")
_READY = "CryptoChat is ready: "
_MARK_CHARACTERS = 12
_runs = itertools.count(1)


@dataclass(frozen=True)
class Launch:
    """How nodes are started: with these limits, and with a profile in this folder."""

    limits: Mapping[str, int] | None = None
    profile: Path | None = None
    cpu: bool = False

    def command(self, name: str) -> list[str]:
        """What stands before the program's own options."""
        if not self.limits and not self.profile:
            return [sys.executable, str(ROOT / "cryptochat.py")]
        words = [sys.executable, str(_LAUNCHER)]
        for limit, value in (self.limits or {}).items():
            words.append(f"--limit={limit}={value}")
        if self.profile:
            words.append(f"--profile={self.profile / f'{next(_runs):02d}-{name}.txt'}")
        return [*words, *(["--cpu"] if self.cpu else []), "--"]


class BenchNode(UiClient, Freezable):
    """One CryptoChat, from its start to its end. `started_in`: seconds to the ready line."""

    def __init__(self, host: Namespace, database: Path, launch: Launch | None = None) -> None:
        super().__init__(host, 0, "")
        self.machine = host
        self.database = database
        self._launch = launch or Launch()
        self.start()

    def start(self) -> None:
        words = ["--db", str(self.database), "--addr", ":0", "--uiaddr", "127.0.0.1:0"]
        words += ["--no-browser", "--log", "warning"]
        self._log = self.database.with_suffix(".log")
        began = time.perf_counter()
        with self._log.open("ab") as log:
            self.program = self.machine.popen(
                [*self._launch.command(self.database.stem), *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        line = self._ready_line()
        self.started_in = time.perf_counter() - began
        url = urlsplit(line.removeprefix(_READY))
        self.ui_port, self.token = url.port or 0, url.fragment.removeprefix("token=")
        self.uuid: str = self.get("/api/info")["uuid"]

    def _ready_line(self) -> str:
        line = first_line(self.program)
        if not line.startswith(_READY):
            end(self.program, signal.SIGKILL)
            raise RuntimeError(f"{self.database.stem} did not start: {self._log.read_text()[-2000:]}")
        return line

    @property
    def pid(self) -> int:
        return self.program.pid

    def __enter__(self) -> BenchNode:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """SIGTERM; and say so if its log holds a traceback."""
        self.thaw()
        end(self.program, signal.SIGTERM)
        if self.program.stdout:
            self.program.stdout.close()
        if "Traceback" in (text := self._log.read_text()):
            print(f"{self.database.stem} failed on the way:\n{text[-4000:]}", file=sys.stderr)

    # Ready-made requests

    def head(self, method: str, path: str, *fields: str) -> str:
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.ui_port}"]
        return "\r\n".join([*lines, f"Authorization: Bearer {self.token}", *fields, "", ""])

    def message(self, room: str) -> dict[str, str]:
        """A POST to `room`, in the two parts that stand around its mark."""
        return around_mark(lambda *fields: self.head("POST", path_of(room) + "/message", *fields))

    def latest(self, room: str) -> str:
        """The request that shows how far the last message of `room` got."""
        return self.head("GET", self.path_of_latest(room))

    @staticmethod
    def path_of_latest(room: str) -> str:
        return path_of(room) + "/messages?limit=1"

    def stream(self) -> tuple[socket.socket, str]:
        """The event stream that a page has open."""
        return self.connect(), self.head("GET", "/api/events", "Accept: text/event-stream")

    # What the system says of it

    def cpu_seconds(self) -> float:
        """Processor time of the whole process so far, user and system (proc(5))."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mib(self) -> float:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def path_of(room: str) -> str:
    return f"/api/rooms/{quote(room, safe='')}"


def around_mark(head: Callable[..., str]) -> dict[str, str]:
    """A POST with a message, cut where its mark stands. `head` gets the header fields of the body."""
    before, after = '{"content":"', f' {TEXT}"}}'
    length = len(before) + _MARK_CHARACTERS + len(after)
    fields = head("Content-Type: application/json", f"Content-Length: {length}")
    return {"before": fields + before, "after": after}

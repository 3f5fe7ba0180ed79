"""One fuzzer and its node: a machine of their own, a good client beside them, and what must hold.

    with Campaign(name, folder, people, seed) as campaign:
        ...                                   # as long as it may take
        campaign.finish()                     # AssertionError for whatever was found

The node is the real program. Beside the fuzzer a good client asks it all the time: the user's
page, the friend's program, somebody who is announced for the first time. While the fuzzer runs,
an answer may take `HELD_UP` seconds, since both of them and the node share the processors; when it
has ended, one of five comes within `WITHIN`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from good_clients import GOOD_CLIENTS, GoodClient
from lab import solo
from nodes import Node
from people import People
from target import PEER_PORT
from waiting import wait_until

HELD_UP = 20.0
WITHIN = 1.0
_EVERY_SECONDS = 0.5
_MORE_THREADS, _MORE_DESCRIPTORS, _MORE_MIB = 4, 12, 300
_BACK_WITHIN = 40.0  # a stream whose reader has gone is noticed at its next comment
_LATEST_SHOWN = 20


class Campaign:
    """Starts with `with`; the fuzzer runs from then on, until `finish` or the end."""

    def __init__(self, name: str, folder: Path, people: People, seed: int) -> None:
        self.name, self.seed = name, seed
        self._folder, self._people = folder, people
        self._ends = ExitStack()
        self._stop = threading.Event()
        self.trouble: list[str] = []
        self.slowest = 0.0

    def __enter__(self) -> Campaign:
        with ExitStack() as ends:
            self._folder.mkdir()
            machine = ends.enter_context(solo())
            database = self._people.database(self._folder)
            words = ("--log", "info")
            self.node = Node(machine, database, addr=f":{PEER_PORT}", interfaces=["lo"], options=words)
            ends.callback(self._end_node)
            self.node.stop_listening()
            self._good: GoodClient = GOOD_CLIENTS[self.name](self.node, self._people)
            self._ask()
            self._baseline = _counts(self.node.program.pid)
            self._start_fuzzer()
            ends.callback(self._end_fuzzer)
            self._asking = threading.Thread(target=self._keep_asking, name="good client")
            self._asking.start()
            self._began = time.monotonic()
            self._ends = ends.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._asking.join(HELD_UP + 10)
        self._ends.close()

    def finish(self) -> str:
        """Stop the fuzzer and hold the node to its promises; returns how it went, in one line."""
        report = self._end_fuzzer()
        seconds = time.monotonic() - self._began
        self._stop.set()
        self._asking.join(HELD_UP + 10)
        self._check(report)
        cases, shown = report["cases"], report["shown"]
        assert isinstance(cases, int)
        return (
            f"{self.name}: {cases} cases in {seconds:.0f} s, {cases / seconds:.0f} a second"
            + (f", {shown} of them shown" if shown else "")
            + f"; the good client waited {self.slowest:.2f} s at most; threads, descriptors, MiB:"
            f" {self._baseline} before, {_counts(self.node.program.pid)} after"
        )

    @property
    def is_over(self) -> bool:
        """Whether it has found something, or the node has said that something went wrong."""
        return self._fuzzer.poll() is not None or bool(self.trouble or self._complaints())

    # What must hold

    def _check(self, report: dict[str, object]) -> None:
        again = f"--fuzz-seed {self.seed}"
        assert not report["wrong"], f"{self.name}, {again}: {report['wrong']}"
        latest = report["latest"]
        assert isinstance(latest, list)
        said = "\n".join(f"{number}: {data}" for number, data in latest[-_LATEST_SHOWN:])
        assert self.node.running, f"{self.name}, {again}: the node has ended after\n{said}"
        complaints = self._complaints()
        assert not complaints, f"{self.name}, {again}: {complaints}\nafter one of these:\n{said}"
        assert not self.trouble, f"{self.name}, {again}: {self.trouble}"
        took = [self._ask() for _ in range(5)]
        assert min(took) < WITHIN, f"{self.name}, {again}: a good client waits for {took} s"
        assert report["cases"], f"{self.name}: no case was tried"
        wait_until(self._is_back, _BACK_WITHIN, f"{self.name}, {again}: left over {self._left_over}")

    def _complaints(self) -> str:
        """What the node has logged that it must not: from the first traceback or error on."""
        lines = self.node.stderr.items
        for at, line in enumerate(lines):
            if "Traceback" in line or " ERROR " in line or " CRITICAL " in line:
                return "\n".join(lines[max(0, at - 1) : at + 40])
        return ""

    def _is_back(self) -> bool:
        now = _counts(self.node.program.pid)
        most = (_MORE_THREADS, _MORE_DESCRIPTORS, _MORE_MIB)
        return all(one <= before + more for one, before, more in zip(now, self._baseline, most, strict=True))

    @property
    def _left_over(self) -> str:
        return f"threads, descriptors, MiB {_counts(self.node.program.pid)}, before {self._baseline}"

    # The good client

    def _keep_asking(self) -> None:
        while not self._stop.wait(_EVERY_SECONDS) and self.node.running:
            try:
                self.slowest = max(self.slowest, self._ask())
            except Exception as error:
                self.trouble.append(f"the good client was not served: {error!r}")
                return
            if self.slowest > HELD_UP:
                self.trouble.append(f"the good client waited for {self.slowest:.1f} s")
                return

    def _ask(self) -> float:
        started = time.monotonic()
        self._good.ask()
        return time.monotonic() - started

    # Its parts

    def _start_fuzzer(self) -> None:
        aim = {
            "ui_port": self.node.ui_port,
            "token": self.node.token,
            "uuid": self.node.uuid,
            "room": self._people.room,
            "friend": str(self._people.pem),
            "friend_uuid": self._people.friend.uuid,
            "other_uuid": self._people.other.uuid,
        }
        assert self.node.host
        words: list[str | Path] = [
            sys.executable,
            Path(__file__).with_name("fuzzer.py"),
            self.name,
            str(self.seed),
            json.dumps(aim),
        ]
        here = Path(__file__).resolve().parent
        paths = (here, here.parent / "support", here.parents[1])
        self._fuzzer = self.node.host.popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
        )
        self._report: dict[str, object] = {}

    def _end_fuzzer(self) -> dict[str, object]:
        if not self._report:
            try:
                said, _ = self._fuzzer.communicate("stop\n", timeout=2 * HELD_UP)
            except subprocess.TimeoutExpired:
                self._fuzzer.kill()
                said, _ = self._fuzzer.communicate()
            nothing: dict[str, object] = {
                "cases": 0,
                "shown": None,
                "wrong": {"why": "the fuzzer died"},
                "latest": [],
            }
            self._report = json.loads(said or json.dumps(nothing))
        return self._report

    def _end_node(self) -> None:
        if self.node.running:
            self.node.stop(check=False)
        else:
            self.node.kill()


def _counts(pid: int) -> tuple[int, int, int]:
    """Threads, descriptors, MiB of memory."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return (
        int(status["Threads"]),
        len(os.listdir(f"/proc/{pid}/fd")),
        int(status["VmRSS"].split()[0]) // 1024,
    )

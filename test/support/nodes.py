"""The real program on a machine of the laboratory, and its user as a script.

    with Node(host, tmp_path / "ada.db", username="Ada") as ada:
        ada.join("tea")
        message = ada.send("tea", "hello")
        ada.wait_for("verification", uuid=bob.uuid)
        ada.verify(bob.uuid)

`Node` starts `cryptochat.py` as a person would and waits for its ready line.
Without a machine it runs where the tests run: say `interface="lo"` then, and
run the tests in a namespace of their own (contract, section 2: the UI is on the
loopback of the node's machine, so every request here is made from there).

A thread keeps one event stream open for as long as the node runs (`ui_client`),
and another keeps its stderr. At the end `stop` sends SIGTERM and holds the program
to its promises: exit status 0 within 3 s, and never a traceback.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from lab import Namespace
from programs import Freezable, end, first_line
from ui_client import Reply, SseEvent, UiClient
from waiting import Collected, wait_until

__all__ = ["Node", "Reply", "SseEvent", "UiClient", "wait_until"]

PROGRAM = Path(__file__).resolve().parents[2] / "cryptochat.py"
_READY = "CryptoChat is ready: "
_STOPS_WITHIN = 3.0


class Node(UiClient, Freezable):
    """One CryptoChat, from its ready line to its exit status."""

    def __init__(
        self,
        host: Namespace | None,
        database: Path,
        *,
        username: str | None = None,
        addr: str = ":0",
        interfaces: Sequence[str] = (),
        options: Sequence[str] = (),
        program: Path = PROGRAM,
    ) -> None:
        super().__init__(host, 0, "")
        self.database = database
        self._words = self.words(
            database,
            username=username,
            addr=addr,
            interfaces=interfaces,
            options=options,
            program=program,
        )
        self.stderr: Collected[str] = Collected()
        self.start()

    @staticmethod
    def words(
        database: Path,
        *,
        username: str | None = None,
        addr: str = ":0",
        interfaces: Sequence[str] = (),
        options: Sequence[str] = (),
        program: Path = PROGRAM,
    ) -> list[str]:
        """The command line."""
        words = [
            sys.executable,
            str(program),
            "--db",
            str(database),
            "--addr",
            addr,
            "--uiaddr",
            "127.0.0.1:0",
            "--no-browser",
            "--log",
            "debug",
            *options,
        ]
        for interface in interfaces:
            words += ["--interface", interface]
        return [*words, "--username", username] if username is not None else words

    def __enter__(self) -> Node:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.running:
            self.stop(check=error is None)
        if error is not None:
            print(f"--- stderr of {self.database.name}:", *self.stderr.items[-60:], sep="\n")

    # Its life

    def start(self) -> None:
        """Run the program and wait until it is ready. Events are collected anew."""
        self.events = Collected()
        popen = self.host.popen if self.host else subprocess.Popen
        self.program: subprocess.Popen[str] = popen(
            self._words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._stderr_reader = threading.Thread(target=self._keep_stderr, name="node's stderr")
        self._stderr_reader.start()
        try:
            url = urlsplit(self._ready_line().removeprefix(_READY))
            self.ui_port, self.token = url.port or 0, url.fragment.removeprefix("token=")
            info = self.get("/api/info")
            self.listen()
        except BaseException:
            self._end(signal.SIGKILL)
            raise
        self.uuid: str = info["uuid"]
        self.fingerprint: str = info["fingerprint"]
        self.fingerprint_sha256: str = info["fingerprint_sha256"]

    def _ready_line(self) -> str:
        line = first_line(self.program)
        if not line.startswith(_READY):
            self.program.wait(10)
            self._stderr_reader.join(10)
            raise RuntimeError(
                f"no ready line but {line!r}, exit status {self.program.returncode}, stderr: "
                + "\n".join(self.stderr.items)
            )
        return line

    def _keep_stderr(self) -> None:
        for line in self.program.stderr or ():
            self.stderr.add(line.rstrip("\n"))

    @property
    def running(self) -> bool:
        return self.program.poll() is None

    def stop(self, *, check: bool = True) -> None:
        """SIGTERM, and the promises that go with it."""
        self.stop_listening()
        started = time.monotonic()
        status = self._end(signal.SIGTERM)
        took = time.monotonic() - started
        if check:
            assert status == 0, f"exit status {status}\n" + "\n".join(self.stderr.items)
            assert took <= _STOPS_WITHIN + 0.5, f"took {took:.1f} s to stop"
            self.check_stderr()

    def kill(self) -> None:
        """SIGKILL: no goodbye, nothing tidied."""
        self.stop_listening()
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """The same database again, after `stop` or `kill` or from running."""
        if self.running:
            self.stop()
        self.start()

    def _end(self, how: signal.Signals) -> int:
        status = end(self.program, how, _STOPS_WITHIN + 5)
        self._stderr_reader.join(10)
        for stream in (self.program.stdout, self.program.stderr):
            if stream:
                stream.close()
        return status

    def check_stderr(self) -> None:
        text = "\n".join(self.stderr.items)
        assert "Traceback" not in text, text

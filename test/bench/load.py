"""The measuring client as its benchmark sees it: starts the process, hands it sockets, gives it orders.

    with Load([ada.connect()], streams=[bob.stream()]) as load:
        load.order("pass_on", connection=0, before=..., after=..., count=100, streams=[0])

The sockets are made here, on the machine of the node (`lab.Namespace.connect`), and
inherited: a socket belongs to the machine it was made on, whoever uses it.
"""

from __future__ import annotations

import itertools
import json
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

PROGRAM = Path(__file__).with_name("load_client.py")
_numbers = itertools.count(1)


class Load:
    """One measuring client. `streams`: sockets, each with the request that opens its event stream."""

    def __init__(
        self,
        connections: Sequence[socket.socket],
        *,
        streams: Sequence[tuple[socket.socket, str]] = (),
        echo: socket.socket | None = None,
    ) -> None:
        sockets = [*connections, *(one for one, _ in streams), *([echo] if echo else [])]
        setup = {
            "number": next(_numbers),
            "connections": [one.fileno() for one in connections],
            "streams": [(one.fileno(), request) for one, request in streams],
            "echo": echo.fileno() if echo else None,
        }
        self._program = subprocess.Popen(
            [sys.executable, str(PROGRAM), json.dumps(setup)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[one.fileno() for one in sockets],
        )
        for one in sockets:
            one.close()
        try:
            self._line()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Load:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def order(self, do: str, **how: Any) -> Any:
        """What the client answers; see `load_client`."""
        assert self._program.stdin
        self._program.stdin.write(json.dumps({"do": do, **how}) + "\n")
        self._program.stdin.flush()
        return json.loads(self._line())

    def _line(self) -> str:
        assert self._program.stdout
        line = str(self._program.stdout.readline())
        if not line:
            raise RuntimeError("the measuring client failed, for the reason above")
        return line

    def close(self) -> None:
        assert self._program.stdin
        assert self._program.stdout
        self._program.stdin.close()
        self._program.stdout.close()
        try:
            self._program.wait(10)
        except subprocess.TimeoutExpired:
            self._program.kill()
            self._program.wait(10)

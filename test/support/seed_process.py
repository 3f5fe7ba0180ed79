"""A seed-only peer as a program on a machine of the laboratory, and the user before it.

with SeedProcess(host, tmp_path / "seed.json", rooms=["tea"]) as seed:
    seed.wait_listed(node.uuid)
    seed.send("tea", "hello")
    seed.wait_for("asked", uuid=node.uuid)
    seed.verify(node.uuid)
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from lab import Host
from waiting import Collected

PROGRAM = Path(__file__).with_name("seed_peer.py")
Event = dict[str, Any]


class SeedProcess:
    """Starts with the constructor. `address`: one of its machine's, where that has several."""

    def __init__(
        self,
        host: Host,
        state: Path,
        *,
        rooms: Sequence[str] = (),
        port: int = 0,
        username: str = "seed",
        uuid: str | None = None,
        address: str | None = None,
    ) -> None:
        words: list[str | Path] = [
            sys.executable,
            PROGRAM,
            "--interface-ip",
            address or host.address,
            "--port",
            str(port),
            "--state",
            state,
            "--username",
            username,
        ]
        for room in rooms:
            words += ["--room", room]
        if uuid:
            words += ["--uuid", uuid]
        self.host = host
        self.events: Collected[Event] = Collected()
        self._program = host.popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, name="seed peer's events")
        self._reader.start()
        try:
            ready = self.wait_for("ready")
        except BaseException:
            self.stop()
            raise
        self.uuid: str = ready["uuid"]
        self.port: int = ready["port"]
        self.fingerprint: str = ready["fingerprint"]
        self.fingerprint_sha256: str = ready["fingerprint_sha256"]

    def _read(self) -> None:
        for line in self._program.stdout or ():
            self.events.add(json.loads(line))

    def __enter__(self) -> SeedProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End it at once. It says goodbye to nobody."""
        self._program.kill()
        self._program.wait(10)
        self._reader.join(10)
        for stream in (self._program.stdin, self._program.stdout):
            if stream:
                stream.close()

    # What its user sees

    def wait_for(self, event: str, timeout: float = 10, after: int = 0, **fields: Any) -> Event:
        """The first event of that kind, past the mark `after`, whose fields are as given."""
        return self.events.wait_for(
            lambda e: e["event"] == event and fields.items() <= e.items(), timeout, after
        )

    def count(self, event: str, **fields: Any) -> int:
        return sum(e["event"] == event and fields.items() <= e.items() for e in self.events.items)

    def wait_listed(self, uuid: str, room: str | None = None, timeout: float = 15, after: int = 0) -> Event:
        """Wait until it lists that peer, as a member of `room` if one is named."""
        return self.events.wait_for(
            lambda e: e["event"] == "listed" and e["uuid"] == uuid and (room is None or room in e["rooms"]),
            timeout,
            after,
        )

    # What its user does

    def _do(self, command: str, **fields: Any) -> None:
        assert self._program.stdin
        self._program.stdin.write(json.dumps({"do": command, **fields}) + "\n")
        self._program.stdin.flush()

    def verify(self, uuid: str) -> None:
        self._do("verify", uuid=uuid)

    def reject(self, uuid: str) -> None:
        self._do("reject", uuid=uuid)

    def send(self, room: str, content: str, *, to: str | None = None, **fields: Any) -> None:
        """To every listed member once, or to one listed peer. `fields` go into the body besides."""
        self._do("send", room=room, content=content, to=to, fields=fields)

    def join(self, room: str) -> None:
        self._do("join", room=room)

    def leave(self, room: str) -> None:
        self._do("leave", room=room)

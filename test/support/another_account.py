"""Another account of this machine, as far as attacks need one.

`run(uid, "cat", file)` runs a program of the system as that uid, with no group but its own.
`request(uid, port, lines)` is what bash, which speaks TCP, gets from a port of this machine.
Both need root, and take a namespace to run in. The interpreter that runs the tests may be
where only root can read it: so these are not Python programs.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from lab import Namespace

STRANGER = 65533
"""An account that owns nothing. `nobody` is 65534."""

_REQUEST = 'exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 3; printf "%s\\r\\n" "${@:2}" "" >&3; cat <&3'


def as_account(uid: int) -> list[str]:
    """The words before a command that make it that account's."""
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--"]


def run(uid: int, *words: str | Path, machine: Namespace | None = None) -> subprocess.CompletedProcess[str]:
    """The program's end, whatever its status."""
    whole = [*as_account(uid), *map(str, words)]
    if machine is not None:
        return machine.run(whole, check=False)
    return subprocess.run(whole, check=False, timeout=30, text=True, capture_output=True)


def request(
    uid: int,
    port: int,
    target: str,
    fields: Sequence[str] = (),
    *,
    method: str = "GET",
    machine: Namespace | None = None,
) -> str:
    """The whole reply to one request of that account; "" if it was let down."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close", *fields]
    return run(uid, "bash", "-c", _REQUEST, "bash", str(port), *lines, machine=machine).stdout

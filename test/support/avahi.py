"""avahi-browse on a machine of the laboratory: a DNS-SD client that nobody here wrote.

It asks a daemon of its own, which wants D-Bus: both run beside it, in a mount
namespace with an empty /run, and end with it.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab import Host

_SCRIPT = """
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/dbus /run/avahi-daemon
dbus-daemon --system --nofork --nopidfile >&2 & bus=$!
while [ ! -S /run/dbus/system_bus_socket ]; do kill -0 $bus; sleep 0.02; done
avahi-daemon --no-drop-root --no-chroot --no-rlimits -f "$1" >&2 & daemon=$!
while [ ! -S /run/avahi-daemon/socket ]; do kill -0 $daemon; sleep 0.02; done
shift
"$@" || failed=$?
kill $daemon $bus
wait
exit ${failed:-0}
"""
_CONFIGURATION = """
[server]
host-name=observer
use-ipv4=yes
use-ipv6=yes
[wide-area]
enable-wide-area=no
[publish]
disable-publishing=yes
"""


@dataclass(frozen=True)
class Resolved:
    """One line of `avahi-browse --resolve --parsable`."""

    interface: str
    protocol: str
    name: str
    host: str
    address: str
    port: int
    txt: tuple[str, ...]


def browse(host: Host, service: str = "_cryptochat._tcp") -> list[Resolved]:
    """What `avahi-browse -rt` finds from `host`, one row for each interface and protocol."""
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder, "avahi.conf")
        configuration.write_text(_CONFIGURATION)
        done = host.run(
            [
                "unshare",
                "-m",
                "sh",
                "-c",
                _SCRIPT,
                "sh",
                configuration,
                "avahi-browse",
                "--resolve",
                "--terminate",
                "--parsable",
                service,
            ],
            check=False,
            timeout=60,
        )
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, "avahi-browse", done.stdout, done.stderr)
    return [_parse(line) for line in done.stdout.splitlines() if line.startswith("=")]


def _parse(line: str) -> Resolved:
    _, interface, protocol, name, _, _, host, address, port, txt = line.split(";", 9)
    strings = re.findall(r'"((?:[^"\\]|\\.)*)"', txt)
    return Resolved(
        interface,
        protocol,
        _unescape(name),
        host,
        address,
        int(port),
        tuple(map(_unescape, reversed(strings))),
    )


def _unescape(text: str) -> str:
    r"""Undo avahi's escapes: `\032` is a byte in decimal, `\.` a character."""

    def byte(match: re.Match[bytes]) -> bytes:
        return bytes([int(match[1])]) if match[1].isdigit() else match[1]

    return re.sub(rb"\\(\d{3}|.)", byte, text.encode()).decode(errors="replace")

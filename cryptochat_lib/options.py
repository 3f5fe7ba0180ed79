"""The command line of `run`, parsed into one frozen value.

Pure but for asking the system who and where we are. Raises UsageError; argparse
itself ends the program with status 2, as UsageError does.
"""

from __future__ import annotations

import argparse
import getpass
import ipaddress
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import __version__
from .errors import BadRequest, UsageError
from .limits import Limits
from .model import Endpoint, clean_username
from .wire import parse_username

_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True)
class Options:
    """What `run` was asked for. `username` None: the stored one, else the login name."""

    db: Path
    addr: Endpoint
    uiaddr: Endpoint
    interfaces: tuple[str, ...] = ()
    username: str | None = None
    announce_name: bool = True
    log: str = "info"
    browser: bool = True


def parse(argv: Sequence[str]) -> Options:
    """The options in `argv`, whose first word may be `run`."""
    words = list(argv)
    if words[:1] == ["run"]:
        del words[0]
    given = _parser().parse_args(words)
    return Options(
        db=Path(given.db) if given.db else _data_folder() / "cryptochat.db",
        addr=_endpoint("--addr", given.addr),
        uiaddr=_loopback(_endpoint("--uiaddr", given.uiaddr)),
        interfaces=tuple(given.interface),
        username=_username(given.username),
        announce_name=not given.no_announce_name,
        log=given.log,
        browser=not given.no_browser,
    )


def login_name() -> str:
    """The name that somebody who never chose one is shown under."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such account, as in some containers
        name = ""
    return clean_username(name, Limits().username_characters) or "somebody"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cryptochat",
        description="End-to-end encrypted chat for the people on one network.",
        epilog="Example: cryptochat --username Ada",
    )
    add = parser.add_argument
    add("--db", metavar="FILE", help="the SQLite file (default: cryptochat.db in your data folder)")
    add(
        "--addr",
        metavar="HOST:PORT",
        default=":0",
        help="where peers reach us (default: all interfaces, a random port)",
    )
    add(
        "--uiaddr",
        metavar="HOST:PORT",
        default="127.0.0.1:9080",
        help="where the page is, on loopback (default: %(default)s; port 0: any free one)",
    )
    add(
        "--interface",
        metavar="NAME-OR-IP",
        action="append",
        default=[],
        help="announce, look for peers and listen on this one only; may be repeated",
    )
    add(
        "--username",
        metavar="NAME",
        help="the name shown to others (default: the stored one, else your login)",
    )
    add("--no-announce-name", action="store_true", help="leave the name out of the announcement")
    add(
        "--log",
        metavar="LEVEL",
        choices=_LEVELS,
        default="info",
        help=f"{', '.join(_LEVELS)} (default: info)",
    )
    add("--no-browser", action="store_true", help="do not open the page")
    add("--version", action="version", version=f"cryptochat {__version__}")
    return parser


def _endpoint(option: str, text: str) -> Endpoint:
    """HOST:PORT, where HOST is an IP address, in brackets if it is IPv6, or nothing."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not (port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65536):
        raise UsageError(f"{option} wants HOST:PORT, not {text!r}")
    if host == "localhost":
        host = "127.0.0.1"
    if host:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise UsageError(f"{option} wants an IP address before the port, not {host!r}") from None
    return Endpoint(host, int(port))


def _loopback(endpoint: Endpoint) -> Endpoint:
    if not endpoint.host or not endpoint.ip.is_loopback:
        raise UsageError(
            f"--uiaddr must be a loopback address such as 127.0.0.1, not"
            f" {endpoint.host or 'every interface'}: whoever reaches the page can read everything"
        )
    return endpoint


def _username(text: str | None) -> str | None:
    try:
        return None if text is None else parse_username(text, Limits())
    except BadRequest as error:
        raise UsageError(f"--username: {error}") from error


def _data_folder() -> Path:
    """Where this system keeps a user's data (on Unix: the XDG Base Directory Specification)."""
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return base / "cryptochat"

"""The command line, parsed into one frozen value for each sub-command.

The first word may name the sub-command (`_COMMANDS`); where it does not, `run` is
meant. Those that talk to a running program are in `cli.options`. There is no option
that takes a passphrase: other users see a command line.

What is imported here every command waits for.

Pure but for asking the system who and where we are. Raises UsageError; argparse
itself ends the program with status 2, as UsageError does.
"""

from __future__ import annotations

import getpass
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import __version__
from .arguments import Given, Parser, add_descriptor, database, parser
from .cli.options import COMMANDS, ToRunning
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
    passphrase_fd: int | None = None


@dataclass(frozen=True)
class PassphraseOptions:
    """What `passphrase` was asked for. The descriptors: of the present one, and of the new one."""

    db: Path
    passphrase_fd: int | None = None
    new_passphrase_fd: int | None = None
    remove: bool = False


@dataclass(frozen=True)
class WipeOptions:
    """What `wipe` was asked for."""

    db: Path


Asked = Options | PassphraseOptions | WipeOptions | ToRunning


def parse(argv: Sequence[str]) -> Asked:
    """What `argv` asks for; its first word may be a sub-command."""
    words = list(argv)
    name = words.pop(0) if words and words[0] in _COMMANDS else "run"
    make_parser, read = _COMMANDS[name]
    return read(make_parser().parse_args(words))


def _run(given: Given) -> Options:
    return Options(
        db=database(given),
        addr=_endpoint("--addr", given.addr),
        uiaddr=_loopback(_endpoint("--uiaddr", given.uiaddr)),
        interfaces=tuple(given.interface),
        username=_username(given.username),
        announce_name=not given.no_announce_name,
        log=given.log,
        browser=not given.no_browser,
        passphrase_fd=given.passphrase_fd,
    )


def _passphrase(given: Given) -> PassphraseOptions:
    if given.remove and given.new_passphrase_fd is not None:
        raise UsageError("--remove and --new-passphrase-fd: one or the other")
    return PassphraseOptions(
        database(given), given.passphrase_fd, given.new_passphrase_fd, remove=given.remove
    )


def _wipe(given: Given) -> WipeOptions:
    return WipeOptions(database(given))


def login_name() -> str:
    """The name that somebody who never chose one is shown under."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such account, as in some containers
        name = ""
    return clean_username(name, Limits().username_characters) or "somebody"


def _run_parser() -> Parser:
    made = parser(
        "",
        "End-to-end encrypted chat for the people on one network.",
        f"Other commands: {', '.join(name for name in _COMMANDS if name != 'run')}; each has a --help of"
        " its own. Example: cryptochat --username Ada",
    )
    add = made.add_argument
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
    add_descriptor(made, "--passphrase-fd", "the passphrase, where one is set")
    add("--version", action="version", version=f"cryptochat {__version__}")
    return made


def _passphrase_parser() -> Parser:
    made = parser(
        "passphrase",
        "Seal your key under a passphrase, change that, or remove it. Asks on the terminal."
        " The history stays in the clear on the disk.",
        "Example: cryptochat passphrase",
    )
    made.add_argument("--remove", action="store_true", help="remove it: the key is stored in the clear")
    add_descriptor(made, "--passphrase-fd", "the present passphrase, where one is set")
    add_descriptor(made, "--new-passphrase-fd", "the new one")
    return made


def _wipe_parser() -> Parser:
    return parser(
        "wipe",
        "Remove your identity and your history for good, after a confirmation that you type.",
        "Example: cryptochat wipe",
    )


_COMMANDS: dict[str, tuple[Callable[[], Parser], Callable[[Given], Asked]]] = {
    "run": (_run_parser, _run),
    "passphrase": (_passphrase_parser, _passphrase),
    "wipe": (_wipe_parser, _wipe),
    **COMMANDS,
}


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

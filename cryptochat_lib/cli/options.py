"""What the commands to the running program were asked for: a frozen value and a parser for each.

Pure. `options` has the table of all commands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..arguments import Given, Parser, database, fingerprint, number, parser, text

_MOST_LINES = 500  # as many as one request for the history gives
_MOST_SECONDS = 1_000_000


@dataclass(frozen=True)
class ToRunning:
    """Which program is meant: the one that runs with this database."""

    db: Path


@dataclass(frozen=True)
class Send(ToRunning):
    """`text` None or "-": standard input. `wait`: so many seconds, until everyone has it."""

    room: str
    text: str | None = None
    username: str | None = None
    wait: int | None = None


@dataclass(frozen=True)
class Tail(ToRunning):
    """The last `lines` messages, and those that follow."""

    room: str
    lines: int = 10
    follow: bool = True
    json: bool = False


@dataclass(frozen=True)
class Rooms(ToRunning):
    """All rooms."""

    json: bool = False


@dataclass(frozen=True)
class Users(ToRunning):
    """Everybody who was seen."""

    json: bool = False


@dataclass(frozen=True)
class Join(ToRunning):
    """Join `room`."""

    room: str


@dataclass(frozen=True)
class Leave(ToRunning):
    """Leave `room`."""

    room: str


@dataclass(frozen=True)
class Verify(ToRunning):
    """`who` None: list those of whom we are asked. `fingerprint`: what a script has compared."""

    who: str | None = None
    fingerprint: str | None = None
    withdraw: bool = False


@dataclass(frozen=True)
class Open(ToRunning):
    """Open the page."""


@dataclass(frozen=True)
class Code(ToRunning):
    """Our own contact code."""

    json: bool = False


@dataclass(frozen=True)
class Add(ToRunning):
    """The words of a contact code, or an address; none: list those who were added.

    `remove`: the id of one of these, who is looked for no more.
    """

    what: Sequence[str] = ()
    remove: str | None = None


@dataclass(frozen=True)
class Doctor(ToRunning):
    """`report`: the one that can be passed on."""

    report: bool = False
    json: bool = False


def _send() -> Parser:
    made = parser(
        "send",
        "Send a message to a room that you have joined. Without TEXT, or with -, what comes on standard input"
        " is sent as it comes: lines that come within a second are one message.",
        "Example: make 2>&1 | cryptochat send build",
    )
    _room(made)
    made.add_argument("text", metavar="TEXT", nargs="?", type=text, help="the message, as one word: quote it")
    made.add_argument("--as", metavar="NAME", dest="username", type=text, help="under this name, this time")
    made.add_argument(
        "--wait",
        metavar="SECONDS",
        type=number(_MOST_SECONDS),
        help="wait until everyone in the room has it; exit 1 if by then somebody has not",
    )
    return made


def _tail() -> Parser:
    made = parser(
        "tail",
        "Show the last messages of a room, and those that come, until you press Ctrl-C.",
        "Example: cryptochat tail tea --json",
    )
    _room(made)
    made.add_argument(
        "--lines",
        metavar="N",
        type=number(_MOST_LINES),
        default=10,
        help="begin with so many messages (default: %(default)s)",
    )
    made.add_argument("--no-follow", dest="follow", action="store_false", help="end after these")
    return _json(made, "one JSON object a line, MESSAGE in docs/API.md")


def _rooms() -> Parser:
    made = parser("rooms", "List the rooms that there are, and your own.", "Example: cryptochat rooms --json")
    return _json(made, "a JSON array of ROOM in docs/API.md")


def _users() -> Parser:
    made = parser("users", "List the people who were seen.", "Example: cryptochat users --json")
    return _json(made, "a JSON array of USER in docs/API.md")


def _join() -> Parser:
    return _room(
        parser(
            "join",
            "Join a room; it is joined again after a restart. Twice is no error.",
            "Example: cryptochat join tea",
        )
    )


def _leave() -> Parser:
    return _room(parser("leave", "Leave a room; its history stays.", "Example: cryptochat leave tea"))


def _verify() -> Parser:
    made = parser(
        "verify",
        "Verify somebody: have them read you two groups of the safety number, and type them in. Without WHO,"
        " list those who wait for your answer.",
        "Example: cryptochat verify Ada",
    )
    made.add_argument(
        "who",
        metavar="WHO",
        nargs="?",
        type=text,
        help="a UUID, its first 8 characters or more, or a name that only one of them has",
    )
    one_way = made.add_mutually_exclusive_group()
    one_way.add_argument(
        "--fingerprint",
        metavar="SHA256",
        type=fingerprint,
        help="ask nothing: you have compared this fingerprint, and it is the one that is stored",
    )
    one_way.add_argument("--withdraw", action="store_true", help="take a step back: verify them no longer")
    return made


def _open() -> Parser:
    return parser("open", "Open the page in your browser.", "Example: cryptochat open")


def _code() -> Parser:
    made = parser(
        "code",
        "Show your contact code: whoever enters it finds you, and has verified you. Hand it over where nobody"
        " can change it.",
        "Example: cryptochat code",
    )
    return _json(made, "code, link, addresses, and the modules of the QR code")


def _add() -> Parser:
    made = parser(
        "add",
        "Find somebody where multicast does not reach: by their contact code, which verifies them too, or by"
        " HOST:PORT. Without WHAT, list those who were added.",
        "Example: cryptochat add 192.0.2.7:4242",
    )
    either = made.add_mutually_exclusive_group()
    either.add_argument(
        "what",
        metavar="WHAT",
        nargs="*",
        type=text,
        default=(),
        help="a contact code, a link with one, or HOST:PORT",
    )
    either.add_argument(
        "--remove", metavar="ID", type=text, help="look no more for the one with this ID in the list"
    )
    return made


def _doctor() -> Parser:
    made = parser(
        "doctor",
        "Say what works on this network, what does not, and what to do; exit 1 if there is a problem.",
        "Example: cryptochat doctor",
    )
    made.add_argument(
        "--report", action="store_true", help="a report to pass on, without names, messages or keys"
    )
    return _json(made, "the findings as one object")


def _room(made: Parser) -> Parser:
    made.add_argument("room", metavar="ROOM", type=text, help="the room's name")
    return made


def _json(made: Parser, what: str) -> Parser:
    made.add_argument("--json", action="store_true", help=f"for scripts: {what}")
    return made


def _read(kind: type[ToRunning]) -> Callable[[Given], ToRunning]:
    """The names of a parser's values are those of the fields."""
    return lambda given: kind(**{**vars(given), "db": database(given)})


COMMANDS: dict[str, tuple[Callable[[], Parser], Callable[[Given], ToRunning]]] = {
    "send": (_send, _read(Send)),
    "tail": (_tail, _read(Tail)),
    "rooms": (_rooms, _read(Rooms)),
    "users": (_users, _read(Users)),
    "join": (_join, _read(Join)),
    "leave": (_leave, _read(Leave)),
    "verify": (_verify, _read(Verify)),
    "code": (_code, _read(Code)),
    "add": (_add, _read(Add)),
    "open": (_open, _read(Open)),
    "doctor": (_doctor, _read(Doctor)),
}

"""What a person types, or a script hands over: passphrases, and a word that confirms.

A passphrase comes from the terminal itself (`/dev/tty`, unseen) or from a
descriptor: never from an argument or a variable, which other programs can read.
Questions go to the terminal or to stderr; stdout is the ready line's.

Each question can be ended by a signal: while one is open, `interruptible` has it
raise KeyboardInterrupt, and `getpass` puts the terminal back as it was.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TypeVar

from .errors import BadPassphrase, StartupError, WrongPassphrase
from .identity import Identity
from .sealing import MOST_BYTES, Passphrase, SealedIdentity

T = TypeVar("T")

_TRIES = 3


class Terminal:
    """Whoever sits before it, or has started us from a script."""

    def __init__(
        self, interruptible: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
    ) -> None:
        self._interruptible = interruptible

    def open(self, sealed: SealedIdentity, descriptor: int | None) -> Identity:
        """The identity in `sealed`; WrongPassphrase after one try from `descriptor`, or three by hand."""
        if descriptor is not None:
            return sealed.open(self._read(descriptor))
        return _tried(lambda: sealed.open(self._ask("Passphrase: ")))

    def choose(self, descriptor: int | None) -> Passphrase:
        """A new passphrase, typed twice on the terminal."""
        if descriptor is not None:
            return self._read(descriptor)
        return _tried(self._ask_twice)

    def confirm(self, question: str) -> str:
        """The line that is answered to `question`; "" at the end of the input."""
        asks = sys.stdin is not None and sys.stdin.isatty()
        print(question, end="" if asks else "\n", file=sys.stderr, flush=True)
        with self._question():
            try:
                return sys.stdin.readline().strip() if sys.stdin else ""
            except ValueError:  # closed, or no text
                return ""

    def _ask_twice(self) -> Passphrase:
        chosen = self._ask("New passphrase: ")
        if self._ask("The same again: ") != chosen:
            raise BadPassphrase("these were not the same")
        return chosen

    def _ask(self, prompt: str) -> Passphrase:
        if not _has_terminal():
            raise StartupError("the passphrase is needed, and no terminal is there: see --passphrase-fd")
        try:
            with self._question(), warnings.catch_warnings():
                # It warns when it can only read with the passphrase on the screen: rather not at all.
                warnings.simplefilter("error", getpass.GetPassWarning)
                return Passphrase.parse(getpass.getpass(prompt))
        except UnicodeDecodeError:  # quotes what it cannot decode, so nobody is to see it
            raise BadPassphrase("a passphrase is text; this was none") from None
        except (EOFError, getpass.GetPassWarning) as error:
            raise StartupError("no passphrase could be read from the terminal") from error

    @contextlib.contextmanager
    def _question(self) -> Iterator[None]:
        """While it is open, a signal ends it; what follows then does not stand behind it on the screen."""
        try:
            with self._interruptible():
                yield
        except KeyboardInterrupt:
            if sys.stderr and sys.stderr.isatty():
                print(file=sys.stderr)
            raise

    def _read(self, descriptor: int) -> Passphrase:
        """The next line of `descriptor`, and not a byte more: another passphrase may follow."""
        line = bytearray()
        try:
            # What a shell hands over can be inherited; what Python has opened since (the same number,
            # if nothing was handed over) cannot: PEP 446. To read from that would be to wait for ever.
            if os.name != "nt" and not os.get_inheritable(descriptor):
                raise StartupError(f"descriptor {descriptor} was not handed over: no passphrase can be read")
            with self._interruptible():
                while (byte := os.read(descriptor, 1)) not in (b"", b"\n") and len(line) <= MOST_BYTES + 1:
                    line += byte
        except OSError as error:
            raise StartupError(
                f"no passphrase can be read from descriptor {descriptor}: {error.strerror}"
            ) from error
        try:
            return Passphrase.parse(line.decode().removesuffix("\r"))
        except UnicodeDecodeError:
            raise BadPassphrase("a passphrase is text in UTF-8; this was none") from None


def _tried(ask: Callable[[], T]) -> T:
    """What `ask` returns, who may err twice."""
    for _ in range(_TRIES - 1):
        try:
            return ask()
        except (WrongPassphrase, BadPassphrase) as error:
            print(f"cryptochat: {error}", file=sys.stderr, flush=True)
    return ask()


def _has_terminal() -> bool:
    """Whether `getpass` would find one. Without, it would read from stdin, and in the open."""
    if os.name == "nt":
        return sys.stdin is not None and sys.stdin.isatty()
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True

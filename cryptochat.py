"""CryptoChat: end-to-end encrypted chat for the people on one network.

    python cryptochat.py [command] [options]

is the same program as the command `cryptochat` of an installed package. The
library is in `cryptochat_lib`; its docstring says in which order to read it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptochat_lib.cli.options import ToRunning
    from cryptochat_lib.options import Options
    from cryptochat_lib.terminal import Terminal

_EXIT_WITHIN_SECONDS = 2.8  # the contract is 3: what has not ended by then is left behind
_DESCRIPTORS = 8192


def main(argv: Sequence[str] | None = None) -> int:
    """Run CryptoChat until SIGINT or SIGTERM, or a sub-command to its end; returns the exit status."""
    stop = _Stop()
    try:
        from cryptochat_lib.errors import StartupError

        try:
            return _do(sys.argv[1:] if argv is None else argv, stop)
        except StartupError as error:
            return _say(str(error), error.exit_status)
    except ModuleNotFoundError as error:
        return _say(f"the package {error.name!r} is missing: set CryptoChat up as its README says", 1)


def _do(argv: Sequence[str], stop: _Stop) -> int:
    """What the command line asks for; StartupError. Each kind of command imports what it needs, no more."""
    from cryptochat_lib.cli.options import ToRunning
    from cryptochat_lib.options import Options, parse

    asked = parse(argv)
    if isinstance(asked, ToRunning):
        return _talk(asked, stop)
    from cryptochat_lib.terminal import Terminal

    terminal = Terminal(stop.interruptible)
    if isinstance(asked, Options):
        return _run(asked, terminal, stop)
    from cryptochat_lib.commands import perform

    stop.has_time = True
    try:
        perform(asked, terminal)
    except KeyboardInterrupt:
        return _say("ended before it was done: identity and history are as they were", 1)
    return 0


def _talk(asked: ToRunning, stop: _Stop) -> int:
    """A command to the running program, which a signal ends wherever it is; StartupError."""
    from cryptochat_lib.cli.perform import perform

    stop.has_time = True
    try:
        with stop.interruptible():
            perform(asked)
    except KeyboardInterrupt:
        return _say("ended before it was done", 1)
    return 0


def _run(options: Options, terminal: Terminal, stop: _Stop) -> int:
    """The program itself; StartupError."""
    import logging

    from cryptochat_lib.app import App

    logging.basicConfig(
        level=options.log.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    _allow_descriptors()
    app = App(options, terminal=terminal)
    try:
        app.start()
    except KeyboardInterrupt:
        return _say("ended before the passphrase was given", 0)
    try:
        _announce(app.url)
        if options.browser and sys.stdout is not None and sys.stdout.isatty():
            app.open_browser()
        stop.wait()
    finally:
        app.stop()
    return 0


class _Stop:
    """The first SIGINT or SIGTERM ends `wait`; the second ends the program at once.

    The wait is for a byte that the C handler itself writes. An Event would not do: a
    signal that comes while the main thread is on its way into `Event.wait` is noticed
    only when that returns (seen with CPython 3.11: one SIGTERM in ten, just after the start).
    """

    def __init__(self) -> None:
        self._bell, ringer = socket.socketpair()
        ringer.setblocking(False)
        self._ringer = ringer
        self._asked = False
        self._raises = False
        self.has_time = False  # a sub-command ends by itself, and soon: nothing ends it half-way
        signal.set_wakeup_fd(ringer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, self._handle)
        signal.signal(signal.SIGTERM, self._handle)

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """While somebody is asked, a signal raises KeyboardInterrupt, also one that came before."""
        self._raises = True
        try:
            if self._asked:
                raise KeyboardInterrupt
            yield
        finally:
            self._raises = False

    def wait(self) -> None:
        while not self._asked:
            self._bell.recv(1)

    def _handle(self, *_: object) -> None:
        if self._asked:
            os._exit(1)
        self._asked = True
        if not self.has_time:
            self._leave_in_time()
        if self._raises:
            raise KeyboardInterrupt

    def _leave_in_time(self) -> None:
        leave = threading.Timer(_EXIT_WITHIN_SECONDS, os._exit, (0,))
        leave.name, leave.daemon = "exit", True
        leave.start()


def _announce(url: str) -> None:
    """The ready line. Where nobody can read it, the session file says the same."""
    try:
        print(f"CryptoChat is ready: {url}", flush=True)
    except (OSError, ValueError):
        sys.stdout = None


def _allow_descriptors() -> None:
    """As many open files as the system lets us have: each connection takes up to three, and each peer
    that is looked for one for each of its addresses."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _say(text: str, status: int) -> int:
    print(f"cryptochat: {text}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())

"""CryptoChat: end-to-end encrypted chat for the people on one network.

    python cryptochat.py [options]

is the same program as the command `cryptochat` of an installed package. The
library is in `cryptochat_lib`; its docstring says in which order to read it.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence

_EXIT_WITHIN_SECONDS = 2.8  # the contract is 3: what has not ended by then is left behind


def main(argv: Sequence[str] | None = None) -> int:
    """Run CryptoChat until SIGINT or SIGTERM; returns the exit status."""
    try:
        from cryptochat_lib.app import App
        from cryptochat_lib.errors import StartupError, UsageError
        from cryptochat_lib.options import parse
    except ModuleNotFoundError as error:
        return _say(f"the package {error.name!r} is missing: set CryptoChat up as its README says", 1)

    stop = _stop_on_signals()
    try:
        options = parse(sys.argv[1:] if argv is None else argv)
        logging.basicConfig(
            level=options.log.upper(),
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
            stream=sys.stderr,
        )
        app = App(options)
        app.start()
    except UsageError as error:
        return _say(str(error), 2)
    except StartupError as error:
        return _say(str(error), 1)
    try:
        print(f"CryptoChat is ready: {app.url}", flush=True)
        if options.browser and sys.stdout.isatty():
            app.open_browser()
        while not stop.wait(1 if sys.platform == "win32" else 3600):
            pass  # Windows delivers Ctrl+C only between waits
    finally:
        app.stop()
    return 0


def _stop_on_signals() -> threading.Event:
    """An event that the first SIGINT or SIGTERM sets; the second ends the program at once."""
    stop = threading.Event()

    def handle(*_: object) -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()
        leave = threading.Timer(_EXIT_WITHIN_SECONDS, os._exit, (0,))
        leave.name, leave.daemon = "exit", True
        leave.start()

    signal.signal(signal.SIGINT, handle)
    signal.signal(signal.SIGTERM, handle)
    return stop


def _say(text: str, status: int) -> int:
    print(f"cryptochat: {text}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())

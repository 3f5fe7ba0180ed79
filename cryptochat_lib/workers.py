"""Starting worker threads where there may be no more of them to be had.

Whoever counts its workers, so as not to have too many, counts them before they run. One that could not
be started has to be taken out of that count again, or at the next shortage of threads the
last place is taken for good. What is due stays due, for the workers that run and for the next try.

Threads: any.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


def start_workers(name: str, work: Callable[[], None], count: int) -> int:
    """Start so many threads; how many there were to be had."""
    for started in range(count):
        try:
            threading.Thread(target=work, name=name, daemon=True).start()
        except RuntimeError as error:
            _log.warning("no more threads for %s: %s", name, error)
            return started
    return max(0, count)

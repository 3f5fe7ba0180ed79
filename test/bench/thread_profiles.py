"""Where the time goes in a running node: a profile of each thread, merged by what the threads do.

Every thread that starts after `begin` gets a profiler of its own; `write` merges those
whose threads have the same name, and lists the functions that took most. By the clock on
the wall one sees what is waited for (locks, the disk, the network, the interpreter's own
lock); by the thread's processor time, what is computed.

The profiler costs time with each call: the figures of such a run are for comparing
functions, not for the table. Needs a Python before 3.12: from then on `cProfile` takes
all threads for one.
"""

from __future__ import annotations

import cProfile
import pstats
import re
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import FrameType
from typing import Any

_LISTED = 45
_NOT_SHOWN = "exit"  # the watchdog of the program's end


class ThreadProfiles:
    """Profilers of all threads that start from `begin` on. `_lock` guards `_profiles`."""

    def __init__(self, cpu: bool) -> None:
        if sys.version_info >= (3, 12):
            raise SystemExit("profiles of threads need a Python before 3.12")
        self._cpu = cpu
        self._lock = threading.Lock()
        self._profiles: list[tuple[str, cProfile.Profile]] = []

    def begin(self) -> None:
        threading.setprofile(self._first_event)

    def _first_event(self, frame: FrameType, event: str, argument: Any) -> None:
        """The first call in a new thread: from now on its own profiler gets the events."""
        profile = cProfile.Profile(time.thread_time) if self._cpu else cProfile.Profile()
        with self._lock:
            self._profiles.append((threading.current_thread().name, profile))
        profile.enable()

    def write(self, path: Path) -> None:
        """The text, the busiest kind of thread first."""
        threading.setprofile(None)
        merged: dict[str, list[cProfile.Profile]] = defaultdict(list)
        with self._lock:
            for name, profile in self._profiles:
                if name != _NOT_SHOWN:
                    merged[_kind(name)].append(profile)
        texts = [_text(kind, profiles) for kind, profiles in merged.items()]
        clock = "processor time of the thread" if self._cpu else "time on the wall, waiting included"
        path.write_text(f"Seconds are {clock}.\n\n" + "\n".join(text for _, text in sorted(texts)[::-1]))


def _kind(name: str) -> str:
    """The name without what tells threads of one kind apart: a UUID, a number."""
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8,}|\d+", "N", name)


def _text(kind: str, profiles: list[cProfile.Profile]) -> tuple[float, str]:
    """The total time, and the functions by own time, then by time with everything that they called."""
    stats: pstats.Stats | None = None
    for profile in profiles:
        profile.snapshot_stats()  # `create_stats`, but the thread may still run
        if not profile.stats:
            continue
        if stats is None:
            stats = pstats.Stats(profile)
        else:
            stats.add(profile)
    if stats is None:
        return 0.0, ""
    rows: list[tuple[str, int, float, float]] = [
        (_place(*where), calls, own, whole)
        for where, (_, calls, own, whole, _callers) in stats.stats.items()  # type: ignore[attr-defined]
    ]
    total = sum(own for _, _, own, _ in rows)
    lines = [f"=== {len(profiles)} x {kind!r}: {total:.3f} s", ""]
    for title, column in (("by own time", 2), ("by time with what it called", 3)):
        lines += [f"   calls    own ms  whole ms  own µs each  whole µs each   {title}"]
        rows.sort(key=lambda row: -float(row[column]))
        for place, calls, own, whole in rows[:_LISTED]:
            each = 1e6 / max(calls, 1)
            lines.append(
                f"{calls:8} {own * 1e3:9.1f} {whole * 1e3:9.1f} {own * each:12.1f} {whole * each:14.1f}"
                f"   {place}"
            )
        lines.append("")
    return total, "\n".join(lines)


def _place(file: str, line: int, function: str) -> str:
    return function if file == "~" else f"{Path(file).parent.name}/{Path(file).name}:{line} {function}"

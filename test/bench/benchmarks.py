"""The benchmarks, one command: `python3 tools/bench.py [--quick] [BENCHMARK]...`.

Everything is measured in one run on one machine, and judged by ratios: absolute times
differ between machines and between days, what a program costs beside a yardstick that ran
in turns with it hardly does. One table on stdout; the same as `results.json`, and as a
picture, in the folder that `--out` names. Progress goes to stderr.

The nodes are the real program in network namespaces that a cable joins
(`test/support/lab.py`): Linux, root and `ip` are needed, and nothing is said on the
machine's own network. The exit status is 1 if a target
is missed or something could not be measured.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import machine
import plot
from bench_node import Launch
from figures import Report
from scale import FULL, QUICK, TINY, Setting

BENCHMARKS = {
    "latency": "a message from POST to the other side's event, against a TLS echo",
    "throughput": "messages a second with 1, 4 and 16 senders, against a bare http.server",
    "fan_out": "a room of 2 to 32 nodes: POST's answer, the first and the last arrival",
    "trouble": "a room of 8 with one frozen, one undecided and one unplugged, against one that is well",
    "history": "10,000 to 1,000,000 messages: start-up, opening, paging, searching, sending",
    "idle": "processor and memory while nothing happens: in a room of 32, among 250 announced",
    "page": "the page in Chromium: usable, a message on the screen, 100,000 in a room, memory, bytes",
    "discovery": "packets and processor a minute among 2 to 128 peers, which may grow as they do",
}


def main() -> int:
    given = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of every `with`: leave nothing behind
    names = given.benchmark or list(BENCHMARKS)
    for program in ("ip", "nsenter"):
        if not shutil.which(program):
            sys.exit(f"the nodes run in network namespaces, which are made with `{program}`: it is not here")
    if os.geteuid() != 0:
        sys.exit("the nodes run in network namespaces, which root alone can make")
    report = Report()
    out: Path = given.out
    for folder in (out, given.profile):
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
    launch = Launch(profile=given.profile and given.profile.resolve(), cpu=given.cpu)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cryptochat-bench-", dir=given.work) as folder_name:
        folder = Path(folder_name)
        about = _about(given, names, folder)
        setting = Setting(TINY if given.tiny else QUICK if given.quick else FULL, folder, launch)
        for name in names:
            print(f"{time.monotonic() - began:5.0f} s  {name}: {BENCHMARKS[name]}", file=sys.stderr)
            _run(name, setting, report)
    about["seconds"] = time.monotonic() - began
    _write(out, about, report)
    return 1 if report.missed or report.notes else 0


def _run(name: str, setting: Setting, report: Report) -> None:
    """One benchmark. If it fails, that is said in the table, and the others still run."""
    try:
        importlib.import_module(name).run(setting, report)
    except Exception as error:  # the top of a benchmark
        traceback.print_exc()
        report.note(name, f"failed: {type(error).__name__}: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench.py",
        description="Measure CryptoChat: one table, results.json and a picture.",
        epilog="Benchmarks: " + "; ".join(f"{name}: {text}" for name, text in BENCHMARKS.items()),
    )
    add = parser.add_argument
    add(
        "benchmark",
        nargs="*",
        choices=[*BENCHMARKS, []],
        metavar="BENCHMARK",
        help="only these; default: all",
    )
    add("--quick", action="store_true", help="less of everything, in under five minutes")
    add("--tiny", action="store_true", help="only to see that it works: the figures mean nothing")
    add("--out", type=Path, default=Path("bench-results"), metavar="FOLDER", help="default: %(default)s")
    add("--work", metavar="FOLDER", help="where the databases are meanwhile; default: the system's for such")
    add("--profile", type=Path, metavar="FOLDER", help="write a profile of every node's threads there")
    add("--cpu", action="store_true", help="profile processor time, not time on the wall")
    return parser


def _about(given: argparse.Namespace, names: list[str], folder: Path) -> dict[str, Any]:
    return {
        "made": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "benchmarks": names,
        "scale": "tiny" if given.tiny else "quick" if given.quick else "full",
        "profiled": given.profile is not None,
        **machine.describe(folder),
    }


def _write(out: Path, about: dict[str, Any], report: Report) -> None:
    results = {
        **about,
        "figures": [figure.as_json() for figure in report.figures],
        "verdicts": [verdict.as_json() for verdict in report.verdicts],
        "notes": [{"benchmark": benchmark, "text": text} for benchmark, text in report.notes],
    }
    (out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    print(report.table())
    plot.draw(results, out)


if __name__ == "__main__":
    sys.exit(main())

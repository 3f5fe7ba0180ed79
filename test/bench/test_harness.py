"""The benchmarks themselves: that they measure, that they notice what is lost, and what they leave behind.

How fast anything is, no test here says: what else the machine does would decide. The two
figures that the rest builds on are measured with the smallest counts, from the command to
its table, its file and its picture.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from figures import Figure, Report
from load_client import Stream

ROOT = Path(__file__).resolve().parents[2]
MEASURED = {
    "latency": {"TLS 1.3 echo", "one commit, SQLite alone", "POST to its answer", "POST to the event"},
    "throughput": {
        f"{name}, {senders}"
        for name in ("CryptoChat", "without sharing", "bare http.server")
        for senders in ("1 sender", "4 senders")
    },
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str, Path]:
    """What the command wrote, what it printed, and its folder."""
    if not (shutil.which("ip") and shutil.which("nsenter")) or os.geteuid() != 0:
        pytest.skip("the nodes run in network namespaces, which need `ip`, `nsenter` and root")
    out = tmp_path_factory.mktemp("bench")
    work = out / "work"
    work.mkdir()
    done = subprocess.run(
        [
            *(sys.executable, str(ROOT / "test/bench/benchmarks.py"), "--tiny"),
            *("--out", str(out), "--work", str(work), *MEASURED),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "test/support")))},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert list(work.iterdir()) == [], "databases are left behind"
    return json.loads((out / "results.json").read_text()), done.stdout, out


def test_the_file_has_every_figure_with_its_unit_and_how_often_it_was_measured(
    results: tuple[dict[str, Any], str, Path],
) -> None:
    figures = results[0]["figures"]
    for benchmark, names in MEASURED.items():
        assert names <= {figure["name"] for figure in figures if figure["benchmark"] == benchmark}
    for figure in figures:
        assert figure["unit"] in ("ms", "messages/s")
        assert figure["n"] >= len(figure["rounds"]) == 2
        assert 0 < figure["spread"][0] <= figure["median"] <= figure["spread"][1]
        assert figure["p90"] > 0


def test_the_file_says_on_what_it_was_measured(results: tuple[dict[str, Any], str, Path]) -> None:
    found = results[0]
    assert found["machine"]["cores"] == os.cpu_count()
    assert {"python", "openssl", "sqlite", "zeroconf", "cryptography"} <= found["versions"].keys()
    assert (found["scale"], found["benchmarks"]) == ("tiny", list(MEASURED))
    assert {"commit", "made", "seconds"} <= found.keys()


def test_there_is_one_table_and_a_picture(results: tuple[dict[str, Any], str, Path]) -> None:
    found, table, out = results
    for one in (*found["figures"], *found["verdicts"]):
        assert one["name"] in table
    assert (out / "results.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (out / "results.svg").read_text()


def test_a_ratio_is_of_medians_of_rounds_that_took_turns() -> None:
    report = Report()
    ours = Figure("latency", "ours", "ms", ((4.0, 4.0, 90.0), (6.0, 6.0), (80.0, 80.0)))
    base = Figure("latency", "base", "ms", ((2.0,), (1.0,), (10.0,)))
    verdict = report.compare("ours / base", ours, base, target=2.5)
    assert (verdict.value, verdict.spread, verdict.met) == (3.0, (2.0, 8.0), False)
    assert report.missed == [verdict]
    report.hold("a stretch", ours, 1.0, stretch=True)
    assert report.missed == [verdict], "a stretch need not be met"


def test_a_message_is_known_again_however_its_event_is_cut() -> None:
    """The mark is in the content; the same digits elsewhere, and half an event, are none."""
    event = b'id: 9\nevent: messages\ndata: {"id":"0000000000ff","content":"0001000000a7 It arrives"}\n\n'
    for cut in range(len(event) + 1):
        stream = Stream.__new__(Stream)
        stream.take(b"")
        assert [*stream.take(event[:cut]), *stream.take(event[cut:])] == [b"0001000000a7"]
        assert stream.take(event + event[:cut]) == [b"0001000000a7"] * (2 if cut == len(event) else 1)


@pytest.mark.parametrize("seen", [["000000000001"], ["000000000001", "000000000002", "000000000002"]])
def test_a_flood_in_which_a_message_is_missing_or_doubled_is_no_figure(seen: list[str]) -> None:
    from load_client import check_once

    with pytest.raises(ValueError, match=r"missing|doubled"):
        check_once([b"000000000001", b"000000000002"], [mark.encode() for mark in seen])

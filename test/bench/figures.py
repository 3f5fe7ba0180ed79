"""What a benchmark measured: figures, what they are compared with, and the one table.

A figure is measured in several rounds, which take turns with those of what it is
compared with: what else the machine does then meets both. Its median is the median of
its rounds' medians, its spread the lowest and the highest of these, its p90 that of all
samples. A verdict is a ratio of two medians (or one median) against a target.

Pure.

>>> figure = Figure("latency", "a message", "ms", ((1.0, 2.0, 3.0), (3.0, 4.0, 5.0)))
>>> figure.n, figure.median, figure.p90, figure.spread
(6, 3.0, 4.5, (2.0, 4.0))
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

Rounds = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Figure:
    """One thing that was measured. `series` and `at`: its line and its place in the plot."""

    benchmark: str
    name: str
    unit: str
    rounds: Rounds
    series: str = ""
    at: float | None = None

    @property
    def samples(self) -> list[float]:
        return [sample for one in self.rounds for sample in one]

    @property
    def medians(self) -> list[float]:
        """The median of each round."""
        return [statistics.median(one) for one in self.rounds]

    @property
    def n(self) -> int:
        return len(self.samples)

    @property
    def median(self) -> float:
        return statistics.median(self.medians)

    @property
    def p90(self) -> float:
        """The 90th percentile of all samples, between two of them if need be."""
        samples = sorted(self.samples)
        place = 0.9 * (len(samples) - 1)
        below = int(place)
        above = min(below + 1, len(samples) - 1)
        return samples[below] + (samples[above] - samples[below]) * (place - below)

    @property
    def spread(self) -> tuple[float, float]:
        return min(self.medians), max(self.medians)

    def as_json(self) -> dict[str, Any]:
        return {
            "benchmark": self.benchmark,
            "name": self.name,
            "unit": self.unit,
            "n": self.n,
            "median": self.median,
            "p90": self.p90,
            "spread": self.spread,
            "rounds": self.medians,
            "series": self.series,
            "at": self.at,
        }


@dataclass(frozen=True)
class Verdict:
    """A number against its target. Without a target it is only shown; a `stretch` need not be met."""

    benchmark: str
    name: str
    value: float
    spread: tuple[float, float]
    target: float | None = None
    at_most: bool = True
    stretch: bool = False

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    def as_json(self) -> dict[str, Any]:
        return {
            "benchmark": self.benchmark,
            "name": self.name,
            "value": self.value,
            "spread": self.spread,
            "target": self.target,
            "at_most": self.at_most,
            "stretch": self.stretch,
            "met": self.met,
        }


@dataclass
class Report:
    """Everything that one run measured, in the order of measuring."""

    figures: list[Figure] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)

    def add(self, figure: Figure) -> Figure:
        self.figures.append(figure)
        return figure

    def note(self, benchmark: str, text: str) -> None:
        """What could not be measured, and why."""
        self.notes.append((benchmark, text))

    def compare(
        self,
        name: str,
        figure: Figure,
        base: Figure,
        target: float | None = None,
        *,
        at_most: bool = True,
    ) -> Verdict:
        """The ratio of two medians. Its spread is that of the ratios of rounds that took turns."""
        turns = [one / other for one, other in zip(figure.medians, base.medians, strict=False)]
        value = figure.median / base.median
        spread = (min(turns), max(turns))
        return self._judge(Verdict(figure.benchmark, name, value, spread, target, at_most))

    def hold(
        self, name: str, figure: Figure, target: float, *, at_most: bool = True, stretch: bool = False
    ) -> Verdict:
        """A median against a target of its own unit."""
        verdict = Verdict(figure.benchmark, name, figure.median, figure.spread, target, at_most, stretch)
        return self._judge(verdict)

    def _judge(self, verdict: Verdict) -> Verdict:
        self.verdicts.append(verdict)
        return verdict

    @property
    def missed(self) -> list[Verdict]:
        """The targets that were not met."""
        return [v for v in self.verdicts if v.met is False and not v.stretch]

    def table(self) -> str:
        """The one table: for each benchmark its figures, then its verdicts."""
        head = ("", "unit", "n", "median", "p90", "rounds' medians", "target", "")
        rows: list[Sequence[str]] = [head]
        of = [*(figure.benchmark for figure in self.figures), *(benchmark for benchmark, _ in self.notes)]
        for benchmark in dict.fromkeys(of):
            rows.append((benchmark.upper(),))
            rows += [_figure_row(f) for f in self.figures if f.benchmark == benchmark]
            rows += [_verdict_row(v) for v in self.verdicts if v.benchmark == benchmark]
            rows += [(f"  {text}",) for about, text in self.notes if about == benchmark]
        return _aligned(rows)


def _figure_row(figure: Figure) -> Sequence[str]:
    return (
        f"  {figure.name}",
        figure.unit,
        str(figure.n),
        short(figure.median),
        short(figure.p90),
        _range(figure.spread),
    )


def _verdict_row(verdict: Verdict) -> Sequence[str]:
    target = said = ""
    if verdict.target is not None:
        target = f"{'<=' if verdict.at_most else '>='} {short(verdict.target)}"
        said = "met" if verdict.met else "stretch, missed" if verdict.stretch else "MISSED"
    return (f"  = {verdict.name}", "", "", short(verdict.value), "", _range(verdict.spread), target, said)


def short(value: float) -> str:
    """Three digits that count, and no more.

    >>> short(1234.5), short(12.345), short(0.012345)
    ('1,234', '12.3', '0.0123')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _range(spread: tuple[float, float]) -> str:
    return f"{short(spread[0])} … {short(spread[1])}"


def _aligned(rows: Iterable[Sequence[str]]) -> str:
    """Columns of equal width, numbers to the right. A row of one cell is a line of its own."""
    rows = list(rows)
    widths = [max(len(row[i]) for row in rows if len(row) > max(i, 1)) for i in (0, 1)]
    widths += [max((len(row[i]) for row in rows if len(row) > i), default=0) for i in range(2, 8)]
    lines = []
    for row in rows:
        if len(row) == 1:
            lines.append(row[0])
            continue
        cells = [
            cell.ljust(width) if i in (0, 1, 6, 7) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)

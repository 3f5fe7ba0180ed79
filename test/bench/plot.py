"""The picture of a run: a small panel for each benchmark, drawn from `results.json` alone.

    python plot.py bench-results/results.json        draws it again, beside the file

Dots are medians; a thin line goes from the lowest to the highest round. A target is a dashed line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
mpl.rcParams.update({"svg.hashsalt": "cryptochat", "font.size": 9, "axes.titlesize": 10})

from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator  # noqa: E402

Data = dict[str, Any]
_COLOURS = ("#0b6e8e", "#d1711c", "#6a6a6a", "#8a3f92", "#3f7d3a", "#b02a3c", "#937a1d", "#2f4fa8", "#555555")
_TARGET: dict[str, Any] = {"color": "#b02a3c", "linestyle": "--", "linewidth": 1.2}


def draw(results: Data, out: Path) -> None:
    """`results.svg` and `results.png` in the folder `out`."""
    names = [name for name in _PANELS if any(f["benchmark"] == name for f in results["figures"])]
    if not names:
        return
    columns = min(2, len(names))
    rows = -(-len(names) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(6.6 * columns, 3.9 * rows + 0.5), squeeze=False)
    for place, panel in enumerate(axes.flat):
        if place >= len(names):
            panel.set_axis_off()
            continue
        own = {
            kind: [one for one in results[kind] if one["benchmark"] == names[place]]
            for kind in ("figures", "verdicts")
        }
        _PANELS[names[place]](panel, own["figures"], own["verdicts"])
        panel.spines[["top", "right"]].set_visible(False)
    commit = (results["commit"] or "")[:10]
    figure.suptitle(f"CryptoChat {commit}, {results['machine']['cores']} cores, {results['made'][:10]}")
    figure.tight_layout(h_pad=2.0, w_pad=2.0, rect=(0, 0, 1, 0.99))
    figure.savefig(out / "results.svg", metadata={"Date": None})
    figure.savefig(out / "results.png", dpi=130)
    plt.close(figure)


def _latency(panel: Axes, figures: Sequence[Data], verdicts: Sequence[Data]) -> None:
    """Bars of the median with the p90 behind them; the target is a number of echoes."""
    _bars(panel, figures)
    panel.set_title("One message: POST to the other side's event", loc="left")
    panel.set_xlabel("ms; pale: 90th percentile")
    targets = [v["target"] for v in verdicts if v["target"] is not None]
    if targets:
        target = targets[0] * figures[0]["median"]
        panel.axvline(target, **_TARGET)
        _say(panel, target, 1.0, f" {targets[0]:.0f} × echo")


def _throughput(panel: Axes, figures: Sequence[Data], verdicts: Sequence[Data]) -> None:
    _lines(panel, figures)
    panel.set_title("Messages a second at the receiver", loc="left")
    panel.set_xlabel("senders")
    targets = sorted({v["target"] for v in verdicts if (v["target"] or 0) > 1})
    panel.set_ylim(0, 1.1 * max(*targets, *(f["spread"][1] for f in figures)))
    for target in targets:
        panel.axhline(target, **_TARGET)
        panel.text(panel.get_xlim()[1], target, f"{target:,.0f}", color="#b02a3c", va="bottom", ha="right")


def _fan_out(panel: Axes, figures: Sequence[Data], verdicts: Sequence[Data]) -> None:
    _lines(panel, figures)
    panel.set_title("A room that grows", loc="left")
    panel.set_xlabel("members")
    panel.set_ylabel("ms")
    panel.set_yscale("log")
    _plain_numbers(panel)
    last = sorted((f for f in figures if f["series"] == "last arrival"), key=lambda f: float(f["at"]))
    sizes = [f["at"] for f in last]
    panel.plot(sizes, [last[0]["median"] * size / sizes[0] for size in sizes], **_TARGET)
    panel.text(sizes[-1], last[0]["median"] * sizes[-1] / sizes[0], "as members", color="#b02a3c", ha="right")


def _trouble(panel: Axes, figures: Sequence[Data], verdicts: Sequence[Data]) -> None:
    _bars(panel, figures)
    panel.set_title("Four of 8, while the others are well or in trouble", loc="left")
    panel.set_xlabel("ms; pale: 90th percentile")
    well = next(f for f in figures if f["name"].startswith("last") and "well" in f["name"])
    target = verdicts[0]["target"] * well["median"]
    panel.axvline(target, **_TARGET)
    _say(panel, target, 1.0, f" {verdicts[0]['target']} × well")


def _history(panel: Axes, figures: Sequence[Data], verdicts: Sequence[Data]) -> None:
    """Each kind of request against what it takes with the smallest history."""
    of_series = [f for f in figures if f["series"]]
    first = {f["series"]: f["median"] for f in reversed(of_series)}
    _lines(panel, [_scaled(f, 1 / first[f["series"]]) for f in of_series])
    panel.set_title("A longer history, against the shortest", loc="left")
    panel.set_xlabel("messages")
    panel.set_ylabel("times as long")
    target = next(v["target"] for v in verdicts if v["target"] is not None)
    panel.axhline(target, **_TARGET)
    panel.set_ylim(bottom=0)


def _idle(panel: Axes, figures: Sequence[Data], verdicts: Sequence[Data]) -> None:
    cpu = [f for f in figures if f["series"] == "processor"]
    memory = {f["name"].partition(", ")[2]: f["median"] for f in figures if f["series"] == "memory"}
    named = []
    for figure in cpu:
        where = figure["name"].partition(", ")[2]
        named.append({**figure, "name": f"{where}\n({memory.get(where, 0):.0f} MiB)"})
    _bars(panel, named)
    panel.set_title("Doing nothing", loc="left")
    panel.set_xlabel("% of a core; pale: 90th percentile")
    panel.axvline(verdicts[0]["target"], **_TARGET)
    _say(panel, verdicts[0]["target"], 1.0, f" {verdicts[0]['target']} %")


def _discovery(panel: Axes, figures: Sequence[Data], verdicts: Sequence[Data]) -> None:
    own = [f for f in figures if f["unit"] == "a minute"]
    _lines(panel, own)
    panel.set_title("Among more and more peers, at rest", loc="left")
    panel.set_xlabel("peers")
    panel.set_ylabel("packets a minute")
    panel.set_yscale("log")
    _plain_numbers(panel)


_PANELS: dict[str, Callable[[Axes, Sequence[Data], Sequence[Data]], None]] = {
    "latency": _latency,
    "throughput": _throughput,
    "fan_out": _fan_out,
    "trouble": _trouble,
    "history": _history,
    "idle": _idle,
    "discovery": _discovery,
}


def _bars(panel: Axes, figures: Sequence[Data]) -> None:
    """One below the other, each with its number."""
    places = range(len(figures))
    panel.barh(places, [f["p90"] for f in figures], color="#0b6e8e", alpha=0.25, height=0.6)
    panel.barh(places, [f["median"] for f in figures], color="#0b6e8e", height=0.6)
    for place, one in zip(places, figures, strict=True):
        panel.text(max(one["p90"], one["median"]), place, f"  {one['median']:.3g}", va="center")
    panel.set_yticks(places, [f["name"].replace(", ", ",\n") for f in figures])
    panel.invert_yaxis()
    panel.margins(x=0.15)


def _lines(panel: Axes, figures: Sequence[Data]) -> None:
    """A line for each series over a logarithmic axis, with the rounds' spread."""
    series = list(dict.fromkeys(f["series"] for f in figures))
    ticks = sorted({f["at"] for f in figures})
    for colour, name in zip(_COLOURS * 2, series, strict=False):
        own = [f for f in figures if f["series"] == name]
        at = [f["at"] for f in own]
        panel.plot(
            at, [f["median"] for f in own], "o-", color=colour, label=name, markersize=4, linewidth=1.4
        )
        panel.vlines(
            at, [f["spread"][0] for f in own], [f["spread"][1] for f in own], color=colour, linewidth=0.8
        )
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(FixedLocator(ticks))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    panel.legend(edgecolor="none", framealpha=0.9, fontsize=7.5, loc="best")


def _plain_numbers(panel: Axes) -> None:
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panel.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _say(panel: Axes, x: float, height: float, text: str) -> None:
    """Beside a vertical target, at the top of the panel."""
    panel.text(x, height, text, color="#b02a3c", transform=panel.get_xaxis_transform(), va="top")


def _scaled(figure: Data, factor: float) -> Data:
    low, high = figure["spread"]
    return {**figure, "median": figure["median"] * factor, "spread": [low * factor, high * factor]}


if __name__ == "__main__":
    source = Path(sys.argv[1])
    draw(json.loads(source.read_text()), source.parent)

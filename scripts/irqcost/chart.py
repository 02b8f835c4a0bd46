# SPDX-License-Identifier: GPL-2.0-only
"""The pictures: of one or more results, and of a sweep. The only module that imports matplotlib.

Results are a grid of panels: a row of panels for each backend, a column for each mode (for figures
in situ alone: for each length of the section). In a panel, a group of bars for each probe and in it
a bar for each result. Lengths start at 0 and are linear, so that a bar of twice the length is twice
the cost.
"""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402  (the backend is chosen before)
from matplotlib.patches import Patch  # noqa: E402

from irqcost import files, report, units  # noqa: E402
from irqcost.errors import IrqcostError  # noqa: E402
from irqcost.headline import headline  # noqa: E402
from irqcost.series import Series  # noqa: E402
from irqcost.catalogue import Probe  # noqa: E402
from irqcost.model import Entry, Result  # noqa: E402
from irqcost.sweep import Point, Sweep, plateau  # noqa: E402

# Okabe and Ito's palette, told apart with any colour vision. Yellow is too faint on white.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
_IN_DOUBT = "////"

_MODES = {"throughput": "throughput, back to back", "latency": "latency, between fences"}

_STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "hatch.linewidth": 0.6,
    # A "$" in the name of a CPU or a kernel is no formula.
    "text.parse_math": False,
    # Text stays text: it can be searched and read aloud.
    "svg.fonttype": "none",
    # The same result gives the same file.
    "svg.hashsalt": "irqcost",
}
# The kinds of files, and what they are told: no date, so that nothing differs without reason.
_METADATA: dict[str, dict[str, None]] = {".png": {}, ".svg": {"Date": None}}
_WIDTH = 8.6  # inches: at 100 dots an inch a column of a blog
_DPI = 150
_BAR = 0.17  # inches of height for one bar
_GAP = 0.14  # between groups


@dataclass(frozen=True)
class _Panel:
    """What one pair of axes shows: by probe (top to bottom) and series, an entry or none."""

    backend: str
    mode: str
    heading: str
    probes: tuple[str, ...]


@contextmanager
def places(prefix: Path, replace: bool) -> Iterator[dict[Path, Path]]:
    """PREFIX.png and PREFIX.svg, each with the temporary file that draw() fills."""
    targets = [prefix.with_name(prefix.name + suffix) for suffix in _METADATA]
    with ExitStack() as stack:
        yield {t: stack.enter_context(files.written_whole(t, replace)) for t in targets}


def draw(
    series: Sequence[Series], probes: Sequence[Probe], unit: str | None, places_: dict[Path, Path]
) -> None:
    """Draws into the files of places(). Raises IrqcostError where there is nothing to draw.

    `unit` of None is each result's natural one. Probes of the group `control` are left out where
    there are others: they check a run, and are no cost of masking.
    """
    measured = {entry.probe for one in series for entry in one.result.figures.values()}
    known = [probe for probe in probes if probe.key in measured]
    shown = [probe for probe in known if probe.group != "control"] or known
    backends = dict.fromkeys(e.backend for s in series for e in s.result.figures.values())
    headings = _headings(series)
    rows = []
    for backend in backends:
        keys = tuple(p.key for p in shown if _any(series, backend, p.key, headings))
        if keys:
            rows.append((backend, keys))
    if headings.keys() == _MODES.keys() and _same_in_both(series):
        headings = {"latency": "the same back to back and between fences"}
    if not rows:
        raise IrqcostError("no chart: none of the probes measured is in this catalogue")
    with pyplot.rc_context(_STYLE):
        _save(_figure(series, rows, headings, unit), places_)


def draw_sweep(sweep: Sweep, verdict: str, places_: dict[Path, Path]) -> None:
    """Draws one probe over its unroll factors into the files of places()."""
    with pyplot.rc_context(_STYLE):
        figure, axes = pyplot.subplots(figsize=(_WIDTH, 3.4))
        figure.subplots_adjust(left=0.09, right=0.965, top=0.8, bottom=0.2)
        for point in sweep.points:
            _mark(axes, point)
        if level := plateau(sweep.points):
            ends = (level[0].unroll, level[-1].unroll)
            cost = level[-1].figure.value
            axes.plot(ends, (cost, cost), color=_COLOURS[0], linewidth=0.8, zorder=1)
        unrolls = [point.unroll for point in sweep.points]
        axes.set_xscale("log", base=2)
        axes.set_xticks(unrolls, [str(unroll) for unroll in unrolls])
        axes.minorticks_off()
        axes.set_xlim(unrolls[0] / 1.3, unrolls[-1] * 1.3)
        # From 0: a step looks as large as it is.
        highest = max(point.figure.high for point in sweep.points)
        lowest = min(point.figure.low for point in sweep.points)
        axes.set_ylim(min(0, lowest), highest * 6 / 5 or 1)
        axes.set_xlabel("unroll factor: copies of the probe in a pass of the smaller loop")
        axes.set_ylabel(f"{sweep.unit} per operation")
        axes.grid(axis="y", color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        left = 0.12 / _WIDTH
        figure.text(left, 0.97, verdict, va="top", size=11.5, weight="bold")
        where = f"{sweep.name}/throughput, {report.title(sweep.context)}"
        figure.text(left, 0.885, where, va="top", size=8.5)
        figure.text(left, 0.02, _sweep_caption(sweep), va="bottom", size=7, color="#444444")
        _save(figure, places_)


def _mark(axes: Any, point: Point) -> None:
    """One figure of a sweep; hollow where it is in doubt."""
    doubtful = point.entry.doubtful
    figure = point.figure
    axes.errorbar(
        point.unroll,
        figure.value,
        yerr=[[figure.value - figure.low], [figure.high - figure.value]],
        fmt="o",
        color=_COLOURS[0],
        markerfacecolor="white" if doubtful else _COLOURS[0],
        ecolor="#333333",
        elinewidth=0.8,
        capsize=3,
    )
    axes.annotate(
        report.number(figure.value, 2) + (" ?" if doubtful else ""),
        (point.unroll, figure.high),
        xytext=(0, 6),
        textcoords="offset points",
        ha="center",
        fontsize=8,
    )


def _sweep_caption(sweep: Sweep) -> str:
    if all(point.entry.ticks_interval for point in sweep.points):
        parts = ["Whiskers: 95 % interval of the median over fresh processes."]
    else:
        parts = ["Whiskers: 95 % interval, where there is none p75 − p25 of the samples used."]
    if any(point.entry.doubtful for point in sweep.points):
        parts.append("Hollow and marked “?”: in doubt, the table says why.")
    return " ".join(parts)


def _save(figure: Any, places_: dict[Path, Path]) -> None:
    try:
        for target, file in places_.items():
            kind = target.suffix.removeprefix(".")
            figure.savefig(file, format=kind, dpi=_DPI, metadata=_METADATA[target.suffix])
    finally:
        pyplot.close(figure)


def _headings(series: Sequence[Series]) -> dict[str, str]:
    """The columns: a mode as it stands in names, and what is written above it.

    Figures in situ have columns only where they are alone: beside others it would be too many.
    """
    entries = [e for s in series for e in s.result.figures.values()]
    modes = {entry.mode for entry in entries}
    if modes & _MODES.keys():
        return {mode: heading for mode, heading in _MODES.items() if mode in modes}
    sections = dict.fromkeys(e.variant for e in entries if e.mode == "in_situ")
    return {f"in_situ/{section}": f"{section} cycles" for section in sections}


def _any(series: Sequence[Series], backend: str, probe: str, modes: Iterable[str]) -> bool:
    names = [f"{backend}/{probe}/{mode}" for mode in modes]
    return any(name in s.result.figures for s in series for name in names)


def _same_in_both(series: Sequence[Series]) -> bool:
    """Whether every throughput is also the latency, as counts of instructions are: then one panel
    shows all."""
    return all(
        entry.mode != "throughput"
        or (twin := one.result.figures.get(f"{entry.backend}/{entry.probe}/latency")) is not None
        and twin.ticks == entry.ticks
        for one in series
        for entry in one.result.figures.values()
    )


def _figure(
    series: Sequence[Series],
    rows: Sequence[tuple[str, tuple[str, ...]]],
    headings: dict[str, str],
    unit: str | None,
) -> Any:
    heights = [len(keys) * _pitch(_members(series, backend)) for backend, keys in rows]
    caption = textwrap.wrap(_caption(series), 165)
    names = [f"{b}/{key}/{mode}" for mode in headings for b, keys in rows for key in keys]
    title = textwrap.wrap(headline(series, names, unit), 85)
    head = 0.25 * len(title) + 0.17 * len(series) + 0.45
    foot = 0.5 + 0.15 * len(caption)
    between = 0.55
    height = head + foot + sum(heights) + between * (len(rows) - 1)
    figure, grid = pyplot.subplots(
        len(rows),
        len(headings),
        figsize=(_WIDTH, height),
        squeeze=False,
        sharex=True,
        gridspec_kw={"height_ratios": heights},
    )
    figure.subplots_adjust(
        left=0.245,
        right=0.965,
        top=1 - head / height,
        bottom=foot / height,
        hspace=between / (sum(heights) / len(rows)),
        wspace=0.08,
    )
    ends = [0.0]
    for axes_row, (backend, keys) in zip(grid, rows):
        for axes, (mode, heading) in zip(axes_row, headings.items()):
            ends += _panel(axes, series, _Panel(backend, mode, heading, keys), unit)
        for axes in axes_row[1:]:
            axes.tick_params(labelleft=False)
    # One scale for all panels, from 0, or from below it where an estimate is negative by noise;
    # a sixth of it is room for the figure behind the longest bar.
    grid[0][0].set_xlim(min(ends), max(ends) * 6 / 5 or 1)
    label = " or ".join(units.names([one.result for one in series], unit))
    if headings.keys() <= _MODES.keys():
        label += " per operation"
    for axes in grid[-1]:
        axes.set_xlabel(label)
    left = 0.12 / _WIDTH
    figure.text(left, 1 - 0.1 / height, "\n".join(title), va="top", size=11.5, weight="bold")
    patches = [Patch(color=_colour(i), label=s.title) for i, s in enumerate(series)]
    figure.legend(
        handles=patches,
        loc="upper left",
        bbox_to_anchor=(0, 1 - (0.1 + 0.22 * len(title)) / height),
        frameon=False,
        fontsize=8.5,
        borderaxespad=0.2,
        labelspacing=0.25,
        handlelength=1.2,
    )
    figure.text(left, 0.06 / height, "\n".join(caption), va="bottom", size=7, color="#444444")
    return figure


def _members(series: Sequence[Series], backend: str) -> list[tuple[str, Result]]:
    """The results that have a backend, each with its colour."""
    return [
        (_colour(index), one.result)
        for index, one in enumerate(series)
        if any(entry.backend == backend for entry in one.result.figures.values())
    ]


def _pitch(members: Sequence[tuple[str, Result]]) -> float:
    """From one group of bars to the next."""
    return len(members) * _BAR + _GAP


def _colour(index: int) -> str:
    return _COLOURS[index % len(_COLOURS)]


def _panel(axes: Any, series: Sequence[Series], panel: _Panel, unit: str | None) -> list[float]:
    """Draws a panel; returns where its bars end."""
    ends = []
    members = _members(series, panel.backend)
    pitch = _pitch(members)
    for row, key in enumerate(panel.probes):
        for index, (colour, result) in enumerate(members):
            entry = result.figures.get(f"{panel.backend}/{key}/{panel.mode}")
            if entry:
                place = row * pitch + (index - (len(members) - 1) / 2) * _BAR
                ends += _bar(axes, place, result, entry, unit, colour)
    axes.set_yticks([row * pitch for row in range(len(panel.probes))], panel.probes)
    axes.set_ylim((len(panel.probes) - 0.5) * pitch, -0.5 * pitch)
    axes.tick_params(axis="y", length=0)
    axes.set_title(
        f"{panel.backend}: {panel.heading}",
        loc="left",
        fontsize=8,
    )
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    if not ends:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", color="#666666")
    return ends


def _bar(
    axes: Any, position: float, result: Result, entry: Entry, unit: str | None, colour: str
) -> list[float]:
    """Draws a bar with its whisker and figure; returns where it ends, if there is one."""
    figure = units.figure(result, entry, unit)
    if figure is None:
        return []
    axes.barh(
        position,
        figure.value,
        height=_BAR * 0.9,
        color=colour,
        edgecolor="white",
        linewidth=0,
        hatch=_IN_DOUBT if entry.doubtful else None,
    )
    if figure.width:
        # In the colour of the text, and short: it must not hide the end of the bar.
        sides = [[figure.value - figure.low], [figure.high - figure.value]]
        axes.errorbar(
            figure.value, position, xerr=sides, ecolor="#333333", elinewidth=0.8, capsize=1.6
        )
    digits = 0 if result.context.instruction_clock and figure.value == round(figure.value) else 1
    axes.annotate(
        report.number(figure.value, digits) + (" ?" if entry.doubtful else ""),
        (max(figure.high, 0), position),
        xytext=(3, 0),
        textcoords="offset points",
        va="center",
        fontsize=7,
    )
    return [figure.low, figure.high]


def _caption(series: Sequence[Series]) -> str:
    entries = [e for s in series for e in s.result.figures.values()]
    parts = ["Cost of one operation, loop and fences subtracted."]
    modes = {entry.mode for entry in entries}
    if modes == {"in_situ"}:
        parts = ["What one operation adds to a critical section of so many dependent core cycles."]
    elif "in_situ" in modes:
        parts.append("In situ figures: see the table.")
    if any(entry.ticks_interval for entry in entries):
        parts.append("Whiskers: 95 % interval of the median over fresh processes.")
    if any(entry.spread > 0 and not entry.ticks_interval for entry in entries):
        without = "without an interval " if any(e.ticks_interval for e in entries) else ""
        parts.append(f"Whiskers {without}are p75 − p25 of the samples used, about the estimate.")
    if any(entry.doubtful for entry in entries):
        parts.append("Hatched and marked “?”: in doubt, the table says why.")
    parts.append("A probe that changes the interrupt flag has no throughput.")
    executions = dict.fromkeys(report.execution(s.result.context) for s in series)
    parts.append("Executed: " + "; ".join(executions) + ".")
    return " ".join(parts)

# SPDX-License-Identifier: GPL-2.0-only
"""Bars: what each probe costs, a bar for each result.

A grid of panels: a row of panels for each backend, a column for each mode (for figures in situ
alone: for each length of the section). In a panel, a group of bars for each probe and in it a bar
for each result. Lengths start at 0 and are linear, so that a bar of twice the length is twice the
cost.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from irqcost.base.errors import NoChart
from irqcost.base.table import number
from irqcost.compare.labels import Series
from irqcost.model import naming, units
from irqcost.model.published import Published, matching, same_core
from irqcost.model.result import Entry, Result
from irqcost.output.charts import Inputs
from irqcost.output.charts.places import Theme
from irqcost.output.charts.style import (
    IN_DOUBT,
    WIDTH,
    footing,
    heading,
    legend,
    pyplot,
    tooltip,
    write,
)
from irqcost.output.headline import headline

_MODES = {"throughput": "throughput, back to back", "isolated": "isolated, between fences"}

_BAR = 0.17  # inches of height for one bar
_GAP = 0.14  # between groups


@dataclass(frozen=True)
class _Panel:
    """What one pair of axes shows: by probe (top to bottom) and series, an entry or none."""

    backend: str
    mode: str
    heading: str
    probes: tuple[str, ...]
    published: Sequence[Published]


@dataclass(frozen=True)
class _Bar:
    """Where a bar lies, and its colour."""

    middle: float
    colour: str


def figure(inputs: Inputs, theme: Theme) -> Any:
    """The picture. Raises NoChart where no probe of the catalogue was measured.

    Probes of the groups `control` and `fault` are left out where there are others: they are no
    cost of masking.
    """
    series = inputs.series
    measured = {entry.probe for one in series for entry in one.result.figures.values()}
    known = [probe for probe in inputs.probes if probe.key in measured]
    shown = [probe for probe in known if probe.group not in ("control", "fault")] or known
    backends = dict.fromkeys(e.backend for s in series for e in s.result.figures.values())
    headings = _headings(series)
    rows = []
    for backend in backends:
        keys = tuple(p.key for p in shown if _any(series, backend, p.key, headings))
        if keys:
            rows.append((backend, keys))
    if headings.keys() == _MODES.keys() and _same_in_both(series):
        headings = {"isolated": "the same back to back and between fences"}
    if not rows:
        raise NoChart("no chart: none of the probes measured is in this catalogue")
    return _figure(inputs, rows, headings, theme)


def _headings(series: Sequence[Series]) -> dict[str, str]:
    """The columns: a mode as it stands in names, and what is written above it.

    Figures in situ and those of other contexts than a process have columns only where they are
    alone: beside others it would be too many.
    """
    entries = [e for s in series for e in s.result.figures.values()]
    modes = {entry.mode for entry in entries if not entry.variant}
    if modes & _MODES.keys():
        return {mode: heading for mode, heading in _MODES.items() if mode in modes}
    variants = dict.fromkeys((e.mode, e.variant) for e in entries)
    return {f"{mode}/{variant}": _variant(variant) for mode, variant in variants}


def _variant(variant: str) -> str:
    """What stands above the column of a section or of a context."""
    if variant.isdigit():
        return f"{variant} cycles"
    return {"percpu": "per-CPU data"}.get(variant, variant)


def _any(series: Sequence[Series], backend: str, probe: str, modes: Iterable[str]) -> bool:
    names = [f"{backend}/{probe}/{mode}" for mode in modes]
    return any(name in s.result.figures for s in series for name in names)


def _same_in_both(series: Sequence[Series]) -> bool:
    """Whether every throughput is also the isolated cost, as counts of instructions are: then one
    panel shows all."""
    return all(
        entry.mode != "throughput"
        or entry.variant
        or (twin := one.result.figures.get(f"{entry.backend}/{entry.probe}/isolated")) is not None
        and twin.ticks == entry.ticks
        for one in series
        for entry in one.result.figures.values()
    )


def _figure(
    inputs: Inputs,
    rows: Sequence[tuple[str, tuple[str, ...]]],
    headings: dict[str, str],
    theme: Theme,
) -> Any:
    series, unit = inputs.series, inputs.unit
    heights = [len(keys) * _pitch(_members(series, backend)) for backend, keys in rows]
    caption = footing(_caption(series) + (_PUBLISHED if inputs.published else ""))
    names = [f"{b}/{key}/{mode}" for mode in headings for b, keys in rows for key in keys]
    title = heading(headline(series, names, unit))
    head = 0.25 * len(title) + 0.17 * len(series) + 0.45
    foot = 0.5 + 0.15 * len(caption)
    between = 0.55
    height = head + foot + sum(heights) + between * (len(rows) - 1)
    figure, grid = pyplot.subplots(
        len(rows),
        len(headings),
        figsize=(WIDTH, height),
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
        for axes, (mode, words) in zip(axes_row, headings.items()):
            ends += _panel(
                axes, series, _Panel(backend, mode, words, keys, inputs.published), unit, theme
            )
        _name_probes(axes_row, keys, _pitch(_members(series, backend)))
    # One scale for all panels, from 0, or from below it where an estimate is negative by noise;
    # a sixth of it is room for the figure behind the longest bar.
    grid[0][0].set_xlim(min(ends), max(ends) * 6 / 5 or 1)
    label = " or ".join(units.names([one.result for one in series], unit))
    if headings.keys() <= _MODES.keys():
        label += " per operation"
    for column in grid.T:
        lowest = [axes for axes in column if axes.get_visible()][-1]
        lowest.tick_params(labelbottom=True)
        lowest.set_xlabel(label)
    legend(figure, theme, [s.title for s in series], 0.1 + 0.22 * len(title))
    write(figure, theme, title, caption)
    return figure


def _name_probes(axes_row: Any, keys: Sequence[str], pitch: float) -> None:
    """The names of a backend's probes, beside the first panel of its row that has figures."""
    seen = [axes for axes in axes_row if axes.get_visible()]
    for axes in seen:
        axes.set_yticks([row * pitch for row in range(len(keys))], keys)
        axes.tick_params(axis="y", length=0, labelleft=axes is seen[0])


def _members(series: Sequence[Series], backend: str) -> list[tuple[int, Result]]:
    """The results that have a backend, each with its place among all."""
    return [
        (index, one.result)
        for index, one in enumerate(series)
        if any(entry.backend == backend for entry in one.result.figures.values())
    ]


def _pitch(members: Sequence[tuple[int, Result]]) -> float:
    """From one group of bars to the next."""
    return len(members) * _BAR + _GAP


def _panel(
    axes: Any, series: Sequence[Series], panel: _Panel, unit: str | None, theme: Theme
) -> list[float]:
    """Draws a panel, or hides one without figures; returns where its bars end."""
    ends = []
    whiskers = []
    members = _members(series, panel.backend)
    pitch = _pitch(members)
    for row, key in enumerate(panel.probes):
        for index, (place, result) in enumerate(members):
            entry = result.figures.get(f"{panel.backend}/{key}/{panel.mode}")
            if entry:
                middle = row * pitch + (index - (len(members) - 1) / 2) * _BAR
                bar = _Bar(middle, theme.colour(place))
                marks = _draw_published(axes, bar, result, entry, unit, panel.published, theme)
                ends += [*marks, *_draw_bar(axes, bar, result, entry, unit, theme, marks)]
                whiskers.append((middle, units.figure(result, entry, unit)))
    _draw_whiskers(axes, whiskers, theme)
    axes.set_ylim((len(panel.probes) - 0.5) * pitch, -0.5 * pitch)
    contexts = [result.context for _, result in members]
    words = [f"{panel.backend}: {panel.heading}"]
    if naming.kernel_functions(contexts, panel.backend):
        words += naming.backend_name(panel.backend, contexts).split(" or ")
    axes.set_title("\n".join(words), loc="left", fontsize=8)
    axes.grid(axis="x", linewidth=0.6)
    axes.set_visible(bool(ends))
    return ends


def _draw_bar(
    axes: Any,
    bar: _Bar,
    result: Result,
    entry: Entry,
    unit: str | None,
    theme: Theme,
    marks: Sequence[float],
) -> list[float]:
    """Draws a bar with its figure, this behind marks that are near; returns where it ends, if there
    is one."""
    figure = units.figure(result, entry, unit)
    if figure is None:
        return []
    axes.barh(
        bar.middle,
        figure.value,
        height=_BAR * 0.9,
        color=bar.colour,
        edgecolor=theme.paper,
        linewidth=0,
        hatch=IN_DOUBT if entry.unreliable else None,
    )
    near = [mark for mark in marks if figure.high * 0.95 < mark < figure.high * 1.5]
    digits = 0 if result.context.instruction_clock and figure.value == round(figure.value) else 1
    axes.annotate(
        number(figure.value, digits) + (" ?" if entry.unreliable else ""),
        (max(figure.high, 0, *near), bar.middle),
        xytext=(6 if near else 3, 0),
        textcoords="offset points",
        va="center",
        fontsize=7,
    )
    return [figure.low, figure.high]


def _draw_whiskers(
    axes: Any, figures: Sequence[tuple[float, units.Value | None]], theme: Theme
) -> None:
    """Those of a panel, at their heights: by themselves they would take half of its time."""
    shown = [(middle, one) for middle, one in figures if one and one.width]
    axes.errorbar(
        [one.value for _, one in shown],
        [middle for middle, _ in shown],
        xerr=[
            [one.value - one.low for _, one in shown],
            [one.high - one.value for _, one in shown],
        ],
        fmt="none",
        # In the colour of the text, and short: they must not hide the ends of the bars.
        ecolor=theme.ink,
        elinewidth=0.8,
        capsize=1.6,
    )


def _draw_published(
    axes: Any,
    bar: _Bar,
    result: Result,
    entry: Entry,
    unit: str | None,
    figures: Sequence[Published],
    theme: Theme,
) -> list[float]:
    """Marks what was published of the same core, primitive and mode; returns where. Tables of
    compilers and emulators are no measurements, and results that are not real of no core."""
    if result.context.kind != "real":
        return []
    same = matching(figures, [entry.probe], unit or units.natural(result)).get(entry.probe, [])
    shown = [one for one in same if not one.model and one.mode == entry.mode]
    shown = [one for one in shown if same_core(one, result)]
    for one in shown:
        mark = axes.scatter(
            [one.value],
            [bar.middle],
            marker="D",
            s=16,
            facecolor="none" if one.suspect else theme.paper,
            edgecolor=theme.ink,
            linestyle=":" if one.suspect else "-",
            linewidth=0.8,
            zorder=3,
        )
        tooltip(axes.figure, mark, one.told)
    return [one.value for one in shown]


_PUBLISHED = (
    " Hollow diamonds: published for the same microarchitecture (results/published/), dotted where "
    "suspect."
)


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
    if any(entry.unreliable for entry in entries):
        parts.append("Hatched and marked “?”: in doubt, the table says why.")
    parts.append("A probe that changes the interrupt flag has no throughput.")
    executions = naming.executions(s.result.context for s in series)
    parts.append(f"Executed: {executions}.")
    return " ".join(parts)

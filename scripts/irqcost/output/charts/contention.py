# SPDX-License-Identifier: GPL-2.0-only
"""Contention: what an operation costs as CPUs are added, and how evenly they come to it.

A column of panels for each length of the section. Above: the time that passed by the operations of
all CPUs, a line for each lock (and result); linear and from 0. Below: the operations of the CPU
that got fewest by those of the one that got most; 1 is fair.
"""

from collections.abc import Sequence
from typing import Any

from irqcost.base.errors import NoChart
from irqcost.compare.labels import Series
from irqcost.model import naming
from irqcost.model.contention import CONTENTION, Contention
from irqcost.model.result import Entry
from irqcost.output.charts import Inputs
from irqcost.output.charts.places import Theme
from irqcost.output.charts.style import WIDTH, footing, heading, legend, pyplot, write

_Line = tuple[str, list[tuple[Entry, Contention]]]


def figure(inputs: Inputs, theme: Theme) -> Any:
    """The picture. Raises NoChart where no result has a figure of contention."""
    lines = _lines(inputs.series)
    sections = sorted({one.section for _, points in lines for _, one in points})
    if not sections:
        raise NoChart("no chart: none of these results has a figure of contention")
    cycles = all(entry.core_cycles is not None for _, points in lines for entry, _ in points)
    exact = all(one.result.context.instruction_clock for one in inputs.series)
    unit = "core cycles" if cycles else "instructions" if exact else "TSC ticks"
    title = heading(_title(inputs.series))
    caption = footing(_caption(inputs.series))
    legend_height = 0.19 * len(lines)
    height = 4.4 + legend_height + 0.2 * len(title) + 0.13 * len(caption)
    made, panels = pyplot.subplots(
        2,
        len(sections),
        figsize=(WIDTH, height),
        squeeze=False,
        sharex=True,
        sharey="row",
        gridspec_kw={"height_ratios": (2.2, 1)},
    )
    top = 0.2 + 0.2 * len(title)
    made.subplots_adjust(
        left=0.085,
        right=0.98,
        top=1 - (top + legend_height + 0.35) / height,
        bottom=(0.6 + 0.13 * len(caption)) / height,
        wspace=0.1,
        hspace=0.14,
    )
    for column, section in enumerate(sections):
        _panel(panels[0][column], panels[1][column], section, lines, cycles, theme)
    # Of all panels alike, once they are drawn.
    panels[0][0].set_ylim(bottom=0)
    panels[0][0].set_ylabel(f"{unit} an operation")
    panels[1][0].set_ylabel("fewest / most")
    legend(made, theme, [label for label, _ in lines], top)
    write(made, theme, title, caption)
    return made


def _lines(series: Sequence[Series]) -> list[_Line]:
    found: dict[str, list[tuple[Entry, Contention]]] = {}
    for one in series:
        for entry in one.result.figures.values():
            if entry.mode != CONTENTION or not isinstance(entry.waits, Contention):
                continue
            label = entry.probe + (" (sleeps)" if entry.waits.sleeps else "")
            if len(series) > 1:
                label += f", {one.name}"
            found.setdefault(label, []).append((entry, entry.waits))
    return list(found.items())


def _panel(
    cost: Any, fair: Any, section: int, lines: Sequence[_Line], cycles: bool, theme: Theme
) -> None:
    numbers: set[int] = set()
    for index, (_, all_points) in enumerate(lines):
        points = [(e, one) for e, one in all_points if one.section == section]
        points.sort(key=lambda point: len(point[1].cpus))
        counts = [len(one.cpus) for _, one in points]
        numbers |= set(counts)
        colour = theme.colour(index)
        values = [(e.core_cycles if cycles else e.ticks) or 0.0 for e, _ in points]
        cost.plot(counts, values, color=colour, linewidth=1.2)
        fair.plot(counts, [one.min_over_max for _, one in points], color=colour, linewidth=1.2)
        for count, value, (entry, one) in zip(counts, values, points):
            unreliable = entry.unreliable or not entry.clean or one.not_run
            face = theme.paper if unreliable else colour
            for axes, height in ((cost, value), (fair, one.min_over_max)):
                axes.plot(count, height, "o", color=colour, markerfacecolor=face, markersize=5)
    cost.set_title(f"section of {section} cycles")
    fair.set_xlabel("CPUs")
    fair.set_xticks(sorted(numbers))
    fair.set_ylim(0, 1.08)
    for axes in (cost, fair):
        axes.grid(axis="y", linewidth=0.6)
        axes.margins(x=0.12)


def _title(series: Sequence[Series]) -> str:
    if len(series) > 1:
        return "What a lock costs as CPUs are added"
    return f"What a lock costs as CPUs are added: {naming.title(series[0].result.context)}"


def _caption(series: Sequence[Series]) -> str:
    executions = naming.executions(s.result.context for s in series)
    return (
        "Above: time that passed, by the operations of all CPUs, the section included. Below: the "
        "operations of the CPU that got fewest by those of the one that got most. Hollow: in "
        "doubt, or a CPU has not run; the table says which. "
    ) + f"Executed: {executions}."

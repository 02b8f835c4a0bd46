# SPDX-License-Identifier: GPL-2.0-only
"""Pending interrupts: how long one waits that was raised while it was masked.

A panel for each part (to the handler, to the instruction after the return): the distribution as a
line through its percentiles, cumulative, a line for each way of masking (and result).
"""

from collections.abc import Sequence
from typing import Any

from matplotlib.ticker import LogLocator, NullFormatter

from irqcost.base.errors import NoChart
from irqcost.compare.labels import Series
from irqcost.model import naming
from irqcost.model.contention import PENDING, PERCENTILES, Pending
from irqcost.model.result import Entry
from irqcost.output.charts import Inputs
from irqcost.output.charts.places import Theme
from irqcost.output.charts.style import WIDTH, footing, heading, legend, pyplot, write

_PARTS = {
    "handler": "from unmasking to the handler's first instruction",
    "return": "from unmasking to the instruction after the return",
}
# Where the percentiles stand on an axis of percent.
_SHARES = {name: float(name.removeprefix("p")) for name in PERCENTILES if name.startswith("p")}
_SHARES |= {"min": 0.0, "max": 100.0}


def figure(inputs: Inputs, theme: Theme) -> Any:
    """The picture. Raises NoChart where no result has a figure of pending interrupts."""
    lines = _lines(inputs.series)
    parts = [part for part in _PARTS if any(part in entries for entries in lines.values())]
    if not parts:
        raise NoChart("no chart: none of these results has a figure of pending interrupts")
    entries = [entry for line in lines.values() for entry in line.values()]
    cycles = all(entry.core_cycles is not None for entry in entries)
    exact = all(one.result.context.instruction_clock for one in inputs.series)
    unit = "core cycles" if cycles else "instructions" if exact else "TSC ticks"
    title = heading(_title(inputs.series))
    caption = footing(_caption(inputs.series))
    legend_height = 0.19 * len(lines)
    height = 3.4 + legend_height + 0.2 * len(title) + 0.13 * len(caption)
    made, panels = pyplot.subplots(
        1, len(parts), figsize=(WIDTH, height), squeeze=False, sharex=True, sharey=True
    )
    top = 0.2 + 0.2 * len(title)
    made.subplots_adjust(
        left=0.075,
        right=0.98,
        top=1 - (top + legend_height + 0.35) / height,
        bottom=(0.6 + 0.13 * len(caption)) / height,
        wspace=0.1,
    )
    for axes, part in zip(panels[0], parts):
        for index, line in enumerate(lines.values()):
            if part in line:
                _draw(axes, line[part], cycles, theme.colour(index))
        axes.set_title(_PARTS[part])
        # The tail is far from the rest, and worth seeing.
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(unit)
        axes.grid(which="both", axis="x", linewidth=0.4)
        axes.grid(axis="y", linewidth=0.6)
    panels[0][0].set_ylabel("% of interrupts within")
    legend(made, theme, list(lines), top)
    write(made, theme, title, caption)
    return made


def _lines(series: Sequence[Series]) -> dict[str, dict[str, Entry]]:
    found: dict[str, dict[str, Entry]] = {}
    for one in series:
        for entry in one.result.figures.values():
            if entry.mode == PENDING and entry.variant in _PARTS:
                label = entry.probe + (f", {one.name}" if len(series) > 1 else "")
                found.setdefault(label, {})[entry.variant] = entry
    return found


def _draw(axes: Any, entry: Entry, cycles: bool, colour: str) -> None:
    assert isinstance(entry.waits, Pending)
    # The percentiles are in ticks; the entry's own figure tells what a tick is.
    factor = (entry.core_cycles or 0) / entry.ticks if cycles and entry.ticks else 1.0
    names = [name for name in PERCENTILES if entry.waits.ticks[name] > 0]
    values = [entry.waits.ticks[name] * factor for name in names]
    shares = [_SHARES[name] for name in names]
    style = "--" if entry.unreliable or not entry.clean else "-"
    axes.plot(values, shares, style, color=colour, linewidth=1.2, marker="o", markersize=3)


def _title(series: Sequence[Series]) -> str:
    if len(series) > 1:
        return "How long an interrupt waits that was raised while masked"
    context = series[0].result.context
    return f"How long an interrupt waits that was raised while masked: {naming.title(context)}"


def _caption(series: Sequence[Series]) -> str:
    executions = naming.executions(s.result.context for s in series)
    return (
        "Dots: least, p1, p10, p25, p50, p75, p90, p99 and greatest of the interrupts used, from "
        "before the unmasking on. Dashed: in doubt, the table says why. "
    ) + f"Executed: {executions}."

# SPDX-License-Identifier: GPL-2.0-only
"""Does the cost of a probe depend on the unroll factor?"""

from collections.abc import Sequence
from typing import Any

from irqcost.measure.unroll import Point, Sweep, plateau
from irqcost.model import naming
from irqcost.output.charts.parts.chosen import title
from irqcost.output.charts.output_files import OutputFile, Theme
from irqcost.output.charts.parts.sheet import SMALL, TEXT, Key, Sheet, Words
from irqcost.output.charts.parts.style import amount, save

_TALL, _AXIS, _TICKS = 2.6, 0.45, 0.4  # inches


def draw(sweep: Sweep, verdict: str, outputs: Sequence[OutputFile]) -> None:
    """Draws into the files of output_files.made(); `verdict` is the title."""
    save(lambda theme: figure(sweep, verdict, theme), outputs)


def figure(sweep: Sweep, verdict: str, theme: Theme) -> Any:
    """The picture."""
    unreliable = any(point.entry.unreliable for point in sweep.points)
    keys = [Key("unreliable, marked “?”", theme.muted, hollow=True)] if unreliable else []
    backend, probe = sweep.name.split("/")[:2]
    subtitle = f"{title(probe)} ({backend}), repeated back to back: {sweep.unit} per operation"
    sheet = Sheet(theme, Words(verdict, subtitle, _source(sweep), keys))
    made = sheet.open(_TALL + _AXIS)
    left = sheet.left + _TICKS
    axes = sheet.axes(left, 0, sheet.right - left, _TALL)
    for point in sweep.points:
        _mark(axes, point, theme)
    if level := plateau(sweep.points):
        ends = (level[0].unroll, level[-1].unroll)
        cost = level[-1].figure.value
        axes.plot(ends, (cost, cost), color=theme.colour(0), linewidth=0.8, zorder=1)
    unrolls = [point.unroll for point in sweep.points]
    axes.set_xscale("log", base=2)
    axes.set_xticks(unrolls, [str(unroll) for unroll in unrolls])
    axes.minorticks_off()
    axes.set_xlim(unrolls[0] / 1.3, unrolls[-1] * 1.3)
    # From 0: a step looks as large as it is.
    highest = max(point.figure.high for point in sweep.points)
    lowest = min(point.figure.low for point in sweep.points)
    axes.set_ylim(min(0, lowest), highest * 6 / 5 or 1)
    words = "unroll factor: copies of the probe in a pass of the smaller loop"
    axes.set_xlabel(words, fontsize=SMALL, labelpad=2)
    axes.tick_params(labelsize=SMALL, length=2)
    axes.grid(axis="y", linewidth=0.6)
    return made


def _mark(axes: Any, point: Point, theme: Theme) -> None:
    """One figure of a sweep."""
    unreliable = point.entry.unreliable
    cost = point.figure
    axes.errorbar(
        point.unroll,
        cost.value,
        yerr=[[max(cost.value - cost.low, 0)], [max(cost.high - cost.value, 0)]],
        fmt="o",
        color=theme.colour(0),
        markerfacecolor=theme.paper if unreliable else theme.colour(0),
        ecolor=theme.ink,
        elinewidth=0.8,
        capsize=3,
    )
    how = {"ha": "center", "fontsize": TEXT, "textcoords": "offset points"}
    axes.annotate(
        amount(cost.value) + (" ?" if unreliable else ""),
        (point.unroll, cost.high),
        xytext=(0, 6),
        **how,
    )


def _source(sweep: Sweep) -> str:
    where = f"{naming.title(sweep.context)}."
    if all(point.entry.ticks_interval for point in sweep.points):
        return f"{where} Whiskers: 95 % interval of the median over processes."
    return f"{where} Whiskers: 95 % interval, where there is none p75 − p25 of the samples used."

# SPDX-License-Identifier: GPL-2.0-only
"""The chart of one probe over its unroll factors."""

from collections.abc import Sequence
from typing import Any

from irqcost.base.table import number
from irqcost.measure.unroll import Point, Sweep, plateau
from irqcost.model import naming
from irqcost.output.charts.places import Place, Theme
from irqcost.output.charts.style import WIDTH, pyplot, save, write


def draw(sweep: Sweep, verdict: str, places: Sequence[Place]) -> None:
    """Draws into the files of places.made(); `verdict` is the title."""
    save(lambda theme: _figure(sweep, verdict, theme), places)


def _figure(sweep: Sweep, verdict: str, theme: Theme) -> Any:
    figure, axes = pyplot.subplots(figsize=(WIDTH, 3.4))
    figure.subplots_adjust(left=0.09, right=0.965, top=0.8, bottom=0.2)
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
    axes.set_xlabel("unroll factor: copies of the probe in a pass of the smaller loop")
    axes.set_ylabel(f"{sweep.unit} per operation")
    axes.grid(axis="y", linewidth=0.6)
    where = f"{sweep.name}/throughput, {naming.title(sweep.context)}"
    figure.text(0.12 / WIDTH, 0.885, where, va="top", size=8.5)
    write(figure, theme, [verdict], [_caption(sweep)])
    return figure


def _mark(axes: Any, point: Point, theme: Theme) -> None:
    """One figure of a sweep; hollow where it is in doubt."""
    unreliable = point.entry.unreliable
    figure = point.figure
    axes.errorbar(
        point.unroll,
        figure.value,
        yerr=[[figure.value - figure.low], [figure.high - figure.value]],
        fmt="o",
        color=theme.colour(0),
        markerfacecolor=theme.paper if unreliable else theme.colour(0),
        ecolor=theme.ink,
        elinewidth=0.8,
        capsize=3,
    )
    axes.annotate(
        number(figure.value, 2) + (" ?" if unreliable else ""),
        (point.unroll, figure.high),
        xytext=(0, 6),
        textcoords="offset points",
        ha="center",
        fontsize=8,
    )


def _caption(sweep: Sweep) -> str:
    if all(point.entry.ticks_interval for point in sweep.points):
        parts = ["Whiskers: 95 % interval of the median over fresh processes."]
    else:
        parts = ["Whiskers: 95 % interval, where there is none p75 − p25 of the samples used."]
    if any(point.entry.unreliable for point in sweep.points):
        parts.append("Hollow and marked “?”: in doubt, the table says why.")
    return " ".join(parts)

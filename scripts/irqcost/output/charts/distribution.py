# SPDX-License-Identifier: GPL-2.0-only
"""How the samples of figures lie: clean ones, which the estimate is made of, and others."""

from dataclasses import dataclass
from typing import Any

from irqcost.base.errors import IrqcostError, NoChart
from irqcost.base.table import number
from irqcost.compare.labels import Series
from irqcost.model.members import FormatError
from irqcost.model.result import Entry, Grid
from irqcost.output.charts import Inputs
from irqcost.output.charts.places import Theme
from irqcost.output.charts.style import WIDTH, footing, heading, pyplot, write

# More panels than this are no picture to be read: --select chooses.
_MOST = 10
_BINS = 80
_PANEL = 1.15  # inches
_NEAR = 0.01  # of the figure

_CAPTION = (
    "Samples of all processes in bins; heights are shares of the clean and of the contaminated "
    "ones, each scaled to its tallest bar. The line is the figure. Free: sensor and clock at their "
    "floor, no interrupt seen. Shown is where 98 % of the clean samples lie, and as much on each "
    "side; samples beyond are counted at the right."
)


@dataclass(frozen=True)
class _Panel:
    series: Series
    entry: Entry
    unit: str
    value: float
    clean: Grid
    contaminated: Grid


def figure(inputs: Inputs, theme: Theme) -> Any:
    """The picture. Raises NoChart where no file has a histogram of these figures."""
    panels = _panels(inputs)
    left_out = len(panels) - _MOST
    panels = panels[:_MOST]
    more = f" {left_out} more figures are left out: --select chooses." if left_out > 0 else ""
    title, caption = heading(_headline(panels[0])), footing(_CAPTION + more)
    head, foot = 0.75 + 0.22 * len(title), 0.55 + 0.15 * len(caption)
    height = head + foot + _PANEL * len(panels)
    picture, grid = pyplot.subplots(len(panels), 1, figsize=(WIDTH, height), squeeze=False)
    picture.subplots_adjust(
        left=0.03, right=0.97, top=1 - head / height, bottom=foot / height, hspace=1.05
    )
    for axes, panel in zip(grid[:, 0], panels):
        _draw(axes, panel, theme)
    grid[-1][0].set_xlabel(f"{panels[-1].unit} per operation")
    for place, words in enumerate(("clean samples", "contaminated samples")):
        picture.text(
            0.03 + 0.16 * place,
            1 - (0.22 + 0.22 * len(title)) / height,
            f"■ {words}",
            color=theme.colour(place),
            size=8.5,
        )
    write(picture, theme, title, caption)
    return picture


def _panels(inputs: Inputs) -> list[_Panel]:
    """What can be shown: probes that are no controls first, throughput before other modes."""
    controls = {probe.key for probe in inputs.probes if probe.group == "control"}
    panels = []
    for series in inputs.series:
        for entry in series.result.figures.values():
            try:
                histogram = entry.histogram
            except FormatError as error:
                raise IrqcostError(f"no chart: {error}") from error
            if histogram is None or not histogram.clean.counts:
                continue
            cycles = histogram.unit == "core_cycles" and entry.core_cycles is not None
            unit = "core cycles" if cycles else "ticks"
            value = entry.core_cycles if cycles and entry.core_cycles is not None else entry.ticks
            panels.append(
                _Panel(series, entry, unit, value, histogram.clean, histogram.contaminated)
            )
    if not panels:
        raise NoChart("no chart: no histogram in these results (emulated ones have none)")
    modes = ("throughput", "isolated")
    return sorted(
        panels,
        key=lambda one: (
            one.entry.probe in controls,
            modes.index(one.entry.mode) if one.entry.mode in modes else len(modes),
            one.entry.backend == "ring3",
        ),
    )


def _headline(panel: _Panel) -> str:
    near = abs(panel.value) * _NEAR
    inside = sum(
        count
        for begin, count in panel.clean.counts
        if begin + panel.clean.width > panel.value - near and begin < panel.value + near
    )
    return (
        f"{panel.entry.probe}: {100 * inside / panel.clean.total:.0f} % of the clean samples lie "
        f"within 1 % of {number(panel.value, 1)} {panel.unit}"
    )


def _window(clean: Grid) -> tuple[float, float]:
    """From the 1st to the 99th percentile of the clean samples, and as much on each side."""
    total = clean.total
    seen, low, high = clean.below, clean.counts[0][0], clean.counts[-1][0]
    for begin, count in clean.counts:
        if seen <= total / 100:
            low = begin
        if seen <= total * 99 / 100:
            high = begin + clean.width
        seen += count
    return low - (high - low), high + (high - low)


def _draw(axes: Any, panel: _Panel, theme: Theme) -> None:
    low, high = _window(panel.clean)
    beyond = []
    grids = ((panel.clean, "clean"), (panel.contaminated, "contaminated"))
    for place, (grid, words) in enumerate(grids):
        shares, outside = _binned(grid, low, high)
        edges = [low + (high - low) * i / _BINS for i in range(_BINS + 1)]
        tallest = max(shares) or 1
        heights = [share / tallest for share in shares]
        colour = theme.colour(place)
        filled = place == 0
        axes.stairs(
            heights,
            edges,
            fill=filled,
            color=colour,
            alpha=0.75 if filled else 1,
            linewidth=0 if filled else 1.1,
        )
        if outside:
            beyond.append(f"{outside} of {grid.total} {words} beyond")
    axes.axvline(panel.value, color=theme.ink, linewidth=0.9)
    axes.set_xlim(low, high)
    axes.set_ylim(0, 1.08)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.tick_params(labelsize=7)
    doubt = " ?" if panel.entry.unreliable else ""
    which = f", {panel.series.name}" if panel.series.name else ""
    words = f"{panel.entry.name}: {number(panel.value, 2)} {panel.unit}{doubt}{which}"
    axes.set_title(words, loc="left", fontsize=8)
    axes.set_title("; ".join(beyond), loc="right", fontsize=7, weight="normal", color=theme.muted)


def _binned(grid: Grid, low: float, high: float) -> tuple[list[float], int]:
    """Counts in _BINS bins of the window, a wide bin's spread over those that it covers, and how
    many are outside."""
    shares = [0.0] * _BINS
    width = (high - low) / _BINS
    outside = grid.below + grid.above
    for begin, count in grid.counts:
        if begin + grid.width <= low or begin >= high:
            outside += count
            continue
        first, last = (begin - low) / width, (begin + grid.width - low) / width
        for place in range(max(int(first), 0), min(int(last) + 1, _BINS)):
            covered = min(last, place + 1) - max(first, place)
            shares[place] += count * max(covered, 0) / (last - first)
    return shares, outside

# SPDX-License-Identifier: GPL-2.0-only
"""How do the samples of a cost lie? Clean ones, which the estimate is made of, and contaminated
ones, all panels by how far they are off the figure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from irqcost.base.errors import IrqcostError, NoChart
from irqcost.model.members import FormatError
from irqcost.model.result import Entry, Grid
from irqcost.output import finding
from irqcost.output.charts import Inputs
from irqcost.output.charts.parts.chosen import Chosen, chosen, title
from irqcost.output.charts.output_files import Theme
from irqcost.output.charts.parts.sheet import (
    LONGEST,
    SMALL,
    STEP,
    Key,
    Sheet,
    Words,
    cut,
    folded,
    numbered,
    width,
)
from irqcost.output.charts.parts.style import amount

# More panels than this are hard to read: --select chooses.
_MOST = 10
_BINS = 80
_PANEL, _NAME, _AXIS = 0.62, 0.24, 0.42  # inches: a panel, its name, what is below all
_NEAR = 0.01  # of the figure
_LEAST = 0.5  # Cycles, ticks: of less, parts of a hundred are the clock's steps.
_COARSE = 0.01  # of the figure: bins that are wider do not show how samples lie
# To each side, parts of the figure: as far as 98 % of the clean samples go, within these ends.
_NARROWEST, _WIDEST = 0.02, 0.2

_SOURCE = (
    "Heights: shares, each of clean and contaminated samples scaled to its tallest bar. Clean: "
    "sensor and clock at their baseline, no interrupt seen. Left out: figures whose bins are "
    "too wide."
)


@dataclass(frozen=True)
class _Panel:
    name: str  # of its result, where there are several
    entry: Entry
    unit: str
    value: float
    clean: Grid
    contaminated: Grid

    @property
    def near(self) -> float:
        """The share of its clean samples in bins whose middle is within _NEAR of the figure."""
        edge, half = abs(self.value) * _NEAR, self.clean.width / 2
        inside = (
            count for begin, count in self.clean.counts if abs(begin + half - self.value) < edge
        )
        return sum(inside) / self.clean.total


def figure(inputs: Inputs, theme: Theme) -> Any:
    """The picture. Raises NoChart where no file has a histogram of these figures."""
    words, panels = _laid_out(inputs, theme)
    if len(panels) > _MOST:
        more = f"{words.source} {_MOST} of {len(panels)} figures: --select chooses."
        words, panels = replace(words, source=more), panels[:_MOST]
    return _page(words, theme, panels, _reach(panels))


def pages(inputs: Inputs, theme: Theme) -> list[Callable[[], Any]]:
    """All panels, on one scale. Raises NoChart as figure() does."""
    words, panels = _laid_out(inputs, theme)
    sheet = Sheet(theme, numbered(words, LONGEST, LONGEST, _LONGEST_SPAN))
    most = min(_MOST, int((sheet.room - _AXIS) / (_PANEL + _taller(sheet, panels))))
    parts = cut(len(panels), lambda first, end: end - first <= most)
    return [
        partial(
            _page,
            numbered(words, place + 1, len(parts), _span(*part, len(panels))),
            theme,
            panels[slice(*part)],
            _reach(panels),
        )
        for place, part in enumerate(parts)
    ]


def _span(first: int, end: int, count: int) -> str:
    return f"Figures {first + 1} to {end} of {count}: --select chooses."


_LONGEST_SPAN = _span(998, 999, 999)


def _laid_out(inputs: Inputs, theme: Theme) -> tuple[Words, list[_Panel]]:
    which = chosen(inputs.series, None)
    panels = _panels(which, inputs)
    words = Words(
        which.titled(_headline(panels[0])),
        f"Samples by how far they are off the figure (line); figures are in {panels[0].unit}",
        f"{which.source} {_SOURCE}",
        [
            Key("clean samples", theme.colour(0), "s"),
            Key("contaminated samples", theme.colour(1), "s", hollow=True),
        ],
    )
    return words, panels


def _page(words: Words, theme: Theme, panels: Sequence[_Panel], reach: float) -> Any:
    sheet = Sheet(theme, words)
    pitch = _PANEL + _taller(sheet, panels)
    picture = sheet.open(pitch * len(panels) + _AXIS)
    for number, panel in enumerate(panels):
        _draw(sheet, number * pitch, panels, panel, reach)
    return picture


def _reach(panels: Sequence[_Panel]) -> float:
    """How far the common scale goes to each side, as a part of the figure: for the middle one of
    the panels."""
    parts = sorted(
        max(abs(end - panel.value) for end in _window(panel.clean)) / abs(panel.value)
        for panel in panels
    )
    return min(max(parts[len(parts) // 2], _NARROWEST), _WIDEST)


def _panels(which: Chosen, inputs: Inputs) -> list[_Panel]:
    """What can be shown: costs and no controls, throughput before other modes."""
    controls = {probe.key for probe in inputs.probes if probe.group in ("control", "fault")}
    panels = []
    for place, series in enumerate(which.series):
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
            name = which.names[place] if len(which.series) > 1 else ""
            fine = histogram.clean.width <= _COARSE * abs(value)
            if fine and abs(value) >= _LEAST and entry.probe not in controls:
                panels.append(
                    _Panel(name, entry, unit, value, histogram.clean, histogram.contaminated)
                )
    if not panels:
        raise NoChart(
            "no chart: no histogram of a cost with bins fine enough (emulated ones have none)"
        )
    modes = ("throughput", "isolated")
    return sorted(
        panels,
        key=lambda one: (
            modes.index(one.entry.mode) if one.entry.mode in modes else len(modes),
            one.entry.probe not in finding.ACTS,
        ),
    )


def _headline(panel: _Panel) -> str:
    where = f" on {panel.name}" if panel.name else ""
    doubt = " (unreliable)" if panel.entry.unreliable else ""
    what = f"{finding.capital(title(panel.entry.probe))}{where}{doubt}"
    near = f"{100 * panel.near:.0f} % of the clean samples lie within 1 %"
    return f"{what}: {near} of {amount(panel.value)} {panel.unit}"


def _window(clean: Grid) -> tuple[float, float]:
    """From the 1st to the 99th percentile of the clean samples."""
    total = clean.total
    seen, low, high = clean.below, clean.counts[0][0], clean.counts[-1][0]
    for begin, count in clean.counts:
        if seen <= total / 100:
            low = begin
        if seen <= total * 99 / 100:
            high = begin + clean.width
        seen += count
    return low, high


def _near(panel: _Panel) -> str:
    return f"{100 * panel.near:.0f} % within 1 %"


def _named(sheet: Sheet, panel: _Panel) -> list[str]:
    """The name above a panel, beside which something stands."""
    doubt = " ?" if panel.entry.unreliable else ""
    once = " (once)" if panel.entry.mode == "isolated" else ""
    around = f", {panel.entry.variant}" if panel.entry.variant else ""
    words = f"{title(panel.entry.probe)}{once}{around}: {amount(panel.value)}{doubt}"
    words += f", {panel.name}" if panel.name else ""
    return folded(words, sheet.right - sheet.left - width(_near(panel), SMALL) - 0.15)


def _taller(sheet: Sheet, panels: Sequence[_Panel]) -> float:
    """By how much names of several lines make all panels taller."""
    return (max(len(_named(sheet, panel)) for panel in panels) - 1) * STEP


def _draw(
    sheet: Sheet,
    top: float,
    panels: Sequence[_Panel],
    panel: _Panel,
    reach: float,
) -> None:
    theme, wide = sheet.theme, sheet.right - sheet.left
    right = {"ha": "right", "fontsize": SMALL, "color": theme.muted}
    sheet.heading(top + _NAME / 2, _named(sheet, panel))
    sheet.text(sheet.right, top + _NAME / 2, _near(panel), **right)
    top += _taller(sheet, panels)
    inset = 0.15  # so that the outer ticks are not cut
    left = sheet.left + inset
    axes = sheet.axes(left, top + _NAME, wide - 2 * inset, _PANEL - _NAME - 0.06)
    low, high = sorted(panel.value * (1 + side) for side in (-reach, reach))
    for place, grid in enumerate((panel.clean, panel.contaminated)):
        shares = _binned(grid, low, high)
        edges = [-100 * reach + 200 * reach * i / _BINS for i in range(_BINS + 1)]
        heights = [share / (max(shares) or 1) for share in shares]
        how = {"alpha": 0.75, "linewidth": 0} if place == 0 else {"linewidth": 1.1}
        axes.stairs(heights, edges, fill=place == 0, color=theme.colour(place), **how)
    axes.axvline(0, color=theme.ink, linewidth=0.9)
    axes.set_xlim(-100 * reach, 100 * reach)
    axes.set_ylim(0, 1.08)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    ticks = [-100 * reach, -50 * reach, 0.0, 50 * reach, 100 * reach]
    axes.set_xticks(
        ticks, [f"{tick:+.2g} %" if tick else "0" for tick in ticks] if panel is panels[-1] else []
    )
    axes.tick_params(labelsize=SMALL, length=2)
    if panel is panels[-1]:
        axes.set_xlabel("off the figure", fontsize=SMALL, labelpad=2)


def _binned(grid: Grid, low: float, high: float) -> list[float]:
    """Counts in _BINS bins of the window, a wide bin's spread over those that it covers."""
    shares = [0.0] * _BINS
    step = (high - low) / _BINS
    for begin, count in grid.counts:
        if begin + grid.width <= low or begin >= high:
            continue
        first, last = (begin - low) / step, (begin + grid.width - low) / step
        for place in range(max(int(first), 0), min(int(last) + 1, _BINS)):
            covered = min(last, place + 1) - max(first, place)
            shares[place] += count * max(covered, 0) / (last - first)
    return shares

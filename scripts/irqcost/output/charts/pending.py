# SPDX-License-Identifier: GPL-2.0-only
"""How long does an interrupt wait that was raised while it was masked? A panel for each part (to
the handler, to the instruction after the return): its percentiles, a line for each way of
masking."""

from collections.abc import Callable
from functools import partial
from typing import Any

from matplotlib.ticker import LogLocator, NullFormatter

from irqcost.base.errors import NoChart
from irqcost.model.contention import PENDING, PERCENTILES, DeferredInterrupts
from irqcost.model.result import Entry
from irqcost.output import finding
from irqcost.output.charts import Inputs
from irqcost.output.charts.parts.chosen import Chosen, chosen, label
from irqcost.output.charts.output_files import Theme
from irqcost.output.charts.parts.sheet import SMALL, Key, Sheet, Words, cut, numbered
from irqcost.output.charts.parts.style import amount

_PARTS = {
    "handler": "until the handler runs",
    "return": "until the code that unmasked goes on",
}
_HALVES = {
    "handler": "Half of the deferred interrupts reach their handler",
    "return": "Half of the times, the code that unmasked goes on",
}
# Where the percentiles are on an axis of percent.
_SHARES = {name: float(name.removeprefix("p")) for name in PERCENTILES if name.startswith("p")}
_SHARES |= {"min": 0.0, "max": 100.0}

_TALL, _HEADING, _AXIS = 2.6, 0.25, 0.42  # inches
_TICKS = 0.4
_MOST = 6  # lines

_Lines = dict[str, dict[str, Entry]]


def figure(inputs: Inputs, theme: Theme) -> Any:
    """The picture, of the first lines. Raises NoChart where no result has a figure of deferred
    interrupts."""
    which, every = _found(inputs)
    left_out = f" {_MOST} of {len(every)} lines are shown." if len(every) > _MOST else ""
    return _page(which, every, (0, min(_MOST, len(every))), (1, 1), left_out, theme)


def pages(inputs: Inputs, theme: Theme) -> list[Callable[[], Any]]:
    """All lines. Raises NoChart as figure() does."""
    which, every = _found(inputs)
    parts = cut(len(every), lambda first, end: end - first <= _MOST)
    return [
        partial(_page, which, every, part, (place + 1, len(parts)), "", theme)
        for place, part in enumerate(parts)
    ]


def _found(inputs: Inputs) -> tuple[Chosen, _Lines]:
    which = chosen(inputs.series, inputs.unit)
    every = _lines(which)
    if not every:
        raise NoChart("no chart: none of these results has a figure of deferred interrupts")
    return which, every


def _page(
    which: Chosen,
    every: _Lines,
    span: tuple[int, int],
    number: tuple[int, int],
    left_out: str,
    theme: Theme,
) -> Any:
    """Some of the lines."""
    lines = dict(list(every.items())[slice(*span)])
    parts = [part for part in _PARTS if any(part in entries for entries in lines.values())]
    entries = [entry for line in every.values() for entry in line.values()]
    cycles = all(entry.core_cycles is not None for entry in entries)
    unit = "core cycles" if cycles else "instructions" if which.exact else "TSC ticks"
    source = which.source
    if any(_doubtful(entry) for entry in entries):
        source += " Dashed: unreliable."
    words = Words(
        which.titled(_title(every, parts[0], unit, cycles)),
        f"Per cent of deferred interrupts that waited at most so many {unit}, from before the "
        "unmasking; dots: least, p1, p10, p25, p50, p75, p90, p99, greatest",
        source + left_out,
        [Key(name, theme.colour(place)) for place, name in enumerate(lines)],
    )
    words = numbered(words, *number, f"Lines {span[0] + 1} to {span[1]} of {len(every)}.")
    return _draw(Sheet(theme, words), lines, parts, unit, cycles)


def _lines(which: Chosen) -> _Lines:
    found: _Lines = {}
    for name, one in zip(which.names, which.series):
        for entry in one.result.figures.values():
            if entry.mode == PENDING and entry.variant in _PARTS:
                words = label(entry.probe) + (f", {name}" if len(which.series) > 1 else "")
                found.setdefault(words, {})[entry.variant] = entry
    return found


def _doubtful(entry: Entry) -> bool:
    return entry.unreliable or not entry.clean


def _waited(entry: Entry, name: str, cycles: bool) -> float:
    """A percentile: they are in ticks, and the entry's own figure says what a tick is."""
    assert isinstance(entry.contention, DeferredInterrupts)
    factor = (entry.core_cycles or 0) / entry.ticks if cycles and entry.ticks else 1.0
    return entry.contention.ticks[name] * factor


def _title(lines: _Lines, part: str, unit: str, cycles: bool) -> str:
    """Half of the interrupts, by the way of masking."""
    found = [
        (_waited(line[part], "p50", cycles), name)
        for name, line in lines.items()
        if part in line and not _doubtful(line[part])
    ]
    if not found:
        return "Unreliable: no latency of a deferred interrupt can be trusted"
    (low, first), (high, last) = min(found), max(found)
    text = f"{_HALVES[part]} within {amount(low)} {unit}"
    if len(found) == 1:
        return f"{text} ({first})"
    return f"{text} after “{first}” and {amount(high)} after “{last}”"


def _draw(sheet: Sheet, lines: _Lines, parts: list[str], unit: str, cycles: bool) -> Any:
    across = 1 if sheet.narrow else len(parts)
    tall = _HEADING + _TALL + _AXIS
    figure = sheet.open(len(parts) // across * tall)
    wide = (sheet.right - sheet.left) / across - _TICKS - 0.1
    ends = [
        _waited(entry, name, cycles)
        for line in lines.values()
        for entry in line.values()
        for name in PERCENTILES
    ]
    positive = [end for end in ends if end > 0] or [1.0]
    for place, part in enumerate(parts):
        left = sheet.left + _TICKS + place % across * (wide + _TICKS + 0.1)
        top = place // across * tall
        sheet.text(left, top + 0.1, finding.capital(_PARTS[part]), weight="bold")
        axes = sheet.axes(left, top + _HEADING, wide, _TALL)
        for index, line in enumerate(lines.values()):
            if part in line:
                _line(axes, line[part], cycles, sheet.theme.colour(index))
        _frame(axes, min(positive), max(positive), unit)
    return figure


def _frame(axes: Any, low: float, high: float, unit: str) -> None:
    # The tail is far from the rest, and worth seeing.
    axes.set_xscale("log")
    axes.set_xlim(low / 1.15, high * 1.15)
    axes.set_ylim(-3, 103)
    subs = (1, 2, 5) if high / low < 100 else (1,)
    axes.xaxis.set_major_locator(LogLocator(subs=subs))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(f"{unit}, logarithmic scale", fontsize=SMALL, labelpad=2)
    axes.tick_params(labelsize=SMALL, length=2)
    axes.grid(which="both", axis="x", linewidth=0.4)
    axes.grid(axis="y", linewidth=0.6)


def _line(axes: Any, entry: Entry, cycles: bool, colour: str) -> None:
    waited = {name: _waited(entry, name, cycles) for name in PERCENTILES}
    names = [name for name in PERCENTILES if waited[name] > 0]
    values, shares = [waited[name] for name in names], [_SHARES[name] for name in names]
    style = "--" if _doubtful(entry) else "-"
    axes.plot(values, shares, style, color=colour, linewidth=1.2, marker="o", markersize=3)

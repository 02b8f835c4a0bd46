# SPDX-License-Identifier: GPL-2.0-only
"""What does a lock cost as CPUs are added, and is it fair? A column of panels for each length of
the section: above the cost of an operation, below how evenly CPUs come to it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from matplotlib.ticker import MaxNLocator

from irqcost.base.errors import NoChart
from irqcost.model.contention import CONTENTION, LockContention
from irqcost.model.result import Entry
from irqcost.output import finding
from irqcost.output.charts import Inputs
from irqcost.output.charts.parts.chosen import Chosen, chosen, label
from irqcost.output.charts.output_files import Theme
from irqcost.output.charts.parts.sheet import SMALL, Key, Sheet, Words, cut, numbered
from irqcost.output.charts.parts.style import amount

_COST, _FAIR = 2.3, 0.85  # inches of height
_HEADING, _BETWEEN, _AXIS = 0.25, 0.3, 0.42
_TICKS, _NAMES = 0.55, 2.3  # beside the panels
_MOST = 6  # lines

_Points = list[tuple[Entry, LockContention]]


@dataclass(frozen=True)
class _Line:
    name: str
    points: _Points
    colour: str

    def at(self, section: int) -> _Points:
        points = [(entry, one) for entry, one in self.points if one.section == section]
        return sorted(points, key=lambda point: len(point[1].cpus))


def figure(inputs: Inputs, theme: Theme) -> Any:
    """The picture, of the first lines. Raises NoChart where no result has a figure of
    contention."""
    which, every = _found(inputs, theme)
    left_out = f"{_MOST} of {len(every)} lines are shown." if len(every) > _MOST else ""
    return _page(which, every, (0, min(_MOST, len(every))), (1, 1), left_out, theme)


def pages(inputs: Inputs, theme: Theme) -> list[Callable[[], Any]]:
    """All lines. Raises NoChart as figure() does."""
    which, every = _found(inputs, theme)
    parts = cut(len(every), lambda first, end: end - first <= _MOST)
    return [
        partial(_page, which, every, part, (place + 1, len(parts)), "", theme)
        for place, part in enumerate(parts)
    ]


def _found(inputs: Inputs, theme: Theme) -> tuple[Chosen, list[_Line]]:
    which = chosen(inputs.series, inputs.unit)
    every = _lines(which, theme)
    if not every:
        raise NoChart("no chart: none of these results has a figure of contention")
    return which, every


def _page(
    which: Chosen,
    every: Sequence[_Line],
    part: tuple[int, int],
    number: tuple[int, int],
    left_out: str,
    theme: Theme,
) -> Any:
    """Some of the lines."""
    lines = every[slice(*part)]
    sections = _sections(lines)
    cycles = all(entry.core_cycles is not None for line in every for entry, _ in line.points)
    unit = "core cycles" if cycles else "instructions" if which.exact else "TSC ticks"
    hollow = Key("unreliable, or a CPU did not run", theme.muted, hollow=True)
    keys = [hollow] if any(_doubtful(*point) for line in lines for point in line.points) else []
    if Sheet(theme, Words("", "", "")).narrow:
        keys = [*(Key(line.name, line.colour) for line in lines), *keys]
    words = Words(
        which.titled(_title(every, _sections(every), unit, cycles)),
        f"Above: {unit} per operation of all CPUs, the section included. Below: operations of the "
        "CPU with the fewest by those of the CPU with the most; 1 is fair",
        f"{which.source} {left_out}".rstrip(),
        keys,
    )
    words = numbered(words, *number, f"Lines {part[0] + 1} to {part[1]} of {len(every)}.")
    return _draw(Sheet(theme, words), lines, sections, cycles)


def _sections(lines: Sequence[_Line]) -> list[int]:
    return sorted({one.section for line in lines for _, one in line.points})


def _lines(which: Chosen, theme: Theme) -> list[_Line]:
    found: dict[str, _Points] = {}
    for name, one in zip(which.names, which.series):
        for entry in one.result.figures.values():
            if entry.mode == CONTENTION and isinstance(entry.contention, LockContention):
                words = label(entry.probe) + (" (sleeps)" if entry.contention.sleeps else "")
                words += f", {name}" if len(which.series) > 1 else ""
                found.setdefault(words, []).append((entry, entry.contention))
    return [
        _Line(words, points, theme.colour(place % _MOST))
        for place, (words, points) in enumerate(found.items())
    ]


def _cost(entry: Entry, cycles: bool) -> float:
    return (entry.core_cycles if cycles else entry.ticks) or 0.0


def _doubtful(entry: Entry, one: LockContention) -> bool:
    return entry.unreliable or not entry.clean or bool(one.not_run)


# The ratio, the lock, both costs, and how many CPUs there were.
_Growth = tuple[float, str, float, float, tuple[int, int]]


def _growth(line: _Line, section: int, cycles: bool) -> Iterator[_Growth]:
    """By how much a lock suffers from the fewest to the most CPUs, where both can be trusted."""
    sound = [point for point in line.at(section) if not _doubtful(*point)]
    if len(sound) > 1:
        (first, alone), (last, all_) = sound[0], sound[-1]
        low, high = _cost(first, cycles), _cost(last, cycles)
        if low > 0:
            yield high / low, line.name, low, high, (len(alone.cpus), len(all_.cpus))


def _title(lines: Sequence[_Line], sections: Sequence[int], unit: str, cycles: bool) -> str:
    """The lock that suffers most, around the longest section that says."""
    by_section = (
        [found for line in lines for found in _growth(line, one, cycles)]
        for one in reversed(sections)
    )
    growth: list[_Growth] = next(filter(None, by_section), [])
    if not growth and all(_doubtful(*point) for line in lines for point in line.points):
        return "Unreliable: no cost of a contended lock can be trusted"
    if not growth:
        return "What an operation on a contended lock costs"
    times, name, low, high, (few, many) = max(growth)
    return (
        f"{finding.capital(name)}: an operation takes {amount(high)} {unit} with {many} CPUs, "
        f"{amount(low)} with {few} ({amount(times)} times)"
    )


def _draw(sheet: Sheet, lines: Sequence[_Line], sections: Sequence[int], cycles: bool) -> Any:
    """Panels side by side, on a phone below each other; the names of lines to their right, on a
    phone below all."""
    across = 1 if sheet.narrow else len(sections)
    rows = len(sections) // across
    tall = _HEADING + _COST + _BETWEEN + _FAIR + _AXIS
    figure = sheet.open(rows * tall)
    room = sheet.right - sheet.left - (0 if sheet.narrow else _NAMES)
    wide = room / across - _TICKS
    top_of = max(_cost(entry, cycles) for line in lines for entry, _ in line.points) * 1.08 or 1
    for place, section in enumerate(sections):
        left = sheet.left + _TICKS + (place % across) * (wide + _TICKS)
        top = place // across * tall
        sheet.text(left, top + 0.1, f"section of {section} cycles", weight="bold")
        cost = sheet.axes(left, top + _HEADING, wide, _COST)
        fair = sheet.axes(left, top + _HEADING + _COST + _BETWEEN, wide, _FAIR)
        _panel(sheet.theme, cost, fair, [(line, line.at(section)) for line in lines], cycles)
        cost.set_ylim(0, top_of)
    if not sheet.narrow:
        ends = [
            (_HEADING + _COST * (1 - _cost(points[-1][0], cycles) / top_of), line.name, line.colour)
            for line in lines
            if (points := line.at(sections[-1]))
        ]
        sheet.names(sheet.right - _NAMES + 0.05, ends, _HEADING, _HEADING + _COST)
    return figure


def _panel(
    theme: Theme, cost: Any, fair: Any, lines: Sequence[tuple[_Line, _Points]], cycles: bool
) -> None:
    numbers: set[int] = set()
    for line, points in lines:
        counts = [len(one.cpus) for _, one in points]
        numbers |= set(counts)
        values = [_cost(entry, cycles) for entry, _ in points]
        shares = [one.min_over_max for _, one in points]
        for axes, heights in ((cost, values), (fair, shares)):
            axes.plot(counts, heights, color=line.colour, linewidth=1.2)
            for count, height, point in zip(counts, heights, points):
                face = theme.paper if _doubtful(*point) else line.colour
                axes.plot(count, height, "o", color=line.colour, markerfacecolor=face, markersize=5)
    shown = sorted(numbers)
    shown = shown[:: -(-len(shown) // 8)] if shown else shown
    for axes in (cost, fair):
        axes.grid(axis="y", linewidth=0.6)
        axes.margins(x=0.12)
        axes.tick_params(labelsize=SMALL, length=2)
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    cost.set_xticks([])
    fair.set_xticks(shown)
    fair.set_yticks((0, 0.5, 1))
    fair.set_xlabel("CPUs", fontsize=SMALL, labelpad=2)
    fair.set_ylim(0, 1.12)

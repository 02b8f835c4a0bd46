# SPDX-License-Identifier: GPL-2.0-only
"""Did a cost change from run to run, and with what? A panel a figure, its runs as dots,
its levels as lines, and where kernel or microcode changed."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from irqcost.base.errors import NoChart
from irqcost.base.table import number
from irqcost.compare.trend import Change, History, Line
from irqcost.output import finding
from irqcost.output.charts.parts.chosen import title
from irqcost.output.charts.output_files import Theme
from irqcost.output.charts.parts.sheet import (
    LINE,
    LONGEST,
    SMALL,
    STEP,
    Sheet,
    Words,
    cut,
    folded,
    numbered,
    short,
    width,
)
from irqcost.output.charts.parts.style import tooltip

_PANEL, _NAME, _GAP = 0.95, 0.24, 0.12  # inches: axes, the name above, the room below
_TICKS, _AXIS = 0.5, 0.42
_EVENT = 6.5  # points
# Panels of figures without a change, where none has one.
_UNCHANGED = 3
# More dots than this are a picture within the picture: an SVG of each would be megabytes.
_MOST_DOTS = 1000
# Releases are written above their line where there are not more of them; all are lines.
_MOST_NAMES = 12


def pages(history: History, theme: Theme) -> list[Callable[[], Any]]:
    """Pictures of what commands/history.py has chosen. Raises NoChart where no figure has
    values."""
    lines = _shown(history)
    if not lines:
        raise NoChart("no chart: these results have no core cycles and no exact counts")
    unit = "instructions" if history.exact else "core cycles"
    words = Words(
        _headline(history),
        f"{finding.capital(unit)} per operation; a dot is a run, lines are levels: medians between "
        "changes that noise does not explain",
        _source(history, len(lines)),
    )
    sheet = Sheet(theme, numbered(words, LONGEST, LONGEST, _LONGEST_SPAN))
    room = sheet.room - _head(_names(sheet, history)) - _AXIS
    parts = cut(len(lines), lambda first, end: (end - first) * _pitch(sheet, lines) <= room)
    return [
        partial(
            _page,
            numbered(words, place + 1, len(parts), _span(*part, len(lines))),
            theme,
            history,
            lines[slice(*part)],
        )
        for place, part in enumerate(parts)
    ]


def _span(first: int, end: int, count: int) -> str:
    return f"Here {first + 1} to {end} of {count}."


_LONGEST_SPAN = _span(998, 999, 999)


def _page(words: Words, theme: Theme, history: History, lines: Sequence[Line]) -> Any:
    sheet = Sheet(theme, words)
    left, wide = _across(sheet)
    names = _names(sheet, history)
    head = _head(names)
    pitch = _pitch(sheet, lines)
    made = sheet.open(head + pitch * len(lines) + _AXIS)
    for x, row, name in names:
        sheet.text(x, row * _EVENT * LINE / 72 + 0.06, name, fontsize=_EVENT, color=theme.muted)
    for place, line in enumerate(lines):
        top = head + place * pitch
        sheet.heading(top + _NAME / 2, _heading(sheet, line), weight="bold")
        axes = sheet.axes(left, top + pitch - _GAP - _PANEL, wide, _PANEL)
        _panel(made, axes, history, line, theme)
        edges = [run - 0.5 for run, _ in _events(history)]
        where = axes.get_xaxis_transform()
        axes.vlines(edges, 0, 1, transform=where, color=theme.muted, linewidth=0.8, linestyle=":")
        _name_runs(axes, history, wide, place == len(lines) - 1)
    return made


def _shown(history: History) -> list[Line]:
    """Those that changed, the most changed first; where none did, the first of the others."""
    lines = sorted(
        (line for line in history.lines if line.values), key=lambda line: line.size, reverse=True
    )
    changed = [line for line in lines if line.changes]
    return changed or lines[:_UNCHANGED]


def _label(line: Line) -> str:
    """In plain words, with the mode and what masks where they tell apart."""
    backend, probe, mode, *variant = line.name.split("/")
    how = {"throughput": "", "isolated": " once", "in_situ": f" around {''.join(variant)} cycles"}
    words = f"{title(probe)}{how.get(mode, f' {mode}')} ({backend})"
    return ", ".join(filter(None, (words, line.kernel)))


def _heading(sheet: Sheet, line: Line) -> list[str]:
    return folded(_label(line), sheet.right - sheet.left, weight="bold")


def _pitch(sheet: Sheet, lines: Sequence[Line]) -> float:
    """From one panel to the next."""
    more = max(len(_heading(sheet, line)) for line in lines) - 1
    return _NAME + more * STEP + _PANEL + _GAP


def _panel(figure: Any, axes: Any, history: History, line: Line, theme: Theme) -> None:
    many = len(line.values) > _MOST_DOTS
    marks = axes.scatter(
        np.array(line.runs),  # Of lists it looks at each value, whether it is masked.
        np.array(line.values),
        s=9,
        color=theme.colour(0),
        linewidths=0,
        zorder=2,
        rasterized=many,
    )
    tooltip(figure, marks, f"{line.label}: {len(line.values)} runs")
    for first, end, level in line.levels:
        ends = (line.runs[first] - 0.4, line.runs[end - 1] + 0.4)
        axes.plot(ends, (level, level), color=theme.colour(5), linewidth=1.4, zorder=3)
    # One wild run must not press all others into a line.
    levels = [level for _, _, level in line.levels]
    middle = sorted(line.values)[len(line.values) // 20 : len(line.values) - len(line.values) // 20]
    low, high = min(*levels, *middle), max(*levels, *middle)
    # Nor may what is hardly noise look like much.
    room = max(0.25 * (high - low), 0.02 * abs(high), 0.05)
    axes.set_ylim(low - room, high + 1.6 * room)
    _name_changes(axes, line.changes, len(history.contexts))
    outside = [(r, v) for r, v in zip(line.runs, line.values) if not low - room <= v <= high + room]
    for up, marker in enumerate("v^"):
        runs = [run for run, value in outside if (value > high) == up]
        edge = [axes.get_ylim()[up]] * len(runs)
        axes.plot(
            runs, edge, marker, markersize=4, color=theme.colour(0), clip_on=False, rasterized=many
        )
    axes.grid(axis="y", linewidth=0.6)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.tick_params(labelsize=SMALL, length=2)
    axes.set_xlim(-0.6, len(history.contexts) - 0.4)


def _name_changes(axes: Any, changes: Sequence[Change], count: int) -> None:
    """From what to what, above the new level; of many the greatest, so that each has room."""
    inches = axes.get_position().width * axes.figure.get_figwidth()
    taken: list[tuple[float, float]] = []
    for one in sorted(changes, key=lambda c: -abs(c.after - c.before)):
        words = f"{one.before:.2f} → {one.after:.2f}"
        wide = width(words, SMALL, "bold")
        left = (one.run + 0.1) / count * inches
        left = min(left + 0.05, inches - wide)
        if any(left < end and begin < left + wide for begin, end in taken):
            continue
        taken.append((left - 0.05, left + wide + 0.05))
        at = axes.get_ylim()[1]
        how = {"fontsize": SMALL, "weight": "bold", "va": "top"}
        axes.text(left / inches * count - 0.6, at, words, **how)


def _events(history: History) -> list[tuple[int, str]]:
    """Runs before which kernel or microcode changed, and what they are from then on."""
    found = []
    for run in range(1, len(history.contexts)):
        before, after = history.contexts[run - 1], history.contexts[run]
        if before is after:
            continue
        names = []
        if before.kernel.release != after.kernel.release:
            names.append(f"kernel {after.kernel.release}")
        if before.cpu.microcode != after.cpu.microcode:
            names.append(f"microcode {after.cpu.microcode or 'unknown'}")
        if names:
            found.append((run, ", ".join(names)))
    return found


def _across(sheet: Sheet) -> tuple[float, float]:
    """From where axes go, and how far."""
    return sheet.left + _TICKS, sheet.right - sheet.left - _TICKS - 0.1


def _head(names: Sequence[tuple[float, int, str]]) -> float:
    """How tall the names of events are."""
    if not names:
        return 0.0
    return max(row for _, row, _ in names) * _EVENT * LINE / 72 + 0.2


def _names(sheet: Sheet, history: History) -> list[tuple[float, int, str]]:
    """Where the names of events stand: each at its line, in the first row that is free there."""
    events = _events(history)
    left, wide = _across(sheet)
    if len(events) > _MOST_NAMES:
        return []
    ends: list[float] = []
    found = []
    for run, name in events:
        words = short(name, wide, _EVENT)
        x = left + (run + 0.1) / len(history.contexts) * wide
        x = min(x, sheet.right - width(words, _EVENT))
        row = next((place for place, end in enumerate(ends) if end < x), len(ends))
        ends[row : row + 1] = [x + width(words, _EVENT) + 0.1]
        found.append((x, row, words))
    return found


def _name_runs(axes: Any, history: History, wide: float, last: bool) -> None:
    """Dates under some of the runs, evenly."""
    count = len(history.dates)
    most = max(2, int(wide / 0.85))
    step = max(1, -(-(count - 1) // (most - 1)))
    runs = range(0, count, step)
    dates = [history.dates[run].date().isoformat() for run in runs] if last else []
    axes.set_xticks(list(runs), dates if last else [""] * len(runs))
    if last:
        axes.set_xlabel("runs, oldest first", fontsize=SMALL, labelpad=2)


def _headline(history: History) -> str:
    changed = [line for line in history.lines if line.changes]
    if not changed and not any(map(history.enough, history.lines)):
        return f"{len(history.contexts)} runs are too few to find changes"
    if not changed:
        return f"No cost changed its level in {len(history.contexts)} runs"
    name, one = max(
        ((finding.capital(_label(line)), change) for line in changed for change in line.changes),
        key=lambda pair: pair[1].size,
    )
    way = "rose" if one.after > one.before else "fell"
    on = f", with {one.fell_on.split('; ')[0]}" if one.fell_on else ""
    rest = f"; {len(changed)} of {len(history.lines)} costs changed" if len(changed) > 1 else ""
    digits = 0 if history.exact else 2
    values = (number(value, digits) for value in (one.before, one.after))
    return f"{name} {way} from {' to '.join(values)}{on}{rest}"


def _source(history: History, shown: int) -> str:
    parts = [f"{history.title}.", "Dotted: kernel or microcode changed."]
    if shown < len(history.lines):
        kind = (
            "the most changed first" if any(line.changes for line in history.lines) else "unchanged"
        )
        parts.append(f"{shown} of {len(history.lines)} costs, {kind}.")
    parts.append("Axes do not begin at 0; a triangle at the edge is a run beyond it.")
    return " ".join(parts)

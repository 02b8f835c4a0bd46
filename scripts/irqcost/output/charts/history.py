# SPDX-License-Identifier: GPL-2.0-only
"""The chart of a history: a panel a figure, its runs as dots, its levels as lines, and where
kernel or microcode changed."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from irqcost.base.table import number
from irqcost.compare.trend import History, Line
from irqcost.output.charts.places import Place, Theme
from irqcost.output.charts.style import WIDTH, footing, heading, pyplot, save, tooltip, write

_PANEL = 1.15  # inches of height
# More dots than this are a picture within the picture: an SVG of each would be megabytes.
_MOST_DOTS = 1000
# Releases are written above their line where there are not more of them; all are lines.
_MOST_NAMES = 12


def draw(history: History, places: Sequence[Place]) -> None:
    """Draws what commands/history.py has chosen into the files of places.made()."""
    save(lambda theme: _figure(history, theme), places)


def _figure(history: History, theme: Theme) -> Any:
    lines = [line for line in history.lines if line.values]
    title = heading(_headline(history))
    caption = footing(_caption(history, len(lines)))
    head, foot, between = 0.78 + 0.22 * len(title), 0.42 + 0.15 * len(caption), 0.34
    height = head + foot + _PANEL * len(lines) + between * (len(lines) - 1)
    figure, grid = pyplot.subplots(
        len(lines), 1, figsize=(WIDTH, height), squeeze=False, sharex=True
    )
    figure.subplots_adjust(
        left=0.085,
        right=0.975,
        top=1 - head / height,
        bottom=foot / height,
        hspace=between / _PANEL,
    )
    events = _events(history)
    for axes, line in zip(grid[:, 0], lines):
        _panel(figure, axes, history, line, theme)
        edges = [run - 0.5 for run, _ in events]
        where = axes.get_xaxis_transform()
        axes.vlines(edges, 0, 1, transform=where, color=theme.muted, linewidth=0.8, linestyle=":")
    _name_events(grid[0][0], events, theme)
    _name_runs(grid[-1][0], history)
    unit = "instructions" if history.exact else "core cycles"
    subtitle = f"{history.title}; {unit} per operation"
    figure.text(0.12 / WIDTH, 1 - (0.12 + 0.22 * len(title)) / height, subtitle, va="top", size=8.5)
    write(figure, theme, title, caption)
    return figure


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
    for one in line.changes:
        axes.annotate(
            f"{one.before:.2f} → {one.after:.2f}",
            (one.run - 0.5, one.after),
            xytext=(4, 4 if one.after > one.before else -10),
            textcoords="offset points",
            fontsize=7.5,
            weight="bold",
        )
    # One wild run must not press all others into a line.
    levels = [level for _, _, level in line.levels]
    middle = sorted(line.values)[len(line.values) // 20 : len(line.values) - len(line.values) // 20]
    low, high = min(*levels, *middle), max(*levels, *middle)
    # Nor may what is hardly noise look like much.
    room = max(0.25 * (high - low), 0.02 * abs(high), 0.05)
    axes.set_ylim(low - room, high + 1.6 * room)
    outside = [(r, v) for r, v in zip(line.runs, line.values) if not low - room <= v <= high + room]
    for up, marker in enumerate("v^"):
        runs = [run for run, value in outside if (value > high) == up]
        edge = [axes.get_ylim()[up]] * len(runs)
        axes.plot(
            runs, edge, marker, markersize=4, color=theme.colour(0), clip_on=False, rasterized=many
        )
    axes.set_title(line.label, loc="left", fontsize=8, pad=3)
    axes.grid(axis="y", linewidth=0.6)
    axes.set_xlim(-0.6, len(history.contexts) - 0.4)


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
            found.append((run, "\n".join(names)))
    return found


def _name_events(axes: Any, events: Sequence[tuple[int, str]], theme: Theme) -> None:
    if len(events) > _MOST_NAMES:
        return
    for run, name in events:
        axes.annotate(
            name,
            (run - 0.5, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-2, 16),
            textcoords="offset points",
            fontsize=6.5,
            color=theme.muted,
            rotation=0,
            va="bottom",
        )


def _name_runs(axes: Any, history: History) -> None:
    """Dates under some of the runs, evenly, the first and the last among them."""
    count = len(history.dates)
    shown = min(count, 7)
    runs = sorted({round(i * (count - 1) / max(shown - 1, 1)) for i in range(shown)})
    axes.set_xticks(runs, [history.dates[run].date().isoformat() for run in runs], fontsize=8)
    axes.set_xlabel("runs, oldest first")


def _headline(history: History) -> str:
    changed = [line for line in history.lines if line.changes]
    if not changed:
        return f"No figure changed its level in {len(history.contexts)} runs"
    name, one = max(
        ((line.label, change) for line in changed for change in line.changes),
        key=lambda pair: abs(pair[1].after - pair[1].before) / max(abs(pair[1].before), 1.0),
    )
    way = "rose" if one.after > one.before else "fell"
    on = f", with {one.fell_on.split('; ')[0]}" if one.fell_on else ""
    rest = f"; {len(changed)} of {len(history.lines)} figures changed" if len(changed) > 1 else ""
    digits = 0 if history.exact else 2
    values = (number(value, digits) for value in (one.before, one.after))
    return f"{name} {way} from {' to '.join(values)}{on}{rest}"


def _caption(history: History, shown: int) -> str:
    parts = ["A dot a run; lines: levels, the medians between changes that noise does not explain."]
    parts.append("Dotted: kernel or microcode changed.")
    if shown < len(history.lines):
        parts.append(f"{shown} of {len(history.lines)} figures, those that changed most.")
    parts.append("Axes do not begin at 0; a triangle at the edge is a run beyond it.")
    return " ".join(parts)

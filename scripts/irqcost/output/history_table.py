# SPDX-License-Identifier: GPL-2.0-only
"""A history, as a table of its changes."""

from irqcost.base import layout, screen
from irqcost.base.table import Table
from irqcost.compare.trend import History
from irqcost.stats import changepoints, intervals


def text(history: History, everything: bool) -> str:
    """A table of the changes (or of every result), as wide as the terminal, and how many there
    are."""
    count = len(history.contexts)
    first, last = (history.dates[place].date().isoformat() for place in (0, -1))
    parts = [history.title, f"{count} runs from {first} to {last}"]
    unit = "instructions" if history.exact else "core cycles"
    table = Table(
        (f"result ({unit})", "since", "before", "after", "%", "what else changed"), "<<>>><"
    )
    changed = 0
    for line in history.lines:
        changed += bool(line.changes)
        for one in line.changes:
            table.row(
                line.label,
                history.dates[one.run].date().isoformat(),
                f"{one.before:.2f}",
                f"{one.after:.2f}",
                f"{100 * (one.after / one.before - 1):+.1f}" if one.before else "-",
                one.fell_on or "nothing recorded",
            )
        if everything and not line.changes and line.values:
            level = intervals.median(line.values)
            table.row(line.label, "always", f"{level:.2f}", f"{level:.2f}", "", "")
    if changed or everything:
        parts += ["", table.fitted(screen.width())]
    unreliable = sum(line.unreliable for line in history.lines)
    parts += ["", *_outcome(history, changed)]
    if unreliable:
        parts.append(f"{unreliable} unreliable values ignored.")
    return screen.wrapped("\n".join(parts))


def _outcome(history: History, changed: int) -> list[str]:
    """How many results changed, of those that have enough runs for a change to be found."""
    each = changepoints.fewest()
    most = max((len(line.values) for line in history.lines), default=0)
    needed = f"a change needs {each} runs before and {each} after it"
    enough = [line for line in history.lines if history.enough(line)]
    if not history.exact and not enough:
        return [
            f"Too few runs to find changes: {needed}, and there are {most} at most.",
            f"To compare the newest with the others: {layout.command()} check NEWEST "
            "--baseline FOLDER",
        ]
    lines = [f"{changed} of {len(enough)} results changed their level."]
    if left := len(history.lines) - len(enough):
        lines.append(f"{left} more have too few reliable values: {needed}.")
    return lines

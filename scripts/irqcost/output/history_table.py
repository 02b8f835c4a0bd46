# SPDX-License-Identifier: GPL-2.0-only
"""A history, as a table of its changes."""


from irqcost.base import screen
from irqcost.base.table import Table
from irqcost.compare.trend import History
from irqcost.stats import intervals


def text(history: History, everything: bool) -> str:
    """A table of the changes (or of every result), as wide as the terminal, and a summary."""
    count = len(history.contexts)
    first, last = (history.dates[place].date().isoformat() for place in (0, -1))
    parts = [history.title, f"{count} runs from {first} to {last}"]
    unit = "instructions" if history.exact else "core cycles"
    columns = (f"result ({unit})", "since", "before", "after", "%", "what else changed")
    table = Table(columns, "<<>>><")
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
    parts += ["", f"{changed} of {len(history.lines)} results changed"]
    if unreliable:
        parts.append(f"{unreliable} unreliable values ignored")
    return screen.wrapped("\n".join(parts))

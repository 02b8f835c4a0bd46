# SPDX-License-Identifier: GPL-2.0-only
"""The chart of a self-test: known slow-downs as they were seen, and how far processes agree."""

from collections.abc import Mapping, Sequence
from typing import Any

from irqcost.output.charts.places import Place, Theme
from irqcost.output.charts.style import WIDTH, footing, heading, pyplot, save, write


def draw(record: Mapping[str, Any], places: Sequence[Place]) -> None:
    """Draws a record of docs/SELFTEST.md into the files of places.made()."""
    save(lambda theme: _figure(record, theme), places)


def _figure(record: Mapping[str, Any], theme: Theme) -> Any:
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(WIDTH, 4.2))
    figure.subplots_adjust(left=0.08, right=0.975, top=0.74, bottom=0.21, wspace=0.26)
    _trials(left, record["trials"], theme)
    _processes(right, record["epochs"], theme)
    tried = record["trials"]["kinds"]
    found = ", ".join(f"{k['added']:g}: {k['found']} of {k['trials']}" for k in tried if k["added"])
    none = next(kind for kind in tried if not kind["added"])
    title = f"Slow-downs found, by core cycles added: {found}"
    where = f"{record['cpu']['brand']}, Linux {record['kernel']}, {record['execution']}"
    figure.text(0.12 / WIDTH, 0.865, where, va="top", size=8.5)
    caption = (
        f"A trial: the median over {record['trials']['processes']} fresh processes in which plain "
        f"and slowed take turns. {none['false']} of {none['trials']} trials of plain against plain "
        "saw a difference. Dashed: the least difference that counts."
    )
    write(figure, theme, heading(title), footing(caption))
    return figure


def _trials(axes: Any, tried: Mapping[str, Any], theme: Theme) -> None:
    for index, kind in enumerate(tried["kinds"]):
        seen = [value for value in kind["differences"] if value is not None]
        # Side by side in the order in which they were taken, so that all are to be seen.
        places = [index - 0.35 + 0.7 * (i + 0.5) / len(seen) for i in range(len(seen))]
        colour = theme.colour(index)
        axes.plot(places, seen, ".", markersize=2.5, color=colour)
        axes.plot((index - 0.4, index + 0.4), (kind["added"],) * 2, color=theme.ink, linewidth=0.7)
    axes.axhline(tried["threshold"], color=theme.muted, linestyle="--", linewidth=0.8)
    axes.set_xticks(range(len(tried["kinds"])), [f"{k['added']:g}" for k in tried["kinds"]])
    axes.set_xlabel("core cycles added to a primitive (line: what is true)")
    axes.set_ylabel("difference seen, core cycles")
    axes.grid(axis="y", linewidth=0.6)
    axes.set_title("Each trial", loc="left")


def _processes(axes: Any, processes: Mapping[str, Any], theme: Theme) -> None:
    figures = sorted(processes["figures"], key=lambda one: float(one["deviation"]))
    for key, label, index in (("farthest", "all", 1), ("deviation", "half", 0)):
        axes.plot(
            range(1, len(figures) + 1),
            [one[key] for one in figures],
            "o",
            markersize=3,
            color=theme.colour(index),
            label=f"{label} of the processes",
        )
    # Logarithmic but for the lowest thousandth of a cycle, since processes may agree fully.
    axes.set_yscale("symlog", linthresh=1e-3)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel("figures, by how far their processes agree")
    axes.set_ylabel("within … core cycles of the median")
    axes.grid(axis="y", linewidth=0.6)
    axes.legend(frameon=False, fontsize=8)
    axes.set_title(f"{processes['count']} fresh processes", loc="left")

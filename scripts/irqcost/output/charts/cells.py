# SPDX-License-Identifier: GPL-2.0-only
"""A table in colours: what heatmap and instructions have in common."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.colors import LinearSegmentedColormap

from irqcost.base.errors import NoChart
from irqcost.output.charts import Inputs
from irqcost.output.charts.places import Theme
from irqcost.output.charts.style import WIDTH, footing, heading, pyplot, write

_ROW = 0.22  # inches
_LEFT = 2.35
_HEAD_LINE = 0.14


@dataclass(frozen=True)
class Table:
    """Rows of cells under headings: a text, and the number that gives the colour (None: none)."""

    title: str
    headings: Sequence[str]
    rows: Sequence[tuple[str, Sequence[tuple[str, float | None]]]]
    caption: str
    scale: str  # what the colours mean, for the bar beside


def names(inputs: Inputs) -> list[str]:
    """The entries to show, in the catalogue's order: of each probe of a backend its throughput, or
    where there is none its isolated cost. Controls only where there is nothing else."""
    found: dict[tuple[str, str], str] = {}
    for one in inputs.series:
        for name, entry in one.result.figures.items():
            if entry.mode in ("throughput", "isolated") and not entry.variant:
                key = (entry.backend, entry.probe)
                if key not in found or entry.mode == "throughput":
                    found[key] = name
    places = {probe.key: place for place, probe in enumerate(inputs.probes)}
    controls = {probe.key for probe in inputs.probes if probe.group == "control"}
    backends = list(dict.fromkeys(backend for backend, _ in found))
    keys = sorted(
        (key for key in found if key[1] in places),
        key=lambda key: (backends.index(key[0]), places[key[1]]),
    )
    shown = [found[key] for key in keys if key[1] not in controls] or [found[k] for k in keys]
    if not shown:
        raise NoChart("no chart: no throughput or isolated cost of a probe of this catalogue")
    return shown


def draw(table: Table, theme: Theme) -> Any:
    """The picture: colours on a logarithmic scale from the least to the greatest number."""
    numbers = [n for _, cells in table.rows for _, n in cells if n is not None and n > 0]
    low, high = min(numbers, default=1.0), max(numbers, default=1.0)
    # One hue from near the paper to its strongest: ordered with any colour vision, and in grey.
    ends = ("#eaf1f9", "#08306b") if theme.name == "light" else ("#182430", "#8fd0ff")
    colours = LinearSegmentedColormap.from_list("cost", ends)
    title, caption = heading(table.title), footing(table.caption)
    wrap = max(8, int(88 / max(len(table.headings), 1)))
    # Lines that a heading has of its own stay.
    heads = [
        "\n".join(part for line in words.split("\n") for part in textwrap.wrap(line, wrap))
        for words in table.headings
    ]
    lines = max(words.count("\n") + 1 for words in heads)
    head = 0.35 + 0.22 * len(title) + _HEAD_LINE * lines
    foot = 0.62 + 0.15 * len(caption)
    height = head + foot + _ROW * len(table.rows)
    figure = pyplot.figure(figsize=(WIDTH, height))
    bottom, tall = foot / height, _ROW * len(table.rows) / height
    axes = figure.add_axes((_LEFT / WIDTH, bottom, 0.985 - _LEFT / WIDTH, tall))
    axes.set_xlim(0, len(table.headings))
    axes.set_ylim(len(table.rows), 0)
    for row, (_, cells) in enumerate(table.rows):
        for column, (words, number) in enumerate(cells):
            _cell(axes, (column, row), words, _shade(number, low, high), colours, theme)
    axes.set_yticks([row + 0.5 for row in range(len(table.rows))], [name for name, _ in table.rows])
    axes.set_xticks([place + 0.5 for place in range(len(heads))], heads)
    axes.tick_params(length=0, labelsize=8, top=False, labeltop=True, bottom=False)
    axes.tick_params(axis="x", labelbottom=False, labelsize=7.5)
    for spine in axes.spines.values():
        spine.set_visible(False)
    _scale(figure, (low, high), table.scale, colours, (foot - 0.3) / height, 0.1 / height)
    write(figure, theme, title, caption)
    return figure


def _shade(number: float | None, low: float, high: float) -> float | None:
    """From 0 to 1; nothing that costs is below the least."""
    if number is None:
        return None
    if number <= low or high <= low:
        return 0.0
    return math.log(number / low) / math.log(high / low)


def _cell(
    axes: Any,
    at: tuple[int, int],
    words: str,
    shade: float | None,
    colours: Any,
    theme: Theme,
) -> None:
    column, row = at
    paper, ink = theme.paper, theme.muted
    if shade is not None:
        red, green, blue, _ = paper = colours(shade)
        # The ink that stands out more from this colour, by its luminance.
        ink = "#000000" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "#ffffff"
    axes.add_patch(
        pyplot.Rectangle((column, row), 1, 1, facecolor=paper, edgecolor=theme.paper, linewidth=1)
    )
    axes.text(column + 0.5, row + 0.53, words, ha="center", va="center", fontsize=7.5, color=ink)


def _scale(
    figure: Any,
    ends: tuple[float, float],
    words: str,
    colours: Any,
    bottom: float,
    height: float,
) -> None:
    """The bar that says what the colours mean."""
    axes = figure.add_axes((_LEFT / WIDTH, bottom, 0.3, height))
    steps = 64
    for step in range(steps):
        axes.axvspan(step / steps, (step + 1) / steps, color=colours(step / (steps - 1)), lw=0)
    axes.set_xlim(0, 1)
    axes.set_yticks([])
    axes.set_xticks([0, 1], [f"{end:.3g}" if end < 100 else f"{end:.0f}" for end in ends])
    axes.tick_params(length=0, labelsize=7)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.text(1.06, 0.5, words, va="center", fontsize=7, transform=axes.transAxes)

# SPDX-License-Identifier: GPL-2.0-only
"""Charts of rows: a name, marks on one scale, and the numbers.

Where each row has one mark and the scale is linear from zero, marks are bars; else they are dots.
The scale is logarithmic where the values ask for it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from matplotlib.ticker import MaxNLocator

from irqcost.output.charts.output_files import Theme
from irqcost.output.charts.parts.sheet import (
    LINE,
    LONGEST,
    SMALL,
    STEP,
    TEXT,
    Key,
    Sheet,
    Words,
    cut,
    folded,
    numbered,
    short,
    width,
)
from irqcost.output.charts.parts.style import UNRELIABLE, tooltip

# From the least to the greatest: beyond it, bars of the small ones are invisible.
_LINEAR = 100
# The least that a logarithmic scale has, in its unit; what is below is drawn at its edge.
_LEAST = 0.01

_ROW, _HEADING, _AXIS = 0.2, 0.3, 0.42
_LABEL = 0.47  # of the width, at most
_GAP = 0.08
_SIZE = 30  # of a dot
_BEHIND = 0.1  # from the middle of a dot to its number
_COLUMN = 1.15  # at most, of a column of numbers for its heading


@dataclass(frozen=True)
class Mark:
    """A value with its interval, hollow where it is doubtful or not ours; `told` is what SVG says
    of it under the pointer."""

    value: float
    low: float
    high: float
    colour: str
    shape: str = "o"
    hollow: bool = False
    unreliable: bool = False
    told: str = ""


@dataclass(frozen=True)
class Row:
    """What has a name; `said` are its numbers, one for each column. Where there is no room for all,
    rows with the greatest `rank` are left out. `bold`: stands out."""

    label: str
    marks: Sequence[Mark]
    said: Sequence[str]
    rank: int = 0
    bold: bool = False

    @property
    def weight(self) -> str:
        return "bold" if self.bold else "normal"

    def inside(self, behind: float) -> float:
        """Inches that are needed to the right of its last mark; `behind` is where the numbers
        begin, or 0 where they have columns."""
        return behind + width(self.said[0], TEXT, self.weight) if behind and self.said else _GAP

    @property
    def cost(self) -> float:
        """What rows are sorted by."""
        return max((mark.value for mark in self.marks), default=math.inf)


@dataclass(frozen=True)
class Panel:
    """Rows under a heading, the cheapest first."""

    heading: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class Table:
    """All of them, the unit of the scale, and the heading of several columns of numbers,
    where they are of results with their colours. `linear`: whatever the values are."""

    panels: Sequence[Panel]
    unit: str
    headings: Sequence[str] = ()
    colours: Sequence[str] = ()
    linear: bool = False


def draw(words: Words, table: Table, theme: Theme) -> Any:
    """The picture; where there is no room for all rows, of those with the least `rank`."""
    words = _with_sign(words, table, theme)
    sheet = Sheet(theme, words)
    fitting = _fitting(table, sheet)
    if fitting is not table:
        more = f"{words.source} {_count(fitting)} of {_count(table)} rows fit here."
        sheet = Sheet(theme, replace(words, source=more))
        fitting = _fitting(table, sheet)
    return _Drawing(sheet, fitting).figure()


def pages(words: Words, table: Table, theme: Theme) -> list[Callable[[], Any]]:
    """Pictures of all rows, one after another; each is drawn when it is called."""
    marked = _with_sign(words, table, theme)
    if _holds(Sheet(theme, marked), table):
        return [partial(draw, words, table, theme)]
    sheet = Sheet(theme, numbered(marked, LONGEST, LONGEST, _LONGEST_SPAN))
    rows = [(panel, row) for panel in table.panels for row in panel.rows]
    parts = cut(len(rows), lambda first, end: _holds(sheet, _part(table, rows[first:end])))
    return [
        partial(_page, words, table, theme, rows, (first, end), (place + 1, len(parts)))
        for place, (first, end) in enumerate(parts)
    ]


_LONGEST_SPAN = "Rows 9999 to 9999 of 9999."


def _page(
    words: Words,
    table: Table,
    theme: Theme,
    rows: Sequence[tuple[Panel, Row]],
    span: tuple[int, int],
    number: tuple[int, int],
) -> Any:
    said = f"Rows {span[0] + 1} to {span[1]} of {len(rows)}."
    part = _part(table, rows[slice(*span)])
    colours = {mark.colour for panel in part.panels for row in panel.rows for mark in row.marks}
    words = replace(words, keys=[key for key in words.keys if key.colour in colours])
    return draw(numbered(words, *number, said), part, theme)


def _part(table: Table, rows: Sequence[tuple[Panel, Row]]) -> Table:
    """Some of the rows, below the headings of their panels."""
    panels = [
        replace(panel, rows=kept)
        for panel in table.panels
        if (kept := [row for of, row in rows if of is panel])
    ]
    return replace(table, panels=panels)


def _holds(sheet: Sheet, table: Table) -> bool:
    return _fitting(table, sheet) is table


def _count(table: Table) -> int:
    return sum(len(panel.rows) for panel in table.panels)


def _with_sign(words: Words, table: Table, theme: Theme) -> Words:
    """With what a “?” means, where there is one."""
    marks = [mark for panel in table.panels for row in panel.rows for mark in row.marks]
    if not any(mark.unreliable for mark in marks):
        return words
    sign = Key("unreliable, marked “?”", theme.muted, hollow=True)
    return replace(words, keys=[*words.keys, sign])


def _pitch(sheet: Sheet) -> float:
    return 1.8 * _ROW if sheet.narrow else _ROW


def _heading(panel: Panel, sheet: Sheet) -> list[str]:
    return folded(panel.heading, sheet.right - sheet.left, weight="bold")


def _head(panel: Panel, sheet: Sheet) -> float:
    """How tall the heading of a panel is."""
    return _HEADING + (len(_heading(panel, sheet)) - 1) * STEP if panel.heading else 0.0


def _fitting(table: Table, sheet: Sheet) -> Table:
    """As much of the table as there is room for: itself where that is all."""
    headings = sum(_head(panel, sheet) for panel in table.panels)
    headings += _HEADING if table.headings else 0
    most = int((sheet.room - headings - _AXIS) / _pitch(sheet))
    ranks = sorted(row.rank for panel in table.panels for row in panel.rows)
    if len(ranks) <= most:
        return table
    last = ranks[most - 1]
    over = sum(rank <= last for rank in ranks) - most
    panels = []
    for panel in table.panels:
        kept = []
        for row in panel.rows:
            if row.rank == last and over > 0:
                over -= 1
            elif row.rank <= last:
                kept.append(row)
        if kept:
            panels.append(replace(panel, rows=kept))
    return replace(table, panels=panels)


class _Scale:
    """From values to inches."""

    def __init__(self, rows: Sequence[Row], inches: float, behind: float, linear: bool) -> None:
        """`behind` as of Row.inside()."""
        self.inches = inches
        marks = [mark for row in rows for mark in row.marks]
        positive = [mark.value for mark in marks if mark.value > 0]
        wide = bool(positive) and max(positive) > _LINEAR * min(positive)
        self.logarithmic = wide and not linear
        if self.logarithmic:
            low = max(min(positive), _LEAST)
            self.low = 10.0 ** math.floor(math.log10(low) + 1e-9)
        else:
            self.low = min([0.0, *(mark.low for mark in marks)])
        self._unit = 1.0
        # The row that leaves least for an inch: its marks and its numbers just fit.
        units = [
            (inches - row.inside(behind)) / self(max(max(m.high, m.value) for m in row.marks))
            for row in rows
            if any(self(max(m.high, m.value)) > 0 for m in row.marks)
        ]
        self._unit = min(units, default=inches)
        self.high = self._back(inches)

    def __call__(self, value: float) -> float:
        if not self.logarithmic:
            return (value - self.low) * self._unit
        return math.log10(max(value, self.low) / self.low) * self._unit

    def _back(self, inches: float) -> float:
        if self.logarithmic:
            return self.low * float(10.0 ** (inches / self._unit))
        return self.low + inches / self._unit

    def ticks(self) -> list[float]:
        """So many that their numbers keep apart."""
        if not self.logarithmic:
            locator = MaxNLocator(nbins=max(2, int(self.inches / 0.75)), steps=(1, 2, 2.5, 5, 10))
            found = locator.tick_values(self.low, self.high)
            return [float(t) for t in found if self.low - 1e-9 <= t <= self.high]
        first = round(math.log10(self.low))
        last = math.floor(math.log10(self.high) + 1e-9)
        decades = [10.0**power for power in range(first, last + 1)]
        fine = [d * step for d in decades for step in (1, 2, 5) if d * step <= self.high]
        return fine if self._unit * 0.3 > 0.35 else decades


class _Drawing:
    def __init__(self, sheet: Sheet, table: Table) -> None:
        self._sheet, self._table = sheet, table
        # By shape, colour, whether hollow and unreliable.
        self._dots: dict[tuple[str, str, bool, bool], list[tuple[float, Mark]]] = {}
        self._rows = [row for panel in table.panels for row in panel.rows]
        columns = max((len(row.said) for row in self._rows), default=0)
        self._inline = columns == 1 and not table.headings
        self._columns = [] if self._inline else [self._column(i) for i in range(columns)]
        right = sum(self._columns) + _GAP * len(self._columns)
        all_ = max((width(row.label, TEXT, row.weight) for row in self._rows), default=0)
        self._label = min(all_, _LABEL * sheet.width) + _GAP
        self._left = sheet.left if sheet.narrow else sheet.left + self._label
        inches = sheet.right - self._left - (0 if sheet.narrow else right)
        self._scale = _Scale(self._rows, inches, _BEHIND if self._inline else 0, table.linear)

    def _column(self, place: int) -> float:
        numbers = [width(r.said[place]) for r in self._rows if place < len(r.said)]
        lines = [width(line, SMALL, "bold") for line in self._heading(place)]
        return max([*numbers, *lines])

    def _heading(self, place: int) -> list[str]:
        """Its lines above a column of numbers; on a phone there is room for a mark only."""
        if not self._table.headings or self._sheet.narrow and self._table.colours:
            return []
        return folded(self._table.headings[place], _COLUMN, 2, SMALL, "bold")

    @property
    def _bars(self) -> bool:
        alone = all(len(row.marks) <= 1 for row in self._rows)
        return alone and not self._scale.logarithmic

    def figure(self) -> Any:
        sheet, table = self._sheet, self._table
        pitch, top = _pitch(sheet), _HEADING if table.headings else 0.0
        heads = [_head(panel, sheet) for panel in table.panels]
        tall = top + sum(heads) + pitch * len(self._rows)
        figure = sheet.open(tall + _AXIS)
        for place in range(len(table.headings)):
            self._head(place, top)
        self._axes = sheet.axes(self._left, top, self._scale.inches, tall - top)
        self._frame(tall - top)
        y = top
        for panel, head in zip(table.panels, heads):
            self._grid(y + head - top, len(panel.rows))
            if head:
                sheet.heading(y + _HEADING * 0.55, _heading(panel, sheet), weight="bold")
            y += head
            for row in panel.rows:
                self._row(row, y, y - top)
                y += pitch
        self._draw_dots()
        return figure

    def _head(self, place: int, top: float) -> None:
        """Above a column of numbers."""
        sheet, lines, x = self._sheet, self._heading(place), self._edge(place)
        if not lines:
            sheet.mark(x - 0.08, top * 0.5, self._table.colours[place], "o", False)
        for number, line in enumerate(reversed(lines)):
            y = top - 0.06 - number * SMALL * LINE / 72
            sheet.text(x, y, line, fontsize=SMALL, weight="bold", ha="right")

    def _edge(self, place: int) -> float:
        """Where a column of numbers ends."""
        after = self._columns[place + 1 :]
        return self._sheet.right - sum(after) - _GAP * len(after)

    def _frame(self, tall: float) -> None:
        """Axes in inches, with the ticks of the scale below."""
        axes, scale = self._axes, self._scale
        axes.set_xlim(0, scale.inches)
        axes.set_ylim(tall, 0)
        ticks = scale.ticks()
        axes.set_xticks([scale(tick) for tick in ticks], [f"{tick:g}" for tick in ticks])
        axes.set_yticks([])
        axes.tick_params(length=2, labelsize=SMALL)
        axes.spines["left"].set_visible(False)
        how = ", logarithmic scale" if scale.logarithmic else ""
        axes.set_xlabel(f"{self._table.unit}{how}", fontsize=SMALL, labelpad=2)

    def _grid(self, top: float, count: int) -> None:
        """Below the marks of a panel, and below no name."""
        scale, theme, pitch = self._scale, self._sheet.theme, _pitch(self._sheet)
        spans = [(top, top + pitch * count)]
        if self._sheet.narrow:
            spans = [
                (top + pitch * row + pitch - _ROW, top + pitch * (row + 1)) for row in range(count)
            ]
        for tick in scale.ticks():
            zero = tick == 0
            ink, wide = (theme.muted, 0.9) if zero else (theme.grid, 0.6)
            self._axes.vlines(
                [scale(tick)] * len(spans), *zip(*spans), color=ink, linewidth=wide, zorder=0.5
            )

    def _row(self, row: Row, y: float, inside: float) -> None:
        sheet = self._sheet
        middle = _ROW * 0.5
        said = sum(self._columns) + _GAP * len(self._columns) if sheet.narrow else 0.0
        room = sheet.right - sheet.left - said if sheet.narrow else self._label - _GAP
        words = short(row.label, room, TEXT, row.weight)
        sheet.text(sheet.left, y + middle, words, weight=row.weight)
        for place in range(len(self._columns)):
            if place < len(row.said):
                sheet.text(self._edge(place), y + middle, row.said[place], ha="right")
        at = inside + middle + (0.75 * _ROW if sheet.narrow else 0)
        for mark in row.marks:
            self._mark(mark, at)
        if len(row.marks) > 1:
            ends = [self._scale(mark.value) for mark in row.marks]
            colour = sheet.theme.muted
            self._axes.plot((min(ends), max(ends)), (at, at), color=colour, lw=0.7, zorder=1)
        if self._inline and row.said:
            end = max((self._scale(max(m.high, m.value)) for m in row.marks), default=0.0)
            how = {"va": "center_baseline", "fontsize": TEXT, "weight": row.weight}
            self._axes.text(end + (0.05 if self._bars else _BEHIND), at, row.said[0], **how)

    def _mark(self, mark: Mark, at: float) -> None:
        if not self._bars:
            below = self._scale.logarithmic and mark.value < self._scale.low
            shape = "<" if below else mark.shape
            look = (shape, mark.colour, mark.hollow, mark.unreliable)
            self._dots.setdefault(look, []).append((at, mark))
            return
        zero = self._scale(0)
        (drawn,) = self._axes.barh(
            at,
            self._scale(mark.value) - zero,
            left=zero,
            height=_ROW * 0.7,
            color=mark.colour,
            edgecolor=self._sheet.theme.paper,
            linewidth=0,
            hatch=UNRELIABLE if mark.unreliable else None,
        )
        self._whiskers([(at, mark)])
        if mark.told:
            tooltip(self._axes.figure, drawn, mark.told)

    def _draw_dots(self) -> None:
        """Those that look the same at once: one by one they take seconds."""
        theme, scale = self._sheet.theme, self._scale
        for (shape, colour, hollow, unreliable), marks in self._dots.items():
            drawn = self._axes.scatter(
                [scale(mark.value) for _, mark in marks],
                [at for at, _ in marks],
                s=_SIZE * (1.8 if hollow else 1),
                marker=shape,
                facecolor="none" if hollow else theme.paper if unreliable else colour,
                edgecolor=colour,
                linewidth=1.1,
                clip_on=False,
                zorder=3,
            )
            self._whiskers(marks)
            tooltip(self._axes.figure, drawn, *(mark.told for _, mark in marks))

    def _whiskers(self, marks: Sequence[tuple[float, Mark]]) -> None:
        scale = self._scale
        ends = [(at, scale(mark.low), scale(mark.high)) for at, mark in marks]
        seen = [one for one in ends if one[2] - one[1] > 0.02]
        if seen:
            self._axes.hlines(*zip(*seen), color=self._sheet.theme.ink, linewidth=0.9, zorder=2)

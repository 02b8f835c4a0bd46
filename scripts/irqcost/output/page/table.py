# SPDX-License-Identifier: GPL-2.0-only
"""The results of a kind as a page's table: what is shown, what it is sorted by, and details."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from irqcost.base.table import number
from irqcost.compare.columns import Column
from irqcost.compare.comparison import Cell, Row
from irqcost.model import naming
from irqcost.model.catalogue import Probe
from irqcost.model.result import Context
from irqcost.model.units import natural_name
from irqcost.output.page.data import COUNTED, Part


# So many rows need no search.
_SEEN_AT_ONCE = 12


@dataclass(frozen=True)
class Heading:
    """A column's head; `full` says what it is where the head is short."""

    text: str
    full: str = ""
    number: bool = False


@dataclass(frozen=True)
class Field:
    """A cell: its text, the number that it is sorted by (None: last), and its details in lines;
    `share` of the largest of a column, for a bar."""

    text: str
    number: float | None = None
    details: Sequence[str] = ()
    unreliable: bool = False
    share: float = 0


@dataclass(frozen=True)
class Line:
    """A row: its name and the texts beside it, then its values."""

    name: str
    texts: Sequence[str]
    fields: Sequence[Field]
    words: str = ""  # the name in plain words
    title: str = ""  # more about it
    code: bool = True  # whether the name is code
    link: str = ""
    unreliable: bool = False
    control: bool = False
    # What it is filtered by: a value for each filter of the view; `words` are searched.
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Filter:
    """A choice of which rows are shown: what it is called, and its values in words."""

    label: str
    options: Mapping[str, str]


@dataclass(frozen=True)
class View:
    """The whole table, and what it can be filtered by."""

    headings: Sequence[Heading]
    lines: Sequence[Line]
    filters: Mapping[str, Filter] = field(default_factory=dict)

    @property
    def long(self) -> bool:
        """Whether there is reason to search it."""
        return len(self.lines) > _SEEN_AT_ONCE


_MODES = {
    "throughput": "throughput: back to back",
    "isolated": "isolated: between fences",
    "in_situ": "in situ: added to a section",
    "contention": "contention: several CPUs",
    "pending": "deferred interrupts",
}


def view(part: Part, probes: Sequence[Probe], links: Mapping[str, str] | None = None) -> View:
    """The table, controls last: they are no costs, but what these are checked with. `links` says
    by probe where its page is."""
    known = {probe.key: probe for probe in probes}
    lines = [
        _line(part, row, known.get(row.probe), (links or {}).get(row.probe, ""))
        for row in part.rows
    ]
    lines.sort(key=lambda line: line.control)
    names = (Heading("primitive"), Heading("backend"), Heading("mode"))
    return View([*names, *_headings(part)], lines, filters(part))


def filters(part: Part) -> dict[str, Filter]:
    """By backend and mode."""
    contexts: dict[str, list[Context]] = {}
    for column in part.columns:
        for backend in {entry.backend for entry in column.result.entries}:
            contexts.setdefault(backend, []).append(column.result.context)
    names = [row.name.split("/") for row in part.rows]
    backends = dict.fromkeys(backend for backend, *_ in names)
    modes = dict.fromkeys(mode for _, _, mode, *_ in names)
    return {
        "backend": Filter(
            "Backend", {one: naming.backend_name(one, contexts[one]) for one in backends}
        ),
        "mode": Filter("Mode", {mode: _MODES.get(mode, mode) for mode in modes}),
    }


def _headings(part: Part) -> list[Heading]:
    """A result's unit where there is one; of several their names, and of two their ratio."""
    if len(part.columns) == 1:
        (column,) = part.columns
        title = column.series.title
        found = [Heading(natural_name(column.result), title, True)]
        if part.kind == COUNTED:
            return found
        return [*found, Heading("ns", f"{title}: nanoseconds", True), Heading("status")]
    found = [
        Heading(column.series.name, f"{column.series.title}: {natural_name(column.result)}", True)
        for column in part.columns
    ]
    if part.kind == COUNTED:
        return [*found, Heading("most/fewest", "the row's most by its fewest", True)]
    if len(part.columns) == 2:
        one, two = (column.series.name for column in part.columns)
        found.append(Heading("ratio", f"{two} by {one}", True))
    return found


def _line(part: Part, row: Row, known: Probe | None, link: str) -> Line:
    backend, probe, mode = row.name.split("/", 2)
    details = [_details(column, row.name, cells) for column, cells in zip(part.columns, row.cells)]
    fields = [
        shown(column, cells[0], told)
        for column, cells, told in zip(part.columns, row.cells, details)
    ]
    unreliable = any(cells[0].unreliable for cells in row.cells)
    if part.kind == COUNTED:
        if len(part.columns) > 1:
            fields.append(_most_by_fewest(row, [column.series.name for column in part.columns]))
    elif len(part.columns) == 1:
        cells = row.cells[0]
        # Emulated results have one unit where others have two.
        fields.append(shown(part.columns[0], cells[1], details[0]) if cells[1:] else Field("–"))
        fields.append(Field(cells[0].verdict or "–", None, details[0], unreliable))
    elif len(part.columns) == 2:
        fields.append(_ratio(row.cells[1][0], details[1]))
    words, summary = (known.title, known.summary) if known else ("", "")
    return Line(
        probe,
        (backend, mode),
        fields,
        words=words,
        title=summary,
        link=link,
        unreliable=unreliable,
        control=known is not None and known.group == "control",
        data=data_of(row.name, f"{words} {summary}"),
    )


def data_of(name: str, summary: str) -> dict[str, str]:
    """What filters() and the search look at."""
    backend, _, mode = name.split("/", 2)
    return {"backend": backend, "mode": mode.split("/")[0], "words": f"{name} {summary}"}


def shown(column: Column, cell: Cell, details: Sequence[str] = ()) -> Field:
    """A result as it is written, with its interval."""
    if cell.figure is None:
        return Field("–", None, (cell.missing,))
    exact = column.result.context.instruction_clock
    value = cell.figure.value
    text = f"{value:g}" if exact and value == int(value) else number(value, 2)
    if cell.interval and cell.unit != "ns" and not exact:
        half = max(cell.figure.high - value, value - cell.figure.low)
        text += f" ±{number(half, 2)}"
    return Field(text + (" ?" if cell.unreliable else ""), value, details, cell.unreliable)


def _ratio(cell: Cell, details: Sequence[str]) -> Field:
    if cell.ratio is None:
        return Field("–", None, (cell.not_comparable,) if cell.not_comparable else ())
    mark = (" ?" if cell.ratio.unreliable else "") + (" ≠" if cell.not_comparable else "")
    return Field(number(cell.ratio.value, 2) + mark, cell.ratio.value, details)


def _most_by_fewest(row: Row, names: Sequence[str]) -> Field:
    """How many times the fewest instructions of a row the most are, and where which is executed."""
    counts = [
        (cells[0].figure.value, name)
        for cells, name in zip(row.cells, names)
        if cells[0].figure is not None
    ]
    if len(counts) < 2 or min(counts)[0] <= 0:
        return Field("–")
    (low, fewest), (high, most) = min(counts), max(counts)
    said = f"from {number(low, 2)} ({fewest}) to {number(high, 2)} ({most})"
    return Field(number(high / low, 2), high / low, (row.name, said))


def _details(column: Column, name: str, cells: Sequence[Cell]) -> list[str]:
    """Everything about a figure that the table has no room for."""
    entry = column.result.figures.get(name)
    if entry is None:
        return [name, cells[0].missing]
    found = [name]
    for cell in cells:
        if cell.figure is not None:
            low, high = (number(end, 3) for end in (cell.figure.low, cell.figure.high))
            ends = "95 % interval" if cell.interval else "spread"
            exact = column.result.context.instruction_clock
            rest = "" if exact else f" ({ends} {low} to {high})"
            found.append(f"{number(cell.figure.value, 3)} {cell.called}{rest}")
    if not column.result.context.instruction_clock:
        what = "results" if not column.single else "samples"
        found.append(f"{entry.clean:.0f} of {entry.samples:.0f} {what} clean")
        if column.single:
            ticks = (entry.ticks_min, entry.ticks_p50, entry.ticks_p99)
            least, median, most = (number(one, 2) for one in ticks)
            found.append(f"samples in ticks: least {least}, median {median}, 99th of 100 {most}")
    if cells[0].verdict:
        found.append(f"verdict: {cells[0].verdict}")
    found += [cells[0].remark] if cells[0].remark else []
    found += [cells[0].not_comparable] if cells[0].not_comparable else []
    return found

# SPDX-License-Identifier: GPL-2.0-only
"""A part's figures as a page's table: what is shown, what it is sorted by, and its details."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from irqcost.base.table import number
from irqcost.compare.columns import Column, letter
from irqcost.compare.comparison import Cell, Row
from irqcost.model import naming
from irqcost.model.catalogue import Probe
from irqcost.model.units import natural
from irqcost.output.page.data import COUNTED, Part


@dataclass(frozen=True)
class Heading:
    """A column's head; `full` says what it is where the head is short."""

    text: str
    full: str
    number: bool


@dataclass(frozen=True)
class Field:
    """A cell: its text, the number that it is sorted by (None: last), and its details in lines."""

    text: str
    number: float | None = None
    details: Sequence[str] = ()
    unreliable: bool = False


@dataclass(frozen=True)
class Line:
    """A figure in all columns of the part."""

    name: str
    backend: str
    probe: str
    mode: str
    summary: str
    unreliable: bool
    fields: Sequence[Field]


@dataclass(frozen=True)
class View:
    """The whole table, and what it can be filtered by."""

    headings: Sequence[Heading]
    lines: Sequence[Line]
    backends: Mapping[str, str]
    modes: Mapping[str, str]


_MODES = {
    "throughput": "throughput: back to back",
    "isolated": "isolated: between fences",
    "in_situ": "in situ: added to a section",
    "contention": "contention: several CPUs",
    "pending": "pending interrupts",
}


def view(part: Part, probes: Sequence[Probe]) -> View:
    """The table, controls last: they are no costs, but what these are trusted by."""
    summaries = {probe.key: probe.summary for probe in probes}
    controls = {probe.key for probe in probes if probe.group == "control"}
    rows = sorted(part.rows, key=lambda row: row.probe in controls)
    lines = [_line(part, row, summaries) for row in rows]
    backends = dict.fromkeys(line.backend for line in lines)
    contexts = [column.result.context for column in part.columns]
    modes = dict.fromkeys(line.mode.split("/")[0] for line in lines)
    return View(
        _headings(part),
        lines,
        {backend: naming.backend_name(backend, contexts) for backend in backends},
        {mode: _MODES.get(mode, mode) for mode in modes},
    )


def _headings(part: Part) -> list[Heading]:
    found = []
    several = len(part.columns) > 1
    for place, column in enumerate(part.columns):
        called = _called(part, column)
        mark = f"{letter(place)} " if several else ""
        short = f"{mark}{column.series.name}" if several else called
        full = f"{column.series.title}: {called}"
        unit = f", {called}" if several and part.kind != COUNTED else ""
        found.append(Heading(f"{short}{unit}", full, True))
        if part.kind != COUNTED:
            found.append(Heading(f"{mark}ns", f"{column.series.title}: nanoseconds", True))
        if place and part.kind != COUNTED:
            found.append(Heading(f"{letter(place)}/A", f"{letter(place)} by A", True))
    if part.kind == COUNTED:
        # Of many kernels a ratio each would be more columns than there are counts.
        return found + ([_MOST_BY_FEWEST] if several else [])
    return found + ([] if several else [Heading("verdict", "verdict", False)])


_MOST_BY_FEWEST = Heading("most/fewest", "the greatest count of the row by its least", True)


def _called(part: Part, column: Column) -> str:
    if part.kind == COUNTED:
        return "instructions"
    return "core cycles" if natural(column.result) == "cycles" else "TSC ticks"


def _line(part: Part, row: Row, summaries: Mapping[str, str]) -> Line:
    backend, probe, mode = row.name.split("/", 2)
    fields = []
    unreliable = False
    for place, (column, cells) in enumerate(zip(part.columns, row.cells)):
        details = _details(column, row.name, cells)
        shown = cells[:1] if part.kind == COUNTED else cells
        fields += [_field(column, cell, details) for cell in shown]
        # Emulated results have one unit where others have two.
        fields += [Field("–")] * (len(_units(part)) - len(shown))
        if place and part.kind != COUNTED:
            fields.append(_ratio(cells[0], details))
        unreliable = unreliable or cells[0].unreliable
    if part.kind == COUNTED and len(part.columns) > 1:
        fields.append(_most_by_fewest(row, [column.series.name for column in part.columns]))
    if len(part.columns) == 1 and part.kind != COUNTED:
        verdict = row.cells[0][0].verdict
        fields.append(
            Field(verdict or ("in doubt" if unreliable else "–"), None, details, unreliable)
        )
    return Line(row.name, backend, probe, mode, summaries.get(probe, ""), unreliable, fields)


def _units(part: Part) -> tuple[str, ...]:
    return ("first",) if part.kind == COUNTED else ("first", "ns")


def _field(column: Column, cell: Cell, details: Sequence[str]) -> Field:
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
            least, middle, most = (number(one, 2) for one in ticks)
            found.append(f"samples in ticks: least {least}, median {middle}, 99th of 100 {most}")
    if cells[0].verdict:
        found.append(f"verdict: {cells[0].verdict}")
    found += [cells[0].remark] if cells[0].remark else []
    found += [cells[0].not_comparable] if cells[0].not_comparable else []
    return found

# SPDX-License-Identifier: GPL-2.0-only
"""The results of a run as one table: a row for each primitive, a column for each way to use it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from irqcost.base import screen
from irqcost.base.footnotes import Footnotes
from irqcost.base.table import Table, number
from irqcost.model import catalogue, contention, naming, units
from irqcost.model.result import Context, Entry, Result
from irqcost.output import answer, finding

_IN_SITU = "in_situ"
_MEANING = {"throughput": "back to back", "isolated": "once, between fences"}
_COLUMNS = {"throughput": "repeated", "isolated": "alone", _IN_SITU: "around {}"}


@dataclass(frozen=True)
class _Column:
    """A mode; in situ with its section."""

    mode: str
    section: str = ""

    @property
    def title(self) -> str:
        return _COLUMNS[self.mode].format(self.section)

    @property
    def meaning(self) -> str:
        """What its results are of."""
        if self.mode == _IN_SITU:
            work = f"{self.section} cycles of work" if self.section.isdigit() else "per-CPU data"
            return f"{self.title}: what it adds to {work}"
        return f"{self.title}: {_MEANING[self.mode]}"

    def takes(self, entry: Entry) -> bool:
        return entry.mode == self.mode and (self.mode != _IN_SITU or entry.variant == self.section)


def text(result: Result, unit: str | None, width: int, verbose: bool) -> str:
    """The table with its footnotes; where it is `verbose` with controls, keys, and a second table
    of all sections of work."""
    entries = [e for e in result.figures.values() if e.mode not in contention.MODES]
    known = catalogue.by_key()
    if not verbose:
        entries = [e for e in entries if e.probe not in known or known[e.probe].group != "control"]
    if not entries:
        return ""
    sections = [
        _Column(_IN_SITU, one)
        for one in dict.fromkeys(e.variant for e in entries if e.mode == _IN_SITU)
    ]
    usual = [one for one in sections if one.section == finding.WORK] or sections[:1]
    modes = {entry.mode for entry in entries}
    columns = [*(_Column(mode) for mode in _MEANING if mode in modes), *usual]
    notes = Footnotes()
    tables = [_table(result, entries, columns, unit, notes, verbose)]
    if verbose and len(sections) > 1:
        tables.append(_table(result, entries, sections, unit, notes, verbose))
    shown = [table.fitted(width) for table in tables]
    below = "\n".join([*_legend(result, columns, entries), *notes.lines])
    return "\n\n".join([*shown, screen.wrapped(below, "   ", width)])


def _table(
    result: Result,
    entries: Sequence[Entry],
    columns: Sequence[_Column],
    unit: str | None,
    notes: Footnotes,
    keys: bool,
) -> Table:
    unit_name = units.unit_name(unit or units.natural(result), result)
    table = Table([unit_name, *(c.title for c in columns)], "<" + ">" * len(columns))
    rows = list(_rows(entries, columns))
    _fill(table, result.context, rows, _cells(result, rows, columns, unit, notes), keys)
    return table


@dataclass(frozen=True)
class _Row:
    """A probe of a backend, in a context; its entries by column."""

    backend: str
    probe: str
    context: str
    entries: tuple[Entry | None, ...]


def _rows(entries: Sequence[Entry], columns: Sequence[_Column]) -> Iterable[_Row]:
    grouped: dict[tuple[str, str, str], list[Entry]] = {}
    for entry in entries:
        where = "" if entry.mode == _IN_SITU else entry.variant
        grouped.setdefault((entry.backend, entry.probe, where), []).append(entry)
    backends = list(dict.fromkeys(entry.backend for entry in entries))
    known = catalogue.by_key()
    groups, keys = list(catalogue.GROUPS), list(known)

    def place(item: tuple[tuple[str, str, str], list[Entry]]) -> tuple[int, int, int]:
        backend, probe, _ = item[0]
        group = groups.index(known[probe].group) if probe in known else len(groups)
        return backends.index(backend), group, keys.index(probe) if probe in known else len(keys)

    for (backend, probe, where), own in sorted(grouped.items(), key=place):
        found = tuple(next((e for e in own if column.takes(e)), None) for column in columns)
        if any(found):
            yield _Row(backend, probe, where, found)


def _cells(
    result: Result,
    rows: Sequence[_Row],
    columns: Sequence[_Column],
    unit: str | None,
    notes: Footnotes,
) -> list[list[str]]:
    """What is written, by row and column; the signs ± of a column are below each other."""
    cells = [["-"] * len(columns) for _ in rows]
    parts = {
        (i, j): _parts(result, entry, unit, notes)
        for i, row in enumerate(rows)
        for j, entry in enumerate(row.entries)
        if entry is not None
    }
    for j in range(len(columns)):
        own = {i: one for (i, place), one in parts.items() if place == j}
        half = max((len(one[1]) for one in own.values()), default=0)
        mark = max((len(one[2]) for one in own.values()), default=0)
        for i, (value, width, letter) in own.items():
            cell = value + (f" {width:<{half}}" if half else "")
            cells[i][j] = cell + (f" {letter:<{mark}}" if mark else "")
    return cells


def _parts(
    result: Result, entry: Entry, unit: str | None, notes: Footnotes
) -> tuple[str, str, str]:
    """A value, its interval, and the letter of its remark."""
    remark = entry.remark or ("" if entry.clean else "no sample was clean")
    mark = notes.mark(remark)
    figure = units.figure(result, entry, unit)
    if figure is None:
        return "-", "", mark
    if result.context.instruction_clock:
        return f"{figure.value:g}", "", mark
    digits = 2 if abs(figure.value) < 100 else 1 if abs(figure.value) < 1000 else 0
    half = ""
    if entry.cycles_interval or entry.ticks_interval:
        half = f"±{number(max(figure.high - figure.value, figure.value - figure.low), digits)}"
    return number(figure.value, digits), half, mark


def _fill(
    table: Table,
    context: Context,
    rows: Sequence[_Row],
    cells: Sequence[Sequence[str]],
    keys: bool,
) -> None:
    known = catalogue.by_key()
    groups = {
        row.backend: {known[r.probe].group if r.probe in known else "" for r in rows}
        for row in rows
    }
    backend = group = ""
    for row, written in zip(rows, cells):
        if row.backend != backend:
            backend, group = row.backend, ""
            table.heading(_section(context, backend))
        probe = known.get(row.probe)
        own = catalogue.GROUPS[probe.group] if probe else "Not in this catalogue"
        if own != group and len(groups[backend]) > 1:
            group = own
            table.heading(f"- {group}")
        name = probe.title if probe else row.probe
        name += f", in {row.context}" if row.context else ""
        table.row(f"  {name}" + (f" [{row.probe}]" if keys else ""), *written)


def _section(context: Context, backend: str) -> str:
    """The heading of a backend, with how its results came about."""
    name = naming.backend_name(backend, [context])
    kind = answer.label(context, backend).partition(":")[0]
    return f"{name[:1].upper()}{name[1:]}" + (f": {kind}" if kind.isupper() else "")


def _legend(result: Result, columns: Sequence[_Column], entries: Sequence[Entry]) -> list[str]:
    said = ["; ".join(column.meaning for column in columns)]
    if any(entry.cycles_interval or entry.ticks_interval for entry in entries):
        said.append(
            f"±: larger half of the 95 % interval, over up to {result.context.processes} processes"
        )
    return said

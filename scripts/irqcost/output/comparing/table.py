# SPDX-License-Identifier: GPL-2.0-only
"""A comparison on the terminal: the answer, who was measured, a table, what is less reliable."""

from collections.abc import Sequence

from irqcost.base import screen
from irqcost.base.footnotes import Footnotes
from irqcost.base.safety.texts import plain
from irqcost.base.table import Table, number
from irqcost.compare import columns as columns_
from irqcost.compare.columns import Column
from irqcost.compare.comparison import NOT_IN_BASELINE, Cell, Comparison, Row, Section, other_code
from irqcost.model import catalogue, naming
from irqcost.output import published_table
from irqcost.output.comparing.words import answer

_KINDS = {
    "real": "Measured on real hardware",
    "emulated": "Emulated: no measure of a CPU's time",
    "simulated": "Simulated: no measure of a CPU",
}

_MOST_NAMED = 2
_MOST_RATIOS = 2


def text(what: Comparison, width: int, verbose: bool = False, code: bool = False) -> str:
    """All sections. `verbose`: with identifiers and controls; `code`: with how code differs."""
    several = len(what.sections) > 1
    parts = []
    shown = what if verbose else what.essential()
    for section, whole in zip(shown.sections, what.sections):
        heading = [_KINDS.get(section.kind, section.kind)] if several else []
        parts.append("\n".join(heading + ["=" * len(line) for line in heading]))
        parts += _section(section, whole, width, verbose)
        if code:
            parts.append("\n".join(other_code(section)).strip() or "No difference in code.")
    if what.published is not None:
        parts.append(published_table.text(what.published, what.columns).strip())
    return "\n\n".join(part for part in parts if part)


def _section(section: Section, whole: Section, width: int, verbose: bool) -> list[str]:
    notes = Footnotes()
    drawn = table(section, notes, verbose)
    said = "\n".join(below(section, notes, len(whole.rows) - len(section.rows)))
    return [
        screen.wrapped("\n".join(answer(section)), "  ", width),
        screen.wrapped("\n".join(legend(section)), "   ", width),
        drawn.fitted(width),
        screen.wrapped(said, "   ", width),
    ]


def legend(section: Section) -> list[str]:
    """Who each column is."""
    lines = []
    for name, column in zip(section.letters, section.columns):
        context = column.result.context
        where = (
            plain(column.paths[0]) if column.single else f"median of {len(column.paths)} results"
        )
        said = (context.outcome, naming.brand(context), naming.other_hypervisor(context), where)
        lines += [f"{name}  {column.series.title}", f"   {'; '.join(filter(None, said))}"]
    return lines


def table(section: Section, notes: Footnotes, verbose: bool) -> Table:
    rows = _in_order(section.rows)
    units = [_unit(rows, place) for place in range(len(section.columns))]
    same = len(set(filter(None, units))) < 2
    names = [x if same else f"{x} {unit}" for x, unit in zip(section.letters, units)]
    # More columns of ratios than these would make two tables of one.
    ratios = [f"{x}/{section.letters[0]}" for x in section.letters[1:]]
    ratios = ratios if verbose or len(ratios) <= _MOST_RATIOS else []
    titles = [max(units) if same else "", *(["identifier"] if verbose else []), *names, *ratios]
    made = Table(titles, "<" + "<" * verbose + ">" * (len(names) + len(ratios)))
    heading = ""
    for row in rows:
        backend, probe, mode = row.name.split("/", 2)
        having = [
            c.result.context for c, cells in zip(section.columns, row.cells) if cells[0].figure
        ]
        title = f"{naming.backend_name(backend, having)}: {_mode(mode)}"
        if title != heading:
            heading = title
            made.heading(f"{title[:1].upper()}{title[1:]}")
        cells = [cells[0] for cells in row.cells]
        values = [
            _value(column, cell, notes.mark(cell.remark or ("" if ratios else _reserved(cell))))
            for column, cell in zip(section.columns, cells)
        ]
        known = catalogue.by_key().get(probe)
        name = f"  {known.title if known else probe}"
        ratio = [_ratio(cell, notes) for cell in cells[1:]] if ratios else []
        made.row(name, *([row.name] if verbose else []), *values, *ratio)
    return made


def _in_order(rows: Sequence[Row]) -> list[Row]:
    """Those of a backend and mode together, each in the order of the file."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        backend, _, mode = row.name.split("/", 2)
        groups.setdefault((backend, mode), []).append(row)
    return [row for group in groups.values() for row in group]


def _mode(mode: str) -> str:
    name, _, variant = mode.partition("/")
    if name == "in_situ":
        work = f"{variant} cycles of work" if variant.isdigit() else "per-CPU data"
        return f"added to {work}"
    said = {"throughput": "repeated back to back", "isolated": "once, between fences"}
    return said.get(name, naming.mode_name(name)) + (f", in {variant}" if variant else "")


def _unit(rows: Sequence[Row], place: int) -> str:
    """What a column's unit is called; "" where it has nothing."""
    found = (row.cells[place][0] for row in rows)
    return next((cell.called for cell in found if cell.figure), "")


def _value(column: Column, cell: Cell, mark: str) -> str:
    if cell.figure is None:
        return "-"
    half = ""
    if column.result.context.instruction_clock:
        value = f"{cell.figure.value:g}"
    else:
        digits = 2 if abs(cell.figure.value) < 100 else 1 if abs(cell.figure.value) < 1000 else 0
        value = number(cell.figure.value, digits)
        most = max(cell.figure.high - cell.figure.value, cell.figure.value - cell.figure.low)
        half = f" ±{number(most, digits)}" if cell.interval else ""
    return f"{value}{half} {mark}".rstrip()


def _reserved(cell: Cell) -> str:
    """Why it is not, or hardly, comparable, where that is to be said."""
    if cell.figure is None or cell.beside_zero or cell.not_comparable == NOT_IN_BASELINE:
        return ""
    return cell.not_comparable


def _ratio(cell: Cell, notes: Footnotes) -> str:
    value = "-" if cell.ratio is None else number(cell.ratio.value, 2)
    if cell.ratio is not None and cell.ratio.unreliable:
        value += "?"
    return f"{value} {notes.mark(_reserved(cell))}".rstrip()


def below(section: Section, notes: Footnotes, hidden: int = 0) -> list[str]:
    """What is to be known of the table, which leaves out `hidden` rows."""
    first, *others = section.letters
    cells = [cells[0] for row in section.rows for cells in row.cells]
    lines = []
    if 0 < len(others) <= _MOST_RATIOS:
        lines.append(f"X/{first}: ratio to {first}; below 1 is less." + _unsure(cells))
    if any(cell.interval for cell in cells):
        lines.append("±: larger half of the 95 % interval.")
    lines += notes.lines
    for name, column in zip(section.letters, section.columns):
        clock = naming.why_clock_unreliable(column.result.context)
        if clock and {cell.unit for cell in cells} != {"cycles"}:
            lines.append(f"{name}: {clock}")
    for place, name in enumerate(section.letters):
        missing: dict[str, list[str]] = {}
        for row in section.rows:
            if row.cells[place][0].missing:
                missing.setdefault(row.cells[place][0].missing, []).append(row.name)
        for reason, names in missing.items():
            lines.append(f"Not in {name}: {_some(names)}: {reason}")
    for name, column in list(zip(section.letters, section.columns))[1:]:
        first_context = section.columns[0].result.context
        said = columns_.unnamed_differences(first_context, column.result.context)
        if said:
            lines.append(f"{first} | {name}: {'; '.join(said)}")
    if other_code(section):
        lines.append("Some of the code differs: --code shows it.")
    if hidden:
        lines.append(f"{hidden} more rows (controls, what only one has): -v shows them.")
    return lines


def _unsure(cells: Sequence[Cell]) -> str:
    unreliable = any(cell.ratio is not None and cell.ratio.unreliable for cell in cells)
    return " ?: of an unreliable result." if unreliable else ""


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more}"

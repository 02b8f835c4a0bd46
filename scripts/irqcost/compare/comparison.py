# SPDX-License-Identifier: GPL-2.0-only
"""Results beside each other, figure by figure, with ratios to the first of them. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from irqcost.base.verdicts import Trust
from irqcost.compare.columns import Column, letter
from irqcost.model import catalogue, naming, units
from irqcost.model.machine_code import equality, masking
from irqcost.model.published import Published
from irqcost.model.result import Entry, estimator_matters
from irqcost.model.units import Value
from irqcost.stats import intervals


NOT_IN_BASELINE = "the baseline has no such result"
_BESIDE_ZERO = "the baseline is not distinguishable from zero"


@dataclass(frozen=True)
class Ratio:
    """A figure by the baseline's, and from where to where that may lie (None: not known)."""

    value: float
    low: float | None
    high: float | None
    unreliable: bool


@dataclass(frozen=True)
class Cell:
    """The result of one column in one unit, or why there is none.

    `remark` says why it is unreliable; `not_comparable` why it is not comparable with the
    baseline's: then there is no ratio, or, where only the code or the estimator differs, one with
    that reservation.
    """

    unit: str  # a key of units.UNITS
    called: str  # as it is written
    figure: Value | None
    interval: bool = False  # whether its ends are a 95 % interval, or only the spread
    verdict: str = ""
    remark: str = ""
    missing: str = ""
    ratio: Ratio | None = None
    not_comparable: str = ""

    @property
    def unreliable(self) -> bool:
        return bool(self.remark)

    @property
    def beside_zero(self) -> bool:
        """Whether there is no ratio only because the baseline may be zero."""
        return self.not_comparable == _BESIDE_ZERO

    @property
    def comparable(self) -> bool:
        """With the baseline's; of the baseline itself this means nothing."""
        return self.ratio is not None or self.beside_zero


@dataclass(frozen=True)
class Row:
    """A figure in all columns, each with a cell a unit."""

    name: str  # backend/probe/mode…
    probe: str
    cells: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Section:
    """Columns of one kind (real, emulated, simulated) with their rows; `letters` are their names,
    the first of them being the one that ratios are to."""

    kind: str
    letters: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Comparison:
    """Columns, rows in all of them, the unit asked for, and published figures (None: not asked
    for). Results of different kinds are compared in sections of their own unless they are
    `mixed`."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    unit: str | None
    published: Sequence[Published] | None = None
    mixed: bool = False

    @cached_property
    def sections(self) -> list[Section]:
        kinds: dict[str, list[int]] = {}
        for place, column in enumerate(self.columns):
            kinds.setdefault("" if self.mixed else column.result.context.kind, []).append(place)
        return [self._section(kind, places) for kind, places in kinds.items()]

    def essential(self) -> "Comparison":
        """Without what few ask for: controls, what only one of several columns of a section has,
        and of exact counts all modes but one, which count the same. Where nothing else is left,
        all."""
        kept = [row for row in self.rows if _essential(self, row)]
        return replace(self, rows=kept) if kept else self

    def _section(self, kind: str, places: Sequence[int]) -> Section:
        rows = (replace(row, cells=tuple(row.cells[p] for p in places)) for row in self.rows)
        return Section(
            kind,
            tuple(letter(place) for place in places),
            tuple(self.columns[place] for place in places),
            tuple(row for row in rows if any(cell.figure for cells in row.cells for cell in cells)),
        )


def _essential(what: Comparison, row: Row) -> bool:
    probe = catalogue.by_key().get(row.probe)
    if probe is not None and probe.group == "control":
        return False
    exact = all(column.result.context.instruction_clock for column in _having(what, row))
    if exact and row.name.split("/")[2] == "isolated":
        return False
    # Those of several columns of their kind that have it.
    kinds = [column.result.context.kind for column in what.columns]
    having = [column.result.context.kind for column in _having(what, row)]
    return any(kinds.count(kind) == 1 or having.count(kind) > 1 for kind in having)


def _having(what: Comparison, row: Row) -> list[Column]:
    return [column for column, cells in zip(what.columns, row.cells) if cells[0].figure]


def compared(columns: Sequence[Column], unit: str | None, mixed: bool = False) -> Comparison:
    """A comparison of columns, those of a kind together, the real ones first."""
    if not mixed:
        kinds = ("real", "emulated", "simulated")
        columns = sorted(columns, key=lambda column: kinds.index(column.result.context.kind))
    return Comparison(columns, rows(columns, unit, mixed), unit, mixed=mixed)


def rows(columns: Sequence[Column], unit: str | None, mixed: bool = True) -> list[Row]:
    """All figures, grouped by primitive in the order in which they first appear. Ratios are to the
    first column; unless `mixed`, to the first of the same kind.

    `unit` of None: the natural unit of each result, and ns where it has a duration.
    """
    groups: dict[str, dict[str, None]] = {}
    for column in columns:
        for name, entry in column.result.figures.items():
            groups.setdefault(entry.probe, {})[name] = None
    first: dict[str, Column] = {}
    bases = [
        first.setdefault("" if mixed else column.result.context.kind, column) for column in columns
    ]
    other = [other_instructions(base, column) for base, column in zip(bases, columns)]
    found = []
    for probe, names in groups.items():
        for name in names:
            cells = tuple(
                tuple(_cell(column, base, name, one, not_comparable) for one in shown(column, unit))
                for column, base, not_comparable in zip(columns, bases, other)
            )
            found.append(Row(name, probe, cells))
    return found


def shown(column: Column, unit: str | None) -> list[str]:
    """The units in which a column is given."""
    if unit:
        return [unit]
    natural = units.natural(column.result)
    return [natural] if column.result.context.instruction_clock else [natural, "ns"]


def other_instructions(base: Column, column: Column) -> dict[str, str]:
    """By probe and by `backend/probe`, how what was measured differs from the baseline's."""
    if column is base:
        return {}
    found = {one.name: one.what for one in differences(base, column)}
    if not (base.single and column.single):
        for name in base.code_digests.keys() & column.code_digests.keys():
            if base.code_digests[name] != column.code_digests[name]:
                found.setdefault(name, "the kernel's machine code differs")
    return found


def differences(base: Column, column: Column) -> list[equality.CodeDifference]:
    """What two results measured under one name though it is not the same. Of kernels that mask
    differently the code differs anyway."""
    one, two = base.result.context, column.result.context
    found = equality.differences(one, two)
    if one.masking.identity == two.masking.identity:
        return found
    return [each for each in found if each.name.split("/")[0] not in masking.KERNEL]


def _cell(column: Column, base: Column, name: str, unit: str, other: dict[str, str]) -> Cell:
    result = column.result
    called = units.unit_name(unit, result)
    entry = result.figures.get(name)
    if entry is None:
        return Cell(unit, called, None, missing=_missing(column, name))
    figure = units.figure(result, entry, unit)
    if figure is None:
        return Cell(unit, called, None, missing=f"no figure in {called}")
    ratio, not_comparable = None, ""
    if column is not base:
        ratio, not_comparable = _ratio(column, base, entry, figure, unit)
        instructions = other.get(f"{entry.backend}/{entry.probe}", other.get(entry.probe, ""))
        if first := base.result.figures.get(name):
            not_comparable = not_comparable or estimator_matters(first, entry)
        not_comparable = not_comparable or instructions
    remark = entry.remark or _clock_doubt(column, unit)
    interval = bool(entry.cycles_interval if unit == "cycles" else entry.ticks_interval)
    return Cell(unit, called, figure, interval, entry.verdict, remark, "", ratio, not_comparable)


def _clock_doubt(column: Column, unit: str) -> str:
    """Why a time in this unit is unreliable, whatever the figure."""
    return "" if unit == "cycles" else naming.why_clock_unreliable(column.result.context)


def _missing(column: Column, name: str) -> str:
    """Why a column has no such figure, as far as its file tells."""
    backend, probe, mode = name.split("/", 2)
    for absent in column.result.context.absent:
        if absent.name in (name, f"{backend}/{probe}", backend):
            return absent.reason
    modes = [
        entry.mode
        for entry in column.result.figures.values()
        if (entry.backend, entry.probe) == (backend, probe)
    ]
    if modes:
        return f"measured in another mode only: {', '.join(dict.fromkeys(modes))}"
    return "not measured"


def _ratio(
    column: Column, base: Column, entry: Entry, figure: Value, unit: str
) -> tuple[Ratio | None, str]:
    first = base.result.figures.get(entry.name)
    if first is None:
        return None, NOT_IN_BASELINE
    for which, figure_of in (("", entry), ("in the baseline ", first)):
        if figure_of.verdict == Trust.INCONSISTENT:
            return None, f"{which}{figure_of.remark}"
    one, two = base.result.context, column.result.context
    if one.kind != two.kind:
        return None, f"{two.kind} and {one.kind} results do not measure the same thing"
    if not_comparable := masking.not_comparable(
        one.masking, two.masking, entry.backend, entry.probe
    ):
        return None, not_comparable
    if one.cpu.core_type and two.cpu.core_type and one.cpu.core_type != two.cpu.core_type:
        return None, f"another type of core: {two.cpu.core_type} beside {one.cpu.core_type}"
    if units.unit_name(unit, base.result) != units.unit_name(unit, column.result):
        return None, "in another unit than the baseline"
    under = units.figure(base.result, first, unit)
    if under is None:
        return None, "the baseline has no value in this unit"
    value = intervals.ratio(figure.value, under.value, under.width)
    if value is None:
        return None, _BESIDE_ZERO
    low = high = None
    if under.low > 0 and figure.low >= 0:
        low, high = figure.low / under.high, figure.high / under.low
    unreliable = entry.unreliable or first.unreliable
    unreliable = unreliable or any(_clock_doubt(one, unit) for one in (base, column))
    return Ratio(value, low, high, unreliable), ""


def other_code(section: Section) -> list[str]:
    """Where a result runs other code than the first under the same name, in lines."""
    lines = []
    for name, column in list(zip(section.letters, section.columns))[1:]:
        found = differences(section.columns[0], column)
        if found:
            lines += ["", f"{name} runs different code from {section.letters[0]}:"]
            lines += [f"  {line}" for line in equality.sentences(found)]
    return lines

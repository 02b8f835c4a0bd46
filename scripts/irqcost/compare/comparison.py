# SPDX-License-Identifier: GPL-2.0-only
"""Results beside each other, figure by figure, with ratios to the first of them. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass

from irqcost.base.verdicts import Trust
from irqcost.compare.columns import Column, letter
from irqcost.model import naming, units
from irqcost.model.machine_code import equality, masking
from irqcost.model.result import Entry, other_estimator
from irqcost.model.units import Value
from irqcost.stats import intervals


@dataclass(frozen=True)
class Ratio:
    """A figure by the baseline's, and from where to where that may lie (None: not known)."""

    value: float
    low: float | None
    high: float | None
    unreliable: bool


@dataclass(frozen=True)
class Cell:
    """A figure of one column in one unit, or why there is none.

    `remark` says why the result is unreliable; `not_comparable` why it is not compared with the
    baseline's: then there is no ratio, or where only the instructions are others, one to be taken
    with that in mind.
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


@dataclass(frozen=True)
class Row:
    """A figure in all columns, each with a cell a unit."""

    name: str  # backend/probe/mode…
    probe: str
    cells: tuple[tuple[Cell, ...], ...]


def rows(columns: Sequence[Column], unit: str | None) -> list[Row]:
    """All figures, grouped by primitive in the order in which they first appear.

    `unit` of None: the natural unit of each result, and ns where it has a duration.
    """
    groups: dict[str, dict[str, None]] = {}
    for column in columns:
        for name, entry in column.result.figures.items():
            groups.setdefault(entry.probe, {})[name] = None
    other = [other_instructions(columns[0], column) for column in columns]
    found = []
    for probe, names in groups.items():
        for name in names:
            cells = tuple(
                tuple(
                    _cell(column, columns[0], name, one, not_comparable)
                    for one in shown(column, unit)
                )
                for column, not_comparable in zip(columns, other)
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
                found.setdefault(name, "the kernel's live text is another one")
    return found


def differences(base: Column, column: Column) -> list[equality.CodeDifference]:
    """What two results measured under one name though it is not the same. Of kernels that do not
    mask alike it goes without saying that their code is another."""
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
            not_comparable = not_comparable or other_estimator(first, entry)
        not_comparable = not_comparable or instructions
    remark = entry.remark or _clock_doubt(column, unit)
    interval = bool(entry.cycles_interval if unit == "cycles" else entry.ticks_interval)
    return Cell(unit, called, figure, interval, entry.verdict, remark, "", ratio, not_comparable)


def _clock_doubt(column: Column, unit: str) -> str:
    """Why a time in this unit is in doubt, whatever the figure."""
    return "" if unit == "cycles" else naming.clock_doubt(column.result.context)


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
        return None, "the baseline has no such figure"
    for which, figure_of in (("", entry), ("in the baseline ", first)):
        if figure_of.verdict == Trust.INCONSISTENT:
            return None, f"{which}{figure_of.remark}"
    one, two = base.result.context, column.result.context
    if one.kind != two.kind:
        return None, f"{two.kind} beside {one.kind}: no measure of the same thing"
    if not_comparable := masking.not_comparable(
        one.masking, two.masking, entry.backend, entry.probe
    ):
        return None, not_comparable
    if one.cpu.core_type and two.cpu.core_type and one.cpu.core_type != two.cpu.core_type:
        return None, f"another type of core: {two.cpu.core_type} beside {one.cpu.core_type}"
    if units.unit_name(unit, base.result) != units.unit_name(unit, column.result):
        return None, "another unit than the baseline's"
    under = units.figure(base.result, first, unit)
    if under is None:
        return None, "the baseline has no figure in this unit"
    value = intervals.ratio(figure.value, under.value, under.width)
    if value is None:
        return None, "the baseline does not stand out from zero"
    low = high = None
    if under.low > 0 and figure.low >= 0:
        low, high = figure.low / under.high, figure.high / under.low
    unreliable = entry.unreliable or first.unreliable
    unreliable = unreliable or any(_clock_doubt(one, unit) for one in (base, column))
    return Ratio(value, low, high, unreliable), ""


def in_lines(columns: Sequence[Column]) -> list[str]:
    """Where a result measured other instructions than the first under the same name, in lines."""
    lines = []
    for place, column in enumerate(columns[1:], 1):
        found = differences(columns[0], column)
        if found:
            name = letter(place)
            lines += ["", f"{name} measured other instructions than {letter(0)}:"]
            lines += [f"  {line}" for line in equality.sentences(found)]
    return lines

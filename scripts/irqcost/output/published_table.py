# SPDX-License-Identifier: GPL-2.0-only
"""Published figures beside a comparison, as text, Markdown, CSV lines and JSON."""

import statistics
from collections.abc import Sequence
from typing import Any

from irqcost.base import screen
from irqcost.base.table import Table, number
from irqcost.compare.columns import Column
from irqcost.compare.comparison import Row, shown
from irqcost.model import published
from irqcost.model.published import Published

_TITLE = "Published values of the same primitives, measured by others (results/published/)"


def chosen(
    figures: Sequence[Published], columns: Sequence[Column], rows: Sequence[Row], unit: str | None
) -> list[Published]:
    """The figures of the probes compared, in units that the comparison shows.

    So counts of micro-operations are never among them.
    """
    probes = {row.probe for row in rows}
    units = {one for column in columns for one in shown(column, unit)}
    # Ticks of an instruction clock are no ticks of a TSC.
    if any(column.result.context.instruction_clock for column in columns):
        units.discard("ticks")
    return [
        figure
        for figure in figures
        if published.UNITS.get(figure.unit) in units
        and probes.intersection(published.PROBES.get(figure.primitive, ()))
    ]


def text(figures: Sequence[Published], columns: Sequence[Column]) -> str:
    """Per primitive from where to where the figures go, and each of the microarchitectures here."""
    if not figures:
        return "\nNo published values of these primitives in these units"
    width = screen.width()
    parts = ["", _TITLE, "", _ranges(figures).fitted(width)]
    same = of_same_core(figures, columns)
    if same:
        parts += ["", "On the same microarchitectures:", "", _each(same).fitted(width)]
    models = sum(one.model for one in figures)
    if models:
        parts += [
            "",
            f"{models} values from tables of compilers and emulators ignored: nobody measured them",
        ]
    if any(one.suspect for one in figures):
        parts.append("?: suspect, see results/published/README.md")
    return screen.wrapped("\n".join(parts))


def of_same_core(figures: Sequence[Published], columns: Sequence[Column]) -> list[Published]:
    """Those of a microarchitecture compared here; without tables of compilers and emulators."""
    return [
        one
        for one in figures
        if not one.model and any(published.same_core(one, column.result) for column in columns)
    ]


def _ranges(figures: Sequence[Published]) -> Table:
    groups: dict[tuple[str, str, str], list[float]] = {}
    for one in figures:
        if not one.model and not one.suspect:
            groups.setdefault((one.primitive, one.mode, one.unit), []).append(one.value)
    table = Table(("primitive", "mode", "unit", "figures", "least", "median", "most"), "<<<>>>>")
    for (primitive, mode, unit), values in sorted(groups.items()):
        ends = (min(values), statistics.median(values), max(values))
        numbers = [number(value, 2) for value in ends]
        table.row(primitive, mode, unit.replace("_", " "), str(len(values)), *numbers)
    return table


def _each(figures: Sequence[Published]) -> Table:
    table = Table(("primitive", "mode", "value", "unit", "CPU", "source"), "<<><<<")
    for one in figures:
        mark = " ?" if one.suspect else ""
        table.row(
            one.primitive,
            one.mode,
            number(one.value, 2) + mark,
            one.unit.replace("_", " "),
            f"{one.microarchitecture}, {one.cpu_model}",
            f"{one.source}, {one.locator}",
        )
    return table


def parts(one: Published) -> dict[str, Any]:
    """A figure by the names of its parts, for other programs."""
    return {
        "primitive": one.primitive,
        "probes": list(published.PROBES.get(one.primitive, ())),
        "mode": one.mode,
        "value": one.value,
        "unit": one.unit.replace("_", " "),
        "kind": one.kind,
        "vendor": one.vendor,
        "microarchitecture": one.microarchitecture,
        "cpu": one.cpu_model,
        "year": one.year,
        "source": f"{one.source}, {one.locator}, {one.date}",
        "note": one.note,
        "suspect": one.suspect,
    }

# SPDX-License-Identifier: GPL-2.0-only
"""Probes down, results across: every cost at once, as a colour and a figure."""

from typing import Any

from irqcost.base.errors import NoChart
from irqcost.base.table import number
from irqcost.model import naming, units
from irqcost.output.charts import Material, cells
from irqcost.output.charts.places import Theme
from irqcost.output.headline import headline

_CAPTION = (
    "Throughput, back to back, and for probes that change the interrupt flag the isolated cost "
    "between fences; loop and fences subtracted. Colours on a logarithmic scale. “?”: in doubt, "
    "the table "
    "says why. –: not measured. "
)


def figure(material: Material, theme: Theme) -> Any:
    """The picture. Raises NoChart where the results have different units."""
    called = units.names([one.result for one in material.series], material.unit)
    if len(called) > 1:
        raise NoChart(
            f"no chart: {' and '.join(called)} share no scale of colours; choose one with --unit"
        )
    names = cells.names(material)
    rows = [
        (_label(name), [_cell(material, place, name) for place in _all(material)]) for name in names
    ]
    contexts = [one.result.context for one in material.series]
    executions = naming.executions(contexts)
    table = cells.Table(
        headline(material.series, names, material.unit),
        [one.name or one.title for one in material.series],
        rows,
        _CAPTION + f"Executed: {executions}.",
        f"{called[0]} per operation",
    )
    return cells.draw(table, theme)


def _all(material: Material) -> range:
    return range(len(material.series))


def _label(name: str) -> str:
    backend, probe, mode = name.split("/")
    return f"{backend} {probe}" + (" (isolated)" if mode == "isolated" else "")


def _cell(material: Material, place: int, name: str) -> tuple[str, float | None]:
    result = material.series[place].result
    entry = result.figures.get(name)
    cost = units.figure(result, entry, material.unit) if entry else None
    if entry is None or cost is None:
        return "–", None
    digits = 0 if result.context.instruction_clock and cost.value == round(cost.value) else 1
    return number(cost.value, digits) + (" ?" if entry.doubtful else ""), cost.value

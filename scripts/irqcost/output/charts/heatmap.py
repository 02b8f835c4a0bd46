# SPDX-License-Identifier: GPL-2.0-only
"""Probes down, results across: every cost at once, as a colour and a figure."""

from typing import Any

from irqcost.base.errors import NoChart
from irqcost.base.table import number
from irqcost.model import naming, units
from irqcost.output.charts import Inputs, cells
from irqcost.output.charts.places import Theme
from irqcost.output.headline import headline

_CAPTION = (
    "Throughput, back to back, and for probes that change the interrupt flag the isolated cost "
    "between fences; loop and fences subtracted. Colours on a logarithmic scale. “?”: in doubt, "
    "the table "
    "says why. –: not measured. "
)


def figure(inputs: Inputs, theme: Theme) -> Any:
    """The picture. Raises NoChart where the results have different units."""
    called = units.names([one.result for one in inputs.series], inputs.unit)
    if len(called) > 1:
        raise NoChart(
            f"no chart: {' and '.join(called)} share no scale of colours; choose one with --unit"
        )
    names = cells.names(inputs)
    rows = [
        (_label(name), [_cell(inputs, place, name) for place in _all(inputs)]) for name in names
    ]
    contexts = [one.result.context for one in inputs.series]
    executions = naming.executions(contexts)
    table = cells.Table(
        headline(inputs.series, names, inputs.unit),
        [one.name or one.title for one in inputs.series],
        rows,
        _CAPTION + f"Executed: {executions}.",
        f"{called[0]} per operation",
    )
    return cells.draw(table, theme)


def _all(inputs: Inputs) -> range:
    return range(len(inputs.series))


def _label(name: str) -> str:
    backend, probe, mode = name.split("/")
    return f"{backend} {probe}" + (" (isolated)" if mode == "isolated" else "")


def _cell(inputs: Inputs, place: int, name: str) -> tuple[str, float | None]:
    result = inputs.series[place].result
    entry = result.figures.get(name)
    cost = units.figure(result, entry, inputs.unit) if entry else None
    if entry is None or cost is None:
        return "–", None
    digits = 0 if result.context.instruction_clock and cost.value == round(cost.value) else 1
    return number(cost.value, digits) + (" ?" if entry.unreliable else ""), cost.value

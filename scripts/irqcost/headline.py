# SPDX-License-Identifier: GPL-2.0-only
"""The sentence above a picture: what is seen in it. Figures in doubt make no headline."""

from collections.abc import Sequence

from irqcost import report, units
from irqcost.series import Series


def headline(series: Sequence[Series], names: Sequence[str], unit: str | None) -> str:
    """Of one result its dearest and cheapest probe, of several where they differ most.

    `names` are the entries shown (backend/probe/mode, in situ with the section behind).
    """
    called = units.names([one.result for one in series], unit)
    if len(called) > 1:
        return "Figures in different units, not to be compared: " + " beside ".join(called)
    if len(series) == 1:
        return _range(series[0], names, unit, called[0])
    return _difference(series, names, unit, called[0])


def _cost(one: Series, name: str, unit: str | None) -> float | None:
    """The figure, where it is free of doubt and stands out from zero."""
    entry = one.result.figures.get(name)
    if entry is None or entry.doubtful:
        return None
    figure = units.figure(one.result, entry, unit)
    if figure is None or figure.value <= figure.width:
        return None
    return figure.value


def _written(one: Series, cost: float) -> str:
    return report.number(cost, 0 if one.result.context.instruction_clock else 1)


def _range(one: Series, names: Sequence[str], unit: str | None, called: str) -> str:
    costs = {name: cost for name in names if (cost := _cost(one, name, unit)) is not None}
    if not costs:
        return "Every figure is in doubt"
    # Only one mode is comparable with itself: that of the first name.
    mode = next(iter(costs)).split("/", 2)[2]
    ranked = sorted((cost, name) for name, cost in costs.items() if name.endswith(f"/{mode}"))
    (low, cheapest), (high, dearest) = ranked[0], ranked[-1]
    text = f"{dearest.split('/')[1]} costs {_written(one, high)} {called}"
    if cheapest != dearest:
        text += f", {cheapest.split('/')[1]} {_written(one, low)}"
    if mode.startswith("in_situ/"):
        text += f", around {mode.split('/')[1]} cycles of work"
    return text


def _difference(
    series: Sequence[Series], names: Sequence[str], unit: str | None, called: str
) -> str:
    widest = None
    for name in names:
        costs = [(cost, i) for i, s in enumerate(series) if (cost := _cost(s, name, unit))]
        if len(costs) > 1:
            low, high = min(costs), max(costs)
            if widest is None or high[0] / low[0] > widest[0]:
                widest = (high[0] / low[0], name, low, high)
    if widest is None:
        return "No probe has a figure free of doubt in more than one result"
    _, name, (low_cost, low_index), (high_cost, high_index) = widest
    backend, probe, mode = name.split("/", 2)
    low_one, high_one = series[low_index], series[high_index]
    # An instruction clock counts the same in both modes.
    exact = low_one.result.context.instruction_clock
    where = backend if exact else f"{backend}, {mode}"
    return (
        f"{probe} ({where}) differs most: {_written(low_one, low_cost)} {called} on "
        f"{low_one.name}, {_written(high_one, high_cost)} on {high_one.name}"
    )

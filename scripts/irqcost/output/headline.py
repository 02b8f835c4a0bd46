# SPDX-License-Identifier: GPL-2.0-only
"""The sentence above a picture: what it shows. An unreliable result makes no headline, and where
one was left out of it, it says so."""

from collections.abc import Sequence

from irqcost.base.table import number
from irqcost.compare.labels import Series
from irqcost.model import naming, units
from irqcost.model.machine_code import masking

# What masks and unmasks, by what it says about the kernel's own masking: the first that was
# measured makes the headline. In ring 3 nothing masks; popf is the part that can be seen there.
_MASKING = (
    "local_irq_save_restore",
    "irq_save_restore",
    "save_cli_test_sti",
    "local_irq_disable_enable",
    "cli_sti",
)
_SEEN_IN_RING_3 = ("popf",)


def headline(series: Sequence[Series], names: Sequence[str], unit: str | None) -> str:
    """Of one result what masking costs, of several where they differ most, too.

    Where nothing that masks was measured: the most and the least expensive probe.

    `names` are the entries shown (backend/probe/mode, in situ with the section after it).
    """
    called = units.names([one.result for one in series], unit)
    if len(called) > 1:
        return "Results in different units cannot be compared: " + " and ".join(called)
    masking = _masking(series, names, unit, called[0])
    if len(series) == 1:
        return masking or _range(series[0], names, unit, called[0])
    difference = _difference(series, names, unit, called[0])
    return f"{masking}; {difference}" if masking else difference


def _masking(
    series: Sequence[Series], names: Sequence[str], unit: str | None, called: str
) -> str | None:
    """What masking costs in all of the results; None where it was not measured in each."""
    found = _first(_MASKING, series, names, unit)
    if found:
        name, amount = found
        backend, probe = name.split("/")[:2]
        contexts = [one.result.context for one in series]
        text = f"Masking and restoring costs {amount} {called} ({backend}/{probe})"
        if kernel := naming.kernel_functions(contexts, backend, probe):
            text = f"{probe} costs {amount} {called} ({kernel})"
    else:
        found = _first(_SEEN_IN_RING_3, series, names, unit)
        if not found:
            return None
        name, amount = found
        text = f"{name.split('/')[1]} costs {amount} {called}"
    mode = name.split("/", 2)[2]
    return text + _circumstance(mode)


def _circumstance(mode: str) -> str:
    """What follows a mode's name, in words: the section, or the context."""
    mode, _, variant = mode.partition("/")
    if not variant:
        return ""
    if mode != "in_situ":
        return f", in context {variant}"
    return ", around " + (f"{variant} cycles of work" if variant.isdigit() else "per-CPU data")


def _first(
    keys: Sequence[str], series: Sequence[Series], names: Sequence[str], unit: str | None
) -> tuple[str, str] | None:
    """The first of the probes that has a cost in each result: its entry, and from where to where
    the cost goes."""
    for name in (name for key in keys for name in names if name.split("/")[1] == key):
        if not _alike(series, name):
            continue
        costs = [(cost, _written(one, cost)) for one in series if (cost := _cost(one, name, unit))]
        if len(costs) == len(series):
            low, high = min(costs)[1], max(costs)[1]
            return name, low if low == high else f"{low} to {high}"
    return None


def _alike(series: Sequence[Series], name: str) -> bool:
    """Whether what masks in a figure is the same in all results."""
    first, *others = (one.result.context.masking for one in series)
    backend, probe = name.split("/")[:2]
    return not any(masking.not_comparable(first, other, backend, probe) for other in others)


def _cost(one: Series, name: str, unit: str | None) -> float | None:
    """The result, where it is reliable and distinguishable from zero."""
    entry = one.result.figures.get(name)
    if entry is None or entry.unreliable:
        return None
    figure = units.figure(one.result, entry, unit)
    if figure is None or figure.value <= figure.width:
        return None
    return figure.value


def _written(one: Series, cost: float) -> str:
    return number(cost, 0 if one.result.context.instruction_clock else 1)


def _range(one: Series, names: Sequence[str], unit: str | None, called: str) -> str:
    costs = {name: cost for name in names if (cost := _cost(one, name, unit)) is not None}
    if not costs:
        return "Unreliable run: see the warnings"
    # Only one mode is comparable with itself: that of the first name.
    mode = next(iter(costs)).split("/", 2)[2]
    ranked = sorted((cost, name) for name, cost in costs.items() if name.endswith(f"/{mode}"))
    (low, cheapest), (high, most_expensive) = ranked[0], ranked[-1]
    text = f"{most_expensive.split('/')[1]} costs {_written(one, high)} {called}"
    if cheapest != most_expensive:
        text += f", {cheapest.split('/')[1]} {_written(one, low)}"
    return text + _circumstance(mode)


def _difference(
    series: Sequence[Series], names: Sequence[str], unit: str | None, called: str
) -> str:
    widest = None
    ignored = 0
    for name in names:
        if not _alike(series, name):
            continue
        costs = [(cost, i) for i, s in enumerate(series) if (cost := _cost(s, name, unit))]
        ignored += _ignored(series, name)
        if len(costs) > 1:
            low, high = min(costs), max(costs)
            if widest is None or high[0] / low[0] > widest[0]:
                widest = (high[0] / low[0], name, low, high)
    left_out = f" ({ignored} unreliable results ignored)" if ignored else ""
    if widest is None:
        return f"too noisy to compare{left_out}" if ignored else "nothing in common to compare"
    _, name, (low_cost, low_index), (high_cost, high_index) = widest
    backend, probe, mode = name.split("/", 2)
    low_one, high_one = series[low_index], series[high_index]
    if _written(low_one, low_cost) == _written(high_one, high_cost):
        return f"no visible difference{left_out}"
    # An instruction clock counts the same in both modes.
    exact = low_one.result.context.instruction_clock
    where = backend if exact else f"{backend}, {mode}"
    return (
        f"{probe} ({where}) differs most: {_written(low_one, low_cost)} {called} on "
        f"{low_one.name}, {_written(high_one, high_cost)} on {high_one.name}{left_out}"
    )


def _ignored(series: Sequence[Series], name: str) -> int:
    """How many results of this name are unreliable."""
    found = (one.result.figures.get(name) for one in series)
    return sum(entry is not None and entry.unreliable for entry in found)

# SPDX-License-Identifier: GPL-2.0-only
"""How many instructions each primitive executes, by kernel: exact counts under the instruction
clock, coloured by how many times the fewest of its row they are."""

import re
from collections.abc import Sequence
from typing import Any

from irqcost import report
from irqcost.charts import Material, cells
from irqcost.charts.style import Theme
from irqcost.errors import IrqcostError
from irqcost.series import Series

_CAPTION = (
    "Instructions that one operation executes: counted under QEMU's instruction clock, where "
    "a tick is an instruction; they say nothing about time. Repeated back to back; for probes that "
    "change the interrupt flag, once. Colours: how many times the fewest of the row, on a "
    "logarithmic scale. –: not measured on that kernel."
)


def figure(material: Material, theme: Theme) -> Any:
    """The picture. Raises IrqcostError where no result is one under the instruction clock."""
    exact = [one for one in material.series if one.result.context.instruction_clock]
    if not exact:
        raise IrqcostError(
            "no chart: no result was counted under the instruction clock (irqcost vm --exact)"
        )
    exact.sort(key=_version)
    names = cells.names(Material(exact, material.probes))
    rows = []
    for name in names:
        counts = [_count(one, name) for one in exact]
        known = [count for count in counts if count is not None and count > 0]
        fewest = min(known, default=1.0)
        row = [
            ("–" if c is None else _written(c), None if c is None else c / fewest) for c in counts
        ]
        rows.append((name.split("/")[1], row))
    table = cells.Table(
        _headline(exact, names),
        [_kernel(one) for one in exact],
        rows,
        _CAPTION,
        "times the fewest of the row",
    )
    return cells.draw(table, theme)


def _version(one: Series) -> list[int]:
    """Orders kernels by age, whenever each was measured."""
    return [int(number) for number in re.findall(r"\d+", one.result.context.kernel.release)]


def _kernel(one: Series) -> str:
    kernel = one.result.context.kernel
    release = kernel.release.removesuffix("-amd64")
    return release + (" (PREEMPT_RT)" if kernel.realtime and "-rt" not in release else "")


def _count(one: Series, name: str) -> float | None:
    entry = one.result.figures.get(name)
    return None if entry is None else entry.ticks


def _written(count: float) -> str:
    return report.number(count, 0 if count == round(count) else 3)


def _headline(exact: Sequence[Series], names: Sequence[str]) -> str:
    """What masking executes, and what differs most between the kernels."""
    texts = []
    differ = []
    for name in names:
        counts = [count for one in exact if (count := _count(one, name)) is not None]
        probe = name.split("/")[1]
        low, high = min(counts), max(counts)
        if probe == "local_irq_save_restore":
            amount = _written(low) if low == high else f"{_written(low)} to {_written(high)}"
            texts.append(f"local_irq_save and restore execute {amount} instructions")
        if low > 0 and high > low:
            differ.append((high / low, probe, low, high))
    if differ:
        _, probe, low, high = max(differ)
        texts.append(f"{probe} differs most: {_written(low)} to {_written(high)} by kernel")
    return "; ".join(texts) or f"{len(names)} primitives execute the same on {len(exact)} kernels"

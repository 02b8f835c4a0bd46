# SPDX-License-Identifier: GPL-2.0-only
"""How many instructions each primitive executes, by kernel: exact counts under the instruction
clock, coloured by how many times the fewest of its row they are."""

import re
from collections.abc import Sequence
from typing import Any

from irqcost.base.errors import NoChart
from irqcost.base.table import number
from irqcost.compare.labels import Series
from irqcost.output.charts import Inputs, cells
from irqcost.output.charts.places import Theme

# Of an instruction: what a count is off a whole number by where all copies are alike.
_SHARED = 0.02

# Facts of a kernel's configuration by which every masking and unlocking becomes a check.
_CHECKING = frozenset(("TRACE_IRQFLAGS", "LOCKDEP", "KASAN"))

_CAPTION = (
    "Instructions that one operation executes: counted under QEMU's instruction clock, where "
    "a tick is an instruction; they say nothing about time. Repeated back to back; for probes that "
    "change the interrupt flag, once. Colours: how many times the fewest of the row, on a "
    "logarithmic scale. A fraction is the mean over the copies in a window where the compiler made "
    "them differ. –: not measured on that kernel."
)


def figure(inputs: Inputs, theme: Theme) -> Any:
    """The picture. Raises NoChart where no result is one under the instruction clock."""
    exact = [one for one in inputs.series if one.result.context.instruction_clock]
    if not exact:
        raise NoChart(
            "no chart: no result was counted under the instruction clock (irqcost vm --exact)"
        )
    # Kernels that check themselves last: nobody has them in use.
    exact.sort(key=lambda one: (_checks(one), _version(one)))
    names = cells.names(Inputs(exact, inputs.probes))
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


def _checks(one: Series) -> bool:
    """Whether the kernel checks its own locks and masking while it runs."""
    config = one.result.context.kernel.config or ()
    return not _CHECKING.isdisjoint(config)


def _kernel(one: Series) -> str:
    """A heading, at most three lines: the version, the build behind it, and what is special.

    Debian's releases have one of two forms: version-ABI-flavour, 6.1.0-56-rt-amd64, and
    version+revision-flavour, 6.12.117+deb12-amd64. Whatever is neither is broken at its first dash.
    """
    kernel = one.result.context.kernel
    # Of the architecture there is but one.
    version, *rest = re.split("(?=[-+])", kernel.release.removesuffix("-amd64"))
    lines = [version, "".join(rest).lstrip("-")] if rest else [version]
    special = [
        words
        for words, holds in (("PREEMPT_RT", kernel.realtime), ("with checks", _checks(one)))
        if holds
    ]
    return "\n".join([*lines, *special])


def _count(one: Series, name: str) -> float | None:
    entry = one.result.figures.get(name)
    return None if entry is None else entry.ticks


def _written(count: float) -> str:
    # Counts have no noise, but what surrounds the window is shared out over its operations.
    return number(count, 0 if abs(count - round(count)) < _SHARED else 1)


def _headline(exact: Sequence[Series], names: Sequence[str]) -> str:
    """What masking executes, and what differs most between the kernels that are in use: one that
    checks itself executes many times as much, and of whatever it is."""
    used = [one for one in exact if not _checks(one)] or list(exact)
    texts = []
    differ = []
    for name in names:
        counts = [count for one in used if (count := _count(one, name)) is not None]
        if not counts:
            continue
        probe = name.split("/")[1]
        low, high = min(counts), max(counts)
        if probe == "local_irq_save_restore":
            amount = _written(low)
            amount += "" if amount == _written(high) else f" to {_written(high)}"
            texts.append(f"local_irq_save and restore execute {amount} instructions")
        if low > 0 and high > low:
            differ.append((high / low, probe, low, high))
    if differ:
        _, probe, low, high = max(differ)
        texts.append(f"{probe} differs most: {_written(low)} to {_written(high)} by kernel")
    text = "; ".join(texts) or f"{len(names)} primitives execute the same on {len(exact)} kernels"
    return text + ("" if len(used) == len(exact) else " (without those that check themselves)")

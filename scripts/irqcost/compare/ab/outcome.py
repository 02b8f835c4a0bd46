# SPDX-License-Identifier: GPL-2.0-only
"""What comes of two builds beside each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from irqcost.base.errors import Exit, IrqcostError
from irqcost.base.verdicts import Order
from irqcost.stats.difference import Difference


@dataclass(frozen=True)
class Line:
    """One benchmark in both builds, in core cycles, or in ticks under the instruction clock."""

    name: str
    a: float | None
    b: float | None
    difference: Difference


@dataclass(frozen=True)
class Outcome:
    """What came of it. `missing`: benchmarks of both builds that one of them could not measure."""

    lines: Sequence[Line]
    unit: str
    notes: Sequence[str] = ()
    missing: Sequence[str] = ()

    @property
    def code(self) -> int:
        """The exit code."""
        statuses = {line.difference.status for line in self.lines}
        if Order.SLOWER in statuses:
            return Exit.FAILED
        if self.missing or not statuses:
            return Exit.UNUSABLE
        return Exit.UNDECIDED if Order.UNDECIDED in statuses else Exit.OK


def other_code(a: Mapping[str, str], b: Mapping[str, str]) -> list[str]:
    """Rows whose code in the catalogue is another in B, in a sentence."""
    rows = [row for row, code in a.items() if row in b and b[row] != code]
    return [f"Other code under the same name: {', '.join(rows)}"] if rows else []


def common(listed: Sequence[Sequence[str]]) -> tuple[list[str], list[str]]:
    """Benchmarks of both builds, and sentences that name those of one. Raises IrqcostError where
    they have none in common."""
    names = [name for name in listed[0] if name in listed[1]]
    if not names:
        raise IrqcostError("the two builds have no benchmark in common")
    notes = []
    for letter, own in zip("AB", listed):
        only = [name for name in own if name not in names]
        if only:
            notes.append(f"Only in {letter}, not compared: {', '.join(only)}")
    return names, notes

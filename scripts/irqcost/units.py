# SPDX-License-Identifier: GPL-2.0-only
"""The units in which a figure can be given: one storage unit (ticks), conversion at output."""

from collections.abc import Sequence
from dataclasses import dataclass

from irqcost.model import Entry, Result


@dataclass(frozen=True)
class Figure:
    """A cost and its spread, in one unit."""

    value: float
    spread: float | None


UNITS = {"cycles": "core cycles", "ns": "ns", "ticks": "TSC ticks"}


def unit_name(unit: str, result: Result) -> str:
    """What a unit is called for this result: ticks of an instruction clock are instructions."""
    if unit == "ticks" and result.context.instruction_clock:
        return "instructions"
    return UNITS[unit]


def names(results: Sequence[Result], unit: str | None) -> list[str]:
    """What `unit` (None: the natural one of each) is called for these results, without repeats."""
    called = (unit_name(unit or natural(result), result) for result in results)
    return list(dict.fromkeys(called))


def natural(result: Result) -> str:
    """Core cycles where they were measured, else ticks."""
    measured = any(entry.core_cycles is not None for entry in result.figures.values())
    return "cycles" if measured else "ticks"


def figure(result: Result, entry: Entry, unit: str | None) -> Figure | None:
    """An entry in a unit (None: the natural one); None where the result has no figure in it."""
    unit = unit or natural(result)
    if unit == "ticks":
        return Figure(entry.ticks, entry.spread)
    if unit == "ns":
        khz = result.context.tsc_khz
        return Figure(entry.ns, entry.spread / khz * 1e6 if khz else None)
    if entry.core_cycles is None:
        return None
    cycles_per_tick = result.cycles_per_tick(entry.backend)
    spread = None if cycles_per_tick is None else entry.spread * cycles_per_tick
    return Figure(entry.core_cycles, spread)

# SPDX-License-Identifier: GPL-2.0-only
"""The units in which a figure can be given: one storage unit (ticks), conversion at output."""

from collections.abc import Sequence
from dataclasses import dataclass

from irqcost.model.result import Entry, Result


@dataclass(frozen=True)
class Value:
    """A cost in one unit, and from where to where it may lie.

    That is its 95 % interval; where there is none, its spread, half to each side.
    """

    value: float
    low: float
    high: float

    @property
    def width(self) -> float:
        return self.high - self.low


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


def natural_name(result: Result) -> str:
    """What the natural unit of this result is called."""
    return unit_name(natural(result), result)


def figure(result: Result, entry: Entry, unit: str | None) -> Value | None:
    """An entry in a unit (None: the natural one); None where the result has no figure in it."""
    unit = unit or natural(result)
    half = entry.spread / 2
    ticks = entry.ticks_interval or (entry.ticks - half, entry.ticks + half)
    if unit == "ticks":
        return Value(entry.ticks, *ticks)
    if unit == "ns":
        khz = result.context.tsc_khz
        scale = 1e6 / khz if khz else 0
        return Value(entry.ns, *(entry.ns + (end - entry.ticks) * scale for end in ticks))
    if entry.core_cycles is None:
        return None
    if entry.cycles_interval:
        return Value(entry.core_cycles, *entry.cycles_interval)
    half *= result.cycles_per_tick(entry.backend) or 0
    return Value(entry.core_cycles, entry.core_cycles - half, entry.core_cycles + half)

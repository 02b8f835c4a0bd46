# SPDX-License-Identifier: GPL-2.0-only
"""Lock contention, and deferred interrupts: those that were raised while masked.

What they are, and what their objects in a result file hold, is said in docs/RESULTS.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from irqcost.model.members import FormatError, Object
from irqcost.stats import intervals

CONTENTION = "contention"
PENDING = "pending"
# Modes whose figures are these, and the keys of their objects.
MODES = (CONTENTION, PENDING)

# The percentiles of a distribution, ascending.
PERCENTILES = ("min", "p1", "p10", "p25", "p50", "p75", "p90", "p99", "max")

# How a number of several processes becomes one; what is not named is their median.
_SUMS = ("late", "operations", "rounds")
_EXTREMES = {"min": min, "alone_ticks": min, "max": max, "longest_with_section": max}


@dataclass(frozen=True)
class LockContention:
    """How a lock fared with `cpus`. Percentiles are in ticks, by name: min, p1 … p99, max."""

    cpus: tuple[int, ...]
    section: int  # core cycles
    operations: tuple[float, ...]  # by CPU
    not_run: tuple[int, ...]
    per_second: float
    jain: float
    min_over_max: float
    sleeps: bool
    wait: Mapping[str, float]
    irqs_off: Mapping[str, float] | None  # None where the lock masks nothing


@dataclass(frozen=True)
class DeferredInterrupts:
    """How long an interrupt waited. `work` is ticks of an instruction of masked work, without and
    with an interrupt pending: by `add` and `nop`; empty where none was measured."""

    requested_ns: float
    ticks: Mapping[str, float]
    late: float
    work: Mapping[str, tuple[float, float]]


def mode_of(name: str) -> str:
    """The mode in a benchmark's name."""
    return name.split("/")[2]


def modes(names: Iterable[str]) -> list[str]:
    """Those of MODES among benchmarks, in their order."""
    found = {mode_of(name) for name in names}
    return [mode for mode in MODES if mode in found]


def merged(objects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The object of one benchmark, of its processes' objects."""
    return {key: _merged(key, [one[key] for one in objects]) for key in objects[0]}


def _merged(key: str, values: Sequence[Any]) -> Any:
    first = values[0]
    if key == "not_run":
        # A CPU that ran in one process has run.
        return [cpu for cpu in first if all(cpu in value for value in values)]
    if isinstance(first, list):
        return [sum(column) for column in zip(*values)] if key in _SUMS else first
    if isinstance(first, Mapping) or first is None:
        known = [value for value in values if value is not None]
        return merged(known) if known else None
    if isinstance(first, bool) or key in ("section", "requested_ns"):
        return first
    if key in _SUMS:
        return sum(values)
    return _EXTREMES.get(key, intervals.median)(values)


def parsed(mode: str, item: Object) -> LockContention | DeferredInterrupts | None:
    """The contention or the deferred interrupts of an entry of a result file; None where its mode
    is another one. Raises FormatError."""
    if mode == CONTENTION:
        return _contention(item.object(CONTENTION))
    return _deferred(item.object(PENDING)) if mode == PENDING else None


def _contention(item: Object) -> LockContention:
    fairness = item.object("fairness")
    cpus, operations = item.numbers("cpus"), item.numbers("operations")
    if not cpus or len(cpus) != len(operations):
        raise FormatError(f"{item.where}.operations is not a number for each of cpus")
    return LockContention(
        cpus=tuple(map(int, cpus)),
        section=int(item.number("section")),
        operations=operations,
        not_run=tuple(map(int, item.numbers("not_run"))),
        per_second=item.number("per_second"),
        jain=fairness.number("jain"),
        min_over_max=fairness.number("min_over_max"),
        sleeps=item.flag("sleeps"),
        wait=_percentiles(item.object("wait_ticks")),
        irqs_off=_percentiles(item.object("irqs_off_ticks"), ("p50", "p99", "max"))
        if item.maybe("irqs_off_ticks")
        else None,
    )


def _deferred(item: Object) -> DeferredInterrupts:
    work = item.object("work_ticks") if item.has("work_ticks") else None
    measured = [name for name in work.members() if work.maybe(name)] if work else []
    return DeferredInterrupts(
        requested_ns=item.number("requested_ns"),
        ticks=_percentiles(item.object("ticks")),
        late=item.number("late"),
        work={
            name: (work.object(name).number("quiet"), work.object(name).number("pending"))
            for name in measured
            if work
        },
    )


def _percentiles(item: Object, names: tuple[str, ...] = PERCENTILES) -> dict[str, float]:
    values = [item.number(name) for name in names]
    if values != sorted(values):
        raise FormatError(f"{item.where} does not grow from {names[0]} to {names[-1]}")
    return dict(zip(names, values))

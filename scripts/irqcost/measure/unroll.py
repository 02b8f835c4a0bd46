# SPDX-License-Identifier: GPL-2.0-only
"""One probe measured with every unroll factor."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from irqcost.base.errors import IrqcostError
from irqcost.base.progress import Progress
from irqcost.measure import harness
from irqcost.measure.merge import merge
from irqcost.measure.processes import Plan, Target, collect
from irqcost.model import description, parsing, units
from irqcost.model.result import Context, Entry
from irqcost.model.units import Value

# Those that there are windows for.
UNROLLS = tuple(description.read()["unroll"])

# For each of them, at most.
_SECONDS = 2.0

# Figures agree where their intervals meet, or within this part of them.
_TOLERANCE = 0.01


@dataclass(frozen=True)
class Point:
    """The throughput at one unroll factor."""

    unroll: int
    entry: Entry
    figure: Value


@dataclass(frozen=True)
class Sweep:
    """One probe at the unroll factors that it has, in ascending order."""

    name: str  # backend/probe
    context: Context
    unit: str
    points: tuple[Point, ...]


def measure(bench: Path, arguments: Sequence[str]) -> Sweep:
    """Measures at every factor that the probe has. Raises IrqcostError where it has none."""
    points = []
    refusal = None
    for unroll in UNROLLS:
        asked = [*arguments, f"--irqcost_unroll={unroll}"]
        try:
            (name,) = harness.names(bench, asked)
        except IrqcostError as error:
            refusal = error
            continue
        with Progress(f"measuring with unroll factor {unroll}") as progress:
            session = harness.Session(bench, asked, _SECONDS, progress)
            processes = collect(session.measure, Plan(_SECONDS), time.monotonic)
        result = parsing.parse(merge(processes, Target()))
        entry = result.figures[name]
        figure = units.figure(result, entry, None)
        assert figure is not None  # every figure has one in the result's natural unit
        points.append(Point(unroll, entry, figure))
        unit = units.unit_name(units.natural(result), result)
        context = result.context
    if not points:
        assert refusal is not None
        raise refusal
    return Sweep(name.rpartition("/")[0], context, unit, tuple(points))


def plateau(points: Sequence[Point]) -> tuple[Point, ...]:
    """The points from that factor on from which all agree with the greatest one.

    One point alone is not a plateau, and an unreliable one is on no plateau: then it is empty.
    """
    last = points[-1]
    level: list[Point] = []
    for point in reversed(points):
        if point.entry.unreliable or not _agree(point.figure, last.figure):
            break
        level.insert(0, point)
    return tuple(level) if len(level) > 1 else ()


def _agree(one: Value, other: Value) -> bool:
    near = abs(one.value - other.value) <= _TOLERANCE * abs(other.value)
    return near or (one.low <= other.high and other.low <= one.high)

# SPDX-License-Identifier: GPL-2.0-only
"""Processes: fresh processes of the harness, one after another, until the figures stand still.

What differs from process to process (addresses, what else runs) does not show within one. So a
process gives one value of each figure, and the spread of these values is the uncertainty.
"""

import math
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from irqcost.base.errors import CpuGone
from irqcost.measure.simulation.simulate import executed
from irqcost.model import contention
from irqcost.stats import intervals

# What harnesses took that do not name it (0.2.1 and before).
_BEFORE = 0.05

# How many times wider an interval of a figure of waiting may be: 5 % and 1.25 core cycles.
_CONTENTION_WIDER = 25

# Processes that the time is shared out among. What differs between processes is a third to a half
# of the scatter, and more samples in one do not lessen it. Of six values the interval's ends are
# the extremes, 1.3 standard deviations away; of twelve the third ones, 0.8 away.
_PROCESSES = 12
# Where starting a process would take more than half of such a part, fewer longer ones: those that
# an interval needs, and time for two more.
_SPARE = 2
# Seconds of measuring in the first one, at most: whoever watches is to see figures at once.
_FIRST = 0.8


@dataclass(frozen=True)
class Target:
    """How narrow an interval has to be: half of it, in percent or in core cycles."""

    percent: float = 0.2
    cycles: float = 0.05

    def of(self, name: str) -> "Target":
        """That of a benchmark. Waiting is a matter of chance: its median has no such digits."""
        if contention.mode_of(name) not in contention.MODES:
            return self
        return Target(self.percent * _CONTENTION_WIDER, self.cycles * _CONTENTION_WIDER)

    def half_width(self, value: float) -> float:
        """The half-width wanted for a figure: the greater of the two."""
        return max(abs(value) * self.percent / 100, self.cycles)


@dataclass(frozen=True)
class Plan:
    """When to stop: as soon as every figure is inside the target, or when the time is up."""

    seconds: float
    target: Target = Target()
    # Processes that cover all benchmarks.
    full: int = intervals.FEWEST


@dataclass(frozen=True)
class Request:
    """What a process is to measure; `names` of None means everything that was asked for."""

    names: tuple[str, ...] | None
    seconds: float
    sensor_levels: Mapping[str, float]
    tsc_khz: float | None  # what the first process found
    target: Target = Target()
    sensor: str | None = None  # the row that the first process chose for its sensor


@dataclass(frozen=True)
class Process:
    """A process of the harness: its JSON, and how long it took."""

    document: Mapping[str, Any]
    seconds: float

    @property
    def context(self) -> Mapping[str, Any]:
        """context.irqcost"""
        context: Mapping[str, Any] = self.document["context"]["irqcost"]
        return context

    @property
    def emulated(self) -> bool:
        """Whether nothing in it is a measure of a CPU."""
        if executed(self.context) == "emulated":
            return True
        backends = {entry["run_name"].split("/")[0] for entry in self.entries}
        return bool(backends) and all(self.emulates(backend) for backend in backends)

    def emulates(self, backend: str) -> bool:
        """Whether this backend's code was emulated on a machine that runs other code itself."""
        found = self.context.get("backends", {}).get(backend, {})
        return bool(found.get("execution", {}).get("kind") == "emulated")

    @property
    def imul_latency(self) -> int | None:
        """Core cycles of a multiply of the chain; None where it could not be told."""
        found: int | None = self.context.get("calibration", {}).get("imul_latency")
        return found

    @property
    def entries(self) -> list[Mapping[str, Any]]:
        return [item for item in self.document["benchmarks"] if item["run_type"] == "iteration"]


@dataclass(frozen=True)
class Benchmark:
    """One benchmark over the processes: the entries that count, and the contaminated ones."""

    name: str
    used: list[Mapping[str, Any]] = field(default_factory=list)
    contaminated: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def all(self) -> list[Mapping[str, Any]]:
        return self.used + self.contaminated

    @property
    def shown(self) -> list[Mapping[str, Any]]:
        """What the figure is made of: where no process was clean, of all that there is. Where some
        counted core cycles, it is those."""
        entries = self.used or self.contaminated
        return [entry for entry in entries if "core_cycles" in entry] or entries

    @property
    def unit(self) -> str:
        return "core_cycles" if "core_cycles" in self.shown[0] else "ticks"

    def values(self, key: str) -> list[float]:
        return [float(entry[key]) for entry in self.shown if key in entry]

    def interval(self, key: str) -> tuple[float, float] | None:
        """That of the median, where enough processes were clean, and one step of the clock more on
        each side: processes that agree better than that are rounded in the same way."""
        interval = intervals.median_interval(self.values(key)) if self.used else None
        if interval is None:
            return None
        steps = self.values(f"{key}_resolution")
        step = intervals.median(steps) if steps else 0.0
        return interval[0] - step, interval[1] + step


def run_level(levels: Sequence[float], count: int, tolerance: float) -> float | None:
    """The level of a sensor by those that processes found, `count` processes in all: the lowest on
    which enough of them agree. None where there is none.

    Two must agree, or one in six, so that no lucky or mistaken process makes all others look slow;
    one process alone is believed.
    """
    if count == 1 and levels:
        return levels[0]
    enough = max(2, count / 6)
    for low in sorted(levels):
        near = [one for one in levels if low <= one <= low * (1 + tolerance)]
        if len(near) >= enough:
            return intervals.median(near)
    return None


class Processes:
    """What several processes of a run found together. Each part is worked out once."""

    def __init__(self, each: Sequence[Process]) -> None:
        self.each = tuple(each)

    @cached_property
    def sensors(self) -> dict[str, list[Mapping[str, Any]]]:
        """What processes say of their sensor, by backend."""
        found: dict[str, list[Mapping[str, Any]]] = {}
        for process in self.each:
            for backend, one in process.context.get("baselines", {}).items():
                found.setdefault(backend, []).append(one)
        return found

    @cached_property
    def tolerances(self) -> dict[str, float]:
        """By what part of its level a backend's sensor may be off, as the harness has it."""
        return {
            backend: next((float(one["tolerance"]) for one in said if "tolerance" in one), _BEFORE)
            for backend, said in self.sensors.items()
        }

    @cached_property
    def cached(self) -> dict[str, float]:
        """The levels of earlier runs that the processes were told (interference.py)."""
        return {
            backend: one["cached"]
            for backend, said in self.sensors.items()
            for one in said
            if "cached" in one
        }

    @cached_property
    def levels(self) -> dict[str, float]:
        """The baseline level of each backend's sensor in the run, in core cycles per nop. A cached
        one counts where this run has none or a higher one."""
        result = {}
        for backend, said in self.sensors.items():
            steady = [one["sensor_cycles"] for one in said if one.get("steady", True)]
            level = run_level(steady, len(said), self.tolerances[backend])
            known = self.cached.get(backend)
            allowed = 1 + self.tolerances[backend]
            if known is not None and (level is None or level > known * allowed):
                level = known
            if level is not None:
                result[backend] = level
        return result

    @cached_property
    def limits(self) -> dict[str, float]:
        """What the sensor of a clean entry may read at most, by backend: nothing where processes do
        not agree on a level."""
        return {
            backend: self.levels.get(backend, 0.0) * (1 + tolerance)
            for backend, tolerance in self.tolerances.items()
        }

    @cached_property
    def sensor(self) -> str | None:
        """The row that the sensor is made of: all processes must have the same."""
        rows = (one.context["sensor"]["row"] for one in self.each if "sensor" in one.context)
        return next(rows, None)

    @cached_property
    def imul_latency(self) -> int | None:
        """The latency that most processes found; None where none did."""
        found = Counter(one for process in self.each if (one := process.imul_latency) is not None)
        return found.most_common(1)[0][0] if found else None

    def further(
        self, names: Sequence[str] | None, seconds: float, target: Target = Target()
    ) -> Request:
        """What one more process is asked for: it is told what these found."""
        khz = self.each[0].context["tsc"]["khz"] if self.each else None
        asked = None if names is None else tuple(names)
        return Request(asked, seconds, self.levels, khz, target, self.sensor)

    @cached_property
    def benchmarks(self) -> dict[str, Benchmark]:
        """All benchmarks by name, in the order in which they were first measured."""
        entries = (entry for process in self.each for entry in process.entries)
        # In a process that began in a disturbance the controls, or the chain, may have been no
        # clock.
        calibrated = any("core_cycles" in entry for entry in entries)
        found: dict[str, Benchmark] = {}
        for process in self.each:
            for entry in process.entries:
                one = found.setdefault(entry["run_name"], Benchmark(entry["run_name"]))
                if process.emulates(one.name.split("/")[0]):
                    contaminated = False
                elif calibrated:
                    contaminated = not self.counts(process, entry)
                else:
                    contaminated = not process.emulated and self.is_contaminated(entry)
                (one.contaminated if contaminated else one.used).append(entry)
        return found

    def counts(self, process: Process, entry: Mapping[str, Any]) -> bool:
        """Whether a process's entry has core cycles to be used."""
        alike = process.imul_latency == self.imul_latency
        return "core_cycles" in entry and alike and not self.is_contaminated(entry)

    def is_contaminated(self, entry: Mapping[str, Any]) -> bool:
        """Whether an entry does not count: too few clean samples, or, as the level of the whole run
        tells, none at all."""
        if entry["label"] != "clean":
            return True
        limit = self.limits.get(entry["run_name"].split("/")[0])
        return limit is not None and "sensor" in entry and entry["sensor"] > limit


def half_width(value: float, interval: tuple[float, float]) -> float:
    """From a figure to the larger half of its interval."""
    return max(interval[1] - value, value - interval[0])


def converged(series: Benchmark, target: Target) -> bool:
    """Whether a figure needs no further process."""
    interval = series.interval(series.unit)
    if interval is None:
        return False
    value = intervals.median(series.values(series.unit))
    return half_width(value, interval) <= target.of(series.name).half_width(value)


def collect(
    measure: Callable[[Request], Process], plan: Plan, now: Callable[[], float], overhead: float = 0
) -> list[Process]:
    """Runs processes; at least one.

    `now` counts seconds; `overhead` is what starting a process is thought to take, until the
    processes themselves tell.
    """
    started = now()
    left = plan.seconds
    processes: list[Process] = []
    overheads: list[float] = []
    names: tuple[str, ...] | None = None
    while True:
        parts = _PROCESSES if overhead <= plan.seconds / _PROCESSES / 2 else plan.full + _SPARE
        # Each counts as much as the others, so none is to be much shorter.
        part = min(plan.seconds / parts, left / max(parts - len(processes), 1))
        seconds = min(max(part - overhead, 0), math.inf if processes else _FIRST)
        request = Processes(processes).further(names, seconds, plan.target)
        try:
            processes.append(measure(request))
        except CpuGone as gone:
            # Those from before stand.
            if not processes:
                raise
            print(f"irqcost: {gone}; the run ends here", file=sys.stderr)
            return processes
        # One of several that seems emulated was disturbed while it looked, and lost its clock.
        if all(process.emulated for process in processes):
            # Its time is no measure, and exact counts do not vary.
            return processes
        # The median: a neighbour may draw out one start, and the next one had no time left then.
        overheads.append(max(processes[-1].seconds - seconds, 0))
        overhead = intervals.median(overheads)
        measured = Processes(processes).benchmarks
        if len(processes) >= plan.full:
            names = tuple(
                name
                for name, one in measured.items()
                if not converged(one, plan.target) and not processes[0].emulates(name.split("/")[0])
            )
        left = plan.seconds - (now() - started)
        wanted = len(processes) < plan.full or left > plan.seconds / parts / 2
        if left <= overhead or names == () or not wanted:
            return processes

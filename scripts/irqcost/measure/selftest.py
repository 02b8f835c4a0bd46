# SPDX-License-Identifier: GPL-2.0-only
"""The measurement, measured: what a machine's record of it holds (docs/SELFTEST.md)."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from irqcost.base.errors import IrqcostError
from irqcost.base.progress import Progress
from irqcost.measure import harness, injected, verdict
from irqcost.measure.injected import InjectedRegression
from irqcost.measure.processes import Benchmark, Process, Processes
from irqcost.stats import intervals

# History: 1, the first.
SCHEMA = 1

# Of the figures that say how far processes agree: processes, and seconds of each.
_PROCESSES, _PROCESS_SECONDS = 20, 1.5
_QUICK_PROCESSES, _QUICK_PROCESS_SECONDS = 12, 0.5
_TRIALS, _QUICK_TRIALS = 100, 25

# Share of the trials in which each slowdown is to be found.
_WANTED = 0.99

# Processes of which an interval is made and compared with the others.
PART = intervals.FEWEST


@dataclass(frozen=True)
class Spread:
    """One figure over the processes, in core cycles."""

    name: str
    median: float
    deviation: float  # of half of the processes, from the median: (p75 - p25) / 2
    farthest: float
    processes: int

    def document(self) -> dict[str, str | float]:
        """As the record has it, whose first format calls processes `epochs`."""
        return {"epochs" if key == "processes" else key: one for key, one in vars(self).items()}


@dataclass(frozen=True)
class Coverage:
    """How often the interval of a part of the processes holds the median of the others."""

    held: int
    intervals: int


@dataclass(frozen=True)
class SelftestOptions:
    """What is asked for, by the names that the options of `irqcost selftest` have."""

    quick: bool = False
    trials: int | None = None
    threshold: float = injected.THRESHOLD
    cpu: str | None = None


def measured(bench: Path, args: SelftestOptions) -> dict[str, Any]:
    count, seconds = (
        (_QUICK_PROCESSES, _QUICK_PROCESS_SECONDS) if args.quick else (_PROCESSES, _PROCESS_SECONDS)
    )
    wanted = args.trials or (_QUICK_TRIALS if args.quick else _TRIALS)
    common = ["--irqcost_backends=ring3"] + ([f"--irqcost_cpu={args.cpu}"] if args.cpu else [])
    usual = [*common, "--benchmark_filter=-/slow_"]
    started = time.monotonic()
    with Progress(f"{count} processes") as progress:
        session = harness.Session(bench, usual, count * seconds, progress)
        processes: list[Process] = []
        for _ in range(count):
            processes.append(session.measure(Processes(processes).further(None, seconds)))
            if processes[-1].emulated:
                raise IrqcostError(
                    "this CPU is emulated: it has no cycles to be measured; run on hardware"
                )
    khz = processes[0].context["tsc"]["khz"]
    level = Processes(processes).levels.get("ring3")
    fixed = [*common, f"--irqcost_unroll={injected.UNROLL}", f"--irqcost_tsc_khz={khz}"]
    fixed += [f"--irqcost_sensor_level=ring3:{level:.6f}"] if level else []
    with Progress(f"{wanted} trials") as progress:
        trial_started = time.monotonic()
        regressions = injected.run(
            lambda blocks: harness.interleave(bench, injected.names("ring3"), blocks, fixed),
            wanted,
            lambda done: progress.count(done, wanted, "trials"),
            args.threshold,
        )
        trial_seconds = time.monotonic() - trial_started
    document = record(processes, regressions, args.threshold, trial_seconds)
    document["seconds"] = round(time.monotonic() - started, 1)
    return document


def record(
    processes: Sequence[Process],
    regressions: Sequence[InjectedRegression],
    threshold: float,
    trial_seconds: float,
) -> dict[str, Any]:
    """What the file holds (docs/SELFTEST.md)."""
    context = processes[0].context
    series = Processes(processes).benchmarks
    spreads = spread(series)
    held = coverage(series)
    seconds = sum(process.seconds for process in processes)
    return {
        "selftest": SCHEMA,
        "version": context["version"],
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "cpu": context["cpu"],
        "kernel": context["kernel"]["release"],
        "hypervisor": context["cpuid_hypervisor"],
        "execution": context["execution"]["kind"],
        "catalogue_hash": context["catalogue_hash"],
        "load_avg": {
            "start": processes[0].context["conditions"]["load_avg"]["start"],
            "end": processes[-1].context["conditions"]["load_avg"]["end"],
        },
        "controls": control_errors(series),
        "epochs": {
            "count": len(processes),
            "disturbed": sum(len(one.contaminated) for one in series.values()),
            "seconds": round(seconds, 3),
            "seconds_per_figure": round(seconds / sum(len(e.entries) for e in processes), 4),
            "figures": [one.document() for one in spreads],
        },
        "coverage": vars(held),
        "trials": {
            "processes": injected.PROCESSES,
            "blocks_per_process": injected.BLOCKS,
            "threshold": threshold,
            "seconds": round(trial_seconds, 1),
            "kinds": [_regression(one) for one in regressions],
        },
    }


def _regression(one: InjectedRegression) -> dict[str, Any]:
    return {
        "probe": one.probe,
        "added": one.added,
        "trials": len(one.trials),
        "found": one.found,
        "false": one.false,
        "undecided": one.undecided,
        "differences": [None if one.value is None else round(one.value, 4) for one in one.trials],
    }


def control_errors(series: Mapping[str, Benchmark]) -> dict[str, float]:
    """The error of each control's median, in core cycles."""
    errors = {}
    for probe, cost in verdict.CONTROLS.items():
        one = series.get(f"ring3/{probe}/throughput")
        if one is not None and one.used and one.unit == "core_cycles":
            errors[probe] = round(intervals.median(one.values("core_cycles")) - cost, 6)
    return errors


def spread(series: Mapping[str, Benchmark]) -> list[Spread]:
    """How far the processes that were clean differ, by figure."""
    found = []
    for name, one in series.items():
        values = sorted(one.values("core_cycles")) if one.used else []
        if len(values) >= 4:
            median = intervals.median(values)
            quarter = len(values) // 4
            half = (values[-quarter - 1] - values[quarter]) / 2
            far = max(abs(value - median) for value in values)
            found.append(Spread(name, round(median, 4), round(half, 4), round(far, 4), len(values)))
    return found


def coverage(series: Mapping[str, Benchmark]) -> Coverage:
    """Intervals of the processes one part after the other, each compared with the median of the
    processes that are not in it."""
    held = count = 0
    for one in series.values():
        entries = [entry for entry in one.used if "core_cycles" in entry]
        for start in range(0, len(entries) - PART + 1, PART):
            others = [e["core_cycles"] for e in entries[:start] + entries[start + PART :]]
            if len(others) < PART:
                break
            part = Benchmark(one.name, entries[start : start + PART])
            interval = part.interval("core_cycles")
            assert interval is not None
            count += 1
            held += interval[0] <= intervals.median(others) <= interval[1]
    return Coverage(held, count)


def failures(document: Mapping[str, Any]) -> list[str]:
    """What is wrong: a control that is off, or trials with a wrong verdict."""
    found = []
    for probe, error in document["controls"].items():
        if abs(error) > verdict.CONTROL_TOLERANCE:
            found.append(f"control {probe} is off by {error:+.3f} core cycles")
    for kind in document["trials"]["kinds"]:
        if kind["false"]:
            what = f"{kind['added']} cycles" if kind["added"] else "no difference"
            found.append(f"{kind['false']} of {kind['trials']} trials are wrong about {what}")
    return found


def undecided(document: Mapping[str, Any]) -> list[str]:
    """Slowdowns that too few trials found, though none was wrong about them."""
    return [
        f"{kind['added']} cycles found in {kind['found']} of {kind['trials']} trials"
        for kind in document["trials"]["kinds"]
        if kind["added"] and kind["found"] < _WANTED * kind["trials"]
    ]

# SPDX-License-Identifier: GPL-2.0-only
"""Two builds in turn on this machine: pairs of processes, and what they differ by."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from irqcost.base.errors import IrqcostError
from irqcost.base.progress import Progress
from irqcost.compare import policy
from irqcost.compare.regression import Threshold
from irqcost.measure import harness
from irqcost.compare.ab.loaded import loaded
from irqcost.compare.ab.outcome import Line, Outcome, common, other_code
from irqcost.measure.processes import Process, Processes, Request
from irqcost.stats import difference, intervals

# Pairs of processes. The interval leaves out one odd pair on each side, for up to 96 figures that
# are to be right together.
PAIRS = 16

# Of a figure in a process, seconds. Half of the differences of a middle row then lie within 0.042
# core cycles of each other; with half of the time within 0.070, with a quarter within 0.104.
FIGURE_SECONDS = 0.008
# Of a process: as long as it takes to begin.
_LEAST_SECONDS = 0.1

# What matters, unless the user says other: the wider of the two.
CYCLES, PERCENT = 0.125, 0.3


@dataclass(frozen=True)
class AbOptions:
    """What is asked for, by the names that the options of `irqcost ab` have."""

    backends: str = "ring3"
    filter: str | None = None
    cpu: str | None = None
    pairs: int = PAIRS
    threshold_cycles: float = CYCLES
    threshold_percent: float = PERCENT


# One process of a build, on a CPU or where it chooses.
Measure = Callable[[Request, int | None], Process]


def measured(benches: Sequence[Path], modules: Sequence[Path | None], args: AbOptions) -> Outcome:
    """Both builds in turn, on this machine, each with its module loaded where there is one."""
    arguments = [f"--irqcost_backends={args.backends}"]
    arguments.append(f"--benchmark_filter={args.filter or '-/slow_'}")
    arguments += [f"--irqcost_cpu={args.cpu}"] if args.cpu else []
    listed = []
    for bench, module in zip(benches, modules):
        with _ready(module):
            listed.append(harness.names(bench, arguments))
    names, notes = common(listed)
    if intervals.median_rank(args.pairs, _confidence(len(names))) is None:
        raise IrqcostError(
            f"--pairs {args.pairs}: too few for {len(names)} figures to be right together: "
            "more, or a --filter"
        )
    seconds = 2 * args.pairs * process_seconds(len(names))
    with Progress(f"{args.pairs} pairs of processes, {len(names)} figures") as progress:
        measures = [
            measure_of(session_of(bench, arguments, seconds, progress), module)
            for bench, module in zip(benches, modules)
        ]
        pairs = interleaved(measures, args.pairs, names)
    lines = judged(pairs, args.threshold_cycles, args.threshold_percent)
    codes = [process.context.get("code", {}) for process in pairs[0]]
    return Outcome(lines, "core cycles", [*notes, *other_code(*codes)], missing(pairs, names))


def _ready(module: Path | None) -> AbstractContextManager[None]:
    return nullcontext() if module is None else loaded(module)


def session_of(
    bench: Path, arguments: Sequence[str], seconds: float, progress: Progress
) -> harness.Session:
    """Processes of a build, which may be older than this command and know fewer flags."""
    return harness.Session(bench, arguments, seconds, progress, harness.help_text(bench))


def measure_of(session: harness.Session, module: Path | None = None) -> Measure:
    """What measures a build, its module loaded meanwhile."""

    def measure(request: Request, cpu: int | None) -> Process:
        with _ready(module):
            return session.measure(request, cpu)

    return measure


def process_seconds(figures: int) -> float:
    """For how long a process measures so many figures."""
    return max(FIGURE_SECONDS * figures, _LEAST_SECONDS)


def interleaved(
    measures: Sequence[Measure], wanted: int, names: Sequence[str]
) -> list[tuple[Process, Process]]:
    """Pairs of processes of A and B, taken in the order A B, B A, A B …, each pair on one CPU.

    `wanted` pairs, and at most as many again for those figures that were contaminated in some: how
    many are clean, not what they show, says when there is an end.
    """
    pairs: list[tuple[Process, Process]] = []
    ahead = tuple(names)
    while ahead and len(pairs) < 2 * wanted:
        pairs.append(pair_of(measures, pairs, len(pairs) % 2 == 1, ahead))
        if len(pairs) >= wanted:
            clean = clean_pairs(pairs)
            ahead = tuple(name for name in names if len(clean.get(name, [])) < wanted)
    return pairs


def pair_of(
    measures: Sequence[Measure],
    before: Sequence[tuple[Process, Process]],
    swapped: bool,
    names: Sequence[str],
) -> tuple[Process, Process]:
    """One pair of processes of A and B, of which B is taken first where `swapped`. `before` are the
    pairs taken so far, which tell the levels of the sensor."""
    known = [process for pair in before for process in pair]
    khz = known[0].context["tsc"]["khz"] if known else None
    cpu = None
    found: dict[int, Process] = {}
    for side in (1, 0) if swapped else (0, 1):
        own = Processes([pair[side] for pair in before])
        request = replace(own.further(names, process_seconds(len(names))), tsc_khz=khz)
        found[side] = measures[side](request, cpu)
        cpu = found[side].context["cpu"].get("measured")
    # One of several that seems emulated was disturbed while it looked.
    if all(process.emulated for process in [*known, *found.values()]):
        raise IrqcostError("this CPU is emulated: count instructions instead, with --vm")
    return found[0], found[1]


def clean_pairs(pairs: Sequence[tuple[Process, Process]]) -> dict[str, list[tuple[float, float]]]:
    """Core cycles in A and B by benchmark, in the order of the first process: of those pairs in
    which both processes are clean."""
    # Each build is judged by itself: one may be of a version with another sensor, or another clock.
    builds = [Processes([pair[side] for pair in pairs]) for side in (0, 1)]
    values: dict[str, list[tuple[float, float]]] = {}
    for pair in pairs:
        sides = [{entry["run_name"]: entry for entry in process.entries} for process in pair]
        for name, entry in sides[0].items():
            other = sides[1].get(name)
            if other is None:
                continue
            found = values.setdefault(name, [])
            if builds[0].counts(pair[0], entry) and builds[1].counts(pair[1], other):
                found.append((entry["core_cycles"], other["core_cycles"]))
    return values


def _confidence(figures: int) -> float:
    """Bonferroni: each may be wrong in its share of what all together may."""
    return 1 - (1 - intervals.CONFIDENCE) / max(figures, 1)


def judged(
    pairs: Sequence[tuple[Process, Process]], cycles: float, percent: float, of: int = 0
) -> list[Line]:
    """The lines, in the order of the first process. Where the figures are some of a comparison of
    more, `of` is how many these are."""
    values = clean_pairs(pairs)
    confidence = _confidence(max(len(values), of))
    lines = []
    for name, found in values.items():
        if not found:
            lines.append(Line(name, None, None, difference.judge([], 0)))
            continue
        a, b = (intervals.median([pair[side] for pair in found]) for side in (0, 1))
        limit = Threshold(cycles, percent, policy.section(name)).at(a)
        judgement = difference.judge([y - x for x, y in found], limit, confidence)
        lines.append(Line(name, a, b, judgement))
    return lines


def missing(pairs: Sequence[tuple[Process, Process]], names: Sequence[str]) -> list[str]:
    """Benchmarks of which one build, or both, never had a figure."""
    had = clean_pairs(pairs)
    return [name for name in names if name not in had]

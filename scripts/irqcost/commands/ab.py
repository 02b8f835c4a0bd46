# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost ab`: two builds beside each other, the sharpest comparison that there is."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irqcost.base.errors import Exit, IrqcostError
from irqcost.base.progress import Progress
from irqcost.base.table import Table
from irqcost.compare import policy
from irqcost.compare.regression import Threshold
from irqcost.measure import builds, harness, processes
from irqcost.measure.builds import Build
from irqcost.measure.loaded import loaded, running_kernel
from irqcost.measure.processes import Epoch, Request
from irqcost.model.result import Result
from irqcost.stats import difference, intervals
from irqcost.stats.difference import FASTER, SAME, SLOWER, UNDECIDED, Difference
from irqcost.vm import both
from irqcost.vm.kernels import Kernel, find_kernel

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

# Turns under the instruction clock. One of each would do where all is exact; two tell that it is.
TURNS = (0, 1, 1, 0)

# One process of a build, on a CPU or where it chooses.
Measure = Callable[[Request, int | None], Epoch]

_DESCRIPTION = """\
Compares two builds. Each is a checkout, a git revision of this one (such as HEAD~1; it is unpacked
and built in the cache), or an irqcost-bench. Fresh processes of both take turns on one CPU (A B,
B A, ...), so that what changes in the machine meanwhile falls on both alike; the pairs are what the
interval is made of, and it is made so wide that all figures are right together in 95 of 100
comparisons. Where backend kmod is asked for, each build's module is loaded for its turn. With --vm
both modules and harnesses take turns in one guest, under the instruction clock, and one instruction
is a difference.
"""

_EPILOG = """\
exit codes: 0 B is nowhere slower; 1 it is; 2 wrong usage, a build that fails, or not all was
measured; 3 undecided somewhere; 255 the guest died
"""


@dataclass(frozen=True)
class Line:
    """One benchmark in both builds, in core cycles, or in ticks under the instruction clock."""

    name: str
    a: float | None
    b: float | None
    difference: Difference


@dataclass(frozen=True)
class Comparison:
    """What came of it. `missing`: benchmarks of both builds that one of them could not measure."""

    lines: Sequence[Line]
    unit: str
    notes: Sequence[str] = ()
    missing: Sequence[str] = ()


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "ab",
        help="two builds beside each other: is one slower?",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("a", metavar="A", help="checkout, revision or irqcost-bench")
    add("b", metavar="B", help="what is held against it")
    add("--filter", metavar="REGEX", help="only benchmarks whose name matches")
    add("--backends", metavar="LIST", help="such as ring3,kmod (default: ring3)")
    add("--pairs", metavar="N", type=int, default=PAIRS, help="processes of each (default: 16)")
    add(
        "--cpu", metavar="N", help="the CPU to measure on (default: each pair looks for a free one)"
    )
    add(
        "--threshold-cycles",
        metavar="C",
        type=float,
        default=CYCLES,
        help="a difference below so many core cycles is none, nor is …",
    )
    add(
        "--threshold-percent",
        metavar="P",
        type=float,
        default=PERCENT,
        help="… one below so many percent of A, in situ with its section (default: 0.125 and 0.3)",
    )
    add("--vm", action="store_true", help="count instructions in a guest, ring 0 as well")
    add("--kernel", metavar="KERNEL", default="6.1", help="with --vm: as of irqcost vm")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if not (args.threshold_cycles >= 0 and args.threshold_percent >= 0):
        raise IrqcostError("a threshold is below 0")
    if args.pairs < intervals.FEWEST:
        raise IrqcostError(f"--pairs: an interval needs {intervals.FEWEST} or more")
    if args.vm and args.backends:
        raise IrqcostError("--vm measures with all backends that a guest has; see --filter")
    sides = [builds.find(which) for which in (args.a, args.b)]
    kernel = _kernel(sides, args)
    for letter, side in zip("AB", sides):
        print(f"{letter}: {side.asked}: {side.about}")
    benches = [side.bench() for side in sides]
    _say_if_same("harnesses", benches)
    modules: list[Path] = []
    if kernel is not None:
        with Progress("building the modules") as progress:
            modules = [side.module(kernel, progress.show) for side in sides]
        _say_if_same("modules", modules)
    print(flush=True)
    if args.vm:
        assert kernel is not None
        found = counted(kernel, benches, modules, args)
    else:
        found = measured(benches, modules or (None, None), args)
    print(text(found))
    return code(found)


def _say_if_same(what: str, files: Sequence[Path]) -> None:
    if builds.digest(files[0]) == builds.digest(files[1]):
        print(f"Their {what} are the same, byte for byte.")


def _kernel(sides: Sequence[Build], args: argparse.Namespace) -> Kernel | None:
    """The kernel that modules are loaded into, where any are. Raises IrqcostError where it cannot
    be had, before minutes are spent on builds."""
    if not args.vm and "kmod" not in _backends(args):
        return None
    for side in sides:
        side.checkout()
    if not args.vm:
        return running_kernel()
    with Progress(f"kernel {args.kernel}") as progress:
        return find_kernel(args.kernel, progress.show)


def measured(
    benches: Sequence[Path], modules: Sequence[Path | None], args: argparse.Namespace
) -> Comparison:
    """Both builds in turn, on this machine, each with its module loaded where there is one."""
    arguments = [f"--irqcost_backends={','.join(_backends(args))}"]
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
    codes = [epoch.context.get("code", {}) for epoch in pairs[0]]
    return Comparison(lines, "core cycles", [*notes, *other_code(*codes)], missing(pairs, names))


def _backends(args: argparse.Namespace) -> list[str]:
    return str(args.backends or "ring3").split(",")


def _ready(module: Path | None) -> AbstractContextManager[None]:
    return nullcontext() if module is None else loaded(module)


def session_of(
    bench: Path, arguments: Sequence[str], seconds: float, progress: Progress
) -> harness.Session:
    """Epochs of a build, which may be older than this command and know fewer flags."""
    return harness.Session(bench, arguments, seconds, progress, harness.help_text(bench))


def measure_of(session: harness.Session, module: Path | None = None) -> Measure:
    """What measures a build, its module loaded meanwhile."""

    def measure(request: Request, cpu: int | None) -> Epoch:
        with _ready(module):
            return session.measure(request, cpu)

    return measure


def process_seconds(figures: int) -> float:
    """For how long a process measures so many figures."""
    return max(FIGURE_SECONDS * figures, _LEAST_SECONDS)


def interleaved(
    measures: Sequence[Measure], wanted: int, names: Sequence[str]
) -> list[tuple[Epoch, Epoch]]:
    """Pairs of epochs of A and B, taken in the order A B, B A, A B …, each pair on one CPU.

    `wanted` pairs, and at most as many again for those figures that were disturbed in some: how
    many are free, not what they tell, says when there is an end.
    """
    pairs: list[tuple[Epoch, Epoch]] = []
    ahead = tuple(names)
    while ahead and len(pairs) < 2 * wanted:
        pairs.append(pair_of(measures, pairs, len(pairs) % 2 == 1, ahead))
        if len(pairs) >= wanted:
            free = undisturbed(pairs)
            ahead = tuple(name for name in names if len(free.get(name, [])) < wanted)
    return pairs


def pair_of(
    measures: Sequence[Measure],
    before: Sequence[tuple[Epoch, Epoch]],
    swapped: bool,
    names: Sequence[str],
) -> tuple[Epoch, Epoch]:
    """One pair of epochs of A and B, of which B is taken first where `swapped`. `before` are the
    pairs taken so far, which tell the levels of the sensor."""
    known = [epoch for pair in before for epoch in pair]
    khz = known[0].context["tsc"]["khz"] if known else None
    cpu = None
    found: dict[int, Epoch] = {}
    for side in (1, 0) if swapped else (0, 1):
        levels = processes.sensor_levels([pair[side] for pair in before])
        sensor = processes.sensor([pair[side] for pair in before])
        request = Request(tuple(names), process_seconds(len(names)), levels, khz, sensor=sensor)
        found[side] = measures[side](request, cpu)
        cpu = found[side].context["cpu"].get("measured")
    # One of several that seems emulated was disturbed while it looked.
    if all(epoch.emulated for epoch in [*known, *found.values()]):
        raise IrqcostError("this CPU is emulated: count instructions instead, with --vm")
    return found[0], found[1]


def undisturbed(pairs: Sequence[tuple[Epoch, Epoch]]) -> dict[str, list[tuple[float, float]]]:
    """Core cycles in A and B by benchmark, in the order of the first epoch: of those pairs in which
    both epochs are free of disturbance."""
    judges = [_judge([pair[side] for pair in pairs]) for side in (0, 1)]
    values: dict[str, list[tuple[float, float]]] = {}
    for pair in pairs:
        sides = [{entry["run_name"]: entry for entry in epoch.entries} for epoch in pair]
        for name, entry in sides[0].items():
            other = sides[1].get(name)
            if other is None:
                continue
            found = values.setdefault(name, [])
            if judges[0](pair[0], entry) and judges[1](pair[1], other):
                found.append((entry["core_cycles"], other["core_cycles"]))
    return values


def _judge(own: Sequence[Epoch]) -> Callable[[Epoch, Mapping[str, Any]], bool]:
    """What says whether an entry of one of a build's epochs counts. Each build is judged by itself:
    one may be of a version with another sensor, or another clock."""
    limits, latency = processes.sensor_limits(own), processes.imul_latency(own)

    def counts(epoch: Epoch, entry: Mapping[str, Any]) -> bool:
        return (
            "core_cycles" in entry
            and epoch.imul_latency == latency
            and not processes.is_disturbed(entry, limits)
        )

    return counts


def _confidence(figures: int) -> float:
    """Bonferroni: each may be wrong in its share of what all together may."""
    return 1 - (1 - intervals.CONFIDENCE) / max(figures, 1)


def judged(
    pairs: Sequence[tuple[Epoch, Epoch]], cycles: float, percent: float, of: int = 0
) -> list[Line]:
    """The lines, in the order of the first epoch. Where the figures are some of a comparison of
    more, `of` is how many these are."""
    values = undisturbed(pairs)
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


def missing(pairs: Sequence[tuple[Epoch, Epoch]], names: Sequence[str]) -> list[str]:
    """Benchmarks of which one build, or both, never had a figure."""
    had = undisturbed(pairs)
    return [name for name in names if name not in had]


def other_code(a: Mapping[str, str], b: Mapping[str, str]) -> list[str]:
    """Rows whose code in the catalogue is another in B, in a sentence."""
    rows = [row for row, code in a.items() if row in b and b[row] != code]
    return [f"Other code under the same name: {', '.join(rows)}"] if rows else []


def counted(
    kernel: Kernel,
    benches: Sequence[Path],
    modules: Sequence[Path],
    args: argparse.Namespace,
) -> Comparison:
    """Both builds under the instruction clock, in one guest."""
    parts = [both.Side(bench, module) for bench, module in zip(benches, modules)]
    with Progress(f"guest with kernel {args.kernel}") as progress:
        turns = both.in_turn(kernel, parts, TURNS, args.filter, progress)
    a, b = ([turn.result for turn in turns if turn.side == side] for side in (0, 1))
    return exact(a, b)


def exact(a: Sequence[Result], b: Sequence[Result]) -> Comparison:
    """The comparison of exact counts, by pairs of turns: whatever differs is a difference."""
    listed = [list(dict.fromkeys(name for one in side for name in one.figures)) for side in (a, b)]
    names, notes = common(listed)
    # What a build has and could not measure, in a turn or at all.
    lost = [name for name in names if any(name not in one.figures for one in (*a, *b))]
    for own, other in ((listed[0], b), (listed[1], a)):
        lost += [name for name in own if name not in names and _absent(name, other)]
    lines = []
    for name in names:
        if name in lost:
            continue
        counts = [
            [one.figures[name].ticks for one in side if name in one.figures] for side in (a, b)
        ]
        apart = [_apart(name, x, y) for x, y in zip(*counts)]
        low, high = min(apart), max(apart)
        word = SLOWER if low > 0 else FASTER if high < 0 else SAME
        # Not the same in both turns of a build.
        if low != high or any(len(set(side)) > 1 for side in counts):
            word = UNDECIDED
        judgement = Difference(intervals.median(apart), low, high, len(apart), word)
        lines.append(
            Line(name, intervals.median(counts[0]), intervals.median(counts[1]), judgement)
        )
    notes += other_code(a[0].context.code, b[0].context.code)
    return Comparison(lines, "instructions", notes, lost)


def _absent(name: str, results: Sequence[Result]) -> bool:
    """Whether a build has this benchmark and could not measure it."""
    known = [one.name for result in results for one in result.context.absent]
    known += [one.name for result in results for one in result.context.backends if not one.usable]
    return any(f"{name}/".startswith(f"{one}/") for one in known)


def _apart(name: str, a: float, b: float) -> float:
    # A BPF program's clock is the kernel's: ns by a scale that is known to a millionth.
    return b - a if not name.startswith("bpf/") else float(round(b - a, 2))


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


_MORE = (
    "Undecided is what reaches beyond the thresholds by its noise: more --pairs narrow it, and so "
    "does a quieter machine (./irqcost tune)"
)


def text(found: Comparison) -> str:
    """The table, and sentences."""
    columns = [f"benchmark ({found.unit})", "A", "B", "B - A", "from", "to", "pairs", "verdict"]
    table = Table(columns, "<>>>>>><")
    for line in found.lines:
        d = line.difference
        table.row(
            line.name,
            *("-" if cell is None else f"{cell:.2f}" for cell in (line.a, line.b)),
            *("-" if cell is None else f"{cell:+.3f}" for cell in (d.value, d.low, d.high)),
            str(d.pairs),
            d.word,
        )
    sentences = list(found.notes)
    if found.missing:
        sentences.append(f"Not measured in one of the two: {', '.join(found.missing)}")
    words = [line.difference.word for line in found.lines]
    if UNDECIDED in words:
        sentences.append(_MORE)
    counts = [f"{words.count(word)} {word}" for word in (SLOWER, FASTER, UNDECIDED, SAME)]
    counts = [count for count in counts if not count.startswith("0 ")]
    sentences.append(f"B against A: {', '.join(counts) or 'nothing was measured'}")
    return "\n".join([str(table), "", *sentences])


def code(found: Comparison) -> int:
    """The exit code."""
    words = {line.difference.word for line in found.lines}
    if SLOWER in words:
        return Exit.FAILED
    if found.missing or not words:
        return Exit.UNUSABLE
    return Exit.UNDECIDED if UNDECIDED in words else Exit.OK

# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost ab`: two builds beside each other, the sharpest comparison that there is."""

import argparse
import io
import os
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irqcost import ROOT, build, difference, epochs, files, harness, stats
from irqcost.difference import FASTER, SLOWER, UNDECIDED, Difference
from irqcost.epochs import Epoch, Request
from irqcost.errors import Exit, IrqcostError
from irqcost.progress import Progress
from irqcost.table import Table
from irqcost.vm import kernels

# Pairs of processes: their extremes enclose the median with 1 - 2^-13, which is enough for the
# figures of a whole run to be right together.
_PAIRS = 14

# Of a figure in a process: about 20 ms of samples, and as much waiting for free ones.
_FIGURE_SECONDS = 0.04

# What matters, unless the user says other: the wider of the two.
_CYCLES, _PERCENT = 0.125, 0.3

_DESCRIPTION = """\
Compares two builds of the harness, or with --vm of module and harness in a guest. Each is a
checkout, a git revision (such as HEAD~1; it is built in the cache), or an irqcost-bench. Fresh
processes of both take turns (A B, B A, ...), so that what changes in the machine meanwhile falls
on both alike; the pairs are what the interval is made of, and it is made so wide that all figures
are right together in 95 of 100 comparisons. With --vm both are counted under the instruction clock,
and one instruction is a difference.

exit codes: 0 B is nowhere slower; 1 it is; 3 undecided somewhere; 2 wrong usage, or not comparable
"""


@dataclass(frozen=True)
class Line:
    """One benchmark in both builds, in core cycles, or in ticks under the instruction clock."""

    name: str
    a: float
    b: float
    difference: Difference


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "ab",
        help="two builds beside each other: is one slower?",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("a", metavar="A", help="checkout, revision or irqcost-bench")
    add("b", metavar="B", help="what is held against it")
    add("--filter", metavar="REGEX", help="only benchmarks whose name matches")
    add("--backends", metavar="LIST", default="ring3", help="such as ring3,bpf (default: ring3)")
    add("--pairs", metavar="N", type=int, default=_PAIRS, help="processes of each (default: 14)")
    add("--cpu", metavar="N", help="the CPU to measure on")
    add(
        "--threshold-cycles",
        metavar="C",
        type=float,
        default=_CYCLES,
        help="a difference below so many core cycles is none, nor is …",
    )
    add(
        "--threshold-percent",
        metavar="P",
        type=float,
        default=_PERCENT,
        help="… one below so many percent of A (default: 0.125 and 0.3)",
    )
    add("--vm", action="store_true", help="count instructions in a guest, ring 0 as well")
    add("--kernel", metavar="KERNEL", default="6.1", help="with --vm: as of irqcost vm")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.threshold_cycles < 0 or args.threshold_percent < 0:
        raise IrqcostError("a threshold is below 0")
    if args.vm:
        lines = counted(args)
    else:
        if args.pairs < stats.FEWEST:
            raise IrqcostError(f"--pairs: an interval needs {stats.FEWEST} or more")
        lines = measured(args)
    print(text(lines, "instructions" if args.vm else "core cycles"))
    return code(lines)


def measured(args: argparse.Namespace) -> list[Line]:
    """Both builds in turn, on this machine."""
    benches = [_bench(which) for which in (args.a, args.b)]
    usual = f"--benchmark_filter={args.filter or '-/slow_'}"
    arguments = [f"--irqcost_backends={args.backends}", usual]
    arguments += [f"--irqcost_cpu={args.cpu}"] if args.cpu else []
    names = _common([harness.names(bench, arguments) for bench in benches])
    seconds = _FIGURE_SECONDS * len(names)
    with Progress(f"{args.pairs} pairs of processes, {len(names)} figures") as progress:
        sessions = [
            harness.Session(bench, arguments, 2 * args.pairs * seconds, progress)
            for bench in benches
        ]
        measures = [session.measure for session in sessions]
        pairs = interleaved(measures, args.pairs, names, seconds)
    return judged(pairs, args.threshold_cycles, args.threshold_percent)


def interleaved(
    measures: Sequence[Callable[[Request], Epoch]],
    count: int,
    names: Sequence[str],
    seconds: float,
) -> list[tuple[Epoch, Epoch]]:
    """Pairs of epochs of A and B, taken in the order A B, B A, A B …"""
    pairs: list[tuple[Epoch, Epoch]] = []
    for number in range(count):
        found: dict[int, Epoch] = {}
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            known = [epoch for pair in pairs for epoch in pair]
            khz = known[0].context["tsc"]["khz"] if known else None
            request = Request(tuple(names), seconds, epochs.sensor_floors(known), khz)
            found[side] = measures[side](request)
            if found[side].emulated:
                raise IrqcostError("this CPU is emulated: count instructions instead, with --vm")
        pairs.append((found[0], found[1]))
    return pairs


def judged(pairs: Sequence[tuple[Epoch, Epoch]], cycles: float, percent: float) -> list[Line]:
    """The lines, by benchmark in the order of the first epoch. Only pairs in which both epochs are
    free of disturbance count."""
    floors = epochs.sensor_floors([epoch for pair in pairs for epoch in pair])
    values: dict[str, list[tuple[float, float]]] = {}
    for pair in pairs:
        sides = [{entry["run_name"]: entry for entry in epoch.entries} for epoch in pair]
        for name, entry in sides[0].items():
            found = values.setdefault(name, [])
            other = sides[1].get(name)
            if other is not None and _counts(entry, floors) and _counts(other, floors):
                found.append((entry["core_cycles"], other["core_cycles"]))
    # Bonferroni: each may be wrong in its share of what all together may.
    confidence = 1 - (1 - stats.CONFIDENCE) / max(len(values), 1)
    lines = []
    for name, found in values.items():
        if not found:
            nothing = float("nan")
            lines.append(Line(name, nothing, nothing, difference.judge([], 0)))
            continue
        a, b = (stats.median([pair[side] for pair in found]) for side in (0, 1))
        threshold = max(cycles, abs(a) * percent / 100)
        judgement = difference.judge([y - x for x, y in found], threshold, confidence)
        lines.append(Line(name, a, b, judgement))
    return lines


def _counts(entry: Mapping[str, Any], floors: Mapping[str, float]) -> bool:
    return "core_cycles" in entry and not epochs.is_disturbed(entry, floors)


def counted(args: argparse.Namespace) -> list[Line]:
    """Both builds under the instruction clock; each by its own checkout's command."""
    figures = []
    with tempfile.TemporaryDirectory(prefix="irqcost-ab-") as folder:
        for side, which in (("a", args.a), ("b", args.b)):
            source = _source(which)
            if source is None:
                raise IrqcostError(f"{which}: --vm needs a checkout or a revision, not a program")
            target = Path(folder, f"{side}.json")
            command = [str(source / "irqcost"), "vm", "--exact", "--kernel", args.kernel]
            command += ["--out", str(target), *(["--filter", args.filter] if args.filter else [])]
            done = subprocess.run(command, stdout=subprocess.DEVNULL)
            if done.returncode:
                raise IrqcostError(f"`{' '.join(command)}` ended with status {done.returncode}")
            found = files.read_result(target).figures
            figures.append({name: entry.ticks for name, entry in found.items()})
    return exact(figures[0], figures[1])


def exact(a: dict[str, float], b: dict[str, float]) -> list[Line]:
    """The lines of exact counts: whatever differs is a difference."""
    lines = []
    for name in _common([a, b]):
        apart = b[name] - a[name]
        word = SLOWER if apart > 0 else FASTER if apart < 0 else difference.SAME
        lines.append(Line(name, a[name], b[name], Difference(apart, apart, apart, 1, word)))
    return lines


def _common(names: "Sequence[Sequence[str] | dict[str, float]]") -> list[str]:
    both = [name for name in names[0] if name in names[1]]
    if not both:
        raise IrqcostError("the two builds have no benchmark in common")
    return both


def _bench(which: str) -> Path:
    """The harness that is meant, built where it has to be."""
    path = Path(which)
    if path.is_file() and os.access(path, os.X_OK):
        return path.resolve()
    source = _source(which)
    assert source is not None
    folder = source / "build" / "release"
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "irqcost-build.log"
    log.unlink(missing_ok=True)
    jobs = str(len(os.sched_getaffinity(0)))
    with Progress(f"building {which}") as progress:
        configure = ["cmake", "-S", str(source), "-B", str(folder), "-DCMAKE_BUILD_TYPE=Release"]
        build.logged(configure, log, progress)
        target = ["--target", "irqcost_bench", "--parallel", jobs]
        build.logged(["cmake", "--build", str(folder), *target], log, progress)
    return folder / "bench_user" / "irqcost-bench"


def _source(which: str) -> Path | None:
    """The checkout that is meant; None for a program. A revision is unpacked into the cache."""
    path = Path(which)
    if path.is_dir():
        if not (path / "bench_user").is_dir():
            raise IrqcostError(f"{which}: is no checkout of irqcost: it has no bench_user")
        return path.resolve()
    if path.exists():
        return None
    return _unpacked(which)


def _unpacked(revision: str) -> Path:
    git = ["git", "-C", str(ROOT)]
    asked = [*git, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"]
    done = subprocess.run(asked, capture_output=True, text=True)
    commit = done.stdout.strip()
    if done.returncode or not re.fullmatch("[0-9a-f]{40,64}", commit):
        raise IrqcostError(f"{revision}: is neither a file, a folder nor a revision of {ROOT}")
    target = kernels.cache_directory() / "ab" / commit
    if not (target / "irqcost").exists():
        archive = subprocess.run([*git, "archive", commit], capture_output=True, check=True).stdout
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                tar.extractall(folder + "/tree")
            Path(folder, "tree").rename(target)
    return target


def text(lines: Sequence[Line], unit: str) -> str:
    """The table, and a sentence."""
    table = Table([f"benchmark ({unit})", "A", "B", "B - A", "from", "to", "verdict"], "<>>>>><")
    for line in lines:
        d = line.difference
        cells = [line.a, line.b]
        table.row(
            line.name,
            *(f"{cell:.2f}" if cell == cell else "-" for cell in cells),
            *("-" if cell is None else f"{cell:+.3f}" for cell in (d.value, d.low, d.high)),
            d.word,
        )
    words = [line.difference.word for line in lines]
    counts = [f"{words.count(word)} {word}" for word in dict.fromkeys(sorted(words))]
    return f"{table}\n\nB against A: {', '.join(counts)}"


def code(lines: Sequence[Line]) -> int:
    """The exit code."""
    words = {line.difference.word for line in lines}
    if SLOWER in words:
        return Exit.FAILED
    return Exit.UNDECIDED if UNDECIDED in words else Exit.OK

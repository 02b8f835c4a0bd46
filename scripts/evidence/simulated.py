# SPDX-License-Identifier: GPL-2.0-only
r"""What does irqcost say on CPUs and under conditions that nobody has at hand? Runs it on simulated
ones: each CPU of results/published/traits.csv under each condition of irqcost/traits.py.

A run is that of `./irqcost run --simulate`: processes of the harness on a virtual clock until the
figures are settled or the time is up, and their merge. The truth of each figure is what the
simulation was told; a good figure is right within 0.3 % or 0.05 core cycle of it. In the checkout,
once the harness is built:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/simulated.py --cpus 20 --seeds 1

`--files FOLDER` writes the descriptions instead, for ./irqcost run --simulate.
"""

import argparse
import json
import math
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack, redirect_stderr
from dataclasses import asdict, dataclass
from io import StringIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from irqcost.base.errors import IrqcostError
from irqcost.base.progress import Progress
from irqcost.base.table import Table
from irqcost.measure import build, harness
from irqcost.measure.merge import merge
from irqcost.measure.processes import Plan, Target, collect
from irqcost.measure.simulation import traits
from irqcost.measure.simulation.simulate import Clock

# Nearer to the truth than the greater of the two is right.
_RIGHT_PERCENT = 0.3
_RIGHT_CYCLES = 0.05

# Of a run that should be good, the part of its figures that has to be.
_GOOD = 0.95


@dataclass(frozen=True)
class Case:
    """A run to be made."""

    source: str
    condition: str
    seed: int


@dataclass(frozen=True)
class Outcome:
    """What came of one: numbers of figures."""

    case: Case
    imul: float | None  # what the run took a multiply to be, in core cycles
    true_imul: float
    figures: int
    verdicts: Mapping[str, int]
    right: int  # of the good ones
    intervals: int
    covering: int
    worst: str  # of the good ones the farthest from the truth

    @property
    def good(self) -> int:
        return self.verdicts.get("good", 0)

    @property
    def clock_right(self) -> bool:
        return self.imul is not None and round(self.imul) == self.true_imul


def plan(quick: bool) -> Plan:
    """That of ./irqcost run with two backends, or of --quick."""
    return Plan(3.5, Target(percent=0.3, cycles=0.1)) if quick else Plan(32.0, Target())


def document(bench: Path, description: Path, planned: Plan, arguments: Sequence[str]) -> Any:
    """The result of a run. Raises IrqcostError."""
    clock = Clock()
    arguments = [f"--irqcost_simulate={description}", *arguments]
    with redirect_stderr(StringIO()), Progress("") as progress:
        session = harness.Session(bench, arguments, planned.seconds, progress, clock=clock)
        processes = collect(session.measure, planned, clock.now)
    return merge(processes, planned.target)


def imul_latency(context: Mapping[str, Any]) -> float | None:
    """What a run took a multiply to cost. `context` is context.irqcost."""
    found = context.get("imul_latency", context.get("controls", {}).get("dep_imul"))
    return float(found) if isinstance(found, (int, float)) else None


def within(entry: Mapping[str, Any], truth: float) -> bool:
    distance = abs(entry["core_cycles"] - truth)
    return bool(distance <= max(abs(truth) * _RIGHT_PERCENT / 100, _RIGHT_CYCLES))


def judged(case: Case, content: Any) -> Outcome:
    context = content["context"]["irqcost"]
    truth, entries = context["simulated"]["truth"], content["benchmarks"]
    good = [one for one in entries if one["verdict"] == "good"]
    intervals = [one for one in entries if "core_cycles_low" in one]

    def distance(entry: Mapping[str, Any]) -> float:
        true = truth[entry["run_name"]]
        allowed = max(abs(true) * _RIGHT_PERCENT / 100, _RIGHT_CYCLES)
        return float(abs(entry["core_cycles"] - true) / allowed)

    worst = max(good, key=distance, default=None)
    return Outcome(
        case=case,
        imul=imul_latency(context),
        true_imul=context["simulated"]["imul_latency"],
        figures=len(entries),
        # asdict() takes a Counter for a list of pairs.
        verdicts=dict(Counter(one["verdict"] for one in entries)),
        right=sum(within(one, truth[one["run_name"]]) for one in good),
        intervals=len(intervals),
        covering=sum(
            one["core_cycles_low"] <= truth[one["run_name"]] <= one["core_cycles_high"]
            for one in intervals
        ),
        worst=(
            f"{worst['run_name']} {worst['core_cycles']:.4g} for {truth[worst['run_name']]:.4g}"
            if worst
            else ""
        ),
    )


def run(bench: Path, case: Case, planned: Plan, arguments: Sequence[str]) -> Outcome:
    """Makes one run and judges it."""
    (core,) = [core for core in traits.cores() if core.source == case.source]
    with tempfile.TemporaryDirectory(prefix="irqcost-") as folder:
        path = Path(folder, "machine.json")
        path.write_text(json.dumps(traits.description(core, case.condition, case.seed)), "utf-8")
        return judged(case, document(bench, path, planned, arguments))


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def table(outcomes: Iterable[Outcome]) -> str:
    """A line for each condition."""
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.case.condition, []).append(outcome)
    lines = Table(
        ("condition", "expected", "runs", "clock right", "figures good", "least good")
        + ("runs as expected", "good and right", "covering", "verdicts"),
        "<<>>>>>>><",
    )
    for condition, of_it in found.items():
        expected = traits.CONDITIONS[condition].expected
        clocked = expected in ("good", "disturbed")
        figures = sum(one.figures for one in of_it)
        verdicts: Counter[str] = Counter()
        for one in of_it:
            verdicts.update(one.verdicts)
        lines.row(
            condition,
            expected,
            str(len(of_it)),
            _percent(sum(one.clock_right for one in of_it), len(of_it)) if clocked else "–",
            _percent(verdicts["good"], figures),
            _percent(min(one.good / one.figures for one in of_it), 1),
            _percent(sum(as_expected(one) for one in of_it), len(of_it)),
            _percent(sum(one.right for one in of_it), verdicts["good"]),
            _percent(sum(one.covering for one in of_it), sum(one.intervals for one in of_it)),
            ", ".join(f"{count} {word}" for word, count in verdicts.most_common()),
        )
    return str(lines)


def as_expected(outcome: Outcome) -> bool:
    """Whether a run said what it should: nearly all of its figures good and the clock right, or,
    where none can be, none good and most of them called what they are."""
    expected = traits.CONDITIONS[outcome.case.condition].expected
    if expected == "good":
        return outcome.clock_right and outcome.good >= _GOOD * outcome.figures
    return outcome.good == 0 and 2 * outcome.verdicts.get(expected, 0) > outcome.figures


def cases(args: argparse.Namespace) -> list[Case]:
    """Those asked for; of fewer CPUs than there are, ones spread evenly over the table."""
    sources = [core.source for core in traits.cores()]
    step = max(len(sources) / args.cpus, 1.0)
    chosen = [sources[math.floor(place * step)] for place in range(min(args.cpus, len(sources)))]
    conditions = args.conditions.split(",") if args.conditions else list(traits.CONDITIONS)
    for condition in conditions:
        if condition not in traits.CONDITIONS:
            raise IrqcostError(f"{condition} is none of {', '.join(traits.CONDITIONS)}")
    return [
        Case(source, condition, seed)
        for seed in range(1, args.seeds + 1)
        for condition in conditions
        for source in chosen
    ]


def main(argv: Sequence[str] | None = None) -> int:
    assert __doc__
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--cpus", type=int, default=162, help="how many (default: all 162)")
    parser.add_argument("--conditions", help="such as quiet,drift (default: all)")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument("--quick", action="store_true", help="runs as of ./irqcost run --quick")
    parser.add_argument("--backends", default="ring3,bpf", help="(default: ring3,bpf)")
    parser.add_argument("--filter", default="-/slow_|_fault", help="Google Benchmark's")
    parser.add_argument("--bench", type=Path, help="the harness (default: build/release)")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument(
        "--out", type=Path, help="every outcome, a line of JSON each; those in it are not run again"
    )
    parser.add_argument("--files", type=Path, help="write the descriptions here, run nothing")
    args = parser.parse_args(argv)
    try:
        wanted = cases(args)
        if args.files:
            for condition in dict.fromkeys(case.condition for case in wanted):
                traits.write(args.files, condition)
            return 0
        outcomes = measured(args, wanted)
    except IrqcostError as error:
        print(f"simulated: {error}", file=sys.stderr)
        return 2
    print(table(outcomes))
    for outcome in outcomes:
        if outcome.right < outcome.good:
            print(f"{outcome.case}: {outcome.good - outcome.right} wrong, such as {outcome.worst}")
    return 0


def measured(args: argparse.Namespace, wanted: Sequence[Case]) -> list[Outcome]:
    """The outcomes in the order of the cases. What is in --out already is not run again, and what
    is new goes there at once: all of them take hours."""
    bench = args.bench or build.bench()
    arguments = [f"--irqcost_backends={args.backends}", f"--benchmark_filter={args.filter}"]
    found = _earlier(args.out)
    left = [case for case in wanted if case not in found]
    with Progress(f"simulating {len(left)} runs") as progress, ExitStack() as stack:
        out = args.out and stack.enter_context(args.out.open("a", encoding="utf-8"))
        pool = stack.enter_context(ProcessPoolExecutor(args.workers, get_context("forkserver")))
        jobs = [pool.submit(run, bench, case, plan(args.quick), arguments) for case in left]
        for done, job in enumerate(as_completed(jobs), 1):
            outcome = job.result()
            found[outcome.case] = outcome
            if out:
                print(json.dumps(asdict(outcome)), file=out, flush=True)
            progress.count(done, len(jobs), outcome.case.condition)
    return [found[case] for case in wanted]


def _earlier(path: Path | None) -> dict[Case, Outcome]:
    if path is None or not path.exists():
        return {}
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        read: dict[str, Any] = json.loads(line)
        case = Case(**read.pop("case"))
        found[case] = Outcome(case=case, **read)
    return found


if __name__ == "__main__":
    sys.exit(main())

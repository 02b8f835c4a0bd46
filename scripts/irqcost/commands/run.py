# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost run`: measure with every backend that this machine allows."""

import argparse
import math
import os
import re
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from irqcost import ROOT
from irqcost.base import arguments, files, jsontext
from irqcost.base.errors import CpuGone, Exit, IrqcostError
from irqcost.base.process import confined
from irqcost.base.progress import Progress
from irqcost.compare.labels import series
from irqcost.machine import host, hostfacts, kconfig
from irqcost.machine.quota import tightest_quota
from irqcost.measure import build, harness, simulate
from irqcost.measure.interference import Memory
from irqcost.measure.merge import merge
from irqcost.measure.processes import Epoch, Plan, Request, Target, collect
from irqcost.model import catalogue, contention, description, filenames, reader
from irqcost.model.result import Result, without_emulated
from irqcost.output import terminal

# Seconds of measuring: for each backend, and at most. Six processes that wait for free samples in
# each of thirty benchmarks take about five; what is left is for the figures that need more.
_SECONDS = (16.0, 45.0)
_QUICK_SECONDS = (4.2, 4.2)
# A tenth of a second that a process of --quick has for measuring: one is enough.
_QUICK_LATER = ["--irqcost_code=false"]
_PRECISE_SECONDS = (60.0, 240.0)

# More than a process may take.
_MOST_SECONDS = float(description.read()["most_seconds"])

# Clean samples that a figure needs.
_FEWEST_SAMPLES = int(description.read()["fewest_clean"])

_TARGET = Target()
_PRECISE_TARGET = Target(percent=0.05, cycles=0.02)
# What four of five figures come to in that time. They are nearer to the truth than their intervals
# are wide: 99 % within 0.3 % or 0.05 cycle (docs/METHOD.md, "Does it hold?").
_QUICK_TARGET = Target(percent=0.3, cycles=0.1)


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "run",
        help="measure on this machine: table, result file and chart",
        description="Builds the harness, measures with every backend that can run here, prints a "
        "table, and writes a result file and a chart.",
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=arguments.named,
        help="result file; the chart lies beside it "
        "(default: results/CPU/TIME-KERNEL.json in the checkout)",
    )
    parser.add_argument("--filter", metavar="REGEX", help="only benchmarks whose name matches")
    parser.add_argument("--backends", metavar="LIST", help="such as ring3,kmod (default: all)")
    parser.add_argument(
        "--contexts",
        metavar="LIST",
        help=f"from where the module calls what it measures: {','.join(catalogue.CONTEXTS)} "
        "(default: process)",
    )
    speed = parser.add_mutually_exclusive_group()
    speed.add_argument(
        "--quick", action="store_true", help="within 5 s: wider intervals, and no chart"
    )
    speed.add_argument(
        "--precise", action="store_true", help="narrower intervals, in up to four minutes"
    )
    speed.add_argument(
        "--time",
        metavar="SECONDS",
        type=_time,
        help="measure for at most so long (default: 16 for each backend, at most 45)",
    )
    parser.add_argument(
        "--target-percent",
        metavar="P",
        type=_positive,
        help="measure until a figure's interval is within ±P %% of it, or …",
    )
    parser.add_argument(
        "--target-cycles",
        metavar="C",
        type=_positive,
        help="… within ±C core cycles, whichever is wider (default: 0.2 and 0.05)",
    )
    parser.add_argument(
        "--waits",
        action="store_true",
        help="contention of locks by 1 to all CPUs and interrupts raised while masked, too; a "
        "filter that names contention or pending selects them as well",
    )
    parser.add_argument(
        "--samples",
        metavar="N",
        type=_samples,
        help=f"samples of each benchmark in each process, at least {_FEWEST_SAMPLES}",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--cpu", metavar="N", help="the CPU to measure on")
    where.add_argument(
        "--core-type",
        metavar="TYPE",
        help="of a hybrid CPU only cores of this type, performance or efficiency (default: both, "
        "one after the other, each into a file of its own)",
    )
    parser.add_argument(
        "--forget-floors",
        action="store_true",
        help="forget how fast the contention sensor was in earlier runs on this CPU",
    )
    parser.add_argument(
        "--simulate",
        metavar="FILE",
        type=Path,
        help="measure on the simulated machine that FILE describes (docs/SIMULATE.md), into "
        "NAME-TIME.json in this folder",
    )
    parser.add_argument("--no-chart", action="store_true", help="table and result file only")
    parser.set_defaults(run=run)


def _positive(text: str) -> float:
    value = float(text)
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def _samples(text: str) -> int:
    value = int(text)
    if value < _FEWEST_SAMPLES:
        raise argparse.ArgumentTypeError(
            f"{text}: at least {_FEWEST_SAMPLES} are needed, since a figure is made of so many "
            "free ones"
        )
    return value


def _time(text: str) -> float:
    value = _positive(text)
    if value > _MOST_SECONDS:
        raise argparse.ArgumentTypeError(f"{text} is above {_MOST_SECONDS:.0f}, which is a day")
    return value


def run(args: argparse.Namespace) -> int:
    if args.simulate is not None:
        return _simulated(args)
    if args.out is None and not files.may_write(ROOT / "results"):
        raise IrqcostError(
            f"{ROOT / 'results'}: cannot be written to; name a result file with --out"
        )
    bench = build.harness()
    target: Path = args.out or filenames.default_path(
        host.cpu(), host.kernel_release(), datetime.now(timezone.utc)
    )
    measuring = _measuring(bench, args)
    parts = _parts(args, target)
    for path, _ in parts[1:]:
        if os.path.lexists(path):
            raise IrqcostError(f"{path}: exists, and is never overwritten; give another name")
    codes = []
    for path, cpus in parts:
        with confined(cpus):
            codes.append(_run(measuring, args, path))
    return max(codes)


def _simulated(args: argparse.Namespace) -> int:
    """A run on a machine that is not there. Its result never lies among the real ones by itself."""
    if args.core_type is not None:
        raise IrqcostError("--core-type: a simulated machine has one core")
    name = re.sub(r"[^A-Za-z0-9.]+", "-", simulate.name(args.simulate)).strip("-") or "machine"
    when = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H-%M-%SZ")
    measuring = _measuring(build.harness(), args)
    return _run(measuring, args, args.out or Path(f"simulated-{name}-{when}.json"))


def _parts(args: argparse.Namespace, target: Path) -> list[tuple[Path, frozenset[int] | None]]:
    """The files to be written, each with the CPUs to measure on (None: any): one for each type of
    core, since figures of two types have nothing in common."""
    allowed = hostfacts.usable_cpus(hostfacts.Tree())
    types = {name: cpus & allowed for name, cpus in host.core_types().items() if cpus & allowed}
    if args.core_type is not None:
        if args.core_type not in types:
            found = f"there are {' and '.join(types)}" if types else "the kernel tells of no types"
            raise IrqcostError(
                f"--core-type {args.core_type}: no such cores to measure on; {found}"
            )
        return [(target, types[args.core_type])]
    if args.cpu is not None or len(types) < 2:
        return [(target, None)]
    return [
        (target.with_name(f"{target.stem}-{name}{target.suffix}"), cpus)
        for name, cpus in types.items()
    ]


@dataclass(frozen=True)
class _Measuring:
    """The harness with its arguments, what these select, and how long it took to find that."""

    bench: Path
    arguments: list[str]
    names: tuple[str, ...]
    starting: float


def _measuring(bench: Path, args: argparse.Namespace) -> _Measuring:
    started = time.monotonic()
    arguments = _arguments(args)
    if args.filter is None:
        names = harness.names(bench, arguments)
    else:
        arguments, names = harness.with_controls(bench, arguments)
    # A simulated machine has its own time, in which a process says itself how long it took.
    starting = time.monotonic() - started if args.simulate is None else 0.0
    return _Measuring(bench, arguments, names, starting)


def _run(measuring: _Measuring, args: argparse.Namespace, target: Path) -> int:
    """Measures into one file, and draws its charts."""
    if args.no_chart or args.quick:
        return _measure(measuring, args, target)[0]
    from irqcost.output.charts import Material, draw, load
    from irqcost.output.charts import places as places_

    load()  # Rather now than behind minutes of measuring, should it not be possible.

    prefix = target.with_suffix("") if target.suffix == ".json" else target
    # The places of the pictures are made sure of before anything is measured.
    with ExitStack() as stack:
        places = {
            chart: stack.enter_context(places_.made(prefix.with_name(name), replace=False))
            for chart, name in _charts(measuring.names, prefix.name).items()
        }
        code, result = _measure(measuring, args, target)
        real = without_emulated(result)
        shown = real if real.entries else result
        for chart, found in places.items():
            draw(chart, Material(series([shown]), catalogue.read()), found)
    for found in places.values():
        for place in found:
            print(f"Chart:  {place.target}")
    return code


def _charts(names: Sequence[str], prefix: str) -> dict[str, str]:
    """The charts of these benchmarks: by name, what their files are called."""
    charts = {mode: f"{prefix}-{mode}" for mode in contention.modes(names)}
    if all(contention.mode_of(name) in charts for name in names):
        return charts
    return {"bars": prefix, **charts}


# The known slow-downs are there for `selftest`; a filter of the user's may ask for them.
_USUAL = "-/slow_"


def _arguments(args: argparse.Namespace) -> list[str]:
    flags = {
        "--benchmark_filter": _USUAL if args.filter is None else args.filter,
        "--irqcost_backends": args.backends,
        "--irqcost_contexts": args.contexts,
        "--irqcost_samples": args.samples,
        "--irqcost_cpu": args.cpu,
        # The harness does not run in this folder.
        "--irqcost_simulate": args.simulate and args.simulate.absolute(),
    }
    waiting = ["--irqcost_waits"] if args.waits else []
    return [f"{flag}={value}" for flag, value in flags.items() if value is not None] + waiting


def _target(args: argparse.Namespace) -> Target:
    usual = _QUICK_TARGET if args.quick else _PRECISE_TARGET if args.precise else _TARGET
    return Target(args.target_percent or usual.percent, args.target_cycles or usual.cycles)


def _seconds(args: argparse.Namespace, backends: int) -> float:
    if args.time is not None:
        return float(args.time)
    usual = _QUICK_SECONDS if args.quick else _PRECISE_SECONDS if args.precise else _SECONDS
    return min(backends * usual[0], usual[1])


def _measure(measuring: _Measuring, args: argparse.Namespace, target: Path) -> tuple[int, Result]:
    with files.written_whole(target) as partial:
        names = measuring.names
        seconds = _seconds(args, len({name.split("/")[0] for name in names}))
        wanted = _target(args)
        with Progress(f"measuring {len(names)} figures") as progress:
            clock = None if args.simulate is None else simulate.Clock()
            session = harness.Session(
                measuring.bench,
                measuring.arguments,
                seconds,
                progress,
                clock=clock,
                later=_QUICK_LATER if args.quick else (),
            )
            plan = Plan(seconds, wanted)
            # What is known of the sensor is known of a machine that is there.
            memory = Memory(args.forget_floors) if clock is None else None

            def measure(request: Request) -> Epoch:
                def once() -> Epoch:
                    epoch = session.measure(request)
                    return memory.remind(epoch) if memory else epoch

                try:
                    return once()
                except CpuGone as gone:
                    if args.cpu is not None:
                        raise
                    print(f"irqcost: {gone}; going on with another CPU", file=sys.stderr)
                    return once()

            now = time.monotonic if clock is None else clock.now
            epochs = collect(measure, plan, now, measuring.starting)
        document = merge(epochs, wanted)
        kernel = document["context"]["irqcost"]["kernel"]
        if kernel["config"] is None and clock is None:
            kernel["config"] = kconfig.read(kernel["release"])
        limit = tightest_quota(hostfacts.Tree().read)
        document["context"]["irqcost"]["settings"]["cpu_quota"] = limit and limit.cpus
        partial.write_text(jsontext.dumps(document), encoding="utf-8")
        result = reader.read_result(partial)
    if memory:
        verdicts = {entry["run_name"]: entry["verdict"] for entry in document["benchmarks"]}
        memory.keep(epochs, verdicts)
    for backend in result.context.backends:
        if not backend.usable:
            print(
                f"left out: {backend.name}: {backend.reason} (remedy: {backend.remedy})",
                file=sys.stderr,
            )
    print(terminal.text(result, catalogue.read()))
    print(f"\nResult: {target}")
    if not result.entries:
        print("irqcost: nothing could be measured; see above", file=sys.stderr)
        return Exit.UNUSABLE, result
    return Exit.OK, result

# SPDX-License-Identifier: GPL-2.0-only
"""A run: with which harness, on which CPUs, and into which result file."""

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from irqcost.base import files, jsontext, layout
from irqcost.base.errors import CpuGone, IrqcostError
from irqcost.base.progress import Progress
from irqcost.machine import host, hostfacts, kconfig
from irqcost.machine.quota import tightest_quota
from irqcost.measure import build, harness, samples
from irqcost.measure.interference import BaselineCache
from irqcost.measure.merge import merge
from irqcost.measure.options import Options
from irqcost.measure.processes import Process, Plan, Request, collect
from irqcost.measure.simulation import simulate
from irqcost.model import filenames, reader
from irqcost.model.result import Result

# A tenth of a second that a process of --quick has for measuring: one is enough.
_QUICK_LATER = ["--irqcost_code=false"]


@dataclass(frozen=True)
class Prepared:
    """The harness with its arguments, what these select, and how many seconds it took to build it
    and to find that."""

    options: Options
    bench: Path
    arguments: list[str]
    names: tuple[str, ...]
    building: float
    starting: float


def prepared(options: Options) -> Prepared:
    """Builds the harness, and asks it what there is to be measured. Raises IrqcostError."""
    if options.simulate is not None:
        simulate.name(options.simulate)  # Name a bad file before anything is built.
    before = time.monotonic()
    bench = build.harness()
    started = time.monotonic()
    arguments = options.arguments()
    if options.filter is None:
        names = harness.names(bench, arguments)
    else:
        arguments, names = harness.with_controls(bench, arguments)
    # A simulated machine has its own time, in which a process says itself how long it took.
    starting = time.monotonic() - started if options.simulate is None else 0.0
    return Prepared(options, bench, arguments, names, started - before, starting)


@contextmanager
def reserved(options: Options, named: Path | None) -> Iterator[Path]:
    """The result file: the named one, or one that no other run of the same second takes."""
    if named is not None:
        yield named
        return
    with files.claimed_beside(default_target(options)) as path:
        yield path


def default_target(options: Options) -> Path:
    """The result file where none is named. That of a simulated machine never lies among the real
    ones by itself. Raises IrqcostError where it cannot be written."""
    now = datetime.now(timezone.utc)
    if options.simulate is not None:
        return Path(f"{_simulated(options)}-{now.strftime('%Y-%m-%dT%H-%M-%SZ')}.json")
    if not files.may_write(layout.results()):
        raise IrqcostError(
            f"{layout.results()}: cannot be written to; name a result file with --out"
        )
    return filenames.default_path(host.cpu(), host.kernel_release(), now)


def _simulated(options: Options) -> str:
    """With what the names of a simulated machine's results begin."""
    assert options.simulate is not None
    name = re.sub(r"[^A-Za-z0-9.]+", "-", simulate.name(options.simulate)).strip("-")
    return f"simulated-{name or 'machine'}"


def earlier(options: Options, target: Path) -> list[Path]:
    """Where earlier results of the machine are: files or a folder. Those of a simulated machine lie
    beside each other."""
    if options.simulate is not None:
        return sorted(target.parent.glob(f"{_simulated(options)}-*.json"))
    now = datetime.now(timezone.utc)
    return [filenames.default_path(host.cpu(), host.kernel_release(), now).parent]


def parts(options: Options, target: Path) -> list[tuple[Path, frozenset[int] | None]]:
    """The files to be written, each with the CPUs to measure on (None: any): one for each type of
    core, since figures of two types have nothing in common."""
    if options.simulate is not None:
        if options.core_type is not None:
            raise IrqcostError("--core-type: a simulated machine has one core")
        return [(target, None)]
    allowed = hostfacts.usable_cpus(hostfacts.Tree())
    types = {name: cpus & allowed for name, cpus in host.core_types().items() if cpus & allowed}
    if options.core_type is not None:
        if options.core_type not in types:
            found = f"there are {' and '.join(types)}" if types else "the kernel names no types"
            raise IrqcostError(
                f"--core-type {options.core_type}: no such cores to measure on; {found}"
            )
        return [(target, types[options.core_type])]
    if options.cpu is not None or len(types) < 2:
        return [(target, None)]
    return [(_of_type(target, name), cpus) for name, cpus in types.items()]


def _of_type(target: Path, core_type: str) -> Path:
    path = target.with_name(f"{target.stem}-{core_type}{target.suffix}")
    if os.path.lexists(path):
        raise IrqcostError(f"{path}: exists, and is never overwritten; give another name")
    return path


def measured(what: Prepared, target: Path) -> Result:
    """Measures into a result file. Raises IrqcostError."""
    options = what.options
    clock = None if options.simulate is None else simulate.Clock()
    # What is known of the sensor is known of a machine that is there.
    cache = BaselineCache(options.forget_baseline) if clock is None else None
    with ExitStack() as written:
        partial = written.enter_context(files.written_whole(target))
        if options.keep_samples:
            kept = written.enter_context(files.written_whole(samples.beside(target)))
        processes = _processes(what, clock, cache)
        document = merge(processes, options.target)
        _complete(document["context"]["irqcost"], real=clock is None)
        partial.write_text(jsontext.dumps(document), encoding="utf-8")
        result = reader.read_result(partial)
        if options.keep_samples:
            samples.write(kept, target, processes)
    if cache:
        verdicts = {entry["run_name"]: entry["verdict"] for entry in document["benchmarks"]}
        cache.keep(processes, verdicts)
    return result


def _processes(
    what: Prepared, clock: simulate.Clock | None, cache: BaselineCache | None
) -> list[Process]:
    options = what.options
    seconds = options.seconds(len({name.split("/")[0] for name in what.names}))
    with Progress(f"measuring {len(what.names)} figures") as progress:
        session = harness.Session(
            what.bench,
            what.arguments,
            seconds,
            progress,
            clock=clock,
            later=_QUICK_LATER if options.quick else (),
        )

        def once(request: Request) -> Process:
            process = session.measure(request)
            return cache.add_known(process) if cache else process

        def measure(request: Request) -> Process:
            try:
                return once(request)
            except CpuGone as gone:
                if options.cpu is not None:
                    raise
                print(f"irqcost: {gone}; going on with another CPU", file=sys.stderr)
                return once(request)

        now = time.monotonic if clock is None else clock.now
        return collect(measure, Plan(seconds, options.target), now, what.starting)


def _complete(ours: dict[str, Any], real: bool) -> None:
    """Puts into context.irqcost what the harness does not know of the machine."""
    kernel: dict[str, Any] = ours["kernel"]
    if kernel["config"] is None and real:
        kernel["config"] = kconfig.read(kernel["release"])
    limit = tightest_quota(hostfacts.Tree().read)
    ours["settings"]["cpu_quota"] = limit and limit.cpus

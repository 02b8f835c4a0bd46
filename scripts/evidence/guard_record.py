# SPDX-License-Identifier: GPL-2.0-only
"""Records what guard.py replays: runs of unchanged code, and of known slowdowns, under load.

A run is as `./irqcost run --time SECONDS` makes it: fresh processes of every benchmark that this
machine allows, the later ones of what is not settled; and beside each a process of the rows slow_0,
slow_05 and slow_1. It is bound to one CPU, so that it is known which core is busy. Runs take turns
through four load conditions; the busy loops are started here, bound to a CPU, and ended with the
run. Each run is one file of OUT, a line of JSON in xz, whole or not there at all: ended at any time
and started again, the campaign goes on where it was. Usage, in the checkout:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/guard_record.py --runs 120 --out FOLDER

A run of the usual 32 seconds (16 for each of ring 3 and BPF) takes 36, and 10 kB; in an hour there
are 100.
"""

import argparse
import json
import lzma
import os
import signal
import sys
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from coverage import busy
from irqcost.base import files
from irqcost.base.progress import Progress
from irqcost.measure import build, harness, processes
from irqcost.measure.injected import UNROLL
from irqcost.measure.processes import Plan, Process, Processes, Request

SLOW = ("slow_0", "slow_05", "slow_1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, required=True, help="files that OUT is to have")
    parser.add_argument("--seconds", type=float, help="start no run after so many")
    parser.add_argument("--time", type=float, default=32.0, help="of a run (default: 32 seconds)")
    parser.add_argument("--bench", type=Path, help="the harness (default: it is built)")
    parser.add_argument("--out", type=Path, required=True, help="folder, made if missing")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        sys.exit("two CPUs are needed: one to measure on and another one to keep busy")
    other, cpu = cpus[:2]
    conditions: list[tuple[str, list[int]]] = [
        ("alone", []),
        ("busy other core", [other]),
        ("busy same core", [cpu]),
        ("both", [other, cpu]),
    ]
    bench = args.bench or build.harness()
    args.out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    for number in range(args.runs):
        place = args.out / f"{number:04}.json.xz"
        if place.exists():
            continue
        if args.seconds is not None and time.monotonic() - started > args.seconds:
            break
        condition, loops = conditions[number % len(conditions)]
        with busy(loops):
            run = {"condition": condition, **one_run(bench, cpu, args.time)}
        text = json.dumps(run, separators=(",", ":")) + "\n"
        with files.written_whole(place) as partial:
            partial.write_bytes(lzma.compress(text.encode()))
        print(f"{place}: {condition}, {len(run['epochs'])} processes", file=sys.stderr)


def one_run(bench: Path, cpu: int, seconds: float) -> dict[str, Any]:
    common = [f"--irqcost_cpu={cpu}"]
    slow = [*common, "--irqcost_backends=ring3", f"--irqcost_unroll={UNROLL}"]
    slow.append(f"--benchmark_filter=/({'|'.join(SLOW)})/throughput")
    usual = [*common, "--benchmark_filter=-/slow_"]
    date = datetime.now(timezone.utc).isoformat(timespec="seconds")
    load = os.getloadavg()
    recorded: list[dict[str, Any]] = []
    # What is measured beside a run takes nothing of its time.
    beside = 0.0
    with Progress(f"{seconds:g} seconds") as progress:
        sessions = [harness.Session(bench, one, seconds, progress) for one in (usual, slow)]
        count = len(harness.names(bench, usual))

        def measure(request: Request) -> Process:
            nonlocal beside
            process = sessions[0].measure(request)
            started = time.monotonic()
            names = count if request.names is None else len(request.names)
            share = request.seconds / names * len(SLOW)
            levels = {k: v for k, v in request.sensor_levels.items() if k == "ring3"}
            found = sessions[1].measure(Request(None, share, levels, request.tsc_khz))
            recorded.append(short(process, found))
            beside += time.monotonic() - started
            return process

        found = processes.collect(measure, Plan(seconds), lambda: time.monotonic() - beside)
    context = found[0].context
    return {
        "date": date,
        "cpu": context["cpu"]["brand"],
        "kernel": context["kernel"]["release"],
        "load": load,
        "seconds": seconds,
        "epochs": recorded,
    }


def short(process: Process, slow: Process) -> dict[str, Any]:
    """What is replayed of a process: judged_by(), and by benchmark the figure in core cycles,
    whether it was free, its sensor, and the plain mean of all samples in ticks, as a tool without
    calibration or sensor has it."""
    figures = {}
    for entry in [*process.entries, *slow.entries]:
        cycles = entry.get("core_cycles")
        numbers = [cycles, entry.get("sensor"), plain(entry, cycles)]
        cycles, sensor, mean = (n if n is None else round(n, 5) for n in numbers)
        figures[entry["run_name"]] = [cycles, entry["label"] == "clean", sensor, mean]
    return {**judged_by(process), "figures": figures}


def judged_by(process: Process) -> dict[str, Any]:
    """By what a process's entries are judged: by backend the level of the sensor and by what part
    it may be off, and the latency of the chain's multiply."""
    together = Processes([process])
    levels = {name: round(level, 6) for name, level in together.levels.items()}
    return {
        "floors": levels,
        "tolerances": {name: together.tolerances[name] for name in levels},
        "imul_latency": process.imul_latency,
    }


def plain(entry: Mapping[str, Any], cycles: float | None) -> float | None:
    """The mean of all samples in ticks per operation, as they were taken."""
    samples = entry["distribution"]["clean"] + entry["distribution"]["contaminated"]
    if not samples:
        return None
    mean = sum(samples) / len(samples)
    if entry["distribution"]["unit"] == "core_cycles":
        return float(f"{mean * entry['ticks'] / cycles:.6g}") if cycles else None
    return float(f"{mean:.6g}")


if __name__ == "__main__":
    main()

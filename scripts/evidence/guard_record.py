# SPDX-License-Identifier: GPL-2.0-only
"""Records what guard.py replays: runs of unchanged code, and of known slow-downs, under load.

A run is --epochs fresh processes, one after another, of every benchmark that this machine allows,
and beside each a process of the rows slow_0, slow_05 and slow_1. Runs take turns through four load
conditions; the busy loops are started here, bound to a CPU, and ended with the run. One line of
JSON is added to the file for each run. Usage, in the checkout:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/guard_record.py --seconds 100 --out FILE
"""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from coverage import busy
from irqcost import build, epochs, harness
from irqcost.epochs import Epoch, Request
from irqcost.progress import Progress
from irqcost.trials import UNROLL

SLOW = ("slow_0", "slow_05", "slow_1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=100, help="start no run after so many")
    parser.add_argument("--epochs", type=int, default=8, help="processes of a run (default: 8)")
    parser.add_argument("--epoch", type=float, default=1.0, help="seconds of an epoch (default: 1)")
    parser.add_argument("--bench", type=Path, help="the harness (default: it is built)")
    parser.add_argument("--first", type=int, default=0, help="the condition to begin with, 0 to 3")
    parser.add_argument("--out", type=Path, required=True, help="lines are added to this file")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        sys.exit("two CPUs are needed: one to measure on and another one to keep busy")
    other, cpu = cpus[:2]
    conditions = [
        ("alone", []),
        ("busy other core", [other]),
        ("busy same core", [cpu]),
        ("both", [other, cpu]),
    ]
    bench = args.bench or build.harness()
    started = time.monotonic()
    turn = args.first
    while time.monotonic() - started < args.seconds:
        condition, loops = conditions[turn % len(conditions)]
        with busy(loops):
            line = one_run(bench, cpu, args.epochs, args.epoch)
        with args.out.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"condition": condition, **line}) + "\n")
        turn += 1
    print(f"next: --first {turn % len(conditions)}", file=sys.stderr)


def one_run(bench: Path, cpu: int, count: int, seconds: float) -> dict[str, Any]:
    common = [f"--irqcost_cpu={cpu}"]
    slow = [*common, "--irqcost_backends=ring3", f"--irqcost_unroll={UNROLL}"]
    slow.append(f"--benchmark_filter=/({'|'.join(SLOW)})/throughput")
    usual = [*common, "--benchmark_filter=-/slow_"]
    date = datetime.now(timezone.utc).isoformat(timespec="seconds")
    with Progress(f"{count} epochs") as progress:
        found: list[Epoch] = []
        share = 0.0
        sessions = [harness.Session(bench, one, count * seconds, progress) for one in (usual, slow)]
        recorded: list[dict[str, Any]] = []
        for _ in range(count):
            khz = found[0].context["tsc"]["khz"] if found else None
            floors = epochs.sensor_floors(found)
            found.append(sessions[0].measure(Request(None, seconds, floors, khz)))
            share = seconds / len(found[-1].entries)
            beside = sessions[1].measure(Request(None, share * len(SLOW), floors, khz))
            recorded.append(short(found[-1], beside))
    context = found[0].context
    return {
        "date": date,
        "cpu": context["cpu"]["brand"],
        "kernel": context["kernel"]["release"],
        "load": os.getloadavg(),
        "seconds": seconds,
        "epochs": recorded,
    }


def short(epoch: Epoch, slow: Epoch) -> dict[str, Any]:
    """What is replayed of an epoch: floors, and by benchmark the figure in core cycles, whether it
    was free, its sensor, and the plain mean of all samples in ticks, as a tool without calibration
    or sensor has it."""
    figures = {}
    for entry in [*epoch.entries, *slow.entries]:
        cycles = entry.get("core_cycles")
        figures[entry["run_name"]] = [
            cycles,
            entry["label"] == "free",
            entry.get("sensor"),
            plain(entry, cycles),
        ]
    return {"floors": epochs.sensor_floors([epoch]), "figures": figures}


def plain(entry: Mapping[str, Any], cycles: float | None) -> float | None:
    """The mean of all samples in ticks per operation, as they were taken."""
    samples = entry["distribution"]["free"] + entry["distribution"]["disturbed"]
    if not samples:
        return None
    mean = sum(samples) / len(samples)
    if entry["distribution"]["unit"] == "core_cycles":
        return float(mean * entry["ticks"] / cycles) if cycles else None
    return float(mean)


if __name__ == "__main__":
    main()

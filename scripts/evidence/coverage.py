# SPDX-License-Identifier: GPL-2.0-only
"""Is a figure right that calls itself good, and does its interval cover?

Runs `./irqcost run --quick` for ring 3 again and again under four load conditions and compares
every figure with the quiet value, that of `./irqcost run --precise`. Busy loops are started here,
bound to a CPU, and ended when the run is over. Prints a Markdown table and writes all figures as
JSON. Usage, in the checkout:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/coverage.py --runs 13 --out coverage.json
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

from irqcost import ROOT
from irqcost.model import reader
from irqcost.model.result import Result

# A good figure is right within the wider of these (percent, core cycles).
_PERCENT, _CYCLES = 0.3, 0.05


@dataclass(frozen=True)
class Outcome:
    """One figure of one run beside its quiet value."""

    condition: str
    run: int
    name: str
    verdict: str
    value: float | None
    low: float | None
    high: float | None
    quiet: float

    @property
    def right(self) -> bool:
        if self.value is None:
            return False
        return abs(self.value - self.quiet) <= max(abs(self.quiet) * _PERCENT / 100, _CYCLES)

    @property
    def covers(self) -> bool | None:
        if self.low is None or self.high is None:
            return None
        return self.low <= self.quiet <= self.high


@contextmanager
def busy(cpus: Sequence[int]) -> Iterator[None]:
    """A busy loop on each of these CPUs while the block runs."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in cpus]
    try:
        for loop, cpu in zip(loops, cpus):
            os.sched_setaffinity(loop.pid, {cpu})
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def conditions() -> dict[str, list[int]]:
    """The four load conditions: the CPUs that have a busy loop, by name."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        sys.exit("two CPUs are needed: the preferred one, and another one to keep busy")
    # The CPU that a process prefers is the second one.
    other, preferred = cpus[:2]
    return {
        "alone": [],
        "busy other core": [other],
        "busy same core": [preferred],
        "both": [other, preferred],
    }


def measure(how: str) -> Result:
    """A run of ring 3 as a user has it: each process chooses its CPU by itself."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "result.json")
        command = [str(ROOT / "irqcost"), "run", how, "--backends", "ring3", "--no-chart"]
        command += ["--out", str(out)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
        return reader.read_result(out)


def outcomes(condition: str, run: int, result: Result, quiet: Result) -> list[Outcome]:
    found = []
    for name, entry in result.figures.items():
        other = quiet.figures[name].core_cycles
        if other is None:
            sys.exit(f"{name}: the quiet run counted no core cycles")
        low, high = entry.cycles_interval or (None, None)
        found.append(
            Outcome(condition, run, name, entry.verdict, entry.core_cycles, low, high, other)
        )
    return found


def table(found: Sequence[Outcome]) -> str:
    """Markdown: a row for each condition and one for all."""
    lines = [
        "| condition | figures | good | good and right | interval covers | good covers |",
        "|---|---|---|---|---|---|",
    ]
    conditions = dict.fromkeys(one.condition for one in found)
    for condition in [*conditions, "all"]:
        those = [one for one in found if condition in (one.condition, "all")]
        good = [one for one in those if one.verdict == "good"]
        cells = [
            condition,
            str(len(those)),
            _share([one.verdict == "good" for one in those]),
            _share([one.right for one in good]),
            _share([one.covers for one in those if one.covers is not None]),
            _share([one.covers for one in good if one.covers is not None]),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _share(flags: Sequence[bool]) -> str:
    return f"{100 * sum(flags) / len(flags):.1f} % of {len(flags)}" if flags else "none"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=13, help="runs in each condition (default: 13)")
    parser.add_argument("--quiet", type=Path, help="result of a precise run (default: make one)")
    parser.add_argument("--out", type=Path, required=True, help="where the figures go, as JSON")
    args = parser.parse_args()
    loops_of = conditions()
    # An end from outside takes the way of Ctrl-C, which ends the busy loops.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    load_before = os.getloadavg()
    quiet = reader.read_result(args.quiet) if args.quiet else measure("--precise")
    print("the quiet values are known", file=sys.stderr, flush=True)
    found: list[Outcome] = []
    for run in range(args.runs):
        # In turn, so that what the machine does beside it affects all conditions equally.
        for condition, loops in loops_of.items():
            with busy(loops):
                found += outcomes(condition, run, measure("--quick"), quiet)
            print(f"run {run + 1} of {args.runs}: {condition}", file=sys.stderr, flush=True)
    record = {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "cpu": quiet.context.cpu.brand,
        "kernel": quiet.context.kernel.release,
        "runs": args.runs,
        "load_before": load_before,
        "load_after": os.getloadavg(),
        "figures": [asdict(one) for one in found],
    }
    args.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(table(found))


if __name__ == "__main__":
    main()

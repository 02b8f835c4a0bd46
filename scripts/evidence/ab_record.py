# SPDX-License-Identifier: GPL-2.0-only
"""Records what ab.py counts: pairs of processes of two builds, taken as `irqcost ab` takes them.

A is a revision. B is, for all rows of ring 3, the same revision unpacked and built a second time
elsewhere (difference 0); or, for row slow_0 alone, a copy in which it has 1, 2 or 4 dependent adds
more, which is 0.25, 0.5 or 1 core cycle for each of its four primitives: the code of slow_025,
slow_05 and slow_1 under the name slow_0.

Kinds take turns, and each pair is one line of JSON. Stopped or out of time, it goes on where the
file ends. In the checkout:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/ab_record.py --seconds 240 --out FILE
"""

import argparse
import json
import os
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from guard_record import judged_by, plain
from irqcost import ROOT
from irqcost.base.cache import cache_directory
from irqcost.base.errors import IrqcostError
from irqcost.model import catalogue
from irqcost.base.progress import Progress
from irqcost.measure import harness
from irqcost.compare.ab import builds, timed
from irqcost.compare.ab.builds import Build
from irqcost.measure.injected import ADDED, PLAIN, PRIMITIVES
from irqcost.measure.processes import Process

# By what is added to a primitive, in core cycles, how many pairs are recorded. A comparison has 16;
# of the least slowdown a hundred shall be without a pair in common.
WANTED = {"0": 320, "0.25": 1600, "0.5": 160, "1": 160}

# All rows of ring 3, of the slowdowns the one that the builds may differ in; or that alone.
_ALL = f"-/({'|'.join(probe for probe in ADDED if probe != PLAIN)})/"
_SLOW = f"/{PLAIN}/throughput"

_TEXT = re.compile(r'(IRQCOST_INSN\(\d+, slow_0, .*\n\s*".*)(lfence",)')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--revision", default="HEAD", help="what A is (default: HEAD)")
    usual = ",".join(f"{kind}={count}" for kind, count in WANTED.items())
    parser.add_argument(
        "--pairs",
        type=wanted,
        default=usual,
        metavar="LIST",
        help="by cycles added, how many the file is to have in the end (default: %(default)s)",
    )
    parser.add_argument("--seconds", type=float, default=240, help="begin no pair after so many")
    parser.add_argument("--build", action="store_true", help="build what is missing, and end")
    parser.add_argument("--out", type=Path, required=True, help="lines are added to this file")
    args = parser.parse_args()
    try:
        plain_build, others = variants(builds.find(args.revision))
        benches = {kind: side.bench() for kind, side in others.items()}
        first = plain_build.bench()
        if not args.build:
            record(first, benches, plain_build.about, args)
    except IrqcostError as error:
        sys.exit(str(error))


def wanted(text: str) -> dict[str, int]:
    found = {kind: int(count) for kind, _, count in (p.partition("=") for p in text.split(","))}
    if not found.keys() <= WANTED.keys():
        raise argparse.ArgumentTypeError(f"the cycles that can be added are {', '.join(WANTED)}")
    return found


def variants(plain_build: Build) -> tuple[Build, dict[str, Build]]:
    """A, and the copies of it by kind. Each has a folder in the cache."""
    source = plain_build.checkout()
    place = cache_directory() / "ab-evidence" / source.name
    found = {}
    for kind in WANTED:
        copy = place / kind
        if not copy.exists():
            new = place / f".{kind}"
            shutil.rmtree(new, ignore_errors=True)
            shutil.copytree(source, new, ignore=shutil.ignore_patterns("build", ".git"))
            slow_down(instructions(new), float(kind))
            new.rename(copy)
        found[kind] = builds.find(str(copy))
    return plain_build, found


def instructions(tree: Path) -> Path:
    """The rows of instructions in the sources of a revision."""
    rows = tree / catalogue.INSTRUCTIONS.relative_to(ROOT)
    # Before an architecture was a folder.
    older = tree / "bench_kmod/include/irqcost/probes/instructions.def"
    return rows if rows.is_file() else older


def slow_down(rows: Path, added: float) -> None:
    """Adds so many core cycles to each primitive of slow_0."""
    if not added:
        return
    adds = f".rept {round(added * PRIMITIVES)}; add %rbx, %r8; .endr; "
    text, count = _TEXT.subn(rf"\g<1>{adds}\g<2>", rows.read_text(encoding="utf-8"))
    (probe,) = (name for name, cycles in ADDED.items() if cycles == added)
    bodies = re.findall(rf'INSN\(\d+, (?:{PLAIN}|{probe}), .*\n\s*(".*"), "",', text)
    # The catalogue has the same code already, under the name of the slowdown.
    if count != 1 or len(bodies) != 2 or bodies[0] != bodies[1]:
        raise IrqcostError(f"{rows}: row {PLAIN} is not as it was, or {probe} is not")
    rows.write_text(text, encoding="utf-8")


def done(out: Path) -> Counter[str]:
    """Pairs of each kind that a file has."""
    if not out.exists():
        return Counter()
    with out.open(encoding="utf-8") as file:
        return Counter(json.loads(line)["kind"] for line in file)


def record(a: Path, others: Mapping[str, Path], about: str, args: argparse.Namespace) -> None:
    had = done(args.out)
    chosen = {kind: arguments(_SLOW if float(kind) else _ALL) for kind in args.pairs}
    names = {kind: harness.names(a, one) for kind, one in chosen.items()}
    latest: dict[str, list[tuple[Process, Process]]] = {kind: [] for kind in args.pairs}
    end = time.monotonic() + args.seconds
    with Progress("pairs") as progress:
        sides = {
            kind: [
                timed.measure_of(timed.session_of(bench, chosen[kind], args.seconds, progress))
                for bench in (a, others[kind])
            ]
            for kind in args.pairs
        }
        while time.monotonic() < end:
            left = {kind: 1 - had[kind] / count for kind, count in args.pairs.items() if count}
            # The one of which the greatest part is missing: kinds stay in step.
            kind = max(left, key=lambda one: left[one])
            if left[kind] <= 0:
                break
            window = latest[kind][-timed.PAIRS :]
            pair = timed.pair_of(sides[kind], window, had[kind] % 2 == 1, names[kind])
            latest[kind] = [*window, pair]
            write(args.out, kind, about, pair)
            had[kind] += 1
    counts = ", ".join(f"{kind}: {had[kind]} of {count}" for kind, count in args.pairs.items())
    print(f"pairs by cycles added: {counts}", file=sys.stderr)


def arguments(pattern: str) -> list[str]:
    return ["--irqcost_backends=ring3", f"--benchmark_filter={pattern}"]


def write(out: Path, kind: str, about: str, pair: Sequence[Process]) -> None:
    context = pair[0].context
    line = {
        "kind": kind,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "a": about,
        "cpu": context["cpu"],
        "hypervisor": context["cpuid_hypervisor"],
        "kernel": context["kernel"]["release"],
        "load": os.getloadavg()[0],
        "seconds": [round(process.seconds, 3) for process in pair],
        "pair": [short(process) for process in pair],
    }
    with out.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def short(process: Process) -> dict[str, Any]:
    """What is counted of a process: judged_by(), and by benchmark whether it was free, the figure
    in core cycles, its sensor, and the plain mean of all samples in ticks."""
    figures = {}
    for entry in process.entries:
        cycles = entry.get("core_cycles")
        free = entry["label"] == "clean"
        numbers = [cycles, entry.get("sensor"), plain(entry, cycles)]
        figures[entry["run_name"]] = [free, *(n if n is None else round(n, 5) for n in numbers)]
    return {**judged_by(process), "figures": figures}


if __name__ == "__main__":
    main()

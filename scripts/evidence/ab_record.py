# SPDX-License-Identifier: GPL-2.0-only
"""Records what ab.py counts: pairs of processes of two builds, taken as `irqcost ab` takes them.

A is a revision. B is the same revision unpacked and built a second time elsewhere (difference 0),
or a copy whose row slow_0 has 1, 2 or 4 dependent adds more, which is 0.25, 0.5 or 1 core cycle for
each of its four primitives: the code of slow_025, slow_05 and slow_1 under the name slow_0. Nothing
else differs, so every other row of every pair is unchanged.

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

from guard_record import plain
from irqcost import ab, builds, epochs, harness
from irqcost.builds import Build
from irqcost.epochs import Epoch
from irqcost.errors import IrqcostError
from irqcost.progress import Progress
from irqcost.trials import ADDED, PLAIN, PRIMITIVES
from irqcost.vm.kernels import cache_directory

# By what is added to a primitive, in core cycles.
KINDS = ("0", "0.25", "0.5", "1")

# All rows of ring 3; of the slow-downs the one that the builds differ in.
_FILTER = f"-/({'|'.join(probe for probe in ADDED if probe != PLAIN)})/"

_TEXT = re.compile(r'(IRQCOST_INSN\(\d+, slow_0, .*\n\s*".*)(lfence",)')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--revision", default="HEAD", help="what A is (default: HEAD)")
    parser.add_argument("--pairs", type=int, default=515, help="of A/A (default: 515)")
    parser.add_argument(
        "--slow-pairs", type=int, default=115, help="of each slow-down (default: 115)"
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


def variants(plain_build: Build) -> tuple[Build, dict[str, Build]]:
    """A, and the copies of it by kind. Each has a folder in the cache."""
    source = plain_build.checkout()
    place = cache_directory() / "ab-evidence" / source.name
    found = {}
    for kind in KINDS:
        copy = place / kind
        if not copy.exists():
            new = place / f".{kind}"
            shutil.rmtree(new, ignore_errors=True)
            shutil.copytree(source, new, ignore=shutil.ignore_patterns("build", ".git"))
            slow_down(new / "bench_kmod" / "include" / "irqcost" / "probes.def", float(kind))
            new.rename(copy)
        found[kind] = builds.find(str(copy))
    return plain_build, found


def slow_down(rows: Path, added: float) -> None:
    """Adds so many core cycles to each primitive of slow_0."""
    if not added:
        return
    adds = f".rept {round(added * PRIMITIVES)}; add %rbx, %r8; .endr; "
    text, count = _TEXT.subn(rf"\g<1>{adds}\g<2>", rows.read_text(encoding="utf-8"))
    (probe,) = (name for name, cycles in ADDED.items() if cycles == added)
    bodies = re.findall(rf'INSN\(\d+, (?:{PLAIN}|{probe}), .*\n\s*(".*"), "",', text)
    # The catalogue has the same code already, under the name of the slow-down.
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
    wanted = {kind: args.slow_pairs if float(kind) else args.pairs for kind in KINDS}
    had = done(args.out)
    arguments = ["--irqcost_backends=ring3", f"--benchmark_filter={_FILTER}"]
    arguments.append("--irqcost_keep_samples")
    names = harness.names(a, arguments)
    latest: dict[str, list[tuple[Epoch, Epoch]]] = {kind: [] for kind in KINDS}
    end = time.monotonic() + args.seconds
    with Progress(f"pairs of {len(names)} figures") as progress:
        sides = {
            kind: [
                ab.measure_of(harness.Session(bench, arguments, args.seconds, progress))
                for bench in (a, other)
            ]
            for kind, other in others.items()
        }
        while time.monotonic() < end:
            left = {kind: wanted[kind] - had[kind] for kind in KINDS if wanted[kind] > had[kind]}
            if not left:
                break
            # The one of which the greatest part is missing: kinds stay in step.
            kind = max(left, key=lambda one: float(left[one] / wanted[one]))
            window = latest[kind][-ab.PAIRS :]
            pair = ab.pair_of(sides[kind], window, had[kind] % 2 == 1, names)
            latest[kind] = [*window, pair]
            write(args.out, kind, about, pair)
            had[kind] += 1
    counts = ", ".join(f"{kind}: {had[kind]} of {wanted[kind]}" for kind in KINDS)
    print(f"pairs by cycles added: {counts}", file=sys.stderr)


def write(out: Path, kind: str, about: str, pair: Sequence[Epoch]) -> None:
    context = pair[0].context
    line = {
        "kind": kind,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "a": about,
        "cpu": context["cpu"],
        "hypervisor": context["hypervisor"],
        "kernel": context["kernel"]["release"],
        "load": os.getloadavg()[0],
        "seconds": [round(epoch.seconds, 3) for epoch in pair],
        "pair": [short(epoch) for epoch in pair],
    }
    with out.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def short(epoch: Epoch) -> dict[str, Any]:
    """What is counted of an epoch: floors, and by benchmark the figure in core cycles, whether it
    was free, its sensor, and the plain mean of all samples in ticks."""
    figures = {}
    for entry in epoch.entries:
        cycles = entry.get("core_cycles")
        free = entry["label"] == "free"
        numbers = [cycles, entry.get("sensor"), plain(entry, cycles)]
        figures[entry["run_name"]] = [free, *(n if n is None else round(n, 5) for n in numbers)]
    floors = {name: round(floor, 6) for name, floor in epochs.sensor_floors([epoch]).items()}
    return {"floors": floors, "figures": figures}


if __name__ == "__main__":
    main()

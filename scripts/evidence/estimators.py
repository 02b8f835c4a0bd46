# SPDX-License-Identifier: GPL-2.0-only
"""By how much do the estimators of irqcost differ about the same samples?

Replays recordings of ring 3 through the harness's own code (recorder/replay.cc, built here), which
makes all three estimates of the clean samples of each process. A result is the median over the
processes of a recording, as `./irqcost run` would state it. Prints a Markdown table: for each CPU
and mode the results compared, and the greatest difference in core cycles between each estimator
and the newest, with the benchmark. Usage, in the checkout:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/estimators.py NAME=FOLDER...

FOLDER holds recordings of record.py.
"""

import argparse
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import recording

from irqcost.base.errors import IrqcostError
from irqcost.measure import build
from irqcost.stats import intervals

# The newest is the last.
ESTIMATORS = 3


def estimates(program: Path, path: Path) -> Iterator[tuple[str, list[float]]]:
    """The benchmarks of a recording, each with its result by every estimator."""
    lines = list(recording.read(path))
    names = {line.split()[1]: line.split()[2] for line in lines if line.startswith("#")}
    command = [str(program), str(recording.step(path))]
    done = subprocess.run(
        command, input="\n".join(lines), capture_output=True, text=True, check=True
    )
    found: dict[str, list[list[float]]] = defaultdict(lambda: [[] for _ in range(ESTIMATORS)])
    for line in done.stdout.splitlines():
        kind, _, *rest = line.split()
        if kind == "older":
            for values, value in zip(found[names[rest[0]]], rest[1:]):
                values.append(float(value))
        elif kind == "figure" and int(rest[4]):
            found[names[rest[0]]][-1].append(float(rest[1]))
    for name, values in found.items():
        if len(values[-1]) >= intervals.FEWEST:
            yield name, [intervals.median(one) for one in values]


def rows(program: Path, name: str, folder: Path) -> Iterator[str]:
    """Lines of the table for a CPU. Raises IrqcostError where there are no recordings."""
    counts: dict[str, int] = defaultdict(int)
    most: dict[tuple[str, int], tuple[float, str]] = {}
    paths = sorted(folder.glob("*.xz"))
    if not paths:
        raise IrqcostError(f"{folder}: no recordings (*.xz)")
    for path in paths:
        for benchmark, values in estimates(program, path):
            mode = recording.mode(benchmark)
            counts[mode] += 1
            for place, value in enumerate(values[:-1]):
                off = (abs(value - values[-1]), benchmark.split("/")[0])
                most[mode, place] = max(most.get((mode, place), off), off)
    for mode, count in counts.items():
        cells = (f"{most[mode, place][0]:.2f} (`{most[mode, place][1]}`)" for place in (0, 1))
        yield f"| {name} | {mode} | {count} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recordings", nargs="+", metavar="NAME=FOLDER")
    args = parser.parse_args()
    program = build.harness(target="irqcost_replay").parent / "irqcost-replay"
    print("| CPU | mode | results | 1 and 3 | 2 and 3 |\n|---|---|---:|---:|---:|")
    for text in args.recordings:
        name, _, place = text.partition("=")
        for line in rows(program, name, Path(place)):
            print(line, flush=True)


if __name__ == "__main__":
    main()

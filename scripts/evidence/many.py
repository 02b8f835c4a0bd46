# SPDX-License-Identifier: GPL-2.0-only
"""Thousands of result files, as many runners would write them: for trying what reads them.

Each is a copy of one of the given results, a day after the one before, with noise: every figure is
multiplied by its own random factor about 1 (normal, --percent) and so are its intervals and epochs;
every hundredth file comes from a machine with another microcode. The same seed gives the same
files. They are no measurements and do not belong into results/. Usage, in the checkout:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/many.py --count 10000 --out FOLDER RESULT…
"""

import argparse
import copy
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from irqcost import files, jsontext
from irqcost.progress import Progress

# What is a multiple of the figure itself.
_SCALED = ("real_time", "cpu_time", "ticks", "core_cycles", "ticks_min", "ticks_p50", "ticks_p99")
_SCALED += ("core_cycles_low", "core_cycles_high", "ticks_low", "ticks_high")
_FOLDER = 1000  # files in each


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes result files with noise.")
    parser.add_argument("results", metavar="RESULT", nargs="+", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--percent", type=float, default=0.3, help="standard deviation of noise")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="a folder, made here")
    args = parser.parse_args()
    seeds = [files.read_document(path)[0] for path in args.results]
    chance = random.Random(args.seed)
    args.out.mkdir(parents=True)
    with Progress(f"writing {args.count} results") as progress:
        for number in range(args.count):
            progress.count(number, args.count, "")
            document = noisy(seeds[number % len(seeds)], number, args.percent / 100, chance)
            folder = args.out / f"{number // _FOLDER:03}"
            folder.mkdir(exist_ok=True)
            text = jsontext.dumps(document)
            (folder / f"{number:06}.json").write_text(text, encoding="utf-8")


def noisy(seed: Any, number: int, deviation: float, chance: random.Random) -> Any:
    """The `number`th copy of a result document."""
    # What is not changed is shared: copies are written and dropped.
    document = {"context": copy.deepcopy(seed["context"]), "benchmarks": []}
    context = document["context"]
    start = datetime.fromisoformat(context["date"])
    context["date"] = (start + timedelta(days=number)).isoformat()
    if number % 100 == 99:
        context["irqcost"]["cpu"]["microcode"] = "0xffffffff"
    for entry in seed["benchmarks"]:
        factor = chance.gauss(1, deviation)
        scaled = {key: entry[key] * factor for key in _SCALED if key in entry}
        epochs = {
            key: [value * factor for value in entry[key]]
            for key in ("epochs", "epochs_disturbed")
            if key in entry
        }
        document["benchmarks"].append({**entry, **scaled, **epochs})
    return document


if __name__ == "__main__":
    main()

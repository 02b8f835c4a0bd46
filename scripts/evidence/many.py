# SPDX-License-Identifier: GPL-2.0-only
"""Thousands of result files, as many runners would write them: for trying what reads them.

Each is a copy of one of the given results, a day after the one before, with noise: every figure is
multiplied by its own random factor about 1 (normal, --percent) and so are its intervals and
processes; every hundredth file comes from a machine with another microcode. Samples and machine
code, which are most of a file, are those of the original: files are as large as real ones. The same
seed gives the same files. They are no measurements and do not belong into results/. Usage, in the
checkout:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/many.py --count 10000 --out FOLDER RESULT…
"""

import argparse
import copy
import json
import random
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from irqcost.base import jsontext
from irqcost.base.progress import Progress
from irqcost.model import reader

# What is a multiple of the figure itself.
_SCALED = ("real_time", "cpu_time", "ticks", "core_cycles", "ticks_min", "ticks_p50", "ticks_p99")
_SCALED += ("core_cycles_low", "core_cycles_high", "ticks_low", "ticks_high")
# What is in all copies as it is in the original, and takes the longest to write: written once.
_KEPT = ("histogram",)
_FOLDER = 1000  # files in each


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes result files with noise.")
    parser.add_argument("results", metavar="RESULT", nargs="+", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--percent", type=float, default=0.3, help="standard deviation of noise")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="a folder, made here")
    args = parser.parse_args()
    seeds = [_Seed(reader.read_document(path)[0]) for path in args.results]
    chance = random.Random(args.seed)
    args.out.mkdir(parents=True)
    with Progress(f"writing {args.count} results") as progress:
        for number in range(args.count):
            progress.count(number, args.count, "")
            text = seeds[number % len(seeds)].copy(number, args.percent / 100, chance)
            folder = args.out / f"{number // _FOLDER:03}"
            folder.mkdir(exist_ok=True)
            (folder / f"{number:06}.json").write_text(text, encoding="utf-8")


class _Seed:
    """A result document to be copied."""

    def __init__(self, document: Any) -> None:
        self._texts: dict[str, str] = {}
        self._document = {**document, "benchmarks": []}
        for entry in document["benchmarks"]:
            kept = {key: self._marked(entry[key]) for key in _KEPT if key in entry}
            self._document["benchmarks"].append({**entry, **kept})
        text = self._document["context"]["irqcost"].pop("machine_code", None)
        if text is not None:
            self._document["context"]["irqcost"]["machine_code"] = self._marked(text)

    def _marked(self, value: Any) -> str:
        """What stands for a value until the document is text."""
        mark = f"\0{len(self._texts)}"
        # As deep as it is in an entry, and in context.irqcost.
        self._texts[json.dumps(mark)] = json.dumps(value, separators=(",", ":"))
        return mark

    def copy(self, number: int, deviation: float, chance: random.Random) -> str:
        """The text of the `number`th copy."""
        text = jsontext.dumps(noisy(self._document, number, deviation, chance))
        return _filled(text, self._texts)


_MARK = re.compile(r'"\\u0000[0-9]+"')


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _MARK.sub(lambda mark: values[mark.group()], text)


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
        processes = {
            key: [value * factor for value in entry[key]]
            for key in ("processes", "processes_contaminated")
            if key in entry
        }
        document["benchmarks"].append({**entry, **scaled, **processes})
    return document


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-2.0-only
"""Slim records of a simulated fleet, packed as NDJSON: for trying what reads millions.

Each machine has the figures of one of the given results, and is one of eight kinds of microcode
and kernel. A figure is that of the result, times a factor of the machine (normal, 1 %), times one
of the night (normal, 0.3 %), and so is its interval. Records are labelled `simulated`: they are no
measurements. The same seed makes the same records. Usage, in the checkout:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/fleet_records.py --machines 100000 \\
        --nights 10 --out FOLDER RESULT…
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np

from irqcost.base import executors
from irqcost.base.progress import Progress
from irqcost.model import store
from irqcost.model.records import slim
from irqcost.model.records.slim import Slim

# When the last night ends.
LAST = datetime(2026, 11, 30, 6, tzinfo=timezone.utc)
_KINDS = 8
_OF_MACHINE, _OF_NIGHT = 0.01, 0.003
# Machines of a file, which has one night of them.
_IN_FILE = 10_000


@dataclass(frozen=True)
class Fleet:
    """A simulated fleet. In the last night the machines of kind 0 get another kernel, on which each
    figure costs `slower` core cycles more."""

    seeds: Sequence[Slim]
    machines: int
    nights: int
    seed: int = 1
    slower: float = 0.0

    def lines(self, night: int, first: int, last: int) -> bytes:
        """Records of a night, of machines from `first` and before `last`."""
        return b"".join(slim.dumps(self._record(night, machine)) for machine in range(first, last))

    def _record(self, night: int, machine: int) -> Slim:
        kind = machine % _KINDS
        seed = self.seeds[kind % len(self.seeds)]
        updated = kind == 0 and self.slower > 0 and night == self.nights - 1
        count = len(seed.figures)
        own = np.random.default_rng([self.seed, machine])
        level = 1 + _OF_MACHINE * own.standard_normal(count)
        moved = np.random.default_rng([self.seed, machine, 1 + night]).standard_normal(count)
        factors = (level * (1 + _OF_NIGHT * moved)).tolist()
        added = self.slower if updated else 0.0
        figures = {
            name: one._replace(
                value=_digits(one.value * factor + added),
                low=None if one.low is None else _digits(one.low * factor + added),
                high=None if one.high is None else _digits(one.high * factor + added),
            )
            for (name, one), factor in zip(seed.figures.items(), factors)
        }
        date = LAST - timedelta(days=self.nights - 1 - night, seconds=3600 + machine % 7200)
        context = json.loads(seed.document)
        context["execution"]["kind"] = "simulated"
        context["cpu"]["microcode"] = f"0x{kind:08x}"
        context["kernel"]["release"] = "6.12.2-new" if updated else f"6.{kind}.1-simulated"
        return Slim(
            f"machine-{machine:07}",
            date.isoformat(),
            seed.verdict,
            seed.context,
            figures,
            document=json.dumps(context, separators=(",", ":")),
        )


def _digits(value: float) -> float:
    return float(f"{value:.6g}")


def seeds(results: Sequence[Path]) -> list[Slim]:
    """What the figures of a fleet are made of."""
    return [slim.of(one, "seed") for one in store.read(results).records]


def write(fleet: Fleet, folder: Path, place: tuple[int, int]) -> None:
    """Writes a file of a fleet: a night, from a machine on."""
    night, first = place
    last = min(first + _IN_FILE, fleet.machines)
    lines = fleet.lines(night, first, last)
    (folder / f"night-{night:03}-{first:07}.ndjson").write_bytes(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes records of a simulated fleet.")
    parser.add_argument("results", metavar="RESULT", nargs="+", type=Path)
    parser.add_argument("--machines", type=int, default=100_000)
    parser.add_argument("--nights", type=int, default=10)
    parser.add_argument("--slower", metavar="CYCLES", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="a folder, made here")
    args = parser.parse_args()
    fleet = Fleet(seeds(args.results), args.machines, args.nights, args.seed, args.slower)
    if not fleet.seeds:
        sys.exit("fleet_records.py: no result could be read")
    args.out.mkdir(parents=True)
    places = [(n, m) for n in range(args.nights) for m in range(0, args.machines, _IN_FILE)]
    count = len(places)
    with Progress(f"writing {args.machines * args.nights} records") as progress:
        with executors.processes() as pool:
            done = pool.map(write, [fleet] * count, [args.out] * count, places)
            for number, _ in enumerate(done):
                progress.count(number, count, "")


if __name__ == "__main__":
    main()

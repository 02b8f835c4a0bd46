# SPDX-License-Identifier: GPL-2.0-only
"""Does the rule of clock, cleanness and estimate hold on each CPU that was recorded?

Replays recordings of ring 3 through the harness's own code (recorder/replay.cc, built here): a
process of a recording is one of a run. Sets of processes, drawn at random from those in which a
figure had clean samples, are judged as `./irqcost run` judges them. The quiet value of a figure is
the median over the processes of `alone`. Prints a Markdown table with, per cent: processes with
clean samples; of the figures those that are good; of the good ones those within 0.3 % or 0.05 cycle
of the quiet value; of all stated intervals those that hold it within 0.1 % or 0.02 cycle, as well
as it is known. Usage, in the checkout:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/rule.py NAME=FOLDER:STEP...

FOLDER holds recordings of record.py, STEP is that of their clock in ticks. With `:batches` added,
*.txt.xz there are recordings of batches (two primitives, a window of 20 ms a process).
"""

import argparse
import lzma
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy
import recording

from irqcost.measure import build
from irqcost.measure.processes import Target, run_level
from irqcost.model import description
from irqcost.stats import intervals

DRAWS = 40
TARGET = Target()
TOLERANCE = float(description.read()["sensor_tolerance"])

# Of the recorded batches: column, operations and name of a primitive; core cycles of the chain and
# operations of the sensor in a batch; ticks of a window of 20 ms.
BATCHES = (("popf/throughput", 3, 4500), ("pushf_pop_push_popf/throughput", 4, 2000))
CHAIN_CYCLES, SENSOR_OPS, WINDOW_TICKS = 60_000, 60_000, 0.020 * 2.445e9


@dataclass
class Replayed:
    """A recording: the level that each process found, and by figure and process its value, its
    resolution and whether it is of clean samples."""

    levels: dict[int, tuple[float, bool]] = field(default_factory=dict)
    figures: dict[str, dict[int, tuple[float, float, bool]]] = field(
        default_factory=lambda: defaultdict(dict)
    )


def batches(text: str) -> Iterator[str]:
    """Recorded batches as lines of record.cc: each window of 20 ms is a process."""
    for number, (name, _, _) in enumerate(BATCHES):
        yield f"# {number} {name}"
    rows = [[float(word) for word in line.split()] for line in text.splitlines()]
    slices: dict[int, list[list[float]]] = defaultdict(list)
    for row in rows:
        slices[int((row[0] - rows[0][0]) // WINDOW_TICKS)].append(row)
    for process, own in slices.items():
        for start in range(0, len(own), 25):
            for number, (_, column, ops) in enumerate(BATCHES):
                for row in own[start : start + 25]:
                    yield (
                        f"{process} {number} 0 {row[1]:.0f} 0 {row[column]:.0f} "
                        f"{row[2] / SENSOR_OPS:.6f} 0 {ops} {CHAIN_CYCLES}"
                    )


def replay(program: Path, lines: str, step: float, level: float | None) -> Replayed:
    """What the harness makes of the lines of a recording."""
    command = [str(program), str(step)] + ([] if level is None else [str(level)])
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    names = {
        line.split()[1]: line.split()[2] for line in lines.splitlines() if line.startswith("#")
    }
    found = Replayed()
    for line in done.stdout.splitlines():
        kind, process, *rest = line.split()
        if kind == "level":
            found.levels[int(process)] = (float(rest[0]), rest[1] == "1")
        elif kind == "figure":
            row, cycles, _, resolution, clean, _ = rest
            found.figures[names[row]][int(process)] = (
                float(cycles),
                float(resolution),
                int(clean) > 0,
            )
    return found


def near(value: float, quiet: float, percent: float, cycles: float) -> bool:
    return abs(value - quiet) <= max(abs(quiet) * percent / 100, cycles)


@dataclass
class Count:
    """Of the figures of a mode: their processes and the clean ones; how many there were, good ones,
    right ones, intervals, and those that hold the quiet value."""

    processes: int = 0
    clean: int = 0
    figures: int = 0
    good: int = 0
    right: int = 0
    intervals: int = 0
    held: int = 0

    def text(self) -> str:
        def percent(part: int, whole: int) -> str:
            return f"{100 * part / whole:.0f}" if whole else "–"

        return "/".join(
            (
                percent(self.clean, self.processes),
                percent(self.good, self.figures),
                percent(self.right, self.good),
                percent(self.held, self.intervals),
            )
        )


def judge(
    by_process: Mapping[int, tuple[float, float, bool]],
    chance: numpy.random.Generator,
    quiet: float,
    size: int,
) -> tuple[bool, bool, bool | None]:
    """A figure of a run of so many of these processes: whether it is good, right, and held by its
    interval (None: it has none)."""
    clean = [one for one in by_process.values() if one[2]]
    if len(clean) < intervals.FEWEST:
        return False, False, None
    drawn = chance.choice(len(clean), min(size, len(clean)), replace=False)
    used = [clean[place] for place in drawn]
    interval = intervals.median_interval([one[0] for one in used])
    assert interval is not None
    value = intervals.median([one[0] for one in used])
    step = intervals.median([one[1] for one in used])
    low, high = interval[0] - step, interval[1] + step
    good = max(high - value, value - low) <= TARGET.half_width(value)
    slack = max(0.001 * abs(quiet), 0.02)
    held = low - slack <= quiet <= high + slack
    return good, near(value, quiet, 0.3, 0.05), held


def conditions(program: Path, folder: Path, step: float, is_batches: bool) -> dict[str, Replayed]:
    """The recordings of a folder, replayed with the level that their processes share."""
    texts = {}
    for path in sorted(folder.glob("*.txt.xz" if is_batches else "*.xz")):
        if is_batches:
            with lzma.open(path, "rt", encoding="ascii") as file:
                lines = batches(file.read())
        else:
            lines = recording.read(path)
        texts[path.name.partition(".")[0]] = "\n".join(lines)
    found = {}
    for name, text in texts.items():
        first = replay(program, text, step, None)
        steady = [value for value, is_steady in first.levels.values() if is_steady]
        level = run_level(steady, len(first.levels), TOLERANCE)
        found[name] = replay(program, text, step, level) if level is not None else first
    return found


def pooled(found: Mapping[str, Replayed]) -> Replayed:
    """All conditions but those in which no process was clean, as if they were one."""
    result = Replayed()
    for number, replayed in enumerate(found.values()):
        for name, by_process in replayed.figures.items():
            for process, one in by_process.items():
                result.figures[name][number * 1_000_000 + process] = one
    return result


def table(
    program: Path, name: str, folder: Path, step: float, is_batches: bool, size: int
) -> list[str]:
    """Lines of the table for a CPU."""
    chance = numpy.random.default_rng(1)
    found = conditions(program, folder, step, is_batches)
    quiet_name = "alone" if "alone" in found else "pin_idle"
    quiet = {
        row: intervals.median([one[0] for one in by_process.values() if one[2]])
        for row, by_process in found[quiet_name].figures.items()
        if any(one[2] for one in by_process.values())
    }
    lines = []
    for condition, replayed in {**found, "**all, pooled**": pooled(found)}.items():
        counts: dict[str, Count] = defaultdict(Count)
        for row, by_process in replayed.figures.items():
            count = counts[recording.mode(row)]
            count.processes += len(by_process)
            count.clean += sum(one[2] for one in by_process.values())
            for _ in range(DRAWS):
                good, right, held = judge(by_process, chance, quiet[row], size)
                count.figures += 1
                count.good += good
                count.right += good and right
                count.intervals += held is not None
                count.held += bool(held)
        lines.append(f"| {name} | {condition} | " + _cells(counts))
    return lines


def _cells(counts: Mapping[str, Count]) -> str:
    return " | ".join(counts[mode].text() if mode in counts else "–" for mode in MODES) + " |"


MODES = ("throughput", "isolated", "in situ")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recordings", nargs="+", metavar="NAME=FOLDER:STEP[:batches]")
    parser.add_argument("--set", type=int, default=12, help="processes of a run (default: 12)")
    args = parser.parse_args()
    folder = build.harness(target="irqcost_replay").parent
    print(f"| CPU | condition | {' | '.join(MODES)} |\n|---|---|---|---|---|")
    for text in args.recordings:
        name, _, rest = text.partition("=")
        place, step, *kind = rest.split(":")
        program = folder / "irqcost-replay"
        for line in table(program, name, Path(place), float(step), bool(kind), args.set):
            print(line, flush=True)


if __name__ == "__main__":
    main()

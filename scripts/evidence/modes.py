# SPDX-License-Identifier: GPL-2.0-only
"""Which estimator and which sensor for which mode? On the recordings of record.py.

A process is an epoch: of its samples each estimator makes one figure in core cycles, and the quiet
value of an estimator is the median of its figures over the processes that were alone, judged by the
nops. Prints two Markdown tables over all rows of a mode: estimators, with samples judged by the
nops, and sensors, with the estimator that the harness uses. Usage, in the checkout:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/modes.py FOLDER

Bias and spread are in multiples of the target, 0.2 % or 0.05 cycle: bias is how far the conditions'
medians lie from the quiet value, spread the standard deviation over the processes of a condition
(1.48 times the median absolute deviation), both as the root of the mean square over rows and
conditions; coverage is that of intervals of six processes of a condition drawn at random, of the
quiet value within 0.1 % or 0.02 cycle, as well as that is known.
"""

import argparse
import lzma
from collections.abc import Callable
from pathlib import Path

import numpy
from numpy.typing import NDArray

from estimators import ESTIMATORS as SIMPLE
from estimators import Array

# Columns of a recording.
PROCESS, ROW, CHAIN_BASE, CHAIN_BODY, BASE, BODY = range(6)
FLAGS, OPS, CYCLES = 10, 11, 12
SENSORS = {"none": None, "nop": 6, "add": 7, "load": 8, "microcode": 9}
EPOCHS = 6
DRAWS = 1000


def middle(values: Array) -> float:
    """Location::kMiddle of the harness."""
    ordered = numpy.sort(values)
    return float(ordered[len(ordered) // 10 : len(ordered) * 3 // 4].mean())


ESTIMATORS: dict[str, Callable[[Array], float]] = {**SIMPLE, "mean p10 to p75": middle}
USED = {"throughput": "p10", "latency": "mean p10 to p75", "in situ": "mean p10 to p75"}


def free(samples: Array, sensor: int | None, floor: float) -> NDArray[numpy.bool_]:
    """The limits of docs/METHOD.md; `floor` of the sensor in core cycles."""
    if sensor is None:
        return numpy.full(len(samples), True)
    cycle = (samples[:, CHAIN_BODY] - samples[:, CHAIN_BASE]) / samples[:, CYCLES]
    still = numpy.abs(cycle / numpy.quantile(cycle, 0.10) - 1) <= 0.005
    seen = samples[:, sensor] / numpy.quantile(cycle, 0.10) / floor
    return numpy.asarray(still & (seen >= 0.97) & (seen <= 1.05) & (samples[:, FLAGS] == 0))


def figure(samples: Array, estimate: Callable[[Array], float]) -> float:
    """Core cycles for one operation, as the harness makes them."""
    ticks = (estimate(samples[:, BODY]) - estimate(samples[:, BASE])) / samples[0, OPS]
    floors = [numpy.quantile(samples[:, column], 0.10) for column in (CHAIN_BODY, CHAIN_BASE)]
    return float(ticks / ((floors[0] - floors[1]) / samples[0, CYCLES]))


def figures(recording: Array, row: int, sensor: str, estimator: str, floor: float) -> Array:
    """That of each process that has ten samples left."""
    found = []
    for process in numpy.unique(recording[:, PROCESS]):
        samples = recording[(recording[:, PROCESS] == process) & (recording[:, ROW] == row)]
        samples = samples[free(samples, SENSORS[sensor], floor)]
        if len(samples) >= 10:
            found.append(figure(samples, ESTIMATORS[estimator]))
    return numpy.array(found)


def sensor_floor(recordings: dict[str, Array], sensor: str) -> float:
    """The lowest floor of any process, in core cycles for one operation."""
    column = SENSORS[sensor]
    if column is None:
        return 0
    floors = []
    for recording in recordings.values():
        for process in numpy.unique(recording[:, PROCESS]):
            own = recording[recording[:, PROCESS] == process]
            cycle = (own[:, CHAIN_BODY] - own[:, CHAIN_BASE]) / own[:, CYCLES]
            floors.append(numpy.quantile(own[:, column], 0.10) / numpy.quantile(cycle, 0.10))
    return float(min(floors))


def line(recordings: dict[str, Array], rows: list[int], sensor: str, estimator: str) -> str:
    """Bias, spread and coverage over rows, and the figures that were disturbed."""
    chance = numpy.random.default_rng(1)
    nops, floor = sensor_floor(recordings, "nop"), sensor_floor(recordings, sensor)
    biases, spreads, held, all_of, lost = [], [], [], 0, 0
    for row in rows:
        quiet = float(numpy.median(figures(recordings["alone"], row, "nop", estimator, nops)))
        target, near = max(0.002 * abs(quiet), 0.05), max(0.001 * abs(quiet), 0.02)
        for recording in recordings.values():
            found = figures(recording, row, sensor, estimator, floor)
            count = len(numpy.unique(recording[:, PROCESS]))
            all_of, lost = all_of + count, lost + count - len(found)
            if len(found) < EPOCHS:
                continue
            middle_one = float(numpy.median(found))
            biases.append((middle_one - quiet) / target)
            spreads.append(1.4826 * numpy.median(numpy.abs(found - middle_one)) / target)
            drawn = chance.choice(found, (DRAWS, EPOCHS))
            held.append((drawn.min(1) <= quiet + near) & (drawn.max(1) >= quiet - near))
    root = [numpy.sqrt(numpy.mean(numpy.square(values))) for values in (biases, spreads)]
    return (
        f"{root[0]:.2f} | {root[1]:.2f} | {100 * numpy.mean(held):.0f} % "
        f"| {100 * lost / all_of:.1f} %"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="what record.py wrote")
    folder: Path = parser.parse_args().folder
    recordings = {}
    modes: dict[str, list[int]] = {mode: [] for mode in USED}
    for path in sorted(folder.glob("*.txt.xz")):
        with lzma.open(path, "rt", encoding="ascii") as lines:
            recordings[path.name.removesuffix(".txt.xz")] = numpy.loadtxt(lines)
    if "alone" not in recordings:
        parser.error(f"{folder} holds no alone.txt.xz")
    with lzma.open(folder / "alone.txt.xz", "rt", encoding="ascii") as lines:
        for text in lines:
            if text.startswith("#"):
                _, number, name = text.split()
                modes[name.split("/")[1].replace("_", " ")].append(int(number))
    head = "bias | spread | coverage | disturbed |"
    print(f"| mode | rows | estimator | {head}\n|---|---|---|---|---|---|---|")
    for mode, rows in modes.items():
        for estimator in ESTIMATORS:
            text = line(recordings, rows, "nop", estimator)
            print(f"| {mode} | {len(rows)} | {estimator} | {text} |")
    print(f"\n| mode | rows | sensor | {head}\n|---|---|---|---|---|---|---|")
    for mode, rows in modes.items():
        for sensor in SENSORS:
            text = line(recordings, rows, sensor, USED[mode])
            print(f"| {mode} | {len(rows)} | {sensor} | {text} |")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-2.0-only
"""Which estimator and which sensor for which mode? On the recordings of record.py.

A process is an epoch: of its samples each estimator makes one figure in core cycles, and the quiet
value of an estimator is the median of its figures over the processes that were alone, judged by the
nops. Prints two Markdown tables: estimators, with samples judged by the nops, and sensors, with the
estimator that the harness uses. Usage, in the checkout:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/modes.py FOLDER

Bias is the greatest of the four conditions' medians less the quiet value, spread the standard
deviation over processes within a condition (1.48 times the median absolute deviation), and coverage
that of intervals of six processes of a condition drawn at random, of the quiet value within 0.1 %
or 0.02 cycle, as well as that is known.
"""

import argparse
import lzma
from collections.abc import Callable
from pathlib import Path

import numpy
from numpy.typing import NDArray

from estimators import Array, half_sample_mode, trimmed

# Columns of a recording.
PROCESS, ROW, CHAIN_BASE, CHAIN_BODY, BASE, BODY = range(6)
FLAGS, OPS, CYCLES = 10, 11, 12
SENSORS = {"none": None, "nop": 6, "add": 7, "load": 8, "microcode": 9}
ROWS = (
    "push; popf, throughput",
    "save and restore, throughput",
    "save and restore, latency",
    "pushf; popf in situ, 100",
)
EPOCHS = 6
DRAWS = 1000


def middle(values: Array) -> float:
    """Location::kMiddle of the harness."""
    ordered = numpy.sort(values)
    return float(ordered[len(ordered) // 10 : len(ordered) * 3 // 4].mean())


ESTIMATORS: dict[str, Callable[[Array], float]] = {
    "minimum": lambda values: float(values.min()),
    "p10": lambda values: float(numpy.quantile(values, 0.10)),
    "p25": lambda values: float(numpy.quantile(values, 0.25)),
    "median": lambda values: float(numpy.median(values)),
    "trimmed mean": trimmed,
    "mean p10 to p75": middle,
    "half-sample mode": half_sample_mode,
}
USED = ("p10", "p10", "mean p10 to p75", "mean p10 to p75")


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


def line(recordings: dict[str, Array], row: int, sensor: str, estimator: str, quiet: float) -> str:
    """Bias, spread, coverage, and the processes that had enough samples."""
    chance = numpy.random.default_rng(1)
    floor = sensor_floor(recordings, sensor)
    found = [figures(one, row, sensor, estimator, floor) for one in recordings.values()]
    near = max(0.001 * abs(quiet), 0.02)
    held = [
        values.min() <= quiet + near and values.max() >= quiet - near
        for one in found
        if len(one) >= EPOCHS
        for values in chance.choice(one, (DRAWS, EPOCHS))
    ]
    enough = [one for one in found if len(one) >= EPOCHS]
    if not enough:
        return f"too few free | | | {sum(map(len, found))}"
    bias = max((numpy.median(one) - quiet for one in enough), key=abs)
    spread = numpy.median(
        [1.4826 * numpy.median(numpy.abs(one - numpy.median(one))) for one in enough]
    )
    return f"{bias:+.3f} | {spread:.3f} | {100 * numpy.mean(held):.0f} % | {sum(map(len, found))}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="what record.py wrote")
    folder: Path = parser.parse_args().folder
    recordings = {}
    for path in sorted(folder.glob("*.txt.xz")):
        with lzma.open(path, "rt", encoding="ascii") as lines:
            recordings[path.name.removesuffix(".txt.xz")] = numpy.loadtxt(lines)
    if "alone" not in recordings:
        parser.error(f"{folder} holds no alone.txt.xz")
    floor = sensor_floor(recordings, "nop")

    def quiet(row: int, estimator: str) -> float:
        return float(numpy.median(figures(recordings["alone"], row, "nop", estimator, floor)))

    head = "bias | spread | coverage | processes |"
    print(f"| row | estimator | quiet value | {head}\n|---|---|---|---|---|---|---|")
    for row, title in enumerate(ROWS):
        for estimator in ESTIMATORS:
            value = quiet(row, estimator)
            text = line(recordings, row, "nop", estimator, value)
            print(f"| {title} | {estimator} | {value:.2f} | {text} |")
    print(f"\n| row | sensor | {head}\n|---|---|---|---|---|---|")
    for row, title in enumerate(ROWS):
        for sensor in SENSORS:
            text = line(recordings, row, sensor, USED[row], quiet(row, USED[row]))
            print(f"| {title} | {sensor} | {text} |")


if __name__ == "__main__":
    main()

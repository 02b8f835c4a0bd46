# SPDX-License-Identifier: GPL-2.0-only
"""Which quantile stands for a cost? Estimators on recorded batches, with and without the sensor.

Reads a folder of recordings (xz; a line a round: TSC, ticks of 60,000 core cycles of dependent
multiplies, of 60,000 independent adds, of 4,500 `push;popf`, of 2,000 save and restore, CPU), cuts
them into windows of 20 ms, estimates each window in core cycles and prints a Markdown table:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/estimators.py FOLDER

Bias is the median of the windows less the quiet value; spread holds the middle 95 % of the windows;
coverage is that of intervals of six windows drawn at random from one recording, of the quiet value
within 0.1 %: it is known no better.
"""

import argparse
import lzma
from collections.abc import Callable
from pathlib import Path

import numpy
from numpy.typing import NDArray

Array = NDArray[numpy.float64]

# Of the CPU that was recorded (Zen 3): published, and what the quietest windows show.
QUIET = {"push;popf": (3, 4500, 13.00), "save and restore": (4, 2000, 28.59)}
CALIBRATION_CYCLES = 60000
WINDOW_TICKS = 0.020 * 2.445e9
EPOCHS = 6  # whose extremes enclose the median in 96.9 % of the cases
DRAWS = 2000


def trimmed(values: Array) -> float:
    """Mean without the lowest and the highest fifth."""
    ordered = numpy.sort(values)
    cut = len(ordered) // 5
    return float(ordered[cut : len(ordered) - cut].mean())


def half_sample_mode(values: Array) -> float:
    """The densest half, again and again (Bickel and Fruehwirth, 2006)."""
    ordered = numpy.sort(values)
    while len(ordered) > 2:
        half = (len(ordered) + 1) // 2
        widths = ordered[half - 1 :] - ordered[: len(ordered) - half + 1]
        start = int(widths.argmin())
        ordered = ordered[start : start + half]
    return float(ordered.mean())


ESTIMATORS: dict[str, Callable[[Array], float]] = {
    "minimum": lambda values: float(values.min()),
    "p10": lambda values: float(numpy.quantile(values, 0.10)),
    "p25": lambda values: float(numpy.quantile(values, 0.25)),
    "median": lambda values: float(numpy.median(values)),
    "trimmed mean": trimmed,
    "half-sample mode": half_sample_mode,
}


def free(rounds: Array) -> NDArray[numpy.bool_]:
    """The limits of docs/METHOD.md, floors over the whole recording."""
    chain, sensor = rounds[:, 1], rounds[:, 2]
    quiet_chain = numpy.quantile(chain, 0.10)
    quiet_sensor = numpy.quantile(sensor, 0.10)
    still = numpy.abs(chain - quiet_chain) <= 0.005 * quiet_chain
    alone = (sensor >= 0.97 * quiet_sensor) & (sensor <= 1.05 * quiet_sensor)
    return numpy.asarray(still & alone)


def windows(rounds: Array, kept: NDArray[numpy.bool_]) -> list[Array]:
    """The rounds kept of each 20 ms in which there are ten of them."""
    number = ((rounds[:, 0] - rounds[0, 0]) // WINDOW_TICKS).astype(int)
    ends = numpy.flatnonzero(numpy.diff(number)) + 1
    pieces = zip(numpy.split(rounds, ends), numpy.split(kept, ends))
    return [piece[mask] for piece, mask in pieces if mask.sum() >= 10]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="the recordings, *.txt.xz")
    folder: Path = parser.parse_args().folder
    recordings = []
    for path in sorted(folder.glob("*.txt.xz")):
        with lzma.open(path, "rt", encoding="ascii") as lines:
            recordings.append(numpy.loadtxt(lines))
    if not recordings:
        parser.error(f"{folder} holds no *.txt.xz")
    chance = numpy.random.default_rng(1)
    print("| primitive | rounds | estimator | bias | middle 95 % of windows | coverage |")
    print("|---|---|---|---|---|---|")
    for primitive, (column, ops, quiet) in QUIET.items():
        for kind in ("all", "free"):
            cut = [
                windows(r, free(r) if kind == "free" else numpy.full(len(r), True))
                for r in recordings
            ]
            for name, estimate in ESTIMATORS.items():
                found = [
                    numpy.array([cost(piece, column, ops, estimate) for piece in pieces])
                    for pieces in cut
                ]
                every = numpy.concatenate(found)
                held = [
                    values.min() <= 1.001 * quiet and values.max() >= 0.999 * quiet
                    for one in found
                    for values in chance.choice(one, (DRAWS, EPOCHS))
                ]
                low, high = numpy.quantile(every, (0.025, 0.975))
                print(
                    f"| {primitive} | {kind} | {name} | {numpy.median(every) - quiet:+.2f} "
                    f"| {low:.2f} to {high:.2f} | {100 * numpy.mean(held):.0f} % |"
                )


def cost(piece: Array, column: int, ops: int, estimate: Callable[[Array], float]) -> float:
    """Core cycles for one operation: each round by its own chain."""
    return estimate(piece[:, column] / ops / (piece[:, 1] / CALIBRATION_CYCLES))


if __name__ == "__main__":
    main()

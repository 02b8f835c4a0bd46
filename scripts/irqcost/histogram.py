# SPDX-License-Identifier: GPL-2.0-only
"""A histogram small enough for a result file, and fine enough to see modes of 0.1 %."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

# A bin is at most this fraction of the figure …
_RESOLUTION = 0.001
# … or, for a figure near zero, this much: a fiftieth of what a figure may be off by.
_FINEST = 0.001
# Bins that a grid may fill. Samples that do not fit are put on one of twice the width.
MOST_BINS = {"free": 80, "disturbed": 40}


def histogram(
    unit: str, figure: float, free: Sequence[float], disturbed: Sequence[float]
) -> dict[str, Any]:
    """The samples of a figure, counted; free and disturbed ones on a grid each.

    Bin i of a grid counts values from origin + i * width up to the next.
    """
    return {
        "unit": unit,
        "free": _grid(free, figure, MOST_BINS["free"]),
        "disturbed": _grid(disturbed, figure, MOST_BINS["disturbed"]),
    }


# The windows of a sample, as an epoch's `used` has them.
WINDOWS = ("base", "body", "chain_base", "chain_body")
# What stands for them, by the harness (measure/estimate.h): kFloorQuantile, and for base and body
# where their `location` is "middle" the mean of those from kMiddleFrom to kMiddleTo.
QUANTILE = 0.10
MIDDLE = (0.10, 0.75)

# Bins of a window: with them a figure can be had again to about a thousandth.
_WINDOW_BINS = 24


def windows(used: Mapping[str, Any]) -> dict[str, Any]:
    """The windows of one epoch's free samples, counted: what its estimate is made of."""
    # No clock of a backend counts finer than its unit, which is a tick or a nanosecond.
    grids = {name: _grid(used[name], 0, _WINDOW_BINS, finest=1) for name in WINDOWS}
    # A harness from before there were two had the floor; ab runs such ones, too.
    location = used.get("location", "floor")
    kept = {"ops": used["ops"], "chain_cycles": used["chain_cycles"], "location": location}
    return kept | grids


def redo(epoch: Mapping[str, Any]) -> tuple[float, float]:
    """The figure of an epoch in core cycles, made anew of what windows() kept, and by how much it
    may differ from the harness's at most: each window is known to half a bin."""
    # Files from before there were two have the floor.
    middle = epoch.get("location") == "middle"
    stands = {name: _quantile for name in WINDOWS}
    if middle:
        stands |= {"base": _middle, "body": _middle}
    floors = {name: stands[name](_values(epoch[name])) for name in WINDOWS}
    halves = {name: epoch[name]["width"] / 2 for name in WINDOWS}
    row = (floors["body"] - floors["base"]) / epoch["ops"]
    chain = (floors["chain_body"] - floors["chain_base"]) / epoch["chain_cycles"]
    row_off = (halves["body"] + halves["base"]) / epoch["ops"]
    chain_off = (halves["chain_body"] + halves["chain_base"]) / epoch["chain_cycles"]
    if chain <= chain_off:
        raise ValueError("the chain's windows are no longer than what they are known to")
    return row / chain, (row_off + abs(row / chain) * chain_off) / (chain - chain_off)


def _values(grid: Mapping[str, Any]) -> list[float]:
    """A grid's values in order, each taken for the middle of its bin."""
    return [
        grid["origin"] + (index + 0.5) * grid["width"]
        for index, count in grid["counts"]
        for _ in range(count)
    ]


def _middle(values: Sequence[float]) -> float:
    """The mean of the middle ones, of which there is at least one."""
    start, end = (int(part * len(values)) for part in MIDDLE)
    middle = values[start : max(end, start + 1)]
    return sum(middle) / len(middle)


def _quantile(values: Sequence[float]) -> float:
    """The quantile of values in order; between two of them as the harness interpolates."""
    position = QUANTILE * (len(values) - 1)
    lower = int(position)
    upper = min(lower + 1, len(values) - 1)
    return values[lower] + (position - lower) * (values[upper] - values[lower])


def _grid(
    values: Sequence[float], figure: float, most: int, finest: float = _FINEST
) -> dict[str, Any]:
    # A power of two times a power of ten: no bin's edge is a rounded number.
    width = 10.0 ** math.floor(math.log10(max(abs(figure) * _RESOLUTION, finest)))
    counts = _counted(values, width)
    while len(counts) > most:
        width *= 2
        counts = _counted(values, width)
    first = min(counts, default=0)
    bins = [[index - first, count] for index, count in sorted(counts.items())]
    return {"origin": _rounded(first * width), "width": _rounded(width), "counts": bins}


def _counted(values: Sequence[float], width: float) -> Counter[int]:
    return Counter(math.floor(value / width) for value in values)


def _rounded(value: float) -> float:
    return float(f"{value:.12g}")

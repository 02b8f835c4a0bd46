# SPDX-License-Identifier: GPL-2.0-only
"""A histogram small enough for a result file, and fine enough to see modes of 0.1 %."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

# A bin is at most this fraction of the figure …
_RESOLUTION = 0.001
# … or, for a figure near zero, this much: a fiftieth of what a figure may be off by.
_FINEST = 0.001
# Bins that a grid may fill. Samples that do not fit are put on one of twice the width.
MOST_BINS = {"clean": 48, "contaminated": 24}
# A grid goes from the 1st percentile to the 99th, and as far again on each side; what lies beyond
# is counted, so that a few stray samples do not make all bins wide.
_TAIL = 0.01
_LEAST_BINS = 8  # on each side, where the samples lie closer than the bins


def histogram(
    unit: str, figure: float, clean: Sequence[float], contaminated: Sequence[float]
) -> dict[str, Any]:
    """The samples of a figure, counted; clean and contaminated ones on a grid each.

    Bin i of a grid counts values from origin + i * width up to the next. Its `counts` are pairs of
    i and the number of values, one after the other; `below` and `above` count values beyond it.
    """
    return {
        "unit": unit,
        "clean": _grid(clean, figure, MOST_BINS["clean"]),
        "contaminated": _grid(contaminated, figure, MOST_BINS["contaminated"]),
    }


def _grid(values: Sequence[float], figure: float, most: int) -> dict[str, Any]:
    # A power of two times a power of ten: no bin's edge is a rounded number.
    width = 10.0 ** math.floor(math.log10(max(abs(figure) * _RESOLUTION, _FINEST)))
    low, high = _reach(sorted(values), width)
    near = [value for value in values if low <= value <= high]
    counts = _counted(near, width)
    while len(counts) > most:
        width *= 2
        counts = _counted(near, width)
    first = min(counts, default=0)
    return {
        "origin": _rounded(first * width),
        "width": _rounded(width),
        "counts": [n for index, count in sorted(counts.items()) for n in (index - first, count)],
        "below": sum(value < low for value in values),
        "above": sum(value > high for value in values),
    }


def _reach(values: Sequence[float], width: float) -> tuple[float, float]:
    """From where to where a grid of sorted values goes."""
    if not values:
        return 0.0, 0.0
    tail = math.floor(len(values) * _TAIL)
    low, high = values[tail], values[-1 - tail]
    side = max(high - low, _LEAST_BINS * width)
    return low - side, high + side


def _counted(values: Sequence[float], width: float) -> Counter[int]:
    return Counter(math.floor(value / width) for value in values)


def _rounded(value: float) -> float:
    return float(f"{value:.12g}")

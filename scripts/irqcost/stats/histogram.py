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


def _grid(values: Sequence[float], figure: float, most: int) -> dict[str, Any]:
    # A power of two times a power of ten: no bin's edge is a rounded number.
    width = 10.0 ** math.floor(math.log10(max(abs(figure) * _RESOLUTION, _FINEST)))
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

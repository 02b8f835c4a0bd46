# SPDX-License-Identifier: GPL-2.0-only
"""Pure functions of figures: numbers in, numbers out."""

import math
from collections.abc import Sequence
from statistics import median

__all__ = ["CONFIDENCE", "FEWEST", "median", "median_interval", "median_rank", "ratio"]

# What an interval promises.
CONFIDENCE = 0.95


def ratio(value: float, base: float, base_spread: float) -> float | None:
    """How many times `base` a value is.

    None where the base does not stand out from zero by more than its own spread: a ratio to it
    would be one of noise.
    """
    if base <= 0 or base <= base_spread:
        return None
    return value / base


def median_rank(n: int) -> int | None:
    """The greatest k for which the k-th smallest and the k-th greatest of n values enclose the
    median that they were drawn around with CONFIDENCE at least; None where there is none (n < 6).

    A value lies below that median as often as a coin shows heads, whatever the distribution: the
    interval misses it where fewer than k of n lie on one side (David and Nagaraja, Order
    Statistics, 7.1). Ties only make it cover more often.
    """
    missed = 0.0
    rank = 0
    while rank < n // 2:
        missed += 2 * math.comb(n, rank) / 2**n
        if missed > 1 - CONFIDENCE:
            break
        rank += 1
    return rank or None


def median_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """The interval of CONFIDENCE for the median; None for fewer than FEWEST values."""
    rank = median_rank(len(values))
    if rank is None:
        return None
    ordered = sorted(values)
    return ordered[rank - 1], ordered[-rank]


# Values without which there is no interval.
FEWEST = next(n for n in range(1, 100) if median_rank(n))

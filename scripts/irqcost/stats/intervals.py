# SPDX-License-Identifier: GPL-2.0-only
"""Pure functions of figures: numbers in, numbers out."""

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist, median

__all__ = [
    "CONFIDENCE",
    "FEWEST",
    "median",
    "median_interval",
    "median_rank",
    "ratio",
    "share_interval",
]

# What an interval promises.
CONFIDENCE = 0.95


def ratio(value: float, base: float, base_spread: float) -> float | None:
    """How many times `base` a value is.

    None where the base is not distinguishable from zero: a ratio to it would be noise.
    """
    if base <= 0 or base <= base_spread:
        return None
    return value / base


@lru_cache(maxsize=1024)  # Figures of one machine have nearly as many values each.
def median_rank(n: int, confidence: float = CONFIDENCE) -> int | None:
    """The greatest k for which the k-th smallest and the k-th greatest of n values enclose the
    median that they were drawn around with `confidence` at least; None where there is none (n < 6
    for CONFIDENCE).

    A value lies below that median as often as a coin shows heads, whatever the distribution: the
    interval misses it where fewer than k of n lie on one side (David and Nagaraja, Order
    Statistics, 7.1). Ties only make it cover more often.
    """
    missed = 0.0
    # Ten standard deviations from the middle nothing is missed.
    rank = max(0, int(n / 2 - 5 * math.sqrt(n)))
    while rank < n // 2:
        missed += 2 * _heads(n, rank)
        if missed > 1 - confidence:
            break
        rank += 1
    return rank or None


def _heads(n: int, k: int) -> float:
    """The chance of k heads in n throws; by logarithms, as 2^n has thousands of digits where n is a
    number of result files."""
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(ways - n * math.log(2))


def median_interval(
    values: Sequence[float], confidence: float = CONFIDENCE
) -> tuple[float, float] | None:
    """The interval of `confidence` for the median; None for too few values (CONFIDENCE: FEWEST)."""
    rank = median_rank(len(values), confidence)
    if rank is None:
        return None
    ordered = sorted(values)
    return float(ordered[rank - 1]), float(ordered[-rank])


# Values without which there is no interval.
FEWEST = next(n for n in range(1, 100) if median_rank(n))


def share_interval(hits: float, n: int) -> tuple[float, float]:
    """The interval of CONFIDENCE for a share of which `hits` of n, at least one, were seen.

    Wilson's score interval (JASA 22, 1927): it is of use at 0 and at n, too.
    """
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    centre = (hits + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(hits * (n - hits) / n + z * z / 4)
    return max(centre - half, 0.0), min(centre + half, 1.0)

# SPDX-License-Identifier: GPL-2.0-only
"""The interval of a median: known ranks, and that it covers what it promises."""

import itertools
import math
import random
from collections.abc import Callable

import pytest

from irqcost.stats import intervals


@pytest.mark.parametrize(
    # Known from tables of the sign test at 5 %, such as Conover's (Practical Nonparametric
    # Statistics, table A3).
    ("n", "rank"),
    [(0, None), (1, None), (5, None), (6, 1), (8, 1), (9, 2), (11, 2), (12, 3), (20, 6), (50, 18)],
)
def test_ranks(n: int, rank: int | None) -> None:
    assert intervals.median_rank(n) == rank


@pytest.mark.parametrize("n", [7, 30, 101, 1023, 3000])
def test_ranks_are_those_of_exact_counts(n: int) -> None:
    tails = itertools.accumulate(math.comb(n, k) for k in range(n // 2))
    rank = sum(2 * 20 * tail <= 2**n for tail in tails)
    assert intervals.median_rank(n) == rank


def test_one_value_has_no_interval() -> None:
    assert intervals.median_interval([13.0]) is None
    assert intervals.FEWEST == 6


def test_known_intervals() -> None:
    assert intervals.median_interval([6, 1, 5, 2, 4, 3]) == (1, 6)
    assert intervals.median_interval([9, 1, 8, 2, 7, 3, 6, 4, 5]) == (2, 8)
    # Zero variance, and ties.
    assert intervals.median_interval([7.5] * 6) == (7.5, 7.5)
    assert intervals.median_interval([1, 1, 1, 1, 1, 1, 1, 1, 9]) == (1, 1)


def coverage(draw: Callable[[random.Random], float], median: float, n: int) -> float:
    generator = random.Random(n)
    hits = 0
    trials = 4000
    for _ in range(trials):
        interval = intervals.median_interval([draw(generator) for _ in range(n)])
        assert interval is not None
        hits += interval[0] <= median <= interval[1]
    return hits / trials


DRAWS: dict[str, tuple[Callable[[random.Random], float], float]] = {
    "normal": (lambda g: g.gauss(13, 0.01), 13),
    "skewed": (lambda g: 13 + g.expovariate(1), 13.693147),
    "quantised": (lambda g: round(g.gauss(13, 0.01) / 0.02) * 0.02, 13),
    "two modes": (lambda g: (13 if g.random() < 0.7 else 20) + g.gauss(0, 0.001), 13.00057),
    "heavy tails": (lambda g: 13 + g.gauss(0, 1) / (abs(g.gauss(0, 1)) + 1e-9), 13),
}


@pytest.mark.parametrize("n", [6, 9, 12, 40])
@pytest.mark.parametrize("name", list(DRAWS))
def test_coverage(name: str, n: int) -> None:
    draw, median = DRAWS[name]
    # 4000 trials at 95 % have a standard error of 0.35 %.
    assert coverage(draw, median, n) > intervals.CONFIDENCE - 0.011


def test_the_interval_gets_narrower() -> None:
    generator = random.Random(1)
    values = [generator.gauss(0, 1) for _ in range(200)]
    widths = []
    for n in (6, 25, 100, 200):
        interval = intervals.median_interval(values[:n])
        assert interval is not None
        widths.append(interval[1] - interval[0])
    assert widths == sorted(widths, reverse=True)

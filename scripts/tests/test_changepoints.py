# SPDX-License-Identifier: GPL-2.0-only
"""Change points with known answers, and how often there is one in noise alone."""

import itertools
import random

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from irqcost.stats import changepoints
from irqcost.stats.changepoints import find, pelt, rank_sum


def nothing(_: float) -> float:
    return 0.0


def quarter(_: float) -> float:
    return 0.25


def steps(*levels: tuple[float, int], seed: int = 1, spread: float = 0.05) -> list[float]:
    chance = random.Random(seed)
    return [chance.gauss(level, spread) for level, count in levels for _ in range(count)]


def test_levels_are_told_apart_at_the_right_run() -> None:
    assert find(steps((30, 20), (31, 20)), quarter) == [20]
    assert find(steps((30, 12), (31, 9), (29, 15)), quarter) == [12, 21]
    assert find(steps((30, 8), (31, 3)), quarter) == []  # 2 of C(11, 3) orders are no proof
    assert find(steps((30, 40), (31, 4)), quarter) == [40]
    assert find(steps((30, 20), (31, 6), (30, 20)), quarter) == [20, 26]
    wild = steps((30, 20), (31, 20), spread=0.1)
    wild[7] = wild[33] = 90.0
    assert find(wild, quarter) == [20]


def test_a_spike_is_no_change() -> None:
    for width in (1, 2):
        for height in (1, 40, -40):
            series = steps((30, 20), (30 + height, width), (30, 20))
            assert find(series, quarter) == []
    # Not at the end either, where nobody knows yet what follows.
    assert find(steps((30, 30), (70, 2)), quarter) == []


def test_what_does_not_matter_is_no_change() -> None:
    series = steps((30, 30), (30.2, 30), spread=0.01)
    assert find(series, quarter) == [] and find(series, nothing) == [30]


def test_short_and_constant_series_have_none() -> None:
    for count in range(7):
        assert find([1.0] * count, nothing) == []
        assert find([float(k) for k in range(count)], nothing) == []
    assert find([5.0] * 100, nothing) == []


def test_noise_alone_has_hardly_any() -> None:
    chance = random.Random(2)
    kinds = (
        lambda: chance.gauss(30, 1),
        lambda: 30 + chance.expovariate(1),
        lambda: chance.choice([30.0, 38.0]),
        lambda: 30 + chance.paretovariate(1),
    )
    found = sum(
        bool(find([kind() for _ in range(60)], quarter)) for kind in kinds for _ in range(50)
    )
    assert found <= 12  # of 200


def test_thousands_of_runs_are_cut_at_the_right_one() -> None:
    series = steps((30, 4321), (31, 2679), (30.5, 3000))
    assert find(series, quarter) == [4321, 7000]


def best(data: list[float], least: int) -> list[int]:
    """The cut with the least cost, by trying all."""
    array = np.array(data)
    penalty = np.log(len(data))

    def cost(cuts: tuple[int, ...]) -> float:
        edges = (0, *cuts, len(data))
        parts = [array[a:b] for a, b in zip(edges, edges[1:])]
        return sum(float(np.sum((p - p.mean()) ** 2)) for p in parts) + penalty * len(cuts)

    choices = [
        cuts
        for k in range(len(data) // least)
        for cuts in itertools.combinations(range(least, len(data)), k)
        if all(b - a >= least for a, b in zip((0, *cuts), (*cuts, len(data))))
    ]
    return list(min(choices, key=cost))


def test_pelt_is_the_best_of_all_cuts() -> None:
    chance = random.Random(3)
    for seed in range(15):
        levels = [(chance.choice([0.0, 3.0, 6.0]), chance.randint(3, 5)) for _ in range(3)]
        series = steps(*levels, seed=seed, spread=1)
        for least in (1, 2, 3):
            assert pelt(np.array(series), least) == best(series, least)


def test_the_rank_sum_test_against_scipy() -> None:
    chance = random.Random(4)
    for m, n in ((3, 4), (5, 12), (12, 40), (3, 100), (60, 70)):
        one = [chance.gauss(0, 1) for _ in range(m)]
        two = [chance.gauss(0.5, 1) for _ in range(n)]
        method = "exact" if m <= 12 and n <= 48 else "asymptotic"
        wanted = mannwhitneyu(one, two, method=method).pvalue
        assert rank_sum(one, two) == pytest.approx(wanted, rel=1e-9)
        assert rank_sum(two, one) == pytest.approx(wanted, rel=1e-9)
    tied = ([1.0, 2, 2, 3] * 20, [2.0, 3, 3, 4] * 20)
    assert rank_sum(*tied) == pytest.approx(mannwhitneyu(*tied).pvalue, rel=1e-9)
    assert rank_sum([1.0] * 50, [1.0] * 50) == 1.0
    assert changepoints._ways(3, 5)[0] == 1 and sum(changepoints._ways(3, 5)) == 56

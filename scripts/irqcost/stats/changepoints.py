# SPDX-License-Identifier: GPL-2.0-only
"""Where a series of runs changes its level for good. Pure functions.

PELT (Killick, Fearnhead and Eckley, JASA 107, 2012) over ranks: it finds the segments with the
least sum of squares about their means, and a penalty for each, without looking at every way to cut.
Ranks instead of values (Lung-Yut-Fong, Levy-Leduc and Cappe, Journal de la SFdS 156, 2015) make one
wild run weigh no more than any other at the end of the order, so a spike is no change. A change
that is found so must stand a rank-sum test as well (Mann and Whitney, 1947), exact for few runs.
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

# Runs of a level, at least: one odd run, and two, are none.
LEAST = 3

# The chance that noise makes a change anywhere in a series; by Bonferroni shared out over its runs,
# at each of which there might be one.
RISK = 0.03

# More points than this are looked at in groups, and then around the changes that these show.
_MOST = 1000

# After so many points starts are dropped that cannot begin a segment any more.
_PRUNED = 16

# Up to so many runs on a side the rank-sum test is exact.
_EXACT = 12


def find(values: Sequence[float], matters: Callable[[float], float]) -> list[int]:
    """Places in `values` at which another level begins, in order.

    A change has to be greater than `matters` (level before → difference) between the medians of the
    two levels.
    """
    data = np.asarray(values, dtype=float)
    if len(data) < 2 * LEAST:
        return []
    group = -(-len(data) // _MOST)
    if group == 1:
        places = pelt(_ranks(data), LEAST)
    else:
        count = len(data) // group
        middles = np.median(data[: count * group].reshape(count, group), axis=1)
        # The last group takes what is left over.
        middles[-1] = np.median(data[(count - 1) * group :])
        places = [group * place for place in pelt(_ranks(middles), LEAST)]
    return _placed(data, _confirmed(data, places, matters))


@lru_cache(maxsize=1)
def fewest() -> int:
    """The least number of values on each side of a change that can be distinguished from noise."""
    side = LEAST
    while rank_sum(range(side), range(side, 2 * side)) > RISK / (2 * side):
        side += 1
    return side


def pelt(data: Array, least: int) -> list[int]:
    """Places at which the mean of `data`, of variance 1, changes; segments have `least` values or
    more. The penalty for each is log n, as Yao has it (Statistics and Probability Letters 6, 1988):
    low, since the changes are tested once more."""
    n = len(data)
    if n < 2 * least:
        return []
    penalty = math.log(n)
    sums = np.concatenate([[0.0], np.cumsum(data)])
    best = np.full(n + 1, np.inf)
    best[0] = -penalty
    before = np.zeros(n + 1, dtype=int)
    starts = np.zeros(n + 1, dtype=int)
    count = 1
    for end in range(least, n + 1):
        from_ = starts[:count]
        # The squares themselves are the same however the series is cut.
        costs = best[from_] - (sums[end] - sums[from_]) ** 2 / (end - from_)
        least_place = int(costs.argmin())
        best[end] = costs[least_place] + penalty
        before[end] = from_[least_place]
        # A start that is worse by the penalty now always will be. To look each time takes longer
        # than to carry some of them along.
        if end % _PRUNED == 0:
            kept = from_[costs <= best[end]]
            count = len(kept)
            starts[:count] = kept
        if end + 1 - least >= least:
            starts[count] = end + 1 - least
            count += 1
    found = []
    place = int(before[n])
    while place > 0:
        found.append(place)
        place = int(before[place])
    return found[::-1]


def _ranks(data: Array) -> Array:
    """Ranks, ties shared, with mean 0 and variance 1 (all 0 where all are equal)."""
    _, inverse, counts = np.unique(data, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Array = (last - (counts - 1) / 2)[inverse]
    ranks -= ranks.mean()
    spread = float(ranks.std())
    scaled: Array = ranks / spread if spread > 0 else ranks
    return scaled


def _placed(data: Array, places: Sequence[int]) -> list[int]:
    """Each change at the run where the two levels fit best: by the sum of distances from their
    medians, since ranks say little about how far apart two neighbours are."""
    edges = [0, *places, len(data)]
    found = []
    for left, place, right in zip(edges, edges[1:], edges[2:]):
        before = np.abs(data[left:right] - np.median(data[left:place]))
        after = np.abs(data[left:right] - np.median(data[place:right]))
        off = np.cumsum(before - after)[LEAST - 1 : right - left - LEAST]
        found.append(left + LEAST + int(np.argmin(off)))
    return found


def _confirmed(data: Array, places: Sequence[int], matters: Callable[[float], float]) -> list[int]:
    """The changes that are great enough and no accident; the least of those that are not goes
    first, and what it parted is one level."""
    kept = list(places)
    while kept:
        edges = [0, *kept, len(data)]
        doubts = []
        for left, place, right in zip(edges, edges[1:], edges[2:]):
            one, two = data[left:place], data[place:right]
            level = float(np.median(one))
            difference = abs(float(np.median(two)) - level)
            chance = rank_sum(one, two)
            if difference <= matters(level) or chance > RISK / len(data):
                doubts.append((difference, place))
        if not doubts:
            break
        kept.remove(min(doubts)[1])
    return kept


def rank_sum(one: Sequence[float] | Array, two: Sequence[float] | Array) -> float:
    """The chance, two-sided, that two samples of one distribution lie as far apart in rank."""
    m, n = len(one), len(two)
    ordered = np.sort(np.asarray(two, dtype=float))
    below = np.searchsorted(ordered, one, side="left")
    upto = np.searchsorted(ordered, one, side="right")
    # Pairs in which the one of `one` is greater; ties count half.
    u = float(np.sum(below + upto) / 2)
    u = min(u, m * n - u)
    if min(m, n) <= _EXACT and max(m, n) <= 4 * _EXACT:
        ways = _ways(min(m, n), max(m, n))
        # A half pair, as ties make them, is rounded away from the end: the chance is not less.
        tail = sum(ways[: math.ceil(u) + 1])
        return min(1.0, 2 * tail / math.comb(m + n, m))
    _, ties = np.unique(np.concatenate([one, two]), return_counts=True)
    total = m + n
    shared = float(np.sum(ties.astype(float) ** 3 - ties)) / (total * (total - 1))
    variance = m * n / 12 * (total + 1 - shared)
    if variance <= 0:
        return 1.0
    z = (m * n / 2 - u - 0.5) / math.sqrt(variance)
    return min(1.0, 2 * NormalDist().cdf(-z))


@lru_cache(maxsize=512)
def _ways(m: int, n: int) -> tuple[int, ...]:
    """In how many orders of m and n values u pairs are the wrong way round, for u from 0: the
    coefficients of the Gaussian binomial (m + n over m)."""
    ways = [1]
    for k in range(1, m + 1):
        # Times (1 - q^(n+k)), then divided by (1 - q^k).
        grown = ways + [0] * (n + k)
        for place, count in enumerate(ways):
            grown[place + n + k] -= count
        for place in range(k, len(grown)):
            grown[place] += grown[place - k]
        ways = grown[: n * k + 1]
    return tuple(ways)

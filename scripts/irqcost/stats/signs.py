# SPDX-License-Identifier: GPL-2.0-only
"""The sign test for many groups at once, within a budget of false alarms. Pure functions."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@lru_cache(maxsize=4096)  # Figures of one group have nearly as many machines each.
def _tails(n: int) -> Array:
    """By k, the chance that at least k of n fair coins show heads."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    chances = np.exp(logs[-1] - logs - logs[::-1] - n * np.log(2))
    # Summed from the small end, so that small chances are exact.
    tails: Array = np.minimum(np.cumsum(chances[::-1])[::-1], 1.0)
    return tails


def chance(heads: int, n: int) -> float:
    """The chance that at least so many of n fair coins show heads."""
    return float(_tails(n)[heads])


def allowed(counts: Sequence[int], budget: float) -> float:
    """The chance below which a test is an alarm, so that no more than `budget` false alarms are to
    be expected of all tests together, however they hang together.

    By Bonferroni's inequality the budget is divided by the number of tests. A test of n machines
    has no smaller chance than that of n heads, so that one of few machines can never alarm: by
    Tarone's method (Biometrics 46, 1990) only those count that can. `counts` are the n of all
    tests. 0 where no test can alarm.
    """
    least = np.sort(0.5 ** np.asarray(counts, dtype=float))
    for shares in range(1, len(least) + 1):
        able = int(np.searchsorted(least, budget / shares, side="right"))
        if able <= shares:
            return budget / shares if able else 0.0
    return 0.0


def fewest(level: float) -> int:
    """Machines without which no test can reach a chance of `level`."""
    return int(np.ceil(-np.log2(level)))

# SPDX-License-Identifier: GPL-2.0-only
"""The bootstrap of medians, with the same draws every time: equal data give equal answers.

Of n values a resample's median need not be drawn value by value. n values drawn with replacement
are the sorted ones at places floor(n U) for n uniform U, so their median is the value at the place
of the middle U, which has a beta distribution (Efron, SIAM Review 21, 1979, section 3, gives the
same law as binomial sums). One random number, or two where n is even, stand for n.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
_Places = npt.NDArray[np.intp]


def medians(values: Sequence[float], draws: int, stream: int) -> Array:
    """Medians of `draws` resamples. Those of different streams are independent."""
    ordered = np.sort(np.asarray(values, dtype=float))
    low, high = _middle(len(ordered), draws, stream)
    found: Array = (ordered[low] + ordered[high]) / 2
    return found


def normal(draws: int) -> Array:
    """Standard normal numbers, independent of all medians()."""
    return _normal(draws)


@lru_cache(maxsize=64)
def _middle(n: int, draws: int, stream: int) -> tuple[_Places, _Places]:
    """Places of the middle two (for odd n, twice the middle) of n drawn with replacement."""
    chance = np.random.default_rng([n, stream])
    half = (n + 1) // 2
    uniform = chance.beta(half, n + 1 - half, draws)
    low = np.minimum((n * uniform).astype(np.intp), n - 1)
    if n % 2:
        return low, low
    # The next greater of uniform numbers: the least of those that lie above.
    above = uniform + (1 - uniform) * chance.beta(1, n - half, draws)
    return low, np.minimum((n * above).astype(np.intp), n - 1)


@lru_cache(maxsize=4)
def _normal(draws: int) -> Array:
    return np.random.default_rng([0, 0]).standard_normal(draws)

# SPDX-License-Identifier: GPL-2.0-only
"""Two things that took turns: do they differ? Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass

from irqcost.base.verdicts import Order
from irqcost.stats import intervals


@dataclass(frozen=True)
class Difference:
    """B less A: the median over pairs with its interval, and what it means."""

    value: float | None  # None without a pair
    low: float | None  # None for too few pairs
    high: float | None
    pairs: int
    status: Order


def judge(
    values: Sequence[float], threshold: float, confidence: float = intervals.CONFIDENCE
) -> Difference:
    """The difference that `values` show, one from each pair of A and B taken beside each other.

    B is slower where the whole interval lies above 0 and the median above what matters
    (`threshold`); faster likewise. The same where the whole interval matters not.
    """
    if not values:
        return Difference(None, None, None, 0, Order.UNDECIDED)
    value = intervals.median(values)
    interval = intervals.median_interval(values, confidence)
    if interval is None:
        return Difference(value, None, None, len(values), Order.UNDECIDED)
    low, high = interval
    if low > 0 and value > threshold:
        status = Order.SLOWER
    elif high < 0 and value < -threshold:
        status = Order.FASTER
    elif -threshold <= low and high <= threshold:
        status = Order.SAME
    else:
        status = Order.UNDECIDED
    return Difference(value, low, high, len(values), status)

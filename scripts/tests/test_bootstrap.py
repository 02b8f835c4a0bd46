# SPDX-License-Identifier: GPL-2.0-only
"""The bootstrap of medians against the plain way of drawing, and against exact probabilities."""

from math import comb

import numpy as np
import pytest

from irqcost.stats import bootstrap

_DRAWS = 200_000


def probabilities(n: int) -> list[float]:
    """For odd n, that the median of n drawn with replacement is the k-th smallest: binomial sums
    (Efron 1979), which check the beta draws."""
    half = (n - 1) // 2

    def at_most(share: float) -> float:
        return sum(comb(n, j) * share**j * (1 - share) ** (n - j) for j in range(half + 1))

    return [at_most((k - 1) / n) - at_most(k / n) for k in range(1, n + 1)]


@pytest.mark.parametrize("n", [3, 7, 11])
def test_odd_medians_have_their_exact_distribution(n: int) -> None:
    found = bootstrap.medians([float(k) for k in range(n)], _DRAWS, 0)
    shares = np.bincount(found.astype(int), minlength=n) / _DRAWS
    assert shares == pytest.approx(probabilities(n), abs=0.005)


@pytest.mark.parametrize("n", [2, 6, 8])
def test_even_medians_are_those_of_plain_resamples(n: int) -> None:
    values = np.arange(n) ** 2.0
    plain = np.median(np.random.default_rng(7).choice(values, (_DRAWS, n)), axis=1)
    found = bootstrap.medians(values.tolist(), _DRAWS, 0)
    for quantile in (0.025, 0.25, 0.5, 0.75, 0.975):
        assert np.mean(found <= np.quantile(plain, quantile)) == pytest.approx(
            np.mean(plain <= np.quantile(plain, quantile)), abs=0.005
        )


def test_one_value_is_its_own_median_and_order_does_not_matter() -> None:
    assert set(bootstrap.medians([4.0], 100, 0)) == {4.0}
    forth, back = ([1.0, 2.0, 5.0], [5.0, 2.0, 1.0])
    assert (bootstrap.medians(forth, 100, 0) == bootstrap.medians(back, 100, 0)).all()


def test_equal_data_give_equal_draws_and_streams_differ() -> None:
    values = [float(k) for k in range(9)]
    one = bootstrap.medians(values, 1000, 1)
    bootstrap._middle.cache_clear()
    assert (one == bootstrap.medians(values, 1000, 1)).all()
    other = bootstrap.medians(values, 1000, 2)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.15

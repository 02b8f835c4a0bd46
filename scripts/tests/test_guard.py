# SPDX-License-Identifier: GPL-2.0-only
"""Verdicts with known answers, and how often noise alone gets one."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from irqcost.base import verdicts
from irqcost.base.verdicts import Change
from irqcost.compare import regression
from irqcost.compare.regression import Case, Judged, Threshold

OK, IMPROVEMENT, INCONCLUSIVE, REGRESSION, INCOMPARABLE = Change
_THRESHOLD = Threshold(cycles=0.25, percent=0.5)


def draw(chance: random.Random, middle: float, spread: float, count: int = 8) -> list[float]:
    return [chance.gauss(middle, spread) for _ in range(count)]


def case(new: Sequence[float], *runs: Sequence[float], name: str = "ring3/popf/isolated") -> Case:
    return Case(name, new, runs, _THRESHOLD)


def word(*cases: Case) -> list[str]:
    return [one.status for one in regression.judge(cases)]


def test_both_thresholds_have_to_be_exceeded() -> None:
    base = [30.0 + k / 1000 for k in range(8)]
    assert word(case([one + 0.3 for one in base], base)) == [REGRESSION]
    assert word(case([one - 0.3 for one in base], base)) == [IMPROVEMENT]
    assert word(case([one + 0.2 for one in base], base)) == [OK]  # below 0.25 core cycles
    far = [300.0 + k / 1000 for k in range(8)]
    assert word(case([one + 1.4 for one in far], far)) == [OK]  # below 0.5 %
    assert word(case([one + 1.6 for one in far], far)) == [REGRESSION]


def test_beside_a_section_percent_are_of_both() -> None:
    base = [16.0 + k / 1000 for k in range(8)]
    window = Threshold(cycles=0.25, percent=0.5, beside=500)
    assert word(replace(case([one + 2.5 for one in base], base), threshold=window)) == [OK]
    assert word(replace(case([one + 2.7 for one in base], base), threshold=window)) == [REGRESSION]


def test_the_verdict_says_by_how_much() -> None:
    base = [30.0 + k / 1000 for k in range(8)]
    (one,) = regression.judge([case([value + 1 for value in base], base)])
    assert one.difference == pytest.approx(1) and one.percent == pytest.approx(3.33, abs=0.01)
    assert one.low is not None and one.high is not None and one.low < 1 < one.high
    assert "slower by 1.00 core cycles (+3.3 %)" in one.reason and not one.baseline_too_noisy


def test_noise_is_inconclusive_and_says_what_would_help() -> None:
    chance = random.Random(1)
    runs = [draw(chance, 30, 0.02, 20) for _ in range(5)]
    (one,) = regression.judge([case([29.4, 29.6, 29.8, 30.0, 30.0, 30.3, 30.5, 30.6], *runs)])
    assert (
        one.status == INCONCLUSIVE
        and one.remedy.endswith("(--time)")
        and not one.baseline_too_noisy
    )
    assert one.longer is not None and one.longer > 1
    wide = [draw(chance, 30, 3, 20) for _ in range(5)]
    (one,) = regression.judge([case(draw(chance, 30, 0.02), *wide)])
    assert (
        one.status == INCONCLUSIVE
        and one.remedy.startswith("renew the baseline")
        and one.baseline_too_noisy
    )
    (one,) = regression.judge([case(draw(chance, 30, 30), *runs)])
    assert one.status == INCONCLUSIVE and "keep others off the core" in one.remedy
    assert "longer runs won't help" in one.remedy and one.longer is None


def test_what_is_surely_not_slower_is_ok_however_noisy() -> None:
    chance = random.Random(2)
    new = [20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 26.0, 27.0]
    (one,) = regression.judge([case(new, draw(chance, 30, 0.01))])
    assert one.status in (OK, IMPROVEMENT)


def test_too_few_processes_are_inconclusive() -> None:
    (one,) = regression.judge([case([31.0] * 5, [30.0] * 8)])
    assert (
        one.status == INCONCLUSIVE
        and "only 5 undisturbed processes in the new result" in one.reason
    )
    (one,) = regression.judge([case([31.0] * 8, [30.0] * 2, [])])
    assert one.status == INCONCLUSIVE and "2 undisturbed processes in the baseline" in one.reason
    assert one.baseline_too_noisy
    assert word(case([], [30.0] * 8)) == [INCONCLUSIVE]


def test_one_odd_run_is_no_baseline() -> None:
    chance = random.Random(3)
    runs = [draw(chance, 30, 0.02) for _ in range(4)] + [draw(chance, 25, 0.02)]
    assert word(case(draw(chance, 30, 0.02), *runs)) == [OK]
    assert word(case(draw(chance, 30, 0.02), runs[-1])) == [REGRESSION]


def test_runs_that_differ_excuse_a_difference_of_that_size() -> None:
    chance = random.Random(4)
    alike = [draw(chance, 30, 0.02) for _ in range(5)]
    apart = [draw(chance, 30 + shift, 0.02) for shift in (-0.4, -0.2, 0, 0.3, 0.5)]
    new = draw(chance, 30.4, 0.02)
    assert word(case(new, *alike)) == [REGRESSION]
    assert word(case(new, *apart)) == [INCONCLUSIVE]


def test_under_the_instruction_clock_one_instruction_counts() -> None:
    wide = Threshold(cycles=100, percent=100)
    exact = Case("kmod/spin_lock/throughput", [32.0], [[31.0]], wide, exact=True)
    (one,) = regression.judge([exact])
    assert one.status == REGRESSION and one.reason == "1 instruction more"
    assert word(replace(exact, new=[31.0])) == [OK]
    assert word(replace(exact, new=[30.0])) == [IMPROVEMENT]
    assert word(replace(exact, new=[])) == [INCOMPARABLE]


def test_an_obstacle_is_incomparable_whatever_the_figures() -> None:
    (one,) = regression.judge([replace(case([99.0] * 8, [30.0] * 8), incomparable="other code")])
    assert (one.status, one.reason) == (INCOMPARABLE, "other code")


def test_holm_with_known_answers() -> None:
    assert regression.holm([0.01, 0.04, 0.03], 0.05) == 0.01
    assert regression.holm([0.01, 0.02, 0.03], 0.05) == 0.03
    assert regression.holm([0.02, 0.9], 0.05) == 0.02
    assert regression.holm([0.03, 0.9], 0.05) < 0
    assert regression.holm([], 0.05) < 0
    # Chosen out of more, they have to stand as part of these.
    assert regression.holm([0.01, 0.02, 0.03], 0.05, of=5) == 0.01
    assert regression.holm([0.02], 0.05, of=3) < 0


def looked(*words: Change, baseline_too_noisy: bool = False) -> list[Judged]:
    return [
        Judged(
            "ring3/popf/isolated",
            word,
            "why",
            30,
            31,
            limit=0.25,
            baseline_too_noisy=baseline_too_noisy,
        )
        for word in words
    ]


@pytest.mark.parametrize(
    ("words", "converged", "together"),
    [
        ((OK,), True, OK),
        ((IMPROVEMENT,), True, IMPROVEMENT),
        ((INCOMPARABLE,), True, INCOMPARABLE),
        ((REGRESSION,), False, REGRESSION),
        ((INCONCLUSIVE,), False, INCONCLUSIVE),
        ((REGRESSION, REGRESSION), True, REGRESSION),
        ((REGRESSION, OK), True, OK),
        ((INCONCLUSIVE, OK), True, OK),
        ((INCONCLUSIVE, REGRESSION), False, INCONCLUSIVE),
        ((REGRESSION, INCONCLUSIVE), False, INCONCLUSIVE),
        ((INCONCLUSIVE, REGRESSION, REGRESSION), True, REGRESSION),
        ((REGRESSION, INCONCLUSIVE, REGRESSION), True, REGRESSION),
        ((INCONCLUSIVE, INCONCLUSIVE, REGRESSION), False, INCONCLUSIVE),
        ((INCONCLUSIVE, REGRESSION, OK), True, OK),
    ],
)
def test_what_several_measurements_come_to(
    words: tuple[Change, ...], converged: bool, together: Change
) -> None:
    found = looked(*words)
    assert regression.converged(found) is converged
    assert regression.together(found).status == together
    if len(words) > 1:
        assert regression.together(found).reason.startswith("+1.00 at first, +1.00")


def test_what_the_baseline_hides_is_not_measured_again() -> None:
    assert regression.converged(looked(INCONCLUSIVE, baseline_too_noisy=True))


def test_those_in_doubt_are_judged_as_part_of_all() -> None:
    """A difference that stands as the only one and does not as one of many."""
    new = [30.2, 30.6, 30.8, 30.9, 31.0, 31.1, 31.2, 31.3]
    alone = [case(new, [29.9, 30.0, 30.1, 30.2, 30.3, 30.4])]
    (single,) = regression.judge(alone)
    assert single.status == REGRESSION
    (one_of,) = regression.judge(alone, of=500)
    assert one_of.status == INCONCLUSIVE


def test_many_figures_of_noise_alone_get_no_verdict() -> None:
    """Noise beyond the threshold, so that the statistics alone stand guard: 30 runs of 20 figures
    must not look changed more often than the risk of 5 % of runs says."""
    chance = random.Random(5)
    changed = 0
    for _ in range(30):
        cases = []
        for number in range(20):
            runs = [draw(chance, 30, 1, 8) for _ in range(5)]
            cases.append(case(draw(chance, 30, 1, 8), *runs, name=str(number)))
        words = word(*cases)
        changed += REGRESSION in words or IMPROVEMENT in words
    assert changed <= 4


def test_a_whole_catalogue_can_still_be_found_slower() -> None:
    """Correction for many must leave enough resamples for the smallest chance."""
    base = [30.0 + k / 1000 for k in range(8)]
    same = [case(base, base, name=str(number)) for number in range(499)]
    words = word(*same, case([one + 1 for one in base], base))
    assert words[-1] == REGRESSION and words.count(OK) == 499


def test_the_worst_word() -> None:
    assert verdicts.worst([OK, REGRESSION, INCONCLUSIVE]) == REGRESSION
    assert verdicts.worst([REGRESSION, INCOMPARABLE]) == INCOMPARABLE
    assert verdicts.worst([OK, IMPROVEMENT]) == IMPROVEMENT
    assert verdicts.worst([]) == OK

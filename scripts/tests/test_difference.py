# SPDX-License-Identifier: GPL-2.0-only
"""Differences with known answers, and how trials are made of blocks."""

import random
from collections.abc import Mapping
from typing import Any

import pytest

from processes_of import entry, process
from irqcost.base.errors import Exit
from irqcost.base.verdicts import Order
from irqcost.commands.selftest import code
from irqcost.measure import injected, selftest
from irqcost.measure.injected import ADDED, PRIMITIVES, PROCESSES
from irqcost.measure.processes import Process, Processes
from irqcost.output import selftest_table
from irqcost.stats import intervals
from irqcost.stats.difference import judge


def test_verdicts_with_known_answers() -> None:
    assert judge([0.2] * 9, 0.125).status == Order.SLOWER
    assert judge([-0.2] * 9, 0.125).status == Order.FASTER
    assert judge([0.0] * 9, 0.125).status == Order.SAME
    assert judge([0.1] * 9, 0.125).status == Order.SAME
    # Above 0 for sure, but the median is below what matters, and not all of the interval.
    assert judge([0.05] * 5 + [0.3] * 4, 0.125).status == Order.UNDECIDED
    # Too few pairs have no interval.
    assert judge([1.0] * 5, 0.125).status == Order.UNDECIDED
    assert judge([1.0], 0.125).value == 1.0
    assert judge([], 0.125) == judge([], 0.0)
    assert judge([], 0.125).value is None


def test_one_odd_process_of_nine_decides_nothing() -> None:
    assert judge([0.25] * 8 + [-40.0], 0.125).status == Order.SLOWER
    assert judge([0.0] * 8 + [40.0], 0.125).status == Order.SAME
    assert judge([0.25] * 7 + [-40.0] * 2, 0.125).status == Order.UNDECIDED


def test_a_greater_confidence_is_a_wider_interval() -> None:
    values = [float(value) for value in range(14)]
    assert intervals.median_interval(values) == (2, 11)
    assert intervals.median_interval(values, 0.999) == (0, 13)
    assert intervals.median_interval(values, 0.99999) is None


def test_the_interval_of_a_share() -> None:
    # By Wilson's formula, worked out by hand for z = 1.96.
    assert intervals.share_interval(0, 100) == pytest.approx((0, 0.03699), abs=1e-4)
    assert intervals.share_interval(100, 100) == pytest.approx((0.96301, 1), abs=1e-4)
    assert intervals.share_interval(50, 100) == pytest.approx((0.40383, 0.59617), abs=1e-4)


def block(costs: list[float], label: str = "clean") -> list[dict[str, Any]]:
    return [{"core_cycles": cost, "ticks": cost, "label": label} for cost in costs]


def machine(shift: float, noise: float, seed: int, label: str = "clean") -> Any:
    """A harness whose slowdowns are as large as they should be, and `shift` more for each."""
    chance = random.Random(seed)

    def measure(blocks: int) -> Mapping[str, Any]:
        def once() -> list[dict[str, Any]]:
            added = [0.0, *ADDED.values()]
            return block(
                [
                    170 + PRIMITIVES * (one + (shift if i else 0)) + chance.gauss(0, noise)
                    for i, one in enumerate(added)
                ],
                label,
            )

        return {"blocks": [once() for _ in range(blocks)]}

    return measure


def test_slow_downs_are_found_and_nothing_else() -> None:
    regressions = injected.run(machine(0, 0.05, 1), 60, lambda done: None)
    assert [one.added for one in regressions] == [0, 0.25, 0.5, 1, 2]
    assert [len(one.trials) for one in regressions] == [60] * 5
    assert [one.found for one in regressions] == [0, 60, 60, 60, 60]
    assert [one.false for one in regressions] == [0] * 5


def test_a_difference_that_is_not_there_is_called_false() -> None:
    regressions = injected.run(machine(0.3, 0.05, 2), 30, lambda done: None)
    assert regressions[0].false == 30
    # And one that hides a slowdown makes its trials wrong.
    hidden = injected.run(machine(-0.25, 0.05, 3), 30, lambda done: None)
    assert hidden[1].false == 30 and hidden[1].found == 0


def test_noise_is_undecided_and_not_wrong() -> None:
    regressions = injected.run(machine(0, 20, 4), 50, lambda done: None)
    assert sum(one.undecided for one in regressions) > 200


def test_each_trial_has_one_block_of_each_process() -> None:
    seen: list[int] = []

    def measure(blocks: int) -> Mapping[str, Any]:
        seen.append(blocks)
        # Of the plain row the number of the block, so that a trial shows whose it is.
        costs = [[0.0, 4.0 * number, 0, 0, 0, 0] for number in range(blocks)]
        return {"blocks": [block(one) for one in costs]}

    regressions = injected.run(measure, 30, lambda done: None)
    assert seen == [25] * PROCESSES + [5] * PROCESSES
    assert [trial.value for trial in regressions[0].trials] == [*range(25), *range(5)]
    assert {trial.pairs for trial in regressions[0].trials} == {PROCESSES}


def test_a_disturbed_block_takes_no_part() -> None:
    def measure(blocks: int) -> Mapping[str, Any]:
        return {"blocks": [block([170.0] * 6, "disturbed: 3 of 60 samples clean")] * blocks}

    (plain, *_) = injected.run(measure, 1, lambda done: None)
    assert plain.trials[0].pairs == 0 and plain.undecided == 1


def processes_at(values: list[float]) -> list[Process]:
    return [
        process(
            *(entry(f"ring3/{probe}/throughput", value) for probe in ("dep_add", "popf")),
            conditions={"load_avg": {"start": [0, 0, 0], "end": [0, 0, 0]}},
        )
        for value in values
    ]


def test_spread_and_coverage_with_known_answers() -> None:
    series = Processes(processes_at([1, 2, 3, 4, 5, 6, 7, 8])).benchmarks
    (one, _) = selftest.spread(series)
    assert (one.median, one.deviation, one.farthest, one.processes) == (4.5, 1.5, 3.5, 8)
    # Twelve processes: two intervals of six, each compared with the other six.
    alike = Processes(processes_at([1.0, 2, 3, 4, 5, 6] * 2)).benchmarks
    assert selftest.coverage(alike) == selftest.Coverage(4, 4)
    apart = Processes(processes_at([1.0] * 6 + [2.0] * 6)).benchmarks
    assert selftest.coverage(apart) == selftest.Coverage(0, 4)
    # Too few to hold it against.
    assert selftest.coverage(Processes(processes_at([1.0] * 11)).benchmarks) == selftest.Coverage(
        0, 0
    )


def recorded(value: float, shift: float = 0.0, label: str = "clean") -> dict[str, Any]:
    regressions = injected.run(machine(shift, 0.05, 5, label), 25, lambda done: None)
    return selftest.record(processes_at([value] * 12), regressions, 0.125, 1.0)


def test_a_self_test_passes_fails_or_is_undecided() -> None:
    good = recorded(1.0)
    assert code(good) == Exit.OK
    assert "Passed" in selftest_table.text(good) and good["controls"] == {"dep_add": 0.0}
    assert code(recorded(1.2)) == Exit.FAILED  # the control dep_add is off
    assert code(recorded(1.0, shift=0.3)) == Exit.FAILED
    assert code(recorded(1.0, label="disturbed: 0 of 60 samples clean")) == Exit.UNDECIDED

# SPDX-License-Identifier: GPL-2.0-only
"""Trials of the known slowdowns: is each found, and is nothing found where nothing is?

A trial has a block of each of several fresh processes. The processes have many blocks, and no two
trials share one, so a trial has its own samples; that some share their processes is what a user's
repeated comparisons in the same processes would do.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from irqcost.base.verdicts import Order
from irqcost.stats.difference import Difference, judge

# Fresh processes of a trial, and what its interval promises: with twelve it leaves out one odd
# process on each side, and a difference where there is none is seen once in 300 trials even where
# noise is far beyond the threshold.
PROCESSES = 12
CONFIDENCE = 0.99

# Blocks of a process, and so trials of a set of processes.
BLOCKS = 25

# Times that the primitive is in one operation of a slowdown.
PRIMITIVES = 4

# The smallest slowdown's half: nearer to it than to none.
THRESHOLD = 0.125

# Unroll factor: with greater ones the row no longer fits where decoded instructions are kept.
UNROLL = 16

# By probe, the core cycles that it adds to each primitive. The others are compared with the
# first, which takes part a second time, where nothing must be found.
PLAIN = "slow_0"
ADDED = {PLAIN: 0.0, "slow_025": 0.25, "slow_05": 0.5, "slow_1": 1.0, "slow_2": 2.0}


@dataclass(frozen=True)
class InjectedRegression:
    """All trials of one injected regression; differences in core cycles for each primitive."""

    probe: str
    added: float
    trials: tuple[Difference, ...]

    @property
    def found(self) -> int:
        """Trials that call it slower."""
        return sum(trial.status == Order.SLOWER for trial in self.trials)

    @property
    def false(self) -> int:
        """Trials whose verdict is wrong: any difference where there is none, else a faster one or
        the same."""
        right = (
            {Order.UNDECIDED, Order.SAME} if self.added == 0 else {Order.UNDECIDED, Order.SLOWER}
        )
        return sum(trial.status not in right for trial in self.trials)

    @property
    def undecided(self) -> int:
        return sum(trial.status == Order.UNDECIDED for trial in self.trials)


def names(backend: str) -> list[str]:
    """The benchmarks that take turns, the plain one twice."""
    return [f"{backend}/{probe}/throughput" for probe in (PLAIN, *ADDED)]


def run(
    measure: Callable[[int], Mapping[str, Any]],
    count: int,
    progress: Callable[[int], None],
    threshold: float = THRESHOLD,
) -> list[InjectedRegression]:
    """`count` trials; `measure` runs a process with so many blocks (harness.interleave())."""
    found: list[list[Difference]] = [[] for _ in ADDED]
    while len(found[0]) < count:
        blocks = min(BLOCKS, count - len(found[0]))
        processes = [measure(blocks)["blocks"] for _ in range(PROCESSES)]
        for number in range(blocks):
            trial = [process[number] for process in processes]
            for index, trials in enumerate(found):
                trials.append(judge(_differences(trial, index + 1), threshold, CONFIDENCE))
        progress(len(found[0]))
    return [
        InjectedRegression(probe, added, tuple(trials))
        for (probe, added), trials in zip(ADDED.items(), found)
    ]


def _differences(trial: Sequence[Sequence[Mapping[str, Any]]], index: int) -> list[float]:
    """For each process what contender `index` costs beyond the first, for each primitive. A
    process in which one of the two was disturbed has none."""
    pairs = [(block[0], block[index]) for block in trial]
    return [
        (b["core_cycles"] - a["core_cycles"]) / PRIMITIVES
        for a, b in pairs
        if all(one["label"] == "clean" and "core_cycles" in one for one in (a, b))
    ]

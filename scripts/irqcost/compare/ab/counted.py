# SPDX-License-Identifier: GPL-2.0-only
"""Two builds in turn in a guest, under the instruction clock: whatever differs is a difference."""

from collections.abc import Sequence
from pathlib import Path

from irqcost.base.progress import Progress
from irqcost.base.verdicts import Order
from irqcost.compare.ab.outcome import Line, Outcome, common, other_code
from irqcost.model.result import Result
from irqcost.stats import intervals
from irqcost.stats.difference import Difference
from irqcost.vm import both
from irqcost.vm.kernels import Kernel

# Turns under the instruction clock. One of each would do where all is exact; two tell that it is.
TURNS = (0, 1, 1, 0)


def counted(
    kernel: Kernel,
    benches: Sequence[Path],
    modules: Sequence[Path],
    pattern: str | None,
) -> Outcome:
    """Both builds under the instruction clock, in one guest: what `pattern` selects, or all."""
    parts = [both.Side(bench, module) for bench, module in zip(benches, modules)]
    with Progress(f"guest with kernel {kernel.name}") as progress:
        turns = both.in_turn(kernel, parts, TURNS, pattern, progress)
    a, b = ([turn.result for turn in turns if turn.side == side] for side in (0, 1))
    return exact(a, b)


def exact(a: Sequence[Result], b: Sequence[Result]) -> Outcome:
    """The comparison of exact counts, by pairs of turns: whatever differs is a difference."""
    listed = [list(dict.fromkeys(name for one in side for name in one.figures)) for side in (a, b)]
    names, notes = common(listed)
    # What a build has and could not measure, in a turn or at all.
    lost = [name for name in names if any(name not in one.figures for one in (*a, *b))]
    for own, other in ((listed[0], b), (listed[1], a)):
        lost += [name for name in own if name not in names and _absent(name, other)]
    lines = []
    for name in names:
        if name in lost:
            continue
        counts = [
            [one.figures[name].ticks for one in side if name in one.figures] for side in (a, b)
        ]
        difference = [_difference(name, x, y) for x, y in zip(*counts)]
        low, high = min(difference), max(difference)
        status = Order.SLOWER if low > 0 else Order.FASTER if high < 0 else Order.SAME
        # Not the same in both turns of a build.
        if low != high or any(len(set(side)) > 1 for side in counts):
            status = Order.UNDECIDED
        judgement = Difference(intervals.median(difference), low, high, len(difference), status)
        lines.append(
            Line(name, intervals.median(counts[0]), intervals.median(counts[1]), judgement)
        )
    notes += other_code(a[0].context.code, b[0].context.code)
    return Outcome(lines, "instructions", notes, lost)


def _absent(name: str, results: Sequence[Result]) -> bool:
    """Whether a build has this benchmark and could not measure it."""
    known = [one.name for result in results for one in result.context.absent]
    known += [one.name for result in results for one in result.context.backends if not one.usable]
    return any(f"{name}/".startswith(f"{one}/") for one in known)


def _difference(name: str, a: float, b: float) -> float:
    # A BPF program's clock is the kernel's: ns by a scale that is known to a millionth.
    return b - a if not name.startswith("bpf/") else float(round(b - a, 2))

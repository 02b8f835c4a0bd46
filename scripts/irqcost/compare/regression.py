# SPDX-License-Identifier: GPL-2.0-only
"""Has a result become worse than its baseline? Pure functions; see docs/method/guard.md."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from irqcost.base import layout
from irqcost.base.verdicts import Change
from irqcost.stats import bootstrap, intervals


# Times that a figure is measured, at most. Two make a regression; the third is for one that noise
# hid in the first or second.
ATTEMPTS = 3

# Resamples, and of those that a chance of `risk / figures` needs to be seen, so many times more.
_DRAWS, _FINER = 10_000, 8

# Of a normal distribution: standard deviations in a median absolute deviation, the share below one
# of them, and the variance of a median of n in those of a mean.
_OF_DEVIATION, _BELOW, _OF_MEDIAN = 1.4826, 0.1587, math.pi / 2

# Core cycles below which a difference is not given in percent.
_LITTLE = 0.05

# More processes than so many times those at hand are no advice.
_PATIENCE = 20


@dataclass(frozen=True)
class Threshold:
    """What matters: a difference has to exceed both, in core cycles and in percent of what is
    timed: the primitive, and `beside` it a section of so many core cycles."""

    cycles: float
    percent: float
    beside: float = 0.0

    def at(self, baseline: float) -> float:
        """In core cycles, of a primitive that costs `baseline`."""
        return max(self.cycles, (abs(baseline) + self.beside) * self.percent / 100)


@dataclass(frozen=True)
class Case:
    """A figure to be judged: its processes, and those of each run of the baseline.

    Under the instruction clock (`exact`) they are counts. `incomparable` says why the two are not
    comparable; then the numbers, where there are any, are for showing only.
    """

    name: str
    new: Sequence[float]
    baseline: Sequence[Sequence[float]]
    threshold: Threshold
    exact: bool = False
    incomparable: str = ""


@dataclass(frozen=True)
class Judged:
    """A figure's verdict. Figures in core cycles, or in instructions where `exact`; None: none.

    `low` and `high` are the 95 % interval of the difference, `noise` the distance from the
    difference to its farther limit, `limit` the threshold that applied. Of what is inconclusive,
    `remedy` says what would help and `longer` how many times as long a run would decide.
    `baseline_too_noisy`: the baseline alone is too noisy, so that measuring the new result again
    cannot help.
    """

    name: str
    status: Change
    reason: str
    baseline: float | None = None
    new: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    processes: int = 0
    runs: int = 0
    exact: bool = False
    baseline_too_noisy: bool = False
    remedy: str = ""
    longer: float | None = None

    @property
    def difference(self) -> float | None:
        return None if self.new is None or self.baseline is None else self.new - self.baseline

    @property
    def percent(self) -> float | None:
        # Of what costs hardly anything every trifle is many percent.
        if self.difference is None or self.baseline is None or abs(self.baseline) < _LITTLE:
            return None
        return 100 * self.difference / abs(self.baseline)

    @property
    def noise(self) -> float | None:
        if self.difference is None or self.low is None or self.high is None:
            return None
        return max(self.high - self.difference, self.difference - self.low)


def judge(cases: Sequence[Case], risk: float = 0.05, of: int = 0) -> list[Judged]:
    """The verdicts, in the order of the cases.

    `risk` is the chance that noise alone makes any of all figures together look changed. By Holm's
    method (Scandinavian Journal of Statistics 6, 1979): it holds however the figures of a run hang
    together, and the whole run must not raise a false alarm. Where the cases are some that were
    chosen for their noise out of `of`, they are judged as part of these.
    """
    varying = [not case.incomparable and not case.exact for case in cases]
    draws = max(_DRAWS, math.ceil(_FINER * max(sum(varying), of) / risk))
    weighed = [_weigh(case, draws) if one else None for case, one in zip(cases, varying)]
    chances = [one.chance for one in weighed if one is not None and one.chance is not None]
    allowed = holm(chances, risk, of)
    return [
        _exact(case) if one is None else _verdict(case, one, allowed)
        for case, one in zip(cases, weighed)
    ]


def holm(chances: Sequence[float], risk: float, of: int = 0) -> float:
    """The greatest chance that is still small enough, given all; below 0 where none is. There are
    `of` of them where that is more than are given."""
    count = max(len(chances), of)
    greatest = -1.0
    for place, chance in enumerate(sorted(chances)):
        if chance > risk / (count - place):
            break
        greatest = chance
    return greatest


@dataclass(frozen=True)
class _Weighed:
    """What the resamples of a case tell. `chance` is that of a difference of the other sign,
    twice, or None where there are too few processes."""

    baseline: float | None
    new: float | None
    chance: float | None = None
    low: float = math.nan
    high: float = math.nan
    of_new: float = math.nan  # half-width that the new processes bring
    of_baseline: float = math.nan  # and the baseline, runs and processes


def _weigh(case: Case, draws: int) -> _Weighed:
    new = intervals.median(case.new) if case.new else None
    each = [intervals.median(run) for run in case.baseline if run]
    base = intervals.median(each) if each else None
    total = sum(len(run) for run in case.baseline)
    if new is None or base is None or min(len(case.new), total) < intervals.FEWEST:
        return _Weighed(base, new)
    runs = [run for run in case.baseline if run]
    drawn = bootstrap.medians(case.new, draws, 0)
    resampled = np.stack([bootstrap.medians(run, draws, 1 + i) for i, run in enumerate(runs)])
    # What the runs differ by beyond their processes touches the new run, which is one more of them,
    # and the median over the others.
    between = _between(each, resampled)
    touched = between * math.sqrt(1 + _OF_MEDIAN / len(runs)) * bootstrap.normal(draws)
    against = np.median(resampled, axis=0) + touched
    difference = np.sort(drawn - against)
    sides = (
        int(np.searchsorted(difference, 0, side="right")),
        draws - int(np.searchsorted(difference, 0, side="left")),
    )
    chance = min(1.0, 2 * (1 + min(sides)) / (1 + draws))
    low, high = _ends(difference)
    return _Weighed(base, new, chance, low, high, _half(np.sort(drawn)), _half(np.sort(against)))


def _between(medians: Sequence[float], resampled: bootstrap.Array) -> float:
    """Standard deviation from run to run that the processes within the runs do not explain; robust,
    so that one odd run of several does not make it."""
    center = intervals.median(medians)
    seen = _OF_DEVIATION * intervals.median([abs(one - center) for one in medians])
    ordered = np.sort(resampled, axis=1)
    places = [round(share * (ordered.shape[1] - 1)) for share in (_BELOW, 1 - _BELOW)]
    low, high = ordered[:, places[0]], ordered[:, places[1]]
    within = intervals.median(((high - low) / 2).tolist())
    return math.sqrt(max(seen**2 - within**2, 0.0))


def _ends(ordered: bootstrap.Array) -> tuple[float, float]:
    tail = (1 - intervals.CONFIDENCE) / 2
    last = len(ordered) - 1
    return float(ordered[round(tail * last)]), float(ordered[round((1 - tail) * last)])


def _half(values: bootstrap.Array) -> float:
    low, high = _ends(values)
    return (high - low) / 2


def _verdict(case: Case, one: _Weighed, allowed: float) -> Judged:
    found = Judged(
        case.name,
        Change.OK,
        "",
        one.baseline,
        one.new,
        processes=len(case.new),
        runs=len([run for run in case.baseline if run]),
    )
    limit = case.threshold.at(one.baseline or 0)
    if one.chance is None or one.baseline is None or one.new is None:
        lacking = sum(map(len, case.baseline)) < intervals.FEWEST
        return replace(
            found,
            status=Change.INCONCLUSIVE,
            reason=_too_few(case),
            limit=limit,
            baseline_too_noisy=lacking,
            remedy=f"run longer (--time), or keep others off the core ({layout.command()} tune)",
        )
    found = replace(found, low=one.low, high=one.high, limit=limit)
    difference, noise = one.new - one.baseline, found.noise
    assert noise is not None
    if abs(difference) > limit and one.chance <= allowed:
        slower = difference > 0
        return replace(
            found,
            status=Change.REGRESSION if slower else Change.IMPROVEMENT,
            reason=f"{'slower' if slower else 'faster'} by {abs(difference):.2f} core cycles"
            f"{_share(difference, one.baseline)}; the threshold is {limit:.2f}",
        )
    # What cannot be worse than matters is ok, however little is known of how much better it is.
    if one.high > limit and (noise > limit or difference > limit):
        return _undecided(found, one, noise, limit)
    return found


def _share(difference: float, baseline: float) -> str:
    return f" ({100 * difference / abs(baseline):+.1f} %)" if abs(baseline) >= _LITTLE else ""


def _too_few(case: Case) -> str:
    counts = (("new result", len(case.new)), ("baseline", sum(map(len, case.baseline))))
    lacking = [
        f"{count} undisturbed {'process' if count == 1 else 'processes'} in the {side}"
        for side, count in counts
        if count < intervals.FEWEST
    ]
    return f"too noisy: only {' and '.join(lacking)}; {intervals.FEWEST} are needed"


def _left(one: _Weighed, noise: float, limit: float) -> float:
    """The square of the half-width that the new processes may have if the verdict is to be clear.

    Half-widths add up as their squares do. A difference beyond the threshold must stand clear of 0
    by a margin.
    """
    wanted = limit / 2 if noise <= limit else limit
    return wanted**2 - one.of_baseline**2


def _undecided(found: Judged, one: _Weighed, noise: float, limit: float) -> Judged:
    """The verdict where noise hides what matters, and what it would take to decide."""
    reason = f"noise ±{noise:.2g} core cycles exceeds the {limit:.2g} threshold"
    if noise <= limit:
        assert found.difference is not None
        reason = (
            f"differs by {found.difference:+.2f} core cycles, which may be noise (±{noise:.2g})"
        )
    found = replace(found, status=Change.INCONCLUSIVE, reason=reason)
    left = _left(one, noise, limit)
    if left <= 0:
        reason += f"; the baseline alone has ±{one.of_baseline:.2g}"
        remedy = "renew the baseline: longer or more runs, on a quieter machine "
        remedy += f"({layout.command()} tune)"
        return replace(found, reason=reason, remedy=remedy, baseline_too_noisy=True)
    # The half-width of the new processes shrinks as the root of how many there are.
    needed = math.ceil(found.processes * one.of_new**2 / left)
    if needed > _PATIENCE * found.processes:
        remedy = f"longer runs won't help: keep others off the core ({layout.command()} tune)"
        return replace(found, remedy=remedy)
    # As it is written, so that it is never "1.0 times".
    longer = math.ceil(10 * max(needed, found.processes + 1) / found.processes) / 10
    return replace(found, remedy=f"run {longer:.1f} times as long (--time)", longer=longer)


def converged(attempts: Sequence[Judged]) -> bool:
    """Whether a figure need not be measured again, by its verdicts in one measurement after
    another: it was not slower at last, or slower twice, or another time would not help."""
    last = attempts[-1]
    if last.status == Change.REGRESSION:
        return [one.status for one in attempts].count(Change.REGRESSION) > 1
    return last.status != Change.INCONCLUSIVE or last.baseline_too_noisy


def together(attempts: Sequence[Judged]) -> Judged:
    """What the verdicts of one measurement after another come to. A regression is what two say."""
    last = attempts[-1]
    if len(attempts) == 1:
        return last
    changes = ["-" if one.difference is None else f"{one.difference:+.2f}" for one in attempts]
    seen = f"{changes[0]} at first, {', '.join(changes[1:])} measured again"
    if last.status == Change.OK:
        return replace(last, reason=seen)
    if last.status == Change.REGRESSION and not converged(attempts):
        # Of noise that hid the figure until now nobody knows what it did to the last one.
        return replace(last, status=Change.INCONCLUSIVE, reason=f"{seen}; {attempts[-2].reason}")
    return replace(last, reason=f"{seen}: {last.reason}")


def _exact(case: Case) -> Judged:
    """Of counts that do not vary; and of what is not comparable at all."""
    new = intervals.median(case.new) if case.new else None
    each = [intervals.median(run) for run in case.baseline if run]
    base = intervals.median(each) if each else None
    found = Judged(
        case.name,
        Change.OK,
        "",
        base,
        new,
        processes=len(case.new),
        runs=len(each),
        exact=case.exact,
    )
    if case.incomparable:
        return replace(found, status=Change.INCOMPARABLE, reason=case.incomparable)
    if new is None or base is None:
        return replace(found, status=Change.INCOMPARABLE, reason="no count on one of the two sides")
    found = replace(found, low=new - base, high=new - base, limit=0.0)
    if new == base:
        return found
    return replace(
        found,
        status=Change.REGRESSION if new > base else Change.IMPROVEMENT,
        reason=f"{abs(new - base):g} {_instructions(abs(new - base))} "
        f"{'more' if new > base else 'fewer'}",
    )


def _instructions(count: float) -> str:
    return "instruction" if count == 1 else "instructions"

# SPDX-License-Identifier: GPL-2.0-only
"""Which groups of machines became slower, within a budget of false alarms; see
docs/method/fleet.md."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from irqcost.compare import columns
from irqcost.compare.fleet.gather import Gathered, Kept, Key, Machine
from irqcost.compare.policy import Policy
from irqcost.model.result import Context
from irqcost.stats import intervals, signs

Array = npt.NDArray[np.float64]

# Of a normal distribution: standard deviations in a median absolute deviation.
_OF_DEVIATION = 1.4826


@dataclass(frozen=True)
class Table:
    """A group's figures: `new` of the night and `before`, machines by keys; NaN where a machine
    has none that is reliable."""

    machines: tuple[str, ...]
    keys: tuple[Key, ...]
    new: Array
    before: Array


@dataclass(frozen=True)
class Found:
    """A figure of a group: `slower` and `faster` machines of `machines`, by more than `limit`;
    medians over the machines, and the interval of that of the change. `chance` is that of so many
    slower ones (or faster, where these are more) if nothing had changed."""

    name: str
    unit: str
    machines: int
    slower: int
    faster: int
    chance: float
    before: float
    new: float
    change: float
    interval: tuple[float, float] | None
    limit: float

    @property
    def is_slower(self) -> bool:
        return self.slower > self.faster


@dataclass(frozen=True)
class Odd:
    """A machine that differs from its group: in how many figures, and where the most."""

    machine: str
    figures: int
    worst: str
    value: float
    group: float


@dataclass(frozen=True)
class Group:
    """What is said of the machines of one CPU, microcode and kernel: `slower` are its alarms.
    `machines` is how many have a record of the night, `judged` how many of them an earlier one.
    `changed` counts what else is different since the record before ("kernel: 6.1 → 6.2")."""

    context: Context
    machines: int
    judged: int
    slower: tuple[Found, ...]
    faster: tuple[Found, ...]
    tested: int
    testable: int
    odd: tuple[Odd, ...]
    changed: Mapping[str, int]


@dataclass(frozen=True)
class Verdict:
    """All groups, those with alarms first. A test is an alarm from `level` on down; `fewest`
    machines can reach it."""

    groups: tuple[Group, ...]
    level: float
    fewest: int
    tests: int
    budget: float

    @property
    def alarms(self) -> list[Group]:
        return [one for one in self.groups if one.slower]

    @property
    def testable(self) -> int:
        return sum(one.testable for one in self.groups)


def judge(gathered: Gathered, rules: Policy, budget: float) -> Verdict:
    """The verdict on a night."""
    members: dict[tuple[int, str | None, str], list[tuple[str, Machine]]] = {}
    for (name, strand), machine in gathered.machines.items():
        if machine.new is not None:
            context = gathered.contexts[machine.new.context]
            key = (strand, context.cpu.microcode, context.kernel.release)
            members.setdefault(key, []).append((name, machine))
    chosen = list(members.values())
    tables = [table(one, rules) for one in chosen]
    exact = [_context(one, gathered).instruction_clock for one in chosen]
    tested = [tests(one, rules, is_exact) for one, is_exact in zip(tables, exact)]
    level = signs.allowed([one.machines for group in tested for one in group], budget)
    groups = [
        Group(
            _context(machines, gathered),
            len(machines),
            int(np.count_nonzero(~np.isnan(one.before).all(axis=1))) if one.keys else 0,
            tuple(found for found in group if is_slower(found, level)),
            tuple(found for found in group if _is_seen(found, level) and not found.is_slower),
            len(group),
            sum(0.5**found.machines <= level for found in group),
            tuple(odd(one, rules)),
            _changed(machines, gathered),
        )
        for machines, one, group in zip(chosen, tables, tested)
    ]
    groups.sort(key=lambda one: (not one.slower, not one.faster, -one.machines))
    count = sum(map(len, tested))
    fewest = signs.fewest(level or budget / max(count, 1))
    return Verdict(tuple(groups), level, fewest, count, budget)


def is_slower(found: Found, level: float) -> bool:
    """Whether a figure is an alarm."""
    return _is_seen(found, level) and found.is_slower


def _is_seen(found: Found, level: float) -> bool:
    return found.chance <= level


def _context(machines: Sequence[tuple[str, Machine]], gathered: Gathered) -> Context:
    new = machines[0][1].new
    assert new is not None
    return gathered.contexts[new.context]


def _changed(machines: Sequence[tuple[str, Machine]], gathered: Gathered) -> Mapping[str, int]:
    pairs = Counter(
        (machine.before[0].context, machine.new.context)
        for _, machine in machines
        if machine.before and machine.new
    )
    found: Counter[str] = Counter()
    for (before, new), count in pairs.items():
        said = columns.changes(gathered.contexts[before], gathered.contexts[new])
        found.update({f"{what}: {how}": count for what, how in said.items()})
    return dict(found.most_common())


# Tables


def table(machines: Sequence[tuple[str, Machine]], rules: Policy) -> Table:
    """The figures of a group that the rules do not ignore."""
    keys = dict.fromkeys(
        key
        for _, machine in machines
        for key in (machine.new.keys if machine.new else ())
        if not rules.ignores(key[0])
    )
    places = {key: place for place, key in enumerate(keys)}
    new = np.full((len(machines), len(keys)), np.nan)
    before = np.full((len(machines), rules.runs, len(keys)), np.nan)
    chosen: dict[int, "_Chosen"] = {}
    for row, (_, machine) in enumerate(machines):
        assert machine.new is not None
        _lay(machine.new, places, new[row], chosen)
        for run, kept in enumerate(machine.before):
            _lay(kept, places, before[row, run], chosen)
    names = tuple(name for name, _ in machines)
    return Table(names, tuple(keys), new, middle(before))


# Keys, and to which places of a row which of their values go.
_Chosen = tuple[tuple[Key, ...], npt.NDArray[np.intp], npt.NDArray[np.intp]]


def _lay(kept: Kept, places: Mapping[Key, int], row: Array, chosen: dict[int, _Chosen]) -> None:
    """Puts the values of a record into the row of its machine."""
    # Most records have the same keys, which are one object then.
    known = chosen.get(id(kept.keys))
    if known is None:
        pairs = [(places[key], i) for i, key in enumerate(kept.keys) if key in places]
        to, of = (np.array(one, dtype=np.intp) for one in (zip(*pairs) if pairs else ((), ())))
        known = chosen[id(kept.keys)] = (kept.keys, to, of)
    _, to, of = known
    row[to] = kept.array()[of]


def middle(before: Array) -> Array:
    """The median of each machine's values before the night (machines by runs by keys, the newest
    first), of as many as are an odd number: the oldest is left out where they are even. If nights
    differ by chance alone, a new value is then above it as often as below, whatever the
    distribution."""
    valid = ~np.isnan(before)
    place = np.cumsum(valid, axis=1)
    count = place[:, -1:, :]
    kept = valid & (place <= count - (count % 2 == 0))
    ordered = np.sort(np.where(kept, before, np.nan), axis=1)
    at = (kept.sum(axis=1, keepdims=True) - 1) // 2
    # Where there is nothing, what is taken is NaN.
    found: Array = np.take_along_axis(ordered, np.maximum(at, 0), axis=1)[:, 0, :]
    return found


# Tests


def tests(one: Table, rules: Policy, exact: bool) -> list[Found]:
    """What each figure of a group comes to, of those that any machine has twice."""
    found = []
    for place, (name, unit, _) in enumerate(one.keys):
        both = ~np.isnan(one.new[:, place]) & ~np.isnan(one.before[:, place])
        count = int(np.count_nonzero(both))
        if not count:
            continue
        new, before = one.new[both, place], one.before[both, place]
        base = float(np.median(before))
        limit = 0.0 if exact else rules.at(name).at(base)
        changes = new - before
        slower, faster = (int(np.count_nonzero(side * changes > limit)) for side in (1, -1))
        found.append(
            Found(
                name,
                unit,
                count,
                slower,
                faster,
                signs.chance(max(slower, faster), count),
                base,
                float(np.median(new)),
                float(np.median(changes)),
                intervals.median_interval(changes.tolist()),
                limit,
            )
        )
    return found


def odd(one: Table, rules: Policy) -> list[Odd]:
    """Machines whose figures of the night are far from those of their group, the oddest first:
    beyond what matters, and beyond where less than one figure of the group would be if machines
    differed as a normal distribution does, of the width that they show themselves."""
    seen = np.count_nonzero(~np.isnan(one.new), axis=0)
    total = int(seen.sum())
    if not total:
        return []
    far = NormalDist().inv_cdf(1 - 1 / (2 * max(total, 2)))
    count = np.zeros(len(one.machines), dtype=int)
    worst = np.zeros(len(one.machines))
    where = np.zeros(len(one.machines), dtype=int)
    centers = np.full(len(one.keys), np.nan)
    for place, (name, _, _) in enumerate(one.keys):
        if seen[place] < intervals.FEWEST:
            continue
        values = one.new[:, place]
        centers[place] = center = float(np.nanmedian(values))
        away = np.abs(values - center)
        limit = max(rules.at(name).at(center), far * _OF_DEVIATION * float(np.nanmedian(away)))
        share = np.nan_to_num(away / limit) if limit else np.nan_to_num(away)
        is_odd = share > 1
        count += is_odd
        where = np.where(is_odd & (share > worst), place, where)
        worst = np.where(is_odd, np.maximum(worst, share), worst)
    order = np.argsort(-worst, kind="stable")[: int(np.count_nonzero(count))]
    return [
        Odd(
            one.machines[at],
            int(count[at]),
            one.keys[where[at]][0],
            float(one.new[at, where[at]]),
            float(centers[where[at]]),
        )
        for at in order
    ]

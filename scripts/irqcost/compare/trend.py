# SPDX-License-Identifier: GPL-2.0-only
"""How figures went over many runs of a machine, and on what their changes fell."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import numpy as np

from irqcost.base import executors
from irqcost.compare import columns
from irqcost.compare.baseline import when
from irqcost.compare.policy import Policy
from irqcost.model import naming, store
from irqcost.model.machine_code import masking
from irqcost.model.result import Context
from irqcost.stats import changepoints, intervals

# Lines that are one task.
_AT_A_TIME = 4


@dataclass(frozen=True)
class Change:
    """A new level: the first run that has it, the levels, and what changed between the two runs."""

    run: int
    before: float
    after: float
    fell_on: str

    @property
    def size(self) -> float:
        """How much it is for the level before."""
        return abs(self.after - self.before) / max(abs(self.before), 1.0)


@dataclass(frozen=True)
class Line:
    """A figure: values and their runs' places in the history, and its changes. `unreliable` is
    how many values were left out."""

    name: str
    values: tuple[float, ...]
    runs: tuple[int, ...]
    changes: tuple[Change, ...]
    unreliable: int
    kernel: str = ""  # what masks in the kernels of these runs, where others mask differently

    @property
    def label(self) -> str:
        return ", ".join(filter(None, (self.name, self.kernel)))

    @property
    def size(self) -> float:
        """That of the largest change; 0 without one."""
        return max((one.size for one in self.changes), default=0.0)

    @property
    def levels(self) -> list[tuple[int, int, float]]:
        """From which value to which (not included), and their median."""
        edges = [0, *(self.runs.index(one.run) for one in self.changes), len(self.values)]
        return [(a, b, intervals.median(self.values[a:b])) for a, b in zip(edges, edges[1:])]


@dataclass(frozen=True)
class History:
    """The runs of a machine, oldest first, with their figures; `exact` where they are counts."""

    title: str
    contexts: tuple[Context, ...]
    dates: tuple[datetime, ...]
    lines: tuple[Line, ...]
    exact: bool

    def enough(self, line: Line) -> bool:
        """Whether a result has so many values that a change could be found."""
        return self.exact or len(line.values) >= 2 * changepoints.fewest()


def histories(
    records: Sequence[store.Record], rules: Policy, executor: Executor = executors.Here()
) -> list[History]:
    """A history for each machine that has two runs or more, that with most runs first. Changes are
    looked for by the executor."""
    same: dict[int, tuple[object, ...]] = {}
    groups: dict[tuple[object, ...], list[store.Record]] = {}
    for record in records:
        key = same.setdefault(id(record.shared), _machine(record.shared))
        groups.setdefault(key, []).append(record)
    several = sorted((group for group in groups.values() if len(group) > 1), key=len, reverse=True)
    return [_history(group, rules, executor) for group in several]


def _machine(context: Context) -> tuple[object, ...]:
    """What runs of one history have in common."""
    cpu = context.cpu
    return (
        *(cpu.vendor, cpu.brand, cpu.codename, cpu.family, cpu.model, cpu.stepping),
        *(context.hypervisor, context.execution, context.instruction_clock),
        context.kernel.realtime,
    )


def _history(group: Sequence[store.Record], rules: Policy, executor: Executor) -> History:
    dates = [when(record.date) for record in group]
    order = sorted(range(len(group)), key=lambda i: (dates[i], str(group[i].path)))
    records = [group[i] for i in order]
    contexts = tuple(record.shared for record in records)
    exact = contexts[0].instruction_clock
    column = store.COLUMNS.index("ticks" if exact else "core_cycles")
    lines = []
    for name, kernel, one in _alike(records):
        if rules.ignores(name):
            continue
        values = one.values[:, column]
        sound = ~np.isnan(values)
        kept, runs = values[sound].tolist(), one.places[sound].tolist()
        unreliable = int(np.count_nonzero(one.unreliable))
        lines.append(Line(name, tuple(kept), tuple(runs), (), unreliable, kernel))
    found = executors.each(executor, partial(_changes, exact, rules), lines, _AT_A_TIME)
    lines = [_with_changes(line, places, contexts) for line, places in zip(lines, found)]
    title = f"{naming.cpu_name(contexts[-1])}, {naming.execution(contexts[-1])}"
    if contexts[-1].kernel.realtime:
        title += ", PREEMPT_RT"
    return History(title, contexts, tuple(dates[i] for i in order), tuple(lines), exact)


def _alike(records: Sequence[store.Record]) -> Iterator[tuple[str, str, store.Gathered]]:
    """Every figure with the runs whose kernels mask in the same way, and what masks there where
    others mask differently."""
    for name, one in store.gather(records).items():
        kinds: dict[str, list[int]] = {}
        if masking.of_kernel(*name.split("/")[:2]):
            for at, place in enumerate(one.places.tolist()):
                kinds.setdefault(records[place].shared.masking.identity, []).append(at)
        if len(kinds) < 2:
            yield name, "", one
            continue
        for kind, those in kinds.items():
            chosen = store.Gathered(one.places[those], one.values[those], one.unreliable[those])
            yield name, "masked " + masking.way(kind or masking.NATIVE), chosen


def _changes(exact: bool, rules: Policy, line: Line) -> list[int]:
    """The places of values that begin a level. Counts of instructions do not vary: each other one
    does."""
    values = line.values
    if exact:
        return [i for i in range(1, len(values)) if values[i] != values[i - 1]]
    return changepoints.find(values, rules.at(line.name).at)


def _with_changes(line: Line, places: Sequence[int], contexts: Sequence[Context]) -> Line:
    edges = [0, *places, len(line.values)]
    changes = []
    for left, place, right in zip(edges, edges[1:], edges[2:]):
        before, after = (line.values[a:b] for a, b in ((left, place), (place, right)))
        last, first = line.runs[place - 1], line.runs[place]
        changes.append(
            Change(
                first,
                intervals.median(before),
                intervals.median(after),
                fell_on(contexts[last], contexts[first]),
            )
        )
    return replace(line, changes=tuple(changes))


def fell_on(before: Context, after: Context) -> str:
    """What of the machine changed between two runs; "" where nothing did that is known."""
    return "; ".join(f"{what} {said}" for what, said in columns.changes(before, after).items())

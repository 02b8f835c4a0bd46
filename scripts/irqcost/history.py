# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost history`: how figures went over many runs, and on what their changes fell."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np

from irqcost import (
    changepoints,
    charts,
    columns,
    files,
    forked,
    masking,
    policy,
    report,
    stats,
    store,
)
from irqcost.baseline import when
from irqcost.charts.places import METADATA, Place, made, themes_of
from irqcost.errors import Exit, IrqcostError, name_left_out
from irqcost.forked import Workers
from irqcost.model import Context
from irqcost.policy import Policy
from irqcost.table import Table

# Panels of a chart.
_MOST_CHARTED = 8

# Lines that are handed to a process at a time.
_AT_A_TIME = 4

_DESCRIPTION = """\
Shows each figure over the runs of a machine in the order of their dates, finds where its level
changed for good, and says what else changed with it: kernel, microcode, settings. One odd run is no
change, nor is what matters to nobody (the thresholds of irqcost check; --config). Figures that are
in doubt are left out and counted. Kernels and microcodes of one CPU are one history; emulated runs,
PREEMPT_RT and other hypervisors are histories of their own, and so are the figures of kernels that
mask in different ways.
"""


@dataclass(frozen=True)
class Change:
    """A new level: the first run that has it, the levels, and what changed between the two runs."""

    run: int
    before: float
    after: float
    fell_on: str


@dataclass(frozen=True)
class Line:
    """A figure: values and the places of their runs in the history, and its changes. `doubtful` is
    how many values were left out."""

    name: str
    values: tuple[float, ...]
    runs: tuple[int, ...]
    changes: tuple[Change, ...]
    doubtful: int
    kernel: str = ""  # what masks in the kernels of these runs, where others mask differently

    @property
    def label(self) -> str:
        return ", ".join(filter(None, (self.name, self.kernel)))

    @property
    def levels(self) -> list[tuple[int, int, float]]:
        """From which value to which (not included), and their median."""
        edges = [0, *(self.runs.index(one.run) for one in self.changes), len(self.values)]
        return [(a, b, stats.median(self.values[a:b])) for a, b in zip(edges, edges[1:])]


@dataclass(frozen=True)
class History:
    """The runs of a machine, oldest first, with their figures; `exact` where they are counts."""

    title: str
    contexts: tuple[Context, ...]
    dates: tuple[datetime, ...]
    lines: tuple[Line, ...]
    exact: bool


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "history", help="how figures changed over many results", description=_DESCRIPTION
    )
    add = parser.add_argument
    add("paths", metavar="FOLDER|FILE", nargs="+", type=Path, help="results, at least two")
    add("--select", metavar="REGEX", help="only figures whose name (backend/probe/mode) matches")
    add("--config", metavar="FILE", type=Path, help="TOML, as of irqcost check: what matters")
    add("--all", action="store_true", help="show figures without a change as well")
    add(
        "--out",
        metavar="PREFIX",
        type=files.named,
        default=Path("irqcost-history"),
        help="chart as PREFIX.png and PREFIX.svg, of several machines PREFIX-2.… "
        "(default: irqcost-history in this folder)",
    )
    add("--theme", choices=("light", "dark", "both"), default="light", help="of the chart")
    add("--no-chart", action="store_true", help="table only")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    ready = (lambda: None) if args.no_chart else charts.load
    with forked.workers(ready, len(METADATA) * len(themes_of(args.theme))) as workers:
        return _run(args, workers)


def _run(args: argparse.Namespace, workers: Workers) -> int:
    rules = policy.read(args.config)
    loaded = store.read(args.paths, args.select)
    name_left_out(loaded.errors)
    found = histories([one for one in loaded.records if one.names], rules, workers)
    if not found:
        raise IrqcostError("no machine has two results with figures here: no history")
    for place, one in enumerate(found):
        with nullcontext([]) if args.no_chart else _places(args, place) as places:
            charts.each_place(partial(_draw, charted(one)), workers, places)
        print(("" if place == 0 else "\n") + text(one, args.all))
    # What was named and could not be read is missed; of a folder the rest is its history.
    missed = any(error.path in args.paths for error in loaded.errors)
    return Exit.UNUSABLE if missed else Exit.OK


def _draw(history: History, places: Sequence[Place]) -> None:
    from irqcost.charts import history as chart

    chart.draw(history, places)


def charted(history: History) -> History:
    """What its chart shows: the values of the figures that changed most for their size, or of the
    first ones, and none of the others."""

    def size(line: Line) -> float:
        parts = (abs(c.after - c.before) / max(abs(c.before), 1.0) for c in line.changes)
        return max(parts, default=0.0)

    with_values = [line for line in history.lines if line.values]
    greatest = sorted(with_values, key=size, reverse=True)[:_MOST_CHARTED]
    lines = (
        line if any(line is one for one in greatest) else replace(line, values=(), runs=())
        for line in history.lines
    )
    return replace(history, lines=tuple(lines))


def _places(args: argparse.Namespace, place: int) -> AbstractContextManager[list[Place]]:
    prefix = args.out if place == 0 else args.out.with_name(f"{args.out.name}-{place + 1}")
    return made(prefix, replace=True, themes=themes_of(args.theme))


def histories(
    records: Sequence[store.Record], rules: Policy, workers: Workers = Workers()
) -> list[History]:
    """A history for each machine that has two runs or more, that with most runs first. Changes are
    looked for by the workers."""
    same: dict[int, tuple[object, ...]] = {}
    groups: dict[tuple[object, ...], list[store.Record]] = {}
    for record in records:
        key = same.setdefault(id(record.shared), _machine(record.shared))
        groups.setdefault(key, []).append(record)
    several = sorted((group for group in groups.values() if len(group) > 1), key=len, reverse=True)
    return [_history(group, rules, workers) for group in several]


def _machine(context: Context) -> tuple[object, ...]:
    """What runs of one history have in common."""
    cpu = context.cpu
    return (
        *(cpu.vendor, cpu.brand, cpu.codename, cpu.family, cpu.model, cpu.stepping),
        *(context.hypervisor, context.execution, context.instruction_clock),
        context.kernel.realtime,
    )


def _history(group: Sequence[store.Record], rules: Policy, workers: Workers) -> History:
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
        doubtful = int(np.count_nonzero(one.doubtful))
        lines.append(Line(name, tuple(kept), tuple(runs), (), doubtful, kernel))
    found = workers.each(partial(_changes, exact, rules), lines, _AT_A_TIME)
    lines = [_with_changes(line, places, contexts) for line, places in zip(lines, found)]
    title = f"{report.cpu_name(contexts[-1])}, {report.execution(contexts[-1])}"
    if contexts[-1].kernel.realtime:
        title += ", PREEMPT_RT"
    return History(title, contexts, tuple(dates[i] for i in order), tuple(lines), exact)


def _alike(records: Sequence[store.Record]) -> Iterator[tuple[str, str, store.Gathered]]:
    """Every figure with the runs whose kernels mask alike, and what masks there where others mask
    differently."""
    for name, one in store.gather(records).items():
        kinds: dict[str, list[int]] = {}
        if masking.of_kernel(*name.split("/")[:2]):
            for at, place in enumerate(one.places.tolist()):
                kinds.setdefault(records[place].shared.masking.identity, []).append(at)
        if len(kinds) < 2:
            yield name, "", one
            continue
        for kind, those in kinds.items():
            chosen = store.Gathered(one.places[those], one.values[those], one.doubtful[those])
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
                stats.median(before),
                stats.median(after),
                fell_on(contexts[last], contexts[first]),
            )
        )
    return replace(line, changes=tuple(changes))


def fell_on(before: Context, after: Context) -> str:
    """What of the machine changed between two runs; "" where nothing did that is known."""
    found = columns.differences(before, after)
    found.pop("command", None)
    return "; ".join(f"{what} {said.replace(' | ', ' → ')}" for what, said in found.items())


def text(history: History, everything: bool) -> str:
    """A table of the changes (or of every figure), and what it comes to."""
    count = len(history.contexts)
    first, last = (history.dates[place].date().isoformat() for place in (0, -1))
    parts = [history.title, f"{count} runs from {first} to {last}"]
    unit = "instructions" if history.exact else "core cycles"
    table = Table((f"figure ({unit})", "since", "before", "after", "%", "fell on"), "<<>>><")
    changed = 0
    for line in history.lines:
        changed += bool(line.changes)
        for one in line.changes:
            table.row(
                line.label,
                history.dates[one.run].date().isoformat(),
                f"{one.before:.2f}",
                f"{one.after:.2f}",
                f"{100 * (one.after / one.before - 1):+.1f}" if one.before else "-",
                one.fell_on or "nothing that the files tell",
            )
        if everything and not line.changes and line.values:
            level = stats.median(line.values)
            table.row(line.label, "always", f"{level:.2f}", f"{level:.2f}", "", "")
    if changed or everything:
        parts += ["", str(table)]
    doubtful = sum(line.doubtful for line in history.lines)
    parts += ["", f"{changed} of {len(history.lines)} figures changed their level"]
    if doubtful:
        parts.append(f"{doubtful} values in doubt were left out")
    return "\n".join(parts)

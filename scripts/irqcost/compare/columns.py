# SPDX-License-Identifier: GPL-2.0-only
"""What stands side by side: a result file, or a machine's many as one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from irqcost.base.safety.texts import plain
from irqcost.base.verdicts import Trust
from irqcost.compare.labels import Series, series
from irqcost.model import naming, store
from irqcost.model.result import Context, Entry, Result
from irqcost.stats import intervals

# What results may be grouped by, and what then is the same for all of a column.
BY: Mapping[str, Callable[[Context], tuple[object, ...]]] = {
    "machine": lambda c: (c.cpu.brand, _cpu(c), c.kernel.release, c.hypervisor, *_kind(c)),
    "cpu": lambda c: (c.cpu.brand, _cpu(c), *_kind(c)),
    "kernel": lambda c: (c.kernel.release, *_kind(c)),
}


def _cpu(context: Context) -> tuple[object, ...]:
    cpu = context.cpu
    return cpu.family, cpu.model, cpu.stepping, cpu.codename, cpu.core_type, cpu.microcode


def _kind(context: Context) -> tuple[object, ...]:
    """Emulated, virtualised and bare-metal figures never mix, nor those of kernels that mask in
    different ways."""
    return context.execution, context.instruction_clock, context.masking.identity


@dataclass(frozen=True)
class Column:
    """A result with its name, the files it comes from, and a digest of its machine code.

    Of several files each figure is the median over the reliable ones, with the interval of that
    median; below stats.FEWEST files, from the least to the greatest end of theirs. Where estimators
    differ (model.other_estimator()), it is over those of the newest.
    """

    series: Series
    paths: tuple[Path, ...]
    code_digests: Mapping[str, str]

    @property
    def result(self) -> Result:
        return self.series.result

    @property
    def single(self) -> bool:
        return len(self.paths) == 1


def of_files(paths: Sequence[Path], results: Sequence[Result]) -> list[Column]:
    """A column for each file."""
    named = series(results)
    return [Column(one, (path,), {}) for one, path in zip(named, paths)]


def groups(records: Sequence[store.Record], by: str) -> list[list[store.Record]]:
    """Records grouped by one of BY, in the order in which the groups first appear."""
    same: dict[int, tuple[object, ...]] = {}
    found: dict[tuple[object, ...], list[store.Record]] = {}
    for record in records:
        # Most share their context: it is looked at once.
        key = same.get(id(record.shared))
        if key is None:
            key = same[id(record.shared)] = BY[by](record.shared)
        found.setdefault(key, []).append(record)
    return list(found.values())


def of_groups(
    members: Sequence[Sequence[store.Record]], whole: Mapping[Path, Result]
) -> list[Column]:
    """A column for each of groups(). Of a group of one it is the `whole` of its file, which tells
    more than a record: samples, derived figures, texts."""
    results = [_summary(group) if len(group) > 1 else whole[group[0].path] for group in members]
    columns = []
    for one, group in zip(series(results), members):
        count = f"median of {len(group)} results" if len(group) > 1 else "1 result"
        titled = replace(one, title=f"{one.title}, {count}")
        paths = tuple(record.path for record in group)
        columns.append(Column(titled, paths, group[-1].code_digests))
    return columns


def _summary(group: Sequence[store.Record]) -> Result:
    """The group as one result: the context of its latest, and medians."""
    latest = max(group, key=lambda record: record.date)
    gathered = store.gather(group)
    entries = tuple(_median(name, one, group) for name, one in gathered.items())
    return Result(replace(latest.context, processes=0), entries)


_ESTIMATOR = store.COLUMNS.index("estimator")


def _median(name: str, one: store.Gathered, group: Sequence[store.Record]) -> Entry:
    count = len(one.places)
    sound = one.values[~one.unreliable]
    reason = ""
    if not len(sound):
        reason = f"none of {count} values is reliable"
        first = group[int(one.places[0])]
        place = first.names.index(name)
        sound = first.values[[place]]
        if count == 1:
            reason = first.remarks[place]
    made_by = sound[:, _ESTIMATOR]
    estimator = made_by.max()
    older = np.count_nonzero(made_by != estimator)
    sound = sound[made_by == estimator]

    def known(column: str) -> _Values:
        """NaN where no file has such a figure; where only some have, what they have."""
        values: _Values = sound[:, store.COLUMNS.index(column)]
        there: _Values = values[~np.isnan(values)]
        return there

    ticks, cycles = np.sort(known("ticks")), np.sort(known("core_cycles"))
    first = group[int(one.places[0])]
    said = first.verdicts[first.names.index(name)]
    sound_word = Trust.EMULATED if said == Trust.EMULATED else Trust.GOOD
    backend, probe, mode, *variant = name.split("/", 3)
    return Entry(
        backend=backend,
        probe=probe,
        mode=mode,
        variant="".join(variant),
        aggregate="",
        ns=_median_of(known("ns")),
        ticks=_median_of(ticks),
        core_cycles=_median_of(cycles) if len(cycles) else None,
        ticks_min=float(ticks[0]),
        ticks_p50=_median_of(ticks),
        ticks_p99=float(ticks[-1]),
        spread=_median_of(known("spread")),
        samples=count - int(older),
        clean=len(sound) if not reason else 0,
        label="",
        ticks_interval=_interval(ticks, known("ticks_low"), known("ticks_high")),
        cycles_interval=_interval(cycles, known("core_cycles_low"), known("core_cycles_high")),
        verdict=(said or Trust.DISTURBED) if reason else sound_word,
        reasons=(reason,) if reason else (),
        estimator=round(estimator),
    )


_Values = npt.NDArray[np.float64]


def _median_of(values: _Values) -> float:
    return float(np.median(values))


def _interval(ordered: _Values, lows: _Values, highs: _Values) -> tuple[float, float] | None:
    rank = intervals.median_rank(len(ordered))
    if rank is not None:
        return float(ordered[rank - 1]), float(ordered[-rank])
    if not len(lows) or not len(highs):
        return None
    median = _median_of(ordered)
    return min(median, float(lows.min())), max(median, float(highs.max()))


def legend(columns: Sequence[Column]) -> list[str]:
    """Who each column is: its title, its file or how many, and its verdict."""
    lines = []
    for place, column in enumerate(columns):
        where = plain(column.paths[0]) if column.single else f"{len(column.paths)} files"
        lines += [f"{letter(place)}  {column.series.title}", f"   {where}"]
        context = column.result.context
        for said in (naming.brand(context), naming.other_hypervisor(context)):
            lines[-1] += f", {said}" if said else ""
        if outcome := column.result.context.outcome:
            lines[-1] += f" (verdict: {outcome})"
    return lines


def letter(place: int) -> str:
    """A to Z, then A1, B1 …"""
    return chr(ord("A") + place % 26) + (str(place // 26) if place >= 26 else "")


# Differences that the names of columns say already.
_IN_NAMES = ("execution", "CPU", "kernel", "command", "core", "masking")


def unnamed_differences(base: Context, other: Context) -> list[str]:
    """What differences() finds, without what the names of columns say."""
    found = differences(base, other)
    return [f"{name} {what}" for name, what in found.items() if name not in _IN_NAMES]


def differences(base: Context, other: Context) -> dict[str, str]:
    """In what two results differ that is known to move figures: what it is in one | the other."""
    pairs = (
        ("execution", naming.execution(base), naming.execution(other)),
        ("CPU", naming.cpu_name(base), naming.cpu_name(other)),
        ("core type", base.cpu.core_type, other.cpu.core_type),
        ("stepping", base.cpu.stepping, other.cpu.stepping),
        ("microcode", base.cpu.microcode, other.cpu.microcode),
        ("kernel", base.kernel.release, other.kernel.release),
        ("governor", base.governor, other.governor),
        ("boost", base.boost, other.boost),
        ("SMT", base.smt, other.smt),
        ("irqcost", base.version, other.version),
        ("command", _arguments(base), _arguments(other)),
    )
    found = {name: f"{one} | {two}" for name, one, two in pairs if one != two}
    # Older files do not tell them, which is no difference.
    for name, old, new in (
        ("niceness", base.niceness, other.niceness),
        ("core", base.cpu.codename, other.cpu.codename),
        ("preemption", base.kernel.preemption, other.kernel.preemption),
        ("tracepoints", base.kernel.tracepoints, other.kernel.tracepoints),
        ("confidential computing", _list(base.cpu.confidential), _list(other.cpu.confidential)),
        ("lfence waits", base.cpu.lfence_waits, other.cpu.lfence_waits),
        ("module's compiler", base.module_compiler, other.module_compiler),
        ("masking", base.masking.kind or None, other.masking.kind or None),
    ):
        if None not in (old, new) and old != new:
            found[name] = f"{old} | {new}"
    changed = sorted(
        name
        for name in base.mitigations.keys() | other.mitigations.keys()
        if base.mitigations.get(name) != other.mitigations.get(name)
    )
    if changed:
        found["mitigations"] = ", ".join(changed)
    return found


def changes(before: Context, after: Context) -> dict[str, str]:
    """What of the machine changed between two runs: what it was → what it is."""
    found = differences(before, after)
    found.pop("command", None)
    return {what: said.replace(" | ", " → ") for what, said in found.items()}


def _list(names: Sequence[str] | None) -> str | None:
    return None if names is None else ", ".join(names) or "none"


def _arguments(context: Context) -> str:
    return " ".join(context.command)

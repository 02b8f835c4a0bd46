# SPDX-License-Identifier: GPL-2.0-only
"""A result judged by its baseline, and measured again where that is slower or undecided."""

import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from irqcost.base import verdicts
from irqcost.base.verdicts import Change, Trust
from irqcost.compare import baseline, columns, regression
from irqcost.compare.baseline import Run
from irqcost.compare.policy import Policy
from irqcost.compare.regression import Judged
from irqcost.model import description, store


# Which results are judged, by their names.
Select = Callable[[str], bool]


def matching(expression: str | None) -> Select:
    """What selects the names that match. Raises IrqcostError where it is no regular expression."""
    compiled = store.compiled(expression)
    return lambda name: compiled is None or bool(compiled.search(name))


@dataclass(frozen=True)
class Checked:
    """A new result, the files of its baseline (the newest first), verdicts, what else changed since
    the newest of them ("kernel" → "6.1 → 6.2"), and notes. Where no baseline fits, `refused` says
    why and there are no verdicts."""

    new: Run
    against: tuple[Path, ...]
    judged: tuple[Judged, ...]
    notes: tuple[str, ...] = ()
    changed: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""

    @property
    def status(self) -> Change:
        """The worst verdict; where nothing was judged there is nothing comparable."""
        if not self.judged:
            return Change.INCOMPARABLE
        return verdicts.worst(one.status for one in self.judged)

    def having(self, status: Change) -> list[Judged]:
        return [one for one in self.judged if one.status == status]

    @property
    def time(self) -> int | None:
        """Seconds (--time) that would decide all that a longer run can decide; None: unknown, or
        longer than a run may take."""
        longer = [one.longer for one in self.having(Change.INCONCLUSIVE) if one.longer is not None]
        if not longer or self.new.seconds is None:
            return None
        seconds = 10 * math.ceil(max(longer) * self.new.seconds / 10)
        return seconds if seconds <= _MOST_SECONDS else None


# As long as a run may take; a process takes no longer than that either.
_MOST_SECONDS = int(description.read()["most_seconds"])


def against(
    new: Run,
    records: Sequence[store.Record],
    named: Sequence[Path],
    rules: Policy,
    select: Select | None,
    of: int = 0,
) -> Checked:
    """A new result, judged by the baseline that fits it; `of` as that of regression.judge()."""
    chosen = baseline.choose(new, records, [path for path in named if path.is_file()], rules)
    notes = [f"{results(count)} of the baseline not used: {why}" for why, count in chosen.refused]
    if not chosen.runs:
        why = chosen.refused[0][0] if chosen.refused else "no result there"
        return Checked(new, (), (), tuple(notes[1:]), refused=why)
    runs = chosen.runs
    pairs = baseline.cases(new, runs, rules)
    cases = [one for one in pairs.cases if select is None or select(one.name)]
    if any(entry.verdict == Trust.INCONSISTENT for entry in new.result.figures.values()):
        notes += new.result.context.reasons
    unknown = [name for name in pairs.unknown if select is None or select(name)]
    if unknown:
        notes.append(f"{results(len(unknown))} not in the baseline: {some(unknown)}")
    if pairs.ignored:
        notes.append(f"{results(pairs.ignored)} ignored, as the configuration says")
    refused = "" if cases else "no result is left to be judged: see --select and --config"
    judged = tuple(regression.judge(cases, rules.risk, of))
    changed = columns.changes(runs[0].result.context, new.result.context)
    paths = tuple(run.path for run in runs)
    return Checked(new, paths, judged, tuple(notes), changed, refused)


def results(count: int) -> str:
    return f"{count} result" + ("" if count == 1 else "s")


def some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def confirmed(
    target: Path,
    measure: Callable[[Path, str | None], Run],
    judge: Callable[[Run, int], Checked],
) -> Checked:
    """Measures into `target`, then measures again what is slower or undecided, alone and so with
    more processes, until it is settled or was measured regression.ATTEMPTS times. These
    measurements go to TARGET.again and so on: a part of a run must not become a baseline.

    `measure` takes a file and a regular expression of benchmarks; `judge` takes a run and the
    number of results that those measured again were chosen from.
    """
    first = judge(measure(target, None), 0)
    attempts = {one.name: [one] for one in first.judged}
    for number in range(1, regression.ATTEMPTS):
        doubted = [name for name, seen in attempts.items() if not regression.converged(seen)]
        if not doubted:
            break
        print(f"{results(len(doubted))} slower or undecided: measuring again", file=sys.stderr)
        only = f"^({'|'.join(map(re.escape, doubted))})$"
        place = target.with_name(f"{target.name}.again{number if number > 1 else ''}")
        for one in judge(measure(place, only), len(attempts)).judged:
            if one.name in doubted:
                attempts[one.name].append(one)
    return replace(first, judged=tuple(regression.together(seen) for seen in attempts.values()))

# SPDX-License-Identifier: GPL-2.0-only
"""A result judged by its baseline, and measured again where that is slower or undecided."""

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from irqcost.base import verdicts
from irqcost.base.verdicts import Change, Trust
from irqcost.compare import baseline, regression
from irqcost.compare.baseline import Run
from irqcost.compare.policy import Policy
from irqcost.compare.regression import Judged
from irqcost.model import store


@dataclass(frozen=True)
class Checked:
    """A new result, the files of its baseline, verdicts, and what else is to be said."""

    new: Run
    against: tuple[Path, ...]
    judged: tuple[Judged, ...]
    notes: tuple[str, ...] = ()

    @property
    def status(self) -> Change:
        """The worst verdict; without any figure there is nothing comparable."""
        return (
            verdicts.worst(one.status for one in self.judged)
            if self.judged
            else Change.INCOMPARABLE
        )


def against(
    new: Run,
    records: Sequence[store.Record],
    named: Sequence[Path],
    rules: Policy,
    select: re.Pattern[str] | None,
    of: int = 0,
) -> Checked:
    """A new result, judged by the baseline that fits it; `of` as that of regression.judge()."""
    chosen = baseline.choose(new, records, [path for path in named if path.is_file()], rules)
    notes = [f"not in the baseline: {count}, {reason}" for reason, count in chosen.refused.items()]
    if not chosen.paths:
        why = "no comparable result in the baseline" + "".join(f"; {note}" for note in notes)
        return Checked(new, (), _incomparable(new, why, select), (f"{why}; {_REMEDY}",))
    pairs = baseline.cases(new, [baseline.load(path) for path in chosen.paths], rules)
    cases = [one for one in pairs.cases if select is None or select.search(one.name)]
    if any(entry.verdict == Trust.INCONSISTENT for entry in new.result.figures.values()):
        notes += new.result.context.reasons
    unknown = [name for name in pairs.unknown if select is None or select.search(name)]
    if unknown:
        notes.append(f"{figures(len(unknown))} the baseline has not: {some(unknown)}")
    if pairs.ignored:
        notes.append(f"{figures(pairs.ignored)} ignored, as the configuration says")
    if not cases:
        notes.append("no figure is left to be judged: see --select and --config")
    return Checked(new, chosen.paths, tuple(regression.judge(cases, rules.risk, of)), tuple(notes))


_REMEDY = "measure some first (./irqcost run), or name others with --baseline"


def _incomparable(new: Run, reason: str, select: re.Pattern[str] | None) -> tuple[Judged, ...]:
    exact = new.result.context.instruction_clock
    return tuple(
        Judged(name, Change.INCOMPARABLE, reason, new=entry.ticks if exact else entry.core_cycles)
        for name, entry in new.result.figures.items()
        if select is None or select.search(name)
    )


def figures(count: int) -> str:
    return f"{count} figure" + ("" if count == 1 else "s")


def some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def confirmed(
    target: Path,
    measure: Callable[[Path, str | None], Run],
    judge: Callable[[Run, int], Checked],
) -> Checked:
    """Measures into `target`, and what then is slower or undecided again, alone and so with more
    processes, until it has converged or was seen regression.ATTEMPTS times. These measurements go
    to TARGET.again and so on: a part of a run is no baseline for later ones.

    `measure` takes a file and a regular expression of benchmarks, `judge` a run and of how many
    figures its own are those in doubt.
    """
    first = judge(measure(target, None), 0)
    attempts = {one.name: [one] for one in first.judged}
    for number in range(1, regression.ATTEMPTS):
        doubted = [name for name, seen in attempts.items() if not regression.converged(seen)]
        if not doubted:
            break
        print(f"{figures(len(doubted))} slower or undecided: measuring again", file=sys.stderr)
        only = f"^({'|'.join(map(re.escape, doubted))})$"
        place = target.with_name(f"{target.name}.again{number if number > 1 else ''}")
        for one in judge(measure(place, only), len(attempts)).judged:
            if one.name in doubted:
                attempts[one.name].append(one)
    return replace(first, judged=tuple(regression.together(seen) for seen in attempts.values()))


def outcome(checked: Checked) -> str:
    """The worst word, and how many figures have which."""
    counts = verdicts.counts(one.status for one in checked.judged)
    counted = [f"{count} {status}" for status, count in counts.items()]
    return f"{checked.status} ({', '.join(counted) or 'no figures'})"

# SPDX-License-Identifier: GPL-2.0-only
"""What changed since the last run on this machine."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from irqcost.compare import baseline, checked, policy, trend
from irqcost.compare.baseline import Run
from irqcost.compare.regression import Judged
from irqcost.model import store
from irqcost.model.result import Context


@dataclass(frozen=True)
class Since:
    """The last run and the verdicts on each result; `machine` is what else changed."""

    date: str
    judged: tuple[Judged, ...]
    machine: str

    def of(self, word: str) -> list[Judged]:
        """The results of one verdict, what changed most for its size first."""
        found = [one for one in self.judged if one.word == word]
        return sorted(found, key=lambda one: -abs(one.percent or 0))


def last_run(path: Path, beside: Sequence[Path]) -> Since | None:
    """A new result judged by the last one before it in these files and folders; None where none of
    them is of this machine."""
    paths = [one for one in beside if one.exists()]
    if not paths:
        return None
    rules = replace(policy.read(None), runs=1)
    new = baseline.load(path)
    records = store.read(paths).records
    found = checked.against(new, records, (), rules, None)
    if not found.against:
        return None
    (one,) = found.against
    (record,) = (each for each in records if each.path == one)
    return Since(record.date, found.judged, _machine(record.context, new))


def _machine(before: Context, new: Run) -> str:
    """What of the machine changed, without what every run has another of."""
    return trend.fell_on(before, new.result.context)

# SPDX-License-Identifier: GPL-2.0-only
"""What changed since the last run on this machine."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from irqcost.base.verdicts import Change
from irqcost.compare import baseline, checked, policy
from irqcost.compare.regression import Judged
from irqcost.model import catalogue, store

# Differences of the machine that are named.
_MOST = 2


@dataclass(frozen=True)
class Since:
    """The last run and the verdicts on each result; `machine` is what else changed, `doubted` are
    the names of what is unreliable in one of the two runs. Where no earlier run of this CPU can be
    compared with, `refused` says why."""

    date: str
    judged: tuple[Judged, ...] = ()
    doubted: frozenset[str] = frozenset()
    machine: tuple[str, ...] = ()
    refused: str = ""

    def of(self, status: Change, doubted: bool = False) -> list[Judged]:
        """The results of one verdict, what changed most for its size first; those that are doubted
        or those that are not."""
        found = [one for one in self.judged if one.status == status]
        found = [one for one in found if (one.name in self.doubted) == doubted]
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
        cpu = new.result.context.cpu
        others = [one for one in records if one.path.resolve() != path.resolve()]
        same = [one for one in others if one.context.cpu.brand == cpu.brand]
        return Since(max(one.date for one in same), refused=found.refused) if same else None
    (one,) = found.against
    (record,) = (each for each in records if each.path == one)
    changed = (f"{what} {said}" for what, said in found.changed.items())
    doubted = {name for name, entry in new.result.figures.items() if entry.unreliable}
    doubted |= {record.names[place] for place in record.remarks}
    return Since(record.date, found.judged, frozenset(doubted), tuple(changed))


def text(since: Since | None) -> str:
    """What changed, in a line; None: there was no earlier run."""
    if since is None:
        return "first run on this CPU"
    when = since.date.replace("T", " ")[:16]
    if since.refused:
        return f"not comparable with {when}: {since.refused}"
    others = since.machine
    machine = "".join(f"; {one}" for one in others[:_MOST]) + (" …" if others[_MOST:] else "")
    comparable = [one for one in since.judged if one.status != Change.INCOMPARABLE]
    if not comparable:
        why = since.judged[0].reason if since.judged else "no result in common"
        return f"not comparable with {when}: {why.partition(': ')[0]}{machine}"
    slower, faster = since.of(Change.REGRESSION), since.of(Change.IMPROVEMENT)
    noisy = sum(one.status == Change.INCONCLUSIVE for one in comparable)
    if noisy == len(comparable):
        return f"too noisy to compare with {when}{machine}"
    said = [
        f"{len(each)} {name}" for each, name in ((slower, "slower"), (faster, "faster")) if each
    ]
    line = f"{', '.join(said) or 'nothing'} since {when}"
    if said:
        most = (slower or faster)[0]
        unit = "instructions" if most.exact else "cycles"
        line += f": {_titled(most.name)} {most.difference or 0:+.1f} {unit}"
    # Two runs of which nothing is measured again: what they call unreliable is named, no more.
    unsure = since.of(Change.REGRESSION, True) + since.of(Change.IMPROVEMENT, True)
    if unsure:
        line += f"; {len(unsure)} changed, but unreliable"
    if noisy:
        line += f"; {noisy} too noisy to say"
    return line + machine


def _titled(name: str) -> str:
    probe = name.split("/")[1]
    known = catalogue.by_key().get(probe)
    return known.title if known else probe

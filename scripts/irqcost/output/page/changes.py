# SPDX-License-Identifier: GPL-2.0-only
"""What changed against the baseline: the verdicts of `irqcost check`, so that the page and the
guard never differ; and for combined results the ratios whose interval excludes 1."""

from collections.abc import Sequence
from pathlib import Path

from irqcost.base import verdicts
from irqcost.base.table import number
from irqcost.base.verdicts import Change
from irqcost.compare import baseline, policy
from irqcost.compare.checked import against
from irqcost.compare.columns import Column
from irqcost.compare.comparison import Ratio
from irqcost.model import store
from irqcost.output.page.data import Part
from irqcost.output.page.words import Code, Statement, some

# More figures than this are counted, and the table has them.
_MOST = 8

# Verdicts as they follow a number.
_CALLED = {
    Change.REGRESSION: "slower",
    Change.IMPROVEMENT: "faster",
    Change.OK: "unchanged",
}


def statements(part: Part, path: Path) -> list[Statement]:
    """The changes in each column of a part whose first column is the baseline, read from `path`."""
    found = []
    records: Sequence[store.Record] | None = None
    for column in part.columns[1:]:
        if column.single:
            if records is None:
                records = store.read([path]).records
            found += _checked(column, path, records)
        else:
            found += _grouped(part, column)
    return found


def _checked(column: Column, path: Path, records: Sequence[store.Record]) -> list[Statement]:
    named = [path] if path.is_file() else []
    new = baseline.load(column.paths[0])
    checked = against(new, records, named, policy.read(None), None)
    judged = [one for one in checked.judged if one.name in column.result.figures]
    counts = verdicts.counts(one.status for one in judged)
    said = ", ".join(f"{count} {_CALLED.get(status, status)}" for status, count in counts.items())
    head = f"{_called(column)}figures against the baseline: {said or 'nothing comparable'}."
    found = [Statement((head[0].upper() + head[1:],))]
    for status in (Change.REGRESSION, Change.IMPROVEMENT):
        those = [one for one in judged if one.status == status]
        found += [Statement((Code(one.name), f": {one.reason}.")) for one in those[:_MOST]]
        if len(those) > _MOST:
            found.append(
                Statement((f"{len(those) - _MOST} more are {_CALLED[status]}: see the table.",))
            )
    reasons = dict.fromkeys(one.reason for one in judged if one.status == Change.INCOMPARABLE)
    found += [Statement((f"Not comparable: {reason}.",)) for reason in list(reasons)[:_MOST]]
    refused = [checked.refused] if checked.refused else []
    return found + [Statement((f"{note}.",)) for note in [*refused, *checked.notes]]


def _grouped(part: Part, column: Column) -> list[Statement]:
    place = list(part.columns).index(column)
    moved: list[tuple[float, str, Ratio]] = []
    compared = 0
    for row in part.rows:
        cell = row.cells[place][0]
        ratio = cell.ratio
        if ratio is None or ratio.low is None or ratio.high is None or cell.not_comparable:
            continue
        compared += 1
        if not ratio.unreliable and not ratio.low <= 1 <= ratio.high:
            moved.append((abs(ratio.value - 1), row.name, ratio))
    moved.sort(key=lambda one: one[0], reverse=True)
    head = (
        f"{_called(column)}{len(moved)} of {compared} figures differ from the baseline's by more "
        "than their intervals."
    )
    found = [Statement((head,))]
    for _, name, ratio in moved[:_MOST]:
        ends = f"{number(ratio.low, 3)} to {number(ratio.high, 3)}"
        found.append(Statement((Code(name), f": {number(ratio.value, 3)} times ({ends}).")))
    rest = [name for _, name, _ in moved[_MOST:]]
    return found + ([Statement((f"And {some(rest, 3)}.",))] if rest else [])


def _called(column: Column) -> str:
    return f"{column.series.name}: " if column.series.name else ""

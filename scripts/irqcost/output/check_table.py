# SPDX-License-Identifier: GPL-2.0-only
"""A check in words: the verdict and what to do, what else changed, then the results."""

import textwrap
from collections.abc import Sequence

from irqcost.base.safety.texts import plain
from irqcost.base import layout, verdicts
from irqcost.base.verdicts import Change
from irqcost.compare.checked import Checked, results, some
from irqcost.compare.regression import Judged

_LABELS = {
    Change.OK: "OK",
    Change.IMPROVEMENT: "OK",
    Change.INCONCLUSIVE: "UNDECIDED",
    Change.REGRESSION: "FAIL",
    Change.INCOMPARABLE: "ERROR",
}

# What the results of a verdict are called.
_GROUPS = {Change.REGRESSION: "Slower", Change.IMPROVEMENT: "Faster", Change.OK: "No slower"}

# Columns of numbers, and the least width of the names before them.
_HEADINGS = ("baseline", "new", "change", "±", "%")
_NAME = 20


def headline(checked: Checked) -> str:
    """The verdict and what to do, in one line."""
    label = _LABELS[checked.status]
    total = len(checked.judged)
    count = {status: len(checked.having(status)) for status in _LABELS}
    if checked.refused and not checked.against:
        why = checked.refused.partition(":")[0]
        return f"{label}: nothing checked: {why}. Measure a baseline: {layout.command()} run"
    if not total:
        return f"{label}: nothing checked. See the reason below."
    said = {
        Change.REGRESSION: f"{count[Change.REGRESSION]} of {results(total)} slower",
        Change.INCOMPARABLE: f"{count[Change.INCOMPARABLE]} of {results(total)} not comparable",
        Change.INCONCLUSIVE: f"{count[Change.INCONCLUSIVE]} of {results(total)} too noisy",
        Change.IMPROVEMENT: f"none of {results(total)} slower, {count[Change.IMPROVEMENT]} faster",
        Change.OK: f"none of {results(total)} slower",
    }
    words = said[checked.status]
    if checked.status == Change.INCOMPARABLE and count[Change.REGRESSION]:
        words += f", {count[Change.REGRESSION]} slower"
    return f"{label}: {words}. {_to_do(checked)}"


def _to_do(checked: Checked) -> str:
    if checked.status == Change.REGRESSION:
        return "Find the cause, or accept it: see below."
    if checked.status == Change.INCOMPARABLE:
        return "See the reasons below."
    if checked.status == Change.INCONCLUSIVE:
        return f"Re-run with --time {checked.time}." if checked.time else "See what helps below."
    return "Nothing to do."


def text(checked: Sequence[Checked], everything: bool, width: int, unread: int = 0) -> str:
    """All that was checked, the verdict first. `unread` files could not be."""
    blocks = ["\n".join(_block(one, everything, width)) for one in checked]
    if unread:
        files = "1 file" if unread == 1 else f"{unread} files"
        blocks.insert(0, f"ERROR: {files} could not be read. See the reasons above.")
    elif len(checked) > 1:
        label = _LABELS[verdicts.worst(one.status for one in checked)]
        names = [one.new.path.name for one in checked if _LABELS[one.status] == label]
        said = f"{label}: {len(names)} of {len(checked)} files: {some(names)}. See below."
        if label == _LABELS[Change.OK]:
            said = f"{label}: none of {len(checked)} files has slower results."
        blocks.insert(0, said)
    return "\n\n".join(blocks)


def _block(checked: Checked, everything: bool, width: int) -> list[str]:
    lines = _wrapped(headline(checked), width)
    if checked.against:
        lines += _wrapped(f"{checked.new.path} compared with {_against(checked)}.", width)
    else:
        lines += _wrapped(f"{checked.new.path} has no baseline to be compared with.", width)
    if checked.refused:
        lines += _wrapped(f"Reason: {checked.refused}", width)
    if checked.changed:
        lines += ["", "Changed since the baseline:"]
        for what, said in checked.changed.items():
            lines += _wrapped(f"{what}: {said}", width, "  ")
    for status in (Change.REGRESSION, Change.IMPROVEMENT, *((Change.OK,) if everything else ())):
        if found := checked.having(status):
            unit = "instructions" if found[0].exact else "core cycles"
            lines += ["", *_table(f"{_GROUPS[status]} ({unit})", found, width)]
    lines += _folded(checked, everything, width)
    again = [one.name for one in checked.having(Change.OK) if one.reason]
    if again:
        seen = f"Seemed slower at first, but not when measured again: {some(again)}."
        lines += ["", *_wrapped(seen, width)]
    if checked.notes:
        lines += [
            "",
            *(line for note in checked.notes for line in _wrapped(f"Note: {note}", width)),
        ]
    if checked.having(Change.REGRESSION):
        accept = f"To accept an intended slowdown, copy {checked.new.path} to the baseline."
        lines += ["", *_wrapped(accept, width)]
    return lines


def folded(checked: Checked, *statuses: Change) -> list[str]:
    """What has no verdict (of `statuses` only), once for each remedy or reason, as
    "3 results (names): remedy"."""
    return [
        f"{results(len(found))} ({some([one.name for one in found])}): {why}"
        for status in statuses or _NO_VERDICT
        for why, found in _by_help(checked, status).items()
    ]


_NO_VERDICT = {Change.INCOMPARABLE: "Not comparable", Change.INCONCLUSIVE: "Too noisy"}


def _folded(checked: Checked, everything: bool, width: int) -> list[str]:
    lines: list[str] = []
    for status, title in _NO_VERDICT.items():
        for why, found in _by_help(checked, status).items():
            names = some([one.name for one in found])
            lines += ["", *_wrapped(f"{title}: {results(len(found))} ({names}).", width)]
            lines += _wrapped(f"{why[:1].upper()}{why[1:]}.", width, "  ")
        if everything and status == Change.INCONCLUSIVE:
            for one in checked.having(status):
                lines += _wrapped(f"{one.name}: {one.reason}", width, "  ")
    return lines


def _by_help(checked: Checked, status: Change) -> dict[str, list[Judged]]:
    groups: dict[str, list[Judged]] = {}
    for one in checked.having(status):
        groups.setdefault(_help(checked, one), []).append(one)
    return groups


def _help(checked: Checked, one: Judged) -> str:
    """Why a result has no verdict, or what would give it one."""
    if one.longer is not None and checked.time:
        return f"re-run with --time {checked.time}"
    return one.remedy or one.reason


def _wrapped(words: str, width: int, indent: str = "") -> list[str]:
    """Lines of at most `width`; what has no blank (a path) stays whole, to be copied."""
    return textwrap.wrap(
        plain(words),
        width,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _against(checked: Checked) -> str:
    if not checked.against:
        return "no result"
    newest = checked.against[0]
    if len(checked.against) == 1:
        return str(newest)
    return f"the median of {len(checked.against)} results (newest: {newest.name})"


def _table(title: str, found: Sequence[Judged], width: int) -> list[str]:
    """A line a result; names that are too long have a line of their own above."""
    rows = [_numbers(one) for one in found]
    widths = [max(map(len, column)) for column in zip(_HEADINGS, *rows)]
    room = max(_NAME, width - sum(widths) - 2 * len(widths) - 2)
    names = [f"  {one.name}" for one in found]
    first = max(len(title), *(len(name) for name in names if len(name) <= room), 0)

    def line(name: str, cells: Sequence[str]) -> str:
        return f"{name:{first}}" + "".join(f"  {c:>{w}}" for c, w in zip(cells, widths))

    lines = [line(title, _HEADINGS)]
    for name, row in zip(names, rows):
        if len(name) > first:
            lines.append(name)
            name = ""
        lines.append(line(name, row))
    return lines


def _numbers(one: Judged) -> tuple[str, ...]:
    return (
        _number(one.baseline),
        _number(one.new),
        _number(one.difference, "+"),
        "" if one.exact else _number(one.noise),
        "-" if one.percent is None else f"{one.percent:+.1f}",
    )


def _number(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{round(value, 2) + 0.0:{sign}.2f}"

# SPDX-License-Identifier: GPL-2.0-only
"""What GitHub shows of a check: the summary of a job, and annotations."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from irqcost.base import verdicts
from irqcost.base.errors import IrqcostError
from irqcost.base.table import number
from irqcost.base.safety.texts import command_property, command_value, markdown as _cell
from irqcost.base.verdicts import Change
from irqcost.compare.checked import Checked, results, some
from irqcost.compare.regression import Judged
from irqcost.model import naming
from irqcost.output import check_table

# GitHub shows ten annotations of a kind in a step and drops the rest silently.
MOST = 10

# A step's summary may be 1 MiB; a larger one is refused whole.
_MOST_BYTES = 1 << 20
_MOST_ROWS = 200


def summary_file() -> Path:
    """The file that $GITHUB_STEP_SUMMARY names. Raises IrqcostError."""
    name = os.environ.get("GITHUB_STEP_SUMMARY", "")
    if not name:
        raise IrqcostError(
            "--github-summary: $GITHUB_STEP_SUMMARY is not set; this is not a GitHub job"
        )
    path = Path(name)
    if path.is_dir() or not path.parent.is_dir():
        raise IrqcostError(f"--github-summary: {name} cannot be written")
    return path


def append(path: Path, text: str) -> None:
    """Adds to what other commands of the step wrote: all of it, or nothing. Raises IrqcostError."""
    content = text.encode()
    try:
        with path.open("ab", buffering=0) as file:
            before = file.seek(0, os.SEEK_END)
            try:
                if file.write(content) != len(content):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError:
                file.truncate(before)
                raise
    except OSError as error:
        raise IrqcostError(
            f"--github-summary: {path}: cannot be written: {error.strerror}"
        ) from error


def summary(checked: Sequence[Checked]) -> str:
    """Markdown: for each result the verdict, what else changed, and a table."""
    parts = []
    rows = _MOST_ROWS
    for one in checked:
        parts += [
            f"### irqcost check: {_cell(check_table.headline(one))}",
            "",
            f"{_cell(naming.title(one.new.result.context))}  ",
            f"{_cell(one.new.path.name)}, compared with {results(len(one.against))}: "
            + (
                ", ".join(
                    f"{n} {w}"
                    for w, n in verdicts.counts(each.status for each in one.judged).items()
                )
                or "none"
            ),
            "",
        ]
        if one.refused:
            parts += [f"Reason: {_cell(one.refused)}", ""]
        if one.changed:
            parts += ["Changed since the baseline:", ""]
            parts += [f"- {_cell(what)}: {_cell(said)}" for what, said in one.changed.items()]
            parts.append("")
        shown = [result for result in one.judged if result.status in _TABLED]
        shown.sort(key=lambda result: -_ORDER.index(result.status))
        if shown and rows > 0:
            parts += _table(shown[:rows], one.new.result.context.instruction_clock)
            if len(shown) > rows:
                parts.append(f"\n… and {len(shown) - rows} more")
            rows -= len(shown)
            parts.append("")
        parts += [f"- {_cell(why)}" for why in check_table.folded(one)]
        parts += [f"- {_cell(note)}" for note in one.notes] + [""]
    text = "\n".join(parts)
    if len(text.encode()) >= _MOST_BYTES:
        words = ", ".join(one.status for one in checked[:100])
        return f"### irqcost check: {words}\n\nToo long for a summary: see the log.\n"
    return text


_ORDER = list(Change)
_TABLED = (Change.REGRESSION, Change.IMPROVEMENT)


def _table(shown: Sequence[Judged], exact: bool) -> list[str]:
    unit = "instructions" if exact else "core cycles"
    head = [f"| result, {unit} | baseline | new | change | verdict | why |"]
    return [*head, "|---|---:|---:|---:|---|---|", *map(_row, shown)]


def _row(one: Judged) -> str:
    change = "" if one.difference is None else f"{one.difference:+.2f}"
    if one.percent is not None:
        change += f" ({one.percent:+.1f} %)"
    figures = ("" if value is None else number(value, 2) for value in (one.baseline, one.new))
    return (
        "| " + " | ".join((_cell(one.name), *figures, change, one.status, _cell(one.reason))) + " |"
    )


def annotations(checked: Sequence[Checked]) -> list[str]:
    """Workflow commands, the worst first: one for each result that is slower, one for each reason
    or remedy that several results share. Where there are more than MOST, the last counts the
    rest."""
    found: list[tuple[str, str, str]] = []  # kind, title, message
    for one in checked:
        if one.refused:
            found.append(("error", "irqcost: nothing checked", one.refused))
        for why in check_table.folded(one, Change.INCOMPARABLE):
            found.append(("error", "irqcost: not comparable", why))
        changed = "; ".join(f"{what} {said}" for what, said in one.changed.items())
        since = f" (changed since the baseline: {changed})" if changed else ""
        for result in one.having(Change.REGRESSION):
            found.append(("error", f"irqcost: slower: {result.name}", result.reason + since))
        for why in check_table.folded(one, Change.INCONCLUSIVE):
            found.append(("warning", "irqcost: too noisy", why))
        if faster := [result.name for result in one.having(Change.IMPROVEMENT)]:
            found.append(("notice", "irqcost: faster", f"{results(len(faster))}: {some(faster)}"))
    # (A sort keeps the order of equals.)
    found.sort(key=lambda each: _KINDS.index(each[0]))
    lines = [_command(*each) for each in found]
    if len(lines) > MOST:
        rest = f"{len(lines) - (MOST - 1)} more: see the summary"
        lines[MOST - 1 :] = [_command(found[MOST - 1][0], "irqcost", rest)]
    return lines


_KINDS = ("error", "warning", "notice")


def _command(kind: str, title: str, message: str) -> str:
    return f"::{kind} title={command_property(title)}::{command_value(message)}"

# SPDX-License-Identifier: GPL-2.0-only
"""What GitHub shows of a check: the summary of a job, and annotations."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from irqcost.base import verdicts
from irqcost.base.errors import IrqcostError
from irqcost.base.table import number
from irqcost.base.safety.texts import command_property, command_value, markdown as _cell
from irqcost.base.verdicts import Change
from irqcost.compare.regression import Judged
from irqcost.model import naming

if TYPE_CHECKING:
    from irqcost.compare.checked import Checked

# GitHub shows ten annotations of a kind in a step; the rest is dropped without a word.
MOST = 10

# A step's summary may be 1 MiB; a larger one is refused whole.
_MOST_BYTES = 1 << 20
_MOST_ROWS = 200

_KINDS = {
    Change.INCOMPARABLE: "error",
    Change.REGRESSION: "error",
    Change.INCONCLUSIVE: "warning",
}


def summary_file() -> Path:
    """The file that $GITHUB_STEP_SUMMARY names. Raises IrqcostError."""
    name = os.environ.get("GITHUB_STEP_SUMMARY", "")
    if not name:
        raise IrqcostError("--github-summary: $GITHUB_STEP_SUMMARY is not set: no GitHub job")
    path = Path(name)
    if path.is_dir() or not path.parent.is_dir():
        raise IrqcostError(f"--github-summary: {name} is no file that can be written")
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


def summary(checked: Sequence["Checked"]) -> str:
    """Markdown: a heading and a table for each result."""
    parts = []
    rows = _MOST_ROWS
    for one in checked:
        parts += [
            f"### irqcost check: {one.status}",
            "",
            f"{_cell(naming.title(one.new.result.context))}  ",
            f"{_cell(one.new.path.name)}, against {_count(len(one.against), 'result')}: "
            + ", ".join(
                f"{n} {status}"
                for status, n in verdicts.counts(each.status for each in one.judged).items()
            ),
            "",
        ]
        shown = [figure for figure in one.judged if figure.status != Change.OK or figure.reason]
        shown.sort(key=lambda figure: -list(Change).index(figure.status))
        if shown and rows > 0:
            unit = "instructions" if one.new.result.context.instruction_clock else "core cycles"
            parts.append(f"| figure, {unit} | baseline | new | change | verdict | why |")
            parts.append("|---|---:|---:|---:|---|---|")
            parts += map(_row, shown[:rows])
            if len(shown) > rows:
                parts.append(f"\n… and {len(shown) - rows} more")
            rows -= len(shown)
            parts.append("")
        parts += [f"- {_cell(note)}" for note in one.notes] + [""]
    text = "\n".join(parts)
    if len(text.encode()) >= _MOST_BYTES:
        statuses = ", ".join(one.status for one in checked[:100])
        return f"### irqcost check: {statuses}\n\nToo much for a summary: see the log.\n"
    return text


def _count(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _row(one: Judged) -> str:
    change = "" if one.difference is None else f"{one.difference:+.2f}"
    if one.percent is not None:
        change += f" ({one.percent:+.1f} %)"
    figures = ("" if value is None else number(value, 2) for value in (one.baseline, one.new))
    return (
        "| " + " | ".join((_cell(one.name), *figures, change, one.status, _cell(one.reason))) + " |"
    )


def annotations(checked: Sequence["Checked"]) -> list[str]:
    """Workflow commands, the worst first; where there are more than MOST, the last one counts the
    rest."""
    found = [(figure, one) for one in checked for figure in one.judged if figure.status in _KINDS]
    found.sort(key=lambda pair: -list(Change).index(pair[0].status))
    lines = [
        _command(_KINDS[figure.status], f"irqcost: {figure.status}: {figure.name}", figure.reason)
        for figure, _ in found
    ]
    if len(lines) > MOST:
        rest = len(lines) - (MOST - 1)
        kind = _KINDS[found[MOST - 1][0].status]
        lines[MOST - 1 :] = [_command(kind, "irqcost", f"{rest} more figures: see the summary")]
    return lines


def _command(kind: str, title: str, message: str) -> str:
    return f"::{kind} title={command_property(title)}::{command_value(message)}"

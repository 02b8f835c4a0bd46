# SPDX-License-Identifier: GPL-2.0-only
"""A check, as a table with reasons."""

from collections.abc import Sequence

from irqcost.base.table import Table
from irqcost.base.safety.texts import plain
from irqcost.base.verdicts import Change
from irqcost.compare.checked import Checked, outcome, some
from irqcost.compare.regression import Judged


# In words


def text(checked: Checked, everything: bool) -> str:
    """The table of what is not ok (or of everything), reasons, and the outcome."""
    shown = [one for one in checked.judged if everything or one.status != Change.OK or one.reason]
    parts = [f"{plain(checked.new.path)} against {_against(checked)}"]
    if shown and any(one.difference is not None for one in shown):
        parts += ["", str(_table(shown, checked.new.result.context.instruction_clock)), ""]
    told: dict[str, list[str]] = {}
    for one in shown:
        if one.reason:
            told.setdefault(f"{one.status}: {one.reason}", []).append(one.name)
    parts += [f"{some(names)}: {why}" for why, names in told.items()]
    parts += [f"note: {note}" for note in checked.notes]
    parts += ["", f"check: {outcome(checked)}"]
    return "\n".join(parts)


def _against(checked: Checked) -> str:
    if len(checked.against) == 1:
        return str(checked.against[0])
    return f"the median of {len(checked.against)} results" if checked.against else "nothing"


def _table(shown: Sequence[Judged], exact: bool) -> Table:
    unit = "instructions" if exact else "core cycles"
    columns = (f"figure ({unit})", "baseline", "new", "change", "%", "from", "to", "matters")
    table = Table((*columns, "verdict"), "<>>>>>>><")
    for one in shown:
        table.row(
            one.name,
            _number(one.baseline),
            _number(one.new),
            _number(one.difference, "+"),
            "-" if one.percent is None else f"{one.percent:+.1f}",
            _number(one.low, "+"),
            _number(one.high, "+"),
            _number(one.limit),
            one.status,
        )
    return table


def _number(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{round(value, 2) + 0.0:{sign}.2f}"

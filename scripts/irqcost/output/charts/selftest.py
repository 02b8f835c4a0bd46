# SPDX-License-Identifier: GPL-2.0-only
"""Does irqcost find a slowdown of known size? Each trial of a self-test by the difference that it
saw."""

from collections.abc import Mapping, Sequence
from typing import Any

from irqcost.output.charts.output_files import OutputFile, Theme
from irqcost.output.charts.parts.sheet import SMALL, TEXT, Sheet, Words, width
from irqcost.output.charts.parts.style import save
from irqcost.stats import intervals

_ROW, _AXIS = 0.62, 0.42  # inches
_NAME = 0.24  # of a row, above its trials
# Trials centre on another difference where their median is off by more than they spread.
_OFF = 2


def draw(record: Mapping[str, Any], outputs: Sequence[OutputFile]) -> None:
    """Draws a record of docs/SELFTEST.md into the files of output_files.made()."""
    save(lambda theme: figure(record, theme), outputs)


def figure(record: Mapping[str, Any], theme: Theme) -> Any:
    """The picture."""
    kinds = record["trials"]["kinds"]
    where = f"{record['cpu'].get('codename') or record['cpu']['brand']}, Linux {record['kernel']}, "
    where += f"{record['execution']}, {record['date'][:10]}."
    words = Words(
        _title(kinds),
        "Difference that each trial saw, core cycles; black lines: what was added, dashed: the "
        "least difference that counts",
        f"{where} A trial: the median over {record['trials']['processes']} processes in which "
        f"plain and slowed take turns.{_off(kinds)}",
    )
    sheet = Sheet(theme, words)
    made = sheet.open(_ROW * len(kinds) + _AXIS)
    seen = [value for kind in kinds for value in _seen(kind)] or [0.0]
    ends = [*seen, *(float(kind["added"]) for kind in kinds), float(record["trials"]["threshold"])]
    room = 0.04 * (max(ends) - min(ends)) or 1.0
    tall = _ROW * len(kinds)
    axes = sheet.axes(sheet.left + 0.1, 0, sheet.right - sheet.left - 0.2, tall)
    axes.set_xlim(min(ends) - room, max(ends) + room)
    axes.set_ylim(tall, 0)
    for number, kind in enumerate(kinds):
        _row(sheet, axes, number, kind)
    how = {"color": theme.muted, "linestyle": "--", "linewidth": 0.8, "zorder": 0.5}
    threshold = record["trials"]["threshold"]
    spans = [(n * _ROW + _NAME, (n + 1) * _ROW - 0.06) for n in range(len(kinds))]
    axes.vlines([threshold] * len(spans), *zip(*spans), **how)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.tick_params(labelsize=SMALL, length=2)
    axes.set_xlabel("core cycles", fontsize=SMALL, labelpad=2)
    return made


def _seen(kind: Mapping[str, Any]) -> list[float]:
    return [value for value in kind["differences"] if value is not None]


def _row(sheet: Sheet, axes: Any, number: int, kind: Mapping[str, Any]) -> None:
    """Trials as strokes where they saw what they saw."""
    top = number * _ROW
    added, trials = kind["added"], kind["trials"]
    name = f"{added:g} cycles added" if added else "nothing added"
    said = (
        f"{kind['found']} of {trials} found"
        if added
        else f"{kind['false']} false alarms of {trials}"
    )
    sheet.text(sheet.left, top + _NAME / 2, name, weight="bold")
    sheet.text(sheet.left + width(name, TEXT, "bold") + 0.15, top + _NAME / 2, said)
    seen, theme = _seen(kind), sheet.theme
    low, high = top + _NAME, top + _ROW - 0.06
    axes.vlines(seen, low + 0.06, high - 0.06, color=theme.colour(0), linewidth=0.8, alpha=0.6)
    axes.vlines([added], low, high, color=theme.ink, linewidth=1.4)


def _title(kinds: Sequence[Mapping[str, Any]]) -> str:
    """The least slowdown that is found nearly always, and false alarms."""
    none = [kind for kind in kinds if not kind["added"]]
    alarms = sum(kind["false"] for kind in none)
    of = sum(kind["trials"] for kind in none)
    sure = [k for k in kinds if k["added"] and k["trials"] and k["found"] >= 0.95 * k["trials"]]
    end = f"{alarms} false alarms in {of} trials"
    if not sure:
        return f"No slowdown was found reliably; {end}"
    least = min(sure, key=lambda kind: float(kind["added"]))
    return (
        f"A slowdown of {least['added']:g} cycles was found in {least['found']} of "
        f"{least['trials']} trials; {end}"
    )


def _off(kinds: Sequence[Mapping[str, Any]]) -> str:
    """Trials that agree on another difference than was to be added."""
    found = []
    for kind in kinds:
        seen = sorted(_seen(kind))
        if len(seen) < 10:
            continue
        middle = intervals.median(seen)
        spread = seen[len(seen) * 3 // 4] - seen[len(seen) // 4]
        if abs(middle - kind["added"]) > _OFF * spread:
            found.append(f"{kind['added']:g} read {middle:.2f}")
    if not found:
        return ""
    return f" {', '.join(found)} in all trials: no noise, but why it is off is not known."

# SPDX-License-Identifier: GPL-2.0-only
"""What do save and restore cost, the classic and the modern way? A line for each CPU.

Published figures are hollow marks beside ours where they are of the same primitive, in the
same mode and unit, and never beside results that are not real.
"""

import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from irqcost.base.errors import NoChart
from irqcost.model.published import Published
from irqcost.model import published
from irqcost.output.charts import Inputs
from irqcost.output.charts.parts import rows
from irqcost.output.charts.parts.chosen import Chosen, chosen
from irqcost.output.charts.output_files import Theme
from irqcost.output.charts.parts.rows import Mark, Panel, Row, Table
from irqcost.output.charts.parts.sheet import Key, Words
from irqcost.output.charts.parts.style import amount

# In user mode: the classic pair without its cli, which sources have published for every CPU.
_FLAGS = "ring3/pushf_popf/throughput"
_PUBLISHED = "pushf_popf"
# In ring 0: what is measured by the module, else in a guest.
_CLASSIC = tuple(f"{backend}/save_cli_popf/throughput" for backend in ("kmod", "kvm"))
_MODERN = tuple(f"{backend}/save_cli_test_sti/throughput" for backend in ("kmod", "kvm"))
# The kernel's own function without the calls from BPF, an estimate.
_KERNEL = "bpf/irq_save_restore/alone"

# Of generations that are older nobody asks which CPU to take; their chart is `generations`.
_SINCE = 2013


def figure(inputs: Inputs, theme: Theme) -> Any:
    """The picture. Raises NoChart where none of these was measured."""
    return rows.draw(*_laid_out(inputs, theme), theme)


def pages(inputs: Inputs, theme: Theme) -> list[Callable[[], Any]]:
    """All rows. Raises NoChart as figure() does."""
    return rows.pages(*_laid_out(inputs, theme), theme)


def _laid_out(inputs: Inputs, theme: Theme) -> tuple[Words, Table]:
    which = chosen(inputs.series, "cycles")
    ring0 = [row for place in range(len(which.series)) if (row := _ring0(which, place, theme))]
    flags = [
        row for place in range(len(which.series)) if (row := _ring3(which, place, inputs, theme))
    ]
    if not ring0 and not flags:
        raise NoChart("no chart: no pair that saves and restores was measured in core cycles")
    others = list(_others(which, inputs.published, theme)) if flags else []
    panels = [
        Panel("Save, mask and restore interrupts (ring 0)", _sorted(ring0)),
        Panel("Save and restore the flags (pushf; popf) in user mode", _sorted(flags + others)),
    ]
    source = which.source
    if any(len(row.marks) > 1 for row in flags) or others:
        source += " Published: median of measurements, repeated back to back (results/published/)."
    words = Words(
        which.titled(_title(which, ring0 + flags)),
        "Core cycles of one pair, repeated back to back, loop subtracted",
        source,
        _keys(panels, theme),
    )
    return words, Table([one for one in panels if one.rows], "core cycles")


def _sorted(found: Sequence[Row]) -> list[Row]:
    return sorted(found, key=lambda row: row.cost)


def _ring0(which: Chosen, place: int, theme: Theme) -> Row | None:
    """What masks there must be the CPU."""
    context = which.series[place].result.context
    marks, said = [], []
    for words, names, colour in (("classic", _CLASSIC, 0), ("modern", _MODERN, 1)):
        mark = _mark(which, place, names, theme.colour(colour))
        if mark:
            marks.append(mark)
            said.append(f"{words} {which.said(mark.value, mark.unreliable)}")
    for one in context.derived:
        if one.name == _KERNEL and context.masking.native("bpf", "irq_save_restore"):
            told = f"{one.name}: {amount(one.cycles)} core cycles, derived as {one.formula}"
            marks.append(Mark(one.cycles, one.low, one.high, theme.colour(2), "s", told=told))
            said.append(f"kernel's own {amount(one.low)} to {amount(one.high)}")
    if not marks:
        return None
    return Row(which.names[place], marks, [", ".join(said)], bold=True)


def _ring3(which: Chosen, place: int, inputs: Inputs, theme: Theme) -> Row | None:
    mark = _mark(which, place, (_FLAGS,), theme.colour(0))
    if mark is None:
        return None
    marks, said = [mark], which.said(mark.value, mark.unreliable)
    result = which.series[place].result
    if result.context.kind == "real":
        like = [one for one in _measured(inputs.published) if published.same_core(one, result)]
        if like:
            marks.append(_hollow(like, theme))
            said += f" (published {amount(marks[1].value)})"
    return Row(which.names[place], marks, [said], bold=True)


def _mark(which: Chosen, place: int, names: Sequence[str], colour: str) -> Mark | None:
    """Of the first that was measured, natively."""
    result = which.series[place].result
    for name in names:
        backend, probe, _ = name.split("/")
        entry = result.figures.get(name)
        cost = which.cost(place, entry)
        if entry and cost and result.context.masking.native(backend, probe):
            told = f"irqcost, {name}: {which.said(cost.value)} core cycles; "
            told += which.series[place].title
            return Mark(
                cost.value, cost.low, cost.high, colour, unreliable=entry.unreliable, told=told
            )
    return None


def _others(which: Chosen, figures: Sequence[Published], theme: Theme) -> Iterable[Row]:
    """Recent microarchitectures that none of the results is of; the newest stay where there is no
    room for all."""
    if which.series[0].result.context.kind != "real":
        return
    cores: dict[str, list[Published]] = {}
    for one in _measured(figures):
        mine = any(published.same_core(one, series.result) for series in which.series)
        if not mine and one.year is not None and one.year >= _SINCE:
            cores.setdefault(one.microarchitecture, []).append(one)
    for core, like in cores.items():
        mark = _hollow(like, theme)
        year = max(one.year or 0 for one in like)
        yield Row(core, [mark], [amount(mark.value)], rank=3000 - year)


def _measured(figures: Sequence[Published]) -> list[Published]:
    """Measurements of the pair, repeated back to back, in core cycles: nothing else is like our
    throughput."""
    like = (_PUBLISHED, "throughput", "core_cycles", "measured")
    return [
        one
        for one in figures
        if (one.primitive, one.mode, one.unit, one.kind) == like and not one.suspect
    ]


def _hollow(like: Sequence[Published], theme: Theme) -> Mark:
    values = [one.value for one in like]
    sources = dict.fromkeys(one.source for one in like)
    told = f"{like[0].vendor} {like[0].microarchitecture}: median of {len(values)} published "
    told += f"figures; {'; '.join(sources)}"
    ends = (min(values), max(values))
    return Mark(statistics.median(values), *ends, theme.muted, "D", hollow=True, told=told)


def _title(which: Chosen, rows: Iterable[Row]) -> str:
    """Modern against classic where both were measured, else from CPU to CPU."""
    for place, one in enumerate(which.series):
        pair = [_mark(which, place, names, "") for names in (_CLASSIC, _MODERN)]
        if pair[0] and pair[1] and not pair[0].unreliable and not pair[1].unreliable:
            classic, modern = (which.said(mark.value) for mark in pair if mark)
            return (
                f"Restoring interrupts with test and sti in place of popf: {modern} cycles "
                f"against {classic} on {which.names[place]}"
            )
    found = [
        (mark.value, place)
        for place in range(len(which.series))
        if (mark := _mark(which, place, (_FLAGS,), "")) and not mark.unreliable
    ]
    if not found:
        marks = [mark for row in rows for mark in row.marks if not mark.hollow]
        if all(mark.unreliable for mark in marks):
            return "Unreliable: no cost of save and restore can be trusted"
        return "What saving, masking and restoring interrupts costs"
    (low, cheap), (high, expensive) = min(found), max(found)
    text = f"Saving and restoring the flags costs {which.said(low)} cycles on {which.names[cheap]}"
    if which.said(low) == which.said(high):
        return text
    return f"{text} and {which.said(high)} on {which.names[expensive]}"


def _keys(panels: Sequence[Panel], theme: Theme) -> list[Key]:
    marks = [mark for panel in panels for row in panel.rows for mark in row.marks]
    keys = (
        Key("classic: restored by popf", theme.colour(0)),
        Key("modern: restored by test and sti", theme.colour(1)),
        Key("kernel's own, without the calls (estimated)", theme.colour(2), "s"),
        Key("published", theme.muted, "D", hollow=True),
    )
    return [key for key in keys if any(mark.colour == key.colour for mark in marks)]

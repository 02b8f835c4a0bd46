# SPDX-License-Identifier: GPL-2.0-only
"""What does masking add to real work? Back to back, and around critical sections of some length."""

from collections.abc import Callable, Iterable
from typing import Any

from irqcost.base.errors import NoChart
from irqcost.model import naming
from irqcost.model.result import Entry
from irqcost.output import finding
from irqcost.output.charts import Inputs
from irqcost.output.charts.parts import rows
from irqcost.output.charts.parts.chosen import COLOURED, Chosen, chosen, label
from irqcost.output.charts.output_files import Theme
from irqcost.output.charts.parts.rows import Panel, Table
from irqcost.output.charts.parts.sheet import Words

# What is shown of many: pairs that save and restore, what says most about the kernel first.
_PAIRS = (
    "kmod/local_irq_save_restore",
    "kmod/save_cli_popf",
    "kmod/save_cli_test_sti",
    "kvm/save_cli_popf",
    "kvm/save_cli_test_sti",
    "ring3/pushf_pop_push_popf",
    "ring3/pushf_popf",
)
_MOST = 3

_SAME = "Around work, no reliable difference from the cost back to back"
_NO_CONTRAST = "No reliable difference between these results around work"
_PLAIN = "What a pair adds to a critical section"


def figure(inputs: Inputs, theme: Theme) -> Any:
    """The picture. Raises NoChart where nothing was measured around work."""
    return rows.draw(*_laid_out(inputs, theme), theme)


def pages(inputs: Inputs, theme: Theme) -> list[Callable[[], Any]]:
    """All rows. Raises NoChart as figure() does."""
    return rows.pages(*_laid_out(inputs, theme), theme)


def _laid_out(inputs: Inputs, theme: Theme) -> tuple[Words, Table]:
    which = chosen(inputs.series, inputs.unit)
    panels = [panel for name in _names(which) if (panel := _panel(which, name, theme)).rows]
    if not panels:
        raise NoChart("no chart: nothing was measured around a critical section (mode in_situ)")
    each = ""
    if len(which.series) > COLOURED:
        each = f". A dot for each of {len(which.series)} CPUs"
    words = Words(
        which.titled(_title(which)),
        f"{which.called.capitalize()} that a pair adds to a critical section of so much work, "
        f"beside what it costs in a loop of nothing else{each}",
        which.source,
        which.keys(theme),
    )
    table = Table(panels[:_MOST], which.called, which.headings, which.colours(theme), linear=True)
    return words, table


def _names(which: Chosen) -> Iterable[str]:
    """Pairs of the list, else whatever was measured around work; never one whose results mask in
    different ways."""
    found = {
        f"{entry.backend}/{entry.probe}": None
        for one in which.series
        for entry in one.result.figures.values()
        if entry.mode == "in_situ"
    }
    return [name for name in _PAIRS if name in found] or found


def _lengths(which: Chosen, name: str) -> dict[str, dict[int, Entry]]:
    """A pair's entries by the length of the section, and back to back; where the CPU masks."""
    backend, probe = name.split("/")
    lengths: dict[str, dict[int, Entry]] = {}
    for place, one in enumerate(which.series):
        if not one.result.context.masking.native(backend, probe):
            continue
        for entry in one.result.figures.values():
            if (entry.backend, entry.probe) != (backend, probe):
                continue
            if entry.mode == "throughput" or entry.mode == "in_situ" and entry.variant.isdigit():
                lengths.setdefault(entry.variant, {})[place] = entry
    return lengths


def _panel(which: Chosen, name: str, theme: Theme) -> Panel:
    """In the order of the sections' lengths."""
    backend, probe = name.split("/")
    lengths = _lengths(which, name)
    if set(lengths) <= {""}:
        return Panel("", ())
    ordered = sorted(lengths, key=lambda length: int(length or -1))
    found = (
        which.row(_label(length), lengths[length], rank, theme)
        for rank, length in enumerate(ordered)
    )
    contexts = [one.result.context for one in which.series]
    heading = finding.capital(f"{label(probe)}: {naming.backend_name(backend, contexts)}")
    return Panel(heading, [row for row in found if row])


def _label(length: str) -> str:
    if not length:
        return "repeated back to back"
    return f"around {length} cycles of work" if int(length) else "around an empty section"


def _title(which: Chosen) -> str:
    if len(which.series) > COLOURED:
        return (
            which.contrast(
                {
                    f"{_label(length)}, {label(name.split('/')[1])} adds": entries
                    for name in _names(which)
                    for length, entries in _lengths(which, name).items()
                    if length
                }
            )
            or _NO_CONTRAST
        )
    shown = {name for name in _names(which) if set(_lengths(which, name)) > {""}}
    for one in finding.contrasts(which.series):
        if "/in_situ/" in one.low.name and one.low.name.partition("/in_situ/")[0] in shown:
            where = f" on {which.names[0]}" if len(which.series) == 1 else ""
            return f"{finding.capital(one.text)}{where}"
    if len(which.series) > 1:
        return _NO_CONTRAST
    result = which.series[0].result
    both = (finding.save_restore(result), finding.around_work(result))
    return _SAME if all(one and one.reliable for one in both) else _PLAIN

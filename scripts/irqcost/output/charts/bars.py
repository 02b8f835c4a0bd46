# SPDX-License-Identifier: GPL-2.0-only
"""What does each primitive cost? Sorted by cost; of one result as bars, of several as dots."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from irqcost.base.errors import NoChart
from irqcost.model import contention, naming
from irqcost.model.catalogue import Probe
from irqcost.model.machine_code import masking
from irqcost.model.result import Entry
from irqcost.output.charts import Inputs
from irqcost.output.charts.parts import rows
from irqcost.output.charts.parts.chosen import COLOURED, Chosen, chosen, label
from irqcost.output.charts.output_files import Theme
from irqcost.output.charts.parts.rows import Panel, Row, Table
from irqcost.output.charts.parts.sheet import Words
from irqcost.output import finding

# Groups of no interest where there is another.
_NO_COST = ("control", "fault")

_SUBTITLES = {
    "throughput": "repeated back to back, loop subtracted",
    "isolated": "once between fences, fences subtracted",
}

# A row: backend, probe, mode, variant, what masks in the kernel where that is not the CPU, and a
# number for results whose code for it cannot be compared with that of others.
_Key = tuple[str, str, str, str, str, int]


def figure(inputs: Inputs, theme: Theme) -> Any:
    """The picture. Raises NoChart where no probe of the catalogue was measured."""
    return rows.draw(*_laid_out(inputs, theme), theme)


def pages(inputs: Inputs, theme: Theme) -> list[Callable[[], Any]]:
    """All rows. Raises NoChart as figure() does."""
    return rows.pages(*_laid_out(inputs, theme), theme)


def _laid_out(inputs: Inputs, theme: Theme) -> tuple[Words, Table]:
    which = chosen(inputs.series, inputs.unit)
    found = _shown(which, {probe.key: probe.group for probe in inputs.probes})
    if not found:
        raise NoChart("no chart: none of the probes measured is in this catalogue")
    panels = {_panel(which, key): list[Row]() for key in found}
    ranks = _ranks(inputs.probes)
    for key, entries in found.items():
        row = which.row(_label(key), entries, ranks[key[1]], theme)
        if row:
            panels[_panel(which, key)].append(row)
    sorted_ = [
        Panel(heading, sorted(kept, key=lambda row: row.cost)) for heading, kept in panels.items()
    ]
    every = [entry for entries in found.values() for entry in entries.values()]
    words = Words(
        which.titled(_title(which, sorted_, found)),
        _subtitle(which, found),
        _source(which, every),
        which.keys(theme),
    )
    return words, Table(sorted_, which.called, which.headings, which.colours(theme))


def _ranks(probes: Sequence[Probe]) -> dict[str, int]:
    """Where there is no room for all, the first of each group of the catalogue are shown."""
    count = Counter[str]()
    found = {}
    for probe in probes:
        found[probe.key] = count[probe.group]
        count[probe.group] += 1
    return found


def _shown(which: Chosen, groups: Mapping[str, str]) -> dict[_Key, dict[int, Entry]]:
    """The rows, each with its entries by the places of their results."""
    found: dict[_Key, dict[int, Entry]] = {}
    for place, one in enumerate(which.series):
        context = one.result.context
        for entry in one.result.figures.values():
            if entry.probe in groups and entry.mode not in contention.MODES:
                kernel = naming.kernel_functions([context], entry.backend)
                name = (entry.backend, entry.probe, entry.mode, entry.variant, kernel)
                group = _alike(which, found, name, place)
                found.setdefault((*name, group), {})[place] = entry
    costs = {key: one for key, one in found.items() if groups[key[1]] not in _NO_COST} or found
    plain = {key: one for key, one in costs.items() if not key[3]} or costs
    # What can be repeated is shown repeated.
    return {
        key: one
        for key, one in plain.items()
        if key[2] != "isolated" or not any(k[:2] == key[:2] and k[2] != key[2] for k in plain)
    }


def _alike(
    which: Chosen,
    found: Mapping[_Key, Mapping[int, Entry]],
    name: tuple[str, str, str, str, str],
    place: int,
) -> int:
    """The number of the row whose results mask in the same way, or a new one."""
    mine = which.series[place].result.context.masking
    number = 0
    while (there := found.get((*name, number))) is not None:
        first = which.series[next(iter(there))].result.context.masking
        if not masking.not_comparable(first, mine, name[0], name[1]):
            break
        number += 1
    return number


def _panel(which: Chosen, key: _Key) -> str:
    if key[4]:
        return key[4][:1].upper() + key[4][1:]
    # Rows of kernels that mask in another way have a panel of their own.
    contexts = [one.result.context for one in which.series]
    native = [one for one in contexts if not naming.kernel_functions([one], key[0])]
    words = naming.backend_name(key[0], native or contexts)
    return words[:1].upper() + words[1:]


def _label(key: _Key) -> str:
    _, probe, mode, variant, _, _ = key
    if mode == "in_situ":
        return f"{label(probe)}, around {variant} cycles" if variant.isdigit() else label(probe)
    if variant:
        return f"{label(probe)}, in context {variant}"
    return f"{label(probe)} (once)" if mode == "isolated" else label(probe)


def _title(
    which: Chosen, panels: Sequence[Panel], found: Mapping[_Key, Mapping[int, Entry]]
) -> str:
    """Of several results how they differ most, of one what restoring costs beside saving, or the
    most expensive row."""
    if len(which.series) > COLOURED:
        said = which.contrast({_label(key): entries for key, entries in found.items()})
        return said or "No reliable difference between these results"
    if len(which.series) > 1:
        contrasts = finding.contrasts(which.series)
        shown = {"/".join(filter(None, key[:4])) for key in found}
        texts = [one.text for one in contrasts if one.low.name in shown]
        said = which.contrast({_label(key): entries for key, entries in found.items()})
        said = finding.capital(texts[0]) if texts else said
        return said or "No reliable difference between these results"
    both = _parts(which)
    if both:
        read, write = both
        return (
            f"Restoring the flags costs {which.said(write / read)} times as much as saving them on "
            f"{which.names[0]}: {which.said(write)} against {which.said(read)} {which.called}"
        )
    sound = [
        row for panel in panels for row in panel.rows if not any(m.unreliable for m in row.marks)
    ]
    if not sound:
        return f"Unreliable run: no result can be trusted ({which.names[0]})"
    masked = finding.save_restore(which.series[0].result)
    if masked and masked.reliable:
        backend, probe = masked.name.split("/")[:2]
        kernel = naming.kernel_functions([which.series[0].result.context], backend, probe)
        how = f" ({kernel})" if kernel else ""
        act = finding.capital(finding.ACTS[probe])
        return f"{act} costs {masked.text} on {which.names[0]}{how}"
    most = max(sound, key=lambda row: row.cost)
    return f"{most.label} costs {which.said(most.cost)} {which.called} on {which.names[0]}"


def _parts(which: Chosen) -> tuple[float, float] | None:
    """What saving and restoring the flags costs; None where one of them is unreliable."""
    figures = which.series[0].result.figures
    found = []
    for probe in ("pushf_pop", "popf"):
        entry = figures.get(f"ring3/{probe}/throughput")
        cost = which.cost(0, entry)
        if entry is None or entry.unreliable or cost is None or cost.value <= 0:
            return None
        found.append(cost.value)
    return found[0], found[1]


def _subtitle(which: Chosen, found: Mapping[_Key, Mapping[int, Entry]]) -> str:
    modes = dict.fromkeys(key[2] for key in found)
    text = f"{which.called[:1].upper()}{which.called[1:]} per operation"
    if which.exact:
        return f"{text}, counted"
    if "throughput" in modes:
        text += f", {_SUBTITLES['throughput']}"
        if "isolated" in modes:
            text += "; (once): measured once, as it changes the interrupt flag"
    elif "isolated" in modes:
        text += f", {_SUBTITLES['isolated']}"
    else:
        text += " that it adds to a critical section"
    if len(which.series) == 1:
        text += f". {which.names[0]}"
    elif len(which.series) > COLOURED:
        text += f". A dot for each of {len(which.series)} CPUs"
    return text


def _source(which: Chosen, entries: Sequence[Entry]) -> str:
    parts = [which.source]
    if len(which.series) > 1:
        parts.append("A line joins the CPUs of a row.")
    elif any(entry.ticks_interval for entry in entries):
        parts.append("Lines: 95 % intervals over processes.")
    elif any(entry.spread > 0 for entry in entries):
        parts.append("Lines: spread of the samples.")
    return " ".join(parts)

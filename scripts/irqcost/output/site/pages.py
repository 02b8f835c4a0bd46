# SPDX-License-Identifier: GPL-2.0-only
"""What the pages of a site show beside the articles on CPUs: the overview, the table of all
results, and the page of a primitive. No table has results of two kinds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from irqcost.compare.comparison import Row
from irqcost.compare.columns import Column
from irqcost.model import naming, published
from irqcost.model.catalogue import Probe
from irqcost.model.published import Published
from irqcost.output import finding
from irqcost.output.page import table
from irqcost.output.page.article import Figures
from irqcost.output.page import data
from irqcost.output.page.data import COUNTED, EMULATED, Part
from irqcost.output.page.table import Field, Filter, Heading, Line, View

# What the overview has of each CPU, where it was measured: the benchmark, and what it is called.
_OVERVIEW = {
    "ring3/pushf_pop_push_popf/throughput": "save and restore flags",
    "ring3/pushf_pop_push_popf/in_situ/100": "the same around work",
    "ring3/popf/throughput": "popf",
    "kmod/local_irq_save_restore/throughput": "local_irq_save and restore",
    "kmod/save_cli_popf/throughput": "pushf, cli, popf",
    "kmod/save_cli_test_sti/throughput": "pushf, cli, test, sti",
    "kmod/spin_lock_irqsave/throughput": "spin_lock_irqsave",
    "bpf/irq_save_restore/throughput": "save and restore through BPF",
}

Links = Mapping[Path, str]  # to the page of a CPU, by the first file of its column


def overview(part: Part, links: Links) -> Figures:
    """A row for each CPU and kernel; of counts it is the kernel alone."""
    rows = {row.name: row for row in part.rows}
    names = [name for name in _OVERVIEW if name in rows]
    of_kernel = part.kind == COUNTED
    timed = part.kind not in (COUNTED, EMULATED)
    headings = [Heading("kernel" if of_kernel else "CPU")]
    headings += [Heading(_OVERVIEW[name], name, True) for name in names]
    headings += [Heading("reliable", "", True)] if timed else []
    headings += [] if of_kernel else [Heading("kernel")]
    lines = []
    for place, column in enumerate(part.columns):
        context = column.result.context
        fields = [table.shown(column, rows[name].cells[place][0]) for name in names]
        if timed:
            good, count = finding.reliable(column.result)
            fields.append(Field(f"{good} of {count}", good / count))
        fields += [] if of_kernel else [Field(context.kernel.release)]
        fields.append(Field(context.date[:10]))
        name = column.series.name if of_kernel else naming.short_name(context)
        lines.append(_line(column, name, (), fields, links))
    headings.append(Heading("measured"))
    return Figures(part.kind, part.heading, part.lead, View(headings, lines))


def _line(
    column: Column, name: str, texts: Sequence[str], fields: Sequence[Field], links: Links
) -> Line:
    """A row of a CPU, with the way to its page."""
    title, link = column.series.title, links.get(column.paths[0], "")
    words = {"words": " ".join((title, *texts))}
    unreliable = any(one.unreliable for one in fields)
    return Line(name, texts, fields, "", title, False, link, unreliable, data=words)


def everything(part: Part, links: Links, probes: Mapping[str, Probe]) -> Figures:
    """A row for each result of each CPU."""
    headings = [Heading("CPU"), Heading("primitive"), Heading("backend"), Heading("mode")]
    headings += [Heading(part.unit, "", True)]
    headings += [] if part.kind == COUNTED else [Heading("ns", "", True), Heading("status")]
    lines = []
    for row in part.rows:
        summary = probes[row.probe].summary if row.probe in probes else ""
        for column, cells in zip(part.columns, row.cells):
            if cells[0].figure is None:
                continue
            fields = [table.shown(column, cells[0])]
            if part.kind != COUNTED:
                fields.append(table.shown(column, cells[1]) if cells[1:] else Field("–"))
                fields.append(Field(cells[0].verdict or "–", None, (), cells[0].unreliable))
            backend, probe, mode = row.name.split("/", 2)
            line = _line(column, column.series.name, (probe, backend, mode), fields, links)
            words = table.data_of(row.name, f"{column.series.title} {summary}")
            control = row.probe in probes and probes[row.probe].group == "control"
            words |= {"cpu": column.series.name}
            lines.append(replace(line, data=words, control=control))
    lines.sort(key=lambda line: line.control)
    names = dict.fromkeys(column.series.name for column in part.columns)
    choice = {"cpu": Filter("CPU", {name: name for name in names})}
    return Figures(
        part.kind, part.heading, part.lead, View(headings, lines, choice | table.filters(part))
    )


def primitive(part: Part, probe: str, links: Links) -> Figures | None:
    """A row for each CPU and backend that measured a primitive, a column a mode."""
    rows: dict[str, dict[str, Row]] = {}
    for row in part.rows:
        if row.probe == probe:
            backend, _, mode = row.name.split("/", 2)
            rows.setdefault(backend, {})[mode] = row
    modes = list(dict.fromkeys(mode for one in rows.values() for mode in one))
    headings = [Heading("kernel" if part.kind == COUNTED else "CPU"), Heading("backend")]
    headings += [Heading(mode.replace("in_situ/", "around "), mode, True) for mode in modes]
    lines = [
        one
        for backend, by_mode in rows.items()
        for one in _lines_of(part, backend, [by_mode.get(mode) for mode in modes], links)
    ]
    if not lines:
        return None
    largest = max((line.fields[0].number or 0 for line in lines), default=0)
    if not largest:
        return Figures(part.kind, part.heading, part.lead, View(headings, lines))
    lines = [_with_bar(line, largest) for line in lines]
    lines.sort(key=lambda line: (line.fields[0].number is None, line.fields[0].number or 0))
    return Figures(part.kind, part.heading, part.lead, View(headings, lines))


def _with_bar(line: Line, largest: float) -> Line:
    first, *rest = line.fields
    share = max(0.0, (first.number or 0) / largest)
    return replace(line, fields=[replace(first, share=share), *rest])


def _lines_of(part: Part, backend: str, rows: Sequence[Row | None], links: Links) -> Iterable[Line]:
    for place, column in enumerate(part.columns):
        cells = [row.cells[place][0] if row else None for row in rows]
        if any(cell and cell.figure for cell in cells):
            fields = [table.shown(column, cell) if cell else Field("–") for cell in cells]
            yield _line(column, column.series.name, (backend,), fields, links)


# Of those that as many CPUs have, the first that has most to say about kernels.
_BACKENDS = ("kmod", "kvm", "ring3", "bpf")


def _reliable(part: Part, name: str) -> list[tuple[float, str, str, str]]:
    """Value, amount, unit and CPU of a benchmark's reliable results in the part's unit."""
    return [
        (cost.figure.value, cost.amount, cost.unit, column.series.name)
        for column in part.columns
        if (cost := finding.cost(column.result, name)) and cost.reliable and cost.unit == part.unit
    ]


def answer(part: Part, probe: str) -> str:
    """In a sentence from where to where the CPUs lie, back to back; "" where that says nothing."""
    by_backend = [_reliable(part, f"{one}/{probe}/throughput") for one in _BACKENDS]
    found = max(by_backend, key=len)
    if not found:
        return ""
    verb = "Takes" if part.kind == COUNTED else "Costs"
    (_, low, unit, cheap), (_, high, _, other) = min(found), max(found)
    if len(found) == 1 or low == high:
        return f"{verb} {low} {unit} on {cheap}."
    return f"{verb} from {low} {unit} on {cheap} to {high} on {other}."


def of_primitive(figures: Sequence[Published], probe: str) -> list[Published]:
    """What was published of a primitive."""
    return [one for one in figures if probe in published.PROBES.get(one.primitive, ())]


def headline(part: Part) -> str:
    """The most striking contrast between the CPUs."""
    found = finding.contrasts([column.series for column in part.columns])
    if found:
        return data.labelled(part.kind, found[0].text)
    return "What masking interrupts costs, by CPU and primitive"

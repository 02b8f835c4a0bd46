# SPDX-License-Identifier: GPL-2.0-only
"""Results parted by what their figures are: those of one part stand side by side, others never."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from irqcost.base.verdicts import Trust
from irqcost.compare import columns as columns_, comparison
from irqcost.compare.columns import Column
from irqcost.compare.comparison import Row
from irqcost.compare.labels import series
from irqcost.model import naming, units
from irqcost.model.machine_code import masking
from irqcost.model.result import Context

MEASURED = "measured"
COUNTED = "counted"
EMULATED = "emulated"
SIMULATED = "simulated"

_HEADINGS = {
    MEASURED: "What it costs",
    COUNTED: "How many instructions it is",
    EMULATED: "Emulated figures, no measure of a CPU",
    SIMULATED: "Simulated figures, no measure of a CPU",
}
_LEADS = {
    MEASURED: "A CPU itself ran these, no emulator. Core cycles are those of the core's own clock.",
    COUNTED: "Exact counts: an emulated CPU whose clock advances by one tick an instruction ran "
    "them. They say what a kernel executes, and nothing about time.",
    EMULATED: "An emulator ran these; they show that the suite works, and no cost.",
    SIMULATED: "A simulated machine made these: they show what irqcost would say on one like it.",
}


@dataclass(frozen=True)
class Part:
    """Columns of one kind with their rows; the first column is what ratios are to."""

    kind: str
    columns: Sequence[Column]
    rows: Sequence[Row]

    @property
    def heading(self) -> str:
        return _HEADINGS[self.kind]

    @property
    def lead(self) -> str:
        return _LEADS[self.kind]

    @property
    def unit(self) -> str:
        """What the figures are in, as it is written after a number."""
        names = units.names([column.result for column in self.columns], None)
        return names[0] if len(names) == 1 else "units"


@dataclass(frozen=True)
class Conditions:
    """A column's machine: by name what was so, and what is to be warned of."""

    letter: str
    title: str
    facts: Sequence[tuple[str, str]]
    warnings: Sequence[str]


def parts(read: Sequence[Column]) -> list[Part]:
    """The columns by kind, what was measured first."""
    found = []
    for kind in _HEADINGS:
        columns = [column for column in read if _kind(column.result.context) == kind]
        if any(column.result.entries for column in columns):
            named = _named(columns)
            found.append(Part(kind, named, comparison.rows(named, None)))
    return found


def _named(columns: Sequence[Column]) -> list[Column]:
    """The columns with names that tell those of one part from each other, and no more."""
    short = series([column.result for column in columns])
    return [
        replace(column, series=replace(column.series, name=one.name))
        for column, one in zip(columns, short)
    ]


def _kind(context: Context) -> str:
    if context.simulated:
        return SIMULATED
    if context.instruction_clock:
        return COUNTED
    return EMULATED if context.emulated else MEASURED


def conditions(part: Part) -> list[Conditions]:
    """Under which conditions each column was measured."""
    return [
        Conditions(
            columns_.letter(place),
            column.series.title,
            [(what, said) for what, said in _facts(column) if said],
            _warnings(part.columns[0], column),
        )
        for place, column in enumerate(part.columns)
    ]


def _facts(column: Column) -> list[tuple[str, str]]:
    context = column.result.context
    many = len(column.paths)
    mitigations = [
        f"{name}: {state}"
        for name, state in sorted(context.mitigations.items())
        if state != "Not affected"
    ]
    tsc = f"{context.tsc_khz / 1e6:.3f} GHz" if context.tsc_khz else ""
    if tsc and context.tsc_step:
        tsc += f", in steps of {context.tsc_step:g}"
    return [
        ("File", str(column.paths[0]) if many == 1 else f"{many} files, {column.paths[0]} first"),
        ("Measured on", context.date),
        (
            "Processes",
            f"{context.processes}, each figure the median over them" if context.processes else "",
        ),
        ("CPU", naming.cpu_name(context)),
        ("Brand", naming.brand(context)),
        ("Core", context.cpu.codename or ""),
        ("Microcode", context.cpu.microcode or ""),
        ("Kernel", " ".join(filter(None, (context.kernel.release, context.kernel.version)))),
        (
            "Preemption",
            "PREEMPT_RT" if context.kernel.realtime else context.kernel.preemption or "",
        ),
        ("Kernel command line", context.kernel.command_line or ""),
        ("Executed", f"{naming.execution(context)} ({context.execution_reason})"),
        ("Masking", _masking(context)),
        ("Confidential computing", ", ".join(context.cpu.confidential or ())),
        ("Governor", context.governor or ""),
        ("Boost", context.boost or ""),
        ("SMT", context.smt or ""),
        ("TSC", tsc),
        ("Mitigations", "; ".join(mitigations)),
        ("Clocks", "; ".join(f"{one.name}: {one.clock}" for one in context.backends if one.clock)),
        ("Command", " ".join(context.command)),
        ("irqcost", f"{context.version}, catalogue {context.catalogue_hash}"),
    ]


def _masking(context: Context) -> str:
    """What masks in the kernel, and by which sign."""
    found = context.masking
    return f"{masking.way(found.kind)}: {found.reason}" if found.kind else ""


def _warnings(base: Column, column: Column) -> list[str]:
    """What speaks against the figures, or against comparing them."""
    context = column.result.context
    found = []
    if context.reasons or context.verdict not in ("", Trust.GOOD):
        found = [f"Verdict: {context.outcome}", *context.reasons]
    found += [one for one in (naming.clock_doubt(context), naming.quota_doubt(context)) if one]
    if outer := naming.other_hypervisor(context):
        found.append(f"{outer}, which is not what this kernel runs on")
    found += [
        f"Backend {one.name} did not run: {one.reason}. What would help: {one.remedy}"
        for one in context.backends
        if not one.usable
    ]
    absent: dict[str, list[str]] = {}
    for one in context.absent:
        absent.setdefault(one.reason, []).append(one.name)
    found += [f"Not measured: {some(names)}: {reason}" for reason, names in absent.items()]
    if column is not base:
        differ = columns_.differences(base.result.context, context)
        told = ("execution", "CPU", "kernel", "core", "masking")
        found += [
            f"Differs from A in {what}: {how}" for what, how in differ.items() if what not in told
        ]
        other = comparison.differences(base, column)
        if other:
            names = dict.fromkeys(one.name for one in other)
            found.append(
                f"Other instructions than A measured under the same name: {some([*names])}"
            )
    return found


def some(names: Sequence[str], most: int = 5) -> str:
    """The first of many names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more

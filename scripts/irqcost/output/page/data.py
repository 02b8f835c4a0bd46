# SPDX-License-Identifier: GPL-2.0-only
"""Results by kind: those of one kind are shown side by side, those of two never."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from irqcost.base.verdicts import Trust
from irqcost.compare import columns as columns_, comparison
from irqcost.compare.columns import Column
from irqcost.compare.comparison import Row
from irqcost.compare.labels import series, short_names
from irqcost.model import naming, units
from irqcost.model.machine_code import masking
from irqcost.model.result import Context, Entry, Result
from irqcost.output import finding
from irqcost.output.page.words import some

REAL = "real"
PARAVIRTUAL = "paravirtual"
COUNTED = "counted"
SIMULATED = "simulated"
EMULATED = "emulated"

# By kind, in the order in which they are shown: the heading of the table, and what the kind is.
KINDS = {
    REAL: ("Measured on CPUs", "No emulator took part. Core cycles are of the core's own clock."),
    PARAVIRTUAL: (
        "Kernel functions that do not mask by the CPU's own instructions",
        "These kernels mask by calls of their hypervisor's code, or in a way that is not known. "
        "The results say what that costs, and nothing about the CPU's masking.",
    ),
    COUNTED: (
        "Instruction counts",
        "Exact counts on an emulated CPU: what a kernel executes, and nothing about time.",
    ),
    SIMULATED: (
        "Simulated machines",
        "A simulated machine made these results. They say nothing about any CPU.",
    ),
    EMULATED: ("Emulated CPUs", "An emulator made these results. They say nothing about any CPU."),
}


# What stands before a sentence about results that are not those of a CPU's own masking.
_LABELS = {
    PARAVIRTUAL: "Not shown to be the CPU's masking: ",
    SIMULATED: "Simulated: ",
    EMULATED: "Emulated: ",
}


def labelled(kind: str, text: str) -> str:
    """A headline about a part of this kind; `text` begins with a small letter."""
    return f"{_LABELS[kind]}{text}" if kind in _LABELS else finding.capital(text)


@dataclass(frozen=True)
class Part:
    """Columns of one kind with their rows."""

    kind: str
    columns: Sequence[Column]
    rows: Sequence[Row]

    @property
    def heading(self) -> str:
        return KINDS[self.kind][0]

    @property
    def lead(self) -> str:
        return KINDS[self.kind][1]

    @property
    def unit(self) -> str:
        """What the figures are in, as it is written after a number."""
        names = units.names([column.result for column in self.columns], None)
        return names[0] if len(names) == 1 else "units"


@dataclass(frozen=True)
class Conditions:
    """A column's machine: by name what was so, and what is to be warned of."""

    title: str
    facts: Sequence[tuple[str, str]]
    warnings: Sequence[str]


def parts(read: Sequence[Column]) -> list[Part]:
    """The columns by kind, in the order of KINDS. One of a paravirtual kernel is in two: what
    ring 3 measured is of the CPU, and what the kernel's functions cost is not."""
    found = []
    for kind in KINDS:
        columns = [one for column in read if (one := _of_kind(column, kind)).result.entries]
        if columns:
            named = _named(columns)
            found.append(Part(kind, named, comparison.rows(named, None)))
    return found


def _of_kind(column: Column, kind: str) -> Column:
    """The column with those of its results that are of a kind."""
    context = column.result.context
    entries = tuple(one for one in column.result.entries if kind_of(context, one) == kind)
    if len(entries) == len(column.result.entries):
        return column
    return replace(column, series=replace(column.series, result=Result(context, entries)))


def kind_of(context: Context, entry: Entry) -> str:
    """The kind of a result."""
    kind = kind_of_context(context)
    of_kernel = masking.of_kernel(entry.backend, entry.probe)
    return PARAVIRTUAL if kind == REAL and of_kernel and not context.masking.by_cpu else kind


def kind_of_context(context: Context) -> str:
    """The kind of what ring 3 measured."""
    if context.emulated:
        return COUNTED if context.instruction_clock else EMULATED
    return SIMULATED if context.simulated else REAL


def _named(columns: Sequence[Column]) -> list[Column]:
    """The columns with names that tell those of one part from each other, and no more."""
    names = short_names(series([column.result for column in columns]))
    return [
        replace(column, series=replace(column.series, name=name))
        for column, name in zip(columns, names)
    ]


def conditions(columns: Sequence[Column]) -> list[Conditions]:
    """Under which conditions each column was measured."""
    found = []
    for column in columns:
        kind = column.result.context.kind
        base = next(one for one in columns if one.result.context.kind == kind)
        facts = [(what, said) for what, said in _facts(column) if said]
        found.append(Conditions(column.series.title, facts, _warnings(base, column)))
    return found


def _facts(column: Column) -> list[tuple[str, str]]:
    context = column.result.context
    mitigations = [
        f"{name}: {state}"
        for name, state in sorted(context.mitigations.items())
        if state != "Not affected"
    ]
    tsc = f"{context.tsc_khz / 1e6:.3f} GHz" if context.tsc_khz else ""
    if tsc and context.tsc_step:
        tsc += f", in steps of {context.tsc_step:g}"
    return [
        ("Results", f"{len(column.paths)} files" if not column.single else ""),
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
    """What masks in the kernel, and how that is known."""
    found = context.masking
    return f"{masking.way(found.kind)}: {found.reason}" if found.kind else ""


def _warnings(base: Column, column: Column) -> list[str]:
    """What speaks against the figures, or against comparing them."""
    context = column.result.context
    found = []
    if context.reasons or context.verdict not in ("", Trust.GOOD):
        found = [f"Verdict: {context.outcome}", *context.reasons]
    found += [
        one for one in (naming.why_clock_unreliable(context), naming.quota_doubt(context)) if one
    ]
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
            f"Other {what} than {base.series.name}: {how}"
            for what, how in differ.items()
            if what not in told
        ]
        other = comparison.differences(base, column)
        if other:
            names = dict.fromkeys(one.name for one in other)
            found.append(
                f"Runs different code from {base.series.name} under the same name: {some([*names])}"
            )
    return found

# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost vm --matrix`: one table, kernel by probe, of exact numbers of instructions."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from irqcost.base.table import Table
from irqcost.model import catalogue
from irqcost.model.catalogue import Probe
from irqcost.vm.counts import Counts
from irqcost.vm.across import page
from irqcost.vm.architectures import X86
from irqcost.vm.initramfs import Command
from irqcost.vm.kernels import NAMES


@dataclass(frozen=True)
class Column:
    """A kernel as it boots, or with something switched on in it: @setup runs in the guest before
    the module is loaded. @cpu: QEMU's model of the CPU, "": the usual one. @parameters: further
    ones of the kernel."""

    kernel: str
    setup: tuple[Command, ...] = ()
    cpu: str = ""
    parameters: str = ""


_TRACEPOINTS_ON = "echo 1 >/sys/kernel/tracing/events/preemptirq/enable"

# Kernels with something switched on in them, or off.
SWITCHED: Mapping[str, Column] = {
    "pseudo-nmi-arm64-off": Column("pseudo-nmi-arm64", parameters="irqchip.gicv3_pseudo_nmi=0"),
    "tracepoints-on": Column("tracepoints", (Command("switch", ("sh", "-ec", _TRACEPOINTS_ON)),)),
}
# Other architectures' kernels on a CPU without the atomic instructions that later ones have.
OLDER_CPUS: Mapping[str, Column] = {
    f"{name}-{cpu}": Column(name, cpu=cpu)
    for name, cpu in (("6.1-arm64", "cortex-a72"), ("6.12-arm64", "cortex-a72"))
}
COLUMNS: Mapping[str, Column] = {
    **{name: Column(name) for name in NAMES},
    **OLDER_CPUS,
    **SWITCHED,
}

# What the table shows, and by default all that is measured for it.
FILTER = "^kmod/[a-z0-9_]+/(throughput|isolated)$"

_MARKDOWN_HEAD = """\
<!-- SPDX-License-Identifier: GPL-2.0-only -->
<!-- Generated: ./irqcost vm --matrix all --markdown docs/KERNELS.md -->
# Instructions by kernel

How many instructions one operation executes on each kernel, exactly: the module runs in a QEMU
guest under the instruction clock, where one tick is one instruction. These are counts, not times:
a count shows what a kernel release changed in a primitive, not what the primitive costs. The code
is what the kernel's headers compile to, patched at boot for QEMU's CPU model `qemu64`; nothing is
contended. `docs/PROBES.md` describes each probe.

A count with decimals is a mean: the copies of the code in a window did not all execute the same
number. “≈” marks a count that also differs from sample to sample, “–” a probe that the kernel
cannot run (the reasons are below). Kernels with the same counts share a column.

Kernels with `rt` are PREEMPT_RT, where `spin_lock` sleeps. Two are built from Debian's sources of
6.1 with the smallest configuration that boots (`bench_kmod/tests/guest.config`): `debug` adds
tracing of the interrupt flag, lock proving, KASAN and UBSAN; `clang` is built by clang with kCFI.
That configuration has no PARAVIRT, so `clang` does not execute the `nop`s that Debian's kernels
have beside each `cli` and `sti`: much of its difference from 6.1 is not the compiler's.
"""

_TRACEPOINTS = """\
`plain` has no tracepoints where interrupts and preemption are switched. `tracepoints` has them
(`CONFIG_IRQSOFF_TRACER`, `CONFIG_PREEMPT_TRACER`), switched off. In `tracepoints-on` tracefs has
all of `events/preemptirq` enabled. All three are built from Debian's newest source with
`guest.config` and nothing else.
"""

_BH_LOCK = """\
With `CONFIG_PREEMPT_RT_NEEDS_BH_LOCK`, sections with softirqs off take a lock on PREEMPT_RT, one
for each CPU, as they did in all PREEMPT_RT kernels before 6.18. `rt` has no such lock, `rt-bh-lock`
has it; otherwise they are the same.
"""


@dataclass(frozen=True)
class Toggle:
    """A setting that people argue about: the columns and the probes to show.

    @published: a last row, of what others report, and what to know about it.
    """

    heading: str
    introduction: str
    columns: tuple[str, ...]
    probes: tuple[str, ...]
    published: tuple[str, ...] = ()
    conclusion: str = ""


_TOGGLES = (
    Toggle(
        "Tracepoints of interrupts and preemption",
        _TRACEPOINTS,
        ("plain", "tracepoints", "tracepoints-on"),
        (
            "local_irq_disable_enable",
            "local_irq_save_restore",
            "raw_local_irq_save_restore",
            "preempt_disable_enable",
            "spin_lock_irqsave",
        ),
        ("published: `local_irq_disable_enable`", "19 ns", "27 ns", "175 ns"),
        """
The last row is from a patch series (linux-trace-kernel, “tracing/preemptirq”, version 3, on Linux
7.0.0): the mean time of `local_irq_disable(); local_irq_enable()` on one machine, with a call of
`ktime_get_ns()` around each pair. Those times include the clock, the same in all three columns, so
only the differences between columns are the tracepoints. The counts above show what is executed,
without a clock. (With the series, tracepoints that are switched off cost nothing: 19 ns again.)
""",
    ),
    Toggle(
        "PREEMPT_RT's lock of softirqs",
        _BH_LOCK,
        ("rt", "rt-bh-lock"),
        ("local_bh_disable_enable", "rcu_read_lock_bh", "spin_lock_bh", "raw_spin_lock_bh"),
    ),
)


def title(column: str, counts: Counts) -> str:
    """The kernel's release, without what Debian's all have; the column's own name where something
    is switched on in the kernel, and the CPU if it is not the usual one."""
    cpu = f" {counts.cpu}" if column in OLDER_CPUS else ""
    return column if column in SWITCHED else counts.release.removesuffix("-amd64") + cpu


def cell(counts: Counts, key: str) -> str:
    """A count, or "–" where there is none on this kernel.

    "≈" where samples differ; decimals where the copies of a body differ.
    """
    count = counts.counts.get(key)
    if count is None:
        return "–"
    return f"≈{count:.0f}" if key in counts.varying else f"{count:.2f}".removesuffix(".00")


def probes_shown(columns: Mapping[str, Counts], probes: Sequence[Probe]) -> list[Probe]:
    """Those that were counted on some kernel."""
    return [p for p in probes if any(p.key in one.counts for one in columns.values())]


def native(counts: Counts) -> bool:
    """Whether the kernel is of this machine's architecture, which has the harness."""
    return counts.architecture == X86.name


def reasons(columns: Mapping[str, Counts], probes: Sequence[Probe]) -> list[str]:
    """Why cells are empty: a line for each reason and the kernels on which it holds."""
    by_probe: dict[tuple[str, str], list[str]] = {}
    for name, counts in columns.items():
        for probe in probes:
            # Rows of instructions are an architecture's own.
            if probe.key not in counts.counts and (native(counts) or probe.kind == "call"):
                reason = counts.absent.get(probe.key, "counted before the probe was added")
                by_probe.setdefault((probe.key, reason), []).append(title(name, counts))
    alike: dict[tuple[str, str], list[str]] = {}
    for (key, reason), on in by_probe.items():
        alike.setdefault((", ".join(on), reason), []).append(f"`{key}`")
    return [f"{', '.join(keys)} ({on}): {reason}" for (on, reason), keys in alike.items()]


def text(columns: Mapping[str, Counts], probes: Sequence[Probe]) -> str:
    """The table for a terminal."""
    titles = [title(name, counts) for name, counts in columns.items()]
    table = Table(("instructions", *titles), "<" + ">" * len(columns))
    shown = probes_shown(columns, probes)
    for probe in shown:
        table.row(probe.key, *(cell(counts, probe.key) for counts in columns.values()))
    return "\n".join([str(table), *(f"– {reason}" for reason in reasons(columns, shown))])


def markdown(columns: Mapping[str, Counts], probes: Sequence[Probe]) -> str:
    """The whole of docs/KERNELS.md, but for where the module builds."""
    of_toggles = {name for toggle in _TOGGLES for name in toggle.columns}
    usual = {name: one for name, one in columns.items() if name not in of_toggles and native(one)}
    shown = probes_shown(usual, probes)
    merged = _merged(usual, shown)
    parts = [_MARKDOWN_HEAD]
    for group, heading in catalogue.GROUPS.items():
        members = [probe.key for probe in shown if probe.group == group]
        if members:
            parts.append(f"\n## {heading}\n\n{_group(merged, members)}")
    parts += [_toggle(toggle, columns) for toggle in _TOGGLES]
    parts.append(page.section(columns, probes, title))
    if notes := reasons(usual, shown):
        parts.append("\n## What is absent, and why\n\n" + "".join(map(_item, notes)))
    parts.append(f"\n## When it was counted\n\n{_dates(columns)}")
    return "".join(parts)


def _item(text: str) -> str:
    """An item of a list, in lines of 100 columns; names are not broken."""
    return textwrap.fill(f"- {text}", 100, subsequent_indent="  ", break_on_hyphens=False) + "\n"


def _merged(columns: Mapping[str, Counts], shown: Sequence[Probe]) -> dict[str, Counts]:
    """Columns by their heads, those with the same cells once, where the first of them stands."""
    heads: dict[tuple[str, ...], list[str]] = {}
    first: dict[tuple[str, ...], Counts] = {}
    for name, counts in columns.items():
        cells = tuple(cell(counts, probe.key) for probe in shown)
        heads.setdefault(cells, []).append(title(name, counts))
        first.setdefault(cells, counts)
    return {"<br>".join(heads[cells]): counts for cells, counts in first.items()}


def _group(columns: Mapping[str, Counts], keys: Sequence[str]) -> str:
    """The table of a group; probes that no kernel changes are in a sentence above it."""
    cells = {key: {cell(counts, key) for counts in columns.values()} for key in keys}
    same = [f"`{key}` {min(cells[key])}" for key in keys if len(cells[key]) == 1]
    parts = [textwrap.fill(f"The same on every kernel: {', '.join(same)}.", 100) + "\n"] * bool(
        same
    )
    differing = [key for key in keys if len(cells[key]) > 1]
    parts += [_table(columns, differing)] * bool(differing)
    return "\n".join(parts)


def _toggle(toggle: Toggle, columns: Mapping[str, Counts]) -> str:
    """The section of one setting; nothing where not all of its columns are at hand."""
    if not columns.keys() >= set(toggle.columns):
        return ""
    own = {title(name, columns[name]): columns[name] for name in toggle.columns}
    table = _table(own, toggle.probes)
    if toggle.published:
        table += f"| {' | '.join(toggle.published)} |\n"
    return f"\n## {toggle.heading}\n\n{toggle.introduction}\n{table}{toggle.conclusion}"


def _table(columns: Mapping[str, Counts], keys: Sequence[str]) -> str:
    lines = [f"| | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
    for key in keys:
        lines.append(f"| `{key}` | {' | '.join(cell(one, key) for one in columns.values())} |")
    return "\n".join([*lines, ""])


def _dates(columns: Mapping[str, Counts]) -> str:
    by_date: dict[str, list[str]] = {}
    for name, counts in columns.items():
        by_date.setdefault(counts.date, []).append(title(name, counts))
    return "".join(_item(f"{date}: {', '.join(by_date[date])}") for date in sorted(by_date))

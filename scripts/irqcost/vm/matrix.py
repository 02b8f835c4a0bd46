# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost vm --matrix`: one table, kernel by primitive, of exact numbers of instructions.

A column is a kernel as it boots, or with something switched on in it.

A cell is what one operation executes, back to back; for a row that changes the interrupt flag, and
so cannot be repeated, once between fences.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from irqcost.base.table import Table
from irqcost.model import catalogue
from irqcost.model.catalogue import Probe
from irqcost.model.result import Result
from irqcost.vm.initramfs import Command
from irqcost.vm.kernels import NAMES


@dataclass(frozen=True)
class Column:
    """@setup runs in the guest of @kernel before the module is loaded."""

    kernel: str
    setup: tuple[Command, ...] = ()


_TRACEPOINTS_ON = "echo 1 >/sys/kernel/tracing/events/preemptirq/enable"

# Kernels with something switched on in them.
SWITCHED: Mapping[str, Column] = {
    "tracepoints-on": Column("tracepoints", (Command("switch", ("sh", "-ec", _TRACEPOINTS_ON)),)),
}
COLUMNS: Mapping[str, Column] = {**{name: Column(name) for name in NAMES}, **SWITCHED}

# What the table shows, and by default all that is measured for it.
FILTER = "^kmod/[a-z0-9_]+/(throughput|isolated)$"

_MARKDOWN_HEAD = """\
<!-- SPDX-License-Identifier: GPL-2.0-only -->
<!-- Generated: ./irqcost vm --matrix all --markdown docs/KERNELS.md -->
# Instructions by kernel

How many instructions one operation executes on each kernel, exactly: the module in a QEMU guest
under the instruction clock, where one tick is one instruction. These are counts and no times: a
count tells what a kernel release did to a primitive, not what that costs. Code is as the kernel's
headers compile it, patched at boot for QEMU's CPU model `qemu64`; nothing is contended.
`docs/PROBES.md` says what each row is. A count with decimals is a mean: the copies of a body that
a window holds did not all execute the same. “≈”: it also differs from sample to sample.

Kernels with `rt` are PREEMPT_RT, where `spin_lock` sleeps. Some are built from Debian's sources on
the smallest configuration that boots (`bench_kmod/tests/guest.config`) and the one that their name
names: `debug` (6.1) with the tracing of the interrupt flag, lock proving, KASAN and UBSAN; `clang`
(6.1) by clang, with kCFI; the others, of the newest source, show what one setting changes.
"""

_TRACEPOINTS = """\
`plain` has no tracepoints where interrupts and preemption are switched; `tracepoints` has them, by
`CONFIG_IRQSOFF_TRACER` and `CONFIG_PREEMPT_TRACER`; in `tracepoints on` tracefs has all of
`events/preemptirq` enabled. A patch series for Linux 7.0 reports what
`local_irq_disable(); local_irq_enable()` takes on the same three, by ktime around each pair: 19, 27
and 175 ns on average (linux-trace-kernel, “tracing/preemptirq”, version 3). Those are times of one
machine, with the clock in them; these are instructions:
"""

_BH_LOCK = """\
`rt-bh-lock` has `CONFIG_PREEMPT_RT_NEEDS_BH_LOCK`: on PREEMPT_RT, sections with softirqs off take a
lock, one for each CPU, as all kernels with PREEMPT_RT did before 6.18. `rt` is the same without it.
"""


@dataclass(frozen=True)
class Toggle:
    """A setting that people argue about: the ends of the columns' titles, and the rows to show."""

    heading: str
    introduction: str
    titles: tuple[str, ...]
    rows: tuple[str, ...]


_TOGGLES = (
    Toggle(
        "Tracepoints of interrupts and preemption",
        _TRACEPOINTS,
        ("-plain", "-tracepoints", "-tracepoints on"),
        (
            "local_irq_disable_enable",
            "local_irq_save_restore",
            "raw_local_irq_save_restore",
            "preempt_disable_enable",
            "spin_lock_irqsave",
        ),
    ),
    Toggle(
        "PREEMPT_RT's lock of softirqs",
        _BH_LOCK,
        ("-rt", "-rt-bh-lock"),
        ("local_bh_disable_enable", "rcu_read_lock_bh", "spin_lock_bh", "raw_spin_lock_bh"),
    ),
)


def column_titles(results: Sequence[Result]) -> list[str]:
    """The kernels' releases, without what Debian's all have, and whether tracepoints were on."""
    kernels = [result.context.kernel for result in results]
    return [
        kernel.release.removesuffix("-amd64") + (" on" if kernel.tracepoints == "on" else "")
        for kernel in kernels
    ]


def cell(result: Result, probe: Probe) -> str:
    """A count, or "–" where the row was not measured on this kernel.

    "≈" where samples differ; decimals where the copies of a body differ.
    """
    for mode in ("throughput", "isolated"):
        entry = result.figures.get(f"kmod/{probe.key}/{mode}")
        if entry and entry.spread:
            return f"≈{entry.ticks:.0f}"
        if entry:
            return f"{entry.ticks:.2f}".removesuffix(".00")
    return "–"


def rows_shown(results: Sequence[Result], probes: Sequence[Probe]) -> list[Probe]:
    """The rows that cost something to mask by: no controls, and measured on some kernel."""
    return [
        probe
        for probe in probes
        if probe.group != "control" and any(cell(result, probe) != "–" for result in results)
    ]


def reasons(results: Sequence[Result], probes: Sequence[Probe]) -> list[str]:
    """Why cells are empty: a line for each row and reason, with the kernels."""
    found: dict[tuple[str, str], list[str]] = {}
    for title, result in zip(column_titles(results), results):
        for probe in probes:
            if cell(result, probe) != "–":
                continue
            said = {
                absent.reason
                for absent in result.context.absent
                if absent.name.startswith(f"kmod/{probe.key}/")
            }
            reason = "; ".join(sorted(said)) or "this result's catalogue does not have it"
            found.setdefault((probe.key, reason), []).append(title)
    return [f"`{key}` ({', '.join(on)}): {reason}" for (key, reason), on in found.items()]


def text(results: Sequence[Result], probes: Sequence[Probe]) -> str:
    """The table for a terminal."""
    table = Table(("instructions", *column_titles(results)), "<" + ">" * len(results))
    shown = rows_shown(results, probes)
    for probe in shown:
        table.row(probe.key, *(cell(result, probe) for result in results))
    lines = [str(table), *(f"– {reason}" for reason in reasons(results, shown))]
    return "\n".join(lines)


def _toggle(toggle: Toggle, results: Sequence[Result], probes: Sequence[Probe]) -> str:
    """The section of one setting; nothing where not all of its columns are at hand."""
    by_title = dict(zip(column_titles(results), results))
    # Of kernels from source alone: Debian's with PREEMPT_RT end alike.
    known = [
        [title for title in by_title if title.endswith(end) and title.count("-") == end.count("-")]
        for end in toggle.titles
    ]
    if not all(known):
        return ""
    titles = [ends[0] for ends in known]
    shown = {probe.key: probe for probe in probes}
    rows = {key: [by_title[title] for title in titles] for key in toggle.rows}
    lines = [f"\n## {toggle.heading}\n\n{toggle.introduction}\n", _head(titles)]
    lines += [_row(key, of_row, shown[key]) for key, of_row in rows.items()]
    return "".join(lines)


def _head(titles: Sequence[str]) -> str:
    return f"| | {' | '.join(titles)} |\n|---|" + "---:|" * len(titles) + "\n"


def _row(key: str, results: Sequence[Result], probe: Probe) -> str:
    return f"| `{key}` | {' | '.join(cell(result, probe) for result in results)} |\n"


def markdown(results: Sequence[Result], probes: Sequence[Probe], failed: Sequence[str]) -> str:
    """The whole of docs/KERNELS.md. @failed: of each kernel that could not be had, why."""
    parts = [_MARKDOWN_HEAD]
    shown = rows_shown(results, probes)
    for group, heading in catalogue.GROUPS.items():
        members = [probe for probe in shown if probe.group == group]
        if members:
            parts.append(f"\n## {heading}\n\n{_head(column_titles(results))}")
            parts += [_row(probe.key, results, probe) for probe in members]
    parts += [_toggle(toggle, results, probes) for toggle in _TOGGLES]
    notes = [*reasons(results, shown), *failed]
    if notes:
        parts.append("\n## What is absent, and why\n\n" + "".join(f"- {note}\n" for note in notes))
    return "".join(parts)

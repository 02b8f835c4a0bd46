# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost vm --matrix`: one table, kernel by primitive, of exact numbers of instructions.

A cell is what one operation executes, back to back; for a row that changes the interrupt flag, and
so cannot be repeated, once between fences.
"""

from collections.abc import Sequence

from irqcost.base.table import Table
from irqcost.model import catalogue
from irqcost.model.catalogue import Probe
from irqcost.model.result import Result

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

Kernels with `rt` are PREEMPT_RT, where `spin_lock` sleeps. `debug` is Debian's 6.1 source built
with the tracing of the interrupt flag, lock proving, KASAN and UBSAN, on the smallest configuration
that boots (`bench_kmod/tests/guest.config`, `debug.config`), so it is no Debian kernel but for
these; `clang` is the same by clang, with kCFI instead of the checks (`clang.config`).
"""


def column_titles(results: Sequence[Result]) -> list[str]:
    """The kernels' releases, without what Debian's all have."""
    return [result.context.kernel.release.removesuffix("-amd64") for result in results]


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


def markdown(results: Sequence[Result], probes: Sequence[Probe], failed: Sequence[str]) -> str:
    """The whole of docs/KERNELS.md. @failed: of each kernel that could not be had, why."""
    titles = column_titles(results)
    parts = [_MARKDOWN_HEAD]
    shown = rows_shown(results, probes)
    for group, heading in catalogue.GROUPS.items():
        members = [probe for probe in shown if probe.group == group]
        if members:
            parts.append(f"\n## {heading}\n\n| | {' | '.join(titles)} |\n")
            parts.append("|---|" + "---:|" * len(titles) + "\n")
            for probe in members:
                cells = " | ".join(cell(result, probe) for result in results)
                parts.append(f"| `{probe.key}` | {cells} |\n")
    notes = [*reasons(results, shown), *failed]
    if notes:
        parts.append("\n## What is absent, and why\n\n" + "".join(f"- {note}\n" for note in notes))
    return "".join(parts)

# SPDX-License-Identifier: GPL-2.0-only
"""A result on the terminal: the answer, who was measured, one table, and what is less reliable."""

import re

from irqcost.base import layout, screen
from irqcost.base.table import Table, number
from irqcost.model import contention
from irqcost.model.naming import (
    backend_name,
    brand,
    why_clock_unreliable,
    decimals,
    mode_name,
    other_hypervisor,
    quota_doubt,
    title,
)
from irqcost.model.result import Context, Entry, Result
from irqcost.output import answer, contention_table, results_table

# A reason of a run's verdict that is about single results, whose letters say the same.
_ABOUT_RESULTS = re.compile(r"\d+ (?:of \d+ figures )?\w+, such as: ")


def text(result: Result, unit: str | None = None, verbose: bool = False, changed: str = "") -> str:
    """The whole of a result. `changed` is what since.text() says."""
    width, context = screen.width(), result.context
    parts = [answer.text(result, changed, width)]
    parts.append(f"{title(context)}\n{_conditions(context)}")
    parts.append(results_table.text(result, unit, width, verbose))
    for mode in contention.modes(result.figures):
        entries = [e for e in result.figures.values() if e.mode == mode]
        parts.append(f"{mode_name(mode)}\n\n{contention_table.table(mode, context, entries)}")
    if verbose:
        parts += [*_details(result, width), _derived(context, width), _provenance(context)]
    parts += [_listed("Warnings:", _warnings(context)), _listed("Not measured:", _absent(context))]
    return "\n\n".join(screen.wrapped(part, columns=width) for part in parts if part)


def _listed(heading: str, lines: list[str]) -> str:
    return "\n".join([heading, *(f"  {line}" for line in lines)]) if lines else ""


def _warnings(context: Context) -> list[str]:
    """What is to be said of the run as a whole, each reason once."""
    doubts = [why_clock_unreliable(context), quota_doubt(context)]
    reasons = (one for one in context.reasons if not _ABOUT_RESULTS.match(one))
    return list(dict.fromkeys(filter(None, (*doubts, *reasons))))


def _absent(context: Context) -> list[str]:
    """What was asked for and is not there: one line a cause."""
    lines = [
        f"{one.name}: {one.reason}" + (f"; {one.remedy}" if one.remedy else "")
        for one in context.backends
        if not one.usable
    ]
    causes: dict[str, list[str]] = {}
    backends = {one.name for one in context.backends}
    for absent in (one for one in context.absent if one.name not in backends):
        causes.setdefault(absent.reason, []).append(absent.name)
    for reason, names in causes.items():
        more = f" and {len(names) - 2} more" if len(names) > 2 else ""
        lines.append(f"{', '.join(names[:2])}{more}: {reason}")
    return lines


def _details(result: Result, width: int) -> list[str]:
    """Percentiles, a table for each backend and mode."""
    context = result.context
    ticks = "instructions" if context.instruction_clock else "TSC ticks"
    keys = dict.fromkeys((e.backend, e.mode) for e in result.figures.values())
    parts = [f"Percentiles, in {ticks}. clean: samples used, of all."]
    for backend, mode in keys:
        if mode in contention.MODES:
            continue
        columns = ("identifier", "cost", "p75 - p25", "p50", "p99", "clean")
        table = Table(columns, "<>>>>>")
        for entry in result.figures.values():
            if (entry.backend, entry.mode) == (backend, mode):
                _detail(table, entry, decimals(context))
        heading = f"{backend_name(backend, [context])}, {mode_name(mode)}"
        parts.append(f"{heading}\n\n{table.fitted(width)}")
    return parts


def _detail(table: Table, entry: Entry, digits: int) -> None:
    values = (entry.ticks, entry.spread, entry.ticks_p50, entry.ticks_p99)
    table.row(
        f"{entry.probe}" + (f", {entry.variant}" if entry.variant else ""),
        *(number(value, digits) for value in values),
        f"{entry.clean:.0f}/{entry.samples:.0f}",
    )


def _derived(context: Context, width: int) -> str:
    """What is left of the kernel's functions without the price of calling them."""
    if not context.derived:
        return ""
    digits = decimals(context)
    table = Table(("core cycles", "estimate", "from", "to", "derived as"), "<>>><")
    for one in context.derived:
        backend, probe = one.name.split("/")[:2]
        values = (number(value, digits) for value in (one.cycles, one.low, one.high))
        table.row(f"  {backend}/{probe}", *values, one.formula)
    what = "Masking" if context.masking.native("bpf") else "The kernel's functions"
    return f"{what} alone, without the call (estimated range)\n\n{table.fitted(width)}"


def _provenance(context: Context) -> str:
    """With what ring 0 was measured, and whose machine code the file holds."""
    lines = [f"{one.name} measured with {one.clock}" for one in context.backends if one.clock]
    functions = {symbol for code in context.machine_code.values() for symbol in code}
    if functions:
        lines.append(
            f"The file holds the machine code of {len(functions)} kernel functions; "
            f"{layout.command()} compare shows where another result's differs."
        )
    return "\n".join(lines)


def _conditions(context: Context) -> str:
    conditions = [*filter(None, (brand(context), other_hypervisor(context)))]
    if context.tsc_khz is not None:
        conditions.append(f"TSC {context.tsc_khz / 1e6:.3f} GHz")
    for name, value in (
        ("microcode", context.cpu.microcode),
        ("governor", context.governor),
        ("boost", context.boost),
        ("SMT", context.smt),
        ("preemption", context.kernel.preemption),
        ("tracepoints", context.kernel.tracepoints),
    ):
        if value is not None:
            conditions.append(f"{name} {value}")
    return ", ".join([*conditions, context.date])

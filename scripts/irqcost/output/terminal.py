# SPDX-License-Identifier: GPL-2.0-only
"""A result on the terminal: who was measured, and the table of its figures."""

from collections.abc import Callable

from irqcost.base.table import Table, number
from irqcost.measure import processes
from irqcost.model import catalogue, contention
from irqcost.model.naming import (
    backend_name,
    brand,
    clock_doubt,
    decimals,
    mode_name,
    other_hypervisor,
    quota_doubt,
    title,
)
from irqcost.model.result import Context, Entry, Result
from irqcost.output import contention_table

_DERIVED = "{} alone, without the price of calling it (estimated range)"


def text(result: Result, probes: tuple[catalogue.Probe, ...]) -> str:
    """The whole of a result as a table for each backend and mode."""
    ticks = "instructions" if result.context.instruction_clock else "TSC ticks"
    legend = f"spread (p75 - p25), p50 and p99 are {ticks}; clean: samples used, of all"
    parts = [title(result.context), _conditions(result.context), *_doubts(result.context), legend]
    if result.context.processes > 1:
        parts.append(
            f"medians over up to {result.context.processes} fresh processes; ±: to the farther end "
            "of the 95 % interval"
        )
    keys = dict.fromkeys((e.backend, e.mode) for e in result.figures.values())
    groups = {probe.key: probe.group for probe in probes}
    emulated = {one.name: one.execution_reason for one in result.context.emulated_backends}
    for backend, mode in keys:
        entries = [e for e in result.figures.values() if (e.backend, e.mode) == (backend, mode)]
        parts += ["", f"{backend_name(backend, [result.context])}, {mode_name(mode)}"]
        if backend in emulated:
            parts.append(f"EMULATED, no measure of a CPU: {emulated[backend]}")
        parts.append("")
        if mode in contention.MODES:
            parts.append(contention_table.table(mode, result.context, entries))
            continue
        parts.append(_figures(result.context, entries, groups))
    if result.context.derived:
        what = "masking" if result.context.masking.native("bpf") else "the kernel's functions"
        parts += ["", _DERIVED.format(what), "", _derived(result.context)]
    parts += _provenance(result.context)
    if result.context.outcome:
        parts += ["", f"Verdict: {result.context.outcome}"]
        parts += [f"  {reason}" for reason in result.context.reasons]
    missing = [f"  {absent.name}: {absent.reason}" for absent in result.context.absent]
    if missing:
        parts += ["", "Not measured:", *missing]
    return "\n".join(parts)


def _derived(context: Context) -> str:
    digits = decimals(context)
    table = Table(("probe", "core cycles", "from", "to", "derived as"), "<>>><")
    for one in context.derived:
        backend, probe = one.name.split("/")[:2]
        values = (number(value, digits) for value in (one.cycles, one.low, one.high))
        table.row(f"  {backend}/{probe}", *values, one.formula)
    return str(table)


def _provenance(context: Context) -> list[str]:
    """What the ring-0 figures were measured with, and whose live text the file holds."""
    lines = [f"{one.name} measured with {one.clock}" for one in context.backends if one.clock]
    functions = {symbol for texts in context.machine_code.values() for symbol in texts}
    if functions:
        lines.append(
            f"live text of {len(functions)} kernel functions is in the file; ./irqcost compare "
            "tells where another result's differs"
        )
    return ["", *lines] if lines else []


def _half_width(entry: Entry) -> float | None:
    if entry.core_cycles is None or entry.cycles_interval is None:
        return None
    return processes.half_width(entry.core_cycles, entry.cycles_interval)


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


def _doubts(context: Context) -> list[str]:
    return [one for one in (clock_doubt(context), quota_doubt(context)) if one]


def _figures(context: Context, entries: list[Entry], groups: dict[str, str]) -> str:
    digits = decimals(context)
    figures: dict[str, Callable[[Entry], float | None]] = {}
    # Where no cycle was measured (emulation) there is no column of dashes to read over, and
    # where ticks are instructions they have no duration.
    if any(entry.core_cycles is not None for entry in entries):
        figures["core cycles"] = lambda entry: entry.core_cycles
    if any(entry.cycles_interval for entry in entries):
        figures["±"] = _half_width
    if context.instruction_clock:
        figures["instructions"] = lambda entry: entry.ticks
    else:
        figures["ns"] = lambda entry: entry.ns
        figures["ticks"] = lambda entry: entry.ticks
    figures["spread"] = lambda entry: entry.spread
    figures["p50"] = lambda entry: entry.ticks_p50
    figures["p99"] = lambda entry: entry.ticks_p99

    table = Table(("probe", *figures, "clean", "remark"), "<" + ">" * (len(figures) + 1) + "<")
    group = None
    for entry in entries:
        if groups.get(entry.probe) != group:
            group = groups.get(entry.probe)
            table.heading(catalogue.GROUPS[group] if group else "Not in this catalogue")
        table.row(
            f"  {entry.probe}" + (f", {entry.variant}" if entry.variant else ""),
            *(number(figure(entry), digits) for figure in figures.values()),
            f"{entry.clean:.0f}/{entry.samples:.0f}",
            entry.remark,
        )
    return str(table)

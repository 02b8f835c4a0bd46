# SPDX-License-Identifier: GPL-2.0-only
"""Tables of the figures of waiting."""

from collections.abc import Mapping, Sequence

from irqcost.base.table import Table, number
from irqcost.model.contention import CONTENTION, Contention, Pending
from irqcost.model.result import Context, Entry

# More CPUs than this are not listed one by one.
_LISTED = 8

_PARTS = {
    "handler": "from before the unmasking to the first instruction of the handler",
    "return": "from before the unmasking to the instruction after the return",
    "masked": "what was masked, of {requested} ns asked for; the masked work a nop and an add",
}


def table(mode: str, context: Context, entries: Sequence[Entry]) -> str:
    """The table of figures that are all of `mode`, one of contention.MODES."""
    return (_contention if mode == CONTENTION else _pending)(context, entries)


def _time(context: Context) -> tuple[str, float]:
    """In what a duration is shown, and what a tick is in it."""
    if context.instruction_clock:
        return "instructions", 1.0
    if context.tsc_khz:
        return "ns", 1e6 / context.tsc_khz
    return "ticks", 1.0


def _numbers(values: Mapping[str, float] | None, keys: Sequence[str], factor: float) -> list[str]:
    if values is None:
        return ["-"] * len(keys)
    return [number(values[key] * factor, 0) for key in keys]


def _cost(entry: Entry, factor: float) -> list[str]:
    return [number(entry.core_cycles, 1), number(entry.ticks * factor, 1)]


def _remark(entry: Entry) -> str:
    """Why it is in doubt: an emulated figure has that verdict, whatever disturbed it."""
    return entry.remark or ("" if entry.clean else "no sample was clean")


def _contention(context: Context, entries: Sequence[Entry]) -> str:
    unit, factor = _time(context)
    columns = ("lock, section", "CPUs", "core cycles", unit, "M/s", "Jain", "min/max")
    waits = ("wait p50", "p99", "max", "irqs off p50", "p99", "max")
    shown = Table((*columns, *waits, "clean", "operations by CPU", "remark"), "<" + ">" * 13 + "<<")
    for entry in entries:
        one = entry.waits
        assert isinstance(one, Contention)
        counts = [f"{count:.0f}" for count in one.operations]
        by_cpu = " ".join(counts) if len(counts) <= _LISTED else f"{len(counts)} CPUs"
        not_run = "".join(f"; CPU {cpu} has not run" for cpu in one.not_run)
        shown.row(
            f"{entry.probe}, {one.section}" + (" (sleeps)" if one.sleeps else ""),
            str(len(one.cpus)),
            *_cost(entry, factor),
            number(one.per_second / 1e6, 2),
            number(one.jain, 3),
            number(one.min_over_max, 3),
            *_numbers(one.wait, ("p50", "p99", "max"), factor),
            *_numbers(one.irqs_off, ("p50", "p99", "max"), factor),
            f"{entry.clean:.0f}/{entry.samples:.0f}",
            by_cpu,
            (_remark(entry) + not_run).removeprefix("; "),
        )
    return f"Cost is time that passed, by operations of all CPUs; waits are in {unit}.\n\n{shown}"


def _pending(context: Context, entries: Sequence[Entry]) -> str:
    unit, factor = _time(context)
    quantiles = ("min", "p10", "p50", "p99", "max")
    columns = ("masked by", "core cycles", unit, *quantiles, "late", "clean", "remark")
    shown = Table(columns, "<" + ">" * 9 + "<")
    part = ""
    for entry in sorted(entries, key=lambda entry: entry.variant):
        one = entry.waits
        assert isinstance(one, Pending)
        if entry.variant != part:
            part = entry.variant
            shown.heading(_PARTS.get(part, part).format(requested=f"{one.requested_ns:.0f}"))
        work = [
            f"{name} {quiet:.3f}, pending {pending:.3f} ticks"
            for name, (quiet, pending) in one.work.items()
        ]
        shown.row(
            f"  {entry.probe}",
            *_cost(entry, factor),
            *_numbers(one.ticks, quantiles, factor),
            f"{one.late:.0f}",
            f"{entry.clean:.0f}/{entry.samples:.0f}",
            "; ".join(filter(None, [_remark(entry), *work])),
        )
    return f"Cost is the median; quantiles are in {unit}.\n\n{shown}"

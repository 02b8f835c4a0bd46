# SPDX-License-Identifier: GPL-2.0-only
"""Tables of lock contention and of deferred interrupts, as wide as the terminal."""

from collections.abc import Mapping, Sequence

from irqcost.base import screen
from irqcost.base.footnotes import Footnotes
from irqcost.base.table import Table, number
from irqcost.model import catalogue
from irqcost.model.contention import CONTENTION, DeferredInterrupts, LockContention
from irqcost.model.result import Context, Entry

# More CPUs than this are not listed one by one.
_LISTED = 8

_PARTS = {
    "handler": "from before unmasking to the first instruction of the handler",
    "return": "from before unmasking to the instruction after the return",
    "masked": "time masked, of {requested} ns asked for; the masked work is a nop and an add",
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
    """Why it is unreliable: an emulated figure has that verdict, whatever disturbed it."""
    return entry.remark or ("" if entry.clean else "no sample was clean")


def _contention(context: Context, entries: Sequence[Entry]) -> str:
    unit, factor = _time(context)
    costs = [*(["core cycles"] if _cycles(entries) else []), unit]
    columns = ("work, CPUs", *costs, "M/s", "Jain", "min/max")
    times = ("wait p50", "p99", "max", "irqs off p50", "p99", "max")
    shown = Table(
        (*columns, *times, "clean", "operations by CPU", ""), "<" + ">" * (10 + len(costs)) + "<<"
    )
    notes = Footnotes()
    probe = ""
    for entry in entries:
        one = entry.contention
        assert isinstance(one, LockContention)
        if entry.probe != probe:
            probe = entry.probe
            shown.heading(_titled(probe) + (" (sleeps)" if one.sleeps else ""))
        counts = [f"{count:.0f}" for count in one.operations]
        by_cpu = " ".join(counts) if len(counts) <= _LISTED else f"{len(counts)} CPUs"
        not_run = "".join(f"; CPU {cpu} has not run" for cpu in one.not_run)
        shown.row(
            f"  {one.section} cycles, {len(one.cpus)}",
            *_cost(entry, factor)[-len(costs) :],
            number(one.per_second / 1e6, 2),
            number(one.jain, 3),
            number(one.min_over_max, 3),
            *_numbers(one.wait, ("p50", "p99", "max"), factor),
            *_numbers(one.irqs_off, ("p50", "p99", "max"), factor),
            f"{entry.clean:.0f}/{entry.samples:.0f}",
            by_cpu,
            notes.mark((_remark(entry) + not_run).removeprefix("; ")),
        )
    heading = f"Cost: elapsed time divided by the operations of all CPUs. Wait times: in {unit}."
    return _together(heading, shown, notes)


def _pending(context: Context, entries: Sequence[Entry]) -> str:
    unit, factor = _time(context)
    quantiles = ("min", "p10", "p50", "p99", "max")
    costs = [*(["core cycles"] if _cycles(entries) else []), unit]
    columns = ("masked by", *costs, *quantiles, "late", "clean", "")
    shown = Table(columns, "<" + ">" * (len(columns) - 2) + "<")
    notes = Footnotes()
    part = ""
    work = []
    for entry in sorted(entries, key=lambda entry: entry.variant):
        one = entry.contention
        assert isinstance(one, DeferredInterrupts)
        if entry.variant != part:
            part = entry.variant
            shown.heading(_PARTS.get(part, part).format(requested=f"{one.requested_ns:.0f}"))
        work += [
            f"{_titled(entry.probe)}: {name} {quiet:.3f}, pending {pending:.3f} ticks"
            for name, (quiet, pending) in one.work.items()
        ]
        shown.row(
            f"  {_titled(entry.probe)}",
            *_cost(entry, factor)[-len(costs) :],
            *_numbers(one.ticks, quantiles, factor),
            f"{one.late:.0f}",
            f"{entry.clean:.0f}/{entry.samples:.0f}",
            notes.mark(_remark(entry)),
        )
    return _together(f"Cost: the median. Quantiles: in {unit}.", shown, notes, work)


def _cycles(entries: Sequence[Entry]) -> bool:
    """Whether any cycle was measured."""
    return any(entry.core_cycles is not None for entry in entries)


def _titled(probe: str) -> str:
    known = catalogue.by_key().get(probe)
    return known.title if known else probe


def _together(heading: str, shown: Table, notes: Footnotes, more: Sequence[str] = ()) -> str:
    below = screen.wrapped("\n".join([*more, *notes.lines]), "   ")
    table = f"{screen.wrapped(heading)}\n\n{shown.fitted(screen.width())}"
    return f"{table}\n\n{below}" if below else table

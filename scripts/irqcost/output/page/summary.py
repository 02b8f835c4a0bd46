# SPDX-License-Identifier: GPL-2.0-only
"""What the figures show, in plain words. Pure functions; every number is one of the results.

A figure in doubt is named only where its interval says how far off it may be, and is marked; two
figures are told apart only where their intervals are disjoint.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from irqcost.base.table import number
from irqcost.base.verdicts import CLOCKLESS
from irqcost.compare.columns import Column
from irqcost.model import naming, units
from irqcost.model.result import Entry
from irqcost.model.units import Value
from irqcost.output.page.data import COUNTED, MEASURED, Part, some
from irqcost.output.page.purposes import PURPOSES, Choice, Purpose


class Code(str):
    """A piece of a statement that is code: the name of a figure or a primitive."""


@dataclass(frozen=True)
class Statement:
    """A sentence, in pieces, and what it introduces."""

    pieces: tuple[str, ...]
    items: tuple["Statement", ...] = ()


# What masks and restores, by what it says about the kernel's own masking.
_MASKING = ("local_irq_save_restore", "irq_save_restore", "save_cli_test_sti", "save_cli_popf")
_RING_0 = ("kmod", "kvm", "bpf")


@dataclass(frozen=True)
class _Known:
    """A figure that may be named."""

    figure: Value
    unreliable: bool


def costs(part: Part) -> list[Statement]:
    """What masking costs here, a statement or more for each column."""
    if part.kind == COUNTED:
        return _counts(part)
    found: list[Statement] = []
    for column in part.columns:
        found += [_said(part, column, one) for one in _of_column(part, column)]
    return found


def _said(part: Part, column: Column, pieces: Sequence[str]) -> Statement:
    """A sentence that says of which column it is, where there are several."""
    if len(part.columns) == 1:
        return Statement(tuple(pieces))
    return Statement((f"{column.series.name}: ", *pieces))


def _of_column(part: Part, column: Column) -> Iterable[tuple[str, ...]]:
    masked = _first(column, _MASKING)
    if masked:
        kernel = naming.kernel_functions([column.result.context], *masked.split("/")[:2])
        yield (
            f"As a {kernel}, saving and restoring costs "
            if kernel
            else "Saving, masking and restoring costs ",
            _cost(part, column, masked),
            " (",
            Code(masked),
            "): no cost that is known to be the CPU's masking." if kernel else ").",
        )
    for one in column.result.context.derived:
        alone = one.name == "bpf/irq_save_restore/alone"
        if not column.result.context.masking.native("bpf", "irq_save_restore"):
            continue
        if alone and masked == "bpf/irq_save_restore/throughput":
            low, high = (number(end, 1) for end in (one.low, one.high))
            yield (
                f"Of that, {number(one.cycles, 1)} core cycles are the masking itself, "
                f"between {low} and {high}; the rest is what the calls from BPF cost.",
            )
    read, write = (f"ring3/{probe}/throughput" for probe in ("pushf_pop", "popf"))
    if _known(column, read) and _known(column, write):
        yield (
            "User mode cannot mask, but shows where the cost lies: reading the flags (",
            Code("pushf; pop"),
            f") costs {_cost(part, column, read)}, writing them (",
            Code("push; popf"),
            f") {_cost(part, column, write)}.",
        )
    yield from _in_situ(part, column)


def _in_situ(part: Part, column: Column) -> Iterable[tuple[str, ...]]:
    """How much less than back to back it costs around work."""
    for probe in (*_MASKING, "pushf_pop_push_popf"):
        for backend in (*_RING_0, "ring3"):
            row = f"{backend}/{probe}/throughput"
            work = f"{backend}/{probe}/in_situ/100"
            if _known(column, row) and _known(column, work):
                yield (
                    "Back to back is not what code pays: ",
                    Code(f"{backend}/{probe}"),
                    f" costs {_cost(part, column, row)} in a row of the same, and adds "
                    f"{_cost(part, column, work)} to a critical section of 100 cycles.",
                )
                return


def _counts(part: Part) -> list[Statement]:
    """How many instructions masking is, over all kernels."""
    found = []
    for probe in ("local_irq_save_restore", "spin_lock_irqsave", "raw_spin_lock_irqsave"):
        name = f"kmod/{probe}/throughput"
        having = [column for column in part.columns if _known(column, name)]
        if having:
            found.append(Statement((Code(probe), " is ", *_spread(having, name), ".")))
    return found


def _spread(having: Sequence[Column], name: str) -> list[str]:
    """A count on kernels, or from which to which."""
    values = {column.series.name: _value(column, name) for column in having}
    low, high = min(values.values()), max(values.values())
    if low == high:
        where = f" on each of {len(having)} kernels" if len(having) > 1 else ""
        return [f"{low:g} instructions{where}"]
    least = [one for one, value in values.items() if value == low]
    most = [one for one, value in values.items() if value == high]
    return [f"{low:g} instructions on {some(least, 3)}, and {high:g} on {some(most, 3)}"]


def preferences(part: Part) -> list[Statement]:
    """Which of several primitives for one purpose to prefer, and by how much.

    Columns in which they rank alike are told of together.
    """
    found = []
    for purpose in PURPOSES:
        alike: dict[tuple[str, tuple[Choice, ...]], list[Column]] = {}
        for column in part.columns:
            for key in _rankings(column, purpose):
                alike.setdefault(key, []).append(column)
        for (backend, ranked), same in alike.items():
            where = ""
            if 1 < len(part.columns) != len(same):
                where = f", on {some([column.series.name for column in same], 4)}"
            items = _items(part, backend, ranked, same)
            found.append(Statement((f"To {purpose.words}{where}:",), tuple(items)))
    return found


def _rankings(column: Column, purpose: Purpose) -> Iterable[tuple[str, tuple[Choice, ...]]]:
    """For each backend that has more than one of the choices, these from the cheapest on."""
    for backend in dict.fromkeys(e.backend for e in column.result.figures.values()):
        known = [
            (one.figure.value, place, choice)
            for place, choice in enumerate(purpose.choices)
            if (one := _known(column, f"{backend}/{choice.probe}/throughput"))
        ]
        if len(known) > 1:
            yield backend, tuple(choice for _, _, choice in sorted(known, key=lambda k: k[:2]))


def _items(
    part: Part, backend: str, ranked: Sequence[Choice], same: Sequence[Column]
) -> Iterable[Statement]:
    """A line a choice: what it costs, how much more than the cheapest, and when it serves."""
    first = _each(same, f"{backend}/{ranked[0].probe}/throughput")
    for choice in ranked:
        each = _each(same, f"{backend}/{choice.probe}/throughput")
        said = [f" {_sum(part, [one.figure.value for one in each])}"]
        if choice is not ranked[0]:
            said.append(_against(part, first, each))
        said += [choice.given] if choice.given else []
        said += ["in doubt"] if any(one.unreliable for one in each) else []
        yield Statement((Code(f"{backend}/{choice.probe}"), ", ".join(said)))


def _each(same: Sequence[Column], name: str) -> list[_Known]:
    return [known for column in same if (known := _known(column, name))]


def _sum(part: Part, values: Sequence[float]) -> str:
    """With the unit, of which there may be one."""
    amount = _from_to(part, values)
    return f"{amount} {part.unit.removesuffix('s') if amount == '1' else part.unit}"


def _from_to(part: Part, values: Sequence[float]) -> str:
    low, high = _amount(part, min(values)), _amount(part, max(values))
    return low if low == high else f"{low} to {high}"


def _against(part: Part, first: Sequence[_Known], each: Sequence[_Known]) -> str:
    """How much more it costs than the cheapest, in each of the columns."""
    pairs = [(one.figure, other.figure) for one, other in zip(first, each)]
    if all(one.value == other.value for one, other in pairs):
        return "the same"
    if part.kind != COUNTED and any(other.low <= one.high for one, other in pairs):
        return "which cannot be told apart" if len(pairs) == 1 else "not everywhere told apart"
    text = f"{_from_to(part, [other.value - one.value for one, other in pairs])} more"
    if any(one.value <= 0 for one, _ in pairs):
        return text
    times = [number(other.value / one.value, 1) for one, other in pairs]
    ends = min(times, key=float), max(times, key=float)
    return f"{text} ({ends[0] if ends[0] == ends[1] else ' to '.join(ends)} times as much)"


def doubts(part: Part) -> list[Statement]:
    """Which figures are in doubt, and how many."""
    figures = [entry for column in part.columns for entry in column.result.figures.values()]
    unreliable = [entry for entry in figures if entry.unreliable]
    if not unreliable or part.kind != MEASURED:
        return []
    names = [entry.name for entry in unreliable]
    return [
        Statement(
            (
                f"{len(unreliable)} of {len(figures)} figures are in doubt and marked “?”: "
                f"{some(names)}. Each says why where the pointer rests on it.",
            )
        )
    ]


def _first(column: Column, probes: Sequence[str]) -> str | None:
    names = (f"{backend}/{probe}/throughput" for probe in probes for backend in _RING_0)
    return next((name for name in names if _known(column, name)), None)


def _known(column: Column, name: str) -> _Known | None:
    """The figure where it may be named."""
    entry = column.result.figures.get(name)
    if entry is None or entry.verdict in CLOCKLESS:
        return None
    if entry.unreliable and not _interval(entry):
        return None
    figure = units.figure(column.result, entry, None)
    return None if figure is None else _Known(figure, entry.unreliable)


def _interval(entry: Entry) -> bool:
    return bool(entry.cycles_interval or entry.ticks_interval)


def _value(column: Column, name: str) -> float:
    known = _known(column, name)
    assert known is not None
    return known.figure.value


def _cost(part: Part, column: Column, name: str) -> str:
    """A figure in words: core cycles and, where it has a duration, ns."""
    known = _known(column, name)
    assert known is not None
    doubt = ", in doubt" if known.unreliable else ""
    text = f"{_amount(part, known.figure.value)} {part.unit}"
    entry = column.result.figures[name]
    if part.kind == MEASURED and units.natural(column.result) == "cycles":
        text += f" ({number(entry.ns, 1)} ns{doubt})"
    elif doubt:
        text += " (in doubt)"
    return text


def _amount(part: Part, value: float) -> str:
    if part.kind != COUNTED:
        return number(value, 1)
    return f"{value:.0f}" if value == int(value) else number(value, 1)

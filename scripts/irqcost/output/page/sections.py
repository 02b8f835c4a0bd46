# SPDX-License-Identifier: GPL-2.0-only
"""The sections of a page, in order: to add one, add its sentences and a row of SECTIONS."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from irqcost.base.table import number
from irqcost.compare.columns import Column
from irqcost.model import naming, published
from irqcost.model.published import Published
from irqcost.output import finding
from irqcost.output.finding import Cost
from irqcost.output.page import changes, prefer
from irqcost.output.page.data import COUNTED, PARAVIRTUAL, REAL, SIMULATED, Part
from irqcost.output.page.words import Code, Statement, said, some

# A page has no more sections than this; those that come first are kept.
MOST = 5
# Sentences of one kind.
_MOST_SENTENCES = 6


@dataclass(frozen=True)
class Topic:
    """What sections are made of: results of one kind, the file or folder that is their baseline,
    and published results."""

    part: Part
    baseline: Path | None
    published: Sequence[Published]


@dataclass(frozen=True)
class Kind:
    """A section: the anchor, the heading, the chart, and what is said of a topic. A section about
    which nothing can be said is left out."""

    key: str
    heading: str
    chart: str
    kinds: tuple[str, ...]  # of results
    says: Callable[[Topic], Iterable[Statement]]


_TIMED = (REAL, PARAVIRTUAL, SIMULATED)


def _changes(topic: Topic) -> Iterable[Statement]:
    return changes.statements(topic.part, topic.baseline) if topic.baseline else ()


def _costs(topic: Topic) -> Iterable[Statement]:
    """What costs most, and what the kernel's own functions cost."""
    for column in topic.part.columns:
        answer = finding.sentences(column.result)[:-1]
        # The first sentence is in the next section again, and the others of one CPU at the top.
        found = [*(answer[1:] if len(topic.part.columns) > 1 else []), *_parts(column)]
        if found or answer:
            yield said(_of(topic.part, column) + " ".join(found or answer[:1]))


def _parts(column: Column) -> list[str]:
    """Of saving and restoring the flags, which of the two is the expensive one."""
    save, restore = (
        finding.cost(column.result, f"ring3/{probe}/throughput") for probe in ("pushf_pop", "popf")
    )
    if not (save and restore and save.reliable and restore.reliable):
        return []
    return [f"Saving the flags costs {save.text}, restoring them {restore.text}."]


def _work(topic: Topic) -> Iterable[Statement]:
    for column in topic.part.columns:
        added = finding.around_work(column.result)
        alone = finding.save_restore(column.result)
        if added and alone and added.reliable and alone.reliable:
            text = f"{finding.act(alone)} costs {alone.text} back to back and adds {added.text} "
            text += f"around {finding.WORK} cycles of work"
            if alone.figure.low > added.figure.high:
                text += "; the work hides the rest"
            yield said(f"{_of(topic.part, column)}{finding.capital(text)}.")


def _cpus(topic: Topic) -> Iterable[Statement]:
    """The contrasts between CPUs; the first of them is the headline."""
    series = [column.series for column in topic.part.columns]
    if len(series) > 1:
        for one in finding.contrasts(series)[1 : 1 + _MOST_SENTENCES]:
            yield said(f"{finding.capital(one.text)}.")


def _prefer(topic: Topic) -> Iterable[Statement]:
    return prefer.statements(topic.part)


def _primitives(topic: Topic) -> Iterable[Statement]:
    """Of one CPU the cheapest and the most expensive primitive."""
    if len(topic.part.columns) == 1:
        costs = sorted(_all_costs(topic.part.columns[0]), key=lambda one: one.figure.value)
        if len(costs) > 1:
            low, high = costs[0], costs[-1]
            yield Statement(
                (
                    f"Of {len(costs)} primitives ",
                    Code(low.probe),
                    f" is the cheapest at {low.text} and ",
                    Code(high.probe),
                    f" the most expensive at {high.text}, repeated back to back.",
                )
            )


def _all_costs(column: Column) -> Iterable[Cost]:
    for entry in finding.costs(column.result):
        # What BPF measures includes the calls; a fault is no way to mask.
        if entry.mode == "throughput" and entry.backend != "bpf" and "fault" not in entry.probe:
            one = finding.cost(column.result, entry.name)
            if one and one.reliable and one.figure.low > 0:
                yield one


def _counts(topic: Topic) -> Iterable[Statement]:
    for probe in ("local_irq_save_restore", "spin_lock_irqsave", "raw_spin_lock_irqsave"):
        counts = [
            (one.figure.value, column.series.name, one.amount)
            for column in topic.part.columns
            if (one := finding.cost(column.result, f"kmod/{probe}/throughput"))
        ]
        if counts:
            (least, _, low), (most, _, high) = min(counts), max(counts)
            text = f" takes {low} instructions"
            if least < most:
                text += f" on {some([who for value, who, _ in counts if value == least], 3)}, and "
                text += f"{high} on {some([who for value, who, _ in counts if value == most], 3)}"
            elif len(counts) > 1:
                text += f" on each of {len(counts)} kernels"
            yield Statement((Code(probe), f"{text}."))


def _others(topic: Topic) -> Iterable[Statement]:
    """What was published for the same cores, beside what was measured."""
    for column in topic.part.columns:
        for primitive in ("popf", "pushf_popf", "cli", "sti"):
            mine = finding.cost(column.result, f"ring3/{primitive}/throughput")
            values = [
                one.value
                for one in topic.published
                if one.primitive == primitive
                and (one.mode, one.unit) == ("throughput", "core_cycles")
                and not one.suspect
                and not one.model
                and published.same_core(one, column.result)
            ]
            if mine and mine.reliable and values:
                ends = dict.fromkeys(number(value, 1) for value in (min(values), max(values)))
                name = naming.short_name(column.result.context)
                yield Statement(
                    (
                        f"{name}: ",
                        Code(primitive),
                        f" costs {mine.amount} {mine.unit} here; others published "
                        f"{' to '.join(ends)}.",
                    )
                )


def _of(part: Part, column: Column) -> str:
    """Of which column a sentence is, where there are several."""
    return f"{column.series.name}: " if len(part.columns) > 1 else ""


SECTIONS = (
    Kind("changes", "What changed since the baseline", "", _TIMED, _changes),
    Kind("costs", "What saving and restoring costs", "masking", _TIMED, _costs),
    Kind("work", "What it adds around work", "section", _TIMED, _work),
    Kind("cpus", "How the CPUs differ", "bars", _TIMED, _cpus),
    Kind("primitives", "What each primitive costs", "bars", _TIMED, _primitives),
    Kind("prefer", "Which primitive to prefer", "", (*_TIMED, COUNTED), _prefer),
    Kind("instructions", "How many instructions it takes", "instructions", (COUNTED,), _counts),
    Kind("generations", "Other CPUs, as published", "generations", (REAL,), _others),
)

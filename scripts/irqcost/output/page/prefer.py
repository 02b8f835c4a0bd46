# SPDX-License-Identifier: GPL-2.0-only
"""Primitives that serve the same purpose beside each other, so that cost decides between them."""

from collections.abc import Iterable, Sequence

from irqcost.compare.columns import Column
from irqcost.model import naming
from irqcost.output import finding
from irqcost.output.finding import Cost
from irqcost.output.page.data import Part
from irqcost.output.page.purposes import PURPOSES, Choice, Purpose
from irqcost.output.page.words import Code, Statement, some

# Where a purpose is looked at: the first that has more than one of its choices.
_RING_0 = ("kmod", "kvm", "bpf")


def statements(part: Part) -> list[Statement]:
    """A sentence for each purpose that several reliable results serve, the cheapest first."""
    return [one for purpose in PURPOSES if (one := _sentence(part, purpose))]


def _sentence(part: Part, purpose: Purpose) -> Statement | None:
    for backend in _RING_0:
        by_column = [_known(column, backend, purpose) for column in part.columns]
        most = max(by_column, key=len)
        if len(most) > 1:
            # The columns that have the same choices; others are left to the table.
            same = [(c, k) for c, k in zip(part.columns, by_column) if k.keys() == most.keys()]
            ranked = sorted(most, key=lambda choice: most[choice].figure.value)
            where = ""
            if len(same) < len(part.columns):
                where = f" on {some([column.series.name for column, _ in same], 3)}"
            pieces: list[str] = [f"To {purpose.words}{where}: "]
            cheaper: list[Cost] = []
            for choice in ranked:
                costs = [known[choice] for _, known in same]
                pieces += ["; "] if cheaper else []
                pieces += _choice(choice, costs, cheaper)
                cheaper = costs
            who = naming.backend_name(backend, [column.result.context for column, _ in same])
            return Statement((*pieces, f" {part.unit} ({who})."))
    return None


def _known(column: Column, backend: str, purpose: Purpose) -> dict[Choice, Cost]:
    """Those of the choices that have a reliable cost."""
    found = {
        choice: finding.cost(column.result, f"{backend}/{choice.probe}/throughput")
        for choice in purpose.choices
    }
    return {choice: one for choice, one in found.items() if one and one.reliable}


def _choice(choice: Choice, costs: Sequence[Cost], cheaper: Sequence[Cost]) -> Iterable[str]:
    yield Code(choice.probe)
    said = [choice.given] if choice.given else []
    if any(one.figure.high >= two.figure.low for one, two in zip(cheaper, costs)):
        said.append("no visible difference" if len(costs) == 1 else "not always different")
    if said:
        yield f" ({', '.join(said)})"
    low, high = (one(costs, key=lambda cost: cost.figure.value).amount for one in (min, max))
    yield f" {low}" if low == high else f" {low} to {high}"

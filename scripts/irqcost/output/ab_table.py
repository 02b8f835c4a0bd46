# SPDX-License-Identifier: GPL-2.0-only
"""Two builds beside each other, as a table."""


from irqcost.base import layout
from irqcost.base.table import Table
from irqcost.base.verdicts import Order
from irqcost.compare.ab.outcome import Outcome


_MORE = (
    "Undecided is what reaches beyond the thresholds by its noise: more --pairs narrow it, and so "
    f"does a quieter machine ({layout.command()} tune)"
)


def text(found: Outcome) -> str:
    """The table, and sentences."""
    columns = [f"benchmark ({found.unit})", "A", "B", "B - A", "from", "to", "pairs", "verdict"]
    table = Table(columns, "<>>>>>><")
    for line in found.lines:
        d = line.difference
        table.row(
            line.name,
            *("-" if cell is None else f"{cell:.2f}" for cell in (line.a, line.b)),
            *("-" if cell is None else f"{cell:+.3f}" for cell in (d.value, d.low, d.high)),
            str(d.pairs),
            d.status,
        )
    sentences = list(found.notes)
    if found.missing:
        sentences.append(f"Not measured in one of the two: {', '.join(found.missing)}")
    statuses = [line.difference.status for line in found.lines]
    if Order.UNDECIDED in statuses:
        sentences.append(_MORE)
    counts = [
        f"{statuses.count(status)} {status}"
        for status in (Order.SLOWER, Order.FASTER, Order.UNDECIDED, Order.SAME)
    ]
    counts = [count for count in counts if not count.startswith("0 ")]
    sentences.append(f"B against A: {', '.join(counts) or 'nothing was measured'}")
    return "\n".join([str(table), "", *sentences])

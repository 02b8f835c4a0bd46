# SPDX-License-Identifier: GPL-2.0-only
"""A sweep, as a table and a sentence."""


from irqcost.base import screen
from irqcost.base.table import Table, number
from irqcost.measure.unroll import Sweep, plateau
from irqcost.model import naming


def verdict(sweep: Sweep) -> str:
    """What is seen, in a sentence."""
    probe = sweep.name.split("/")[1]
    level = plateau(sweep.points)
    if level:
        cost = number(level[-1].figure.value, 2)
        return f"{probe} costs {cost} {sweep.unit} from unroll factor {level[0].unroll} on"
    values = [point.figure.value for point in sweep.points]
    low, high = (number(value, 2) for value in (min(values), max(values)))
    if len(values) == 1:
        return f"{probe} has only one unroll factor: {low} {sweep.unit}"
    if any(point.entry.unreliable for point in sweep.points[-2:]):
        return f"Cannot tell: {probe} is unreliable at the largest unroll factors"
    return f"{probe} depends on the unroll factor: {low} to {high} {sweep.unit}"


def text(sweep: Sweep) -> str:
    """The sweep as a table."""
    table = Table(("unroll", sweep.unit, "from", "to", "clean", "remark"), ">>>>><")
    for point in sweep.points:
        entry = point.entry
        table.row(
            str(point.unroll),
            number(point.figure.value, 3),
            number(point.figure.low, 3),
            number(point.figure.high, 3),
            f"{entry.clean:.0f}/{entry.samples:.0f}",
            entry.label if entry.unreliable else "",
        )
    heading = f"{sweep.name}/throughput: {naming.title(sweep.context)}"
    fitted = table.fitted(screen.width())
    return screen.wrapped("\n".join([heading, "", fitted, "", verdict(sweep)]))

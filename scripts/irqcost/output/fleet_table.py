# SPDX-License-Identifier: GPL-2.0-only
"""The verdict on many machines in words: the alarms, then what else is to be known."""

from collections.abc import Iterator, Mapping, Sequence

from irqcost.base.safety.texts import plain
from irqcost.base.screen import wrapped
from irqcost.base.table import Table, number
from irqcost.compare.fleet.gather import Gathered, Night
from irqcost.compare.fleet.verdicts import Found, Group, Verdict
from irqcost.model import naming

# So many of each are shown; the others are counted.
_MOST_FIGURES, _MOST_MACHINES, _MOST_CHANGES, _MOST_GROUPS = 20, 20, 5, 40


def text(verdict: Verdict, gathered: Gathered, night: Night, width: int) -> str:
    """All that is said."""
    blocks = [wrapped(headline(verdict), columns=width), *_alarms(verdict, width)]
    blocks.append(_groups(verdict.groups).fitted(width))
    if odd := list(_odd(verdict.groups, width)):
        blocks.append("\n".join(odd))
    blocks.append(wrapped("\n".join(_notes(verdict, gathered, night)), columns=width))
    return "\n\n".join(blocks)


def headline(verdict: Verdict) -> str:
    """The verdict in one line."""
    total = len(verdict.groups)
    if not total:
        return "ERROR: nothing checked: no machine has a record of the night."
    if verdict.alarms:
        return f"FAIL: {len(verdict.alarms)} of {_count(total, 'group')} of machines slower."
    if not verdict.testable:
        return (
            f"UNDECIDED: no group has the {verdict.fewest} machines, each with an earlier record, "
            "that it takes within this budget."
        )
    judged = sum(one.testable > 0 for one in verdict.groups)
    few = f"; the others have fewer than {verdict.fewest} machines" if judged < total else ""
    return f"OK: none of {_count(judged, 'group')} of machines that can be judged is slower{few}."


def _count(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def name(group: Group) -> str:
    """What a group is: CPU, microcode, kernel and how it was executed."""
    context = group.context
    microcode = f"microcode {context.cpu.microcode or 'unknown'}"
    stepping = context.cpu.stepping
    stepped = "" if stepping is None else f" stepping {stepping:02x}"
    return plain(
        f"{naming.cpu_name(context)}{stepped}, {microcode}, kernel {context.kernel.release}, "
        f"{naming.execution(context)}"
    )


def _alarms(verdict: Verdict, width: int) -> Iterator[str]:
    for group in verdict.groups:
        for said, found in (("SLOWER", group.slower), ("Faster", group.faster)):
            if found:
                lines = [wrapped(f"{said}: {name(group)}", "  ", width), *_figures(found, width)]
                yield "\n".join([*lines, *_changed(group, width)])


def _figures(found: Sequence[Found], width: int) -> Iterator[str]:
    table = Table(("figure", "before", "new", "change", "95 %", "machines", "chance"), "<>>>>>>")
    for one in sorted(found, key=lambda one: -abs(one.change))[:_MOST_FIGURES]:
        low, high = one.interval or (None, None)
        interval = "-" if low is None else f"{number(low, 2)} to {number(high, 2)}"
        moved = max(one.slower, one.faster)
        table.row(
            plain(one.name),
            number(one.before, 2),
            number(one.new, 2),
            f"{one.change:+.2f}",
            interval,
            f"{moved} of {one.machines}",
            f"{one.chance:.1g}" if one.chance else "<1e-300",
        )
    yield table.fitted(width)
    if len(found) > _MOST_FIGURES:
        yield f"and {len(found) - _MOST_FIGURES} more figures"


def _changed(group: Group, width: int) -> Iterator[str]:
    if not group.changed:
        yield "What is recorded of these machines did not change."
    for what, count in list(group.changed.items())[:_MOST_CHANGES]:
        yield wrapped(f"changed on {_count(count, 'machine')}: {plain(what)}", "  ", width)


def _groups(groups: Sequence[Group]) -> Table:
    table = Table(("group", "machines", "judged", "figures", "slower", "faster", "odd"), "<>>>>>>")
    for one in groups[:_MOST_GROUPS]:
        counts = (one.machines, one.judged, one.testable, len(one.slower), len(one.faster))
        table.row(name(one), *map(str, (*counts, len(one.odd))))
    if len(groups) > _MOST_GROUPS:
        table.heading(f"and {len(groups) - _MOST_GROUPS} more groups, with fewer machines")
    return table


def _odd(groups: Sequence[Group], width: int) -> Iterator[str]:
    """The oddest machines: they are named, and nobody is alarmed by one."""
    listed = [one for group in groups for one in group.odd]
    if not listed:
        return
    yield f"Machines that differ from their group: {len(listed)}"
    listed.sort(key=lambda one: -one.figures)
    table = Table(("machine", "figures", "such as", "its value", "group"), "<><>>")
    for one in listed[:_MOST_MACHINES]:
        values = (number(one.value, 2), number(one.group, 2))
        table.row(plain(one.machine), str(one.figures), plain(one.worst), *values)
    yield table.fitted(width)
    if len(listed) > _MOST_MACHINES:
        yield f"and {len(listed) - _MOST_MACHINES} more"


def _notes(verdict: Verdict, gathered: Gathered, night: Night) -> Iterator[str]:
    begin, until = (f"{one:%Y-%m-%d %H:%M} UTC" for one in (night.begin, night.until))
    yield f"Night: from {begin} to {until}. Records read: {gathered.records}."
    if verdict.level:
        yield (
            f"Budget: at most {verdict.budget:g} false alarms a night are to be expected. A test "
            f"is an alarm at a chance of {verdict.level:.2g}; {verdict.testable} of "
            f"{verdict.tests} have the machines for it."
        )
    if gathered.silent:
        yield f"{_count(gathered.silent, 'machine')} with earlier records sent none this night."
    yield from _unused(gathered.unused)


def _unused(unused: Mapping[str, int]) -> Iterator[str]:
    for why, count in sorted(unused.items()):
        yield f"{_count(count, 'record')} not used: {why}."

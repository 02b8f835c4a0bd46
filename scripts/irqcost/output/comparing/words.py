# SPDX-License-Identifier: GPL-2.0-only
"""A comparison in a few sentences, the answer first. Unreliable results are named as such and never
left out silently."""

from collections.abc import Sequence

from irqcost.base.table import number
from irqcost.compare.comparison import Cell, Row, Section
from irqcost.model import catalogue, naming
from irqcost.model.machine_code import masking
from irqcost.output.finding import ACTS, capital, sentences

# What the sentences are about where it was measured, what says most about masking first.
_TOPICS = (
    "kmod/local_irq_save_restore/throughput",
    "kvm/save_cli_popf/throughput",
    "ring3/popf/throughput",
    "ring3/pushf_pop_push_popf/in_situ/100",
    "bpf/irq_save_restore/throughput",
    "kmod/spin_lock_irqsave/throughput",
)
_MOST_TOPICS = 4

# Core cycles, ns, ticks: a multiple of less than this says nothing.
_LITTLE = 1.0


def answer(section: Section) -> list[str]:
    """The sentences."""
    if len(section.columns) == 1:
        return sentences(section.columns[0].result)
    rows = {row.name: row for row in section.rows}
    found = []
    for name in _TOPICS:
        if name in rows and (said := _said(section, rows[name])):
            found.append(said)
    largest = _largest(section, [rows[name] for name in rows if name not in _TOPICS])
    return [*found[:_MOST_TOPICS], *largest, *_counted(section)]


def called(section: Section, place: int) -> str:
    """A column by its letter and, in short, what tells it from the others."""
    contexts = [column.result.context for column in section.columns]
    names = [naming.short_name(context) for context in contexts]
    if len(set(names)) == 1:
        names = [context.kernel.release for context in contexts]
    if len(set(names)) == 1:
        names = [context.date for context in contexts]
    short = names[place].replace(" (", ", ").replace(")", "")
    return f"{section.letters[place]} ({short})" if short else section.letters[place]


def _said(section: Section, row: Row) -> str:
    """What a row shows; "" where fewer than two columns have it."""
    cells = [(place, cells[0]) for place, cells in enumerate(row.cells) if cells[0].figure]
    if len(cells) < 2:
        return ""
    # Against a first column that lacks it there is no telling.
    comparable = [(place, cell) for place, cell in cells if place == 0 or cell.comparable]
    if cells[0][0] == 0 and len(comparable) < 2:
        return _not_compared(section, row, cells)
    if cells[0][0] != 0 or any(cell.called != cells[0][1].called for _, cell in comparable):
        return ""
    text = _contrast(section, row.name, comparable)
    if unreliable := [section.letters[place] for place, cell in comparable if cell.unreliable]:
        text += f" (unreliable: {', '.join(unreliable)})"
    if left := [section.letters[place] for place, cell in cells if (place, cell) not in comparable]:
        text += f" (not comparable: {', '.join(left)})"
    return f"{text}."


def _contrast(section: Section, name: str, cells: Sequence[tuple[int, Cell]]) -> str:
    ordered = sorted(cells, key=lambda one: _value(one[1]))
    (least, low), (most, high) = ordered[0], ordered[-1]
    one, other = called(section, least), called(section, most)
    act, unit = _act(name), low.called
    if _overlap([cell for _, cell in cells]):
        amounts = " and ".join(dict.fromkeys(amount(cell) for cell in (low, high)))
        return f"{capital(act)}: no visible difference ({amounts} {unit})"
    amounts = f"{amount(low)} {unit} on {one} and {amount(high)} on {other}"
    if len(cells) > 2:
        amounts = f"from {amount(low)} {unit} on {one} to {amount(high)} on {other}"
    if "/in_situ/" in name:
        return f"Around {name.rpartition('/')[2]} cycles of work, {act} adds {amounts}"
    if unit == "instructions" or _value(low) < _LITTLE:
        return f"{capital(act)} takes {amounts}"
    times = number(_value(high) / _value(low), 1)
    # Cycles of different clocks are no speed.
    more = f"{times} times as long" if unit == "ns" else f"{times} times as many {unit}"
    amounts = f"{amount(high)} and {amount(low)}" + (f" {unit}" if unit == "ns" else "")
    if len(cells) == 2:
        return f"{capital(act)} takes {more} on {other} as on {one}: {amounts}"
    return f"{capital(act)} takes least on {one} and most on {other}, {more}: {amounts}"


def _not_compared(section: Section, row: Row, cells: Sequence[tuple[int, Cell]]) -> str:
    """That nothing of a row may be compared with the first column, where the kernels are why."""
    backend, probe = row.name.split("/")[:2]
    contexts = [section.columns[place].result.context for place, _ in cells]
    if not masking.not_comparable(contexts[0].masking, contexts[-1].masking, backend, probe):
        return ""
    ways: dict[str, list[str]] = {}
    for (place, _), context in zip(cells, contexts):
        how = masking.way(context.masking.kind) if context.masking.kind else "in an unknown way"
        ways.setdefault(how, []).append(section.letters[place])
    how = "; ".join(f"{', '.join(letters)} {way}" for way, letters in ways.items())
    return f"The kernels mask in different ways, so their functions are not compared: {how}."


def _largest(section: Section, rows: Sequence[Row]) -> list[str]:
    """The reliable row that differs most, where two columns are compared."""
    if len(section.columns) != 2:
        return []
    known = catalogue.by_key()
    best: tuple[float, Row] | None = None
    for row in rows:
        one, two = (cells[0] for cells in row.cells)
        probe = known.get(row.probe)
        if _state(row) not in ("less", "more") or (probe and probe.group == "control"):
            continue
        low, high = sorted((_value(one), _value(two)))
        times = max(high, _LITTLE) / max(low, _LITTLE)
        if best is None or times > best[0]:
            best = (times, row)
    if best is None:
        return []
    times, row = best
    values = ", ".join(f"{amount(c[0])} on {x}" for c, x in zip(row.cells, section.letters))
    unit = row.cells[0][0].called
    # A multiple of almost nothing says nothing.
    least = min(_value(c[0]) for c in row.cells)
    multiple = f" ({number(times, 1)} times)" if times >= 1.1 and least >= _LITTLE else ""
    return [f"Largest other difference: {row.name}, {values} {unit}{multiple}."]


def _counted(section: Section) -> list[str]:
    """In how many results the second column is faster, and how many say nothing."""
    if len(section.columns) != 2:
        return []
    known = catalogue.by_key()
    rows = [
        row
        for row in section.rows
        if all(cells[0].figure for cells in row.cells)
        and (row.probe not in known or known[row.probe].group != "control")
    ]
    states = [_state(row) for row in rows]
    if not rows:
        return ["The two have no result in common."]
    count = {state: states.count(state) for state in _STATES}
    if count["unreliable"] == len(rows):
        all_ = (
            f"all {len(rows)} common results are" if len(rows) > 1 else "the only common result is"
        )
        return [f"Too noisy to compare: {all_} unreliable."]
    unit = rows[0].cells[0][0].called
    better, worse = ("is faster", "slower") if unit == "ns" else (f"takes fewer {unit}", "more")
    said = [f"{better} in {count['less']} of {len(rows)} common results"]
    said.append(f"{worse} in {count['more']}")
    more = [f"{count[state]} {words}" for state, words in _STATES.items() if words and count[state]]
    text = f"{section.letters[1]} {', '.join(said)}"
    return [text + (f"; {', '.join(more)}" if more else "") + "."]


_STATES = {
    "less": "",
    "more": "",
    "same": "without a visible difference",
    "unreliable": "unreliable",
    "incomparable": "not comparable",
}


def _state(row: Row) -> str:
    one, two = (cells[0] for cells in row.cells)
    if one.figure is None or two.figure is None or not two.comparable:
        return "incomparable"
    if one.unreliable or two.unreliable:
        return "unreliable"
    if _overlap([one, two]):
        return "same"
    return "less" if _value(two) < _value(one) else "more"


def _overlap(cells: Sequence[Cell]) -> bool:
    """Whether the intervals leave open that all are the same."""
    figures = [cell.figure for cell in cells if cell.figure]
    return max(one.low for one in figures) <= min(one.high for one in figures)


def _value(cell: Cell) -> float:
    assert cell.figure is not None
    return cell.figure.value


def amount(cell: Cell) -> str:
    """The number as a sentence has it."""
    if cell.called == "instructions":
        return f"{_value(cell):g}"
    return number(_value(cell), 2 if abs(_value(cell)) < _LITTLE else 1)


def _act(name: str) -> str:
    probe = name.split("/")[1]
    return ACTS.get(probe, probe)

# SPDX-License-Identifier: GPL-2.0-only
"""What of results may share a chart, and what it is called there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from irqcost.compare.labels import Series, short_names
from irqcost.model import catalogue, naming, units
from irqcost.model.result import Entry, Result, without_emulated
from irqcost.output import finding
from irqcost.output.charts.output_files import WIDE, Theme
from irqcost.output.charts.parts.rows import Mark, Row
from irqcost.output.charts.parts.sheet import Key, short
from irqcost.output.charts.parts.style import amount

# As many have colours of their own: more are told apart by nobody.
COLOURED = 4

_NAME = 1.3  # inches, of a CPU's name beside a number

_KINDS = ("real", "simulated", "emulated")


@dataclass(frozen=True)
class Chosen:
    """Results of one kind and one unit, with short names; `source` says where they come from, and
    what was left out."""

    series: Sequence[Series]
    names: Sequence[str]
    unit: str
    source: str

    @property
    def exact(self) -> bool:
        return all(one.result.context.instruction_clock for one in self.series)

    @property
    def called(self) -> str:
        """The unit as it is written."""
        return units.unit_name(self.unit, self.series[0].result)

    def titled(self, finding: str) -> str:
        """A title, which says where it is no CPU's."""
        kind = self.series[0].result.context.kind
        return finding if kind == "real" or self.exact else f"{finding} ({kind})"

    def cost(self, place: int, entry: Entry | None) -> units.Value | None:
        """Of one operation; None where the result does not have it."""
        if entry is None:
            return None
        found = units.figure(self.series[place].result, entry, self.unit)
        share = operations(entry.probe)
        if found is None or share == 1:
            return found
        return units.Value(found.value / share, found.low / share, found.high / share)

    def said(self, value: float, unreliable: bool = False) -> str:
        return amount(value, self.exact) + (" ?" if unreliable else "")

    def colour(self, theme: Theme, place: int) -> str:
        return theme.colour(place) if len(self.series) <= COLOURED else theme.muted

    def keys(self, theme: Theme) -> list[Key]:
        """A mark for each result, where they have colours and are several."""
        return [Key(name, colour) for name, colour in zip(self.names, self.colours(theme))]

    @property
    def headings(self) -> Sequence[str]:
        """Of the numbers of row(): those of a single result follow its marks."""
        if len(self.series) == 1:
            return ()
        return self.names if len(self.series) <= COLOURED else ("lowest", "highest")

    def colours(self, theme: Theme) -> list[str]:
        """Of the results, where they have their own."""
        if not 1 < len(self.series) <= COLOURED:
            return []
        return [theme.colour(place) for place in range(len(self.series))]

    def contrast(self, rows: Mapping[str, Mapping[int, Entry]]) -> str:
        """By what many results differ most, of rows by their labels; "" where nothing is sure."""
        widest, said = 1.0, ""
        for words, entries in rows.items():
            costs = [
                (cost.value, cost.low, cost.high, place)
                for place, entry in entries.items()
                if not entry.unreliable and (cost := self.cost(place, entry))
            ]
            if not costs:
                continue
            low, high = min(costs), max(costs)
            ratio = max(high[0], 1.0) / max(low[0], 1.0)
            if low[2] < high[1] and ratio > widest:
                widest = ratio
                said = f"{words}: {self.said(low[0])} {self.called} on {self.names[low[3]]}, "
                said += f"{self.said(high[0])} on {self.names[high[3]]}"
        return finding.capital(said)

    def row(self, words: str, entries: Mapping[int, Entry], rank: int, theme: Theme) -> Row | None:
        """A row of entries by the places of their results; None where none has the unit."""
        costs = {place: self.cost(place, entry) for place, entry in entries.items()}
        known = {place: cost for place, cost in costs.items() if cost}
        if not known:
            return None
        marks = [
            Mark(
                cost.value,
                cost.low,
                cost.high,
                self.colour(theme, place),
                unreliable=entries[place].unreliable,
                told=self._told(place, entries[place], cost),
            )
            for place, cost in known.items()
        ]
        return Row(words, marks, self._numbers(known, entries, theme), rank)

    def _numbers(
        self, known: Mapping[int, units.Value], entries: Mapping[int, Entry], theme: Theme
    ) -> list[str]:
        said = {p: self.said(cost.value, entries[p].unreliable) for p, cost in known.items()}
        if len(self.series) <= COLOURED:
            return [said.get(place, "–") for place in range(len(self.series))]
        sound = [place for place in known if not entries[place].unreliable] or list(known)
        ends = [end(sound, key=lambda place: known[place].value) for end in (min, max)]
        if theme.width < WIDE:
            return [said[p] for p in ends]
        return [f"{said[p]} {short(self.names[p], _NAME)}" for p in ends]

    def _told(self, place: int, entry: Entry, cost: units.Value) -> str:
        text = f"{entry.name}: {self.said(cost.value)} {self.called}, from "
        text += f"{self.said(cost.low)} to {self.said(cost.high)}; {self.series[place].title}"
        return f"{text}; {entry.remark}" if entry.remark else text


def chosen(series: Sequence[Series], unit: str | None) -> Chosen:
    """Those of the first kind that there is: real results are never beside others, nor figures of
    one unit beside those of another, nor a CPU's beside those of a backend that was emulated."""
    kept: list[Series] = []
    for kind in _KINDS:
        kept = kept or [
            Series(one.name, one.title, _of_kind(one.result, kind))
            for one in series
            if one.result.context.kind == kind
        ]
    first = units.unit_name(unit or units.natural(kept[0].result), kept[0].result)
    same = [one for one in kept if _unit(one, unit) == first]
    source = f"{naming.executions(one.result.context for one in same)}."
    source = f"{'Result' if len(same) == 1 else f'{len(same)} results'}: {source}"
    if len(same) == 1:
        context = same[0].result.context
        source += f" Kernel {context.kernel.release}, {context.date[:10]}."
    if left := len(series) - len(same):
        source += f" {left} results of another kind or unit are not shown."
    return Chosen(same, short_names(same), unit or units.natural(same[0].result), source)


def _of_kind(result: Result, kind: str) -> Result:
    return without_emulated(result) if kind == "real" else result


def _unit(one: Series, unit: str | None) -> str:
    return units.unit_name(unit or units.natural(one.result), one.result)


def operations(probe: str) -> int:
    """How often a row holds what it is a cost of."""
    row = catalogue.by_key().get(probe)
    return row.operations if row else 1


def title(probe: str) -> str:
    """A probe in plain words."""
    row = catalogue.by_key().get(probe)
    return row.title if row else probe


def label(probe: str) -> str:
    """The same beside the cost of one operation (Chosen.cost)."""
    return f"{title(probe)}: each" if operations(probe) > 1 else title(probe)

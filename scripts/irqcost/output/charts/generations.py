# SPDX-License-Identifier: GPL-2.0-only
"""What have popf, pushf with popf, and cli and sti cost since 1978? Published figures, one
hollow mark for each microarchitecture, and our own, filled."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from irqcost.base.errors import NoChart
from irqcost.model import naming, published
from irqcost.model.published import Published
from irqcost.output.charts import Inputs
from irqcost.output.charts.output_files import Theme
from irqcost.output.charts.parts.sheet import SMALL, TEXT, Key, Sheet, Words, short, spread, width
from irqcost.output.charts.parts.style import amount, tooltip

_SHAPES = {"Intel": "o", "AMD": "s"}
_OTHER = "^"
_MODES = ("throughput", "pair", "unspecified")
_SIZE = 26
_FIRST = 1976
_NAME = 6.5  # points
_TALL, _BETWEEN = 2.3, 0.6  # inches, of a panel
_AXIS = 0.3  # to the left of it


@dataclass(frozen=True)
class _Line:
    """What a panel shows under one colour: a published primitive, and entries of ours."""

    primitive: str
    names: tuple[str, ...]
    words: str


_PANELS = (
    ("popf: flags from the stack", (_Line("popf", ("ring3/popf/throughput",), "popf"),)),
    (
        "pushf; popf: flags out and in again",
        (_Line("pushf_popf", ("ring3/pushf_popf/throughput",), "pushf; popf"),),
    ),
    (
        "cli and sti: mask, unmask",
        (
            _Line("cli", ("kmod/cli/throughput", "kvm/cli/throughput"), "cli"),
            _Line("sti", ("kmod/sti/throughput", "kvm/sti/throughput"), "sti"),
            _Line(
                "",
                (
                    "bpf/irq_save_restore/throughput",
                    "kmod/local_irq_save_restore/throughput",
                ),
                "local_irq_save and restore",
            ),
        ),
    ),
)


@dataclass(frozen=True)
class _Mark:
    """A generation's figure: the median of what was published, and all of it."""

    year: float
    value: float
    low: float
    high: float
    vendor: str
    name: str
    suspect: bool
    manual: bool
    told: str


@dataclass(frozen=True)
class _Own:
    """A figure of ours, and its mark."""

    year: float
    value: float
    words: str
    colour: str
    unreliable: bool


def figure(inputs: Inputs, theme: Theme) -> Any:
    """The picture. Raises NoChart without published figures."""
    if not inputs.published:
        raise NoChart("no chart: it is of the published figures, and there are none")
    marks = {
        line.words: _generations(inputs.published, line.primitive)
        for _, lines in _PANELS
        for line in lines
    }
    last = max(mark.year for found in marks.values() for mark in found) + 1
    colours = (Key("Intel", theme.muted, "o", True), Key("AMD", theme.muted, "s", True))
    others = (Key("other makers", theme.muted, "^", True), Key("manuals", theme.muted, "D", True))
    own = (Key("measured by irqcost", theme.ink, "o"),)
    words = Words(
        _headline(marks["popf"]),
        "Core cycles by the year in which the first CPU of a generation was sold",
        _SOURCE,
        [*colours, *others, *own],
    )
    sheet = Sheet(theme, words)
    picture = sheet.open(len(_PANELS) * (_TALL + _BETWEEN))
    for number, (heading, lines) in enumerate(_PANELS):
        top = number * (_TALL + _BETWEEN)
        sheet.text(sheet.left, top + 0.1, heading, weight="bold")
        _panel(_Panel(sheet, picture, theme, top + 0.22, last), lines, marks, inputs)
    return picture


class _Panel:
    """One of the axes, and where on it something is in inches."""

    def __init__(self, sheet: Sheet, picture: Any, theme: Theme, top: float, last: float) -> None:
        self.sheet, self.picture, self.theme, self.top = sheet, picture, theme, top
        # To the right there is room for the names of our own.
        self.side = 1.55 if not sheet.narrow else 1.05
        self.left = sheet.left + _AXIS
        self.wide = sheet.right - self.left - self.side
        self.axes = sheet.axes(self.left, top, self.wide, _TALL)
        self.last = last

    def x(self, year: float) -> float:
        return self.left + (year - _FIRST) / (self.last - _FIRST) * self.wide

    def y(self, value: float) -> float:
        return self.top + _TALL * (1 - value / float(self.axes.get_ylim()[1]))


def _panel(
    panel: _Panel, lines: Sequence[_Line], marks: dict[str, list[_Mark]], inputs: Inputs
) -> None:
    axes, theme = panel.axes, panel.theme
    own = []
    for place, line in enumerate(lines):
        _draw(panel.picture, axes, marks[line.words], theme, place)
        own += _ours(panel.picture, axes, line, inputs, theme, place)
    axes.set_ylim(0, max(axes.dataLim.y1 * 1.08, 1))
    axes.set_xlim(_FIRST, panel.last)
    step = 5 if not panel.sheet.narrow else 10
    axes.set_xticks(range(1980, int(panel.last) + 1, step))
    axes.tick_params(labelsize=SMALL, length=2)
    axes.grid(axis="y", linewidth=0.6)
    taken = [_box(panel, mark.year, mark.value) for line in lines for mark in marks[line.words]]
    taken += [_box(panel, one.year, one.value) for one in own]
    taken += _legend(panel, lines)
    _name_own(panel, own)
    _name(panel, [mark for line in lines for mark in marks[line.words]], taken)


_SOURCE = (
    "Published: the median of what all sources say of a microarchitecture, the line from the least "
    "to the greatest (results/published/); reciprocal throughput, before 1993 the clocks of "
    "manuals. Faint, “?”: suspect. Ours: 95 % intervals, hollow where unreliable. Left out: "
    "tables of compilers and emulators, micro-operations, TSC ticks. In user mode popf cannot "
    "change the interrupt flag."
)


def _generations(figures: Sequence[Published], primitive: str) -> list[_Mark]:
    """The figures of a primitive in core cycles, by generation; sound ones where there are any."""
    groups: dict[tuple[str, str], list[Published]] = {}
    for one in figures:
        if one.primitive != primitive or one.unit != "core_cycles" or one.model:
            continue
        if one.year is not None and one.mode in _MODES:
            groups.setdefault((one.vendor, one.microarchitecture), []).append(one)
    marks = []
    for (vendor, name), group in groups.items():
        sound = [one for one in group if not one.suspect]
        used = sound or group
        values = [one.value for one in used]
        sources = sorted({f"{one.source}, {one.locator}" for one in used})
        more = f" and {len(sources) - 3} more" if len(sources) > 3 else ""
        middle = statistics.median(values)
        told = f"{vendor} {name}: {primitive} {middle:g} core cycles, of {len(values)} figures: "
        told += "; ".join(sources[:3]) + more
        if not sound:
            told += f" (suspect: {group[0].suspect})"
        year = group[0].year
        assert year is not None
        manual = all(one.kind == "vendor" for one in used)
        marks.append(
            _Mark(year, middle, min(values), max(values), vendor, name, not sound, manual, told)
        )
    return sorted(marks, key=lambda mark: mark.year)


def _headline(popf: Sequence[_Mark]) -> str:
    """Of one primitive: the first, the most expensive, and the latest."""
    sound = [mark for mark in popf if not mark.suspect]
    if not sound:
        return "What popf, cli and sti have cost since 1978"
    first, most = sound[0], max(sound, key=lambda mark: mark.value)
    latest = max(sound, key=lambda mark: (mark.year, mark.name))
    return (
        f"popf cost {first.value:g} cycles on the {first.name} and {most.value:g} on {most.name}; "
        f"on {latest.name} of {latest.year:.0f} it costs {latest.value:g}"
    )


def _draw(picture: Any, axes: Any, marks: Sequence[_Mark], theme: Theme, place: int) -> None:
    """Marks that look the same as one collection: one by one they take a second."""
    alike: dict[tuple[str, bool], list[_Mark]] = {}
    for mark in marks:
        shape = "D" if mark.manual else _SHAPES.get(mark.vendor, _OTHER)
        alike.setdefault((shape, mark.suspect), []).append(mark)
    colour = theme.colour(place)
    for (shape, suspect), group in alike.items():
        faint = 0.45 if suspect else 1.0
        years = [mark.year for mark in group]
        lows, highs = ([getattr(mark, end) for mark in group] for end in ("low", "high"))
        axes.vlines(years, lows, highs, color=colour, linewidth=0.7, alpha=faint)
        points = axes.scatter(
            years,
            [mark.value for mark in group],
            s=_SIZE,
            marker=shape,
            facecolor=theme.paper,
            edgecolor=colour,
            linewidth=1.1,
            alpha=faint,
            zorder=2,
        )
        tooltip(picture, points, *(mark.told for mark in group))
    for mark in marks:
        if mark.suspect:
            axes.annotate("?", (mark.year, mark.value), fontsize=6, ha="center", va="center")


def _ours(
    picture: Any, axes: Any, line: _Line, inputs: Inputs, theme: Theme, place: int
) -> list[_Own]:
    """Our own figures of real CPUs."""
    found = []
    for series in inputs.series:
        result = series.result
        year = published.year(inputs.published, result)
        if result.context.kind != "real" or year is None:
            continue
        for name in line.names:
            entry = result.figures.get(name)
            if entry is None or entry.core_cycles is None:
                continue
            if not result.context.masking.native(entry.backend, entry.probe):
                continue  # What masks there is neither cli nor sti.
            low, high = entry.cycles_interval or (entry.core_cycles, entry.core_cycles)
            axes.vlines(year, low, high, color=theme.ink, linewidth=0.9)
            colour = theme.colour(place)
            points = axes.scatter(
                [year],
                [entry.core_cycles],
                s=_SIZE * 1.8,
                marker="*" if entry.backend == "bpf" else "o",
                color=theme.paper if entry.unreliable else colour,
                edgecolor=colour if entry.unreliable else theme.ink,
                linewidth=1.1 if entry.unreliable else 0.6,
                zorder=3,
            )
            told = f"{entry.core_cycles:.2f} core cycles"
            tooltip(picture, points, f"irqcost, {name}: {told}; {series.title}")
            doubt = " ?" if entry.unreliable else ""
            codename = result.context.cpu.codename or naming.short_name(result.context)
            words = f"{amount(entry.core_cycles)}{doubt} {codename}"
            found.append(_Own(float(year), entry.core_cycles, words, colour, entry.unreliable))
    return found


_Box = tuple[float, float, float, float]


def _box(panel: _Panel, year: float, value: float) -> _Box:
    half = 0.05
    x, y = panel.x(year), panel.y(value)
    return (x - half, y - half, x + half, y + half)


def _name_own(panel: _Panel, own: Sequence[_Own]) -> None:
    """Beside the axes, at the height of their marks or near, with a line to them: the newest CPUs
    where there is no room for all."""
    gap = TEXT * 1.25 / 72
    most = int(_TALL / gap)
    shown = sorted({(one.year, one.value, one.words) for one in own}, reverse=True)[:most]
    heights = spread([panel.y(value) for _, value, _ in shown], gap, panel.top, panel.top + _TALL)
    at = panel.left + panel.wide
    for (year, value, words), y in zip(shown, heights):
        ends = (panel.x(year) + 0.06, at + 0.06), (panel.y(value), y)
        panel.sheet.line(*ends, color=panel.theme.muted, linewidth=0.5)
        panel.sheet.text(at + 0.1, y, short(words, panel.side - 0.1, TEXT, "bold"), weight="bold")


def _name(panel: _Panel, marks: Sequence[_Mark], taken: list[_Box]) -> None:
    """Names the marks for which there is room, the most expensive first."""
    half = _NAME * 0.65 / 72
    for mark in sorted(marks, key=lambda one: -one.value):
        words = _short(mark.name)
        x, y = panel.x(mark.year), panel.y(mark.value)
        wide = width(words, _NAME)
        for left in (x + 0.07, x - 0.07 - wide):
            box = (left, y - half, left + wide, y + half)
            free = not any(_overlap(box, other) for other in taken)
            if (
                free
                and box[0] > panel.left
                and box[2] < panel.left + panel.wide
                and _high(panel, y)
            ):
                taken.append(box)
                panel.sheet.text(left, y, words, fontsize=_NAME, color=panel.theme.muted)
                break


def _high(panel: _Panel, y: float) -> bool:
    """Whether a name there is on the axes and clear of their ends."""
    return panel.top < y < panel.top + _TALL - 0.08


def _short(name: str) -> str:
    """A generation's name for a crowded picture."""
    return name.removeprefix("NetBurst (").rstrip(")") if name.startswith("NetBurst") else name


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _legend(panel: _Panel, lines: Sequence[_Line]) -> list[_Box]:
    """What the colours of a panel mean, where it has several; returns where it is."""
    boxes = []
    for place, line in enumerate(lines if len(lines) > 1 else ()):
        x, y = panel.left + 0.12, panel.top + 0.06 + place * TEXT * 1.3 / 72
        shape = "o" if line.primitive else "*"
        panel.sheet.mark(x, y, panel.theme.colour(place), shape, False)
        words = short(line.words, panel.wide - 0.3)
        panel.sheet.text(x + 0.1, y, words)
        boxes.append((x - 0.06, y - 0.08, x + 0.1 + width(words), y + 0.08))
    return boxes

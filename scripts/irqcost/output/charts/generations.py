# SPDX-License-Identifier: GPL-2.0-only
"""What popf, pushf with popf, and cli and sti have cost since 1978: published figures, one hollow
mark for each microarchitecture, and our own, filled."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from irqcost.base.errors import NoChart
from irqcost.model import published
from irqcost.model.published import Published
from irqcost.output.charts import Inputs
from irqcost.output.charts.places import Theme
from irqcost.output.charts.style import WIDTH, footing, heading, pyplot, tooltip, write

_SHAPES = {"Intel": "o", "AMD": "s"}
_OTHER = "^"
_MODES = ("throughput", "pair", "unspecified")
_SIZE = 26
# Years: beyond the latest there is room for names.
_FIRST, _LAST = 1976, 2034


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
                "local_irq_save + restore, measured here",
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


def figure(inputs: Inputs, theme: Theme) -> Any:
    """The picture. Raises NoChart without published figures."""
    if not inputs.published:
        raise NoChart("no chart: it is of the published figures, and there are none")
    marks = {
        line.words: _generations(inputs.published, line.primitive)
        for _, lines in _PANELS
        for line in lines
    }
    title = heading(_headline(marks["pushf; popf"], marks["popf"]))
    caption = footing(_CAPTION)
    heights = (2.9, 2.9, 2.9)
    head, foot, between = 0.45 + 0.22 * len(title), 0.45 + 0.15 * len(caption), 0.62
    height = head + foot + sum(heights) + between * 2
    picture, grid = pyplot.subplots(3, 1, figsize=(WIDTH, height), sharex=True)
    picture.subplots_adjust(
        left=0.075,
        right=0.975,
        top=1 - head / height,
        bottom=foot / height,
        hspace=between / heights[0],
    )
    for axes, (words, lines) in zip(grid, _PANELS):
        labels: list[tuple[float, float, str]] = []
        for place, line in enumerate(lines):
            _draw(picture, axes, marks[line.words], theme, place)
            labels += [(one.year, one.value, _short(one.name)) for one in marks[line.words]]
            labels = _ours(picture, axes, line, inputs, theme, place) + labels
        top = max(axes.dataLim.y1 * 1.16, 1)
        axes.set_ylim(0, top)
        axes.set_xlim(_FIRST, _LAST)
        axes.set_xticks(range(1980, 2026, 5))
        axes.set_title(words, loc="left", fontsize=9)
        axes.set_ylabel("core cycles")
        axes.grid(axis="y", linewidth=0.6)
        axes.tick_params(labelbottom=True)
        _label(axes, labels, top, heights[0], theme)
        _legend(axes, lines, theme)
    grid[-1].set_xlabel("year in which the first CPU of the generation was sold")
    write(picture, theme, title, caption)
    return picture


_CAPTION = (
    "Hollow: published figures (results/published/), the median of what all sources say of a "
    "microarchitecture, the line from the least to the greatest; reciprocal throughput, and before "
    "1993 the clocks of manuals. Faint and marked “?”: suspect. Filled: measured by irqcost, with "
    "its 95 % interval. Circles: Intel, squares: AMD, triangles: others, diamonds: manuals. Tables "
    "of compilers and emulators, micro-operations and TSC ticks are left out. Our popf and that of "
    "InstLatX64 ran in user mode, where it cannot change the interrupt flag."
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


def _headline(pairs: Sequence[_Mark], popf: Sequence[_Mark]) -> str:
    """From the first to the last, and the dearest between."""
    if not popf or not pairs:
        return "What popf, cli and sti have cost since 1978"
    sound = [mark for mark in popf if not mark.suspect]
    first, dearest = sound[0], max(sound, key=lambda mark: mark.value)
    last = max(pairs, key=lambda mark: (mark.year, mark.name))
    return (
        f"popf cost {first.value:g} cycles on the {first.name} and {dearest.value:g} on "
        f"{dearest.name}; with its pushf it costs {last.value:.0f} on {last.name}"
    )


def _draw(picture: Any, axes: Any, marks: Sequence[_Mark], theme: Theme, place: int) -> None:
    """Marks that look alike as one collection: one by one they take a second."""
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
) -> list[tuple[float, float, str]]:
    """Our own figures of real CPUs, filled; returns their labels."""
    labels = []
    for series in inputs.series:
        result = series.result
        year = published.year(inputs.published, result)
        if result.context.kind != "real" or year is None:
            continue
        for name in line.names:
            entry = result.figures.get(name)
            if entry is None or entry.core_cycles is None:
                continue
            if not result.context.masking.native(entry.backend):
                continue  # What masks there is neither cli nor sti.
            low, high = entry.cycles_interval or (entry.core_cycles, entry.core_cycles)
            axes.vlines(year, low, high, color=theme.ink, linewidth=0.9)
            points = axes.scatter(
                [year],
                [entry.core_cycles],
                s=_SIZE * 1.8,
                marker="*" if entry.backend == "bpf" else "o",
                color=theme.colour(place),
                edgecolor=theme.ink,
                linewidth=0.6,
                zorder=3,
            )
            amount = f"{entry.core_cycles:.2f} core cycles"
            tooltip(picture, points, f"irqcost, {name}: {amount}; {series.title}")
            doubt = " ?" if entry.unreliable else ""
            where = "bare metal" if result.context.execution == "bare-metal" else "VM"
            words = f"{result.context.cpu.codename}, ours: {entry.core_cycles:.1f}{doubt} ({where})"
            labels.append((float(year), entry.core_cycles, words))
    return labels


def _short(name: str) -> str:
    """A generation's name for a crowded picture."""
    return name.removeprefix("NetBurst (").rstrip(")") if name.startswith("NetBurst") else name


def _label(
    axes: Any, labels: Sequence[tuple[float, float, str]], top: float, tall: float, theme: Theme
) -> None:
    """Names the marks for which there is room: ours first, then the dearest."""
    per_inch_x, per_inch_y = (_LAST - _FIRST) / (WIDTH * 0.9), top / tall
    taken: list[tuple[float, float, float, float]] = []
    for x, y, _ in labels:
        half = 0.045
        box = (x - half * per_inch_x, y - half * per_inch_y)
        taken.append((*box, x + half * per_inch_x, y + half * per_inch_y))
    named: set[tuple[float, str]] = set()
    ranked = sorted(labels, key=lambda one: ("ours" not in one[2], -one[1]))
    for x, y, words in ranked:
        wide = len(words) * 0.056 * per_inch_x
        if (x, words) in named:
            continue
        # Ours are never left out for want of room beside them: there is some above.
        heights = (0, 0.12, 0.24, -0.12, 0.36, 0.48, 0.6) if "ours" in words else (0,)
        places = [(up, *side) for up in heights for side in ((0.07, "left"), (-0.07, "right"))]
        for up, shift, align in places:
            left = x + shift * per_inch_x - (wide if align == "right" else 0)
            middle = y + up * per_inch_y
            box4 = (left, middle - 0.05 * per_inch_y, left + wide, middle + 0.05 * per_inch_y)
            inside = box4[0] > _FIRST and box4[2] < _LAST
            if inside and not any(_overlap(box4, other) for other in taken):
                taken.append(box4)
                named.add((x, words))
                axes.annotate(
                    words,
                    (x, y),
                    xytext=(shift * 72, up * 72),
                    textcoords="offset points",
                    ha=align,
                    va="center",
                    fontsize=6.3,
                    weight="bold" if "ours" in words else "normal",
                    color=theme.ink if "ours" in words else theme.muted,
                )
                break


def _overlap(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _legend(axes: Any, lines: Sequence[_Line], theme: Theme) -> None:
    if len(lines) == 1:
        return
    for place, line in enumerate(lines):
        shape = "o" if line.primitive else "*"
        axes.scatter([], [], color=theme.colour(place), s=_SIZE, marker=shape, label=line.words)
    axes.legend(loc="upper left", frameon=False, fontsize=8, borderaxespad=0)

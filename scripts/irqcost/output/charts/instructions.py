# SPDX-License-Identifier: GPL-2.0-only
"""How many instructions does each primitive execute, by kernel? Exact counts under the instruction
clock, the darker the more."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from irqcost.base.errors import NoChart
from irqcost.compare.labels import Series
from irqcost.output.charts import Inputs
from irqcost.output.charts.parts.chosen import title
from irqcost.output.charts.output_files import Theme
from irqcost.output.charts.parts.sheet import (
    LONGEST,
    SMALL,
    Sheet,
    Words,
    cut,
    numbered,
    short,
    width,
)
from irqcost.output.charts.parts.style import amount

_ROW = 0.2  # inches
_LABEL = 2.5  # at most
_CELL = 0.42  # at least
_HEAD = 0.12  # a line of a heading
_THOUSANDS = 100_000  # from here on they are counted: cells are narrow
_NAME = 6.0  # points, of a kernel

# Facts of a kernel's configuration that make every masking and unlocking a check.
_CHECKING = frozenset(("TRACE_IRQFLAGS", "LOCKDEP", "KASAN"))


def figure(inputs: Inputs, theme: Theme) -> Any:
    """The picture, of the primitives that differ most where there is no room for all. Raises
    NoChart where no result is one under the instruction clock."""
    what = _counted(inputs)
    sheet = Sheet(theme, what.words)
    columns = _columns(sheet, what.kernels)
    most, names = _most(sheet), what.names
    if len(names) > most or len(what.kernels) > len(columns):
        left_out = f" {min(most, len(names))} of {len(names)} primitives, those that differ most."
        if len(columns) < len(what.kernels):
            left_out += f" {len(columns)} of {len(what.kernels)} kernels."
        sheet = Sheet(theme, replace(what.words, source=_SOURCE + left_out))
        most = _most(sheet)
    shown = sorted(names, key=lambda name: -_ratio(columns, name))[:most]
    shades = _Shades(theme, columns, shown)
    return _draw(sheet, columns, _by_count(columns, shown), shades)


def pages(inputs: Inputs, theme: Theme) -> list[Callable[[], Any]]:
    """All primitives on all kernels, with the same colours. Raises NoChart as figure() does."""
    what = _counted(inputs)
    sheet = Sheet(theme, numbered(what.words, LONGEST, LONGEST, _LONGEST_SPAN))
    wide, most = len(_columns(sheet, what.kernels)), _most(sheet)
    if len(what.names) <= _most(Sheet(theme, what.words)):
        most = len(what.names)
    names = _by_count(what.kernels, what.names)
    shades = _Shades(theme, what.kernels, names)
    parts = [
        (rows, columns)
        for columns in cut(len(what.kernels), lambda first, end: end - first <= wide)
        for rows in cut(len(names), lambda first, end: end - first <= most)
    ]

    def page(number: int, rows: tuple[int, int], columns: tuple[int, int]) -> Any:
        said = f"Primitives {rows[0] + 1} to {rows[1]} of {len(names)}, "
        said += f"kernels {columns[0] + 1} to {columns[1]} of {len(what.kernels)}."
        sheet = Sheet(theme, numbered(what.words, number + 1, len(parts), said))
        return _draw(sheet, what.kernels[slice(*columns)], names[slice(*rows)], shades)

    return [partial(page, number, *part) for number, part in enumerate(parts)]


_LONGEST_SPAN = "Primitives 999 to 999 of 999, kernels 999 to 999 of 999."


@dataclass(frozen=True)
class _Counted:
    """What was counted: the kernels, those that check themselves last, and the primitives."""

    kernels: Sequence[Series]
    names: Sequence[str]
    words: Words


def _counted(inputs: Inputs) -> _Counted:
    exact = [one for one in inputs.series if one.result.context.instruction_clock]
    if not exact:
        raise NoChart(
            "no chart: no result was counted under the instruction clock (irqcost vm --exact)"
        )
    # Kernels that check themselves last: nobody has them in use.
    exact.sort(key=lambda one: (_checks(one), _version(one)))
    names = _names(inputs, exact)
    words = Words(
        _headline(exact, names),
        "Instructions per operation, counted by kernel; the darker, the more",
        _SOURCE,
    )
    return _Counted(exact, names, words)


def _pitch(sheet: Sheet) -> float:
    return 1.9 * _ROW if sheet.narrow else _ROW


def _most(sheet: Sheet) -> int:
    """For how many primitives there is room."""
    return int((sheet.room - 4 * _HEAD) / _pitch(sheet))


def _by_count(columns: Sequence[Series], names: Sequence[str]) -> list[str]:
    return sorted(names, key=lambda name: max(_counts(columns, name), default=0))


_SOURCE = (
    "EMULATED: counted under QEMU's instruction clock, where a tick is an instruction; says "
    "nothing about time. –: not measured. RT: PREEMPT_RT. Kernels with checks (lockdep, KASAN) "
    "have no colour and no part in the title."
)


def _names(inputs: Inputs, exact: Sequence[Series]) -> list[str]:
    """Of each primitive one count, controls only where there is nothing else."""
    found: dict[tuple[str, str], str] = {}
    for one in exact:
        for name, entry in one.result.figures.items():
            key = (entry.backend, entry.probe)
            if entry.mode in ("throughput", "isolated") and not entry.variant:
                if key not in found or entry.mode == "throughput":
                    found[key] = name
    groups = {probe.key: probe.group for probe in inputs.probes}
    known = [name for (_, probe), name in found.items() if probe in groups]
    costs = [name for name in known if groups[name.split("/")[1]] != "control"] or known
    if not costs:
        raise NoChart("no chart: no count of a probe of this catalogue")
    return costs


def _columns(sheet: Sheet, exact: Sequence[Series]) -> list[Series]:
    """As many kernels as there is room for, the newest."""
    room = sheet.right - sheet.left - (0 if sheet.narrow else _LABEL)
    return list(exact[-int(room / _CELL) :])


def _counts(columns: Sequence[Series], name: str) -> list[float]:
    """On kernels that are in use, where there are any."""
    used = [one for one in columns if not _checks(one)] or columns
    return [count for one in used if (count := _count(one, name)) is not None]


def _ratio(columns: Sequence[Series], name: str) -> float:
    """By how much kernels differ."""
    counts = _counts(columns, name)
    return max(counts) / max(min(counts), 0.5) if counts else 0.0


def _draw(sheet: Sheet, columns: Sequence[Series], names: Sequence[str], shades: "_Shades") -> Any:
    pitch = _pitch(sheet)
    heads = [_kernel(one) for one in columns]
    top = max(len(lines) for lines in heads) * _HEAD + 0.06
    figure = sheet.open(top + pitch * len(names))
    labels = [title(name.split("/")[1]) for name in names]
    beside = min(max(map(width, labels)), _LABEL - 0.1) + 0.1
    left = sheet.left if sheet.narrow else sheet.left + beside
    wide = min((sheet.right - left) / len(columns), 0.9)
    cells = sheet.axes(left, top, wide * len(columns), pitch * len(names))
    cells.set_xlim(0, wide * len(columns))
    cells.set_ylim(pitch * len(names), 0)
    cells.axis("off")
    for place, lines in enumerate(heads):
        for number, line in enumerate(reversed(lines)):
            words = short(line, wide - 0.03, _NAME)
            y = top - 0.1 - number * _HEAD
            sheet.text(left + (place + 0.5) * wide, y, words, ha="center", fontsize=_NAME)
    for row, (name, words) in enumerate(zip(names, labels)):
        y = top + row * pitch + _ROW / 2
        room = sheet.right - sheet.left if sheet.narrow else beside - 0.1
        sheet.text(sheet.left, y, short(words, room))
        at = (row + 1) * pitch - _ROW
        for place, one in enumerate(columns):
            _cell(cells, (place * wide, at, wide), _count(one, name), _checks(one), shades)
    return figure


class _Shades:
    """Colours of counts, on a logarithmic scale from the least to the greatest."""

    def __init__(self, theme: Theme, kernels: Sequence[Series], names: Sequence[str]) -> None:
        counts = [count for name in names for count in _counts(kernels, name)]
        positive = [count for count in counts if count > 0] or [1.0]
        self.theme = theme
        self._low, self._high = min(positive), max(positive)
        # One hue from near the paper to its strongest: ordered with any colour vision, and in grey.
        light = theme.paper == "#ffffff"
        ends = ("#eaf1f9", "#08306b") if light else ("#182430", "#8fd0ff")
        self._colours = LinearSegmentedColormap.from_list("count", ends)

    def of(self, count: float | None) -> tuple[Any, str]:
        """Paper and ink; what executes nothing has no colour."""
        if count is None or count <= 0:
            return self.theme.paper, self.theme.muted
        span = math.log(self._high / self._low) or 1.0
        colour = self._colours(min(max(math.log(count / self._low) / span, 0.0), 1.0))
        # The ink that stands out more from this colour, by its luminance.
        luminance = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
        return colour, "#000000" if luminance > 0.5 else "#ffffff"


def _cell(
    axes: Any, at: tuple[float, float, float], count: float | None, plain: bool, shades: _Shades
) -> None:
    x, y, wide = at
    paper, ink = shades.of(None if plain else count)
    edge = shades.theme.paper
    axes.add_patch(Rectangle((x, y), wide, _ROW, facecolor=paper, edgecolor=edge, linewidth=1))
    words = "–" if count is None else amount(count, exact=True)
    if count is not None and count >= _THOUSANDS:
        words = f"{count / 1000:.0f}k"
    how = {"ha": "center", "va": "center_baseline", "fontsize": SMALL, "color": ink}
    axes.text(x + wide / 2, y + _ROW / 2, words, **how)


def _version(one: Series) -> list[int]:
    """Orders kernels by age, whenever each was measured."""
    return [int(number) for number in re.findall(r"\d+", one.result.context.kernel.release)]


def _checks(one: Series) -> bool:
    """Whether the kernel checks its own locks and masking while it runs."""
    config = one.result.context.kernel.config or ()
    return not _CHECKING.isdisjoint(config)


def _kernel(one: Series) -> list[str]:
    """A heading, at most three lines: the version, the build after it, and what is special.

    Debian's releases have one of two forms: version-ABI-flavour, 6.1.0-56-rt-amd64, and
    version+revision-flavour, 6.12.117+deb12-amd64. Whatever is neither is broken at its first dash.
    """
    kernel = one.result.context.kernel
    # Of the architecture there is but one.
    version, *rest = re.split("(?=[-+])", kernel.release.removesuffix("-amd64"))
    build = "".join(part for part in rest if part != "-rt" or not kernel.realtime).lstrip("-")
    lines = [version, build] if build else [version]
    special = [
        words for words, holds in (("RT", kernel.realtime), ("checks", _checks(one))) if holds
    ]
    return [*lines, *special]


def _count(one: Series, name: str) -> float | None:
    entry = one.result.figures.get(name)
    return None if entry is None else entry.ticks


def _headline(exact: Sequence[Series], names: Sequence[str]) -> str:
    """What masking executes, and what differs most between the kernels that are in use: one that
    checks itself executes many times as much, and of whatever it is."""
    used = [one for one in exact if not _checks(one)] or list(exact)
    texts = []
    differ = []
    for name in names:
        counts = [count for one in used if (count := _count(one, name)) is not None]
        if not counts:
            continue
        probe = name.split("/")[1]
        low, high = min(counts), max(counts)
        if probe == "local_irq_save_restore":
            said, most = amount(low, exact=True), amount(high, exact=True)
            said += "" if said == most else f" to {most}"
            texts.append(f"local_irq_save and restore execute {said} instructions")
        if low > 0 and high > low:
            differ.append((high / low, probe, low, high))
    if differ:
        _, probe, low, high = max(differ)
        ends = f"{amount(low, exact=True)} to {amount(high, exact=True)}"
        texts.append(f"“{title(probe)}” differs most: {ends} by kernel")
    text = "; ".join(texts) or f"{len(names)} primitives execute the same on {len(exact)} kernels"
    return text + ("" if len(used) == len(exact) else " (without kernels that check themselves)")

# SPDX-License-Identifier: GPL-2.0-only
"""The charts of a page, as SVG to be put into it and as PNG to stand beside it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from irqcost import charts, forked
from irqcost.catalogue import Probe
from irqcost.errors import IrqcostError, NoChart
from irqcost.model import Result
from irqcost.page.data import COUNTED, MEASURED, Part
from irqcost.published import Published
from irqcost.series import Series


@dataclass(frozen=True)
class Picture:
    """A chart: its name as part of file names, what it shows, and its files."""

    name: str
    shows: str
    light: str  # SVG for a page
    dark: str
    png: Path
    behind: bool  # whether it stands behind the table, as it says more of trust than of cost


@dataclass(frozen=True)
class _Wanted:
    name: str
    chart: str
    shows: str
    mode: str = ""  # figures of this mode only
    behind: bool = False


_OF_KIND = {
    MEASURED: (
        _Wanted("costs", "bars", "Cost of each primitive, by backend and mode"),
        _Wanted("in-situ", "bars", "What each adds to a critical section", "in_situ"),
        _Wanted("machines", "heatmap", "The same as colours, by machine"),
        _Wanted("contention", "contention", "Locks that several CPUs take"),
        _Wanted("pending", "pending", "How long interrupts waited"),
        _Wanted("generations", "generations", "Beside what was published, by year", behind=True),
        _Wanted("distribution", "distribution", "How the samples lie", behind=True),
    ),
    COUNTED: (_Wanted("instructions", "instructions", "Instructions by kernel and primitive"),),
}


def drawn(
    part: Part, probes: Sequence[Probe], figures: Sequence[Published], folder: Path
) -> list[Picture]:
    """All charts that the part has figures for, made in a folder for temporary files."""

    def made(wanted: _Wanted) -> Picture | None:
        series = [_chosen(column.series, wanted.mode) for column in part.columns]
        material = charts.Material(series, probes, None, figures)
        try:
            return _draw(wanted, material, folder)
        except NoChart:
            return None  # Most results lack what one or the other is made of.

    several = len(part.columns) > 1
    wanted = [one for one in _OF_KIND.get(part.kind, ()) if several or one.chart != "heatmap"]
    return [picture for picture in forked.each(made, wanted) if picture]


def _chosen(series: Series, mode: str) -> Series:
    if not mode:
        return series
    entries = tuple(entry for entry in series.result.entries if entry.mode == mode)
    return replace(series, result=Result(series.result.context, entries))


def _draw(wanted: _Wanted, material: charts.Material, folder: Path) -> Picture:
    from irqcost.charts import style  # matplotlib takes a second to load

    light, dark = (folder / f"{wanted.name}-{theme}.svg" for theme in style.THEMES)
    png = folder / f"{wanted.name}.png"
    places = [
        style.Place(light, light, style.LIGHT),
        style.Place(png, png, style.LIGHT),
        style.Place(dark, dark, style.DARK),
    ]
    charts.draw(wanted.chart, material, places)
    texts = {
        theme: inline(path.read_text(encoding="utf-8"), f"{wanted.name}-{theme}-", wanted.shows)
        for theme, path in zip(style.THEMES, (light, dark))
    }
    return Picture(wanted.name, wanted.shows, texts["light"], texts["dark"], png, wanted.behind)


# What stands before the root, and what only files of their own have.
_PROLOGUE = re.compile(r"\A.*?(?=<svg\b)", re.DOTALL)
_NO_PART = re.compile(
    r"<metadata>.*?</metadata>|<!--.*?-->|<defs>\s*<style[^>]*>[^<]*</style>\s*</defs>", re.DOTALL
)
_ROOT = re.compile(r"\A<svg\b[^>]*>")
_REFERENCE = re.compile(r'(\bid="|\burl\(#|\bhref="#)')
_VIEW = re.compile(r'\bviewBox="[^"]*"')


def inline(svg: str, prefix: str, label: str) -> str:
    """An SVG file of matplotlib's as an element of a page: scaled to its place, without what names
    addresses, and with ids that no other picture has."""
    svg = _NO_PART.sub("", _PROLOGUE.sub("", svg, count=1))
    root = _ROOT.match(svg)
    view = _VIEW.search(root.group()) if root else None
    if root is None or view is None:
        raise IrqcostError("the drawing library wrote no SVG with a viewBox")
    # The rule for all marks that stood in the file's own style sheet.
    begin = (
        f'<svg {view.group()} role="img" aria-label="{label}" stroke-linejoin="round" '
        'stroke-linecap="butt">'
    )
    return begin + _REFERENCE.sub(rf"\g<1>{prefix}", svg[root.end() :])

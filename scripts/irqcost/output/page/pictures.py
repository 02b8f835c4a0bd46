# SPDX-License-Identifier: GPL-2.0-only
"""The charts of a page, as SVG to be put into it and as PNG to stand beside it."""

import re
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

from irqcost.base.errors import IrqcostError, NoChart
from irqcost.compare.labels import Series
from irqcost.model.catalogue import Probe
from irqcost.model.published import Published
from irqcost.model.result import Result
from irqcost.output import charts
from irqcost.output.charts.places import DARK, LIGHT, THEMES, Place
from irqcost.output.page.data import COUNTED, MEASURED, Part


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


# Jobs of a part.
MOST_JOBS = len(THEMES) * max(map(len, _OF_KIND.values()))


@dataclass(frozen=True)
class _Job:
    """A chart to be drawn into its files of one theme: with many charts to share out it saves to
    lay them out anew for each file."""

    chart: str
    inputs: charts.Inputs
    places: Sequence[Place]


def drawn(
    part: Part,
    probes: Sequence[Probe],
    figures: Sequence[Published],
    folder: Path,
    workers: Executor,
) -> list[Picture]:
    """All charts that the part has figures for, made in a folder for temporary files."""
    several = len(part.columns) > 1
    wanted = [one for one in _OF_KIND.get(part.kind, ()) if several or one.chart != "heatmap"]
    jobs = []
    for one in wanted:
        series = [_chosen(column.series, one.mode) for column in part.columns]
        inputs = charts.Inputs(series, probes, None, figures)
        places = _places(one, folder)
        for theme in THEMES.values():
            jobs.append(_Job(one.chart, inputs, [p for p in places if p.theme is theme]))
    done = dict[Path, bool]()
    for job, made in zip(jobs, workers.map(_draw, jobs)):
        done |= {place.file: made for place in job.places}
    return [
        _picture(one, folder)
        for one in wanted
        if all(done[place.file] for place in _places(one, folder))
    ]


def _chosen(series: Series, mode: str) -> Series:
    if not mode:
        return series
    entries = tuple(entry for entry in series.result.entries if entry.mode == mode)
    return replace(series, result=Result(series.result.context, entries))


def _draw(job: _Job) -> bool:
    try:
        charts.draw(job.chart, job.inputs, job.places)
    except NoChart:
        return False  # Most results lack what one or the other is made of.
    return True


def _places(wanted: _Wanted, folder: Path) -> list[Place]:
    """Its files: for each theme an SVG, and a PNG."""
    files = [(folder / f"{wanted.name}-{theme.name}.svg", theme) for theme in THEMES.values()]
    files.append((folder / f"{wanted.name}.png", LIGHT))
    return [Place(file, file, theme) for file, theme in files]


def _picture(wanted: _Wanted, folder: Path) -> Picture:
    texts = {}
    for place in _places(wanted, folder)[:-1]:
        svg = place.file.read_text(encoding="utf-8")
        texts[place.theme] = inline(svg, f"{wanted.name}-{place.theme.name}-", wanted.shows)
    png = folder / f"{wanted.name}.png"
    return Picture(wanted.name, wanted.shows, texts[LIGHT], texts[DARK], png, wanted.behind)


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

# SPDX-License-Identifier: GPL-2.0-only
"""The charts of a page, as SVG to be put into it and as PNG beside it."""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

from irqcost.base.errors import IrqcostError, NoChart
from irqcost.compare.labels import Series
from irqcost.model.catalogue import Probe
from irqcost.model.published import Published
from irqcost.output import charts
from irqcost.output.charts.output_files import LIGHT, THEMES, OutputFile
from irqcost.output.page import sections


# Pixels of a phone's page.
PHONE = 360

# What a page shows: by the name that a file has, a theme at a width.
_SEEN = {
    f"{theme.name}{suffix}": theme if width is None else theme.at(width)
    for theme in THEMES.values()
    for suffix, width in (("", None), ("-phone", PHONE))
}


@dataclass(frozen=True)
class Picture:
    """A chart: what it shows, and its files. `drawings` are SVG for a page, by theme and width.
    `whole`: shows all that there is, in each of them."""

    name: str
    shows: str
    drawings: Mapping[str, str]
    png: Path
    whole: bool = True


@dataclass(frozen=True)
class Wanted:
    """A chart to be drawn: the name that its files begin with, the chart, and of what."""

    name: str
    chart: str
    series: Sequence[Series]


@dataclass(frozen=True)
class _Job:
    """A chart to be drawn into its files of one theme: with many charts to share out it saves to
    lay them out anew for each file."""

    chart: str
    inputs: charts.Inputs
    outputs: Sequence[OutputFile]


# Jobs of a page with as many sections as there may be.
MOST_JOBS = len(_SEEN) * sections.MOST


def drawn(
    wanted: Sequence[Wanted],
    probes: Sequence[Probe],
    figures: Sequence[Published],
    folder: Path,
    workers: Executor,
) -> dict[str, Picture]:
    """The charts by their names, made in a folder for temporary files; those that there is nothing
    for are left out."""
    jobs = []
    for one in wanted:
        inputs = charts.Inputs(one.series, probes, None, figures)
        outputs = _output_files(one, folder)
        for theme in _SEEN.values():
            jobs.append(_Job(one.chart, inputs, [p for p in outputs if p.theme == theme]))
    done = dict[Path, bool | None]()
    for job, made in zip(jobs, workers.map(_draw, jobs)):
        done |= {one.file: made for one in job.outputs}
    found = {}
    for one in wanted:
        whole = [done[output.file] for output in _output_files(one, folder)]
        if None not in whole:
            found[one.name] = replace(_picture(one, folder), whole=all(whole))
    return found


def _draw(job: _Job) -> bool | None:
    """Whether the picture shows everything; None where there is nothing to show."""
    try:
        return charts.draw_one(job.chart, job.inputs, job.outputs)
    except NoChart:
        return None  # Most results lack what one or the other is made of.


def _output_files(wanted: Wanted, folder: Path) -> list[OutputFile]:
    """Its files: an SVG for each that is seen, and a PNG."""
    files = [(folder / f"{wanted.name}-{name}.svg", theme) for name, theme in _SEEN.items()]
    files.append((folder / f"{wanted.name}.png", LIGHT))
    return [OutputFile(file, file, theme) for file, theme in files]


def _picture(wanted: Wanted, folder: Path) -> Picture:
    shows = charts.CHARTS[wanted.chart].shows
    drawings = {
        name: inline(
            (folder / f"{wanted.name}-{name}.svg").read_text(encoding="utf-8"),
            f"{wanted.name}-{name}-",
            shows,
        )
        for name in _SEEN
    }
    return Picture(wanted.name, shows, drawings, folder / f"{wanted.name}.png")


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

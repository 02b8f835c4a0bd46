# SPDX-License-Identifier: GPL-2.0-only
"""Writes a site into a folder, whole or not at all."""

import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irqcost.base.errors import IrqcostError
from irqcost.compare.columns import Column
from irqcost.model import catalogue, filenames, published
from irqcost.model.catalogue import Probe
from irqcost.model.published import Published
from irqcost.output.page import article, data, html, pictures
from irqcost.output.page.data import REAL, Part
from irqcost.output.page.pictures import Picture, Wanted
from irqcost.output.page.words import coded
from irqcost.output.site import pages
from irqcost.output.site.machines import Machine

_HERE = Path(__file__).parent

# GitHub Pages would leave out files that it takes for those of its own generator.
_AS_IT_IS = ".nojekyll"


@dataclass(frozen=True)
class Site:
    """What all pages of a site share. `address` is where it will be served, "" where unknown;
    `probes` has the file of each primitive's page."""

    machines: Sequence[Machine]
    parts: Sequence[Part]
    catalogue: Sequence[Probe]
    published: Sequence[Published]
    probes: Mapping[str, str]
    address: str

    def links(self, above: str) -> dict[Path, str]:
        """To the pages of CPUs, by the first file of each column, as seen from a page."""
        return {
            column.paths[0]: above + machine.page
            for machine in self.machines
            for column in machine.columns
        }


def site(machines: Sequence[Machine], address: str) -> Site:
    columns: list[Column] = [column for one in machines for column in one.columns]
    parts = data.parts(columns)
    measured = dict.fromkeys(row.probe for part in parts for row in part.rows)
    names = filenames.distinct([f"{probe}.html" for probe in measured])
    base = f"{address.rstrip('/')}/" if address else ""
    return Site(
        machines, parts, catalogue.read(), published.read(), dict(zip(measured, names)), base
    )


def written(made: Site, target: Path, force: bool, workers: Executor) -> None:
    """Writes the site. A folder that is there stays, unless it is a site and `force` is given."""
    if os.path.lexists(target) and not (force and (target / _AS_IT_IS).exists()):
        why = "is no site of irqcost, and is never overwritten" if force else "exists; --force"
        raise IrqcostError(f"{target}: {why}" + ("" if force else " overwrites an earlier site"))
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        _write(made, partial, workers)
        with suppress(FileNotFoundError):
            shutil.rmtree(target)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write(made: Site, folder: Path, workers: Executor) -> None:
    for name in ("cpu", "primitive"):
        (folder / name).mkdir(parents=True)
    (folder / _AS_IT_IS).touch()
    _overview(made, folder, workers)
    known = {probe.key: probe for probe in made.catalogue}
    grids = [pages.everything(part, made.links(""), known) for part in made.parts]
    _page(made, folder, "table.html", "table.html.j2", headline="All results", grids=grids)
    for probe, name in made.probes.items():
        _primitive(made, folder, probe, name, known.get(probe))
    for machine in made.machines:
        _machine(made, folder, machine, workers)


def _overview(made: Site, folder: Path, workers: Executor) -> None:
    main = made.parts[0]
    series = [column.series for column in main.columns]
    wanted = [Wanted(name, name, series) for name in ("masking", "generations")]
    drawn = pictures.drawn(
        wanted if main.kind == REAL else [], made.catalogue, made.published, folder, workers
    )
    _without_drawings(folder)
    groups: dict[str, list[tuple[str, str]]] = {}
    for probe in made.catalogue:
        if name := made.probes.get(probe.key):
            groups.setdefault(catalogue.GROUPS[probe.group], []).append((probe.key, name))
    unknown = made.probes.keys() - {probe.key for probe in made.catalogue}
    if unknown:
        groups["Not in this catalogue"] = sorted((key, made.probes[key]) for key in unknown)
    _page(
        made,
        folder,
        "index.html",
        "index.html.j2",
        _image(made, drawn, ""),
        headline=pages.headline(main),
        grids=[pages.overview(part, made.links("")) for part in made.parts],
        pictures=drawn,
        groups=groups,
    )


def _primitive(made: Site, folder: Path, probe: str, name: str, known: Probe | None) -> None:
    links = made.links("../")
    grids = [one for part in made.parts if (one := pages.primitive(part, probe, links))]
    answers = [text for part in made.parts if (text := pages.answer(part, probe))]
    _page(
        made,
        folder,
        f"primitive/{name}",
        "primitive.html.j2",
        headline=f"{probe}: {known.title}" if known else probe,
        probe=known,
        use=coded(known.use) if known else None,
        answer=answers[0] if answers else "",
        grids=grids,
        published=pages.of_primitive(made.published, probe),
    )


def _machine(made: Site, folder: Path, machine: Machine, workers: Executor) -> None:
    links = {path: f"../{link}" for path, link in machine.links.items()}
    work = folder / "cpu" / machine.slug
    work.mkdir()
    primitives = {probe: f"../primitive/{name}" for probe, name in made.probes.items()}
    told = article.made(machine.columns, None, [], links, made.catalogue, work, workers, primitives)
    _without_drawings(work)
    drawn = {one.key: one.picture for one in told.sections if one.picture}
    image = _image(made, drawn, f"cpu/{machine.slug}/")
    _page(made, folder, machine.page, "cpu.html.j2", image, **html.values(told))
    for path, link in machine.links.items():
        (folder / link).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / link)


def _without_drawings(folder: Path) -> None:
    """Removes the drawings that the pages contain; the pictures for links stay."""
    for file in folder.glob("*.svg"):
        file.unlink()


def _image(made: Site, drawn: Mapping[str, Picture], folder: str) -> str:
    """The address of the first picture; those who show a link to a page need a whole one."""
    first = next(iter(drawn.values()), None)
    return f"{made.address}{folder}{first.png.name}" if first and made.address else ""


def _page(
    made: Site, folder: Path, name: str, template: str, image: str = "", **values: Any
) -> None:
    """Writes a page; `values` are those of its template, `headline` among them."""
    said = f"{values['headline']}. What masking interrupts costs, measured by irqcost."
    everywhere = {
        "description": said,
        "image": image,
        "address": f"{made.address}{name}" if made.address else "",
        "up": "../" * name.count("/"),
    }
    text = html.rendered(template, _HERE, **(everywhere | values))
    (folder / name).write_text(text, encoding="utf-8")

# SPDX-License-Identifier: GPL-2.0-only
"""The charts of results, by name. One module a chart: to add one is to add a file and a row here.

A chart's module has `figure(inputs, theme)`, which returns a matplotlib figure and raises
NoChart where the inputs have nothing for it. Where one figure may not hold everything it shows what
says most, and the module has `pages(inputs, theme)` as well: a list of functions, each of which
returns the figure of one page. Charts of something else than results (a sweep) have a module here
too, with a function of their own, and no row.

matplotlib takes a while to load: it is imported by the modules below this one, and these only
where something is drawn, or in the processes of workers().
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from irqcost.base import executors
from irqcost.base.safety import surroundings
from irqcost.compare.labels import Series
from irqcost.model.catalogue import Probe
from irqcost.model.published import Published

if TYPE_CHECKING:
    from irqcost.output.charts.output_files import OutputFile, Sheets, Theme


# It evaluates what a file of settings says, in the current folder or where this variable points.
os.environ.pop("MATPLOTLIBRC", None)
surroundings.load_apart("matplotlib", lambda module: module.rcdefaults())


@dataclass(frozen=True)
class Inputs:
    """What charts are made of: results with their names, the catalogue, and the unit.

    `unit` is a key of units.UNITS, or None for each result's natural one.
    """

    series: Sequence[Series]
    probes: Sequence[Probe]
    unit: str | None = None
    published: Sequence[Published] = ()


@dataclass(frozen=True)
class Chart:
    """A chart: its name, which is that of its module, what it shows, and of which figures."""

    name: str
    shows: str
    needs: str


CHARTS = {
    chart.name: chart
    for chart in (
        Chart(
            "masking",
            "save and restore, classic and modern, a line for each CPU, published figures hollow",
            "core cycles of save and restore",
        ),
        Chart("bars", "what each primitive costs, sorted", "any costs"),
        Chart(
            "section",
            "what save and restore add to work of some length",
            "costs around critical sections (in situ)",
        ),
        Chart(
            "instructions",
            "instructions by kernel and primitive",
            "results under the instruction clock (irqcost vm --exact)",
        ),
        Chart(
            "distribution",
            "how the samples of a cost lie about it",
            "result files with histograms, not grouped",
        ),
        Chart(
            "generations",
            "popf, cli and sti by year, published figures hollow",
            "the published figures",
        ),
        Chart("contention", "what a lock costs as CPUs are added", "costs of contention"),
        Chart("pending", "how long interrupts waited", "deferred interrupts"),
    )
}


@contextmanager
def workers(most: int) -> Iterator[Executor]:
    """Processes for drawing `most` files at a time: they load matplotlib while this one still reads
    what they are to draw."""
    with executors.processes(most, _LIBRARIES) as found:
        if not isinstance(found, executors.Here):
            found.submit(load)
        yield found


_LIBRARIES = (
    "irqcost.output.charts.parts.style",
    "matplotlib.backends.backend_svg",
    "PIL.PngImagePlugin",
)


def load() -> None:
    """Loads matplotlib and what it writes files with, or raises what keeps it from being loaded."""
    for name in _LIBRARIES:
        import_module(name)


# Of a theme, the pages of a chart, each drawn when it is called.
Pages = Callable[["Theme"], Sequence[Callable[[], Any]]]


def draw(
    name: str,
    inputs: Inputs,
    sheets: "Sheets",
    workers: Executor = executors.Here(),
) -> None:
    """Draws a chart of CHARTS into the files of output_files.paged(), all pages of it.

    Raises NoChart where the inputs have nothing for it.
    """
    draw_pages(partial(pages_of, name, inputs), sheets, workers)


def draw_pages(pages: Pages, sheets: "Sheets", workers: Executor) -> None:
    """Has the workers draw into output_files.paged(), each into one file; in this process all
    of a page are drawn at once. Raises what `pages` raises."""
    number, count = 1, 1
    while number <= count:
        outputs = sheets.page(number)
        alone = isinstance(workers, executors.Here)
        each = [outputs] if alone else [[output] for output in outputs]
        count = max(workers.map(partial(_draw_page, pages, number), each))
        number += 1


def _draw_page(pages: Pages, number: int, outputs: Sequence["OutputFile"]) -> int:
    """Draws one of the pages, and says how many there are."""
    from irqcost.output.charts.parts import style

    count = 0

    def page(theme: "Theme") -> Any:
        nonlocal count
        every = pages(theme)
        count = len(every)
        return every[number - 1]()

    style.save(page, outputs)
    return count


def draw_one(name: str, inputs: Inputs, outputs: Sequence["OutputFile"]) -> bool:
    """Draws a chart of CHARTS as one picture, and says whether it shows everything.

    Raises NoChart where the inputs have nothing for it.
    """
    from irqcost.output.charts.parts import style

    module = _module(name)
    style.save(lambda theme: module.figure(inputs, theme), outputs)
    return all(len(pages_of(name, inputs, output.theme)) == 1 for output in outputs)


def pages_of(name: str, inputs: Inputs, theme: "Theme") -> Sequence[Callable[[], Any]]:
    module = _module(name)
    if not hasattr(module, "pages"):
        return [partial(module.figure, inputs, theme)]
    found: Sequence[Callable[[], Any]] = module.pages(inputs, theme)
    return found


def _module(name: str) -> Any:
    return import_module(f"irqcost.output.charts.{CHARTS[name].name}")

# SPDX-License-Identifier: GPL-2.0-only
"""The charts of results, by name. One module a chart: to add one is to add a file and a row here.

A chart's module has `figure(inputs, theme)`, which returns a matplotlib figure and raises
NoChart where the inputs have nothing for it. Charts of something else than results (a sweep)
have a module here too, with a function of their own, and no row.

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
from typing import TYPE_CHECKING

from irqcost.base import executors
from irqcost.base.safety import surroundings
from irqcost.compare.labels import Series
from irqcost.model.catalogue import Probe
from irqcost.model.published import Published

if TYPE_CHECKING:
    from irqcost.output.charts.places import Place


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


def each_place(
    draw: Callable[[Sequence["Place"]], object], workers: Executor, places: Sequence["Place"]
) -> None:
    """Has the workers draw into the files of places.made(), each into one; in this process all are
    drawn at once. Raises what `draw` raises."""
    if places:
        alone = isinstance(workers, executors.Here)
        list(workers.map(draw, [list(places)] if alone else [[place] for place in places]))


def draw(
    name: str,
    inputs: Inputs,
    places: Sequence["Place"],
    workers: Executor = executors.Here(),
) -> None:
    """Draws a chart of CHARTS into the files of places.made().

    Raises NoChart where the inputs have nothing for it.
    """
    each_place(partial(_draw, name, inputs), workers, places)


def _draw(name: str, inputs: Inputs, places: Sequence["Place"]) -> None:
    from irqcost.output.charts.parts import style

    module = import_module(f"irqcost.output.charts.{CHARTS[name].name}")
    style.save(lambda theme: module.figure(inputs, theme), places)

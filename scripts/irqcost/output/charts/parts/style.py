# SPDX-License-Identifier: GPL-2.0-only
"""What all charts have in common: sizes, texts, and how they become files."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary
from xml.sax.saxutils import escape

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as pyplot  # noqa: E402  (after the choice; charts take it here)

from irqcost.base.table import number  # noqa: E402
from irqcost.output.charts.output_files import METADATA, OutputFile, Theme  # noqa: E402

UNRELIABLE = "/////"  # the hatch of bars that are not good
DPI = 150

# Of an instruction: the error of a count where all copies are equal.
_WHOLE = 0.02

_STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.axisbelow": True,
    "hatch.linewidth": 0.6,
    # A "$" in the name of a CPU or a kernel is no formula.
    "text.parse_math": False,
    # Text stays text: it can be searched and read aloud.
    "svg.fonttype": "none",
    # The same result gives the same file.
    "svg.hashsalt": "irqcost",
}


def save(draw: Callable[[Theme], Any], outputs: Sequence[OutputFile]) -> None:
    """Draws once for each theme, and fills the files of output_files.made()."""
    for theme in dict.fromkeys(output.theme for output in outputs):
        with drawn(draw, theme) as figure:
            for output in outputs:
                if output.theme == theme:
                    kind = output.target.suffix
                    options = {"dpi": DPI, "metadata": METADATA[kind]}
                    figure.savefig(output.file, format=kind.removeprefix("."), **options)
                    if kind == ".svg":
                        _add_tooltips(figure, output.file)


@contextmanager
def drawn(draw: Callable[[Theme], Any], theme: Theme) -> Iterator[Any]:
    """The figure that `draw` makes, in the style of all charts."""
    with pyplot.rc_context(_STYLE | _coloured(theme)):
        figure = draw(theme)
        try:
            yield figure
        finally:
            pyplot.close(figure)


def amount(value: float, exact: bool = False) -> str:
    """A number as titles and labels have it; whole where it was counted."""
    if exact and abs(value - round(value)) < _WHOLE:
        return number(value, 0)
    size = abs(value)
    return number(value, 2 if size < 0.995 else 1 if size < 1000 else 0)


# What SVG shows where the pointer rests, by figure and group.
_tooltips: WeakKeyDictionary[Any, dict[str, Sequence[str]]] = WeakKeyDictionary()


def tooltip(figure: Any, artist: Any, *texts: str) -> None:
    """Gives a mark a text that an SVG shows under the pointer, and screen readers read; of a
    collection whose marks differ only in their place, each of them one."""
    of_figure = _tooltips.setdefault(figure, {})
    group = f"mark-{len(of_figure)}"
    artist.set_gid(group)
    of_figure[group] = texts


def _add_tooltips(figure: Any, file: Path) -> None:
    texts = _tooltips.get(figure, {})
    if texts:
        svg = file.read_text(encoding="utf-8")
        for group, told in texts.items():
            begin = f'<g id="{group}">'
            before, found, after = svg.partition(begin)
            # What is drawn as a picture within the picture has no group.
            if found:
                svg = before + begin + _titled(after, told)
        file.write_text(svg, encoding="utf-8")


def _titled(svg: str, texts: Sequence[str]) -> str:
    """A group with a title, or with one for each of its marks, which are its <use …/>."""
    titles = [f"<title>{escape(text)}</title>" for text in texts]
    if len(titles) == 1:
        return titles[0] + svg
    parts = svg.split("<use ", len(titles))
    marks = [part.replace("/>", f">{title}</use>", 1) for part, title in zip(parts[1:], titles)]
    return "<use ".join([parts[0], *marks])


def _coloured(theme: Theme) -> dict[str, str]:
    ink = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
    paper = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")
    return (
        {key: theme.ink for key in ink}
        | {key: theme.paper for key in paper}
        | {"grid.color": theme.grid}
    )

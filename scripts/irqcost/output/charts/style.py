# SPDX-License-Identifier: GPL-2.0-only
"""What all charts have in common: sizes, texts, and how they become files."""

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary
from xml.sax.saxutils import escape

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as pyplot  # noqa: E402  (after the choice; charts take it here)
from matplotlib.patches import Patch  # noqa: E402

from irqcost.output.charts.places import METADATA, Place, Theme  # noqa: E402

WIDTH = 8.6  # inches: at 100 dots an inch a column of a blog
IN_DOUBT = "////"  # the hatch of figures that are not good
_DPI = 150

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


def save(draw: Callable[[Theme], Any], places_: Sequence[Place]) -> None:
    """Draws once for each theme, and fills the files of places.made()."""
    for theme in dict.fromkeys(place.theme for place in places_):
        with pyplot.rc_context(_STYLE | _coloured(theme)):
            figure = draw(theme)
            try:
                for place in places_:
                    if place.theme is theme:
                        kind = place.target.suffix
                        options = {"dpi": _DPI, "metadata": METADATA[kind]}
                        figure.savefig(place.file, format=kind.removeprefix("."), **options)
                        if kind == ".svg":
                            _add_tooltips(figure, place.file)
            finally:
                pyplot.close(figure)


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


def legend(figure: Any, theme: Theme, labels: Sequence[str], below: float) -> None:
    """A line for each series, with its colour, `below` inches under the upper edge."""
    figure.legend(
        handles=[Patch(color=theme.colour(i), label=label) for i, label in enumerate(labels)],
        loc="upper left",
        bbox_to_anchor=(0, 1 - below / figure.get_figheight()),
        frameon=False,
        fontsize=8.5,
        borderaxespad=0.2,
        labelspacing=0.25,
        handlelength=1.2,
    )


def heading(text: str) -> list[str]:
    """The lines of a title."""
    return textwrap.wrap(text, 85)


def footing(text: str) -> list[str]:
    """The lines of a caption."""
    return textwrap.wrap(text, 160)


def write(figure: Any, theme: Theme, title: Sequence[str], caption: Sequence[str]) -> None:
    """Puts the title above and the caption below; the chart leaves room for their lines."""
    left, height = 0.12 / figure.get_figwidth(), figure.get_figheight()
    top = 1 - 0.1 / height
    figure.text(left, top, "\n".join(title), va="top", size=11.5, weight="bold")
    bottom = 0.06 / height
    figure.text(left, bottom, "\n".join(caption), va="bottom", size=7, color=theme.muted)

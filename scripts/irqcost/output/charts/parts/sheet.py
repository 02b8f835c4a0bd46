# SPDX-License-Identifier: GPL-2.0-only
"""A picture as a sheet of paper: title, subtitle, key and source, and the room between them.

All texts are measured before they are placed, so that none is cut or covers another. Lengths are
inches, from the upper left corner.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties

from irqcost.output.charts.output_files import WIDE, Theme
from irqcost.output.charts.parts.style import pyplot

MARGIN = 0.1
TITLE, TEXT, SMALL = 12.0, 8.5, 7.5  # points
LINE = 1.3  # of a text's size, from one line to the next
STEP = TEXT * LINE / 72  # inches, of texts

# Of a picture of 1,200 dots' width; on a phone it is scrolled, and may be longer for its width.
_TALLEST = 1600 / 1200
_TALLEST_NARROW = 4.5

_RENDERER = RendererAgg(1, 1, 72)


@lru_cache(maxsize=4096)
def width(text: str, size: float = TEXT, weight: str = "normal") -> float:
    """Of a line of text."""
    font = FontProperties(size=size, weight=weight)
    wide, _, _ = _RENDERER.get_text_width_height_descent(text, font, False)
    return float(wide) / 72 * 1.01  # Hinting makes it a little wider in some places.


def wrapped(text: str, room: float, size: float = TEXT, weight: str = "normal") -> list[str]:
    """The lines of a text; words wider than the room are divided."""
    lines = [""]
    for word in filter(None, text.split(" ")):
        longer = f"{lines[-1]} {word}".lstrip()
        if width(longer, size, weight) <= room:
            lines[-1] = longer
            continue
        lines.append(word)
        while width(lines[-1], size, weight) > room and len(lines[-1]) > 1:
            cut = next(n for n in range(len(word), 0, -1) if width(word[:n], size, weight) <= room)
            lines[-1:] = word[:cut], word[cut:]
            word = word[cut:]
    return [line for line in lines if line]


def short(text: str, room: float, size: float = TEXT, weight: str = "normal") -> str:
    """The text in a line: what does not fit is an ellipsis."""
    if width(text, size, weight) <= room:
        return text
    while text and width(f"{text}…", size, weight) > room:
        text = text[:-1]
    return f"{text.rstrip(' ,(')}…"


def folded(
    text: str, room: float, most: int = 3, size: float = TEXT, weight: str = "normal"
) -> list[str]:
    """The text in so many lines at most: what does not fit is an ellipsis in the last."""
    lines = wrapped(text, room, size, weight)
    if len(lines) > most:
        lines[most - 1 :] = [short(" ".join(lines[most - 1 :]), room, size, weight)]
    return lines


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places near those wanted, at least a gap apart and between the ends."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    places = [min(max(wanted[i], low), high) for i in order]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + gap)
    if places and places[-1] > high:
        places[-1] = high
        for i in range(len(places) - 2, -1, -1):
            places[i] = min(places[i], places[i + 1] - gap)
    found = [0.0] * len(wanted)
    for place, i in zip(places, order):
        found[i] = place
    return found


@dataclass(frozen=True)
class Key:
    """A mark and what it means."""

    words: str
    colour: str
    shape: str = "o"
    hollow: bool = False


@dataclass(frozen=True)
class Words:
    """What stands around a chart: the finding, what is shown in which unit and how it was measured,
    the marks, and where it comes from."""

    title: str
    subtitle: str
    source: str
    keys: Sequence[Key] = ()


# More pages than this no chart has: their numbers have room in the title.
LONGEST = 99


def numbered(words: Words, page: int, pages: int, span: str) -> Words:
    """The words of one page of several; `span` says which part of the whole is on it."""
    if pages == 1:
        return words
    # Not divided between two lines.
    title = f"{words.title} ({page}\xa0of\xa0{pages})"
    source = f"{words.source} {span}"
    return replace(words, title=title, source=source)


def cut(count: int, fits: Callable[[int, int], bool]) -> list[tuple[int, int]]:
    """Divides so many things over pages, in their order: from which to which each has them, as
    many on one as on the other. `fits` says whether those from one to another have room on one;
    a thing alone always has."""
    least = 1
    while True:
        ends = [count * page // least for page in range(least + 1)]
        found = list(zip(ends, ends[1:]))
        if least >= count or all(fits(*span) for span in found):
            return found
        least += 1


class Sheet:
    """The sheet. What is drawn on it lies between `left` and `right`, and below 0 of the body."""

    def __init__(self, theme: Theme, words: Words) -> None:
        self.theme = theme
        self.width = theme.width / 96
        self.left, self.right = MARGIN, self.width - MARGIN
        self._words = words
        room = self.right - self.left
        self._title = wrapped(words.title, room, TITLE, "bold")
        self._subtitle = wrapped(words.subtitle, room)
        self._source = wrapped(words.source, room, SMALL)
        self._keys = self._flow(words.keys)
        self._top = MARGIN + _height(self._title, TITLE) + _height(self._subtitle, TEXT) + 0.04
        key_lines = 1 + max((line for _, line, _ in self._keys), default=-1)
        self._head = self._top + key_lines * TEXT * LINE / 72 + 0.12
        self._foot = 0.1 + _height(self._source, SMALL) + MARGIN

    @property
    def narrow(self) -> bool:
        """Whether labels have no room beside what they name."""
        return self.theme.width < WIDE * 0.75

    @property
    def room(self) -> float:
        """How tall the body may be."""
        tallest = _TALLEST_NARROW if self.narrow else _TALLEST
        return self.width * tallest - self._head - self._foot - 0.02

    def open(self, body: float) -> Any:
        """Makes the figure with a body of this height, and writes what stands around it."""
        self.height = self._head + body + self._foot
        self.figure = pyplot.figure(figsize=(self.width, self.height))
        self._paper = self.axes(0, -self._head, self.width, self.height)
        self._paper.set_xlim(0, self.width)
        self._paper.set_ylim(body + self._foot, -self._head)
        self._paper.axis("off")
        self._paper.set_in_layout(False)
        at = MARGIN - self._head
        at = self._lines(self._title, at, TITLE, weight="bold")
        self._lines(self._subtitle, at + 0.02, TEXT)
        for x, line, key in self._keys:
            y = self._top - self._head + (line + 0.5) * TEXT * LINE / 72
            self.mark(x + 0.06, y, key.colour, key.shape, key.hollow)
            self.text(x + 0.15, y, key.words)
        self._lines(self._source, body + 0.1, SMALL, color=self.theme.muted)
        return self.figure

    def axes(self, left: float, top: float, wide: float, tall: float) -> Any:
        """Axes in the body."""
        bottom = self.height - self._head - top - tall
        box = (left / self.width, bottom / self.height)
        size = (wide / self.width, tall / self.height)
        return self.figure.add_axes((*box, *size), facecolor="none")

    def text(self, x: float, y: float, words: str, **how: Any) -> None:
        """A line of text, its middle at y of the body."""
        options = {"va": "center_baseline", "fontsize": TEXT} | how
        self._paper.text(x, y, words, **options)

    def heading(self, y: float, lines: Sequence[str], **how: Any) -> None:
        """Lines from the left edge, the middle of the first at y of the body."""
        for place, line in enumerate(lines):
            self.text(self.left, y + place * STEP, line, **how)

    def mark(self, x: float, y: float, colour: str, shape: str, hollow: bool) -> None:
        face = self.theme.paper if hollow else colour
        self._paper.plot(
            [x], [y], shape, color=colour, markerfacecolor=face, markersize=5.5, clip_on=False
        )

    def names(
        self, x: float, ends: Sequence[tuple[float, str, str]], low: float, high: float
    ) -> None:
        """Names of lines at x, near the heights of the body at which these end (height, name,
        colour), between two heights; each after a mark of its colour."""
        gap = TEXT * LINE / 72
        places = spread([y for y, _, _ in ends], gap, low, max(high, low + gap * (len(ends) - 1)))
        for (y, words, colour), place in zip(ends, places):
            self.line((x + 0.02, x + 0.14), (y, place), color=colour, linewidth=0.8)
            self.mark(x + 0.19, place, colour, "o", False)
            self.text(x + 0.28, place, short(words, self.right - x - 0.28))

    def line(self, x: Sequence[float], y: Sequence[float], **how: Any) -> None:
        self._paper.plot(x, y, **how)

    def _lines(self, lines: Sequence[str], at: float, size: float, **how: Any) -> float:
        for line in lines:
            self._paper.text(self.left, at, line, va="top", fontsize=size, **how)
            at += size * LINE / 72
        return at

    def _flow(self, keys: Sequence[Key]) -> list[tuple[float, int, Key]]:
        """From where in which line each key stands."""
        found = []
        x, line = self.left, 0
        for one in keys:
            key = replace(one, words=short(one.words, self.right - self.left - 0.15))
            wide = 0.15 + width(key.words)
            if x > self.left and x + wide > self.right:
                x, line = self.left, line + 1
            found.append((x, line, key))
            x += wide + 0.2
        return found


def _height(lines: Sequence[str], size: float) -> float:
    return len(lines) * size * LINE / 72

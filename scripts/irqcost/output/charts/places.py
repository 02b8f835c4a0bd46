# SPDX-License-Identifier: GPL-2.0-only
"""Which files charts become, and in which colours. matplotlib, which takes a while to load, is not
needed for it."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from irqcost.base import files


# Pixels of a page (96 an inch) for which charts are drawn: in PNG they are 1,200 dots. On a phone
# there are 360.
WIDE = 768


@dataclass(frozen=True)
class Theme:
    """What a chart is drawn for: the colours of a page (paper, ink for texts, fainter for what
    stands after the data) and its width in pixels."""

    name: str
    paper: str
    ink: str
    muted: str
    grid: str
    # For series, told apart with any colour vision: Okabe and Ito's palette, without the yellow
    # that is too faint on white and the black or blue that are too faint on black.
    colours: tuple[str, ...]
    width: int = WIDE

    def at(self, width: int) -> "Theme":
        """The same colours on a page of another width."""
        return replace(self, width=width)

    def colour(self, index: int) -> str:
        """The colour of a series; beyond the palette they repeat."""
        return self.colours[index % len(self.colours)]


LIGHT = Theme(
    "light",
    paper="#ffffff",
    ink="#1a1a1a",
    muted="#4d4d4d",
    grid="#dddddd",
    colours=("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000"),
)
DARK = Theme(
    "dark",
    paper="#0d1117",
    ink="#e6edf3",
    muted="#a9b4c0",
    grid="#30363d",
    colours=("#56B4E9", "#E69F00", "#00B78A", "#CC79A7", "#F0E442", "#D55E00", "#FFFFFF"),
)
THEMES = {theme.name: theme for theme in (LIGHT, DARK)}


def themes_of(option: str) -> list[Theme]:
    """Those that --theme asks for: one by its name, or `both`."""
    return list(THEMES.values()) if option == "both" else [THEMES[option]]


# The kinds of files, and what they are told: no date, so that nothing differs without reason.
METADATA: dict[str, dict[str, None]] = {".png": {}, ".svg": {"Date": None}}


@dataclass(frozen=True)
class Place:
    """A picture to be: its name, the temporary file that becomes it, and its theme."""

    target: Path
    file: Path
    theme: Theme


@contextmanager
def made(prefix: Path, replace: bool, themes: Sequence[Theme] = (LIGHT,)) -> Iterator[list[Place]]:
    """PREFIX.png and PREFIX.svg, or PREFIX-dark.…, written whole when the block has ended."""
    found = []
    with ExitStack() as stack:
        for theme in themes:
            name = prefix.name + ("" if theme.name == LIGHT.name else f"-{theme.name}")
            for suffix in METADATA:
                target = prefix.with_name(name + suffix)
                file = stack.enter_context(files.written_whole(target, replace))
                found.append(Place(target, file, theme))
        yield found

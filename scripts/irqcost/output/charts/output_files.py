# SPDX-License-Identifier: GPL-2.0-only
"""Which files charts become, and in which colours. matplotlib, which takes a while to load, is not
needed for it."""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
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
class OutputFile:
    """A picture to be: its name, the temporary file that becomes it, and its theme."""

    target: Path
    file: Path
    theme: Theme


@contextmanager
def made(
    prefix: Path, replace: bool, themes: Sequence[Theme] = (LIGHT,)
) -> Iterator[list[OutputFile]]:
    """PREFIX.png and PREFIX.svg, or PREFIX-dark.…, written whole when the block has ended."""
    with ExitStack() as stack:
        yield _entered(stack, prefix, replace, themes)


def _entered(
    stack: ExitStack, prefix: Path, replace: bool, themes: Sequence[Theme]
) -> list[OutputFile]:
    found = []
    for theme in themes:
        for suffix in METADATA:
            target = prefix.with_name(prefix.name + _ending(theme) + suffix)
            file = stack.enter_context(files.written_whole(target, replace))
            found.append(OutputFile(target, file, theme))
    return found


def _ending(theme: Theme) -> str:
    return "" if theme.name == LIGHT.name else f"-{theme.name}"


@dataclass
class Sheets:
    """The files of a chart: those of made(), and for further pages PREFIX-page2.svg and so on.
    `outputs` has those that there are so far, `removed` what was left of an earlier drawing."""

    prefix: Path
    replace: bool
    themes: Sequence[Theme]
    stack: ExitStack
    outputs: list[OutputFile] = field(default_factory=list)
    removed: list[Path] = field(default_factory=list)
    pages: int = 0

    def page(self, number: int) -> list[OutputFile]:
        """The files of a page, which are asked for in their order."""
        if number > self.pages:
            name = self.prefix.name + (f"-page{number}" if number > 1 else "")
            prefix = self.prefix.with_name(name)
            self.outputs += _entered(self.stack, prefix, self.replace, self.themes)
            self.pages = number
        of_page = len(self.themes) * len(METADATA)
        return self.outputs[(number - 1) * of_page : number * of_page]

    def beyond(self) -> list[Path]:
        """Files with the names of pages that this chart does not have."""
        endings = "|".join(map(_ending, self.themes))
        kinds = "|".join(map(re.escape, METADATA))
        page = re.compile(rf"{re.escape(self.prefix.name)}-page(\d+)(?:{endings})(?:{kinds})")
        with suppress(FileNotFoundError):
            return sorted(
                path
                for path in self.prefix.parent.iterdir()
                if (of := page.fullmatch(path.name)) and int(of[1]) > self.pages
            )
        return []

    def said(self) -> list[str]:
        """Lines that name the files."""
        gone = [f"Removed, of an earlier drawing: {path}" for path in self.removed]
        return [f"Chart:  {output.target}" for output in self.outputs] + gone


@contextmanager
def paged(prefix: Path, replace: bool, themes: Sequence[Theme] = (LIGHT,)) -> Iterator[Sheets]:
    """The files of a chart that may have several pages, written whole when the block has ended.

    Pages of an earlier drawing with more of them would be taken for pages of this one. With
    `replace` they are removed then; else they are in the way as the first page's file would be.
    """
    with ExitStack() as stack:
        found = Sheets(prefix, replace, themes, stack)
        found.page(1)
        if not replace and (there := found.beyond()):
            raise files.Taken(f"{there[0]}: exists, and is never overwritten; give another name")
        yield found
    if replace:
        for path in found.beyond():
            files.remove(path)
            found.removed.append(path)

# SPDX-License-Identifier: GPL-2.0-only
"""Plain-text tables."""

import textwrap
from collections.abc import Sequence

# A longer rule would wrap on common terminals.
_MAX_RULE = 100

# Columns of text are not made narrower than this: a word a line cannot be read.
_NARROWEST = 12

_GAP = 2


def number(value: float | None, digits: int) -> str:
    """A value, or a dash for None. Zero is written without a sign."""
    return "-" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"


class Table:
    """Columns aligned by width; numbers (columns marked '>') to the right, text to the left."""

    def __init__(self, columns: Sequence[str], align: str) -> None:
        """`align` has one '<' or '>' a column."""
        self._columns = columns
        self._align = align
        self._lines: list[Sequence[str] | str] = []

    def row(self, *cells: str) -> None:
        self._lines.append(cells)

    def heading(self, text: str) -> None:
        """A line of its own above the rows that follow."""
        self._lines.append(text)

    def __str__(self) -> str:
        rows = [self._columns, *(line for line in self._lines if not isinstance(line, str))]
        return self._drawn([max(map(len, column)) for column in zip(*rows)])

    def fitted(self, width: int) -> str:
        """The table at most so wide. Titles of columns and cells of text are broken at spaces; if
        the numbers alone are too wide, the table is divided, with its first column in each part."""
        widths = self._shrunk(width)
        if _total(widths) <= width or len(widths) < 3:
            return self._drawn(widths, width)
        own = len(widths) - 1
        while own > 1 and _total(widths[:own]) > width:
            own -= 1
        if _total(widths[:own]) > width or own == 1:
            return self._drawn(widths, width)  # One column alone is too wide.
        parts = (range(own), (0, *range(own, len(widths))))
        return "\n\n".join(self._part(part).fitted(width) for part in parts)

    def _part(self, places: Sequence[int]) -> "Table":
        """The table with some of its columns."""
        part = Table([self._columns[i] for i in places], "".join(self._align[i] for i in places))
        part._lines = [
            line if isinstance(line, str) else [line[i] for i in places] for line in self._lines
        ]
        return part

    def _shrunk(self, width: int) -> list[int]:
        """Widths of columns, as far below their natural ones as `width` asks for and words allow:
        first those of titles, then those of text, the widest first."""
        rows = [line for line in self._lines if not isinstance(line, str)]
        titles = [len(title) for title in self._columns]
        bodies = [max((len(row[i]) for row in rows), default=0) for i in range(len(titles))]
        widths = [max(pair) for pair in zip(titles, bodies)]
        for i, title in enumerate(self._columns):
            words = max(map(len, title.split()), default=0)
            excess = _total(widths) - width
            widths[i] = max(widths[i] - max(excess, 0), words, bodies[i])
        text = [i for i, align in enumerate(self._align) if align == "<"]
        while text and _total(widths) > width:
            widest = max(text, key=lambda i: widths[i])
            if widths[widest] <= _NARROWEST:
                break
            widths[widest] -= 1
        return widths

    def _drawn(self, widths: Sequence[int], width: int | None = None) -> str:
        def row(cells: Sequence[str]) -> list[str]:
            broken = [_broken(cell, w) for cell, w in zip(cells, widths)]
            lines = []
            for i in range(max(map(len, broken))):
                parts = (one[i] if i < len(one) else "" for one in broken)
                aligned = (f"{part:{a}{w}}" for part, a, w in zip(parts, self._align, widths))
                lines.append((" " * _GAP).join(aligned).rstrip())
            return lines

        lines = [*row(self._columns), "-" * min(_total(widths), width or _MAX_RULE)]
        for line in self._lines:
            if not isinstance(line, str):
                lines += row(line)
            else:
                lines += [line] if width is None else _broken(line, width)
        return "\n".join(lines)


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _broken(text: str, width: int) -> list[str]:
    """The lines of a cell; those after its first are indented a little more than it."""
    if len(text) <= width:
        return [text]
    indent = " " * min(len(text) - len(text.lstrip()) + 2, width // 2) if text[:1] == " " else ""
    return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False)

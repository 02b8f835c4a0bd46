# SPDX-License-Identifier: GPL-2.0-only
"""Plain-text tables."""

from collections.abc import Sequence

# A rule longer than common terminals would wrap.
_MAX_RULE = 100


def number(value: float | None, digits: int) -> str:
    """A figure, or a dash where there is none. A rounded zero has no sign."""
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
        widths = [max(map(len, column)) for column in zip(*rows)]

        def format_row(cells: Sequence[str]) -> str:
            parts = [f"{c:{a}{w}}" for c, a, w in zip(cells, self._align, widths)]
            return "  ".join(parts).rstrip()

        head = format_row(self._columns)
        rule = "-" * min(sum(widths) + 2 * (len(widths) - 1), _MAX_RULE)
        body = [line if isinstance(line, str) else format_row(line) for line in self._lines]
        return "\n".join([head, rule, *body])

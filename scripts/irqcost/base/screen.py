# SPDX-License-Identifier: GPL-2.0-only
"""What a person reads on standard output: as wide as the terminal, and coloured only there.

Text is made plain, so that it is the same in a pipe; colours are laid over it at the end.
"""

import os
import re
import shutil
import sys
import textwrap

# Without a terminal lines are as long as those of the documentation, whatever started the command.
PIPED_WIDTH = 100

# Tables are made for no less.
LEAST_WIDTH = 80

_INDENT = re.compile(r"\s*")

# What is marked in which style of rich, later ones over earlier ones.
_STYLES = (
    (r"(?m)^[a-z]{1,2}  .*$", "dim"),
    (r"\bgood\b", "green"),
    (r"\b(?:[Uu]nreliable|imprecise|disturbed|inconsistent|uncalibrated)\b", "yellow"),
    (r"\b(?:PARAVIRTUAL|EMULATED|SIMULATED)\b", "bold magenta"),
)


def width() -> int:
    """Columns of the terminal, or of COLUMNS; the same in every pipe."""
    if os.environ.get("COLUMNS", "").isdigit() or sys.stdout.isatty():
        return max(shutil.get_terminal_size().columns, LEAST_WIDTH)
    return PIPED_WIDTH


def wrapped(text: str, hanging: str = "", columns: int | None = None) -> str:
    """Each line of a text broken at spaces to fit; what follows a break is indented like the line,
    and by `hanging` beyond that."""
    columns = columns or width()
    lines: list[str] = []
    for line in text.splitlines():
        found = _INDENT.match(line)
        indent = (found.group() if found else "") + hanging
        if len(line) <= columns:
            lines.append(line)
            continue
        lines += textwrap.wrap(
            line,
            columns,
            subsequent_indent=indent,
            break_on_hyphens=False,
            drop_whitespace=True,
        )
    return "\n".join(lines)


def show(text: str) -> None:
    """Prints a text that fits already; with colours on a terminal that has them, unless NO_COLOR
    is set."""
    if not sys.stdout.isatty():
        print(text)
        return
    try:
        from rich.console import Console  # Only if colours are available.
        from rich.text import Text
    except ImportError:
        print(text)
        return
    coloured = Text(text)
    for pattern, style in _STYLES:
        coloured.highlight_regex(pattern, style)
    Console(highlight=False, width=width()).print(coloured, soft_wrap=True)

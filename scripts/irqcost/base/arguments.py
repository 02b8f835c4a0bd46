# SPDX-License-Identifier: GPL-2.0-only
"""What options of several commands have in common."""

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from irqcost.base import screen

_Options = TypeVar("_Options")

# Wider text is hard to read.
_WIDEST = 100


class Formatter(argparse.HelpFormatter):
    """Help as wide as the terminal: lines of descriptions are broken where they are too long, and
    paragraphs joined where they are shorter."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=min(screen.width(), _WIDEST))

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        # What is indented is a list, whose lines stay apart; other lines are a paragraph's.
        blocks: list[str] = []
        for line in text.strip().splitlines():
            joins = blocks and blocks[-1] and line and not line[0].isspace()
            if joins and not blocks[-1][0].isspace():
                blocks[-1] += f" {line}"
            else:
                blocks.append(line.rstrip())
        return "\n".join(
            screen.wrapped(block, "  " if block[:1].isspace() else "", width) for block in blocks
        )


def named(text: str) -> Path:
    """The type of an option that names a file to be written, or the beginning of such names."""
    path = Path(text)
    if path.name in ("", ".."):
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a file")
    return path


def positive(text: str) -> float:
    """The type of an option that is a number above 0."""
    value = float(text)
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def count(text: str) -> int:
    """The type of an option that is a whole number above 0."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


class _OldName(argparse.Action):
    """An option by its old name: it does what the present one does, and notes its name."""

    def __init__(self, option_strings: Sequence[str], dest: str, now: argparse.Action) -> None:
        super().__init__(
            option_strings,
            dest,
            now.nargs,
            default=argparse.SUPPRESS,
            type=now.type,
            choices=now.choices,
            help=argparse.SUPPRESS,
        )
        self._now = now

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        name = self._now.option_strings[-1]
        print(f"irqcost: {option_string} is called {name} now", file=sys.stderr)
        self._now(parser, namespace, values, option_string)


def add_old_name(parser: argparse._ActionsContainer, old: str, now: argparse.Action) -> None:
    """Keeps the old name of an option, which the help does not show."""
    parser.add_argument(old, dest=now.dest, action=_OldName, now=now)


def add_scheduler(parser: argparse.ArgumentParser) -> None:
    """The option --scheduler, for executors.found()."""
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="have many files read by the Dask cluster of this scheduler (tcp://HOST:PORT), which "
        "sees files and checkout under the same paths (default: by the CPUs of this machine)",
    )


def chosen(kind: Callable[..., _Options], args: argparse.Namespace) -> _Options:
    """A dataclass of options, with those that a command has of the names of its fields."""
    given = vars(args)
    names = [one.name for one in fields(kind)]
    return kind(**{name: given[name] for name in names if name in given})

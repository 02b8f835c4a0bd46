# SPDX-License-Identifier: GPL-2.0-only
"""What options of several commands have in common."""

import argparse
import math
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

_Options = TypeVar("_Options")


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

# SPDX-License-Identifier: GPL-2.0-only
"""Errors that a user can do something about, and the exit codes of all commands."""

import sys
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path

from irqcost.base.safety.texts import plain


class Exit(IntEnum):
    """Exit codes."""

    OK = 0
    FAILED = 1  # a regression, or a check that failed
    UNUSABLE = 2  # wrong usage or unusable data, also where the rest was still done
    UNDECIDED = 3
    BUILD_FAILED = 4
    UNFORESEEN = 70  # an error of irqcost itself; EX_SOFTWARE of sysexits.h
    INTERRUPTED = 130  # as shells report SIGINT
    GUEST_DIED = 255


class Answer(IntEnum):
    """Exit codes of a driver of `git bisect run`, which takes all others below 128 for BAD."""

    GOOD = 0
    BAD = 1
    SKIP = 125  # this commit cannot be tested
    STOP = 128


class IrqcostError(Exception):
    """Ends a command with a message. The message says what was wrong and what would be right."""

    code = Exit.UNUSABLE


class ResultError(IrqcostError):
    """A file that is no usable result: which file, and why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{plain(path)}: {reason}")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[type["ResultError"], tuple[Path, str]]:
        return ResultError, (self.path, self.reason)  # For processes that hand it to another.


# So many files that could not be used are named; a folder may have thousands.
_MOST_NAMED = 20


def name_left_out(errors: Sequence[ResultError], what: str = "left out") -> None:
    """Tells the user which files were left out and why: the first ones, and how many more."""
    for error in errors[:_MOST_NAMED]:
        print(f"irqcost: {what}: {error}", file=sys.stderr)
    if len(errors) > _MOST_NAMED:
        print(f"irqcost: {what}: {len(errors) - _MOST_NAMED} more files", file=sys.stderr)


class NoChart(IrqcostError):
    """A chart that there is nothing for in the results at hand. Whoever draws all that there is may
    go on without it; any other error of a chart is a failure."""


class CpuGone(IrqcostError):
    """The CPU that a process of the harness measured on went offline: what it measured is lost,
    what others measured is not."""


class BuildError(IrqcostError):
    """A build that failed, with the tail of its log."""

    code = Exit.BUILD_FAILED

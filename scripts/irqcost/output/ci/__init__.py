# SPDX-License-Identifier: GPL-2.0-only
"""What continuous integration reads of a check: one module a consumer. docs/CI.md shows them."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from irqcost.base import arguments, files
from irqcost.compare.checked import Checked
from irqcost.output.ci import github, junit, trackers

# Files that an option names: how they are made, and what they are for.
_FILES: dict[str, tuple[Callable[[Sequence[Checked]], str], str]] = {
    "junit": (junit.text, "JUnit XML: a test case for each figure"),
    "benchmark_action": (
        trackers.benchmark_action,
        "for github-action-benchmark, tool customSmallerIsBetter",
    ),
    "bencher": (trackers.bencher, "Bencher Metric Format"),
}


def add_arguments(group: "argparse._ArgumentGroup") -> None:
    """The options of irqcost check that ask for outputs."""
    group.add_argument(
        "--github-summary",
        action="store_true",
        help="Markdown to the file that $GITHUB_STEP_SUMMARY names",
    )
    group.add_argument(
        "--github-annotations",
        action="store_true",
        help="::error and ::warning lines, at most ten",
    )
    for name, (_, what) in _FILES.items():
        group.add_argument(
            f"--{name.replace('_', '-')}", metavar="FILE", type=arguments.named, help=what
        )


@contextmanager
def outputs(args: argparse.Namespace) -> Iterator[Callable[[Sequence[Checked]], None]]:
    """Yields what writes the files that were asked for. That they can be written is checked on
    entry; they appear when the block ends without an error."""
    summary = github.summary_file() if args.github_summary else None
    with ExitStack() as stack:
        places: dict[str, Path] = {
            name: stack.enter_context(files.written_whole(getattr(args, name), replace=True))
            for name in _FILES
            if getattr(args, name)
        }

        def write(checked: Sequence[Checked]) -> None:
            for name, place in places.items():
                place.write_text(_FILES[name][0](checked), encoding="utf-8")
            if summary is not None:
                github.append(summary, github.summary(checked))

        yield write


def lines(args: argparse.Namespace, checked: Sequence[Checked]) -> list[str]:
    """What is printed for the CI server."""
    return github.annotations(checked) if args.github_annotations else []

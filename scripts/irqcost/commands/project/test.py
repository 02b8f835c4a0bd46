# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost test`: every test there is, and one count over all."""

import argparse

from irqcost.base.errors import Exit
from irqcost.commands.project.suites import harness_tests, python_tests


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "test",
        help="run every test",
        description="Builds what is tested and runs the tests of the harness, of the scripts and, "
        "in guests, of the kernel module. Its last lines say why tests were skipped, and how many "
        "ended how. Ends with 1 when one fails.",
    )
    parser.add_argument("--fast", action="store_true", help="without the tests that boot guests")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    counts = harness_tests() + python_tests(args.fast)
    print(*counts.skips(), counts, sep="\n")
    return Exit.FAILED if counts.failed or not counts.passed else Exit.OK

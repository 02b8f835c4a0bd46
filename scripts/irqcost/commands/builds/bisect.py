# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost bisect`: which commit changed an instruction count."""

import argparse
import re
from pathlib import Path

from irqcost.base import layout
from irqcost.base.errors import IrqcostError
from irqcost.compare.bisect import counting, search
from irqcost.compare.bisect.counting import Asked

_DESCRIPTION = """\
Finds the commit of a kernel, or of irqcost, that changed how many instructions a benchmark
executes. Each commit is built and measured in a guest under the instruction clock, so a count is
exact, and the same every time. With GOOD and BAD the whole bisection is done in a work tree of its
own. With --good the command judges what is checked out in the tree: for `git bisect run`.
"""

_EPILOG = """\
A kernel is built with the smallest configuration that boots (bench_kmod/tests/guest.config).

exit codes with GOOD and BAD: 0 found; 2 wrong usage, or an end cannot be counted; 3 several commits
are left, which cannot be counted. With --good: 0 good, 1 bad, 125 cannot be counted, so skip; 128
stop, for something else is wrong.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "bisect",
        help="find the commit that added an instruction",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("ends", nargs="*", metavar="GOOD BAD", help="two revisions of the tree")
    add(
        "--benchmark",
        required=True,
        metavar="NAME",
        help="what to count, such as kmod/local_irq_save_restore/throughput",
    )
    add(
        "--tree",
        type=Path,
        metavar="DIR",
        help="git tree of a kernel or of irqcost (default: this irqcost; with --good the current "
        "folder)",
    )
    add("--config", type=Path, metavar="FILE", help="further lines of a kernel's configuration")
    add("--kernel", default="6.1", metavar="KERNEL", help="for a tree of irqcost: as of irqcost vm")
    add("--good", metavar="COUNT", help="judge what is checked out: more instructions are bad")
    add("--bad", metavar="COUNT", help="with --good: where this is less, fewer are bad")
    parser.set_defaults(run=run, judges=True)


def run(args: argparse.Namespace) -> int:
    if (len(args.ends), args.good is None) not in ((2, True), (0, False)):
        raise IrqcostError("bisect needs GOOD and BAD, or --good COUNT, and not both")
    if args.bad is not None and args.good is None:
        raise IrqcostError("--bad goes with --good")
    tree = args.tree or (layout.checkout("irqcost bisect") if args.good is None else Path())
    asked = Asked(args.benchmark, args.kernel, args.config, counting.place(tree))
    if args.good is not None:
        good = _count("--good", args.good)
        bad = None if args.bad is None else _count("--bad", args.bad)
        counting.require(asked, tree)
        counting.require_alone(tree)
        return search.code(lambda: counting.count(asked, tree), good, bad, _say)
    return _searched(args, asked, tree)


def _searched(args: argparse.Namespace, asked: Asked, tree: Path) -> int:
    counting.require(asked, tree)
    good, bad = args.ends
    with counting.apart(asked) as own:
        found = search.found(
            tree, own.place, (good, bad), lambda one: counting.count(own, one), _say
        )
    counts = f"{asked.benchmark}: {found.good:g} → {search.instructions(found.bad)}"
    if len(found.commits) == 1:
        print(f"First bad commit: {search.about(tree, found.commits[0])}\n{counts}")
    else:
        print(f"Undecided: one of these commits; most cannot be counted.\n{counts}")
        for commit in found.commits:
            print(f"  {search.about(tree, commit)}")
    return found.code


def _count(option: str, text: str) -> float:
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise IrqcostError(f"{option} {text}: not a number of instructions")
    return float(text)


def _say(text: str) -> None:
    print(text, flush=True)

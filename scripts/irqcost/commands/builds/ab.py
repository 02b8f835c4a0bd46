# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost ab`: two builds beside each other, the sharpest comparison that there is."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from irqcost.base import arguments
from irqcost.base.errors import IrqcostError
from irqcost.base.progress import Progress
from irqcost.compare.ab import builds
from irqcost.compare.ab.builds import Build
from irqcost.compare.ab.counted import counted
from irqcost.compare.ab.loaded import running_kernel
from irqcost.compare.ab.timed import CYCLES, PAIRS, PERCENT, AbOptions, measured
from irqcost.measure import options
from irqcost.output.ab_table import text
from irqcost.stats import intervals
from irqcost.vm.kernels import Kernel, find_kernel

_DESCRIPTION = """\
Compares two builds. Each is a checkout, a git revision of this one (such as HEAD~1; it is unpacked
and built in the cache), or an irqcost-bench. Fresh processes of both alternate on one CPU (A B, B
A, ...), so that changes of the machine affect both equally. The interval is made from these pairs,
and wide enough that all results are right together in 95 of 100 comparisons. With backend kmod,
each build's module is loaded before its process. With --vm both modules and harnesses alternate in
one guest under the instruction clock, where one instruction is a difference.
"""

_EPILOG = """\
exit codes: 0 B is nowhere slower; 1 it is; 2 wrong usage, or not all was measured; 3 undecided
somewhere; 4 a build failed; 255 the guest died
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "ab",
        help="compare two builds: is one slower?",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("a", metavar="A", help="checkout, revision or irqcost-bench")
    add("b", metavar="B", help="what is compared with it")
    options.add_filter(parser)
    add("--backends", metavar="LIST", help="such as ring3,kmod (default: ring3)")
    add("--pairs", metavar="N", type=int, default=PAIRS, help="processes of each (default: 16)")
    add(
        "--cpu", metavar="N", help="the CPU to measure on (default: each pair looks for a free one)"
    )
    add(
        "--threshold-cycles",
        metavar="C",
        type=float,
        default=CYCLES,
        help="ignore differences below so many core cycles, and …",
    )
    add(
        "--threshold-percent",
        metavar="P",
        type=float,
        default=PERCENT,
        help="… one below so many percent of A, in situ with its section (default: 0.125 and 0.3)",
    )
    add("--vm", action="store_true", help="count instructions in a guest, ring 0 as well")
    add("--kernel", metavar="KERNEL", default="6.1", help="with --vm: as of irqcost vm")
    parser.set_defaults(run=run, judges=True)


def run(args: argparse.Namespace) -> int:
    if not (args.threshold_cycles >= 0 and args.threshold_percent >= 0):
        raise IrqcostError("a threshold is below 0")
    if args.pairs < intervals.FEWEST:
        raise IrqcostError(f"--pairs: an interval needs {intervals.FEWEST} or more")
    if args.vm and args.backends:
        raise IrqcostError("--vm measures with all backends that a guest has; see --filter")
    args.backends = args.backends or "ring3"
    sides = [builds.find(which) for which in (args.a, args.b)]
    kernel = _kernel(sides, args)
    for letter, side in zip("AB", sides):
        print(f"{letter}: {side.asked}: {side.about}")
    benches = [side.bench() for side in sides]
    _say_if_same("harnesses", benches)
    modules: list[Path] = []
    if kernel is not None:
        with Progress("building the modules") as progress:
            modules = [side.module(kernel, progress.show) for side in sides]
        _say_if_same("modules", modules)
    print(flush=True)
    if args.vm:
        assert kernel is not None
        found = counted(kernel, benches, modules, args.filter)
    else:
        found = measured(benches, modules or (None, None), arguments.chosen(AbOptions, args))
    print(text(found))
    return found.code


def _say_if_same(what: str, files: Sequence[Path]) -> None:
    if builds.digest(files[0]) == builds.digest(files[1]):
        print(f"Their {what} are the same, byte for byte.")


def _kernel(sides: Sequence[Build], args: argparse.Namespace) -> Kernel | None:
    """The kernel that modules are loaded into, where any are. Raises IrqcostError where it cannot
    be had, before minutes are spent on builds."""
    if not args.vm and "kmod" not in args.backends.split(","):
        return None
    for side in sides:
        side.checkout()
    if not args.vm:
        return running_kernel()
    with Progress(f"kernel {args.kernel}") as progress:
        return find_kernel(args.kernel, progress.show)

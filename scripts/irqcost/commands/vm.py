# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost vm`: measure ring 0 in a guest, and bring the result back."""

import argparse
from pathlib import Path

from irqcost.base import arguments, screen
from irqcost.base.errors import IrqcostError
from irqcost.measure import options
from irqcost.measure.guests.measuring import BACKENDS, GuestOptions, measure
from irqcost.measure.guests.tasks import dry_run, run_builds, run_matrix, run_soak
from irqcost.output import terminal
from irqcost.vm import matrix
from irqcost.vm.from_source import RECIPES
from irqcost.vm.kernels import DEBIAN_KERNELS

_DESCRIPTION = """\
Boots a kernel under QEMU's emulation with the module and the harness in it, and brings the result
back. Any x86-64 machine can do it: nothing is loaded into its own kernel, and kernels are unpacked
from Debian's packages into a cache, not installed. Emulated figures are no measure of a CPU; with
--exact they are exact numbers of instructions.
"""

_EPILOG = """\
The cache is $IRQCOST_CACHE, else $XDG_CACHE_HOME/irqcost, else ~/.cache/irqcost. A kernel stays
as it was fetched; remove its folder there, and the newest package is fetched.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "vm",
        help="measure ring 0 in an emulated guest",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--kernel",
        default="6.1",
        metavar="KERNEL",
        help=f"{', '.join(DEBIAN_KERNELS)} (Debian's), {', '.join(RECIPES)} (built from source, "
        "which takes minutes: see docs/KERNELS.md), or a path: a kernel build tree, or a kernel "
        "image with --headers (default: %(default)s)",
    )
    add("--headers", type=Path, metavar="DIR", help="what to build modules for that image against")
    add("--exact", action="store_true", help="instruction clock: a tick is an instruction")
    _add_tasks(parser)
    add("--out", type=Path, metavar="FILE", help="result file (default: in results/emulated)")
    add("--samples", type=arguments.count, metavar="N", help="samples of each benchmark")
    options.add_filter(parser)
    options.add_contexts(parser)
    add(
        "--backends",
        default=BACKENDS,
        metavar="LIST",
        help="of ring3, kmod, bpf and kvm, which is a guest in the guest (default: %(default)s)",
    )
    add("--smp", type=arguments.count, metavar="N", help="CPUs (default: 1)")
    add("--mirror", metavar="URL", help="Debian archive (default: the one of this machine's apt)")
    add(
        "--time-limit", type=arguments.count, default=600, metavar="S", help="seconds for the guest"
    )
    add("--keep", action="store_true", help="keep the guest's files, and say where they are")
    add("--dry-run", action="store_true", help="print the commands, run none")
    parser.set_defaults(run=run)


def _add_tasks(parser: argparse.ArgumentParser) -> None:
    """What else is done in guests than one measurement."""
    add = parser.add_argument
    add(
        "--matrix",
        nargs="*",
        choices=("all", *matrix.COLUMNS),
        metavar="KERNEL",
        help="one table of exact counts: every kernel of Debian's, those named, or all, which is "
        f"those built from source as well; {', '.join(matrix.SWITCHED)}: what that kernel costs "
        "with them on",
    )
    add(
        "--builds",
        action="store_true",
        help="with --matrix: only build the module for each kernel, and show where that works",
    )
    add("--markdown", type=Path, metavar="FILE", help="with --matrix: the page to update")
    add(
        "--soak",
        type=arguments.count,
        nargs="?",
        const=10,
        metavar="MINUTES",
        help="disturb the module: random requests by several processes, signals, unloading, "
        "memory pressure, a CPU that goes and comes back (default: %(const)s; CPUs: --smp, here "
        "2); then the same in a second guest, on one CPU under the instruction clock, for a tenth "
        "of the time by that clock: its figures must be the same before and after",
    )
    add(
        "--fuzz", type=arguments.count, metavar="REQUESTS", help="random requests, without the rest"
    )
    add("--seed", type=int, default=1, metavar="N", help="of --soak and --fuzz: what is sent")


def run(given: argparse.Namespace) -> int:
    args = arguments.chosen(GuestOptions, given)
    if args.matrix is not None:
        return run_builds(args) if args.builds else run_matrix(args)
    if args.markdown or args.builds:
        raise IrqcostError(f"{'--markdown' if args.markdown else '--builds'} goes with --matrix")
    if args.soak or args.fuzz:
        return run_soak(args)
    if args.dry_run:
        return dry_run(args, args.machine)
    target, result, status = measure(args, args.machine)
    screen.show(terminal.text(result))
    print(f"\nResult: {target}")
    return status

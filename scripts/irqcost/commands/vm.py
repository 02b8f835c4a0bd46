# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost vm`: measure ring 0 in a guest, and bring the result back."""

import argparse
from pathlib import Path

from irqcost.base import arguments, screen
from irqcost.base.errors import IrqcostError
from irqcost.measure import options
from irqcost.measure.guests import foreign
from irqcost.measure.guests.measuring import BACKENDS, GuestOptions, measure
from irqcost.measure.guests.tasks import dry_run, run_builds, run_matrix, run_soak
from irqcost.output import terminal
from irqcost.vm import matrix
from irqcost.vm.from_source import RECIPES
from irqcost.vm.kernels import DEBIAN_KERNELS

_DESCRIPTION = """\
Boots a kernel under QEMU's emulation with the module and the harness, and stores the result. Works
on any x86-64 machine: nothing is loaded into the running kernel; Debian's packages are unpacked
into a cache. Emulated times say nothing about a CPU; with --exact the results are exact numbers of
instructions, also of other architectures (--arch).
"""

_EPILOG = """\
The cache is $IRQCOST_CACHE, else $XDG_CACHE_HOME/irqcost, else ~/.cache/irqcost. To fetch the
newest package of a kernel, remove its folder there.
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
        default="",
        metavar="KERNEL",
        help=f"{', '.join(DEBIAN_KERNELS)} (Debian's), {', '.join(RECIPES)} (built from source, "
        "which takes minutes: see docs/KERNELS.md), or a path: a kernel build tree, or a kernel "
        "image with --headers (default: 6.1, with --arch the one of that)",
    )
    foreign.add_options(parser)
    add("--headers", type=Path, metavar="DIR", help="with a kernel image: where its headers are")
    add("--exact", action="store_true", help="count instructions exactly (one tick each)")
    _add_tasks(parser)
    add("--out", type=Path, metavar="FILE", help="result file (default: in results/emulated)")
    add("--samples", type=arguments.count, metavar="N", help="samples of each benchmark")
    options.add_filter(parser)
    options.add_contexts(parser)
    add(
        "--backends",
        default=BACKENDS,
        metavar="LIST",
        help="ring3, kmod, bpf, kvm (a guest in the guest); default: %(default)s",
    )
    add("--smp", type=arguments.count, metavar="N", help="CPUs (default: 1)")
    add("--mirror", metavar="URL", help="Debian archive (default: the one of this machine's apt)")
    add("--time-limit", type=arguments.count, default=600, metavar="S", help="stop after S seconds")
    add("--keep", action="store_true", help="keep the guest's files and print where")
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
        help="print one table of exact counts for several kernels: those named, every Debian "
        "kernel (the default), or all (also those built from source)",
    )
    add(
        "--builds",
        action="store_true",
        help="with --matrix: only build the module for each kernel and report which builds work",
    )
    add("--markdown", type=Path, metavar="FILE", help="with --matrix: also update this page")
    add(
        "--soak",
        type=arguments.count,
        nargs="?",
        const=10,
        metavar="MINUTES",
        help="stress-test the module (default: %(const)s minutes, 2 CPUs): random requests from "
        "several processes, signals, unloading, memory pressure, CPU hotplug; then on one CPU "
        "under the instruction clock for a tenth of the time: its results must not change",
    )
    add("--fuzz", type=arguments.count, metavar="REQUESTS", help="only send random requests")
    add("--seed", type=int, default=1, metavar="N", help="seed of --soak and --fuzz")


def run(given: argparse.Namespace) -> int:
    args = foreign.resolved(arguments.chosen(GuestOptions, given))
    if args.matrix is not None:
        return run_builds(args) if args.builds else run_matrix(args)
    if args.markdown or args.builds:
        raise IrqcostError(f"{'--markdown' if args.markdown else '--builds'} goes with --matrix")
    if args.soak or args.fuzz:
        return run_soak(args)
    if args.dry_run:
        return dry_run(args, args.machine)
    if args.foreign:
        return foreign.run(args)
    target, result, status = measure(args, args.machine)
    screen.show(terminal.text(result))
    print(f"\nResult: {target}")
    return status

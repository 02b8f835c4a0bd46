# SPDX-License-Identifier: GPL-2.0-only
"""Guests of another architecture than this machine's: exact counts by the module alone."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import contextmanager
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from irqcost.base import files, layout
from irqcost.base.errors import Exit, IrqcostError
from irqcost.base.progress import Progress
from irqcost.measure.guests.measuring import BACKENDS, GuestOptions
from irqcost.vm.across import counting
from irqcost.vm.architectures import ARCHITECTURES, X86
from irqcost.vm.across.counting import Counted
from irqcost.vm.initramfs import MARK, Command
from irqcost.vm.kernels import DEFAULTS, architecture_of, find_kernel, name_on
from irqcost.vm.module import build_module


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `irqcost vm` takes for them."""
    parser.add_argument(
        "--arch",
        choices=tuple(ARCHITECTURES),
        default="",
        metavar="ARCH",
        help=f"{', '.join(ARCHITECTURES)} (default: what the kernel is of, x86); others only with "
        "--exact: their counts are a file of their own kind, not a result",
    )
    parser.add_argument(
        "--cpu",
        default="",
        metavar="MODEL",
        help="QEMU's model of the CPU, such as cortex-a72, with --exact (default: by --arch)",
    )
    parser.add_argument(
        "--parameters",
        default="",
        metavar="TEXT",
        help="further parameters of the kernel, such as irqchip.gicv3_pseudo_nmi=0",
    )


def resolved(args: GuestOptions) -> GuestOptions:
    """@args with the kernel that they mean. Raises IrqcostError where options do not fit."""
    if args.kernel and not args.arch:
        architecture = architecture_of(args.kernel).name
    else:
        architecture = args.arch or X86.name
    kernel = name_on(args.kernel, architecture) if args.kernel else DEFAULTS[architecture]
    found = replace(args, kernel=kernel, arch=architecture)
    if architecture == X86.name or args.matrix is not None:
        return found
    if not args.exact:
        raise IrqcostError(
            f"--arch {architecture} needs --exact: emulated times say nothing about a CPU"
        )
    unfit = {
        "--filter": args.filter,
        "--contexts": args.contexts,
        "--samples": args.samples,
        "--headers": args.headers,
        "--keep": args.keep,
        "--soak": args.soak,
        "--fuzz": args.fuzz,
        "--backends": args.backends != BACKENDS,
    }
    for option, value in unfit.items():
        if value:
            raise IrqcostError(
                f"{option} not with --arch {architecture}: it always counts every row of the "
                "module, by a program of its own"
            )
    return found


def count(args: GuestOptions, setup: Sequence[Command] = ()) -> Counted:
    """Count every row of the module on args.kernel."""
    layout.checkout(f"irqcost vm --arch {architecture_of(args.kernel).name}")
    with Progress(f"kernel {args.kernel}") as progress:
        kernel = find_kernel(args.kernel, progress.show, args.mirror)
        module = build_module(kernel, progress.show)
    with Progress(f"guest with kernel {args.kernel}") as progress:
        progress.show("booting")

        def show(line: str) -> None:
            if line.startswith(MARK):
                progress.show(line.split()[-1])

        counted, _ = counting.count(
            kernel,
            module.read_bytes(),
            replace(args, exact=True).machine,
            setup=setup,
            time_limit=args.time_limit,
            on_line=show,
        )
    return counted


def run(args: GuestOptions) -> int:
    """Count, print the table, and keep the file."""
    with _reserved(args) as target, files.written_whole(target) as partial:
        counted = count(args)
        counting.write(counted, partial)
    print(counted.text())
    print(f"\nCounts: {target}", file=sys.stdout)
    return Exit.OK


@contextmanager
def _reserved(args: GuestOptions) -> Iterator[Path]:
    """The named file, or one that no other guest of the same second takes."""
    if args.out is not None:
        yield args.out
        return
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H%M%SZ")
    folder = layout.results() / "emulated" / "counts"
    cpu = args.cpu or architecture_of(args.kernel).cpu
    with files.claimed_beside(folder / f"{now}-{args.kernel}-{cpu}.json") as path:
        yield path

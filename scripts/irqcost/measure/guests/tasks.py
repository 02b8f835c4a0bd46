# SPDX-License-Identifier: GPL-2.0-only
"""What else is done in guests: all kernels in one table, module builds, disturbing the module."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from irqcost.base import files, layout
from irqcost.base.errors import Exit, IrqcostError
from irqcost.base.progress import Progress
from irqcost.measure import build
from irqcost.measure.guests import foreign
from irqcost.measure.guests.measuring import BACKENDS, GuestOptions, measure
from irqcost.model import catalogue
from irqcost.vm import built, counts, matrix, soak
from irqcost.vm.counts import Counts
from irqcost.vm.initramfs import Command
from irqcost.vm.kernels import DEBIAN_KERNELS, Kernel, find_kernel, is_fetched, memory_mib
from irqcost.vm.module import build_module, make_argv
from irqcost.vm.qemu import Machine, qemu_argv


def run_soak(args: GuestOptions) -> int:
    """Disturb the module on args.kernel, and tell what came of it."""
    if args.exact:
        raise IrqcostError("--exact goes with measuring: --soak and --fuzz measure nothing")
    layout.checkout("irqcost vm --soak and --fuzz")
    amount = soak.Amount(60 * (args.soak or 0), args.fuzz or 0, bool(args.soak), args.seed)
    with Progress(f"kernel {args.kernel}") as progress:
        kernel = find_kernel(args.kernel, progress.show, args.mirror, args.headers)
        module = build_module(kernel, progress.show)
        progress.show("random requests")
        guest = soak.run(kernel, module.read_bytes(), amount, args.smp or 2)
    print(f"kernel {kernel.release}\n{guest.log('fuzz').strip()}")
    failed = _tell(soak.complaints(guest), "clean: answers, log and memory")
    if args.soak:
        failed |= _soak_exactly(kernel, module, replace(amount, seconds=amount.seconds // 10))
    return Exit.FAILED if failed else Exit.OK


def _soak_exactly(kernel: Kernel, module: Path, amount: soak.Amount) -> bool:
    """Disturb the module under the instruction clock; return whether anything is wrong."""
    bench = build.harness()
    with Progress(f"kernel {kernel.name}") as progress:
        progress.show("figures, random requests, figures")
        guest = soak.run_exact(kernel, module.read_bytes(), bench, amount)
    print(f"\non one CPU, under the instruction clock\n{guest.log('fuzz').strip()}")
    before, after = soak.measurements(guest)
    found = soak.complaints(guest) + soak.differences(before, after)
    return _tell(found, f"clean, and {len(after.figures)} figures are what they were before")


def _tell(complaints: Sequence[str], otherwise: str) -> bool:
    """Print what is wrong; return whether anything is."""
    for complaint in complaints:
        print(f"WRONG: {complaint}")
    print(f"{len(complaints)} complaints" if complaints else otherwise, flush=True)
    return bool(complaints)


def matrix_names(asked: Sequence[str]) -> list[str]:
    """The columns of --matrix, in the table's order; none named: Debian's kernels."""
    if "all" in asked:
        return list(matrix.COLUMNS)
    return [name for name in matrix.COLUMNS if name in (asked or DEBIAN_KERNELS)]


def run_matrix(args: GuestOptions) -> int:
    """Measure each kernel; one that cannot be had is named, and the rest is done."""
    if args.out or args.headers or args.smp:
        raise IrqcostError(
            "--matrix chooses kernels, results and one CPU itself: leave out --out, "
            "--headers and --smp"
        )
    if args.markdown and (args.filter or args.backends != BACKENDS):
        raise IrqcostError(
            "--markdown keeps the counts of all rows: leave out --filter and --backends"
        )
    if args.markdown:
        layout.checkout("irqcost vm --matrix --markdown")
    columns, failed = {}, False
    for name in matrix_names(args.matrix or ()):
        column = matrix.COLUMNS[name]
        asked = args.filter or matrix.FILTER
        of_kernel = " ".join(filter(None, (column.parameters, args.parameters)))
        one = replace(
            args, kernel=column.kernel, cpu=column.cpu, parameters=of_kernel, filter=asked
        )
        memory = memory_mib(column.kernel)
        machine = Machine(exact=True, memory_mib=memory, parameters=of_kernel)
        if args.dry_run:
            dry_run(one, machine)
            continue
        try:
            columns[name] = _column(one, machine, column.setup)
        except IrqcostError as error:
            failed = True
            print(f"irqcost: kernel {name}: {error}", file=sys.stderr)
        else:
            if args.markdown:
                # Each time: it takes long, and what is done stays where it is stopped.
                _write_counts(args.markdown, {name: columns[name]})
    if columns:
        print("\n" + matrix.text(columns, catalogue.read()))
    return Exit.UNUSABLE if failed else Exit.OK


def _column(args: GuestOptions, machine: Machine, setup: Sequence[Command]) -> Counts:
    """The counts of a column: by the harness, or on other architectures by the module alone."""
    if args.foreign:
        return foreign.count(args, setup).column()
    target, result, _ = measure(args, machine, setup)
    print(f"Result: {target}", flush=True)
    return counts.of(result, catalogue.read())


def _write_counts(path: Path, new: Mapping[str, Counts]) -> None:
    """The page, with what was counted before; what --builds wrote there stays."""
    known = {**counts.read(counts.RECORD), **new}
    columns = {name: known[name] for name in matrix.COLUMNS if name in known}
    counts.write(columns, counts.RECORD)
    page = matrix.markdown(columns, catalogue.read())
    _write_page(path, page + built.section_of(_page(path)))


def run_builds(args: GuestOptions) -> int:
    """Build the module for each kernel; one that cannot be had is named, and the rest is done."""
    if args.out or args.headers or args.smp or args.dry_run:
        raise IrqcostError("--builds takes no option but --matrix, --markdown and --mirror")
    builds: list[built.Built] = []
    # What is switched on in a kernel is nothing to its modules.
    for name in dict.fromkeys(
        matrix.COLUMNS[one].kernel for one in matrix_names(args.matrix or ())
    ):
        with Progress(f"kernel {name}") as progress:
            try:
                kernel = find_kernel(name, progress.show, args.mirror)
                progress.show("building the module")
                builds.append(built.build(kernel))
            except IrqcostError as error:
                builds.append(built.Built(name, "", problem=str(error).splitlines()[0]))
        if args.markdown:
            # Each time: it takes long, and what is done stays where it is stopped. The page is read
            # anew, as somebody may have written to it meanwhile.
            new = built.rows(builds, datetime.now(timezone.utc).date())
            _write_page(args.markdown, built.with_rows(_page(args.markdown), new))
    print(built.text(builds))
    return Exit.FAILED if any(one.problem or one.warnings for one in builds) else Exit.OK


def _page(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _write_page(path: Path, page: str) -> None:
    with files.written_whole(path, replace=True) as partial:
        partial.write_text(page, encoding="utf-8")


def dry_run(args: GuestOptions, machine: Machine) -> int:
    if not layout.installed():
        print("cmake --preset release\ncmake --build --preset release")
    row = DEBIAN_KERNELS.get(args.kernel)
    if row and not is_fetched(args.kernel):
        print(shlex.join(["apt-get", "download", row.image, row.headers]))
        print("irqcost: the rest depends on which version that is", file=sys.stderr)
        return Exit.OK
    kernel = find_kernel(args.kernel, lambda text: None, args.mirror, args.headers)
    print(shlex.join(make_argv(kernel, Path("BUILD"))))
    print(shlex.join(qemu_argv(kernel, machine, Path("WORK"))))
    return Exit.OK

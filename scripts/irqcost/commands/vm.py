# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost vm`: measure ring 0 in a guest, and bring the result back."""

import argparse
import re
import shlex
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from irqcost import ROOT
from irqcost.base import arguments, files, jsontext
from irqcost.base.errors import Exit, IrqcostError
from irqcost.base.progress import Progress
from irqcost.measure import build
from irqcost.measure.merge import merge
from irqcost.measure.processes import Epoch, Target
from irqcost.model import catalogue, reader
from irqcost.model.result import Result
from irqcost.output import terminal
from irqcost.vm import built, matrix, soak
from irqcost.vm.from_source import RECIPES
from irqcost.vm.initramfs import MARK, Command
from irqcost.vm.kernels import (
    DEBIAN_KERNELS,
    Kernel,
    find_kernel,
    is_fetched,
    kvm_modules,
    memory_mib,
)
from irqcost.vm.module import build_module, make_argv
from irqcost.vm.qemu import GuestResult, Machine, qemu_argv, run_guest, work_directory

# Where things lie in the guest.
BENCH = "/bin/irqcost-bench"
MODULE = "/irqcost.ko"

# Without kvm, which needs more of the kernel, and in the guest is emulated twice.
_BACKENDS = "ring3,kmod,bpf"

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
    """Register `vm`."""
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
    add("--markdown", type=Path, metavar="FILE", help="write the table of --matrix there, too")
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
    add("--out", type=Path, metavar="FILE", help="result file (default: in results/emulated)")
    add("--samples", type=arguments.count, metavar="N", help="samples of each benchmark")
    add("--filter", metavar="REGEX", help="only benchmarks whose name matches")
    add(
        "--contexts",
        metavar="LIST",
        help=f"from where the module calls what it measures: {','.join(catalogue.CONTEXTS)} "
        "(default: process)",
    )
    add(
        "--backends",
        default=_BACKENDS,
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


def guest_commands(
    samples: int | None = None,
    pattern: str | None = None,
    contexts: str | None = None,
    backends: str = _BACKENDS,
    modules: Iterable[str] = (),
) -> list[Command]:
    """What the guest runs: the module is loaded, and @modules of the kernel's own, by file name in
    its root; benchmarks are listed, then measured."""
    bench = [BENCH, f"--irqcost_backends={backends}"]
    if pattern is not None:
        bench.append(f"--benchmark_filter={pattern}")
    if contexts is not None:
        bench.append(f"--irqcost_contexts={contexts}")
    measure = [*bench, "--benchmark_out=/out/result.json", "--benchmark_out_format=json"]
    if samples is not None:
        measure.append(f"--irqcost_samples={samples}")
    return [
        *(Command(f"insmod-{name}", ("insmod", f"/{name}")) for name in modules),
        Command("insmod", ("insmod", MODULE)),
        # The list lets the line of progress say how many there are.
        Command("list", (*bench, "--benchmark_list_tests=true"), capture=False),
        Command("measure", tuple(measure), capture=False),
    ]


class Follower:
    """Turns the guest's console into progress: listed names are the total, later ones are done."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._phase = ""
        self._names: dict[str, bool] = {}

    def line(self, text: str) -> None:
        """Take a line of the console."""
        words = text.split()
        if text.startswith(MARK):
            self._phase = words[-1]
            self._progress.show(self._phase)
        elif words and self._phase == "list":
            self._names[_run_name(words[0])] = False
        elif words and self._phase == "measure" and _run_name(words[0]) in self._names:
            name = _run_name(words[0])
            self._names[name] = True
            self._progress.count(sum(self._names.values()), len(self._names), name)


def _run_name(text: str) -> str:
    """The name of a benchmark, without what Google Benchmark adds, such as /manual_time."""
    return re.sub(r"/[a-z_]+:.*|/manual_time$", "", text)


def run(args: argparse.Namespace) -> int:
    """Run `irqcost vm`."""
    if args.matrix is not None:
        return _run_builds(args) if args.builds else _run_matrix(args)
    if args.markdown or args.builds:
        raise IrqcostError(f"{'--markdown' if args.markdown else '--builds'} goes with --matrix")
    if args.soak or args.fuzz:
        return _run_soak(args)
    machine = Machine(exact=args.exact, cpus=args.smp or 1, memory_mib=memory_mib(args.kernel))
    if args.dry_run:
        return _dry_run(args, machine)
    target, result, status = _measure(args, machine)
    print(terminal.text(result, catalogue.read()))
    print(f"\nResult: {target}")
    return status


def _measure(
    args: argparse.Namespace, machine: Machine, setup: Sequence[Command] = ()
) -> tuple[Path, Result, int]:
    """Measure args.kernel in a guest that has run @setup: the result's file, the result, and the
    harness's status."""
    bench = build.harness()
    with Progress(f"kernel {args.kernel}") as progress:
        kernel = find_kernel(args.kernel, progress.show, args.mirror, args.headers)
        module = build_module(kernel, progress.show)
    own = kvm_modules(kernel) if "kvm" in args.backends.split(",") else {}
    target = args.out or _default_target(kernel, machine)
    with files.written_whole(target) as partial, work_directory(args.keep) as work:
        if args.keep:
            again = shlex.join(qemu_argv(kernel, machine, work))
            print(f"The guest's files are kept: {work}\n{again}", file=sys.stderr)
        started = time.monotonic()
        with Progress(f"guest with kernel {args.kernel}") as progress:
            progress.show("booting")
            guest = run_guest(
                kernel,
                [
                    *setup,
                    *guest_commands(args.samples, args.filter, args.contexts, args.backends, own),
                ],
                programs={BENCH: bench},
                files={MODULE: module.read_bytes(), **{f"/{name}": own[name] for name in own}},
                machine=machine,
                time_limit=args.time_limit,
                on_line=Follower(progress).line,
                work=work,
            )
        for one in setup:
            if guest.status[one.name]:
                raise IrqcostError(f"{one.name} fails in the guest: {guest.log(one.name).strip()}")
        partial.write_bytes(measured(guest))
        _keep(partial, time.monotonic() - started)
        return target, _checked(partial, machine), guest.status["measure"]


def _run_soak(args: argparse.Namespace) -> int:
    """Disturb the module on args.kernel, and tell what came of it."""
    if args.exact:
        raise IrqcostError("--exact goes with measuring: --soak and --fuzz measure nothing")
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


def _run_matrix(args: argparse.Namespace) -> int:
    """Measure each kernel; one that cannot be had is named, and the rest is done."""
    if args.out or args.headers or args.smp:
        raise IrqcostError(
            "--matrix chooses kernels, results and one CPU itself: leave out --out, "
            "--headers and --smp"
        )
    results, failed = [], []
    for name in matrix_names(args.matrix):
        one, column = argparse.Namespace(**vars(args)), matrix.COLUMNS[name]
        one.kernel, one.filter = column.kernel, args.filter or matrix.FILTER
        machine = Machine(exact=True, memory_mib=memory_mib(column.kernel))
        if args.dry_run:
            _dry_run(one, machine)
            continue
        try:
            target, result, _ = _measure(one, machine, column.setup)
        except IrqcostError as error:
            failed.append(f"{name}: {str(error).splitlines()[0]}")
            print(f"irqcost: kernel {name}: {error}", file=sys.stderr)
        else:
            results.append(result)
            print(f"Result: {target}", flush=True)
    if results:
        print("\n" + matrix.text(results, catalogue.read()))
    if results and args.markdown:
        # What --builds wrote there stays.
        page = matrix.markdown(results, catalogue.read(), failed)
        _write_page(args.markdown, page + built.section_of(_page(args.markdown)))
    return Exit.UNUSABLE if failed else Exit.OK


def _run_builds(args: argparse.Namespace) -> int:
    """Build the module for each kernel; one that cannot be had is named, and the rest is done."""
    if args.out or args.headers or args.smp or args.dry_run:
        raise IrqcostError("--builds takes no option but --matrix, --markdown and --mirror")
    builds: list[built.Built] = []
    # What is switched on in a kernel is nothing to its modules.
    for name in dict.fromkeys(matrix.COLUMNS[one].kernel for one in matrix_names(args.matrix)):
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


def measured(guest: GuestResult) -> bytes:
    """The result file of a guest that ran guest_commands(). Raises IrqcostError."""
    if guest.status["insmod"]:
        raise IrqcostError(f"the module does not load in the guest: {guest.log('insmod').strip()}")
    if "result.json" not in guest.files:
        said = guest.console.rpartition(f"{MARK} measure")[2].strip()
        raise IrqcostError(f"the harness ended with status {guest.status['measure']}:\n{said}")
    return guest.files["result.json"]


def _keep(path: Path, seconds: float) -> None:
    """Makes the harness's file a result, of one epoch: emulated time is no measure, and exact
    counts do not vary."""
    epoch = Epoch(reader.read_document(path)[0], seconds)
    path.write_text(jsontext.dumps(merge([epoch], Target())), encoding="utf-8")


def _checked(path: Path, machine: Machine) -> Result:
    result = reader.read_result(path)
    if not result.context.emulated:
        raise IrqcostError(
            f"the guest's result calls itself {result.context.execution}, not emulated "
            f"({result.context.execution_reason}); it was not kept"
        )
    if result.context.instruction_clock != machine.exact:
        found = "found" if result.context.instruction_clock else "did not find"
        raise IrqcostError(f"the harness {found} an instruction clock; the result was not kept")
    return result


def _default_target(kernel: Kernel, machine: Machine) -> Path:
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H%M%SZ")
    kind = "-exact" if machine.exact else ""
    return ROOT / "results" / "emulated" / f"{now}-{kernel.release}{kind}.json"


def _dry_run(args: argparse.Namespace, machine: Machine) -> int:
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

# SPDX-License-Identifier: GPL-2.0-only
"""Ring 0 measured in a guest."""

import re
import shlex
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from irqcost.base import files, jsontext, layout
from irqcost.base.errors import IrqcostError
from irqcost.base.progress import Progress
from irqcost.measure import build
from irqcost.measure.merge import merge
from irqcost.measure.processes import Process, Target
from irqcost.model import reader
from irqcost.model.result import Result
from irqcost.vm.architectures import X86
from irqcost.vm.initramfs import MARK, Command
from irqcost.vm.kernels import Kernel, architecture_of, find_kernel, kvm_modules, memory_mib
from irqcost.vm.module import build_module
from irqcost.vm.qemu import GuestResult, Machine, qemu_argv, run_guest, work_directory

# Where things lie in the guest.
BENCH = "/bin/irqcost-bench"
MODULE = "/irqcost.ko"

# Without kvm, which needs more of the kernel, and in the guest is emulated twice.
BACKENDS = "ring3,kmod,bpf"


@dataclass(frozen=True)
class GuestOptions:
    """What is asked for, by the names that the options of `irqcost vm` have; None: not said."""

    kernel: str = "6.1"
    arch: str = ""
    cpu: str = ""
    parameters: str = ""
    headers: Path | None = None
    mirror: str | None = None
    exact: bool = False
    smp: int | None = None
    # a measurement
    out: Path | None = None
    samples: int | None = None
    filter: str | None = None
    contexts: str | None = None
    backends: str = BACKENDS
    time_limit: int = 600
    keep: bool = False
    # other tasks
    matrix: Sequence[str] | None = None
    builds: bool = False
    markdown: Path | None = None
    soak: int | None = None
    fuzz: int | None = None
    seed: int = 1
    dry_run: bool = False

    @property
    def foreign(self) -> bool:
        """Whether the kernel is of another architecture than this machine's."""
        return architecture_of(self.kernel) is not X86

    @property
    def machine(self) -> Machine:
        memory = memory_mib(self.kernel)
        return Machine(
            exact=self.exact,
            cpus=self.smp or 1,
            memory_mib=memory,
            cpu=self.cpu,
            parameters=self.parameters,
        )


def guest_commands(
    samples: int | None = None,
    pattern: str | None = None,
    contexts: str | None = None,
    backends: str = BACKENDS,
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


def measure(
    args: GuestOptions, machine: Machine, setup: Sequence[Command] = ()
) -> tuple[Path, Result, int]:
    """Measure args.kernel in a guest that has run @setup: the result's file, the result, and the
    harness's status."""
    bench = build.harness()
    with Progress(f"kernel {args.kernel}") as progress:
        kernel = find_kernel(args.kernel, progress.show, args.mirror, args.headers)
        module = build_module(kernel, progress.show)
    own = kvm_modules(kernel) if "kvm" in args.backends.split(",") else {}
    with (
        reserved(args.out, kernel, machine) as target,
        files.written_whole(target) as partial,
        work_directory(args.keep) as work,
    ):
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


def measured(guest: GuestResult) -> bytes:
    """The result file of a guest that ran guest_commands(). Raises IrqcostError."""
    if guest.status["insmod"]:
        raise IrqcostError(f"the module does not load in the guest: {guest.log('insmod').strip()}")
    if "result.json" not in guest.files:
        said = guest.console.rpartition(f"{MARK} measure")[2].strip()
        raise IrqcostError(f"the harness ended with status {guest.status['measure']}:\n{said}")
    return guest.files["result.json"]


def _keep(path: Path, seconds: float) -> None:
    """Makes the harness's file a result, of one process: emulated time is no measure, and exact
    counts do not vary."""
    process = Process(reader.read_document(path)[0], seconds)
    path.write_text(jsontext.dumps(merge([process], Target())), encoding="utf-8")


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


@contextmanager
def reserved(named: Path | None, kernel: Kernel, machine: Machine) -> Iterator[Path]:
    """The result file: the named one, or one that no other guest of the same second takes."""
    if named is not None:
        yield named
        return
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H%M%SZ")
    kind = "-exact" if machine.exact else ""
    first = layout.results() / "emulated" / f"{now}-{kernel.release}{kind}.json"
    with files.claimed_beside(first) as path:
        yield path

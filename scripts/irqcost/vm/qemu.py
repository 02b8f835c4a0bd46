# SPDX-License-Identifier: GPL-2.0-only
"""Run commands in a guest under QEMU's emulation, and bring back what they leave in /out."""

import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from irqcost.base.errors import Exit, IrqcostError
from irqcost.vm.initramfs import MARK, Command, build_initramfs
from irqcost.vm.kernels import Kernel
from irqcost.vm.transport import TransportError, unpack

# oops=panic and panic=-1 with -no-reboot: a guest that is broken ends, and at once.
_KERNEL_COMMAND_LINE = "loglevel=5 oops=panic panic=-1"

_POLL_SECONDS = 0.1
_CONSOLE_TAIL_LINES = 40
# How a kernel begins to say why it dies.
_CAUSE = re.compile(r"Kernel panic|BUG:|Oops|Unable to handle")


class GuestDied(IrqcostError):
    """The guest panicked, hung, or ended without bringing its results back."""

    code = Exit.GUEST_DIED


@dataclass(frozen=True)
class Machine:
    """The emulated machine.

    @exact: the instruction clock, one tick an instruction; it needs @cpus to be 1.
    @cpu: QEMU's model of the CPU; "": the usual one of the architecture.
    @arguments: further arguments of QEMU.
    @parameters: further ones of the kernel.
    """

    exact: bool = False
    cpus: int = 1
    memory_mib: int = 1024
    cpu: str = ""
    arguments: tuple[str, ...] = ()
    parameters: str = ""

    def __post_init__(self) -> None:
        if self.cpus < 1:
            raise IrqcostError(f"--smp {self.cpus}: a machine has at least one CPU")
        if self.exact and self.cpus != 1:
            raise IrqcostError("--exact needs --smp 1: more CPUs would share one instruction clock")


@dataclass(frozen=True)
class GuestResult:
    """What a guest left that ended well.

    @status: exit status by the name of the command; a signal N gives 128 + N
    @console: everything on its console
    @files: the contents of /out, by relative path; NAME.log is the output of a captured command
    """

    status: Mapping[str, int]
    console: str
    files: Mapping[str, bytes] = field(repr=False)

    def log(self, name: str) -> str:
        """The output of a captured command."""
        return self.files[f"{name}.log"].decode(errors="replace")


def qemu_argv(kernel: Kernel, machine: Machine, work: Path) -> list[str]:
    """QEMU's argument list; its files are in @work: initramfs, console.log, result."""
    emulated = kernel.architecture
    argv = [emulated.qemu, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
    cpu = (machine.cpu or emulated.cpu) + emulated.clock
    argv += [*emulated.machine, "-accel", "tcg", "-cpu", cpu, "-smp", str(machine.cpus)]
    argv += ["-m", f"{machine.memory_mib}M", "-nic", "none"]
    if machine.exact:
        argv += ["-icount", "shift=0,sleep=off"]
    argv += ["-serial", f"file:{work}/console.log"]
    argv += emulated.serial(f"file:{work}/result", "result")
    argv += ["-kernel", str(kernel.vmlinuz), "-initrd", f"{work}/initramfs"]
    parameters = [f"console={emulated.console}", _KERNEL_COMMAND_LINE]
    # Of a parameter that is there twice, the kernel takes the last.
    parameters += filter(None, (emulated.parameters, kernel.parameters, machine.parameters))
    argv += ["-append", " ".join(parameters)]
    argv += machine.arguments
    return argv


@contextmanager
def work_directory(keep: bool) -> Iterator[Path]:
    """A temporary directory for one guest, which stays if @keep."""
    path = Path(tempfile.mkdtemp(prefix="irqcost-vm-"))
    try:
        yield path
    finally:
        if not keep:
            shutil.rmtree(path)


def run_guest(
    kernel: Kernel,
    commands: Sequence[Command],
    *,
    programs: Mapping[str, Path] | None = None,
    files: Mapping[str, bytes] | None = None,
    machine: Machine | None = None,
    time_limit: float = 600,
    on_line: Callable[[str], None] | None = None,
    work: Path | None = None,
) -> GuestResult:
    """Boot @kernel and run @commands one after the other.

    @programs are programs of this machine by their paths in the guest, @files data for it. @on_line
    is told each line of the console as it comes. @work, a directory, keeps all files of the run.
    Raises GuestDied after a panic, after @time_limit seconds, or where no whole result came back.
    """
    with work_directory(keep=False) if work is None else _given(work) as directory:
        initramfs = build_initramfs(
            commands,
            programs or {},
            files or {},
            busybox=kernel.busybox,
            port=kernel.architecture.result,
        )
        (directory / "initramfs").write_bytes(initramfs)
        argv = qemu_argv(kernel, machine or Machine(), directory)
        console = directory / "console.log"
        console.write_bytes(b"")
        try:
            package = kernel.architecture.package
            _boot(argv, package, console, time_limit, on_line)
            if not _began(console):
                # Debian's 6.12 was seen to oops in its own start on an emulated machine with two
                # CPUs and a busy host. Nothing of ours has run by then: it is started once more.
                _boot(argv, package, console, time_limit, on_line)
            received = directory / "result"
            files_back = unpack(received.read_bytes() if received.exists() else b"")
        except (GuestDied, TransportError) as error:
            raise GuestDied(_post_mortem(str(error), console)) from error
        status = {command.name: int(files_back[f"{command.name}.status"]) for command in commands}
        return GuestResult(status, _text(console.read_bytes()), files_back)


def _began(console: Path) -> bool:
    """Whether the first command was reached."""
    return MARK.encode() in console.read_bytes()


@contextmanager
def _given(work: Path) -> Iterator[Path]:
    yield work


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace").replace("\r", "")


def _post_mortem(reason: str, console: Path) -> str:
    lines = _text(console.read_bytes()).splitlines()
    before, tail = lines[:-_CONSOLE_TAIL_LINES], lines[-_CONSOLE_TAIL_LINES:]
    # A call trace may be longer than the tail.
    cause = [line for line in before if _CAUSE.search(line)][:1]
    shown = "\n".join(f"  | {line}" for line in cause + tail) or "  | (nothing)"
    return f"the guest died: {reason}\nThe end of its console:\n{shown}"


def _boot(
    argv: Sequence[str],
    package: str,
    console: Path,
    limit: float,
    on_line: Callable[[str], None] | None,
) -> None:
    """Run QEMU to its end; it never outlives this call."""
    try:
        qemu = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except FileNotFoundError as error:
        raise IrqcostError(f"{argv[0]} is missing: install the package {package}") from error
    deadline = time.monotonic() + limit
    try:
        with console.open("rb") as reader:
            pending = b""
            ended = False
            while not ended:
                ended = qemu.poll() is not None
                pending += reader.read()
                *lines, pending = pending.split(b"\n")
                for line in lines:
                    if on_line:
                        on_line(_text(line))
                if not ended:
                    if time.monotonic() > deadline:
                        raise GuestDied(f"timed out after {limit:g} s")
                    time.sleep(_POLL_SECONDS)
    finally:
        said = _end(qemu)
    if qemu.returncode:
        raise IrqcostError(f"{shlex.join(argv)}\nended with status {qemu.returncode}:\n{said}")


def _end(qemu: subprocess.Popen[bytes]) -> str:
    """End QEMU if it still runs. Return: what it said itself."""
    qemu.terminate()
    try:
        said, _ = qemu.communicate(timeout=5)
    except subprocess.TimeoutExpired:
        qemu.kill()
        said, _ = qemu.communicate()
    return _text(said)

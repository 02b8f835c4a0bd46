# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost vm --soak` and `--fuzz`: bench_kmod/tests/fuzz.c in a guest, and what came of it.

The program sends the module random requests from several processes and judges each answer. Here the
rest is judged: the kernel's log, what memory the kernel has lost, and whether the figures are still
exact. That takes the instruction clock, which only a guest of one CPU has: CPUs at once and exact
figures are two guests.
"""

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from irqcost import ROOT
from irqcost.base import layout
from irqcost.base.errors import BuildError, IrqcostError
from irqcost.model import parsing
from irqcost.model.result import Result
from irqcost.vm.architectures import X86, Architecture
from irqcost.vm.initramfs import MARK, Command
from irqcost.vm.kernels import Kernel, memory_mib
from irqcost.vm.matrix import FILTER
from irqcost.vm.qemu import GuestResult, Machine, run_guest

SOURCE = ROOT / "bench_kmod" / "tests" / "fuzz.c"

# What the kernel says when something is broken.
_TROUBLE = re.compile(
    r"BUG|WARNING|Oops|Call Trace|general protection|scheduling while atomic|stall|hung|leak"
    r"|KASAN|UBSAN|possible .*lock|inconsistent lock state|suspicious RCU"
)
LOADED = "irqcost: loading out-of-tree module"

# What the kernel's own caches may have grown by since the first of the program's rounds; a third of
# it was the most that was seen. It does not grow with the requests: in ten million, the least that
# the allocator hands out (8 bytes) shows when one request in fifty loses it.
_ALLOWANCE_KB = 1024

# Where things lie in the guest.
_FUZZ, _BENCH, _MODULE = "/bin/fuzz", "/bin/irqcost-bench", "/irqcost.ko"

# Measurements in the guest of the instruction clock: the name of each, and of its file.
_BEFORE, _AFTER = "before", "after"

# Leaks found by the kernel itself, where it is built to: a second scan takes back false alarms.
_KMEMLEAK = """\
# A kernel without debugfs has no place for it.
[ -d /sys/kernel/debug ] || exit 0
mount -t debugfs none /sys/kernel/debug || exit 1
cd /sys/kernel/debug
[ -e kmemleak ] || exit 0
echo scan >kmemleak
sleep 6
echo scan >kmemleak
cat kmemleak
"""


@dataclass(frozen=True)
class Amount:
    """How long: @seconds or @requests, whichever is first; 0 is no limit.

    @disturb: with memory pressure and a CPU that goes and comes back.
    """

    seconds: int = 0
    requests: int = 0
    disturb: bool = False
    seed: int = 1


def trouble(log: str) -> list[str]:
    """Lines of a kernel's log, or of a console, that say that something is broken.

    What stands before the loading of the module, where that is in it, is not the module's.
    """
    since = log.partition(LOADED)[2] or log
    lines = since.splitlines()
    return [line for line in lines if _TROUBLE.search(line) and not line.startswith(MARK)]


def numbers(output: str) -> dict[str, int]:
    """What the program counted, by name."""
    return {name: int(n) for name, n in re.findall(r"^(\w+) (-?\d+)$", output, re.MULTILINE)}


def complaints(guest: GuestResult) -> list[str]:
    """Everything that is wrong with a guest that ran fuzz_commands()."""
    output = guest.log("fuzz")
    counted = numbers(output)
    found = [] if guest.status["fuzz"] == 0 else [f"the program failed:\n{output.strip()}"]
    if not counted.get("requests"):
        found.append("no request was made")
    found += trouble(guest.files["dmesg"].decode(errors="replace"))
    found += trouble(guest.console.partition(f"{MARK} fuzz")[2])
    leaks = guest.log("kmemleak").strip()
    if leaks:
        found.append(f"kmemleak:\n{leaks}")
    grown = counted.get("memory_growth_kb", 0)
    if grown > _ALLOWANCE_KB and not has_quarantine(guest):
        found.append(f"the kernel's memory grew by {grown} kB; {_ALLOWANCE_KB} kB is what may be")
    return list(dict.fromkeys(found))


def has_quarantine(guest: GuestResult) -> bool:
    """Whether KASAN keeps what was freed for a while; kmemleak judges there."""
    return guest.status["quarantine"] == 0


def differences(before: Result, after: Result) -> list[str]:
    """Figures that are not what they were, and reasons why no figure can tell.

    One that varies from sample to sample by itself tells nothing.
    """
    if not (before.context.instruction_clock and after.context.instruction_clock):
        return ["no instruction clock: figures are not exact"]
    exact = {name for name, entry in before.figures.items() if not entry.spread}
    if not exact:
        return ["no figure was exact before"]
    found = []
    for name in sorted(exact):
        was, now = before.figures[name], after.figures.get(name)
        if not now or now.spread or now.ticks != was.ticks:
            said = "varies" if now and now.spread else f"{now.ticks:g}" if now else "missing"
            found.append(f"{name}: {was.ticks:g} instructions before, {said} afterwards")
    return found


def measurements(guest: GuestResult) -> tuple[Result, Result]:
    """What the guest of exact_commands() measured before and after. Raises IrqcostError."""
    results = []
    for name in (_BEFORE, _AFTER):
        if f"{name}.json" not in guest.files:
            raise IrqcostError(f"nothing was measured {name}:\n{guest.log(f'measure-{name}')}")
        results.append(parsing.parse(json.loads(guest.files[f"{name}.json"])))
    return results[0], results[1]


def _measure(name: str) -> list[Command]:
    bench = [_BENCH, "--irqcost_backends=kmod", f"--benchmark_filter={FILTER}"]
    return [
        Command(f"insmod-{name}", ("insmod", _MODULE)),
        Command(
            f"measure-{name}",
            (*bench, f"--benchmark_out=/out/{name}.json", "--benchmark_out_format=json"),
        ),
        Command(f"rmmod-{name}", ("rmmod", "irqcost")),
    ]


def exact_commands(amount: Amount) -> list[Command]:
    """What the guest of the instruction clock runs: all rows, random requests, all rows again."""
    return [*_measure(_BEFORE), *fuzz_commands(_MODULE, amount), *_measure(_AFTER)]


def fuzz_commands(module: str, amount: Amount) -> list[Command]:
    """What the guest runs; the program is /bin/fuzz, and @module is not yet loaded."""
    argv = [_FUZZ, "-s", str(amount.seed)]
    argv += ["-t", str(amount.seconds)] if amount.seconds else []
    argv += ["-n", str(amount.requests)] if amount.requests else []
    argv += ["-d"] if amount.disturb else []
    return [
        Command("fuzz", (*argv, module)),
        Command("quarantine", ("grep", "-q", " kasan_quarantine_put$", "/proc/kallsyms")),
        Command("kmemleak", ("sh", "-c", _KMEMLEAK)),
    ]


def program(source: Path, directory: Path, architecture: Architecture = X86) -> Path:
    """A static program of one C file, in @directory. Raises BuildError."""
    target = directory / source.stem
    compiler = architecture.tool("gcc")
    command = [compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-static"]
    command += [f"-I{folder}" for folder in layout.include_folders(architecture.folder)]
    try:
        done = subprocess.run(
            [*command, "-o", str(target), str(source)], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        package = f"gcc-{architecture.triplet}" if architecture.triplet else "gcc"
        raise BuildError(f"{compiler} is missing: install the package {package}") from error
    if done.returncode:
        raise BuildError(f"{source.name} does not build:\n{done.stderr}")
    return target


def run(kernel: Kernel, module: bytes, amount: Amount, cpus: int) -> GuestResult:
    """Run the program in a guest. Raises GuestDied where that does not end."""
    if not (amount.seconds or amount.requests):
        raise IrqcostError("a time or a number of requests is needed")
    with tempfile.TemporaryDirectory() as directory:
        return run_guest(
            kernel,
            fuzz_commands(_MODULE, amount),
            programs={_FUZZ: program(SOURCE, Path(directory), kernel.architecture)},
            files={_MODULE: module},
            machine=Machine(cpus=cpus, memory_mib=memory_mib(kernel.name)),
            # On a busy machine emulated requests are no faster than a thousand a second or two, and
            # a kernel that checks itself takes minutes to boot and to look for leaks.
            time_limit=3600 + 2 * amount.seconds + amount.requests / 100,
        )


def run_exact(kernel: Kernel, module: bytes, bench: Path, amount: Amount) -> GuestResult:
    """The same on one CPU under the instruction clock, which is the clock of @amount as well.

    All rows are measured before and after it, by the harness @bench. Raises GuestDied.
    """
    with tempfile.TemporaryDirectory() as directory:
        return run_guest(
            kernel,
            exact_commands(amount),
            programs={_FUZZ: program(SOURCE, Path(directory)), _BENCH: bench},
            files={_MODULE: module},
            machine=Machine(exact=True, memory_mib=memory_mib(kernel.name)),
            # A second of this clock is a thousand million instructions.
            time_limit=3600 + 120 * amount.seconds + amount.requests / 100,
        )

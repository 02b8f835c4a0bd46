# SPDX-License-Identifier: GPL-2.0-only
"""What refscale, the kernel's own benchmark of these primitives, reads beside the exact counts.

usage: PYTHONPATH=scripts python3 scripts/evidence/refscale.py SOURCE [KERNEL]

Debian's kernels have no refscale, so that it is built from SOURCE, the unpacked source package of
the same version as KERNEL (default: trixie-backports). Both modules run in one guest each under the
instruction clock, where a nanosecond of refscale is an instruction. Prints the table of
docs/method/evidence.md.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from irqcost.base.errors import IrqcostError
from irqcost.measure import build
from irqcost.measure.guests.measuring import BENCH, MODULE, guest_commands, measured
from irqcost.model import reader
from irqcost.model.result import Entry, Result
from irqcost.vm.initramfs import Command
from irqcost.vm.kernels import Kernel, find_kernel
from irqcost.vm.module import build_module, make_module
from irqcost.vm.qemu import Machine, run_guest

# Its types, and the row of the catalogue that executes the same calls. refscale has interrupts off
# around what it times, except in `bh`: so a restore finds them off.
TYPES = {
    "preempt": "preempt_disable_enable",
    "bh": "local_bh_disable_enable",
    "irq": "local_irq_disable_enable",
    "irqsave": "local_irq_save_restore_masked",
    "percpuinc": "this_cpu_inc",
    "lock": "raw_spin_lock_masked",
    "lock-irq": "raw_spin_lock_irqsave_masked",
    "srcu-fast": "srcu_read_lock_fast",
}
_LOOPS = (1_000, 10_000)
_RUNS = 3

_FILES = ("kernel/rcu/refscale.c", "kernel/rcu/rcu.h", "kernel/torture.c")
_KBUILD = "obj-m := torture.o refscale.o\nccflags-y := -I$(src)\n"
_MAKEFILE = """\
modules: ; \\
  cp -r $(CURDIR)/*.[ch] $(CURDIR)/Kbuild $(CURDIR)/rcu '$(BUILD)/' && \\
  $(MAKE) -C '$(KDIR)' M='$(BUILD)' modules
"""


def modules(kernel: Kernel, source: Path, work: Path) -> dict[str, bytes]:
    """torture.ko and refscale.ko for @kernel, by path in the guest."""
    sources, made = work / "sources", work / "made"
    (sources / "rcu").mkdir(parents=True)
    made.mkdir()
    for name in _FILES:
        shutil.copy(source / name, sources)
    shutil.copy(source / "kernel/rcu/rcu.h", sources / "rcu")
    (sources / "Kbuild").write_text(_KBUILD)
    (sources / "Makefile").write_text(_MAKEFILE)
    make_module(kernel, made, sources=sources)
    return {f"/{name}.ko": (made / f"{name}.ko").read_bytes() for name in ("torture", "refscale")}


def commands() -> list[Command]:
    """Each type with each number of loops: the module measures once it is loaded."""
    script = [
        f"dmesg -c >/dev/null; insmod /refscale.ko scale_type={name} loops={loops} nreaders=1 "
        f"nruns={_RUNS} shutdown_secs=0 && "
        "while ! dmesg | grep -q 'Runs.Time'; do sleep 1; done; sleep 1; "
        f"rmmod refscale; echo '== {name} {loops}'; dmesg"
        for name in TYPES
        for loops in _LOOPS
    ]
    return [
        Command("torture", ("insmod", "/torture.ko")),
        Command("refscale", ("sh", "-c", "\n".join(script))),
    ]


def read(log: str) -> dict[tuple[str, int], float]:
    """Nanoseconds of a loop, the least of the runs, by type and number of loops."""
    found = {}
    for part in log.split("== ")[1:]:
        name, loops = part.split("\n", 1)[0].split()
        _, _, table = part.rpartition("Time(ns)")
        runs = re.findall(r"\b\d+\t(\d+\.\d+)", table)
        if len(runs) != _RUNS:
            raise IrqcostError(f"refscale {name}: {len(runs)} of {_RUNS} runs:\n{part}")
        found[name, int(loops)] = min(float(run) for run in runs)
    return found


def truth(kernel: Kernel) -> Result:
    """What the instruction clock counts of the same calls."""
    module = build_module(kernel, print)
    wanted = "|".join(TYPES.values())
    guest = run_guest(
        kernel,
        guest_commands(pattern=f"^kmod/({wanted})/throughput$", backends="kmod"),
        programs={BENCH: build.harness()},
        files={MODULE: module.read_bytes()},
        machine=Machine(exact=True),
    )
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "result.json"
        path.write_bytes(measured(guest))
        return reader.read_result(path)


def table(nanoseconds: Mapping[tuple[str, int], float], figures: Mapping[str, Entry]) -> str:
    """A row for each type: what refscale reads, and how far it is beyond the exact count."""
    loops = " | ".join(f"refscale, {count:,} loops" for count in _LOOPS)
    lines = [f"| type | probe | {loops} | exact | beyond it |"]
    lines.append("|---|---|" + "---:|" * (len(_LOOPS) + 2))
    for kind, probe in TYPES.items():
        values = [nanoseconds[kind, count] for count in _LOOPS]
        exact = figures[f"kmod/{probe}/throughput"].ticks
        cells = " | ".join(f"{value:.3f}" for value in values)
        beyond = values[-1] - exact
        lines.append(f"| `{kind}` | `{probe}` | {cells} | {exact:g} | {beyond:.2f} |")
    return "\n".join(lines)


def main(source: Path, name: str = "trixie-backports") -> None:
    kernel = find_kernel(name, print)
    with tempfile.TemporaryDirectory() as work:
        own = modules(kernel, source, Path(work))
    guest = run_guest(kernel, commands(), files=own, machine=Machine(exact=True))
    print(table(read(guest.log("refscale")), truth(kernel).figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])

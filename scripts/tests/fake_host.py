# SPDX-License-Identifier: GPL-2.0-only
"""A root folder with the files of an invented host; trees of it that fail where a test wants."""

import errno
import os
import signal
from pathlib import Path

from irqcost.machine.hostfacts import CPUS, Tree

CLOCK = "sys/devices/system/clocksource/clocksource0"

LAPTOP = {
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: Test CPU\n"
    "flags\t\t: fpu tsc constant_tsc nonstop_tsc sse\n",
    f"{CLOCK}/current_clocksource": "tsc\n",
    f"{CLOCK}/available_clocksource": "tsc hpet acpi_pm \n",
    "proc/loadavg": "0.10 0.20 0.30 1/100 1234\n",
    "proc/stat": "cpu  1 1 1 1 1 1 1 1 0 0\ncpu1 10 0 10 980 0 0 0 0 0 0\n",
    "proc/sys/kernel/random/boot_id": "11111111-2222-3333-4444-555555555555\n",
    "proc/sys/kernel/soft_watchdog": "1\n",
    "proc/sys/kernel/nmi_watchdog": "1\n",
    "proc/irq/default_smp_affinity": "ff\n",
    "proc/irq/0/smp_affinity": "ff\n",
    "proc/irq/9/smp_affinity": "02\n",
    "proc/irq/16/smp_affinity": "20\n",
    "proc/irq/120/smp_affinity": "04\n",
    "proc/irq/121/smp_affinity": "2a\n",
    f"{CPUS}/online": "0-7\n",
    f"{CPUS}/isolated": "\n",
    f"{CPUS}/nohz_full": "  (null)\n",
    f"{CPUS}/cpu1/topology/thread_siblings_list": "1,5\n",
    f"{CPUS}/cpu1/online": "1\n",
    f"{CPUS}/cpu5/online": "1\n",
    f"{CPUS}/cpu1/cpufreq/scaling_governor": "powersave\n",
    f"{CPUS}/cpu1/cpufreq/scaling_available_governors": "performance powersave\n",
    f"{CPUS}/intel_pstate/no_turbo": "0\n",
    f"{CPUS}/cpu1/cpuidle/state0/name": "POLL\n",
    f"{CPUS}/cpu1/cpuidle/state1/name": "C1\n",
    f"{CPUS}/cpu1/cpuidle/state2/name": "C6\n",
    f"{CPUS}/cpu1/thermal_throttle/core_throttle_count": "12\n",
}

TUNED = {
    **LAPTOP,
    "proc/sys/kernel/soft_watchdog": "0\n",
    "proc/sys/kernel/nmi_watchdog": "0\n",
    "proc/irq/default_smp_affinity": "01\n",
    "proc/irq/0/smp_affinity": "01\n",
    "proc/irq/9/smp_affinity": "01\n",
    "proc/irq/16/smp_affinity": "01\n",
    "proc/irq/120/smp_affinity": "01\n",
    "proc/irq/121/smp_affinity": "01\n",
    f"{CPUS}/online": "0-3\n",
    f"{CPUS}/isolated": "1-3\n",
    f"{CPUS}/nohz_full": "1-3\n",
    f"{CPUS}/cpu1/topology/thread_siblings_list": "1\n",
    f"{CPUS}/cpu1/cpufreq/scaling_governor": "performance\n",
    f"{CPUS}/intel_pstate/no_turbo": "1\n",
    f"{CPUS}/cpu1/cpuidle/state2/disable": "1\n",
    f"{CPUS}/cpu1/thermal_throttle/core_throttle_count": "0\n",
}

GUEST = {
    "proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu tsc constant_tsc nonstop_tsc hypervisor\n",
    f"{CLOCK}/current_clocksource": "kvm-clock\n",
    f"{CLOCK}/available_clocksource": "kvm-clock tsc acpi_pm \n",
    "proc/loadavg": "3.00 2.00 1.00 1/100 1234\n",
    "proc/stat": "cpu1 500 0 400 0 0 0 0 100 0 0\n",
    "proc/sys/kernel/soft_watchdog": "0\n",
    "proc/irq/24/smp_affinity": "3\n",
    f"{CPUS}/online": "0-1\n",
    f"{CPUS}/isolated": "\n",
    f"{CPUS}/cpu1/topology/thread_siblings_list": "1\n",
    f"{CPUS}/cpu1/cpuidle/state0/name": "POLL\n",
    f"{CPUS}/cpu1/cpuidle/state1/name": "haltpoll idle\n",
}


def build(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def content(root: Path) -> dict[str, str]:
    """All that the host has, without what tune keeps for itself."""
    return {
        str(path.relative_to(root)): path.read_text().strip()
        for path in root.rglob("*")
        if path.is_file() and root / "run" not in path.parents
    }


class Refusing(Tree):
    """A kernel that refuses some settings with EIO, and silently ignores others."""

    def __init__(self, root: Path, refused: set[str], ignored: frozenset[str] = frozenset()):
        super().__init__(root)
        self.refused = refused
        self.ignored = ignored

    def write(self, path: str, value: str) -> None:
        if path in self.refused:
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)
        if path not in self.ignored:
            super().write(path, value)


class Interrupted(Tree):
    """Ctrl-C comes before the writes of these numbers, counted from 0; `kill`: SIGKILL."""

    def __init__(self, root: Path, *at: int, kill: bool = False):
        super().__init__(root)
        self.at = at
        self.kill = kill
        self.writes: list[str] = []

    def write(self, path: str, value: str) -> None:
        self.writes.append(path)
        if len(self.writes) - 1 in self.at:
            if self.kill:
                os.kill(os.getpid(), signal.SIGKILL)
            raise KeyboardInterrupt
        super().write(path, value)

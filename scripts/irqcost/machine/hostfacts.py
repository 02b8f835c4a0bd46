# SPDX-License-Identifier: GPL-2.0-only
"""What of the host bears on precision, as its kernel tells it: one snapshot, which changes nothing.

Every access goes through a Tree, so that tests can give it another machine.
"""

import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from irqcost.base.errors import IrqcostError
from irqcost.machine.quota import Quota, tightest_quota

CPUS = "sys/devices/system/cpu"


class Tree:
    """Files of the kernel below a root; paths are relative to it."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root

    def read(self, path: str) -> str | None:
        """The content without the newline at its end; None where it cannot be read."""
        try:
            return (self.root / path).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return None

    def write(self, path: str, value: str) -> None:
        """Gives the kernel a value in one write. Raises OSError with its answer; makes no file."""
        descriptor = os.open(self.root / path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
        try:
            os.write(descriptor, f"{value}\n".encode())
        finally:
            os.close(descriptor)

    def exists(self, path: str) -> bool:
        return (self.root / path).exists()

    def may_be_written(self, path: str) -> bool:
        """Whether the kernel lets anybody write a file."""
        try:
            return bool((self.root / path).stat().st_mode & 0o222)
        except OSError:
            return False

    def numbers(self, path: str) -> list[int]:
        """The entries of a folder that are numbers, in order."""
        try:
            return sorted(int(name) for name in os.listdir(self.root / path) if name.isdigit())
        except OSError:
            return []


@dataclass(frozen=True)
class Host:
    """The settings around one measuring CPU. None: there is no such setting here."""

    cpu: int
    online: frozenset[int]
    guest: bool  # CPUID has the hypervisor bit
    siblings: frozenset[int] = frozenset()  # other online CPUs of the same core
    siblings_fixed: frozenset[int] = frozenset()  # those of them that cannot go offline
    governor: str | None = None
    boost: bool | None = None
    irqs: int | None = None  # interrupt lines
    irqs_here: int = 0  # those that may come to the measuring CPU, and be sent elsewhere
    irqs_fixed: frozenset[int] = frozenset()  # those that may come to it, and that nobody can move
    irqbalance: bool = False  # the daemon that spreads interrupts over the CPUs runs
    isolated: frozenset[int] = frozenset()
    tickless: frozenset[int] | None = frozenset()  # nohz_full; None: the kernel cannot
    watchdogs: tuple[str, ...] = ()  # those that run: soft_watchdog, nmi_watchdog
    idle_states: tuple[str, ...] = ()  # that the measuring CPU may enter
    load: float | None = None  # of the last minute
    stolen: float | None = None  # share of the measuring CPU's time since the start of the machine
    throttled: int | None = None  # times that heat slowed the core
    clock_source: str | None = None  # what the kernel tells the time by
    clock_sources: tuple[str, ...] = ()  # what it could tell it by
    tsc_steady: bool | None = None  # the TSC keeps its rate and does not stop; None: not said
    quota: Quota | None = None  # of CPU time, by control groups
    background: tuple[str, ...] = ()  # what the kernel does by itself: names of BACKGROUND
    deep_states: tuple[tuple[int, str], ...] = ()  # of idle_states, those that cost caches
    workqueues_here: bool = False  # the kernel's unbound work may be done on the measuring CPU


def cpu_list(text: str | None) -> frozenset[int]:
    """The CPUs of a list such as 0-3,8. "(null)", as older kernels write, is none."""
    found: set[int] = set()
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", text or ""):
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def cpu_mask(text: str | None) -> frozenset[int]:
    """The CPUs of a mask such as 00000001,ffffffff. Raises ValueError if it is not a mask."""
    bits = int((text or "0").replace(",", ""), 16)
    return frozenset(cpu for cpu in range(bits.bit_length()) if bits >> cpu & 1)


def maybe_mask(text: str | None) -> frozenset[int] | None:
    """The CPUs of a mask; None where there is none."""
    try:
        return cpu_mask(text) if text else None
    except ValueError:
        return None


def mask_text(cpus: frozenset[int], like: str) -> str:
    """The mask of CPUs, with as many digits and commas as another one has."""
    digits = f"{sum(1 << cpu for cpu in cpus):0{len(like.replace(',', ''))}x}"
    groups = [digits[max(end - 8, 0) : end] for end in range(len(digits), 0, -8)]
    return ",".join(reversed(groups))


def online_cpus(tree: Tree) -> frozenset[int]:
    """The CPUs that are online; where /sys is masked, those that this process may use."""
    return cpu_list(tree.read(f"{CPUS}/online")) or frozenset(os.sched_getaffinity(0))


def usable_cpus(tree: Tree) -> frozenset[int]:
    """The CPUs that this process may measure on: those that it is allowed, and the isolated ones,
    which are in no affinity by default, where the affinity is that default. As the harness has it
    (bench_user/machine/cpu_choice.h), but whether a cpuset forbids one is left to the kernel."""
    allowed = frozenset(os.sched_getaffinity(0))
    online = cpu_list(tree.read(f"{CPUS}/online"))
    isolated = cpu_list(tree.read(f"{CPUS}/isolated"))
    return allowed | isolated & online if allowed == online - isolated else allowed


def choose_cpu(asked: int | None, tree: Tree) -> int:
    """The CPU asked for, else the one that the harness takes. Raises IrqcostError."""
    online = sorted(online_cpus(tree))
    if asked is not None:
        if asked in online:
            return asked
        listed = tree.read(f"{CPUS}/online") or "unknown"
        raise IrqcostError(f"--cpu: CPU {asked} is not online; online are: {listed}")
    usable = usable_cpus(tree) & set(online) or set(online)
    isolated = cpu_list(tree.read(f"{CPUS}/isolated"))
    return min(usable, key=lambda cpu: (cpu not in isolated, cpu == 0, cpu))


def irqs_of(cpu: int, tree: Tree) -> dict[int, bool]:
    """Each interrupt line with a mask, and whether that has the CPU."""
    found = {}
    for irq in tree.numbers("proc/irq"):
        mask = maybe_mask(tree.read(f"proc/irq/{irq}/smp_affinity"))
        if mask is not None:
            found[irq] = cpu in mask
    return found


# Interrupts that the kernel did not let tune move: with the machine's start, as JSON. Drivers
# manage the affinity of some, which newer kernels show by their mode, others by nothing but EIO.
FIXED_IRQS = "run/irqcost-fixed-interrupts.json"
BOOT_ID = "proc/sys/kernel/random/boot_id"


def fixed_irqs(tree: Tree) -> frozenset[int]:
    """Interrupts that cannot be moved, as far as that is known."""
    known: set[int] = set()
    with suppress(ValueError, TypeError, KeyError, AttributeError):
        record = json.loads(tree.read(FIXED_IRQS) or "")
        if record["boot_id"] == tree.read(BOOT_ID):
            known.update(map(int, record["interrupts"]))
    for irq in tree.numbers("proc/irq"):
        if not tree.may_be_written(f"proc/irq/{irq}/smp_affinity"):
            known.add(irq)
    return frozenset(known)


def read(cpu: int, tree: Tree) -> Host:
    """The snapshot."""
    own = f"{CPUS}/cpu{cpu}"
    online = online_cpus(tree)
    siblings = (cpu_list(tree.read(f"{own}/topology/thread_siblings_list")) & online) - {cpu}
    guest = bool(re.search(r"^flags\s*:.*\bhypervisor\b", tree.read("proc/cpuinfo") or "", re.M))
    states = _idle_states(own, tree)
    irqs = irqs_of(cpu, tree)
    fixed = fixed_irqs(tree) & {irq for irq, here in irqs.items() if here}
    load = (tree.read("proc/loadavg") or "").split()
    throttled = tree.read(f"{own}/thermal_throttle/core_throttle_count")
    return Host(
        cpu=cpu,
        online=online,
        guest=guest,
        siblings=siblings,
        siblings_fixed=frozenset(
            one for one in siblings if not tree.exists(f"{CPUS}/cpu{one}/online")
        ),
        governor=tree.read(f"{own}/cpufreq/scaling_governor"),
        boost=_boost(tree),
        irqs=len(irqs) if tree.exists("proc/irq") else None,
        irqs_here=sum(irqs.values()) - len(fixed),
        irqs_fixed=fixed,
        irqbalance=any(
            tree.read(f"proc/{pid}/comm") == "irqbalance" for pid in tree.numbers("proc")
        ),
        isolated=cpu_list(tree.read(f"{CPUS}/isolated")),
        tickless=(
            cpu_list(tree.read(f"{CPUS}/nohz_full")) if tree.exists(f"{CPUS}/nohz_full") else None
        ),
        watchdogs=tuple(name for name in WATCHDOGS if tree.read(f"proc/sys/kernel/{name}") == "1"),
        idle_states=tuple(name for _, name in states),
        # A guest's deepest state gives its time back; what the CPU then does, the host decides.
        deep_states=() if guest else tuple(one for one in states if one[1] not in _SHALLOW),
        load=_number(load[0]) if load else None,
        stolen=_stolen(cpu, tree),
        throttled=int(throttled) if throttled and throttled.isdigit() else None,
        clock_source=tree.read(f"{_CLOCK}/current_clocksource") or None,
        clock_sources=tuple((tree.read(f"{_CLOCK}/available_clocksource") or "").split()),
        tsc_steady=_tsc_steady(tree),
        quota=tightest_quota(tree.read),
        background=tuple(
            one.name for one in BACKGROUND if tree.read(one.path) not in (None, "", *one.idle)
        ),
        workqueues_here=cpu in (maybe_mask(tree.read(WORKQUEUES)) or ()) and len(online) > 1,
    )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


_CLOCK = "sys/devices/system/clocksource/clocksource0"


def _tsc_steady(tree: Tree) -> bool | None:
    """Whether the CPU says that its TSC keeps its rate, and counts on while it sleeps."""
    flags = re.search(r"^flags\s*:(.*)", tree.read("proc/cpuinfo") or "", re.M)
    return {"constant_tsc", "nonstop_tsc"} <= set(flags[1].split()) if flags else None


# `watchdog` switches both at once, but back on, too, whichever of them was on before.
WATCHDOGS = ("soft_watchdog", "nmi_watchdog")


@dataclass(frozen=True)
class Background:
    """What the kernel does by itself: its name, its file, the values with which it does nothing,
    the first of which stops it, and how it disturbs."""

    name: str
    path: str
    idle: tuple[str, ...]
    why: str


BACKGROUND = (
    Background(
        "NUMA balancing",
        "proc/sys/kernel/numa_balancing",
        ("0",),
        "it unmaps pages to see who uses them, and a fault follows",
    ),
    Background(
        "KSM",
        "sys/kernel/mm/ksm/run",
        ("0", "2"),
        "it merges equal pages, and writing to one is a fault",
    ),
    Background(
        "timer migration",
        "proc/sys/kernel/timer_migration",
        ("0",),
        "timers of CPUs that are idle come to one that works",
    ),
)

# The CPUs that do the kernel's unbound work.
WORKQUEUES = "sys/devices/virtual/workqueue/cpumask"

# Where boosting is switched: file, value that means on, value that means off.
BOOST = ((f"{CPUS}/cpufreq/boost", "1", "0"), (f"{CPUS}/intel_pstate/no_turbo", "0", "1"))


def _boost(tree: Tree) -> bool | None:
    for path, on, _ in BOOST:
        value = tree.read(path)
        if value is not None:
            return value == on
    return None


def _idle_states(own: str, tree: Tree) -> tuple[tuple[int, str], ...]:
    """Numbers and names of those that are not disabled."""
    names: list[str] = []
    while name := tree.read(f"{own}/cpuidle/state{len(names)}/name"):
        names.append(name)
    return tuple(
        (number, name)
        for number, name in enumerate(names)
        if tree.read(f"{own}/cpuidle/state{number}/disable") != "1"
    )


# Those that keep the caches.
_SHALLOW = ("POLL", "C1", "C1E")


def _stolen(cpu: int, tree: Tree) -> float | None:
    for line in (tree.read("proc/stat") or "").splitlines():
        label, *rest = line.split() or [""]
        if label == f"cpu{cpu}" and len(rest) >= 8:
            # user nice system idle iowait irq softirq steal; guests are part of user.
            ticks = [int(value) for value in rest[:8] if value.isdecimal()]
            if len(ticks) < 8:
                return None
            return ticks[7] / sum(ticks) if sum(ticks) else None
    return None

# SPDX-License-Identifier: GPL-2.0-only
"""Which settings of the host are changed for measuring, and from what to what: the plan of `tune`.

Reads, and changes nothing.
"""

from dataclasses import dataclass

from irqcost.machine.hostfacts import (
    BACKGROUND,
    BOOST,
    CPUS,
    WATCHDOGS,
    WORKQUEUES,
    Host,
    Tree,
    cpu_list,
    cpu_mask,
    mask_text,
    maybe_mask,
)


@dataclass(frozen=True)
class Change:
    """One file of the kernel and its new content."""

    setting: str
    path: str  # relative to the root
    before: str
    after: str
    why: str


@dataclass(frozen=True)
class Plan:
    """The changes in their order, and what cannot be changed: setting and reason."""

    cpu: int
    changes: tuple[Change, ...]
    impossible: tuple[tuple[str, str], ...]


def plan(host: Host, tree: Tree) -> Plan:
    """What is to change for measuring on the snapshot's CPU.

    The sibling goes last, so that it is first to be back: a mask that has it cannot be written
    while it is offline.
    """
    changes: list[Change] = []
    impossible: list[tuple[str, str]] = []
    for part in (_governor, _boost, _watchdogs, _background, _idle, _workqueues, _irqs, _siblings):
        found, reasons = part(host, tree)
        changes += found
        impossible += reasons
    return Plan(host.cpu, tuple(changes), tuple(impossible))


_Part = tuple[list[Change], list[tuple[str, str]]]


def _hidden(host: Host, setting: str) -> _Part:
    where = "a guest does not see it; change it on the host" if host.guest else "not on this kernel"
    return [], [(setting, where)]


def _governor(host: Host, tree: Tree) -> _Part:
    folder = f"{CPUS}/cpu{host.cpu}/cpufreq"
    if host.governor is None:
        return _hidden(host, "governor")
    available = tree.read(f"{folder}/scaling_available_governors")
    if available is not None and "performance" not in available.split():
        return [], [("governor", f"the driver knows only {available}")]
    if host.governor == "performance":
        return [], []
    why = "the clock stays at its highest"
    path = f"{folder}/scaling_governor"
    return [Change("governor", path, host.governor, "performance", why)], []


def _boost(host: Host, tree: Tree) -> _Part:
    for path, on, off in BOOST:
        value = tree.read(path)
        if value == on:
            return [Change("boost", path, on, off, "the clock no longer depends on heat")], []
        if value is not None:
            return [], []
    return _hidden(host, "boost")


def _watchdogs(host: Host, _tree: Tree) -> _Part:
    why = "nothing wakes to look after the CPU"
    return [
        Change(name, f"proc/sys/kernel/{name}", "1", "0", why)
        for name in WATCHDOGS
        if name in host.watchdogs
    ], []


def _background(host: Host, tree: Tree) -> _Part:
    return [
        Change(one.name, one.path, tree.read(one.path) or "", one.idle[0], one.why)
        for one in BACKGROUND
        if one.name in host.background
    ], []


def _idle(host: Host, tree: Tree) -> _Part:
    """/dev/cpu_dma_latency, too, forbids deep states, but only while a process has it open."""
    folder = f"{CPUS}/cpu{host.cpu}/cpuidle"
    why = "waking from it empties caches"
    return [
        Change(f"idle state {name}", f"{folder}/state{number}/disable", "0", "1", why)
        for number, name in host.deep_states
        if tree.read(f"{folder}/state{number}/disable") == "0"
    ], []


def _elsewhere(host: Host) -> frozenset[int]:
    """Other CPUs; the sibling shares the core, so what disturbs it disturbs the measurement too."""
    others = host.online - {host.cpu}
    return others - host.siblings or others


def _workqueues(host: Host, tree: Tree) -> _Part:
    mask = tree.read(WORKQUEUES)
    if not host.workqueues_here or not mask:
        return [], []
    wanted = cpu_mask(mask) & _elsewhere(host) or _elsewhere(host)
    why = f"the kernel's work is done away from the core of CPU {host.cpu}"
    return [Change("unbound workqueues", WORKQUEUES, mask, mask_text(wanted, mask), why)], []


def _irqs(host: Host, tree: Tree) -> _Part:
    elsewhere = _elsewhere(host)
    if not elsewhere:
        return [], [("interrupts", "the measuring CPU is the only one")]
    paths = ["proc/irq/default_smp_affinity"]
    paths += [
        f"proc/irq/{irq}/smp_affinity"
        for irq in tree.numbers("proc/irq")
        if irq not in host.irqs_fixed
    ]
    changes = []
    for path in paths:
        mask = tree.read(path)
        cpus = maybe_mask(mask)
        # An interrupt whose last CPU goes offline is opened to all CPUs by the kernel, for good.
        if not mask or cpus is None or (host.cpu not in cpus and cpus & elsewhere):
            continue
        # As few CPUs are taken from an interrupt as will do.
        wanted = cpus & elsewhere or elsewhere
        setting = "new interrupts" if "default" in path else f"interrupt {path.split('/')[2]}"
        why = f"it stays away from the core of CPU {host.cpu}"
        changes.append(Change(setting, path, mask, mask_text(wanted, mask), why))
    fixed = [(f"interrupt {irq}", FIXED_REASON) for irq in sorted(host.irqs_fixed)]
    if host.irqbalance and changes:
        fixed.append(("interrupts, for long", "irqbalance runs and sends them back: stop it"))
    return changes, fixed


FIXED_REASON = "not movable: its driver, or the kernel, says on which CPUs it comes"


def _siblings(host: Host, tree: Tree) -> _Part:
    if not host.siblings:
        topology = tree.read(f"{CPUS}/cpu{host.cpu}/topology/thread_siblings_list")
        if host.guest and cpu_list(topology) <= {host.cpu}:
            return _hidden(host, "sibling thread")
        return [], []
    why = f"nothing else runs on the core of CPU {host.cpu}"
    changes = [
        Change(f"CPU {cpu} online", f"{CPUS}/cpu{cpu}/online", "1", "0", why)
        for cpu in sorted(host.siblings - host.siblings_fixed)
    ]
    fixed = [
        (f"CPU {cpu} online", "the kernel cannot do without it; measure on another core (--cpu)")
        for cpu in sorted(host.siblings_fixed)
    ]
    return changes, fixed

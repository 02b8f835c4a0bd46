# SPDX-License-Identifier: GPL-2.0-only
"""The catalogue as Python sees it: the rows of probes.def, as the harness describes them."""

import re
from dataclasses import dataclass
from functools import lru_cache

from irqcost import ROOT
from irqcost.model import description

# The files of its rows: calls of the kernel, and instructions of the harness's architecture.
PROBES = ROOT / "bench_kmod" / "include" / "irqcost" / "probes"
INSTRUCTIONS = ROOT / "bench_kmod/arch/x86/include/irqcost/arch/instructions.def"

# Headings of the groups, in the order of the catalogue.
GROUPS = {
    "control": "Controls",
    "flags": "Reading and writing the flags register",
    "mask": "Masking by instruction",
    "irqflags": "The kernel's irqflags API",
    "lock": "Locks",
    "preempt": "Preemption and softirqs",
    "atomic": "Instead of masking",
    "alloc": "The allocator",
    "line": "Masking one line",
    "bpf": "Functions of the kernel, called through BPF",
    "fault": "What ring 3 gets for masking: a fault, and no cost of masking",
}

# Contexts from which the module calls a row (enum irqcost_context), process context first.
CONTEXTS = tuple(description.read()["contexts"])

# The columns `where` and `irqs`, in words.
RINGS = {
    "RING3": "3",
    "ANY": "3 and 0",
    "ANY_BPF": "3 and 0",
    "ANY_UNMASKS": "3 and 0",
    "RING0": "0",
    "RING0_UNMASKS": "0",
    "RING0_TASK": "0",
    "RING0_RT_SLEEPS": "0 (may sleep on PREEMPT_RT)",
    "RING0_RT_SLEEPS_UNMASKS": "0 (may sleep on PREEMPT_RT)",
    "RING0_RT_SLEEPS_SOFTIRQS": "0 (may sleep on PREEMPT_RT)",
    "BPF_ONLY": "0 (called from BPF)",
}
INTERRUPTS = {
    "IF_00": "off",
    "IF_11": "on",
    "IF_01": "off, then on",
    "IF_10": "on, then off",
}

# Where a row that encloses a critical section has it; so in strings, with () in C statements.
_MARKER = re.compile(r"irqcost_section(\(\))?")


@dataclass(frozen=True)
class Probe:
    """One row; the columns are described at the head of probes.def."""

    kind: str  # insn, call, bpf or fault
    id: int
    key: str
    group: str
    where: str
    irqs: str
    needs: str
    code: str
    api: str
    title: str
    summary: str
    use: str

    @property
    def rings(self) -> str:
        return RINGS[self.where]

    @property
    def in_ring3(self) -> bool:
        return self.where.startswith("ANY") or self.where == "RING3"

    @property
    def backends(self) -> tuple[str, ...]:
        """Backends that have the row, where they can run."""
        if self.kind in ("call", "bpf"):
            return ("kmod",) if self.kind == "call" else ("bpf",)
        found = ["ring3"] if self.in_ring3 else []
        found += ["kmod", "kvm"] if self.where != "RING3" else []
        found += ["bpf"] if self.where == "ANY_BPF" else []
        return tuple(found)

    def requires(self, what: str) -> bool:
        """Whether the column `needs` has that name of enum irqcost_needs."""
        return what in self.needs.split("_AND_")

    @property
    def sleeps_on_rt(self) -> bool:
        """Whether it may sleep on a PREEMPT_RT kernel."""
        return "RT_SLEEPS" in self.where

    def contexts(self, realtime: bool = False) -> tuple[str, ...]:
        """Contexts from which the kernel may call it, those of the module's rules (probes.c)."""
        if self.where.endswith("_TASK"):
            return ("process",)
        masks = self.where.endswith(("_UNMASKS", "_SOFTIRQS")) or realtime and self.sleeps_on_rt
        return CONTEXTS[:2] if masks else CONTEXTS

    @property
    def interrupts(self) -> str:
        return INTERRUPTS[self.irqs]

    @property
    def has_section(self) -> bool:
        """Whether it encloses a critical section, and so is measured in situ."""
        return self.kind != "bpf" and bool(_MARKER.search(self.code))

    @property
    def operations(self) -> int:
        """How often it does what it costs: rows of flags may restore them more than once."""
        return max(1, self.code.count("popfq")) if self.group == "flags" else 1

    @property
    def shown_code(self) -> str:
        """The code with an ellipsis for the section."""
        return _MARKER.sub("…", self.code)

    @property
    def repeatable(self) -> bool:
        """Whether it leaves the interrupt flag as it found it, and so has a throughput."""
        return self.irqs in ("IF_00", "IF_11")


@lru_cache(maxsize=1)
def by_key() -> dict[str, Probe]:
    """The rows by their keys."""
    return {probe.key: probe for probe in read()}


def read() -> tuple[Probe, ...]:
    """The rows, in the order of probes.def."""
    return tuple(Probe(**row) for row in description.read()["catalogue"])

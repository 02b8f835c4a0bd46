# SPDX-License-Identifier: GPL-2.0-only
"""A result as Python sees it. The keys, units and their meaning are those of docs/RESULTS.md."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from irqcost.base.verdicts import Trust
from irqcost.model import ticks
from irqcost.model.contention import DeferredInterrupts, LockContention
from irqcost.model.machine_code import masking as masking_
from irqcost.model.machine_code.masking import Masking
from irqcost.model.members import GREATEST, FormatError, Object

EXECUTIONS = ("bare-metal", "virtualised", "emulated", "simulated")

# More than a histogram is written with (histogram.py), and few enough to be drawn.
_MOST_BINS = 10_000


@dataclass(frozen=True)
class Cpu:
    """The CPU that was measured; `measured` is the number of the logical CPU."""

    vendor: str | None
    brand: str | None
    codename: str | None
    family: int | None
    model: int | None
    stepping: int | None
    microcode: str | None
    measured: int | None
    # Of a hybrid CPU; None if all cores are of one type, and in files older than the key.
    core_type: str | None = None
    # What keeps a guest's memory from its host; None in files that are older than the key.
    confidential: tuple[str, ...] | None = None
    # Whether lfence waits for what is before it; None where nothing tells.
    lfence_waits: bool | None = None


@dataclass(frozen=True)
class Kernel:
    """The kernel; `config` is None where no module said how it was built."""

    release: str
    version: str | None
    command_line: str | None
    realtime: bool
    config: tuple[str, ...] | None
    # Mode of preemption at the time of the run; None where it was not known, or in older files.
    preemption: str | None = None
    # Of irqs and preemption: absent, off or on; None likewise.
    tracepoints: str | None = None


@dataclass(frozen=True)
class Backend:
    """Whether a backend could run; if not, why, and what would help."""

    name: str
    usable: bool
    reason: str = ""
    remedy: str = ""
    clock: str = ""  # what it measured with where that is not the TSC, in words
    execution: str = ""  # one of EXECUTIONS, where its code may be executed in a way of its own
    execution_reason: str = ""


@dataclass(frozen=True)
class MachineCode:
    """A function as the CPU executed it; see `machine_code` in docs/RESULTS.md."""

    code: bytes
    code_hash: str = ""  # "" where the instructions were not decoded
    targets: Mapping[int, str] = field(default_factory=dict)
    masks: masking_.Masks = masking_.Masks()


@dataclass(frozen=True)
class Derived:
    """A figure that follows from measured ones, in core cycles."""

    name: str
    cycles: float
    low: float
    high: float
    formula: str


@dataclass(frozen=True)
class Absent:
    """Something asked for that could not be measured."""

    name: str
    reason: str


@dataclass(frozen=True)
class Context:
    """Who measured what, where and under which conditions."""

    date: str
    version: str
    catalogue_hash: str
    command: tuple[str, ...]
    execution: str  # one of EXECUTIONS
    execution_reason: str
    instruction_clock: bool
    cpu: Cpu
    kernel: Kernel
    hypervisor: str | None  # by CPUID
    governor: str | None
    boost: str | None
    smt: str | None
    mitigations: Mapping[str, str]
    tsc_khz: float | None
    tsc_step: float | None
    backends: tuple[Backend, ...]
    absent: tuple[Absent, ...]
    # Processes that the figures come from; 0 in a file of the harness alone.
    processes: int = 0
    # A word, and in a sentence with numbers (`sentence`: "" in files that are older than the key).
    verdict: str = ""
    sentence: str = ""
    reasons: tuple[str, ...] = ()
    # Machine code by `backend/probe` and symbol, and the catalogue's code by probe.
    machine_code: Mapping[str, Mapping[str, MachineCode]] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    derived: tuple[Derived, ...] = ()
    niceness: int | None = None  # of the harness; None in files that are older than the key
    tsc_invariant: bool | None = None
    clock_source: str | None = None  # of the kernel; None where it is not known
    cpu_quota: float | None = None  # CPUs' worth of time; None: no quota, or not known
    masking: Masking = Masking()
    # The hypervisor that the kernel says it runs on; None where it does not say, or did not yet.
    kernel_hypervisor: str | None = None
    # Of the rows that the module compiles; None where it was not used, or did not say yet.
    module_compiler: str | None = None
    architecture: str = masking_.DECODED

    @property
    def why_clock_unreliable(self) -> str:
        """Why ns and ticks are unreliable; empty where they are not."""
        return "" if self.emulated else ticks.why_unreliable(self.tsc_invariant, self.clock_source)

    @property
    def emulated(self) -> bool:
        return self.execution == "emulated"

    @property
    def simulated(self) -> bool:
        return self.execution == "simulated"

    @property
    def kind(self) -> str:
        """real, emulated or simulated: figures of two kinds have nothing in common."""
        return self.execution if self.emulated or self.simulated else "real"

    @property
    def outcome(self) -> str:
        """The run's verdict as it is shown; "" of the harness alone."""
        return self.sentence or self.verdict

    @property
    def kernel_execution(self) -> str:
        """How the kernel was executed: as all code was, or one of a hypervisor's making."""
        return masking_.PARAVIRTUALISED if self.masking.paravirtual else self.execution

    @property
    def emulated_backends(self) -> tuple[Backend, ...]:
        """Those whose code was emulated on a machine that runs other code itself."""
        return tuple(one for one in self.backends if one.execution == "emulated")


@dataclass(frozen=True)
class Grid:
    """Samples counted: `counts` by the beginning of their bin, bins `width` wide, and how many lie
    `below` and `above` all bins."""

    width: float
    counts: tuple[tuple[float, int], ...]
    below: int = 0
    above: int = 0

    @property
    def total(self) -> int:
        return self.below + sum(count for _, count in self.counts) + self.above


@dataclass(frozen=True)
class Histogram:
    """The samples of an entry, clean and contaminated, in `unit` (core_cycles or ticks)."""

    unit: str
    clean: Grid
    contaminated: Grid


@dataclass(frozen=True)
class Entry:
    """One benchmark entry. Costs and spread are per operation."""

    backend: str
    probe: str
    mode: str
    variant: str  # in situ: core cycles of the section; "" where the mode has none
    aggregate: str  # "" for a single repetition, else mean, median …
    ns: float
    ticks: float
    core_cycles: float | None
    ticks_min: float
    ticks_p50: float
    ticks_p99: float
    spread: float  # ticks, p75 - p25 of the samples used
    samples: float
    clean: float
    label: str
    # The 95 % interval; None where too few processes were clean, or there was one only.
    ticks_interval: tuple[float, float] | None = None
    cycles_interval: tuple[float, float] | None = None
    # One of Trust with its reasons; "" in a file of the harness alone.
    verdict: str = ""
    reasons: tuple[str, ...] = ()
    # 1: the p10 of all windows; 2: in isolated and in situ the mean of those from p10 to p75; 3:
    # the windows of a sample by its own clock, then one location of all samples.
    estimator: int = 1
    # As it is in the file: most of what is in one, and seldom looked at.
    raw_histogram: object = field(default=None, repr=False, compare=False)
    # Only where the mode is one of contention.MODES.
    contention: LockContention | DeferredInterrupts | None = None

    @property
    def histogram(self) -> Histogram | None:
        """How the samples lie; None where the file does not tell. Raises FormatError."""
        if self.raw_histogram is None:
            return None
        item = Object(self.raw_histogram, f"{self.name}.histogram")
        return Histogram(
            item.text("unit"), _grid(item.object("clean")), _grid(item.object("contaminated"))
        )

    @property
    def name(self) -> str:
        return "/".join(filter(None, (self.backend, self.probe, self.mode, self.variant)))

    @property
    def unreliable(self) -> bool:
        if self.verdict:
            return Trust.needs_care(self.verdict)
        return self.label not in ("", "clean")

    @property
    def remark(self) -> str:
        """Why it is unreliable, in a sentence; "" where it is not."""
        if not self.unreliable:
            return ""
        return f"{self.verdict}: {self.reasons[0]}" if self.reasons else self.label


# Greatest difference of two estimators of irqcost about the same samples, in core cycles, as
# measured (docs/method/comparing.md, "Estimators").
ESTIMATORS_DIFFER = {"throughput": 0.2, "isolated": 0.6, "in_situ": 0.5}
# Of a difference that is so many times as large, at most a tenth is the estimators'.
_FAR = 10


def estimators_differ(base: Entry, new: Entry) -> float:
    """By how many core cycles two figures may differ for their estimators alone."""
    if base.estimator == new.estimator:
        return 0.0
    return ESTIMATORS_DIFFER.get(new.mode, max(ESTIMATORS_DIFFER.values()))


def other_estimator(base: Entry, new: Entry) -> str:
    """That two figures were not made in one way; "" where they were."""
    most = estimators_differ(base, new)
    if not most:
        return ""
    return (
        f"made by another estimator of irqcost, which moves figures by up to {most} "
        "cycle: measure the baseline anew"
    )


def estimator_matters(base: Entry, new: Entry) -> str:
    """other_estimator(), of figures so near to each other that it matters."""
    if base.core_cycles is not None and new.core_cycles is not None:
        if abs(new.core_cycles - base.core_cycles) > _FAR * estimators_differ(base, new):
            return ""
    return other_estimator(base, new)


@dataclass(frozen=True)
class Result:
    """A result file."""

    context: Context
    entries: tuple[Entry, ...] = field(repr=False)

    @cached_property
    def figures(self) -> dict[str, Entry]:
        """The one figure by `backend/probe/mode[/variant]`, in the order of the file.

        With repetitions that is Google Benchmark's median aggregate, or, where a filter kept the
        aggregates out of the file, the median repetition.
        """
        by_name: dict[str, list[Entry]] = {}
        for entry in self.entries:
            if entry.aggregate in ("", "median"):
                by_name.setdefault(entry.name, []).append(entry)
        return {name: _median(entries) for name, entries in by_name.items()}

    def cycles_per_tick(self, backend: str) -> float | None:
        """Core cycles in a tick while `backend` measured: the median over its figures.

        Only for what has no cycle figure of its own, such as the spread.
        """
        ratios = [
            entry.core_cycles / entry.ticks
            for entry in self.figures.values()
            if entry.backend == backend and entry.core_cycles and entry.ticks > 0
        ]
        return statistics.median(ratios) if ratios else None


def without_emulated(result: Result) -> Result:
    """A result less the figures of backends that were emulated on a real machine."""
    emulated = {backend.name for backend in result.context.emulated_backends}
    if not emulated:
        return result
    kept = tuple(entry for entry in result.entries if entry.backend not in emulated)
    return Result(result.context, kept)


def _median(entries: list[Entry]) -> Entry:
    if len(entries) == 1:
        return entries[0]
    medians = [entry for entry in entries if entry.aggregate == "median"]
    if medians:
        return medians[0]
    return sorted(entries, key=lambda entry: entry.ticks)[(len(entries) - 1) // 2]


def _grid(item: Object) -> Grid:
    origin, width = item.number("origin"), item.number("width")
    counts = item.raw("counts")
    # Bins beyond this come from no sample that is a cost.
    sound = width > 0 and isinstance(counts, list) and len(counts) <= 2 * _MOST_BINS
    sound = sound and len(counts) % 2 == 0
    if not sound or not all(type(n) is int and 0 <= n <= GREATEST for n in counts):
        raise FormatError(f"{item.where} is no histogram: see docs/RESULTS.md")
    pairs = zip(counts[::2], counts[1::2])
    below, above = (int(item.number(key)) if item.has(key) else 0 for key in ("below", "above"))
    bins = tuple((origin + place * width, count) for place, count in pairs)
    return Grid(width, bins, below, above)

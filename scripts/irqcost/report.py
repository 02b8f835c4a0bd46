# SPDX-License-Identifier: GPL-2.0-only
"""A result in words: who was measured, and the table of its figures."""

from collections.abc import Callable

from irqcost import catalogue, epochs, files, waits, waits_table
from irqcost.model import Context, Entry, Result
from irqcost.table import Table, number as number

_MODES = {
    "throughput": "throughput: repeated back to back",
    "latency": "latency: once, between fences",
    "in_situ": "in situ: added to a critical section of so many dependent core cycles",
    "contention": "contention: a lock that 1 to all CPUs take around so many core cycles",
    "pending": "pending: an interrupt that was raised while it was masked",
}
_BACKENDS = {
    "ring3": "ring 3 (this process)",
    "kmod": "ring 0 (kernel module)",
    "bpf": "ring 0 (BPF program)",
    "kvm": "ring 0 (KVM guest)",
}

_DERIVED = "masking alone: derived from the figures as called; the truth is from `from` to `to`"

# What hypervisors sign themselves with in CPUID, and how people call them.
_HYPERVISORS = {
    "KVMKVMKVM": "KVM",
    "TCGTCGTCGTCG": "QEMU (TCG)",
    "Microsoft Hv": "Hyper-V",
    "VMwareVMware": "VMware",
    "XenVMMXenVMM": "Xen",
}


def cpu_name(context: Context) -> str:
    """The CPU by its brand and, since brands of cloud machines say little, its signature.

    Not by libcpuid's codename, which for a CPU younger than the library is that of another one.
    """
    cpu = context.cpu
    name = cpu.brand or cpu.vendor or "unknown CPU"
    signature = files.cpu_signature(cpu)
    named = f"{name} ({signature})" if signature else name
    return f"{named}, {cpu.core_type} core" if cpu.core_type else named


def hypervisor(context: Context) -> str | None:
    """The hypervisor as people call it."""
    return _HYPERVISORS.get(context.hypervisor or "", context.hypervisor)


def execution(context: Context) -> str:
    """How the CPU executed the run; emulation cannot be overlooked."""
    if context.emulated:
        counts = "ticks are instructions" if context.instruction_clock else "no measure of a CPU"
        return f"EMULATED by {hypervisor(context) or 'an emulator'}: {counts}"
    if context.simulated:
        return "SIMULATED: no measure of a CPU"
    if context.execution == "virtualised":
        return f"virtualised by {hypervisor(context) or 'an unnamed hypervisor'}"
    return "bare metal"


def title(context: Context) -> str:
    """One line: CPU, kernel, and how it was executed."""
    return f"{cpu_name(context)}, kernel {context.kernel.release}, {execution(context)}"


def decimals(context: Context) -> int:
    """Digits behind the point: exact counts show that they are exact."""
    return 3 if context.instruction_clock else 2


def backend_name(backend: str) -> str:
    return _BACKENDS.get(backend, backend)


def mode_name(mode: str) -> str:
    return _MODES.get(mode, mode)


def text(result: Result, probes: tuple[catalogue.Probe, ...]) -> str:
    """The whole of a result as a table for each backend and mode."""
    ticks = "instructions" if result.context.instruction_clock else "TSC ticks"
    legend = f"spread (p75 - p25), p50 and p99 are {ticks}; free: undisturbed samples of all"
    parts = [title(result.context), _conditions(result.context), *_doubts(result.context), legend]
    if result.context.epochs > 1:
        parts.append(
            f"medians over up to {result.context.epochs} fresh processes; ±: to the farther end "
            "of the 95 % interval"
        )
    keys = dict.fromkeys((e.backend, e.mode) for e in result.figures.values())
    groups = {probe.key: probe.group for probe in probes}
    emulated = {one.name: one.execution_reason for one in result.context.emulated_backends}
    for backend, mode in keys:
        entries = [e for e in result.figures.values() if (e.backend, e.mode) == (backend, mode)]
        parts += ["", f"{backend_name(backend)}, {mode_name(mode)}"]
        if backend in emulated:
            parts.append(f"EMULATED, no measure of a CPU: {emulated[backend]}")
        parts.append("")
        if mode in waits.MODES:
            parts.append(waits_table.table(mode, result.context, entries))
            continue
        parts.append(_figures(result.context, entries, groups))
    if result.context.derived:
        parts += ["", _DERIVED, "", _derived(result.context)]
    parts += _provenance(result.context)
    if result.context.outcome:
        parts += ["", f"Verdict: {result.context.outcome}"]
        parts += [f"  {reason}" for reason in result.context.reasons]
    missing = [f"  {absent.name}: {absent.reason}" for absent in result.context.absent]
    if missing:
        parts += ["", "Not measured:", *missing]
    return "\n".join(parts)


def _derived(context: Context) -> str:
    digits = decimals(context)
    table = Table(("probe", "core cycles", "from", "to", "derived as"), "<>>><")
    for one in context.derived:
        backend, probe = one.name.split("/")[:2]
        values = (number(value, digits) for value in (one.cycles, one.low, one.high))
        table.row(f"  {backend}/{probe}", *values, one.formula)
    return str(table)


def _provenance(context: Context) -> list[str]:
    """What the ring-0 figures were measured with, and whose live text the file holds."""
    lines = [f"{one.name} measured with {one.clock}" for one in context.backends if one.clock]
    functions = {symbol for texts in context.text.values() for symbol in texts}
    if functions:
        lines.append(
            f"live text of {len(functions)} kernel functions is in the file; ./irqcost compare "
            "tells where another result's differs"
        )
    return ["", *lines] if lines else []


def _half_width(entry: Entry) -> float | None:
    if entry.core_cycles is None or entry.cycles_interval is None:
        return None
    return epochs.half_width(entry.core_cycles, entry.cycles_interval)


def _conditions(context: Context) -> str:
    conditions = []
    if context.tsc_khz is not None:
        conditions.append(f"TSC {context.tsc_khz / 1e6:.3f} GHz")
    for name, value in (
        ("microcode", context.cpu.microcode),
        ("governor", context.governor),
        ("boost", context.boost),
        ("SMT", context.smt),
    ):
        if value is not None:
            conditions.append(f"{name} {value}")
    return ", ".join([*conditions, context.date])


def clock_doubt(context: Context) -> str:
    """A sentence where ns and ticks are in doubt, else nothing."""
    return f"ns and ticks are in doubt: {context.clock_doubt}" if context.clock_doubt else ""


def quota_doubt(context: Context) -> str:
    """A sentence where the process had a quota of CPU time, else nothing."""
    if context.cpu_quota is None:
        return ""
    return (
        f"measured under a quota of {context.cpu_quota:.4g} CPUs (cgroup): the process may have "
        "been stopped while it measured"
    )


def _doubts(context: Context) -> list[str]:
    return [one for one in (clock_doubt(context), quota_doubt(context)) if one]


def _figures(context: Context, entries: list[Entry], groups: dict[str, str]) -> str:
    digits = decimals(context)
    figures: dict[str, Callable[[Entry], float | None]] = {}
    # Where no cycle was measured (emulation) there is no column of dashes to read over, and
    # where ticks are instructions they have no duration.
    if any(entry.core_cycles is not None for entry in entries):
        figures["core cycles"] = lambda entry: entry.core_cycles
    if any(entry.cycles_interval for entry in entries):
        figures["±"] = _half_width
    if context.instruction_clock:
        figures["instructions"] = lambda entry: entry.ticks
    else:
        figures["ns"] = lambda entry: entry.ns
        figures["ticks"] = lambda entry: entry.ticks
    figures["spread"] = lambda entry: entry.spread
    figures["p50"] = lambda entry: entry.ticks_p50
    figures["p99"] = lambda entry: entry.ticks_p99

    table = Table(("probe", *figures, "free", "remark"), "<" + ">" * (len(figures) + 1) + "<")
    group = None
    for entry in entries:
        if groups.get(entry.probe) != group:
            group = groups.get(entry.probe)
            table.heading(catalogue.GROUPS[group] if group else "Not in this catalogue")
        table.row(
            f"  {entry.probe}" + (f", {entry.variant}" if entry.variant else ""),
            *(number(figure(entry), digits) for figure in figures.values()),
            f"{entry.free:.0f}/{entry.samples:.0f}",
            entry.remark,
        )
    return str(table)

# SPDX-License-Identifier: GPL-2.0-only
"""What CPUs, hypervisors, backends and modes are called."""

from collections.abc import Iterable

from irqcost.model import description, filenames
from irqcost.model.machine_code import masking
from irqcost.model.result import Context

_MODES = {
    "throughput": "throughput: repeated back to back",
    "isolated": "isolated: once, between fences",
    "in_situ": "in situ: added to a critical section of so many dependent core cycles",
    "contention": "contention: a lock that 1 to all CPUs take around so many core cycles",
    "pending": "pending: an interrupt that was raised while it was masked",
}
_BACKENDS = {name: one["title"] for name, one in description.backends().items()}

_VENDORS = {
    "AuthenticAMD": "AMD",
    "GenuineIntel": "Intel",
    "HygonGenuine": "Hygon",
    "CentaurHauls": "Centaur",
    "  Shanghai  ": "Zhaoxin",
}

# Server products whose family and model are of no other product: as people call the CPU, where its
# brand string is its cloud's.
_PRODUCTS = {
    ("AMD", 0x19, 0x01): "Milan",
    ("AMD", 0x19, 0x11): "Genoa",
    ("AMD", 0x19, 0xA0): "Bergamo",
    ("AMD", 0x1A, 0x02): "Turin",
    ("AMD", 0x1A, 0x11): "Turin Dense",
    ("Intel", 0x06, 0x6A): "Ice Lake-SP",
    ("Intel", 0x06, 0x8F): "Sapphire Rapids",
    ("Intel", 0x06, 0xAD): "Granite Rapids",
    ("Intel", 0x06, 0xAF): "Sierra Forest",
    ("Intel", 0x06, 0xCF): "Emerald Rapids",
}

# What hypervisors sign themselves with in CPUID, and how people call them.
_HYPERVISORS = {
    "KVMKVMKVM": "KVM",
    "TCGTCGTCGTCG": "QEMU (TCG)",
    "Microsoft Hv": "Hyper-V",
    "VMwareVMware": "VMware",
    "XenVMMXenVMM": "Xen",
}


def cpu_name(context: Context) -> str:
    """The CPU by its microarchitecture, since brands of cloud machines say little; by its brand
    where that is not known, or where it is an emulator's."""
    cpu = context.cpu
    named = None if context.emulated else _microarchitecture(context)
    if named is None:
        name = cpu.brand or cpu.vendor or "unknown CPU"
        signature = filenames.cpu_signature(cpu)
        named = f"{name} ({signature})" if signature else name
    return f"{named}, {cpu.core_type} core" if cpu.core_type else named


def _microarchitecture(context: Context) -> str | None:
    """As in "AMD Zen 5 (Turin), family 1a model 02"."""
    cpu = context.cpu
    vendor = _VENDORS.get(cpu.vendor or "")
    if vendor is None or not cpu.codename or cpu.family is None or cpu.model is None:
        return None
    product = _PRODUCTS.get((vendor, cpu.family, cpu.model))
    sold = f" ({product})" if product else ""
    return f"{vendor} {cpu.codename}{sold}, family {cpu.family:02x} model {cpu.model:02x}"


def short_name(context: Context) -> str:
    """The CPU's microarchitecture and product, as in "Zen 5 (Turin)"; else as cpu_name()."""
    cpu = context.cpu
    if context.emulated or _microarchitecture(context) is None or cpu.core_type:
        return cpu_name(context)
    product = _PRODUCTS.get((_VENDORS[cpu.vendor or ""], cpu.family or 0, cpu.model or 0))
    return f"{cpu.codename} ({product})" if product else cpu.codename or ""


def brand(context: Context) -> str:
    """The brand string, where the CPU's name does not have it; "" else."""
    text = context.cpu.brand or ""
    return "" if text in cpu_name(context) else text


def hypervisor(context: Context) -> str | None:
    """The hypervisor that CPUID names, as people call it."""
    named = context.hypervisor
    return named and _HYPERVISORS.get(named, " ".join(dict.fromkeys(named.split())))


def _host(context: Context) -> str | None:
    """The hypervisor that the kernel runs on: by its own word, else by whose code it masks."""
    return context.kernel_hypervisor or masking.hypervisor(context.masking.kind)


def other_hypervisor(context: Context) -> str:
    """That CPUID names another hypervisor than the kernel runs on; "" where it does not."""
    by_cpuid, own = hypervisor(context), _host(context)
    if not by_cpuid or not own:
        return ""
    one, two = by_cpuid.casefold(), own.casefold()
    return "" if one in two or two in one else f"CPUID names {by_cpuid}"


def execution(context: Context) -> str:
    """How the CPU executed the run; emulation cannot be overlooked."""
    if context.emulated:
        counts = "ticks are instructions" if context.instruction_clock else "no measure of a CPU"
        return f"EMULATED by {hypervisor(context) or 'an emulator'}: {counts}"
    if context.simulated:
        return "SIMULATED: no measure of a CPU"
    if context.masking.paravirtual:
        by = masking.replaced(context.masking.kind)
        return f"paravirtualised by {_host(context)} (masked by {by})"
    if context.execution == "virtualised":
        return f"virtualised by {_host(context) or hypervisor(context) or 'an unnamed hypervisor'}"
    return "bare metal"


def executions(contexts: Iterable[Context]) -> str:
    """How several were executed, each way once, and where CPUID names another hypervisor."""
    said = (filter(None, (execution(one), other_hypervisor(one))) for one in contexts)
    return "; ".join(dict.fromkeys(map(", ".join, said)))


def title(context: Context) -> str:
    """One line: CPU, kernel, and how it was executed."""
    return f"{cpu_name(context)}, kernel {context.kernel.release}, {execution(context)}"


def decimals(context: Context) -> int:
    """Digits after the point: exact counts show that they are exact."""
    return 3 if context.instruction_clock else 2


def backend_name(backend: str, contexts: Iterable[Context]) -> str:
    """What a backend's figures are of, in these results."""
    kinds = dict.fromkeys(one.masking.kind_of(backend) for one in contexts)
    own = _BACKENDS.get(backend, backend)
    return " or ".join(own if one == masking.NATIVE else _kernel_function(one) for one in kinds)


def _kernel_function(kind: str) -> str:
    return f"kernel function, masked {masking.way(kind)}"


def kernel_functions(contexts: Iterable[Context], backend: str, probe: str | None = None) -> str:
    """What is to be said of figures of a backend that are not the CPU's masking; "" for none.
    `probe` is one that masks."""
    kinds = dict.fromkeys(one.masking.kind_of(backend, probe) for one in contexts)
    return " or ".join(_kernel_function(kind) for kind in kinds if kind != masking.NATIVE)


def mode_name(mode: str) -> str:
    return _MODES.get(mode, mode)


def why_clock_unreliable(context: Context) -> str:
    """A sentence where ns and ticks are unreliable, else nothing."""
    return (
        f"ns and ticks are unreliable: {context.why_clock_unreliable}"
        if context.why_clock_unreliable
        else ""
    )


def quota_doubt(context: Context) -> str:
    """A sentence where the process had a quota of CPU time, else nothing."""
    if context.cpu_quota is None:
        return ""
    return (
        f"measured under a quota of {context.cpu_quota:.4g} CPUs (cgroup): the process may have "
        "been stopped while it measured"
    )

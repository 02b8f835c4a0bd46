# SPDX-License-Identifier: GPL-2.0-only
"""Of docs/KERNELS.md, the section that has architectures beside each other."""

from collections.abc import Callable, Mapping, Sequence

from irqcost.model.catalogue import Probe
from irqcost.model.machine_code import executed
from irqcost.vm.architectures import ARCHITECTURES, X86
from irqcost.vm.counts import Counts

# Of this machine's architecture, the kernels that others are compared with.
_COMPARED = ("6.1", "6.1-rt", "6.12")

# What shows how a kernel masks.
MASKING = "local_irq_disable_enable"

# Whose code is shown, and of which columns.
SHOWN = (MASKING, "local_irq_save_restore", "this_cpu_inc", "irq_save_inc")
_WRITTEN = ("6.1", "6.1-arm64", "pseudo-nmi-arm64-off", "pseudo-nmi-arm64", "6.12-riscv64")

_HEAD = """
## Three architectures

The same calls of the kernel's API, counted in the same way on x86-64, arm64 and 64-bit RISC-V. A
count is what one operation executes; an instruction of one architecture is not an instruction of
another, and none of these counts is a time. On arm64 (CPU `max`) and RISC-V `./irqcost test`
compares each number of 6.1 and 6.12, in that order, with what a trace of the guest counts, in every
mode; other CPUs and kernels are compared on request (`pytest -m matrix
scripts/tests/test_vm_arch.py`). On 2026-12-01 each number of arm64 and RISC-V below was what its
trace counted. Nothing of it was run on silicon.

The CPU is QEMU's `max`, whose atomics are single instructions on arm64 (LSE), or `cortex-a72`, on
which they are loops of a load and a store (LL/SC); `rv64` on RISC-V. The module is compiled by gcc
12, as Debian's 6.1 is; the RISC-V kernel is Debian 13's, which gcc 14 compiled.

`masks by` is what `local_irq_disable()` changes, as the machine code that it executes shows: the
interrupt flag (IF), the CPU's masks (DAIF), the priority that interrupts must have (PMR, the
register ICC_PMR_EL1), or the interrupt enable of the supervisor (SIE). Masking by priority lets
interrupts of a higher priority in, as if they were NMIs: this is pseudo-NMI. No arm64 kernel of
Debian is built with it, from 6.1 to 7.3.4. `pseudo-nmi-arm64` is built from Debian's newest source
with `bench_kmod/tests/pseudo-nmi.config`, and is booted with `irqchip.gicv3_pseudo_nmi=1`;
`pseudo-nmi-arm64-off` is the same kernel, booted with 0.

- One kernel that can mask in both ways executes 4 instructions for `local_irq_disable_enable` by
  DAIF and 9 by priority, and 5 and 11 for `local_irq_save_restore`. Masking itself is one
  instruction by DAIF and two by priority, whose value must be in a register first (rows
  `daifset_daifclr` and `pmr_off_on`: 2 and 4). Of the other five, four are branches: the code by
  priority is out of line. The fifth is a `nop`, which is `dsb sy` where the interrupt controller
  must see the new priority; here it need not ("relaxed ICC_PMR_EL1 synchronisation").
- By DAIF that kernel masks whatever it finds; by priority it skips the masking where interrupts are
  off (`local_irq_save_restore_masked`).
- Without pseudo-NMI masking is one instruction on each. What the API adds is the kernel's own: room
  for a hypervisor's calls on x86-64, nothing on RISC-V and on arm64 since 6.12. Debian's 6.1 on
  arm64 does part of what masking by priority needs, although it cannot mask so.
- On RISC-V `this_cpu_inc` is masking: it executes as much as `irq_save_inc`, which masks by itself.
  On x86-64 it is one instruction, on arm64 an atomic one with the way to this CPU's data.
- On RISC-V gcc drops the exchange in `this_cpu_cmpxchg`, which writes what is already there: only
  the masking around it remains, so that this count is no price of an exchange.
- Kernels of arm64 and RISC-V are booted without KASLR. With it an arm64 module may lie so far from
  the kernel that each call of a kernel function takes three instructions more, from boot to boot:
  that is no part of the kernel's own calls.
- On arm64 `local_irq_save` of 6.1 skips the masking where it finds interrupts off, that of 6.12
  masks anyway; the restore always writes the masks back. On RISC-V one instruction saves and masks.
"""


def section(
    columns: Mapping[str, Counts], probes: Sequence[Probe], head: Callable[[str, Counts], str]
) -> str:
    """The section; nothing where no other architecture was counted. @head: of a column."""
    foreign = {name: one for name, one in columns.items() if one.architecture != X86.name}
    if not foreign:
        return ""
    order = list(ARCHITECTURES)
    ordered = sorted(foreign.items(), key=lambda item: order.index(item[1].architecture))
    shown = {name: columns[name] for name in _COMPARED if name in columns} | dict(ordered)
    heads = [f"{columns[name].architecture}<br>{head(name, one)}" for name, one in shown.items()]
    lines = [f"| | {' | '.join(heads)} |", "|---|" + "---:|" * len(heads)]
    code = {name: _code_of(one) for name, one in shown.items()}
    ways = [_masks(one, code[name]) or "–" for name, one in shown.items()]
    lines.append(f"| masks by | {' | '.join(ways)} |")
    for probe in probes:
        cells = [one.counts.get(probe.key) for one in shown.values()]
        if probe.kind == "call" and any(probe.key in one.counts for one in foreign.values()):
            lines.append(f"| `{probe.key}` | {' | '.join(map(_cell, cells))} |")
    table = "\n".join(lines)
    return f"{_HEAD}\n{table}\n\n{_text(shown, code)}"


def _cell(count: float | None) -> str:
    return "–" if count is None else f"{count:.2f}".removesuffix(".00")


def _code_of(counts: Counts) -> Mapping[str, Sequence[str]]:
    """By row, its instructions: as they were counted, or as they are recorded of the release."""
    recorded = {one.release: one.rows for one in executed.read()}.get(counts.release, {})
    return {key: row.code for key, row in recorded.items()} | dict(counts.code)


def _masks(counts: Counts, code: Mapping[str, Sequence[str]]) -> str:
    return ARCHITECTURES[counts.architecture].masked_by(code.get(MASKING, ()))


def _text(columns: Mapping[str, Counts], code: Mapping[str, Mapping[str, Sequence[str]]]) -> str:
    """How each is written, on some kernels of each architecture."""
    parts = ["### The code of masking\n"]
    for key in SHOWN:
        parts.append(f"`{key}`:\n")
        lines = []
        for name, one in columns.items():
            if name in _WRITTEN and code[name].get(key):
                by = _masks(one, code[name])
                head = f"{one.architecture}, {one.release}" + (f", masks by {by}" if by else "")
                lines += [f"    {head}", *(f"        {line}" for line in code[name][key]), ""]
        parts.append("\n".join(lines))
    return "\n".join(parts)

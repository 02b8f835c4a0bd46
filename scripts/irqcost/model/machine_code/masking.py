# SPDX-License-Identifier: GPL-2.0-only
"""How a kernel's functions mask, by the instructions that ran. Pure functions.

A kernel may mask by cli and sti, or by calls that its hypervisor's code put in their place: a
store to memory, which is not a cost of the CPU's masking. The machine code shows which
(docs/method/machine-code.md).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Protocol

from irqcost.base.safety.surroundings import nothing_around

# The architecture whose machine code the scripts decode, as a result names it. The harness decodes
# that of others.
DECODED = "x86"

NATIVE = "native"
# By the priority that interrupts must have, in place of the CPU's flag.
PRIORITY = "priority"
UNKNOWN = "unknown"
PARAVIRTUAL = "paravirtual:"

# Execution of a kernel that masks by such calls.
PARAVIRTUALISED = "paravirtualised"

# Backends whose rows are the kernel's code; kvm's guest has no kernel.
KERNEL = ("kmod", "bpf")

# The BPF program that calls the functions: backend bpf's own code, not the kernel's.
PROGRAM = "program"

# Those of Xen also end in _direct.
_CALLS = re.compile(
    r"(?:__raw_callee_save_)?([A-Za-z]\w*?)(?<!lock)"
    r"_(?:irq_disable|irq_enable|save_fl|restore_fl)(?:_direct)?"
)
_UNLOCKS = re.compile(r"(?:__raw_callee_save_)?_*([A-Za-z]\w*?)_queued_spin_unlock")
_OWN = ("native", "pv_native")

_SIGNS = ("cli", "sti", "popf", "popfq", "popfw")
# cli, sti and popf: without one of these bytes there is no need to decode.
_OPCODES = re.compile(rb"[\xfa\xfb\x9d]")

# What people call those whose calls store a byte, by the name in the calls.
_STORES = {"pvm": "PVM", "xen": "Xen PV"}


@dataclass(frozen=True)
class Masks:
    """The masking instructions that a function can reach, by the harness: "" for none.

    Both may be found where only one is executed: what follows a call that never returns looks as if
    it could be reached."""

    flag: str = ""
    priority: str = ""


class Function(Protocol):
    """A function as it was executed; `targets` names by offset what its calls and jumps reach;
    `masks` is what the harness found, where it decodes."""

    @property
    def code(self) -> bytes:
        ...

    @property
    def targets(self) -> Mapping[int, str]:
        ...

    @property
    def masks(self) -> Masks:
        ...


@dataclass(frozen=True)
class Row:
    """What masks in a row (`native`, `priority`, `paravirtual:NAME` or `unknown`), and by whose
    code it unlocks a spin lock: `paravirtual:NAME`, "" where no call shows, `unknown` where calls
    have no names."""

    kind: str
    unlock: str = ""


@dataclass(frozen=True)
class Masking:
    """What masks in the kernel: as of a row, or "" where nothing of the kernel was measured."""

    kind: str = ""
    reason: str = ""
    rows: Mapping[str, Row] = field(default_factory=dict)  # by backend/probe

    @property
    def paravirtual(self) -> bool:
        return self.kind.startswith(PARAVIRTUAL)

    @property
    def by_cpu(self) -> bool:
        """Whether nothing says that the CPU's own instructions do not mask."""
        return self.kind in ("", NATIVE, PRIORITY)

    def native(self, backend: str, probe: str | None = None) -> bool:
        """Whether nothing says that a backend's figures are other than masking by the CPU's flag;
        of a `probe` that masks, that its own code does not say so."""
        if backend not in KERNEL or self.kind == "":
            return True
        row = self.rows.get(f"{backend}/{probe}")
        return self.kind == NATIVE and (row is None or row.kind == NATIVE)

    def kind_of(self, backend: str, probe: str | None = None) -> str:
        """What masks in a backend's figures, or in those of a `probe` that masks. A native kernel
        does not make a function native whose own code does not show it."""
        if self.native(backend, probe):
            return NATIVE
        return UNKNOWN if self.kind == NATIVE else self.kind

    def calls_to_mask(self, name: str) -> bool:
        """Whether a figure's functions (`backend/probe/…`) mask by calls of others."""
        row = self.rows.get("/".join(name.split("/")[:2]))
        return row is not None and row.kind.startswith(PARAVIRTUAL)

    @property
    def identity(self) -> str:
        """What figures of the kernel, and faults, must have in common to be compared."""
        return "" if self.kind == NATIVE else self.kind

    def document(self) -> dict[str, Any]:
        """context.irqcost.masking."""
        rows = {
            name: {"kind": row.kind, **({"unlock": row.unlock} if row.unlock else {})}
            for name, row in self.rows.items()
        }
        return {"kind": self.kind or None, "reason": self.reason, "rows": rows}


def find(
    code: Mapping[str, Mapping[str, Function]],
    measured: Iterable[str],
    kernel_hypervisor: str | None,
    exact: bool,
    privilege: int = 0,
    architecture: str = DECODED,
) -> Masking:
    """What masks, by `code` (backend/probe → symbol → function), in a run that `measured` these
    backends; where there is none, by the hypervisor that the kernel says it runs on.

    @privilege: the ring in which the module found the kernel to run. In any but 0 an instruction
    that masks would trap, so that nothing is native there, whatever the code looks like.

    Under the instruction clock (`exact`) a run without machine code is no matter: it is of a
    guest that irqcost booted.

    @architecture: whose instructions the code has.
    """
    kernel = {
        name: functions
        for name, functions in code.items()
        if name.split("/")[0] in KERNEL and _of_kernel(functions)
    }
    named = any(one.targets for functions in kernel.values() for one in functions.values())
    found = {name: _row(functions, named, architecture) for name, functions in kernel.items()}
    rows = {name: row for name, (row, _) in found.items()}
    signs = {row.kind: (name, sign) for name, (row, sign) in reversed(found.items())}
    # Calls of others first, as the sign of the kernel's own code may be in a way not taken.
    ranks = (PRIORITY, NATIVE, UNKNOWN)
    for kind in sorted(signs, key=lambda kind: ranks.index(kind) if kind in ranks else -1):
        name, sign = signs[kind]
        if privilege and kind == NATIVE:
            break
        return Masking(kind, f"{sign} ({name})" if sign else _NO_SIGN, rows)
    for name, people in _STORES.items():
        if kernel_hypervisor == people:
            return Masking(PARAVIRTUAL + name, f"the kernel says that it runs on {people}")
    if privilege:
        trapped = {
            name: replace(row, kind=UNKNOWN) if row.kind == NATIVE else row
            for name, row in rows.items()
        }
        reason = f"the kernel runs in ring {privilege}, where cli and sti trap"
        return Masking(UNKNOWN, reason, trapped)
    if exact or not set(KERNEL) & set(measured):
        return Masking()
    return Masking(UNKNOWN, "the file has no code of the kernel")


# Why there is no figure of such a row without its calls.
CALLS_WITHIN = (
    "its functions call others in turn to mask, and the price of those calls is not known"
)

_NO_SIGN = "the code that ran has no instruction that masks, nor a call of what stands for one"


def _of_kernel(functions: Mapping[str, Function]) -> bool:
    return any(symbol != PROGRAM for symbol in functions)


def _row(functions: Mapping[str, Function], named: bool, architecture: str) -> tuple[Row, str]:
    """What masks in a row, and why we know; `named`: whether the file names what calls reach."""
    kernel = {symbol: one for symbol, one in functions.items() if symbol != PROGRAM}
    return _row_of_x86(kernel, named) if architecture == DECODED else _row_elsewhere(kernel)


def _row_of_x86(functions: Mapping[str, Function], named: bool) -> tuple[Row, str]:
    called: dict[str, None] = {}
    native = ""
    for symbol, one in functions.items():
        names, instruction = _decoded(one.code, tuple(sorted(one.targets.items())))
        # A function of the row is one that another of them reaches.
        called |= dict.fromkeys((symbol, *names))
        if instruction and not native:
            native = f"{symbol} executes {instruction}"
    unlocks = (PARAVIRTUAL + name for name, _ in _named(_UNLOCKS, called))
    unlock = next(unlocks, "" if named else UNKNOWN)
    kinds = [
        (Row(PARAVIRTUAL + name, unlock), f"calls {symbol}")
        for name, symbol in _named(_CALLS, called)
    ]
    if kinds:
        return kinds[0]
    return (Row(NATIVE, unlock), native) if native else (Row(UNKNOWN, unlock), "")


def _row_elsewhere(functions: Mapping[str, Function]) -> tuple[Row, str]:
    """By functions that mask in one way only."""
    for symbol, one in functions.items():
        if bool(one.masks.flag) != bool(one.masks.priority):
            kind = NATIVE if one.masks.flag else PRIORITY
            return Row(kind), f"{symbol} executes {one.masks.flag or one.masks.priority}"
    return Row(UNKNOWN), ""


def _named(pattern: re.Pattern[str], symbols: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The NAME in each symbol of the pattern that is not the kernel's own way, and the symbol."""
    for symbol in symbols:
        match = pattern.fullmatch(symbol)
        if match and match[1] not in _OWN:
            yield match[1], symbol


@lru_cache(maxsize=4096)  # Many rows of many files end in the same function.
def _decoded(code: bytes, targets: tuple[tuple[int, str], ...]) -> tuple[tuple[str, ...], str]:
    """The functions that a function's calls and jumps reach, and its first cli, sti or popf.

    Without Capstone a byte may be a part of another instruction: then it is no sign. That a name
    is not one of a call's is too unlikely to matter (live_code.h).
    """
    names = dict(targets)
    if not names and not _OPCODES.search(code):
        return (), ""
    machine = _machine()
    if machine is None:
        return tuple(names.values()), ""
    reached, sign = [], ""
    for address, size, mnemonic, _ in machine.disasm_lite(code, 0):
        if mnemonic in _SIGNS and not sign:
            sign = mnemonic
        if mnemonic.startswith(("call", "j")):
            reached += [names[at] for at in range(address, address + size) if at in names]
    return tuple(reached), sign


def stands_for_cli(symbol: str) -> str:
    """By whose code a function masks, or saves or restores the flag; "" where it is no such one."""
    return next((hypervisor(PARAVIRTUAL + name) or "" for name, _ in _named(_CALLS, [symbol])), "")


def decodes() -> bool:
    """Whether native masking can be recognised here: it needs Capstone."""
    return _machine() is not None


@lru_cache(maxsize=1)
def _machine() -> Any:
    """Capstone without details, which is fast; None where there is none."""
    try:
        with nothing_around():
            import capstone  # type: ignore[import]
    except ImportError:
        return None
    machine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    machine.skipdata = True
    return machine


_WAYS = {NATIVE: "by the CPU's own instructions", PRIORITY: "by priority (pseudo-NMI)"}


def way(kind: str) -> str:
    """How such a kernel masks, for people."""
    by = hypervisor(kind)
    if by is None:
        return _WAYS.get(kind, "in an unknown way")
    return f"by {replaced(kind)} ({by})"


def replaced(kind: str) -> str:
    """What stands for cli and sti in a paravirtual kernel."""
    return "a store" if kind.removeprefix(PARAVIRTUAL) in _STORES else "calls"


def hypervisor(kind: str) -> str | None:
    """The hypervisor by whose code a kernel masks."""
    if not kind.startswith(PARAVIRTUAL):
        return None
    name = kind.removeprefix(PARAVIRTUAL)
    return _STORES.get(name, name)


def of_kernel(backend: str, probe: str) -> bool:
    """Whether the kernel runs in a figure: faults are taken by it, whatever raises them."""
    return backend in KERNEL or probe.endswith("_fault")


def not_comparable(base: Masking, new: Masking, backend: str, probe: str) -> str:
    """Why two figures of these results are not to be compared; "" where they may be."""
    if not of_kernel(backend, probe):
        return ""
    if base.identity != new.identity:
        ways = " | ".join(way(one.kind) if one.kind else "not known" for one in (base, new))
        return f"the kernels mask in different ways, {ways}: no ratio of what they run"
    one, two = (each.rows.get(f"{backend}/{probe}") for each in (base, new))
    if one and two and one.unlock != two.unlock and UNKNOWN not in (one.unlock, two.unlock):
        return f"other code unlocks: {one.unlock or 'inline'} | {two.unlock or 'inline'}"
    return ""

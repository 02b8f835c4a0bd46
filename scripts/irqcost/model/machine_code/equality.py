# SPDX-License-Identifier: GPL-2.0-only
"""Whether two results measured the same instructions. Pure functions.

The same function of one kernel differs from boot to boot in its bytes, though not in what it does:
where the kernel was loaded (KASLR), and before 6.15 where its per-CPU variables lie, is part of
them. So instructions are compared without the fields that hold addresses: displacements relative to
the instruction, absolute ones, per-CPU ones, addresses of the kernel as immediates, and the
distances of calls and jumps out of the function, for which the name of what they reach counts where
it is known. Not seen is, therefore, when another variable of the same kind is read.
"""

import base64
import difflib
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from irqcost.base.errors import IrqcostError
from irqcost.model.machine_code import disassembly, masking
from irqcost.model.result import Context, MachineCode

# Kernel addresses: what a 32-bit immediate reaches by sign extension (the kernel's image begins 16
# MiB above, so that a mask of 31 bits is not one), and the upper half for one of 64 bits.
_IMAGE = (0xFFFFFFFF81000000, 0xFFFFFFFFFF000000)
_UPPER_HALF = (0xFFFF800000000000, 0xFFFFFFFFFF000000)

_NO_CAPSTONE = "the machine code cannot be compared without Capstone: install python3-capstone"


@dataclass(frozen=True)
class Instruction:
    """An instruction without its addresses: bytes in which they are 0, and what it reaches."""

    code: bytes
    target: str
    text: str  # AT&T syntax, for readers


@dataclass(frozen=True)
class CodeDifference:
    """Two results have other instructions under one name, such as `bpf/irq_save_restore`.

    `lines` is a unified diff of what differs; `what` says it in words.
    """

    name: str
    what: str
    lines: tuple[str, ...] = ()


def instructions(code: bytes, targets: Mapping[int, str]) -> list[Instruction]:
    """The function's instructions; @targets names by offset what its calls and jumps reach.

    Raises IrqcostError where there is no Capstone.
    """
    found = []
    for instruction, target, plain, name in _without_addresses(code, targets):
        if target is None:
            text = " ".join(
                disassembly.text(one) for one in disassembly.instructions(plain, 0, trim=False)
            )
        else:
            inside = target < len(code)
            text = f"{instruction.mnemonic} {f'+{target:#x}' if inside else name or '(elsewhere)'}"
        found.append(Instruction(plain, name, text))
    return found


def _without_addresses(
    code: bytes, targets: Mapping[int, str]
) -> Iterator[tuple[Any, int | None, bytes, str]]:
    """Each instruction of Capstone's, where it branches to, its bytes without addresses, and the
    name of what it reaches outside of the function."""
    for instruction in disassembly.instructions(code, 0):
        target = disassembly.branch_target(instruction)
        leaves = target is not None and target >= len(code)
        name = targets.get(disassembly.opcode(instruction), "") if leaves else ""
        yield instruction, target, bytes(_masked(instruction, leaves)), name


def _masked(instruction: Any, leaves: bool) -> bytearray:
    """The bytes, with 0 in the fields that hold an address; `leaves` for a branch that leaves."""
    code = bytearray(instruction.bytes)
    if instruction.id == 0:  # no instruction
        return code
    if leaves or any(
        _is_address(value, size) for value, size in disassembly.immediates(instruction)
    ):
        _clear(code, instruction.imm_offset, instruction.imm_size)
    if instruction.disp_size >= 4 and disassembly.has_address(instruction, _in(_IMAGE)):
        _clear(code, instruction.disp_offset, instruction.disp_size)
    return code


def _clear(code: bytearray, offset: int, size: int) -> None:
    code[offset : offset + size] = bytes(size)


def _in(limits: tuple[int, int]) -> range:
    return range(*limits)


def _is_address(value: int, size: int) -> bool:
    """Whether an immediate of so many bytes in the instruction is an address of the kernel."""
    return value % 2**64 in _in(_UPPER_HALF if size == 8 else _IMAGE)


def code_hash(code: bytes, targets: Mapping[int, str]) -> str:
    """SHA-256 of the instructions without addresses: equal where the instructions are."""
    found = _without_addresses(code, targets)
    lines = [f"{plain.hex()} {name}\n" for _, _, plain, name in found]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def add_hashes(context: dict[str, Any]) -> None:
    """Adds `code_sha256` to the functions of context.irqcost, or says why not. The harness adds it
    on architectures that it decodes."""
    recorded = context.get("machine_code")
    if not recorded or context.get("architecture", masking.DECODED) != masking.DECODED:
        return
    try:
        functions = [
            {**one, "code_sha256": code_hash(base64.b64decode(one["code"]), _named(one["targets"]))}
            for one in recorded["functions"]
        ]
    except IrqcostError as error:
        absent = {"name": "machine_code: code_sha256", "reason": str(error)}
        context["absent"] = [*context["absent"], absent]
        return
    context["machine_code"] = {**recorded, "functions": functions}


def _named(targets: Mapping[str, Sequence[int]]) -> dict[int, str]:
    return {offset: name for name, offsets in targets.items() for offset in offsets}


def differences(one: Context, other: Context) -> list[CodeDifference]:
    """What two results measured under one name though it is not the same."""
    found = []
    for key in one.code.keys() & other.code.keys():
        if one.code[key] != other.code[key]:
            lines = _diff([one.code[key]], [other.code[key]])
            found.append(CodeDifference(key, "the catalogue's row is another one", lines))
    for name in one.machine_code.keys() & other.machine_code.keys():
        functions = (one.machine_code[name], other.machine_code[name])
        if one.architecture != other.architecture:
            what = f"machine code of {one.architecture} and of {other.architecture}"
            found.append(CodeDifference(name, what))
        elif one.architecture == masking.DECODED:
            found += _of_functions(name, *functions)
        else:
            found += _by_hash(name, *functions)
    return sorted(found, key=lambda difference: difference.name)


def _of_functions(
    name: str, one: Mapping[str, MachineCode], other: Mapping[str, MachineCode]
) -> Iterable[CodeDifference]:
    yield from _of_symbols(name, one.keys(), other.keys())
    for symbol in sorted(one.keys() & other.keys()):
        difference = _of_function(name, symbol, one[symbol], other[symbol])
        if difference is not None:
            yield difference


def _by_hash(
    name: str, one: Mapping[str, MachineCode], other: Mapping[str, MachineCode]
) -> Iterable[CodeDifference]:
    """What the harness has hashed, and so cannot be shown. A program of BPF has the addresses of
    its data in instructions, differently long at that: it is left out."""
    both = [
        {symbol: of[symbol] for symbol in of if symbol != masking.PROGRAM} for of in (one, other)
    ]
    yield from _of_symbols(name, both[0].keys(), both[1].keys())
    for symbol in sorted(both[0].keys() & both[1].keys()):
        if both[0][symbol].code_hash != both[1][symbol].code_hash:
            yield CodeDifference(name, f"{symbol} has other instructions")


def _of_symbols(
    name: str, one: Collection[str], other: Collection[str]
) -> Iterable[CodeDifference]:
    for symbol in sorted({*one} ^ {*other}):
        where = "first" if symbol in one else "second"
        yield CodeDifference(name, f"only the {where} of them reaches {symbol}")


def _of_function(
    name: str, symbol: str, one: MachineCode, other: MachineCode
) -> CodeDifference | None:
    if one.code == other.code and one.targets == other.targets:
        return None
    if one.code_hash and one.code_hash == other.code_hash:
        return None
    # A file that does not name what its calls reach is compared without the names.
    named = bool(one.targets) == bool(other.targets)
    try:
        both = [instructions(each.code, each.targets if named else {}) for each in (one, other)]
    except IrqcostError:
        return CodeDifference(name, f"{symbol}: {_NO_CAPSTONE}")
    first, second = ([(i.code, i.target) for i in each] for each in both)
    if first == second:
        return None
    lines = _diff([i.text for i in both[0]], [i.text for i in both[1]])
    return CodeDifference(name, f"{symbol} has other instructions", lines)


def _diff(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    """Unified, with one line around and without the names of files."""
    return tuple(difflib.unified_diff(one, other, lineterm="", n=1))[2:]


def sentences(found: Sequence[CodeDifference]) -> list[str]:
    """The differences as lines to print. What has the same diff is listed together: many rows end
    in the same function."""
    together: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for one in found:
        together.setdefault((one.what, one.lines), []).append(one.name)
    lines = []
    for (what, diff), names in together.items():
        lines.append(f"{', '.join(names)}: {what}")
        lines += [f"  {line}" for line in diff]
    return lines

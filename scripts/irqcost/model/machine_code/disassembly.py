# SPDX-License-Identifier: GPL-2.0-only
"""Machine code as instructions, and what each has to do with the masking of interrupts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from irqcost.base.errors import IrqcostError
from irqcost.base.safety.surroundings import nothing_around
from irqcost.model.machine_code import masking

THUNK = "return_thunk"
_INTERRUPT_FLAG = 0x200
# Registers that name bits 8 to 15 of another, and that flag as they see it.
_HIGH_BYTES = ("ah", "bh", "ch", "dh")

# Instructions that are their own mark, by Capstone's name.
_MARKS = {
    "cli": "masks",
    "sti": "unmasks",
    "pushfq": "saves the flags",
    "popfq": "restores the flags",
    "ret": "returns",
    "retq": "returns",
}


@dataclass(frozen=True)
class Function:
    """A function of the running kernel; address 0 where it is not told. `targets` names by offset
    what its calls and jumps reach, where that was found out before."""

    symbol: str
    address: int
    code: bytes
    targets: Mapping[int, str] = field(default_factory=dict)
    architecture: str = masking.DECODED


@dataclass(frozen=True)
class Line:
    """One instruction: where in the function, its bytes, AT&T syntax, and what to note about it."""

    offset: int
    code: bytes
    text: str
    mark: str


def listing(function: Function, names: Mapping[int, str], trim: bool = True) -> str:
    """The function as text; @names are functions by address, @trim as for decode()."""
    lines = [f"{function.symbol}:"]
    for line in decode(function, names, trim):
        code = line.code.hex(" ")
        mark = f"  # {line.mark}" if line.mark else ""
        lines.append(f"  {line.offset:4x}: {code:30} {line.text:40}{mark}".rstrip())
    return "\n".join(lines) + "\n"


def decode(function: Function, names: Mapping[int, str], trim: bool = True) -> list[Line]:
    """The instructions, with @trim without the padding after the last that ends the function.
    Raises IrqcostError where there is no Capstone, or the code is not x86's."""
    if function.architecture != masking.DECODED:
        raise IrqcostError(f"machine code of {function.architecture} is not disassembled")
    lines = []
    for instruction in instructions(function.code, function.address, trim):
        offset = instruction.address - function.address
        target = branch_target(instruction)
        shown = text(instruction)
        if target is not None:
            inside = 0 <= target - function.address < len(function.code)
            known = f"{target:#x}" if function.address else "(elsewhere)"
            name = function.targets.get(opcode(instruction) - function.address)
            name = name or names.get(target, known)
            where = f"{function.symbol}+{target - function.address:#x}" if inside else name
            shown = f"{instruction.mnemonic} {where}"
        mark = _mark(instruction, offset, shown.split()[-1] if target is not None else "")
        lines.append(Line(offset, bytes(instruction.bytes), shown, mark))
    return lines


def instructions(code: bytes, address: int, trim: bool = True) -> list[Any]:
    """Capstone's instructions of code at an address, with `trim` without the padding at its end.

    What is no instruction is one of id 0 and without operands. Raises IrqcostError where there is
    no Capstone.
    """
    found = list(_machine().disasm(code, address))
    while trim and found and found[-1].mnemonic in ("int3", "nop", "nopw", "nopl", ".byte"):
        found.pop()
    return found


@lru_cache(maxsize=1)  # Each new one looks for a module that is seldom there, on all of the path.
def _machine() -> Any:
    try:
        with nothing_around():
            import capstone  # type: ignore[import]
    except ImportError as error:
        raise IrqcostError("disassembling needs Capstone: install python3-capstone") from error
    machine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    machine.syntax = capstone.CS_OPT_SYNTAX_ATT
    machine.detail = True
    machine.skipdata = True
    return machine


def text(instruction: Any) -> str:
    """An instruction in AT&T syntax."""
    return f"{instruction.mnemonic} {instruction.op_str}".strip()


def immediates(instruction: Any) -> list[tuple[int, int]]:
    """Immediate operands, each with its bytes in the instruction."""
    if instruction.id == 0:
        return []
    from capstone.x86 import X86_OP_IMM  # type: ignore[import]

    size = instruction.imm_size
    return [(operand.imm, size) for operand in instruction.operands if operand.type == X86_OP_IMM]


def has_address(instruction: Any, addresses: range) -> bool:
    """Whether an operand in memory is at an address of its own: relative to the instruction, to
    the CPU's own data (gs), to nothing, or, beside an index, at one of these addresses."""
    from capstone.x86 import X86_OP_MEM, X86_REG_GS, X86_REG_RIP

    for operand in instruction.operands:
        if operand.type != X86_OP_MEM:
            continue
        place = operand.mem
        if place.base == X86_REG_RIP or place.segment == X86_REG_GS:
            return True
        if place.disp % 2**64 in addresses or not (place.base or place.index):
            return True
    return False


def branch_target(instruction: Any) -> int | None:
    """Where a direct call or jump goes."""
    from capstone import CS_GRP_CALL, CS_GRP_JUMP

    # A byte that is no instruction belongs to no group.
    if instruction.id == 0 or not (
        instruction.group(CS_GRP_CALL) or instruction.group(CS_GRP_JUMP)
    ):
        return None
    found = immediates(instruction)
    return found[0][0] % 2**64 if found else None


def opcode(branch: Any) -> int:
    """Where the byte before the distance of a call or jump is: prefixes may stand before it."""
    return int(branch.address + branch.imm_offset - 1)


def _mark(instruction: Any, offset: int, target: str) -> str:
    if instruction.id == 0:
        return ""
    name = instruction.mnemonic.removeprefix("lock ")
    if name in _MARKS:
        return _MARKS[name]
    if by := masking.stands_for_cli(target):
        return f"in the place of an instruction: {by}"
    if target.endswith(THUNK):
        return "returns through a thunk"
    if target.startswith("__x86_indirect_thunk"):
        return "indirect branch through a retpoline"
    if name.startswith("nop"):
        # One byte is padding; tracing and paravirt leave longer ones.
        if len(instruction.bytes) < 3:
            return ""
        return "NOP for tracing" if offset == 0 else "NOP left by patching"
    if _tests_interrupt_flag(instruction, name):
        return "tests the interrupt flag"
    if instruction.prefix[0] == 0xF0 or (name.startswith("xchg") and "(" in instruction.op_str):
        return "locked update"
    if name.startswith("mov") and "%cr8" in instruction.op_str:
        return "masks by priority" if instruction.op_str.endswith("%cr8") else "reads the priority"
    return ""


def _tests_interrupt_flag(instruction: Any, name: str) -> bool:
    values = [value for value, _ in immediates(instruction)]
    if name.startswith("bt") and not name.startswith("bts"):
        return 9 in values
    if not name.startswith(("test", "and")):
        return False
    high = any(f"%{register}" in instruction.op_str for register in _HIGH_BYTES)
    flag = _INTERRUPT_FLAG >> 8 if high else _INTERRUPT_FLAG
    return flag in values

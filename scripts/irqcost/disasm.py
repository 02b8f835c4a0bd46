# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost disasm`: the instructions with which the running kernel masks interrupts.

The bytes are those that the CPU executes, after alternatives, paravirt and retpoline patching. They
show whether local_irq_restore is popf or test-and-sti here, which NOPs paravirt left, and which
thunk returns go through.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from irqcost import build, catalogue, files, masking
from irqcost.errors import Exit, IrqcostError

# What a kernel's own code takes and releases a lock with; BPF's functions come from the catalogue.
_LOCKS = ("_raw_spin_lock_irqsave", "_raw_spin_unlock_irqrestore")

_THUNK = "return_thunk"
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


# The module's device: where it is, rows are shown as the module has them.
_DEVICE = Path("/dev/irqcost")
_MODULE = "kmod/"


@dataclass(frozen=True)
class Function:
    """A function of the running kernel; address 0 where it is not told. `targets` names by offset
    what its calls and jumps reach, where that was found out before."""

    symbol: str
    address: int
    code: bytes
    targets: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """One instruction: where in the function, its bytes, AT&T syntax, and what to note about it."""

    offset: int
    code: bytes
    text: str
    mark: str


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "disasm", help="show the running kernel's own masking instructions", description=__doc__
    )
    parser.add_argument(
        "functions",
        nargs="*",
        metavar="FUNCTION",
        help="of the kernel (default: those that backend bpf measures, and the irqsave spin lock); "
        "or a row of the catalogue: its window in the module where that is loaded (kmod/ROW: only "
        "there), else the body of an assembler row, which needs no rights to be seen",
    )
    parser.add_argument(
        "--result",
        type=Path,
        metavar="FILE",
        help="show what this result measured; FUNCTION is a row: kmod/cli_sti (default: all)",
    )
    parser.add_argument(
        "--callees", action="store_true", help="also each function that they call or jump to"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.result:
        for function in stored(args.result, args.functions, args.callees):
            print(listing(function, {}))
        return Exit.OK
    kinds = {probe.key: probe for probe in catalogue.read() if probe.kind in ("insn", "call")}
    windows, bodies, wanted = [], [], []
    for name in args.functions:
        if name.startswith(_MODULE) or (name in kinds and _DEVICE.exists()):
            windows.append(_MODULE + name.removeprefix(_MODULE))
        elif name in kinds and kinds[name].kind == "insn":
            bodies.append(name)
        else:
            wanted.append(name)
    for name in bodies:
        print(listing(body(kinds[name]), {}, trim=False))
    absent: list[str] = []
    if windows:
        texts, absent = read(build.harness(), windows)
        for function in texts:
            if args.callees or function.symbol in windows:
                print(listing(function, {}))
        for reason in absent:
            print(f"irqcost: {reason}", file=sys.stderr)
    if args.functions and not wanted:
        return Exit.UNUSABLE if absent else Exit.OK
    status = _show_kernel(args, wanted or default_functions())
    return Exit.UNUSABLE if absent else status


def _show_kernel(args: argparse.Namespace, wanted: Sequence[str]) -> int:
    """Functions of the running kernel, by name."""
    functions, absent = read(build.harness(), wanted)
    names = {function.address: function.symbol for function in functions}
    for function in functions:
        if args.callees or function.symbol in wanted or function.symbol.endswith(_THUNK):
            print(listing(function, names))
    for reason in absent:
        print(f"irqcost: {reason}", file=sys.stderr)
    # What was asked for by name must be there; the defaults are what a kernel may have.
    return Exit.UNUSABLE if absent and (args.functions or not functions) else Exit.OK


def stored(path: Path, rows: Sequence[str], callees: bool) -> list[Function]:
    """The texts of a result, of these rows or of all, with @callees those of what they call, too.

    A row is named with its backend or without. Raises IrqcostError where one has no text.
    """
    text = files.read_result(path).context.text
    if not text:
        raise IrqcostError(f"{path} has no text: only ring-0 backends store what they measured")
    for row in rows:
        if not any(row in (name, name.split("/")[1]) for name in text):
            raise IrqcostError(f"{path} has no text of {row}; it has {', '.join(sorted(text))}")
    return [
        Function(f"{name}: {symbol}", 0, one.code, one.targets)
        for name, functions in text.items()
        if not rows or name in rows or name.split("/")[1] in rows
        for symbol, one in functions.items()
        if callees or "window" not in functions or symbol == "window"
    ]


def default_functions() -> list[str]:
    """Functions behind the rows of backend bpf (as probes.def names them), and the locks."""
    rows = [probe.code for probe in catalogue.read() if probe.kind == "bpf"]
    called = re.findall(r"\b(bpf_\w+)\s*\(", " ".join(rows))
    return list(dict.fromkeys([*called, *_LOCKS]))


def body(probe: catalogue.Probe) -> Function:
    """What one operation of an assembler row is, as the assembler makes it: the same bytes in every
    backend that has windows (body.h), without work in its critical section."""
    source = f".macro irqcost_section\n.endm\n{probe.code}\n"
    with tempfile.TemporaryDirectory(prefix="irqcost-") as folder:
        made, plain = Path(folder, "row.o"), Path(folder, "row")
        subprocess.run(["as", "-o", made, "-"], input=source, text=True, check=True)
        subprocess.run(["objcopy", "-O", "binary", "-j", ".text", made, plain], check=True)
        return Function(probe.key, 0, plain.read_bytes())


def read(bench: Path, symbols: Sequence[str]) -> tuple[list[Function], list[str]]:
    """Functions with those that they call, read by the harness, and why others are absent."""
    command = [str(bench), "--irqcost_text=" + ",".join(symbols)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise IrqcostError(done.stderr.strip().removeprefix("irqcost-bench: "))
    document = json.loads(done.stdout)
    functions = [
        Function(
            item["symbol"],
            int(item.get("address", "0"), 16),
            bytes.fromhex(item["bytes"]),
            {int(offset): symbol for offset, symbol in item.get("targets", {}).items()},
        )
        for item in document["text"]
    ]
    return functions, [item["reason"] for item in document["absent"]]


def listing(function: Function, names: Mapping[int, str], trim: bool = True) -> str:
    """The function as text; @names are functions by address, @trim as for decode()."""
    lines = [f"{function.symbol}:"]
    for line in decode(function, names, trim):
        code = line.code.hex(" ")
        mark = f"  # {line.mark}" if line.mark else ""
        lines.append(f"  {line.offset:4x}: {code:30} {line.text:40}{mark}".rstrip())
    return "\n".join(lines) + "\n"


def decode(function: Function, names: Mapping[int, str], trim: bool = True) -> list[Line]:
    """The instructions, with @trim without the padding behind the last that ends the function."""
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
    if target.endswith(_THUNK):
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

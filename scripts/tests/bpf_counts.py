# SPDX-License-Identifier: GPL-2.0-only
"""How many instructions a BPF row executes, read off the JITed program and the functions it calls.

That is independent of the clock and of the estimate: it counts in the bytes that the result holds.
"""

from collections.abc import Mapping
from itertools import combinations_with_replacement, product
from typing import Any

from irqcost.model.machine_code import disassembly
from irqcost.model.result import MachineCode

# The copies that the body's window has more than the base's: kUnroll of bpf.cc.
_COPIES = 16
_WINDOWS = 4  # chain (2), base, body


def counts(functions: Mapping[str, MachineCode]) -> set[int]:
    """The numbers of instructions that one operation may execute, one for each way through the
    functions that it calls. @functions are what a result holds of one row."""
    base, body = _loops(functions["program"])[2:]
    extra, rest = divmod(len(body) - len(base), _COPIES)
    assert rest == 0, "the two windows differ by more than their copies"
    called = _called(body, functions["program"])
    for symbol, calls in _called(base, functions["program"]).items():
        called[symbol] -= calls
    # Two calls of one function may go different ways: a nested restore leaves interrupts off, the
    # outer one puts them on.
    each = [
        {sum(taken) for taken in combinations_with_replacement(ways(symbol, functions), number)}
        for symbol, calls in called.items()
        if (number := calls // _COPIES)
    ]
    return {extra + sum(one) for one in product(*each)}


def _loops(program: MachineCode) -> list[list[Any]]:
    """The instructions of each of the windows' loops, from the target of its jump back."""
    made = disassembly.instructions(program.code, 0)
    loops = []
    for instruction in made:
        target = disassembly.branch_target(instruction)
        if target is not None and target < instruction.address and not _is_call(instruction):
            inside = [one for one in made if target <= one.address <= instruction.address]
            loops.append(inside)
    assert len(loops) == _WINDOWS, f"{len(loops)} loops"
    return loops


def _called(loop: list[Any], program: MachineCode) -> dict[str, int]:
    called: dict[str, int] = {}
    for instruction in loop:
        if _is_call(instruction):
            symbol = program.targets[instruction.address]
            called[symbol] = called.get(symbol, 0) + 1
    return called


def _is_call(instruction: Any) -> bool:
    return bool(instruction.mnemonic.startswith("call"))


def ways(symbol: str, functions: Mapping[str, MachineCode]) -> set[int]:
    """The numbers of instructions from a function's entry to its return, on all ways without a
    loop through functions whose text is there."""
    text = functions.get(symbol)
    if text is None:
        return set()
    made = {one.address: one for one in disassembly.instructions(text.code, 0)}
    # From the end: ways from each instruction to a return.
    found: dict[int, set[int]] = {}
    for address in sorted(made, reverse=True):
        instruction = made[address]
        behind = found.get(address + instruction.size, set())
        target = disassembly.branch_target(instruction)
        if instruction.mnemonic.startswith("ret"):
            ahead = {0}
        elif instruction.mnemonic in ("ud2", "int3", "hlt"):
            ahead = set()
        elif target is None:
            ahead = behind
        else:
            there = found.get(target, set())
            if not target < len(text.code):
                there = ways(text.targets.get(address, ""), functions)
            if _is_call(instruction):
                ahead = {one + other for one in there for other in behind}
            else:
                ahead = there if instruction.mnemonic == "jmp" else there | behind
        found[address] = {1 + count for count in ahead}
    return found.get(0, set())

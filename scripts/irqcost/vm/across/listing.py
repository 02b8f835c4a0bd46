# SPDX-License-Identifier: GPL-2.0-only
"""The instructions of a window that are executed, by its disassembly.

A kernel may have both ways to mask in a function and choose one by a branch that it patches at
boot. So what lies between the two time stamps is not what is executed between them: the way through
is found by its branches and by how many instructions were counted.
"""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from irqcost.base.process import output
from irqcost.vm.architectures import Architecture

# Instructions to follow at most: a function with many branches and loops has too many ways.
_STEPS = 20000

# Addresses, which differ from one boot to the next.
_PLACE = re.compile(r"-?0x[0-9a-f]{5,}")

# Where a branch goes is its last operand, and never a number of its own.
_TARGET = re.compile(r"(?<![#x\w])0x([0-9a-f]+)$")
_CONDITIONAL = re.compile(r"(?:b\.?[a-z]{2,}|t?cb?n?z|[ct]bn?z)\s")
_ALWAYS = re.compile(r"[bj]\s")
# What goes elsewhere is not followed.
_AWAY = re.compile(r"(?:blr?|br|ret|jalr?|jr)\b")


@dataclass(frozen=True)
class Line:
    """An instruction. @target: where it may go instead of to the next one; @always: whether it does
    always."""

    text: str
    target: int | None = None
    always: bool = False


def disassembled(text: bytes, architecture: Architecture) -> dict[int, Line]:
    """The instructions of @text by their offsets, by the objdump of its architecture."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(text)
        file.flush()
        command = [architecture.tool("objdump"), "-D", "-b", "binary", *architecture.objdump]
        listing = output([*command, "--no-show-raw-insn", file.name], "objdump failed")
    return parsed(listing)


def parsed(listing: str) -> dict[int, Line]:
    """What objdump printed."""
    found = re.findall(r"^\s+([0-9a-f]+):\t(.*)$", listing, re.MULTILINE)
    return {int(address, 16): _line(text) for address, text in found}


def _line(printed: str) -> Line:
    text = " ".join(re.split(r"\s(?://|#)\s", printed)[0].split())
    goes = _TARGET.search(text)
    always = _ALWAYS.match(text) is not None
    if goes and (always or _CONDITIONAL.match(text)):
        return Line(_TARGET.sub("…", text), int(goes[1], 16), always)
    return Line(_PLACE.sub("…", text))


def between(lines: dict[int, Line], stamp: str, count: int | None = None) -> tuple[str, ...]:
    """What is executed between the two time stamps of a single window, each between two barriers.

    @count: how many instructions that are. Nothing where no way has as many, or more than one has;
    without it, the only way that there is.
    """
    stamps = [address for address, line in lines.items() if line.text.endswith(stamp)]
    if len(stamps) != 2:
        return ()
    addresses = list(lines)
    # After the first one it is kept in a register, and a barrier follows.
    begin = addresses.index(stamps[0]) + 3
    end = addresses.index(stamps[1]) - 1
    if begin >= len(addresses):
        return ()
    limit = len(lines) if count is None else count
    ways = _ways(lines, addresses, begin, addresses[end], limit)
    fitting = {way for way in ways if count is None or len(way) == count}
    return fitting.pop() if len(fitting) == 1 else ()


def _ways(
    lines: dict[int, Line], addresses: Sequence[int], begin: int, end: int, limit: int
) -> list[tuple[str, ...]]:
    """The ways from the instruction with the number @begin to the address @end; none where they are
    too many."""
    following = dict(zip(addresses, addresses[1:]))
    found: list[tuple[str, ...]] = []
    todo: list[tuple[int | None, tuple[str, ...]]] = [(addresses[begin], ())]
    for _ in range(_STEPS):
        if not todo:
            return found
        at, way = todo.pop()
        if at == end:
            found.append(way)
            continue
        if at is None or at not in lines or len(way) == limit:
            continue
        line = lines[at]
        if _AWAY.match(line.text):
            continue
        longer = (*way, line.text)
        if line.target is not None:
            todo.append((line.target, longer))
        if not line.always:
            todo.append((following.get(at), longer))
    return []

# SPDX-License-Identifier: GPL-2.0-only
"""Machine code and what masks, as a result has them."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from irqcost.model.machine_code import masking
from irqcost.model.machine_code.masking import Masking, Masks, Row
from irqcost.model.members import FormatError, Object
from irqcost.model.result import MachineCode

# Bytes: of a function, and of all that the probes name. The longest that were seen have a fifth and
# a hundredth of it; what is within a bound is disassembled.
MOST_CODE = 16 << 10
MOST_CODE_OF_ALL = 4 << 20

_Made = TypeVar("_Made")


def functions(ours: Object) -> dict[str, dict[str, MachineCode]]:
    """By `backend/probe` and symbol, the functions of a context.irqcost. Raises FormatError."""
    found = _by_probe(ours, _function)
    total = sum(len(one.code) for functions in found.values() for one in functions.values())
    if total > MOST_CODE_OF_ALL:
        raise FormatError(
            f"{ours.where}.machine_code is {total} bytes by probe; no result has more than "
            f"{MOST_CODE_OF_ALL}"
        )
    return found


def hashes(ours: Object) -> dict[str, dict[str, str]]:
    """Of a context.irqcost, by `backend/probe` and symbol, what identifies the machine code of each
    function: the hash of its instructions without addresses where the run could tell them, else of
    its bytes. Programs of BPF are left out where equality.py leaves them out. Raises FormatError.
    """
    found = _by_probe(ours, _hash)
    if architecture(ours) != masking.DECODED:
        for of_probe in found.values():
            of_probe.pop(masking.PROGRAM, None)
    return found


def _hash(item: Object) -> str:
    if item.has("code_sha256"):
        return item.text("code_sha256")
    return hashlib.sha256(_function(item).code).hexdigest()


def _by_probe(ours: Object, make: Callable[[Object], _Made]) -> dict[str, dict[str, _Made]]:
    """By `backend/probe` and symbol, what is made of each function's object."""
    if not ours.has("machine_code"):
        return {}
    item = ours.object("machine_code")
    made = [(one.text("symbol"), make(one)) for one in item.objects("functions")]
    probes = item.object("probes")
    found: dict[str, dict[str, _Made]] = {}
    for probe in probes.members():
        places = [int(place) for place in probes.numbers(probe)]
        if not all(place in range(len(made)) for place in places):
            raise FormatError(f"{probes.where}.{probe} names a function that is not there")
        found[probe] = dict(made[place] for place in places)
    return found


def _function(item: Object) -> MachineCode:
    code = item.encoded("code", MOST_CODE)
    named = item.object("targets")
    targets = {int(offset): name for name in named.members() for offset in named.numbers(name)}
    code_hash = item.text("code_sha256") if item.has("code_sha256") else ""
    masks = item.object("masks") if item.has("masks") else None
    ways = {way: masks.text(way) for way in ("flag", "priority") if masks and masks.has(way)}
    return MachineCode(code, code_hash, targets, Masks(**ways))


def architecture(ours: Object) -> str:
    """The architecture of a context.irqcost. Raises FormatError."""
    found = ours.text("architecture") if ours.has("architecture") else masking.DECODED
    if not found:
        raise FormatError(f"{ours.where}.architecture is empty")
    return found


def module(ours: Object) -> Object | None:
    """What a context.irqcost says of the kernel module; None where none was loaded."""
    build = ours.object("build") if ours.maybe("build") else None
    return build.object("module") if build and build.maybe("module") else None


def privilege(ours: Object) -> int:
    """The ring of the module's kernel: 0, too, where nobody asked. Raises FormatError."""
    kernel = module(ours)
    found = kernel.number("privilege") if kernel and kernel.has("privilege") else 0
    if found not in range(4):
        raise FormatError(f"context.irqcost.build.module.privilege is {found:g}: no ring")
    return int(found)


def untold(ours: Object) -> bool:
    """Whether the run did not say what masks, or had no Capstone to find out."""
    return not ours.maybe("masking")


def what_masks(
    ours: Object,
    code: Mapping[str, Mapping[str, MachineCode]],
    measured: Collection[str],
    says: str | None,
) -> Masking:
    """What masks: as the run found, else by its machine code."""
    if untold(ours):
        exact = ours.flag("instruction_clock")
        return masking.find(code, measured, says, exact, privilege(ours), architecture(ours))
    found = ours.object("masking")
    rows = found.object("rows")
    return Masking(
        _kind(found.maybe_text("kind") or "", found.where),
        found.text("reason"),
        {
            name: Row(
                _kind(row.text("kind"), row.where),
                _kind(row.text("unlock"), row.where) if row.has("unlock") else "",
            )
            for name in rows.members()
            for row in [rows.object(name)]
        },
    )


_KINDS = ("", masking.NATIVE, masking.PRIORITY, masking.UNKNOWN)


def _kind(kind: str, where: str) -> str:
    if kind in _KINDS or kind.startswith(masking.PARAVIRTUAL):
        return kind
    raise FormatError(f"{where} has the unknown kind of masking {kind!r}")

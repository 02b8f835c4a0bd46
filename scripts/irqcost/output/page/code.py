# SPDX-License-Identifier: GPL-2.0-only
"""The instructions that were measured: the catalogue's code, and the machine code of the kernel."""

from collections.abc import Sequence
from dataclasses import dataclass

from irqcost.base.errors import IrqcostError, ResultError
from irqcost.compare.columns import Column
from irqcost.model import reader
from irqcost.model.catalogue import Probe
from irqcost.model.machine_code import disassembly
from irqcost.model.result import Context, MachineCode, Result
from irqcost.output import finding


@dataclass(frozen=True)
class Function:
    """A function of the kernel as the CPU executed it: its instructions, or why there are none."""

    symbol: str
    lines: Sequence[tuple[str, str]]  # AT&T syntax, and what to note about it
    missing: str = ""


@dataclass(frozen=True)
class Listing:
    """What a probe executes: code of the catalogue, and functions that it calls."""

    name: str  # backend/probe
    cost: str  # in words
    code: str
    summary: str
    functions: Sequence[Function]


def listings(column: Column, probes: Sequence[Probe]) -> list[Listing]:
    """For each primitive of a column. Of several files the last one's machine code is shown,
    as they are of one machine and kernel."""
    context = column.result.context
    if not column.single:
        try:
            context = reader.read_result(column.paths[-1]).context
        except ResultError:
            pass  # It was read before; what it held of figures stands without its machine code.
    rows = {probe.key: probe for probe in probes}
    names = dict.fromkeys(f"{e.backend}/{e.probe}" for e in column.result.figures.values())
    found = []
    for name in names:
        probe = rows.get(name.split("/")[1])
        functions = [
            _function(symbol, code, context.architecture)
            for symbol, code in context.machine_code.get(name, {}).items()
        ]
        code = _code(context, probe)
        if (code or functions) and (probe is None or probe.group != "control"):
            said = probe.summary if probe else ""
            found.append(Listing(name, _cost(column.result, name), code, said, functions))
    return found


def _cost(result: Result, name: str) -> str:
    """What it costs back to back, or where that was not measured, isolated."""
    for mode in ("throughput", "isolated"):
        if one := finding.cost(result, f"{name}/{mode}"):
            return f"{one.text} ({mode})"
    return ""


def _code(context: Context, probe: Probe | None) -> str:
    """One operation: what the file says of it, else what this catalogue has under its name."""
    if probe is None:
        return ""
    return context.code.get(probe.key, probe.shown_code).replace("irqcost_section", "…")


def _function(symbol: str, code: MachineCode, architecture: str) -> Function:
    function = disassembly.Function(symbol, 0, code.code, code.targets, architecture)
    try:
        lines = disassembly.decode(function, {})
    except IrqcostError as error:
        return Function(symbol, (), str(error))
    return Function(symbol, [(line.text, line.mark) for line in lines])

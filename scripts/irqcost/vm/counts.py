# SPDX-License-Identifier: GPL-2.0-only
"""What is kept of `irqcost vm --matrix`: by kernel how many instructions each probe executes.

A count is what one operation executes, back to back; for a probe that changes the interrupt flag,
and so cannot be repeated, once between fences.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from irqcost import ROOT
from irqcost.base import files, jsontext
from irqcost.model.catalogue import Probe
from irqcost.model.result import Result
from irqcost.vm.architectures import X86

# docs/KERNELS.md is made from it.
RECORD = ROOT / "results" / "emulated" / "counts" / "kernels.json"

# The number of the record's format.
_FORMAT = 1

_MODES = ("throughput", "isolated")


@dataclass(frozen=True)
class Counts:
    """One kernel, as it boots or with something switched on.

    @date: of the measurement.
    @counts: by probe; with a fraction where the copies of a body in a window differ.
    @varying: probes whose count differs from one sample to the next.
    @absent: by probe, why it was not measured.
    @architecture: of the kernel, @cpu: QEMU's model of the CPU.
    @code: of some probes, the instructions between the time stamps.
    """

    release: str
    date: str
    counts: Mapping[str, float]
    varying: frozenset[str]
    absent: Mapping[str, str]
    architecture: str = X86.name
    cpu: str = X86.cpu
    code: Mapping[str, Sequence[str]] = field(default_factory=dict)


def of(result: Result, probes: Sequence[Probe]) -> Counts:
    """The counts of a result under the instruction clock; controls are none of them."""
    found: dict[str, float] = {}
    varying, absent = set(), {}
    for probe in probes:
        if probe.group == "control" or "kmod" not in probe.backends:
            continue
        entries = [result.figures.get(f"kmod/{probe.key}/{mode}") for mode in _MODES]
        entry = next((one for one in entries if one), None)
        if entry is None:
            absent[probe.key] = _reason(result, probe)
            continue
        whole = entry.ticks.is_integer()
        found[probe.key] = int(entry.ticks) if whole else round(entry.ticks, 2)
        if entry.spread:
            varying.add(probe.key)
    context = result.context
    return Counts(context.kernel.release, context.date[:10], found, frozenset(varying), absent)


def _reason(result: Result, probe: Probe) -> str:
    said = {
        one.reason for one in result.context.absent if one.name.startswith(f"kmod/{probe.key}/")
    }
    return "; ".join(sorted(said)) or "not measured"


def read(path: Path) -> dict[str, Counts]:
    """The record, by the names of columns; empty where there is none."""
    if not path.is_file():
        return {}
    document = json.loads(path.read_text(encoding="utf-8"))
    return {
        one["column"]: Counts(
            one["release"],
            one["date"],
            one["counts"],
            frozenset(one["varying"]),
            one["absent"],
            # Before there were others.
            one.get("architecture", X86.name),
            one.get("cpu", X86.cpu),
            one.get("code", {}),
        )
        for one in document["kernels"]
    }


def write(columns: Mapping[str, Counts], path: Path) -> None:
    """Write the record anew."""
    kernels: list[dict[str, Any]] = [
        {**vars(one), "column": name, "varying": sorted(one.varying)}
        for name, one in columns.items()
    ]
    with files.written_whole(path, replace=True) as partial:
        document = {"counts": _FORMAT, "kernels": kernels}
        partial.write_text(jsontext.dumps(document), encoding="utf-8")

# SPDX-License-Identifier: GPL-2.0-only
"""Simulated machines (docs/SIMULATE.md) of the CPUs in results/published/traits.csv, each under
conditions that have a name."""

import csv
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irqcost import ROOT
from irqcost.base.errors import IrqcostError

_FILE = ROOT / "results" / "published" / "traits.csv"

# Columns that are rows of the catalogue.
_ROWS = ("pushf", "pushf_popf", "lahf", "sahf", "rdtsc", "lfence")

# A nop below this is what older versions of the source's tool print, and takes this much here: no
# core takes in more than a dozen instructions a cycle.
_LEAST_NOP = 1 / 12
_USUAL_NOP = 1 / 8

Description = dict[str, Any]


@dataclass(frozen=True)
class Core:
    """One line of the table, as numbers; None where it has none."""

    source: str  # the file it was read from, without its ending: unlike `name`, it is unique
    vendor: str
    signature: int  # CPUID leaf 1, EAX
    name: str
    costs: Mapping[str, float | None]

    @property
    def imul(self) -> int:
        """Core cycles of a multiply: a whole number. What is not by a few per cent is of a clock
        that was off."""
        return round(self.costs["imul_latency"] or 0)


def cores(file: Path = _FILE) -> list[Core]:
    """Raises IrqcostError."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            return [_core(line) for line in csv.DictReader(lines)]
    except OSError as error:
        raise IrqcostError(f"{file}: {error.strerror}") from error
    except (LookupError, ValueError) as error:
        raise IrqcostError(f"{file}: {error}") from error


def _core(line: Mapping[str, str]) -> Core:
    costs = {
        key: float(value) if value else None
        for key, value in line.items()
        if key.endswith(("_latency", "_throughput"))
    }
    if not costs["imul_latency"] or not costs["nop_throughput"]:
        raise ValueError(f"{line['source_file']}: no multiply or no nop")
    return Core(
        source=line["source_file"].removesuffix(".txt").removesuffix("_InstLatX64"),
        vendor=line["vendor"],
        signature=int(line["family_model_stepping"], 16),
        name=line["name"],
        costs=costs,
    )


def _share(core: Core, what: str) -> float:
    """From 0 to 1, by chance, but the same for ever: what the table does not say about a CPU."""
    digest = hashlib.sha256(f"{core.source} {what}".encode()).digest()
    return int.from_bytes(digest[:4], "little") / 2**32


def machine(core: Core, seed: int = 1) -> Description:
    """A machine with this core, alone and quiet. Its clocks are drawn: in any combination."""
    nop = core.costs["nop_throughput"] or 0
    zeroing = core.costs.get("xor_zero_throughput")
    tsc_mhz = round(1500 + 2500 * _share(core, "tsc"), 3)
    signature = core.signature
    return {
        "name": core.source,
        "seed": seed,
        "backends": ["ring3", "bpf"],
        "cpu": {
            "vendor": core.vendor,
            "brand": core.name,
            "family": (signature >> 8 & 0xF) + (signature >> 20 & 0xFF),
            "model": (signature >> 4 & 0xF) + (signature >> 12 & 0xF0),
            "stepping": signature & 0xF,
        },
        "core": {
            "dep_add": 1.0,
            "dep_imul": float(core.imul),
            "nop": nop if nop >= _LEAST_NOP else _USUAL_NOP,
            "zero_idiom": zeroing or nop,
            "window_cycles": round(20 + 60 * _share(core, "window")),
            "short_loop": round(0.3 * _share(core, "loop"), 3),
        },
        "rows": {
            row: core.costs[f"{row}_throughput"]
            for row in _ROWS
            if core.costs.get(f"{row}_throughput") is not None
        },
        "clock": {
            "tsc_mhz": tsc_mhz,
            "core_mhz": round(tsc_mhz * (0.7 + _share(core, "core")), 3),
        },
    }


def _steps_of_10_ns(machine: Description) -> None:
    machine["clock"]["step_ticks"] = machine["clock"]["tsc_mhz"] / 100
    machine["clock"]["bpf_step_ns"] = 10


def _intermittent(machine: Description) -> None:
    machine["neighbour"] = {"every_s": 1.0, "lasts_s": 0.3}


def _drift(machine: Description) -> None:
    machine["frequency"] = {"drift_percent": 2, "drift_s": 2.5}
    _steps_of_10_ns(machine)


def _turbo(machine: Description) -> None:
    machine["frequency"] = {
        "ramp_percent": 20,
        "ramp_s": 0.5,
        "turbo": {"percent": 10, "every_s": 1.5, "lasts_s": 0.5},
    }


def _interrupts(machine: Description) -> None:
    machine["interrupts"] = {"every_s": 0.004, "us": 4, "preempts": 0.1}
    machine["steal"] = {"every_s": 0.03, "us": 300}
    machine["migration"] = {"every_s": 5, "us": 50}


def _guest(machine: Description) -> None:
    """All at once, as on a shared guest."""
    machine["cpu"]["hypervisor"] = "KVMKVMKVM"
    _drift(machine)
    _interrupts(machine)
    machine["neighbour"] = {"every_s": 2.0, "lasts_s": 0.5}


def _throughout(machine: Description) -> None:
    machine["neighbour"] = {"always": True}


def _translating(machine: Description) -> None:
    emulator = {"emulator": "translating"}
    for key in ("core", "rows"):
        del machine[key]
    machine.update(emulator)


def _counting(machine: Description) -> None:
    for key in ("core", "rows", "clock"):
        del machine[key]
    machine["emulator"] = "instruction-counting"


def _folding(machine: Description) -> None:
    machine["core"]["dep_add"] = 1 / 6


def _untold(machine: Description) -> None:
    machine["core"]["dep_imul"] += 0.4


@dataclass(frozen=True)
class Condition:
    """What a machine is under, and what a run on it should come to."""

    apply: Callable[[Description], None]
    expected: str  # a verdict of nearly all figures
    about: str


CONDITIONS: Mapping[str, Condition] = {
    "quiet": Condition(lambda machine: None, "good", "nothing else runs"),
    "intermittent": Condition(_intermittent, "good", "a neighbour 30 % of the time"),
    "drift": Condition(_drift, "good", "the clock drifts by 2 % within 2.5 s; steps of 10 ns"),
    "turbo": Condition(_turbo, "good", "the clock ramps up by 20 %, and comes and goes by 10 %"),
    "interrupts": Condition(_interrupts, "good", "interrupts, stolen time, migration"),
    "guest": Condition(_guest, "good", "all of these at once, in a virtual machine"),
    "throughout": Condition(_throughout, "disturbed", "a neighbour that stays"),
    "folding": Condition(_folding, "uncalibrated", "a core that folds dependent adds"),
    "untold": Condition(_untold, "uncalibrated", "a multiply that is not a whole number of adds"),
    "translating": Condition(_translating, "emulated", "an emulator that translates machine code"),
    "counting": Condition(_counting, "emulated", "an emulator that counts instructions"),
}


def description(core: Core, condition: str, seed: int = 1) -> Description:
    """What to write into a file for --simulate."""
    found = machine(core, seed)
    CONDITIONS[condition].apply(found)
    found["name"] = f"{core.source} {condition}"
    return found


def write(folder: Path, condition: str, seed: int = 1) -> list[Path]:
    """A file for each CPU."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for core in cores():
        path = folder / f"{core.source}-{condition}.json"
        path.write_text(json.dumps(description(core, condition, seed), indent=1) + "\n", "utf-8")
        written.append(path)
    return written

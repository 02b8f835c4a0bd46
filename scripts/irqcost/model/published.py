# SPDX-License-Identifier: GPL-2.0-only
"""Published figures: results/published/, which says how they were collected."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from irqcost import ROOT
from irqcost.base.errors import IrqcostError, ResultError
from irqcost.model.result import Result

FOLDER = ROOT / "results" / "published"

# What a published primitive is in the catalogue.
PROBES = {
    "bh_disable_enable": ("local_bh_disable_enable",),
    "cli": ("cli",),
    "cli_sti": ("cli_sti",),
    "irq_disable_enable": ("local_irq_disable_enable",),
    "irq_save_restore": ("local_irq_save_restore", "irq_save_restore"),
    "lahf": ("lahf",),
    "lfence": ("lfence",),
    "lock_cmpxchg": ("lock_cmpxchg",),
    "popf": ("popf",),
    "preempt_disable_enable": ("preempt_disable_enable", "kfunc_preempt_disable_enable"),
    "pushf": ("pushf",),
    "pushf_popf": ("pushf_popf",),
    "rdtsc": ("rdtsc",),
    "rdtscp": ("rdtscp",),
    "sahf": ("sahf",),
    "spin_lock": ("spin_lock",),
    "spin_lock_irq": ("spin_lock_irq",),
    "spin_lock_irqsave": ("spin_lock_irqsave",),
    "sti": ("sti",),
}

# Its units, by ours. Micro-operations are no cost in time: they are beside nothing.
UNITS = {"core_cycles": "cycles", "tsc_cycles": "ticks", "ns": "ns"}

_BEFORE_ZEN_2 = {"K8", "K10", "K10 (Llano)", "Bobcat", "Jaguar", "Puma+", "Bulldozer"}
_BEFORE_ZEN_2 |= {"Piledriver", "Steamroller", "Excavator", "Zen", "Zen+"}


@dataclass(frozen=True)
class Published:
    """One line of costs.csv with its source, whose columns the README describes; `year` is the
    generation's."""

    vendor: str
    microarchitecture: str
    cpu_model: str
    primitive: str
    mode: str
    value: float
    unit: str
    kind: str
    source: str
    locator: str
    date: str
    note: str
    year: int | None

    @property
    def model(self) -> bool:
        """Whether it is out of a compiler's or an emulator's table: no measurement."""
        return self.kind == "model"

    @cached_property
    def suspect(self) -> str:
        """Why not to trust it; "" where nothing is known against it. See the README."""
        old = self.year is not None and self.year < 2000
        if "clock suspect" in self.note:
            return self.note.split("; ")[-1]
        if self.source.startswith("LKML patch") and self.value == 0:
            return "the lower limit of a single-shot method, not a cost"
        if (self.primitive, self.mode) == ("pushf", "throughput") and old:
            return "pushes alone, bound by memory: take pushf_popf"
        if (self.microarchitecture, self.primitive, self.value) == ("K7", "popf", 1):
            return "contradicted by 11 in InstLatX64, which fits its pair"
        if self.primitive in ("cli", "sti") and self.microarchitecture in ("K8", "K10"):
            return "repeats K7's figure, may not have been measured again"
        if self.primitive == "lfence" and self.microarchitecture in _BEFORE_ZEN_2:
            return "whether it serialised dispatch is not told"
        if self.primitive == "lahf" and self.microarchitecture.startswith("NetBurst"):
            return "from 4 to 103 between runs"
        return ""

    @property
    def told(self) -> str:
        """What it is and where it stands, in a line."""
        parts = [f"{self.primitive} {self.value:g} {self.unit.replace('_', ' ')} ({self.mode})"]
        parts += [f"{self.vendor} {self.microarchitecture}, {self.cpu_model}"]
        parts += [f"{self.kind}: {self.source}, {self.locator}, {self.date}"]
        parts += [self.note] if self.note else []
        parts += [f"suspect: {self.suspect}"] if self.suspect else []
        return "; ".join(parts)


def read(folder: Path = FOLDER) -> tuple[Published, ...]:
    """All figures, in the order of the file. Raises ResultError."""
    years = {
        (line["vendor"], line["microarchitecture"]): int(line["year"])
        for line in _lines(folder / "generations.csv")
    }
    path = folder / "costs.csv"
    try:
        sources = {line["source"]: line for line in _lines(folder / "sources.csv")}
        return tuple(
            Published(
                vendor=source["vendor"],
                microarchitecture=source["microarchitecture"],
                cpu_model=source["cpu_model"],
                primitive=line["primitive"],
                mode=line["mode"],
                value=float(line["value"]),
                unit=line["unit"],
                kind=line["kind"],
                source=source["title"],
                locator=f"{source['document']} {line['place']}".rstrip(),
                date=source["date"],
                note=line["note"],
                year=years.get((source["vendor"], source["microarchitecture"])),
            )
            for line in _lines(path)
            for source in [sources[line["source"]]]
        )
    except (KeyError, ValueError) as error:
        raise ResultError(path, f"not as its README describes it: {error}") from error


def _lines(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise ResultError(path, error.strerror or str(error)) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ResultError(path, f"no table: {error}") from error


def same_core(figure: Published, result: Result) -> bool:
    """Whether a figure is of a result's microarchitecture: `Golden Cove` is that of
    `Golden Cove (Sapphire Rapids)`."""
    name = result.context.cpu.codename
    return name is not None and figure.microarchitecture.split(" (")[0] == name


def year(figures: Sequence[Published], result: Result) -> int | None:
    """The year of a result's generation, by the figures of its microarchitecture."""
    name = result.context.cpu.codename
    years = [f.year for f in figures if f.year is not None and same_core(f, result)]
    return max(years) if name and years else None


def matching(
    figures: Sequence[Published], probes: Sequence[str], unit: str
) -> dict[str, list[Published]]:
    """The figures of each of our probes in one of our units."""
    if unit not in UNITS.values():
        raise IrqcostError(f"no published figure is in {unit}")
    found: dict[str, list[Published]] = {}
    for figure in figures:
        if UNITS.get(figure.unit) == unit:
            for probe in PROBES.get(figure.primitive, ()):
                if probe in probes:
                    found.setdefault(probe, []).append(figure)
    return found

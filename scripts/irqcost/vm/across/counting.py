# SPDX-License-Identifier: GPL-2.0-only
"""Exact counts on an architecture that has no harness: a program in the guest asks the module.

bench_kmod/tests/count.c runs every row in every mode, and prints ticks; under the instruction clock
a tick is an instruction. What comes of it is a file of its own kind, which is no result: it has no
times, and says of which architecture it is.
"""

import json
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from fractions import Fraction
from pathlib import Path

from irqcost import ROOT
from irqcost.base import layout
from irqcost.base.errors import IrqcostError
from irqcost.base.table import Table
from irqcost.vm.across.listing import between, disassembled
from irqcost.vm.across.page import MASKING, SHOWN
from irqcost.vm.architectures import ARCHITECTURES
from irqcost.vm.counts import Counts
from irqcost.vm.initramfs import Command
from irqcost.vm.kernels import Kernel
from irqcost.vm.qemu import GuestResult, Machine, run_guest
from irqcost.vm.soak import program

SOURCE = ROOT / "bench_kmod" / "tests" / "count.c"

# The number of the file's format; 1 is the one of counts.py.
FORMAT = 2

# A row of instructions: its key and its code.
_ROW = re.compile(
    r'^IRQCOST_INSN\(\d+, (\w+), \w+, \w+, \w+, \w+,\s*((?:"[^"]*"\s*)+),', re.MULTILINE
)


@dataclass(frozen=True)
class Count:
    """Instructions of one operation, the least and the most of all samples."""

    least: Fraction
    most: Fraction

    @property
    def number(self) -> float:
        """The least, as a file has it."""
        return int(self.least) if self.least.denominator == 1 else round(float(self.least), 2)


@dataclass(frozen=True)
class Counted:
    """What a guest counted.

    @catalogue: the hash of the module's catalogue; each architecture has another.
    @counts: by key and mode. @absent: by key and mode, the reason; mode "*" is each of them.
    @code: by key, the instructions of its single window that were executed, as the kernel has
    patched them; of rows that call functions there is none.
    """

    architecture: str
    cpu: str
    kernel: str
    compiler: str
    date: str
    catalogue: str
    counts: Mapping[tuple[str, str], Count]
    absent: Mapping[tuple[str, str], str]
    code: Mapping[str, tuple[str, ...]]

    @property
    def masks(self) -> str:
        """What the kernel masks by, as its own code shows; "" where that shows nothing."""
        code = self.code.get(MASKING, ())
        return ARCHITECTURES[self.architecture].masked_by(code)

    def document(self) -> dict[str, object]:
        """As it is in a file."""
        counts: dict[str, dict[str, float]] = {}
        for (key, mode), count in self.counts.items():
            counts.setdefault(key, {})[mode] = count.number
        return {
            "counts": FORMAT,
            "architecture": self.architecture,
            "cpu": self.cpu,
            "kernel": self.kernel,
            "compiler": self.compiler,
            "date": self.date,
            "catalogue": self.catalogue,
            "masks": self.masks or None,
            "instructions": counts,
            "varying": [f"{key}/{mode}" for key, mode in self._varying()],
            "absent": {f"{key}/{mode}": why for (key, mode), why in self.absent.items()},
            "code": {key: list(lines) for key, lines in self.code.items()},
        }

    def _varying(self) -> list[tuple[str, str]]:
        return [name for name, count in self.counts.items() if count.least != count.most]

    def column(self) -> Counts:
        """As a column of `vm --matrix`: of rows that all architectures have, and no controls."""
        own = rows(self.architecture)
        found: dict[str, float] = {}
        varying, absent = set(), {}
        for (key, mode), count in self.counts.items():
            usual = mode == "throughput" or (key, "throughput") not in self.counts
            if key not in own and mode in ("throughput", "isolated") and usual:
                found[key] = count.number
                if count.least != count.most:
                    varying.add(key)
        for (key, mode), reason in self.absent.items():
            if key not in own and key not in found and mode in ("*", "throughput", "isolated"):
                absent[key] = reason
        return Counts(
            self.kernel,
            self.date[:10],
            found,
            frozenset(varying),
            absent,
            self.architecture,
            self.cpu,
            {key: self.code[key] for key in SHOWN if key in self.code},
        )

    def text(self) -> str:
        """The table for a terminal: by probe what it executes repeated, and once."""
        table = Table(("instructions", "repeated", "once"), "<>>")
        for key in dict.fromkeys(key for key, _ in self.counts):
            cells = [self.counts.get((key, mode)) for mode in ("throughput", "isolated")]
            table.row(key, *(f"{one.number:g}" if one else "–" for one in cells))
        head = f"{self.kernel}, {self.architecture}, QEMU's CPU {self.cpu}: exact counts, not times"
        by = f"The kernel masks by {self.masks}.\n" if self.masks else ""
        return f"{head}\n{by}\n{table}"


def count(
    kernel: Kernel,
    module: bytes,
    machine: Machine,
    *,
    setup: Sequence[Command] = (),
    further: Sequence[Command] = (),
    programs: Mapping[str, Path] | None = None,
    time_limit: float = 600,
    on_line: Callable[[str], None] | None = None,
) -> tuple[Counted, GuestResult]:
    """Boot @kernel, run @setup, count with @module, and run @further with @programs.

    Raises IrqcostError, also where the module does not load.
    """
    with tempfile.TemporaryDirectory() as directory:
        own = program(SOURCE, Path(directory), kernel.architecture)
        guest = run_guest(
            kernel,
            [
                *setup,
                Command("insmod", ("insmod", "/irqcost.ko")),
                Command("count", ("/bin/count",)),
                *further,
                Command("rmmod", ("rmmod", "irqcost")),
            ],
            programs={"/bin/count": own, **(programs or {})},
            files={"/irqcost.ko": module},
            machine=machine,
            time_limit=time_limit,
            on_line=on_line,
        )
    for name in (*(one.name for one in setup), "insmod", "count"):
        if guest.status[name]:
            raise IrqcostError(f"{name} fails in the guest: {guest.log(name).strip()}")
    return read(guest.log("count"), kernel, machine.cpu or kernel.architecture.cpu), guest


def read(printed: str, kernel: Kernel, cpu: str) -> Counted:
    """What count.c @printed."""
    counts, absent, texts = {}, {}, {}
    catalogue = compiler = ""
    for line in printed.splitlines():
        kind, *words = line.split(" ")
        if kind == "module":
            catalogue, compiler = words[0], " ".join(words[2:])
        elif kind == "count":
            key, mode, least, most, operations = words
            each = int(operations)
            counts[key, mode] = Count(Fraction(int(least), each), Fraction(int(most), each))
        elif kind == "absent":
            absent[words[0], words[1]] = " ".join(words[2:])
        elif kind == "text":
            texts[words[0]] = bytes.fromhex(words[2])
    if not counts:
        raise IrqcostError(f"nothing was counted: {printed.strip()[:200]}")
    code = {key: _code(text, counts.get((key, "isolated")), kernel) for key, text in texts.items()}
    date = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return Counted(
        kernel.architecture.name,
        cpu,
        kernel.release,
        compiler,
        date,
        catalogue,
        counts,
        absent,
        {key: lines for key, lines in code.items() if lines},
    )


def _code(text: bytes, counted: Count | None, kernel: Kernel) -> tuple[str, ...]:
    """The instructions of a single window, if they are as many as were counted."""
    if counted is None or counted.least != counted.most or counted.least.denominator != 1:
        return ()
    lines = disassembled(text, kernel.architecture)
    return between(lines, kernel.architecture.stamp, int(counted.least))


def rows(architecture: str) -> dict[str, str]:
    """The rows of instructions of an architecture: their code by key."""
    folder = layout.include_folders(ARCHITECTURES[architecture].folder)[1]
    text = (folder / "irqcost" / "arch" / "instructions.def").read_text(encoding="utf-8")
    return {key: "".join(re.findall('"([^"]*)"', code)) for key, code in _ROW.findall(text)}


def write(counted: Counted, path: Path) -> None:
    """The file."""
    path.write_text(json.dumps(counted.document(), indent=1) + "\n", encoding="utf-8")

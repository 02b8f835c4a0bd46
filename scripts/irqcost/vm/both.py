# SPDX-License-Identifier: GPL-2.0-only
"""Two builds of module and harness in one guest, under the instruction clock, in turn.

One boot for both: what the kernel decides at boot (where it lies, what it patches) is then the same
for both of them.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irqcost.base.errors import IrqcostError
from irqcost.base.progress import Progress
from irqcost.model import reader
from irqcost.model.result import Result
from irqcost.vm.initramfs import MARK, Command
from irqcost.vm.kernels import Kernel, memory_mib
from irqcost.vm.qemu import GuestResult, Machine, run_guest

# For each turn: the whole catalogue takes one a minute or two.
_TURN_SECONDS = 600


@dataclass(frozen=True)
class Side:
    """A build: its irqcost-bench, and its irqcost.ko for the guest's kernel."""

    bench: Path
    module: Path


@dataclass(frozen=True)
class Turn:
    """What was measured in a turn: of which side (its index), the harness's JSON, and what it
    means."""

    side: int
    document: Any
    result: Result


def commands(turns: Sequence[int], pattern: str | None) -> list[Command]:
    """What the guest runs: in each turn a side's module is loaded, measured through, unloaded."""
    chosen = [f"--benchmark_filter={pattern}"] if pattern is not None else []
    listed = []
    for number, side in enumerate(turns, 1):
        measure = [f"/{side}/irqcost-bench", "--irqcost_backends=ring3,kmod,bpf", *chosen]
        measure += [f"--benchmark_out=/out/{number}.json", "--benchmark_out_format=json"]
        listed += [
            Command(f"insmod-{number}", ("insmod", f"/{side}/irqcost.ko")),
            Command(f"measure-{number}", tuple(measure)),
            Command(f"rmmod-{number}", ("rmmod", "irqcost")),
        ]
    return listed


def in_turn(
    kernel: Kernel,
    sides: Sequence[Side],
    turns: Sequence[int],
    pattern: str | None,
    progress: Progress,
) -> list[Turn]:
    """Boots `kernel` once and measures each of `turns`, which are indices of `sides`.

    `pattern` selects benchmarks by name; None: all. Raises IrqcostError where a turn has no result,
    and GuestDied.
    """

    def show(line: str) -> None:
        if line.startswith(MARK):
            progress.show(f"{line.split()[-1]} of {len(turns)}")

    progress.show("booting")
    guest = run_guest(
        kernel,
        commands(turns, pattern),
        programs={f"/{n}/irqcost-bench": side.bench for n, side in enumerate(sides)},
        files={f"/{n}/irqcost.ko": side.module.read_bytes() for n, side in enumerate(sides)},
        machine=Machine(exact=True, memory_mib=memory_mib(kernel.name)),
        time_limit=_TURN_SECONDS * len(turns),
        on_line=show,
    )
    return [turn_of(guest, number, side) for number, side in enumerate(turns, 1)]


def turn_of(guest: GuestResult, number: int, side: int) -> Turn:
    """What came of a turn. Raises IrqcostError with what was said where there is no result."""
    for command in ("insmod", "rmmod"):
        if guest.status[f"{command}-{number}"]:
            said = guest.log(f"{command}-{number}").strip()
            raise IrqcostError(f"turn {number}: {command} fails in the guest: {said}")
    raw = guest.files.get(f"{number}.json")
    if raw is None:
        said = guest.log(f"measure-{number}").strip()
        raise IrqcostError(f"turn {number}: the harness measured nothing in the guest:\n{said}")
    with tempfile.TemporaryDirectory(prefix="irqcost-ab-") as folder:
        path = Path(folder, "turn.json")
        path.write_bytes(raw)
        document, result = reader.read_document(path)
    if not result.context.instruction_clock:
        raise IrqcostError(f"turn {number}: the harness found no instruction clock")
    return Turn(side, document, result)

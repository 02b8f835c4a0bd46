# SPDX-License-Identifier: GPL-2.0-only
"""Building the harness with CMake."""

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from irqcost import ROOT
from irqcost.errors import BuildError
from irqcost.process import child
from irqcost.progress import Progress

_TAIL_LINES = 40

# How Make and Ninja say how far they are.
_STEP = re.compile(r"\[\s*(\d+%|\d+/\d+)\] (.*)")


def harness(preset: str = "release") -> Path:
    """Configures and builds a preset of CMakePresets.json; returns its irqcost-bench."""
    folder = ROOT / "build" / preset
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "irqcost-build.log"
    log.unlink(missing_ok=True)
    jobs = str(len(os.sched_getaffinity(0)))
    with Progress(f"building the harness ({preset})") as progress:
        logged(["cmake", "--preset", preset], log, progress)
        logged(["cmake", "--build", "--preset", preset, "--parallel", jobs], log, progress)
    return bench(preset)


def bench(preset: str = "release") -> Path:
    """Where a preset has its irqcost-bench, built or not."""
    return ROOT / "build" / preset / "bench_user" / "irqcost-bench"


def logged(command: Sequence[str], log: Path, progress: Progress) -> None:
    """Runs a command in the checkout, its output appended to a log. Raises BuildError."""
    with log.open("a", encoding="utf-8") as out:
        try:
            with child(command, subprocess.STDOUT) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    out.write(line)
                    if step := _STEP.match(line):
                        progress.show(f"{step[1]} {step[2]}")
        except FileNotFoundError as error:
            raise BuildError(f"{command[0]} is not installed") from error
    if process.returncode:
        tail = log.read_text(encoding="utf-8").splitlines()[-_TAIL_LINES:]
        raise BuildError(
            f"`{' '.join(command)}` failed. The end of {log}:\n" + "\n".join(tail),
        )

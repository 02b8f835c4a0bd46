# SPDX-License-Identifier: GPL-2.0-only
"""Running irqcost-bench. It measures; this only starts it and watches."""

import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from irqcost.base.errors import CpuGone, Exit, IrqcostError
from irqcost.base.process import child
from irqcost.base.progress import Progress
from irqcost.measure.processes import Process, Request
from irqcost.measure.simulation.simulate import Clock
from irqcost.measure.verdict import CONTROLS
from irqcost.model import reader
from irqcost.model.result import Backend

# Its exit code where the CPU that it measured on went offline.
_CPU_GONE = 3


def _environment() -> dict[str, str]:
    """Without what Google Benchmark would take for flags: a process is one repetition, and what a
    run measures is said by its arguments alone."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BENCHMARK_")}


def _ask(bench: Path, arguments: Sequence[str]) -> str:
    """What the harness answers without measuring. Raises IrqcostError with what it said."""
    try:
        done = subprocess.run(
            [bench, *arguments], capture_output=True, text=True, env=_environment()
        )
    except OSError as error:
        raise IrqcostError(f"{bench}: cannot be started: {error.strerror}") from error
    if done.returncode:
        raise IrqcostError(done.stderr.strip() or f"{bench} ended with status {done.returncode}")
    return done.stdout


def backends(bench: Path, arguments: Sequence[str] = ()) -> tuple[Backend, ...]:
    """Which backends can run here, and why the others cannot."""
    listed = json.loads(_ask(bench, [*arguments, "--irqcost_list_backends"]))
    return tuple(
        Backend(name, item["usable"], item.get("reason", ""), item.get("remedy", ""))
        for name, item in listed.items()
    )


def names(bench: Path, arguments: Sequence[str] = ()) -> tuple[str, ...]:
    """The benchmarks that the arguments select. Raises IrqcostError where there are none."""
    return tuple(_ask(bench, [*arguments, "--benchmark_list_tests"]).split())


def help_text(bench: Path) -> str:
    """What the harness says of its flags."""
    return _ask(bench, ["--help"])


def interleave(
    bench: Path, benchmarks: Sequence[str], blocks: int, arguments: Sequence[str]
) -> Mapping[str, Any]:
    """One process in which benchmarks take turns: `names`, `blocks` and `context`, as
    docs/SELFTEST.md says. Raises IrqcostError with what the harness said where it failed."""
    flags = [f"--irqcost_interleave={','.join(benchmarks)}", f"--irqcost_blocks={blocks}"]
    found: Mapping[str, Any] = json.loads(_ask(bench, [*arguments, *flags]))
    return found


def with_controls(bench: Path, arguments: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """The arguments, made to select the controls of each backend that they select anything of,
    and the names that they then select: without controls nothing vouches for a figure.
    Raises IrqcostError where the arguments alone select nothing."""
    wanted = names(bench, arguments)
    filters = [a.partition("=")[2] for a in arguments if a.startswith("--benchmark_filter=")]
    if not filters:
        return list(arguments), wanted
    used = "|".join(dict.fromkeys(name.split("/")[0] for name in wanted))
    controls = f"^({used})/({'|'.join(CONTROLS)})/throughput$"
    everything = names(bench, [*arguments, "--benchmark_filter="])
    missing = [name for name in everything if re.match(controls, name) and name not in wanted]
    if not missing:
        return list(arguments), wanted
    # A filter that negates cannot be joined with another: there the names stand for it.
    own = (
        f"^({'|'.join(map(re.escape, wanted))})$"
        if filters[0].startswith("-")
        else f"({filters[0]})"
    )
    return [*arguments, f"--benchmark_filter={own}|{controls}"], (*wanted, *missing)


class Session:
    """Processes of one harness, and the progress of them all."""

    def __init__(
        self,
        bench: Path,
        arguments: Sequence[str],
        seconds: float,
        progress: Progress,
        known: str | None = None,
        clock: Clock | None = None,
        later: Sequence[str] = (),
    ) -> None:
        """`known` is the help of a harness of another version: what it does not name is not asked
        for. None: all is known. `clock` is the time of a simulated machine; None: it is real.
        `later` are arguments of all processes but the first."""
        self._later = later
        self._bench = bench
        self._arguments = arguments
        self._progress = progress
        self._known = known
        self._clock = clock
        self._processes = 0
        self._end = time.monotonic() + seconds

    def measure(self, request: Request, cpu: int | None = None) -> Process:
        """Runs one process, on a CPU or where it chooses. Raises IrqcostError with what the harness
        said where it failed."""
        self._processes += 1
        if self._processes == 1:
            self._show("no figure yet")
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="irqcost-") as folder:
            out = Path(folder, "process.json")
            command = [str(self._bench), *self._arguments, *self._understood(_flags(request))]
            command += [f"--benchmark_out={out}", "--benchmark_out_format=json"]
            command += [] if self._processes == 1 else self._later
            command += [] if cpu is None else [f"--irqcost_cpu={cpu}"]
            command += [] if self._clock is None else self._clock.flags()
            self._watch(command)
            document, _ = reader.read_document(out)
        seconds = time.monotonic() - started
        if self._clock is not None:
            seconds = self._clock.passed(document["context"]["irqcost"])
        return Process(document, seconds)

    def _understood(self, flags: Sequence[str]) -> list[str]:
        """Flags without those of ours that the harness does not know."""
        if self._known is None:
            return list(flags)
        words = set(re.findall(r"--\w+", self._known))
        return [
            flag
            for flag in flags
            if not flag.startswith("--irqcost_") or flag.partition("=")[0] in words
        ]

    def _watch(self, command: Sequence[str]) -> None:
        with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
            with child(command, said, _environment()) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    # The console reporter begins a finished benchmark's line with name and time.
                    words = line.split()
                    if len(words) > 2 and words[0].count("/") >= 2 and words[2] == "ns":
                        self._show(" ".join(words[:3]))
            if process.returncode == Exit.OK:
                return
            said.seek(0)
            if process.returncode == _CPU_GONE:
                raise CpuGone(said.read().strip())
            if process.returncode != Exit.UNUSABLE or not self._tolerable(command):
                text = said.read().strip()
                raise IrqcostError(text or f"{command[0]} ended with status {process.returncode}")

    @staticmethod
    def _tolerable(command: Sequence[str]) -> bool:
        """Whether a file was written all the same: it names what could not be measured."""
        (out,) = [a for a in command if a.startswith("--benchmark_out=")]
        return Path(out.partition("=")[2]).exists()

    def _show(self, figure: str) -> None:
        left = max(self._end - time.monotonic(), 0)
        self._progress.show(f"process {self._processes}, at most {left:.0f} s left: {figure}")


def _flags(request: Request) -> list[str]:
    flags = ["--irqcost_keep_samples", f"--irqcost_time={request.seconds:.3f}"]
    flags.append(f"--irqcost_target={request.target.percent:g},{request.target.cycles:g}")
    if request.tsc_khz is not None:
        flags.append(f"--irqcost_tsc_khz={request.tsc_khz}")
    if request.sensor_levels:
        levels = ",".join(f"{name}:{value:.6f}" for name, value in request.sensor_levels.items())
        flags.append(f"--irqcost_sensor_level={levels}")
    if request.sensor is not None:
        flags.append(f"--irqcost_sensor={request.sensor}")
    if request.names is not None:
        # After those of the user: the last one counts.
        used = dict.fromkeys(name.split("/")[0] for name in request.names)
        flags.append(f"--irqcost_backends={','.join(used)}")
        flags.append(f"--benchmark_filter=^({'|'.join(map(re.escape, request.names))})$")
    return flags

# SPDX-License-Identifier: GPL-2.0-only
"""Guests that tests share: each is booted once, at the first test that asks for it."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from irqcost import ROOT
from irqcost.measure import build
from irqcost.measure.guests.measuring import BENCH, MODULE, guest_commands, measured
from irqcost.model import catalogue, reader
from irqcost.model.result import Result
from irqcost.vm.across import counting
from irqcost.vm.architectures import X86, Architecture
from irqcost.vm.across.counting import Counted
from irqcost.vm.initramfs import Command
from irqcost.vm.kernels import NAMES, TESTED, Kernel, architecture_of, find_kernel, memory_mib
from irqcost.vm.module import build_module
from irqcost.vm.qemu import GuestResult, Machine, run_guest
from irqcost.vm.soak import program

from vm_trace import Run, Tracer, read_trace

# Those that are not always tested are on request: pytest -m matrix.
KERNELS = tuple(
    name if name in TESTED else pytest.param(name, marks=pytest.mark.matrix)
    for name in NAMES
    if architecture_of(name) is X86
)

# Those of other architectures, all of them on request.
FOREIGN = tuple(
    pytest.param(name, marks=pytest.mark.matrix)
    for name in NAMES
    if architecture_of(name) is not X86
)

# For a guest that hangs; no slow host comes near: the debug kernel takes minutes on a fast one.
TIME_LIMIT = 4 * 3600


@dataclass(frozen=True)
class ExactGuest:
    """A guest under the instruction clock: what the harness measured, and what a trace counted."""

    guest: GuestResult
    document: Any  # the harness's file
    result: Result
    traced: tuple[Run, ...]


@cache
def kernel(name: str) -> Kernel:
    """A kernel of the table, from the cache or fetched."""
    return find_kernel(name, lambda text: None)


@cache
def module(name: str) -> bytes:
    """irqcost.ko for it."""
    return build_module(kernel(name), lambda text: None).read_bytes()


# The abuse of the module, each program of one file.
_ABUSE = ("abuse", "abuse_contention", "abuse_text")


def _abuse(
    directory: Path, architecture: Architecture = X86, names: Sequence[str] = _ABUSE
) -> dict[str, Path]:
    """Programs by their paths in the guest."""
    tests = ROOT / "bench_kmod" / "tests"
    return {f"/bin/{name}": program(tests / f"{name}.c", directory, architecture) for name in names}


def _trace(name: str) -> tuple[str, ...]:
    """The tracer: of 6.1, and on request, at all unroll factors; else up to 8, as a trace takes a
    minute and what differs between factors is the module's own code."""
    whole = name == "6.1" or name not in TESTED
    return ("/bin/vm_trace", "/dev/ttyS2", *([] if whole else ["8"]))


@cache
def exact_guest(name: str) -> ExactGuest:
    """One boot for all: the harness, the trace, and the abuse of the module."""
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        tracer = Tracer(directory)
        tracer.start()
        try:
            guest = run_guest(
                kernel(name),
                [
                    *guest_commands(contexts=",".join(catalogue.CONTEXTS)),
                    Command("trace", _trace(name)),
                    *(Command(name, (f"/bin/{name}", "--exact")) for name in _ABUSE),
                    Command("rmmod", ("rmmod", "irqcost")),
                ],
                programs={
                    BENCH: build.harness(),
                    "/bin/vm_trace": program(Path(__file__).with_name("vm_trace.c"), directory),
                    **_abuse(directory),
                },
                files={MODULE: module(name)},
                machine=Machine(
                    exact=True, memory_mib=memory_mib(name), arguments=tracer.arguments
                ),
                time_limit=TIME_LIMIT,
            )
        finally:
            windows = tracer.stop()
        assert guest.status["trace"] == 0, guest.log("trace")
        path = directory / "result.json"
        path.write_bytes(measured(guest))
        traced = tuple(read_trace(windows, guest.log("trace")))
        return ExactGuest(guest, *reader.read_document(path), traced)


@cache
def traced(name: str) -> tuple[Run, ...]:
    """A boot for the trace alone."""
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        tracer = Tracer(directory)
        tracer.start()
        try:
            guest = run_guest(
                kernel(name),
                [
                    Command("insmod", ("insmod", MODULE)),
                    Command("trace", _trace(name)),
                ],
                programs={
                    "/bin/vm_trace": program(Path(__file__).with_name("vm_trace.c"), directory)
                },
                files={MODULE: module(name)},
                machine=Machine(exact=True, arguments=tracer.arguments),
                time_limit=TIME_LIMIT,
            )
        finally:
            windows = tracer.stop()
        assert guest.status["trace"] == 0, guest.log("trace")
        return tuple(read_trace(windows, guest.log("trace")))


@cache
def foreign_guest(
    name: str, cpu: str = "", unroll: int = 2, parameters: str = ""
) -> tuple[Counted, GuestResult, tuple[Run, ...]]:
    """One boot of another architecture's kernel: what the module counted, and what a trace did, at
    unroll factors up to @unroll. @parameters: further ones of the kernel."""
    used = kernel(name)
    trace = ("/bin/vm_trace", f"/dev/{used.architecture.control}", str(unroll))
    source = Path(__file__).with_name("vm_trace.c")
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        tracer = Tracer(directory, used.architecture)
        tracer.start()
        try:
            counted, guest = counting.count(
                used,
                module(name),
                Machine(exact=True, cpu=cpu, arguments=tracer.arguments, parameters=parameters),
                further=[Command("trace", trace)],
                programs={"/bin/vm_trace": program(source, directory, used.architecture)},
                time_limit=TIME_LIMIT,
            )
        finally:
            windows = tracer.stop()
        assert guest.status["trace"] == 0, guest.log("trace")
        return counted, guest, tuple(read_trace(windows, guest.log("trace")))


@cache
def foreign_abuse_guest(name: str) -> GuestResult:
    """The abuse of the module under the instruction clock, on another architecture."""
    with tempfile.TemporaryDirectory() as temporary:
        return run_guest(
            kernel(name),
            [
                Command("insmod", ("insmod", MODULE)),
                *(Command(one, (f"/bin/{one}", "--exact")) for one in _ABUSE),
                Command("rmmod", ("rmmod", "irqcost")),
            ],
            programs=_abuse(Path(temporary), kernel(name).architecture),
            files={MODULE: module(name)},
            machine=Machine(exact=True, memory_mib=memory_mib(name)),
            time_limit=TIME_LIMIT,
        )


@cache
def two_cpu_guest(name: str) -> GuestResult:
    """The abuse of the module where two CPUs really run at once, and its going."""
    programs = (*_ABUSE, "unload")
    with tempfile.TemporaryDirectory() as temporary:
        return run_guest(
            kernel(name),
            [
                Command("insmod", ("insmod", MODULE)),
                *(Command(name, (f"/bin/{name}",)) for name in _ABUSE),
                Command("unload", ("/bin/unload", MODULE)),
                Command("rmmod", ("rmmod", "irqcost")),
            ],
            programs=_abuse(Path(temporary), kernel(name).architecture, programs),
            files={MODULE: module(name)},
            machine=Machine(cpus=2, memory_mib=memory_mib(name)),
            time_limit=TIME_LIMIT,
        )


@cache
def harms_guest(name: str) -> GuestResult:
    """What the module must not let anybody do to others, where three CPUs run at once."""
    with tempfile.TemporaryDirectory() as temporary:
        return run_guest(
            kernel(name),
            [
                Command("insmod", ("insmod", MODULE)),
                Command("harms", ("/bin/harms",)),
                Command("rmmod", ("rmmod", "irqcost")),
            ],
            programs=_abuse(Path(temporary), kernel(name).architecture, ("harms",)),
            files={MODULE: module(name)},
            # harms.c says what for.
            machine=Machine(
                cpus=3, memory_mib=memory_mib(name), parameters="rcutree.kthread_prio=95"
            ),
            time_limit=TIME_LIMIT,
        )

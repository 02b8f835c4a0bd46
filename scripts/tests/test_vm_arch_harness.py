# SPDX-License-Identifier: GPL-2.0-only
"""The harness of another architecture in a guest of its kernel: what it measures with the module is
what a program that knows of nothing but the module counts, and it tells what the kernel masks by.

On request (pytest -m matrix), as the harness has to be cross-built before: scripts/ci/cross NAME.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from irqcost import ROOT
from irqcost.measure.guests.measuring import BENCH, guest_commands, measured
from irqcost.measure.merge import merge
from irqcost.measure.processes import Process, Target
from irqcost.model import parsing
from irqcost.vm.across import counting
from irqcost.vm.across.counting import Counted
from irqcost.vm.architectures import Architecture
from irqcost.vm.initramfs import Command
from irqcost.vm.kernels import memory_mib
from irqcost.vm.qemu import Machine, run_guest
from vm_guests import TIME_LIMIT, kernel, module

pytestmark = [pytest.mark.guest, pytest.mark.matrix]

_OFF = "irqchip.gicv3_pseudo_nmi=0"
# Kernel, parameters, and what masks in it.
GUESTS = (
    ("6.1-arm64", "", "native"),
    ("pseudo-nmi-arm64", "", "priority"),
    ("pseudo-nmi-arm64", _OFF, "native"),
    ("6.12-riscv64", "", "native"),
)


def libraries(program: Path, sysroot: Path) -> dict[str, Path]:
    """What a program of another architecture loads, by path in the guest."""
    found: dict[str, Path] = {}
    folders = [folder for folder in (sysroot / "usr/lib", sysroot / "lib") if folder.is_dir()]

    def add(path: Path) -> None:
        said = subprocess.run(
            ["readelf", "-ld", path], capture_output=True, text=True, check=True
        ).stdout
        for name in re.findall(r"interpreter: (\S+)\]", said):
            found[name] = sysroot / name[1:]
        for name in re.findall(r"\(NEEDED\).*\[(.+)\]", said):
            place = f"/lib/{name}"
            if place not in found:
                found[place] = next(one for folder in folders for one in folder.rglob(name))
                add(found[place])

    add(program)
    return found


def cross_built(architecture: Architecture) -> dict[str, Path]:
    """The harness and what it loads, by path in the guest."""
    folder = ROOT / "build" / "cross" / architecture.name
    bench = folder / "build/bench_user/irqcost-bench"
    if not bench.is_file():
        pytest.skip(f"no harness for {architecture.name}: scripts/ci/cross makes it")
    return {BENCH: bench, **libraries(bench, folder / "sysroot")}


@cache
def both(name: str, parameters: str) -> tuple[Counted, Any]:
    """Of one boot: what the module counted, and the file of the harness."""
    commands = [one for one in guest_commands(20, backends="ring3,kmod") if one.name != "insmod"]
    counted, guest = counting.count(
        kernel(name),
        module(name),
        Machine(exact=True, memory_mib=memory_mib(name), parameters=parameters),
        further=commands,
        programs=cross_built(kernel(name).architecture),
        time_limit=TIME_LIMIT,
    )
    return counted, json.loads(measured(guest))


@pytest.fixture(name="guest", params=GUESTS, ids=lambda one: "-".join(filter(None, one)))
def _guest(request: pytest.FixtureRequest) -> Iterator[tuple[str, str, str]]:
    yield request.param


def test_the_harness_says_what_masks(guest: tuple[str, str, str]) -> None:
    name, parameters, kind = guest
    document = merge([Process(both(name, parameters)[1], 1)], Target())
    context = parsing.parse(document).context
    assert context.architecture == kernel(name).architecture.folder
    # User mode of RISC-V has a clock of 10 MHz, too coarse to see an instruction clock.
    assert context.emulated and context.instruction_clock == (context.architecture == "arm64")
    assert context.masking.kind == kind, context.masking.reason
    rows = {key: row.kind for key, row in context.masking.rows.items()}
    assert rows["kmod/local_irq_disable_enable"] == kind
    assert rows["kmod/spin_lock_irqsave"] == kind
    assert rows["kmod/local_save_flags"] == "unknown"
    # What has no hash is decoded as x86.
    functions = document["context"]["irqcost"]["machine_code"]["functions"]
    assert all(one["code_sha256"] for one in functions)


def test_the_harness_measures_what_the_module_counts(guest: tuple[str, str, str]) -> None:
    name, parameters, _ = guest
    counted, document = both(name, parameters)
    result = parsing.parse(merge([Process(document, 1)], Target()))
    compared = 0
    for (key, mode), count in counted.counts.items():
        entry = result.figures.get(f"kmod/{key}/{mode}")
        if entry is None or count.least != count.most or entry.spread:
            continue
        compared += 1
        assert Fraction(entry.ticks).limit_denominator(1000) == count.least, (key, mode)
    # Counts of sections in situ have other names in one of the two.
    assert compared >= len(counted.counts) / 2


# No kernel of these has bpf_local_irq_save(); Debian's RISC-V has the compiler of programs off.
_PROGRAMS = ("call", "kfunc_preempt_disable_enable", "rcu_read_lock_unlock", "helper_spin_lock")
_JIT = "echo 1 >/proc/sys/net/core/bpf_jit_enable"


@pytest.mark.parametrize("name", ("6.12-arm64", "6.12-riscv64"))
def test_programs_of_bpf_run_and_read_the_kernel(name: str) -> None:
    commands = guest_commands(20, pattern="bpf/", backends="ring3,bpf")
    guest = run_guest(
        kernel(name),
        [Command("jit", ("sh", "-c", _JIT)), *(one for one in commands if one.name != "insmod")],
        programs=cross_built(kernel(name).architecture),
        files={},
        machine=Machine(exact=True, memory_mib=memory_mib(name)),
        time_limit=TIME_LIMIT,
    )
    assert guest.status["jit"] == guest.status["measure"] == 0, guest.console
    document = json.loads(guest.files["result.json"])
    result = parsing.parse(merge([Process(document, 1)], Target()))
    assert {f"bpf/{key}/throughput" for key in _PROGRAMS} <= result.figures.keys()
    code = result.context.machine_code["bpf/helper_spin_lock"]
    assert code["bpf_spin_lock"].masks.flag and not code["bpf_spin_lock"].masks.priority
    assert result.context.masking.kind_of("bpf", "helper_spin_lock") == "native"
    assert result.context.emulated

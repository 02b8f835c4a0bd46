# SPDX-License-Identifier: GPL-2.0-only
"""Under the instruction clock every figure is a number of instructions, known beforehand.

For assembler rows the assembler says how many. For rows that call the kernel's API a trace of the
guest does (vm_trace.py), and for most of them the figures below as well.
"""

import re
import subprocess
import tempfile
from functools import cache

import pytest

from irqcost import catalogue
from vm_guests import KERNELS, ExactGuest, exact_guest

pytestmark = pytest.mark.guest

# Counted on Debian's kernels before this suite existed, with other code.
KNOWN = {
    "6.1": {
        "local_irq_disable_enable": 4,
        "local_irq_save_restore": 10,
        "preempt_disable_enable": 3,
        "spin_lock": 17,
        "spin_lock_irq": 21,
        "spin_lock_irqsave": 31,
        "spin_lock_irqsave_masked": 29,
        "local_bh_disable_enable": 22,
    },
    "6.1-rt": {
        "local_irq_disable_enable": 4,
        "local_irq_save_restore": 10,
        "spin_lock": 108,
        "spin_lock_irq": 108,
        "spin_lock_irqsave": 108,
        "raw_spin_lock_irqsave": 41,
    },
    "6.12": {
        "local_irq_disable_enable": 4,
        "local_irq_save_restore": 10,
        "preempt_disable_enable": 3,
        "spin_lock": 19,
        "spin_lock_irq": 23,
        "spin_lock_irqsave": 33,
        "local_bh_disable_enable": 20,
    },
}

# The section itself is no part of the figure, so that every length gives the same.
IN_SITU = ["in_situ/0", "in_situ/20", "in_situ/100", "in_situ/500"]


@pytest.fixture(name="exact", params=KERNELS)
def _exact(request: pytest.FixtureRequest) -> ExactGuest:
    return exact_guest(request.param)


@cache
def assembled() -> dict[str, int]:
    """Instructions of each assembler row, as the assembler makes them.

    None of them branches: the jz of save_cli_test_sti is not taken where interrupts were on.
    """
    keys = [probe.key for probe in catalogue.read() if probe.kind == "insn"]
    codes = [probe.code for probe in catalogue.read() if probe.kind == "insn"]
    # Each row has a section of its own: a row without instructions has an empty one.
    source = ".macro irqcost_section\n.endm\n"
    source += "".join(f'.section {key}, "ax"\n{code}\n' for key, code in zip(keys, codes))
    with tempfile.NamedTemporaryFile(suffix=".o") as target:
        subprocess.run(["as", "-o", target.name, "-"], input=source, text=True, check=True)
        listing = subprocess.run(
            ["objdump", "-d", "--no-show-raw-insn", target.name],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    counts = dict.fromkeys(keys, 0)
    section = ""
    for line in listing.splitlines():
        if head := re.match(r"Disassembly of section (\S+):", line):
            section = head[1]
        elif re.match(r"\s+[0-9a-f]+:\s", line):
            counts[section] += 1
    return counts


def expected_names(realtime: bool) -> set[str]:
    """Every benchmark that a kernel must have."""
    names = set()
    for probe in catalogue.read():
        if probe.kind == "bpf":
            continue
        modes = ["latency", "throughput"] if probe.repeatable else ["latency"]
        modes += IN_SITU if probe.has_section else []
        sleeps = realtime and probe.where == "RING0_RT_SLEEPS"
        backends = ["ring3"] if probe.where == "ANY" else []
        # A call that may sleep cannot be made with interrupts masked.
        backends += [] if sleeps and probe.irqs == "IF_00" else ["kmod"]
        names |= {f"{backend}/{probe.key}/{mode}" for backend in backends for mode in modes}
    return names


def test_every_row_is_measured(exact: ExactGuest) -> None:
    assert exact.guest.status["insmod"] == 0
    assert exact.result.context.emulated
    assert exact.result.context.instruction_clock
    figures = exact.result.figures
    assert set(figures) == expected_names(exact.result.context.kernel.realtime)
    assert {entry.label for entry in figures.values()} <= {"", "free"}


def test_assembler_rows_cost_their_instructions(exact: ExactGuest) -> None:
    known = assembled()
    figures = [e for e in exact.result.figures.values() if e.probe in known]
    assert {e.name: e.ticks for e in figures} == {e.name: known[e.probe] for e in figures}


def test_api_rows_cost_what_a_trace_counts(exact: ExactGuest) -> None:
    rows = {probe.key for probe in catalogue.read() if probe.kind == "call"}
    found = exact.result.figures.items()
    # By the name without the backend, as the trace has it: what a section costs stands behind it.
    figures = {tuple(name.split("/", 2)[1:]): e.ticks for name, e in found if e.probe in rows}
    traced: dict[tuple[str, str], set[float]] = {}
    for run in exact.traced:
        if run.key in rows:
            traced.setdefault((run.key, run.mode), set()).add(run.per_operation)
    # One count whatever the unroll factor, so it does not matter which one the harness chose.
    assert {name: {ticks} for name, ticks in figures.items()} == traced


def test_a_trace_counts_what_the_assembler_made(exact: ExactGuest) -> None:
    """The trace itself, held against rows whose length is known."""
    known = assembled()
    runs = [run for run in exact.traced if run.key in known]
    assert {run.key for run in runs} == set(known)
    for run in runs:
        assert run.per_operation == known[run.key], run


@pytest.mark.parametrize("name", KERNELS)
def test_known_counts(name: str) -> None:
    figures = exact_guest(name).result.figures
    for key, count in KNOWN[name].items():
        for mode in ("throughput", "latency", *IN_SITU):
            assert figures[f"kmod/{key}/{mode}"].ticks == count, (key, mode)

# SPDX-License-Identifier: GPL-2.0-only
"""Under the instruction clock every figure is a number of instructions, known beforehand.

For assembler rows the assembler says how many. For rows that call the kernel's API a trace of the
guest does (vm_trace.py), and for most of them the figures below as well.
"""

import argparse
import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bpf_counts import counts
from irqcost.commands import vm
from irqcost.measure import build
from irqcost.measure.merge import merge
from irqcost.measure.processes import Process, Target
from irqcost.model import catalogue, reader
from irqcost.model.machine_code import executed
from irqcost.model.result import Result
from irqcost.vm import soak
from irqcost.vm.kernels import TESTED
from vm_guests import KERNELS, TIME_LIMIT, ExactGuest, exact_guest, kernel, module
from vm_trace import code_of

pytestmark = [pytest.mark.guest, pytest.mark.xdist_group("exact")]

# What the kernel's headers inline: the same in Debian's releases of the last years, with room for
# what a hypervisor would have called.
INLINED = {"local_irq_disable_enable": 4, "local_irq_save_restore": 10}

# The section itself is no part of the figure, so that every length gives the same.
IN_SITU = ["in_situ/0", "in_situ/20", "in_situ/100", "in_situ/500"]
PERCPU = "in_situ/percpu"

# Where an interrupt handler runs, with interrupts off whatever the row finds elsewhere.
MASKED = ("throughput/hardirq", "throughput/timer")


@pytest.fixture(name="exact", params=KERNELS)
def _exact(request: pytest.FixtureRequest) -> ExactGuest:
    return exact_guest(request.param)


@cache
def assembled() -> tuple[dict[str, int], dict[str, int]]:
    """Instructions that each assembler row executes, of those that the assembler makes: where
    interrupts are as the row has them, and where they are off before."""
    rows = [probe for probe in catalogue.read() if probe.kind == "insn"]
    # Each row has a section of its own: a row without instructions has an empty one.
    source = ".macro irqcost_section\n.endm\n"
    source += "".join(f'.section {row.key}, "ax"\n{row.code}\n' for row in rows)
    with tempfile.NamedTemporaryFile(suffix=".o") as target:
        subprocess.run(["as", "-o", target.name, "-"], input=source, text=True, check=True)
        listing = subprocess.run(
            ["objdump", "-d", "--no-show-raw-insn", target.name],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    made: dict[str, dict[int, str]] = {row.key: {} for row in rows}
    section = ""
    for line in listing.splitlines():
        if head := re.match(r"Disassembly of section (\S+):", line):
            section = head[1]
        elif instruction := re.match(r"\s+([0-9a-f]+):\s+(.*)", line):
            made[section][int(instruction[1], 16)] = instruction[2]
    usual, masked = {}, {}
    for row in rows:
        [usual[row.key]] = lengths(made[row.key], row.irqs in ("IF_10", "IF_11"))
        [masked[row.key]] = lengths(made[row.key], False)
    return usual, masked


def known_count(key: str, mode: str) -> int:
    """Instructions of an assembler row in a mode."""
    usual, masked = assembled()
    return (masked if mode in MASKED else usual)[key]


def lengths(made: dict[int, str], interrupts_on: bool) -> set[int]:
    """The numbers of instructions on the ways through a row, @made being its text by address.

    A branch on the saved interrupt flag goes where the flag that the row finds sends it; any other
    may go either way.
    """
    text = [*sorted(made.items()), (-1, "")]
    following = {address: text[number + 1][0] for number, (address, _) in enumerate(text[:-1])}

    def ways(address: int, tested: str) -> set[int]:
        if address not in made:
            return {0}
        mnemonic, *operands = made[address].split()
        ahead = [following[address]]
        if mnemonic.startswith("j"):
            target = int(operands[0], 16)
            if mnemonic == "jmp" or "$0x200" in tested and not interrupts_on:
                ahead = [target]
            elif "$0x200" not in tested:
                ahead.append(target)
        if mnemonic.startswith(("test", "bt")):
            tested = made[address]
        return {1 + count for way in ahead for count in ways(way, tested)}

    return ways(min(made, default=-1), "")


# In which releases a row that not every kernel offers is to be found: the module looks for it in
# the headers, and so must not miss what is there. None: in no later one, or from the first on.
OFFERED = {
    "local_interrupt_disable_enable": ((7, 3), None),
    "local_interrupt_disable_enable_nested": ((7, 3), None),
    "spin_lock_irq_disable": ((7, 3), None),
    "spin_lock_irq_disable_masked": ((7, 3), None),
    "raw_spin_lock_irq_disable": ((7, 3), None),
    "local_trylock": ((6, 15), None),
    "local_trylock_irqsave": ((6, 15), None),
    "local_lock_nested_bh": ((6, 11), None),
    "srcu_read_lock_fast": ((6, 15), None),
    "this_cpu_cmpxchg_double": (None, (6, 4)),
    "cmpxchg_double": (None, (6, 4)),
    "this_cpu_cmpxchg128": ((6, 5), None),
    "cmpxchg128": ((6, 5), None),
}


def offers(release: str, key: str) -> bool:
    """Whether a kernel has what a row calls."""
    first, last = OFFERED.get(key, (None, None))
    major, minor = re.split(r"[.+-]", release)[:2]
    version = int(major), int(minor)
    return (first is None or first <= version) and (last is None or version <= last)


def expected_names(release: str, realtime: bool) -> set[str]:
    """Every benchmark that a kernel must have."""
    names = set()
    for probe in catalogue.read():
        if probe.kind == "bpf" or not offers(release, probe.key):
            continue
        if probe.kind == "fault":
            names.add(f"ring3/{probe.key}/throughput")
            continue
        modes = ["isolated", "throughput"] if probe.repeatable else ["isolated"]
        modes += IN_SITU if probe.has_section else []
        if probe.in_ring3:
            names |= {f"ring3/{probe.key}/{mode}" for mode in modes}
        modes += [PERCPU] if probe.has_section else []
        if probe.repeatable:
            modes += [f"throughput/{context}" for context in probe.contexts(realtime)[1:]]
        # A call that may sleep cannot be made with interrupts masked.
        if not (realtime and probe.sleeps_on_rt and probe.irqs == "IF_00"):
            names |= {f"kmod/{probe.key}/{mode}" for mode in modes}
    return names


def without_backend(name: str) -> tuple[str, str]:
    """Probe and mode of a benchmark's name, as the trace has them: with what stands after."""
    _, key, mode = name.split("/", 2)
    return key, mode


def test_every_context_that_a_row_has_not_is_absent_with_a_reason(exact: ExactGuest) -> None:
    running = exact.result.context.kernel
    known = {
        f"kmod/{probe.key}/throughput/{context}"
        for probe in catalogue.read()
        if probe.kind in ("insn", "call") and probe.repeatable
        for context in catalogue.CONTEXTS[1:]
    }
    absent = {a.name: a.reason for a in exact.result.context.absent if a.name in known}
    assert set(absent) == known - expected_names(running.release, running.realtime)
    assert absent["kmod/cli_sti/throughput/hardirq"].startswith("unmasks")
    assert absent["kmod/mutex_lock/throughput/softirq"].startswith("belongs to a task")
    assert "softirqs" in absent["kmod/local_bh_disable_enable/throughput/timer"] or running.realtime


def test_the_table_of_what_kernels_offer_is_complete() -> None:
    cpus = ("NOTHING", "IRQ")
    needing = {p.key for p in catalogue.read() if p.kind == "call" and p.needs not in cpus}
    assert set(OFFERED) == needing


def test_a_row_that_a_kernel_does_not_offer_is_absent(exact: ExactGuest) -> None:
    release = exact.result.context.kernel.release
    reasons = {one.name.split("/")[1]: one.reason for one in exact.result.context.absent}
    for key in OFFERED:
        assert offers(release, key) or reasons[key] == "this kernel does not offer it", key


def test_every_row_is_measured(exact: ExactGuest) -> None:
    assert exact.guest.status["insmod"] == 0
    assert exact.result.context.emulated
    assert exact.result.context.instruction_clock
    figures = exact.result.figures
    names = {name for name, entry in figures.items() if entry.backend != "bpf"}
    running = exact.result.context.kernel
    assert names == expected_names(running.release, running.realtime)
    assert {entry.label for entry in figures.values()} <= {"", "clean"}


def test_assembler_rows_cost_their_instructions(exact: ExactGuest) -> None:
    known, _ = assembled()
    figures = {
        name: entry.ticks
        for name, entry in exact.result.figures.items()
        if entry.probe in known and entry.backend != "bpf"
    }
    assert figures == {name: known_count(*without_backend(name)) for name in figures}


def test_api_rows_cost_what_a_trace_counts(exact: ExactGuest) -> None:
    rows = {probe.key for probe in catalogue.read() if probe.kind == "call"}
    found = exact.result.figures.items()
    figures = {without_backend(name): entry for name, entry in found if entry.probe in rows}
    traced: dict[tuple[str, str], set[float]] = {}
    for run in exact.traced:
        if run.key in rows:
            traced.setdefault((run.key, run.mode), set()).add(run.per_operation)
    if exact.result.context.kernel.release.endswith("debug"):
        # Its rows are so long that not all windows are traced, and what an allocation executes
        # there depends on those before it.
        assert {key for key, _ in traced} == {key for key, _ in figures}
        figures = {n: entry for n, entry in figures.items() if n in traced and not entry.spread}
        traced = {name: traced[name] for name in figures}
    # One count whatever the unroll factor, so it does not matter which one the harness chose.
    assert {name: {entry.ticks} for name, entry in figures.items()} == traced


def test_a_trace_counts_what_the_assembler_made(exact: ExactGuest) -> None:
    """The trace itself, compared with rows whose length is known."""
    known, _ = assembled()
    runs = [run for run in exact.traced if run.key in known]
    assert {run.key for run in runs} == set(known)
    for run in runs:
        assert run.per_operation == known_count(run.key, run.mode), run


def test_figures_are_the_instructions_that_this_trace_recorded(exact: ExactGuest) -> None:
    """As scripts/evidence/executed.py would record them, on whatever kernel was fetched."""
    figures = {n: entry for n, entry in exact.result.figures.items() if not entry.spread}
    recorded_now = code_of(exact.traced)
    assert recorded_now
    for key, row in recorded_now.items():
        counts_of_modes = {
            "isolated": row.count,
            **{f"throughput/{context}": count for context, count in row.contexts.items()},
        }
        for mode, count in counts_of_modes.items():
            name = f"kmod/{key}/{mode}"
            # The debug kernel's allocations differ from one sample to the next.
            assert name in exact.result.figures
            assert name not in figures or figures[name].ticks == count, name


def test_a_recording_of_this_kernel_is_what_this_trace_recorded(exact: ExactGuest) -> None:
    """Of another ABI of the kernel nothing is known beforehand; the test above is for every one."""
    release = exact.result.context.kernel.release
    rows = code_of(exact.traced)
    for recording in executed.read():
        if recording.release == release:
            # Rows that came later are not in it; the test above holds for them.
            counts_now = {key: (row.count, row.contexts) for key, row in rows.items()}
            recorded = {key: (row.count, row.contexts) for key, row in recording.rows.items()}
            assert recorded.items() <= counts_now.items()


@pytest.mark.parametrize("name", TESTED)
def test_known_counts(name: str) -> None:
    figures = exact_guest(name).result.figures
    for key, count in INLINED.items():
        for mode in ("throughput", "isolated", *IN_SITU, PERCPU):
            assert figures[f"kmod/{key}/{mode}"].ticks == count, (key, mode)


def test_the_kvm_backend_is_exact_in_a_guest(tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    options = ["--kernel", "6.1", "--exact", "--backends", "kvm", "--out", str(out)]
    options += ["--time-limit", str(TIME_LIMIT)]
    parser = argparse.ArgumentParser()
    vm.add_parser(parser.add_subparsers())
    assert vm.run(parser.parse_args(["vm", *options])) == 0
    result = reader.read_result(out)
    [kvm] = [one for one in result.context.backends if one.name == "kvm"]
    assert kvm.usable and kvm not in result.context.emulated_backends
    absent = {one.name: one.reason for one in result.context.absent if one.name.startswith("kvm/")}
    assert all("leaves the guest" in reason for reason in absent.values()), absent
    assert {name.split("/")[1] for name in absent} <= {"cr8_rewrite", "cr8_raise_lower"}
    expected = {f"kvm/{p.key}" for p in catalogue.read() if p.kind == "insn" and p.where != "RING3"}
    found = {name.rpartition("/")[0] for name in result.figures if name.endswith("/isolated")}
    assert found | {name.rpartition("/")[0] for name in absent} >= expected
    counts_of_rows = {name: known_count(*without_backend(name)) for name in result.figures}
    assert {name: entry.ticks for name, entry in result.figures.items()} == counts_of_rows


def test_figures_are_exact_after_random_requests() -> None:
    amount = soak.Amount(requests=20_000, disturb=True)
    guest = soak.run_exact(kernel("6.1"), module("6.1"), build.harness(), amount)
    assert soak.complaints(guest) == []
    before, after = soak.measurements(guest)
    assert soak.differences(before, after) == []
    known, _ = assembled()
    rows = {name: entry for name, entry in after.figures.items() if entry.probe in known}
    assert {entry.probe for entry in rows.values()} >= {"cli_sti", "save_cli_popf", "popf"}
    assert {name: entry.ticks for name, entry in rows.items()} == {
        name: known_count(*without_backend(name)) for name in rows
    }


# BPF programs have loops of a chosen length since 6.4.
HAS_BPF = ("6.12", pytest.param("newest", marks=pytest.mark.matrix))

# Seen by hand before this test existed, and no affair of the kernel's version.
KNOWN_BPF = {"dep_add": 1, "call": 5, "call_thunk": 7}


def instructions(result: Result, probe: str) -> Any:
    """What the harness counted: ns by a frequency that the kernel knows to 1 kHz of 1 GHz."""
    return pytest.approx(result.figures[f"bpf/{probe}/throughput"].ticks, rel=1e-5, abs=1e-3)


@pytest.mark.parametrize("name", HAS_BPF)
def test_bpf_rows_cost_what_their_programs_hold(name: str) -> None:
    result = exact_guest(name).result
    rows = [entry.probe for entry in result.figures.values() if entry.backend == "bpf"]
    assert {"empty", "dep_add", "dep_imul", "call", "helper_spin_lock"} <= set(rows)
    texts = {
        row: text for row, text in result.context.machine_code.items() if row.startswith("bpf/")
    }
    assert {f"bpf/{probe}" for probe in rows} == set(texts)
    # Return thunks are after functions that functions call: of whichever row holds them.
    every = {symbol: one for row in texts.values() for symbol, one in row.items()}
    straight = set()
    for probe in rows:
        possible = counts({**every, **texts[f"bpf/{probe}"]})
        measured = instructions(result, probe)
        assert any(count == measured for count in possible), (probe, measured, possible)
        if len(possible) == 1:
            straight.add(probe)
    # Of these nothing but one number is possible.
    assert {"empty", "dep_add", "dep_imul", "call", "call_thunk"} <= straight


@pytest.mark.parametrize("name", HAS_BPF)
def test_known_counts_of_bpf(name: str) -> None:
    result = exact_guest(name).result
    for probe, count in KNOWN_BPF.items():
        assert count == instructions(result, probe), probe


def test_backends_agree_to_the_instruction(exact: ExactGuest) -> None:
    one = Process(exact.document, 0)
    agreement = merge([one], Target())["context"]["irqcost"]["agreement"]
    assert {"dep_add/throughput", "lfence/isolated"} <= {item["name"] for item in agreement}
    assert [item for item in agreement if not item["agree"]] == []


@pytest.mark.parametrize("name", [name for name in KERNELS if name not in HAS_BPF])
def test_without_bpf_there_is_a_reason(name: str) -> None:
    [bpf] = [one for one in exact_guest(name).result.context.backends if one.name == "bpf"]
    assert not bpf.usable and "bpf_iter_num_new" in bpf.reason and "6.4" in bpf.remedy

# SPDX-License-Identifier: GPL-2.0-only
"""In a guest: the texts that a result has of the module's rows are what was measured."""

import hashlib
import json
from collections.abc import Mapping
from functools import cache

import pytest

from irqcost.measure import build, live_code
from irqcost.measure.guests.measuring import BENCH, MODULE, guest_commands, measured
from irqcost.model import catalogue, parsing
from irqcost.model.machine_code import equality
from irqcost.model.result import MachineCode
from irqcost.vm.qemu import Machine, run_guest
from vm_guests import KERNELS, TIME_LIMIT, ExactGuest, exact_guest, kernel, module

pytestmark = [pytest.mark.guest, pytest.mark.xdist_group("exact")]

FENCE = bytes.fromhex("0faee8")
STAMP = bytes.fromhex("0faee8 0f31")  # lfence; rdtsc


@pytest.fixture(name="exact", params=KERNELS)
def _exact(request: pytest.FixtureRequest) -> ExactGuest:
    return exact_guest(request.param)


def test_assembler_rows_stand_in_memory_as_the_catalogue_has_them(exact: ExactGuest) -> None:
    rows = [probe for probe in catalogue.read() if probe.kind == "insn"]
    found = {
        probe.key: exact.result.context.machine_code[f"kmod/{probe.key}"]["window"].code
        for probe in rows
        if f"kmod/{probe.key}" in exact.result.context.machine_code
    }
    assert {"cli_sti", "save_cli_popf", "dep_imul"} <= found.keys()
    for probe in rows:
        if probe.key in found:
            body = live_code.body(probe).code
            assert FENCE + body + STAMP in found[probe.key], probe.key
    assert FENCE + b"\xfa\xfb" + STAMP in found["cli_sti"]


def test_calls_are_named_and_what_they_call_is_there(exact: ExactGuest) -> None:
    functions = exact.result.context.machine_code["kmod/raw_spin_lock_irqsave"]
    called = set(functions["window"].targets.values())
    assert {"_raw_spin_lock_irqsave", "_raw_spin_unlock_irqrestore"} <= called
    assert b"\xfa" in functions["_raw_spin_lock_irqsave"].code


def test_functions_have_code_and_a_hash_of_it(exact: ExactGuest) -> None:
    seen = 0
    for name, functions in exact.result.context.machine_code.items():
        for symbol, one in functions.items():
            if name.startswith("kmod/"):
                seen += 1
                assert one.code, (name, symbol)
                assert len(equality.code_hash(one.code, one.targets)) == 64
                assert one.targets.keys() <= set(range(len(one.code)))
    assert seen


Code = Mapping[tuple[str, str], tuple[str, str]]


def hashes(text: Mapping[str, Mapping[str, MachineCode]]) -> Code:
    """Of each function of the module's rows: the hash of its bytes, and that of its code."""
    return {
        (name, symbol): (
            hashlib.sha256(one.code).hexdigest(),
            equality.code_hash(one.code, one.targets),
        )
        for name, functions in text.items()
        if name.startswith("kmod/")
        for symbol, one in functions.items()
    }


@cache
def booted(cpus: int) -> Code:
    """The hashes that a boot of its own has."""
    pattern = (
        "^kmod/(cli_sti|local_irq_save_restore|.*spin_lock.*|atomic_add|kmalloc_kfree)/isolated$"
    )
    guest = run_guest(
        kernel("6.1"),
        guest_commands(samples=1, pattern=pattern, backends="kmod"),
        programs={BENCH: build.harness()},
        files={MODULE: module("6.1")},
        machine=Machine(cpus=cpus),
        time_limit=TIME_LIMIT,
    )
    return hashes(parsing.parse(json.loads(measured(guest))).context.machine_code)


def test_the_hash_of_the_code_is_the_same_over_boots() -> None:
    one, other = booted(1), hashes(exact_guest("6.1").result.context.machine_code)
    assert one.keys() <= other.keys()
    # The kernel lies elsewhere (KASLR), so the bytes are others.
    assert {name for name, (raw, _) in one.items() if raw != other[name][0]}
    assert {name for name, (_, code) in one.items() if code != other[name][1]} == set()


def test_the_hash_of_the_code_tells_another_instruction() -> None:
    """On one CPU the kernel patches itself: there no instruction needs a lock prefix."""
    one, two = booted(1), booted(2)
    assert one.keys() == two.keys()
    differ = {name for name in one if one[name][1] != two[name][1]}
    assert ("kmod/raw_spin_lock_irqsave", "_raw_spin_lock_irqsave") in differ
    assert ("kmod/cli_sti", "window") not in differ

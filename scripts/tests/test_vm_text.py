# SPDX-License-Identifier: GPL-2.0-only
"""In a guest: the texts that a result has of the module's rows are what was measured."""

import hashlib

import pytest

from irqcost import catalogue, disasm, texts
from vm_guests import KERNELS, ExactGuest, exact_guest

pytestmark = pytest.mark.guest

FENCE = bytes.fromhex("0faee8")
STAMP = bytes.fromhex("0faee8 0f31")  # lfence; rdtsc


@pytest.fixture(name="exact", params=KERNELS)
def _exact(request: pytest.FixtureRequest) -> ExactGuest:
    return exact_guest(request.param)


def test_assembler_rows_stand_in_memory_as_the_catalogue_has_them(exact: ExactGuest) -> None:
    rows = [probe for probe in catalogue.read() if probe.kind == "insn"]
    found = {
        probe.key: exact.result.context.text[f"kmod/{probe.key}"]["window"].code
        for probe in rows
        if f"kmod/{probe.key}" in exact.result.context.text
    }
    assert {"cli_sti", "save_cli_popf", "dep_imul"} <= found.keys()
    for probe in rows:
        if probe.key in found:
            body = disasm.body(probe).code
            assert FENCE + body + STAMP in found[probe.key], probe.key
    assert FENCE + b"\xfa\xfb" + STAMP in found["cli_sti"]


def test_calls_are_named_and_what_they_call_is_there(exact: ExactGuest) -> None:
    functions = exact.result.context.text["kmod/raw_spin_lock_irqsave"]
    called = set(functions["window"].targets.values())
    assert {"_raw_spin_lock_irqsave", "_raw_spin_unlock_irqrestore"} <= called
    assert b"\xfa" in functions["_raw_spin_lock_irqsave"].code


def test_hashes_are_of_the_bytes_and_of_the_code(exact: ExactGuest) -> None:
    seen = 0
    for name, functions in exact.result.context.text.items():
        for symbol, one in functions.items():
            if name.startswith("kmod/"):
                seen += 1
                assert one.hash == hashlib.sha256(one.code).hexdigest(), (name, symbol)
                assert one.targets.keys() <= set(range(len(one.code)))
                assert len(texts.code_hash(one.code, one.targets)) == 64
    assert seen

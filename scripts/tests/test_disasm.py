# SPDX-License-Identifier: GPL-2.0-only
"""The marks of `irqcost disasm`, on bytes whose meaning is known."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from irqcost.base.errors import Exit, IrqcostError
from irqcost.commands import disasm
from irqcost.measure import live_code
from irqcost.model import catalogue
from irqcost.model.machine_code import disassembly
from irqcost.model.machine_code.disassembly import Function

import machine_code
import results

# bpf_local_irq_save and bpf_local_irq_restore of Linux 6.18, with the distance to the thunk
# shortened, and the padding that follows a function.
SAVE = Function(
    "save",
    0xFFFFFFFF81001000,
    bytes.fromhex("0f1f440000 9c 58 0f1f4000 4889c2 fa 0f1f440000 488917 e9e0000000 cccc 90"),
)
RESTORE = Function(
    "restore",
    0xFFFFFFFF81002000,
    bytes.fromhex("0f1f440000 488b07 f6c402 7406 fb 0f1f440000 31c0 c3 cc 66662e0f1f840000000000"),
)
THUNK = 0xFFFFFFFF81001000 + 0x1C + 0xE0
NAMES = {THUNK: "its_return_thunk"}


def marks(code: str) -> list[str]:
    lines = disassembly.decode(Function("f", 0x1000, bytes.fromhex("90" + code)), {})
    return [line.mark for line in lines[1:]]


def test_save_masks_and_returns_through_a_thunk() -> None:
    lines = [
        (line.offset, line.text.split()[0], line.mark) for line in disassembly.decode(SAVE, NAMES)
    ]
    assert lines == [
        (0x00, "nopl", "NOP for tracing"),
        (0x05, "pushfq", "saves the flags"),
        (0x06, "popq", ""),
        (0x07, "nopl", "NOP left by patching"),
        (0x0B, "movq", ""),
        (0x0E, "cli", "masks"),
        (0x0F, "nopl", "NOP left by patching"),
        (0x14, "movq", ""),
        (0x17, "jmp", "returns through a thunk"),
    ]


def test_restore_tests_and_unmasks() -> None:
    lines = [(line.text, line.mark) for line in disassembly.decode(RESTORE, NAMES)]
    assert ("testb $2, %ah", "tests the interrupt flag") in lines
    assert ("je restore+0x13", "") in lines
    assert ("sti", "unmasks") in lines
    assert lines[-1] == ("retq", "returns")


@pytest.mark.parametrize(
    ("code", "mark"),
    [
        ("9d", "restores the flags"),
        ("a900020000", "tests the interrupt flag"),  # test $0x200, %eax
        ("66f7c30002", "tests the interrupt flag"),  # test $0x200, %bx
        ("4881e300020000", "tests the interrupt flag"),  # and $0x200, %rbx
        ("0fbae009", "tests the interrupt flag"),  # bt $9, %eax
        ("a802", ""),  # test $2, %al: another flag
        ("a900040000", ""),  # test $0x400, %eax: the direction flag
        ("0fbae00a", ""),  # bt $10, %eax
        ("f00fb117", "locked update"),  # lock cmpxchg %edx, (%rdi)
        ("8717", "locked update"),  # xchg %edx, (%rdi): locked without the prefix
        ("87d7", ""),  # xchg %edx, %edi
        ("440f22c0", "masks by priority"),  # mov %rax, %cr8
        ("440f20c0", "reads the priority"),  # mov %cr8, %rax
    ],
)
def test_marks(code: str, mark: str) -> None:
    # After it a return, so that nothing is taken for padding.
    assert marks(code + "c3") == [mark, "returns"]


def test_bytes_that_are_no_instruction_are_shown() -> None:
    lines = disassembly.decode(Function("f", 0, bytes.fromhex("06 c3")), {})
    assert [line.text.split()[0] for line in lines] == [".byte", "retq"]


def test_listing_names_the_thunk() -> None:
    text = disassembly.listing(SAVE, NAMES)
    assert text.startswith("save:\n")
    assert "   e: fa                             cli  " in text
    assert "jmp its_return_thunk" in text
    assert "int3" not in text


def test_default_functions_are_those_of_the_catalogue() -> None:
    functions = live_code.default_functions()
    assert {"bpf_local_irq_save", "bpf_spin_unlock", "_raw_spin_lock_irqsave"} <= set(functions)
    assert len(functions) == len(set(functions))


def fake_bench(folder: Path, script: str) -> Path:
    bench = folder / "bench"
    bench.write_text(f"#!/bin/sh\n{script}\n")
    bench.chmod(0o755)
    return bench


def test_refusal_of_the_harness_is_the_message(tmp_path: Path) -> None:
    bench = fake_bench(tmp_path, "echo 'irqcost-bench: this process lacks CAP_BPF' >&2; exit 2")
    with pytest.raises(IrqcostError, match="^this process lacks CAP_BPF$"):
        live_code.read(bench, ["schedule"])


def test_absent_function_is_told_and_the_rest_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = fake_bench(
        tmp_path,
        'echo \'{"architecture": "x86", "functions": [{"symbol": "f", "address": "0x1000", '
        '"code": "+sM=", "targets": {}}], '
        '"absent": [{"name": "g", "reason": "g: this kernel has no such function"}]}\'',
    )
    monkeypatch.setattr(disasm.build, "harness", lambda: bench)
    args = argparse.Namespace(functions=["f", "g"], callees=False, result=None)
    assert disasm.run(args) == Exit.UNUSABLE
    captured = capsys.readouterr()
    assert "cli" in captured.out and "masks" in captured.out
    assert captured.err == "irqcost: g: this kernel has no such function\n"


def row(key: str) -> catalogue.Probe:
    (found,) = [probe for probe in catalogue.read() if probe.key == key]
    return found


def test_a_row_shows_its_own_body(capsys: pytest.CaptureFixture[str]) -> None:
    args = argparse.Namespace(functions=["save_cli_popf"], callees=False, result=None)
    assert disasm.run(args) == Exit.OK
    lines = [line.split("#")[0].split()[-2:] for line in capsys.readouterr().out.splitlines()[1:-1]]
    assert [" ".join(line[-1:]) for line in lines] == ["pushfq", "%rax", "cli", "%rax", "popfq"]
    # Here a nop is no padding.
    assert "nop" in disassembly.listing(live_code.body(row("nop")), {}, trim=False).split()


# The heart of a window, and how the module shows it: a call whose distance is another one in
# each boot, named.
WINDOW = "0faee8 e800100000 0faee8 c3"
TARGETS = {3: "_raw_spin_lock_irqsave"}


def test_a_row_is_shown_as_the_loaded_module_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    functions = [
        machine_code.function("kmod/spin_lock", WINDOW, TARGETS),
        machine_code.function("_raw_spin_lock_irqsave", "fac3"),
    ]
    answer = json.dumps({"architecture": "x86", "functions": functions, "absent": []})
    bench = fake_bench(
        tmp_path, f"[ $1 = --irqcost_machine_code=kmod/spin_lock ] && echo '{answer}' || exit 2"
    )
    monkeypatch.setattr(disasm.build, "harness", lambda: bench)
    monkeypatch.setattr(disasm, "_DEVICE", tmp_path)
    args = argparse.Namespace(functions=["spin_lock"], callees=False, result=None)
    assert disasm.run(args) == Exit.OK
    shown = capsys.readouterr().out
    assert "callq _raw_spin_lock_irqsave" in shown and "masks" not in shown
    args.callees = True
    assert disasm.run(args) == Exit.OK
    assert "masks" in capsys.readouterr().out


def test_a_result_shows_what_it_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def put_text(document: Any) -> None:
        document["context"]["irqcost"]["machine_code"] = machine_code.of(
            "kmod/spin_lock",
            machine_code.function("window", WINDOW, TARGETS),
            machine_code.function("_raw_spin_lock_irqsave", "fac3"),
        )

    path = results.changed("exact", tmp_path / "result.json", put_text)
    args = argparse.Namespace(functions=["spin_lock"], callees=False, result=path)
    assert disasm.run(args) == Exit.OK
    shown = capsys.readouterr().out
    assert shown.startswith("kmod/spin_lock: window:\n")
    assert "callq _raw_spin_lock_irqsave" in shown and "masks" not in shown
    args.functions = ["cli_sti"]
    with pytest.raises(IrqcostError, match="no machine code of cli_sti, only of kmod/spin_lock"):
        disasm.run(args)

# SPDX-License-Identifier: GPL-2.0-only
"""Texts of kernel functions compare equal whatever addresses are in them, and not otherwise."""

import sys
from pathlib import Path
from typing import Any

import pytest

from processes_of import entry, process
from irqcost import cli
from irqcost.measure.merge import merge
from irqcost.measure.processes import Target
from irqcost.model import parsing
from irqcost.model.machine_code import disassembly, equality
from irqcost.model.result import Context
import machine_code
from results import changed, document, path

# nopl; movq variable(%rip), %rax; testb $2, %ah; je over sti; sti; jmp return_thunk
CODE = "0f1f440000 488b0511223344 f6c402 7401 fb e9aabbccdd"
THUNK = {18: "its_return_thunk"}


def hashed(code: str, targets: dict[int, str] | None = None) -> str:
    return equality.code_hash(bytes.fromhex(code), targets or {})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("488b0511223344", "488b0555667788"),  # mov variable(%rip), %rax
        ("65ff0511223344", "65ff0555667788"),  # incl %gs:variable(%rip)
        ("65488b042588130200", "65488b042580140200"),  # mov %gs:variable, %rax
        ("488b04c500e0ef81", "488b04c500e0ff82"),  # mov table(,%rax,8), %rax
        ("48c7c778563482", "48c7c711223383"),  # mov $address, %rdi
        ("48b8886677885588ffff", "48b8886677886699ffff"),  # movabs $address, %rax
        ("e811223344", "e855667788"),  # call
        ("2ee811223344", "2ee855667788"),  # the same, padded by a prefix
        ("0f8411223344", "0f8455667788"),  # je out of the function
    ],
)
def test_addresses_do_not_count(one: str, other: str) -> None:
    assert hashed("50" + one + "c3") == hashed("50" + other + "c3")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("fb", "9d"),  # sti, popf
        ("488b0511223344", "488b1d11223344"),  # another register
        ("488b0511223344", "4c8b0511223344"),
        ("7401fbc3", "7402fbc3"),  # another way inside the function
        ("f6c402", "f6c404"),  # test of another flag
        ("81631000000080", "81631000000040"),  # and $mask, 0x10(%rbx)
        ("48837b1000", "48837b1800"),  # another member of a structure
        ("488b8300100000", "488b8300200000"),  # also one far off
        ("48c7c700000080", "48c7c7000000c0"),  # a mask of 31 bits is no address
        ("48b80000000000ffffff", "48b80000000000ff00ff"),  # a mask of 64 bits neither
        ("e811223344", "e911223344"),  # call, jmp
        ("65488b042588130200", "64488b042588130200"),  # gs, fs
    ],
)
def test_all_else_counts(one: str, other: str) -> None:
    assert hashed("50" + one + "90c3") != hashed("50" + other + "90c3")


def test_what_a_call_reaches_counts_by_name() -> None:
    assert hashed(CODE, THUNK) == hashed(CODE.replace("aabbccdd", "11223344"), THUNK)
    assert hashed(CODE, THUNK) != hashed(CODE, {18: "srso_return_thunk"})
    assert hashed("2ee811223344", {1: "f"}) != hashed("2ee811223344", {1: "g"})
    # An offset that is no call's is the scan's mistake, and is left alone.
    assert hashed(CODE, THUNK) == hashed(CODE, {**THUNK, 6: "chance"})


def test_bytes_that_are_no_instruction() -> None:
    assert hashed("50 06 c3") != hashed("50 07 c3")


def test_padding_behind_the_end_does_not_count() -> None:
    assert hashed("50c3") == hashed("50c3 cccc 66662e0f1f840000000000 90")
    assert hashed("") == hashed("cc")


def with_text(code: str, targets: dict[int, str] | None = THUNK) -> Any:
    function = machine_code.function("bpf_restore", code, targets)
    ours = {"machine_code": machine_code.of("bpf/pair", function)}
    return merge([process(entry("bpf/pair/throughput", 13.0), **ours)], Target())


def context(content: Any) -> Context:
    return parsing.parse(content).context


def test_merging_adds_the_hash() -> None:
    (function,) = with_text(CODE)["context"]["irqcost"]["machine_code"]["functions"]
    assert function["code_sha256"] == hashed(CODE, THUNK)
    parsed = context(with_text(CODE)).machine_code["bpf/pair"]["bpf_restore"]
    assert (parsed.code, parsed.targets) == (bytes.fromhex(CODE), THUNK)


def test_without_capstone_the_hash_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    disassembly._machine.cache_clear()
    monkeypatch.setitem(sys.modules, "capstone", None)
    one, other = context(with_text(CODE)), context(with_text(CODE.replace("fb", "9d")))
    assert one.machine_code["bpf/pair"]["bpf_restore"].code_hash == ""
    (absent,) = [item for item in one.absent if item.name == "machine_code: code_sha256"]
    assert "python3-capstone" in absent.reason
    assert not equality.differences(one, one)
    (difference,) = equality.differences(one, other)
    assert "cannot be compared without Capstone" in difference.what


def test_the_same_instructions_elsewhere_do_not_differ() -> None:
    moved = with_text(CODE.replace("11223344", "99887766").replace("aabbccdd", "00000010"))
    assert not equality.differences(context(with_text(CODE)), context(moved))
    # A file from before there were hashes and names of targets.
    assert not equality.differences(context(with_text(CODE, None)), context(moved))


def test_other_instructions_are_shown() -> None:
    other = CODE.replace("f6c402 7401 fb", "50 9d 9090 9090")
    found = equality.differences(context(with_text(CODE)), context(with_text(other)))
    assert [one.name for one in found] == ["bpf/pair"]
    lines = equality.sentences(found)
    assert lines[0] == "bpf/pair: bpf_restore has other instructions"
    assert "  -sti" in lines and "  +popfq" in lines and "   jmp its_return_thunk" in lines


def test_what_only_one_reaches_and_another_row() -> None:
    one, other = with_text(CODE), with_text(CODE)
    recorded = other["context"]["irqcost"]["machine_code"]
    recorded["functions"].append({**recorded["functions"][0], "symbol": "its_return_thunk"})
    recorded["probes"]["bpf/pair"].append(1)
    one["context"]["irqcost"]["code"] = {"popf": "push $0x202; popfq", "cli": "cli"}
    other["context"]["irqcost"]["code"] = {"popf": "push $0x200; popfq", "cli": "cli"}
    found = equality.differences(context(one), context(other))
    assert [(found.name, found.what) for found in found] == [
        ("bpf/pair", "only the second of them reaches its_return_thunk"),
        ("popf", "the catalogue's row is another one"),
    ]
    assert found[1].lines[-2:] == ("-push $0x202; popfq", "+push $0x200; popfq")


def test_rows_with_the_same_difference_stand_together() -> None:
    found = [
        equality.CodeDifference(name, "f has other instructions", ("-sti",)) for name in ("a", "b")
    ]
    assert equality.sentences(found) == ["a, b: f has other instructions", "  -sti"]


def test_compare_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def add(code: str, name: str) -> Path:
        ours = {"machine_code": with_text(code)["context"]["irqcost"]["machine_code"]}
        target = tmp_path / name
        return changed("alpha", target, lambda c: c["context"]["irqcost"].update(ours))

    same, other = add(CODE, "a.json"), add(CODE.replace("fb", "9d"), "b.json")
    assert cli.main(["compare", "--code", str(same), str(same)]) == 0
    assert "No difference in code." in capsys.readouterr().out
    assert cli.main(["compare", "--code", str(same), str(other)]) == 0
    assert "B runs different code from A:" in capsys.readouterr().out
    # Files of before.
    assert not equality.differences(context(document("alpha")), context(document("beta")))
    assert path("alpha").exists()

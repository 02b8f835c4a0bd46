# SPDX-License-Identifier: GPL-2.0-only
"""What masks on architectures whose machine code the harness decodes."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

import machine_code
from irqcost import ROOT, cli
from irqcost.model import parsing, reader, store
from irqcost.model.machine_code import equality, masking
from irqcost.model.machine_code.masking import Masks
from irqcost.model.parsing import FormatError
from irqcost.model.result import MachineCode
from results import document

ROW = "bpf/irq_save_restore"
SCHEMA = json.loads((ROOT / "docs/result.schema.json").read_text(encoding="utf-8"))


def test_the_code_of_another_architecture_is_not_taken_for_x86() -> None:
    """A branch of arm64 has a byte that would be cli, and code with it is not native for that."""
    code = {ROW: {"f": MachineCode(bytes.fromhex("fa030014c0035fd6"))}}
    assert masking.find(code, {"bpf"}, None, False).kind == "native"
    found = masking.find(code, {"bpf"}, None, False, architecture="arm64")
    assert found.kind == "unknown" and not found.native("bpf", "irq_save_restore")
    assert masking.find({}, {"ring3"}, None, False, architecture="riscv").kind == ""
    assert masking.find({}, {"kmod"}, None, True, architecture="arm64").kind == ""


FLAG, BY_PRIORITY, BOTH = Masks("daif"), Masks(priority="pmr"), Masks("daif", "pmr")


def elsewhere(**of_functions: Masks) -> masking.Masking:
    """What masks in a row of another architecture, of whose functions the harness said this."""
    functions = {
        symbol: MachineCode(b"\0\0\0\0", masks=one) for symbol, one in of_functions.items()
    }
    return masking.find({ROW: functions}, {"bpf"}, None, False, architecture="arm64")


def test_what_the_harness_decoded_decides_elsewhere() -> None:
    by_flag = elsewhere(f=Masks(), save=FLAG)
    assert by_flag.kind == "native" and by_flag.reason == f"save executes daif ({ROW})"
    by_priority = elsewhere(f=BOTH, save=BY_PRIORITY)
    assert by_priority.kind == "priority"
    assert by_priority.reason == f"save executes pmr ({ROW})"
    for undecided in (elsewhere(f=Masks()), elsewhere(f=BOTH), elsewhere(program=BY_PRIORITY)):
        assert undecided.kind == "unknown"
    assert not by_priority.native("bpf", "irq_save_restore") and by_priority.by_cpu
    # Both are the CPU's own, and different ways.
    assert "by priority (pseudo-NMI)" in masking.not_comparable(
        by_flag, by_priority, "bpf", "irq_save_restore"
    )
    assert masking.not_comparable(by_flag, by_priority, "ring3", "pushf") == ""
    assert masking.not_comparable(by_flag, by_flag, "bpf", "irq_save_restore") == ""


def test_which_row_tells_what_the_kernel_masks_by() -> None:
    def kernel(*rows: Masks) -> str:
        code = {f"kmod/{i}": {"f": MachineCode(b"", masks=one)} for i, one in enumerate(rows)}
        return masking.find(code, {"kmod"}, None, False, architecture="arm64").kind

    # The module's own rows mask by the flag in each kernel.
    for rows in ((FLAG, BY_PRIORITY, BOTH), (BOTH, BY_PRIORITY, FLAG)):
        assert kernel(*rows) == "priority"
    assert kernel(BOTH, FLAG, Masks()) == "native"


def foreign(folder: Path, masks: str, code: str = "00000000", digit: str = "0") -> Path:
    """A result of another architecture, as the harness writes its machine code: its hash has this
    digit."""
    content = document("alpha")
    ours = content["context"]["irqcost"]
    ours.pop("masking", None)
    functions = [machine_code.function(symbol, code) for symbol in ("f", "program")]
    functions[0] |= {"code_sha256": digit * 64, "masks": {masks: "msr"}}
    functions[1] |= {"code_sha256": code[:1] * 64}
    ours |= {"architecture": "arm64", "machine_code": machine_code.of(ROW, *functions)}
    jsonschema.validate(content, SCHEMA)
    path = folder / f"{masks}-{code}-{digit}.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_result_says_of_which_architecture_its_code_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = (foreign(tmp_path, masks) for masks in ("flag", "priority"))
    flag, priority = (reader.read_result(path).context for path in (one, two))
    assert flag.architecture == "arm64" and flag.masking.kind == "native"
    assert priority.masking.kind == "priority"
    assert cli.main(["disasm", "--result", str(one)]) != 0
    assert "machine code of arm64 is not disassembled" in capsys.readouterr().err


def test_code_of_another_architecture_is_compared_by_its_hash(tmp_path: Path) -> None:
    files = [foreign(tmp_path, "flag", *how) for how in (("00",), ("40",), ("00", "1"))]
    one, moved, other = (reader.read_result(path).context for path in files)
    # Other addresses, and a program that is other code for it.
    assert equality.differences(one, moved) == []
    [found] = equality.differences(one, other)
    assert found.what == "f has other instructions" and found.lines == ()
    [found] = equality.differences(one, replace(one, architecture="riscv"))
    assert found.what == "machine code of arm64 and of riscv"
    records = store.read(files).records
    digests = [record.code_digests for record in records]
    assert digests[0] == digests[1] != digests[2]


def test_an_empty_architecture_is_refused(tmp_path: Path) -> None:
    content = document("alpha")
    content["context"]["irqcost"]["architecture"] = ""
    with pytest.raises(FormatError, match="architecture is empty"):
        parsing.parse(content)

# SPDX-License-Identifier: GPL-2.0-only
"""What masks: found in the code that ran, said everywhere, and never compared across."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import results_of
from processes_of import entry
from irqcost import ROOT, cli
from irqcost.compare import columns
from irqcost.compare.labels import series
from irqcost.measure.merge import merge
from irqcost.measure.processes import Process, Target
from irqcost.model import parsing, reader, store
from irqcost.model.machine_code import disassembly, masking
from irqcost.model.parsing import FormatError
from irqcost.model.result import MachineCode, Result
from irqcost.output import answer, finding, terminal
import machine_code
from results import changed, document, result

NATIVE = ROOT / "results/intel-xeon-06-cf-02/2026-11-23T043834Z-6.18.44-fc-v669.json"
ROW = "bpf/irq_save_restore"
PVM = "paravirtual:pvm"
SCHEMA = json.loads((ROOT / "docs/result.schema.json").read_text(encoding="utf-8"))
# What no output may call a figure of a kernel that masks by stores.
FORBIDDEN = re.compile(
    r"ring[ -]0|masking alone|masking itself|masking (and restoring )?costs", re.I
)

CALL = "e811223344"


def kind(code: str, *called: str, **functions: str) -> str:
    """What masks in a row of a function that begins with calls of these, and of others."""
    targets = {5 * place: name for place, name in enumerate(called)}
    texts = {"f": MachineCode(bytes.fromhex(CALL * len(called) + code), "", targets)}
    texts |= {name: MachineCode(bytes.fromhex(other)) for name, other in functions.items()}
    return masking.find({ROW: texts}, {"bpf"}, None, False).kind


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("9c58fac3", "native"),  # pushf; pop; cli; ret
        ("f6c4027401fbc3", "native"),  # test $2, %ah; je; sti
        ("579dc3", "native"),  # push; popf
        ("9c58c3", "unknown"),  # pushf; pop
        ("b8fafb9d00c3", "unknown"),  # mov $…, %eax: the bytes are no instructions
        ("65ff05fa9dfb02c3", "unknown"),  # incl %gs:…(%rip)
        ("c3", "unknown"),
    ],
)
def test_native_is_an_instruction_on_its_boundary(code: str, expected: str) -> None:
    assert kind(code) == expected
    assert kind("c3", "callee", callee=code) == expected


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("__raw_callee_save_pvm_irq_disable", PVM),
        ("pvm_irq_enable", PVM),
        ("__raw_callee_save_xen_save_fl", "paravirtual:xen"),
        ("xen_irq_disable_direct", "paravirtual:xen"),
        ("vsmp_restore_fl", "paravirtual:vsmp"),
        ("__raw_callee_save_native_save_fl", "unknown"),
        ("pv_native_irq_disable", "unknown"),
        ("native_irq_enable", "unknown"),
        ("irq_disable", "unknown"),
        ("pvm_irq_disable_later", "unknown"),
        ("_raw_spin_lock_irq_disable", "unknown"),
        ("raw_spin_unlock_irq_enable", "unknown"),
    ],
)
def test_a_call_in_the_place_of_cli(symbol: str, expected: str) -> None:
    assert kind("c3", symbol) == expected
    # Also where a file does not name what calls reach, but has the text of it.
    assert kind("c3", **{symbol: "c3"}) == expected
    # Who calls does not mask by what else he has: a cli of his own makes it no native one.
    assert kind("fac3", symbol) == (expected if expected != "unknown" else "native")


def test_a_name_inside_of_another_instruction_is_no_call() -> None:
    text = MachineCode(bytes.fromhex("48b8e800000000000000c3"), "", {2: "pvm_irq_disable"})
    assert masking.find({ROW: {"f": text}}, {"bpf"}, None, False).kind == "unknown"


def test_a_listing_marks_such_calls() -> None:
    targets = {0: "__raw_callee_save_pvm_irq_disable", 5: "pv_native_irq_enable"}
    function = disassembly.Function("f", 0, bytes.fromhex(2 * CALL + "c3"), targets)
    marks = [line.mark for line in disassembly.decode(function, {})]
    assert marks == ["in the place of an instruction: PVM", "", "returns"]


def test_without_capstone_nothing_is_native(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_machine", lambda: None)
    monkeypatch.setattr(masking, "_decoded", masking._decoded.__wrapped__)
    assert kind("fac3") == "unknown"
    assert kind("fac3", "pvm_irq_disable") == PVM


def test_the_program_and_other_backends_are_not_the_kernel() -> None:
    cli_ret = MachineCode(b"\xfa\xc3")
    assert masking.find({ROW: {"program": cli_ret}}, {"bpf"}, None, False).kind == "unknown"
    assert masking.find({"kvm/cli": {"window": cli_ret}}, {"kvm"}, None, False).kind == ""
    assert masking.find({}, {"ring3"}, None, False).kind == ""
    assert masking.find({}, {"ring3"}, "PVM", False).kind == PVM
    assert masking.find({}, {"kmod"}, None, True).kind == ""


def test_a_call_decides_whichever_row_is_first() -> None:
    called = MachineCode(bytes.fromhex(CALL + "c3"), "", {0: "pvm_irq_disable"})
    tied = [("bpf/a", {"f": called}), ("bpf/b", {"f": MachineCode(b"\xfa\xc3")})]
    for order in (tied, tied[::-1]):
        assert masking.find(dict(order), {"bpf"}, None, False).kind == PVM


def test_nothing_is_native_where_the_kernel_is_not_in_ring_0() -> None:
    def found(ring: int, code: bytes = b"\xfa\xc3", **targets: int) -> masking.Masking:
        text = MachineCode(code, "", {at: name for name, at in targets.items()})
        return masking.find({ROW: {"f": text}}, {"bpf"}, None, True, ring)

    assert found(0).kind == "native" and found(0).native("bpf", "irq_save_restore")
    assert found(3).kind == "unknown" and "ring 3" in found(3).reason
    assert not found(3).native("bpf", "irq_save_restore")
    assert found(3).rows[ROW].kind == "unknown"
    assert masking.not_comparable(found(0), found(3), "bpf", "irq_save_restore")
    assert found(3, bytes.fromhex(CALL + "c3"), pvm_irq_disable=0).kind == PVM
    assert masking.find({}, {"kmod"}, None, True, 3).kind == "unknown"
    assert masking.find({}, {"kmod"}, "PVM", True, 3).kind == PVM


def of_module(**more: Any) -> dict[str, Any]:
    content = document("alpha")
    module = {"srcversion": None, "build_id": None, **more}
    content["context"]["irqcost"]["build"] = {"flags": "", "sha256": None, "module": module}
    return content


def test_what_compiled_the_module_is_a_difference() -> None:
    one, other, older = (
        parsing.parse(of_module(**more)).context
        for more in ({"compiler": "gcc 12"}, {"compiler": "clang 16"}, {})
    )
    assert one.module_compiler == "gcc 12" and older.module_compiler is None
    told = {"module's compiler": "gcc 12 | clang 16"}
    assert columns.differences(one, other) == told
    assert columns.differences(one, older) == {}


def test_the_ring_of_the_module_is_read_by_run_and_reader() -> None:
    content = of_module(compiler="gcc 12", privilege=3)
    content["context"]["irqcost"].pop("masking", None)
    content["benchmarks"] = [entry("kmod/local_irq_save_restore/throughput", 10.0)]
    assert parsing.parse(content).context.masking.kind == "unknown"
    merged = merge([Process(content, 0)], Target())
    assert merged["context"]["irqcost"]["masking"]["kind"] == "unknown"
    assert "ring 3" in merged["context"]["irqcost"]["masking"]["reason"]
    jsonschema.validate(merged, SCHEMA)
    with pytest.raises(FormatError, match="no ring"):
        parsing.parse(of_module(privilege=4))


def test_unlocking_by_other_code() -> None:
    def of(*symbols: str) -> masking.Row:
        targets = {5 * place: name for place, name in enumerate(symbols)}
        text = MachineCode(bytes.fromhex(CALL * len(symbols) + "fbc3"), "", targets)
        return masking.find({ROW: {"f": text}}, {"bpf"}, None, False).rows[ROW]

    assert of("__raw_callee_save___pv_queued_spin_unlock").unlock == "paravirtual:pv"
    assert of("native_queued_spin_unlock").unlock == ""
    assert of("native_queued_spin_lock_slowpath").unlock == ""
    assert of().unlock == "unknown"  # this file names nothing


def test_figures_unlocked_by_other_code_have_no_ratio() -> None:
    def one(unlock: str) -> masking.Masking:
        return masking.Masking("native", "", {ROW: masking.Row("native", unlock)})

    backend, probe = ROW.split("/")
    pv = "paravirtual:pv"
    assert "other code unlocks" in masking.not_comparable(one(""), one(pv), backend, probe)
    assert not masking.not_comparable(one("unknown"), one(pv), backend, probe)
    assert not masking.not_comparable(one(pv), one(pv), backend, probe)
    assert not masking.not_comparable(one(""), one(pv), "ring3", "popf")


def good(content: Any) -> None:
    """As if nothing spoke against the figures: sentences are made of such alone."""
    for item in content["benchmarks"]:
        item.update(verdict="good", reasons=[], label="good")
        item.setdefault("core_cycles_low", item["core_cycles"])
        item.setdefault("core_cycles_high", item["core_cycles"])
    content["context"]["irqcost"]["verdict"] = {"verdict": "good", "reasons": []}


def without_signs(content: Any) -> None:
    """The texts of a kernel whose calls say nothing."""
    ours = content["context"]["irqcost"]
    code = json.dumps(ours["machine_code"])
    ours["machine_code"] = json.loads(re.sub(r"pvm_(\w+)", r"what_\1_is", code))


@pytest.fixture(name="pvm")
def _pvm(tmp_path: Path) -> Path:
    return changed("pvm", tmp_path / "pvm.json", good)


@pytest.fixture(name="doctored")
def _doctored(tmp_path: Path) -> Path:
    def change(content: Any) -> None:
        good(content)
        without_signs(content)

    return changed("pvm", tmp_path / "doctored.json", change)


def test_the_kind_of_older_results_is_in_their_text() -> None:
    found = result("pvm").context.masking
    assert found.kind == PVM and found.reason == f"calls __raw_callee_save_pvm_save_fl ({ROW})"
    assert found.rows["bpf/helper_spin_lock"].kind == PVM
    assert found.rows["bpf/kfunc_preempt_disable_enable"].kind == "unknown"
    native = reader.read_result(NATIVE).context.masking
    assert native.kind == "native" and native.rows[ROW].kind == "native"
    assert native.rows["bpf/helper_spin_lock"].unlock == "paravirtual:pv"
    exact = result("exact").context.masking
    assert exact.kind == exact.identity == ""


def test_a_doctored_text_is_unknown(doctored: Path) -> None:
    found = reader.read_result(doctored).context.masking
    assert found.kind == "unknown"
    assert {row.kind for row in found.rows.values()} == {"unknown"}
    said = terminal.text(reader.read_result(doctored))
    assert "Kernel function, masked in an unknown way" in said
    assert not FORBIDDEN.search(said)


def test_thousands_of_files_know_it_too(pvm: Path) -> None:
    (record, native) = store.read([pvm, NATIVE]).records
    assert record.shared.masking.kind == record.context.masking.kind == PVM
    assert native.shared.masking.kind == "native"


def test_the_table_of_a_run(pvm: Path) -> None:
    said = terminal.text(reader.read_result(pvm))
    assert (
        "AMD Zen 5 (Turin), family 1a model 02, kernel 6.18.44-fc-v782, paravirtualised by PVM "
        "(masked by a store)"
    ) in " ".join(said.split())
    assert said.count("Oxide Virtual Turin-like Processor, CPUID names bhyve, TSC ") == 1
    assert "\nKernel function, masked by a store (PVM): PARAVIRTUAL\n" in said
    assert "\nRing 3 (this process)\n" in said
    assert not FORBIDDEN.search(said)


def test_no_figure_is_derived_without_the_calls_within() -> None:
    context = result("pvm").context
    assert [one.name for one in context.derived] == ["bpf/res_spin_lock/alone"]
    absent = {one.name: one.reason for one in context.absent}
    assert absent[f"{ROW}/alone"] == absent["bpf/helper_spin_lock/alone"] == masking.CALLS_WITHIN
    native = reader.read_result(NATIVE).context
    assert f"{ROW}/alone" in [one.name for one in native.derived]


def test_nothing_calls_its_figures_masking(
    pvm: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "chart"
    charts = ("bars", "masking", "generations")
    for form in ("text", "markdown", "csv", "json"):
        assert cli.main(["compare", "--no-chart", "--format", form, str(pvm)]) == 0
    flags = [flag for name in charts for flag in ("--chart", name)]
    assert cli.main(["compare", *flags, "--out", str(out), str(pvm)]) == 0
    assert cli.main(["report", str(pvm), "-o", str(tmp_path / "page")]) == 0
    said = [
        capsys.readouterr().out,
        *_texts([*tmp_path.glob("*.svg"), *tmp_path.glob("page/*.md")]),
    ]
    said += _texts(tmp_path.glob("page/*.html"))
    assert len(said) > 4
    for text in said:
        # The catalogue's row and the tables of generations show what rows and CPUs do.
        found = FORBIDDEN.search(re.sub(r"<style.*?</style>", "", text, flags=re.S))
        assert not found, text[max(found.start() - 200, 0) : found.end() + 50]
    page = "".join(said[1:])
    assert "Kernel function, masked by a store (PVM)" in (tmp_path / "chart-bars.svg").read_text()
    assert "core cycles (kernel function, masked by a store (PVM))" in page
    assert "paravirtualised by PVM" in page and "masked by a store" in page
    assert "CPUID names bhyve, which is not what this kernel runs on" in page


def _texts(paths: Iterable[Path]) -> list[str]:
    return [one.read_text(encoding="utf-8") for one in paths]


def test_an_answer_says_what_masks(pvm: Path, doctored: Path) -> None:
    def of(one: Result) -> str:
        return " ".join([*finding.sentences(one), answer.text(one, "", 200)])

    assert "33.5 core cycles" in of(reader.read_result(pvm))
    assert "which this kernel does by a store (PVM)" in of(reader.read_result(pvm))
    assert "PARAVIRTUAL: masked by a store (PVM)" in of(reader.read_result(pvm))
    assert "which this kernel does in an unknown way" in of(reader.read_result(doctored))
    native = of(reader.read_result(NATIVE))
    assert "36.3 core cycles" in native and "22.3 are masking" in native
    # Of a native kernel's function that does not show how it masks it is not said, either.
    content = reader.read_document(NATIVE)[0]
    recorded = content["context"]["irqcost"]["machine_code"]
    content["context"]["irqcost"].pop("masking", None)
    plain = machine_code.function("f", "c3")
    recorded["functions"].append(plain)
    recorded["probes"][ROW] = [len(recorded["functions"]) - 1]
    odd = parsing.parse(content)
    assert odd.context.masking.kind == "native"
    assert "it masks in an unknown way" in of(odd) and "masked in an unknown way" in of(odd)
    assert "are masking" not in of(odd) and "own instructions" not in of(odd)


def test_a_contrast_is_of_what_masks_in_the_same_way(pvm: Path) -> None:
    both = [reader.read_result(one) for one in (NATIVE, pvm)]
    found = finding.contrasts(series(both))
    assert any("restoring the flags costs 14.0" in one.text and "29.8" in one.text for one in found)
    assert not any(one.low.name.startswith("bpf/") for one in found)


@pytest.mark.parametrize("signs", [True, False])
def test_across_kinds_only_user_mode_is_compared(
    signs: bool, pvm: Path, doctored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = pvm if signs else doctored
    assert cli.main(["compare", "--no-chart", "--format", "json", str(NATIVE), str(new)]) == 0
    both = 0
    for row in json.loads(capsys.readouterr().out)["figures"]:
        one, two = (
            [c for c in row["cells"] if c["column"] == letter and c["unit"] == "core cycles"]
            for letter in "AB"
        )
        if not one or not two or "value" not in one[0] or "value" not in two[0]:
            continue
        of_kernel = row["name"].startswith("bpf/") or "_fault/" in row["name"]
        assert ("the kernels mask" in two[0].get("not_comparable", "")) == of_kernel, row["name"]
        if of_kernel:
            assert "ratio" not in two[0], row["name"]
        both += 0 if of_kernel else "ratio" in two[0]
    assert both >= 5
    assert cli.main(["compare", "--no-chart", str(NATIVE), str(new)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    way = "by a store (PVM)" if signs else "in an unknown way"
    sentence = (
        f"the kernels mask in different ways, by the CPU's own instructions | {way}: no ratio"
    )
    assert said.count(sentence) == said.count("the kernels mask") == 1
    assert "--code shows it" not in said


POPF, SAVE, FAULT = "ring3/popf/throughput", f"{ROW}/throughput", "ring3/cli_fault/throughput"


def run(target: Path, kind: str | None, date: str, cycles: float = 30.0) -> Path:
    figures = {POPF: [13.0] * 8, SAVE: [cycles] * 8, FAULT: [100 * cycles] * 8}
    return results_of.run(
        target, figures, date, masking={"kind": kind, "reason": "", "rows": {}}, absent=[]
    )


def checked(
    new: Path, folder: Path, capsys: pytest.CaptureFixture[str], *more: str
) -> tuple[int, str]:
    code = cli.main(["check", str(new), "--baseline", str(folder), "--all", *more])
    return code, capsys.readouterr().out


def test_check_refuses_the_kernels_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path / "base/one.json", "native", "2026-09-01")
    new = run(tmp_path / "new.json", PVM, "2026-10-01")
    code, said = checked(new, tmp_path / "base", capsys)
    assert code == 2
    compared, refused = said.split("Not comparable: ")
    assert POPF in compared and POPF not in refused
    for name in (SAVE, FAULT):
        assert name in refused.partition(")")[0] and name not in compared
    assert "The kernels mask in different ways" in " ".join(refused.split())
    assert checked(new, tmp_path / "base", capsys, "--select", "popf")[0] == 0
    # One of its own kind is the baseline, though others are newer.
    run(tmp_path / "base/old.json", PVM, "2026-08-01", 20.0)
    for day in range(2, 9):
        run(tmp_path / f"base/{day}.json", "native", f"2026-09-0{day}")
    code, said = checked(new, tmp_path / "base", capsys)
    assert code == 1 and "FAIL: 2 of 3 results slower" in said


def test_history_keeps_kinds_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(1, 9):
        run(tmp_path / f"{day}.json", "native" if day < 5 else PVM, f"2026-09-0{day}", 30.0 + day)
    monkeypatch.setenv("COLUMNS", "200")
    assert cli.main(["history", "--no-chart", "--all", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert f"{SAVE}, masked by the CPU's own instructions" in said
    assert f"{SAVE}, masked by a store (PVM)" in said
    assert said.count("ring3/popf") == 1


def test_results_put_together_mask_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for day in range(1, 5):
        run(tmp_path / f"{day}.json", "native" if day < 3 else PVM, f"2026-09-0{day}")
    command = ["compare", "--no-chart", "--by", "machine", "--format", "json", str(tmp_path)]
    assert cli.main(command) == 0
    columns = json.loads(capsys.readouterr().out)["columns"]
    assert [(one["masking"], one["execution"], one["files"]) for one in columns] == [
        ("native", "bare-metal", 2),
        (PVM, "paravirtualised", 2),
    ]

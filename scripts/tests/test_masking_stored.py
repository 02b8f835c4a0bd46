# SPDX-License-Identifier: GPL-2.0-only
"""What masks, as runs store it and readers take it from them."""


import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from processes_of import entry, process
from irqcost import ROOT
from irqcost.base.errors import ResultError
from irqcost.compare import baseline, columns
from irqcost.measure.merge import merge
from irqcost.measure.processes import Target
from irqcost.model import catalogue, naming, parsing, reader
from irqcost.model.machine_code import masking
from irqcost.model.result import Context
from results import changed, document, path, result

NATIVE = ROOT / "results/intel-xeon-06-cf-02/2026-11-23T043834Z-6.18.44-fc-v669.json"
ROW = "bpf/irq_save_restore"
PVM = "paravirtual:pvm"
POPF, SAVE = "ring3/popf/throughput", f"{ROW}/throughput"
SCHEMA = json.loads((ROOT / "docs/result.schema.json").read_text(encoding="utf-8"))


def process_of(content: Any, **more: Any) -> Any:
    """A process of the harness that read the texts of a result."""
    ours = content["context"]["irqcost"]
    keep = ("machine_code", "kernel", "derived")
    return process(entry(SAVE, 33.5), **{key: ours[key] for key in keep if key in ours}, **more)


def test_a_run_stores_what_it_found() -> None:
    stored = merge([process_of(document("pvm"))], Target())
    ours = stored["context"]["irqcost"]
    assert ours["masking"]["kind"] == PVM and ours["masking"]["rows"][ROW] == {"kind": PVM}
    execution = {"kind": "paravirtualised", "reason": ours["masking"]["reason"]}
    assert ours["kernel"]["execution"] == execution
    assert ours["kernel_hypervisor"] == {"name": "PVM", "source": "masking"}
    assert f"{ROW}/alone" not in [one["name"] for one in ours["derived"]]
    assert {"name": f"{ROW}/alone", "reason": masking.CALLS_WITHIN} in ours["absent"]
    assert not [e.message for e in jsonschema.Draft202012Validator(SCHEMA).iter_errors(stored)]
    # It counts for whoever reads it, as the files never change.
    del ours["machine_code"]
    assert parsing.parse(stored).context.masking.kind == PVM


def test_a_native_run_stores_that() -> None:
    native = reader.read_document(NATIVE)[0]
    ours = merge([process_of(native)], Target())["context"]["irqcost"]
    assert ours["masking"]["kind"] == "native"
    assert ours["masking"]["rows"]["bpf/helper_spin_lock"]["unlock"] == "paravirtual:pv"
    assert ours["kernel"]["execution"] is None and "kernel_hypervisor" not in ours
    assert f"{ROW}/alone" in [one["name"] for one in ours["derived"]] or not ours["derived"]


def test_without_capstone_it_is_left_to_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    native = reader.read_document(NATIVE)[0]
    with monkeypatch.context() as patched:
        patched.setattr(masking, "_machine", lambda: None)
        stored = merge([process_of(native)], Target())
    ours = stored["context"]["irqcost"]
    assert "masking" not in ours
    assert "python3-capstone" in {one["name"]: one["reason"] for one in ours["absent"]}["masking"]
    masking._decoded.cache_clear()
    assert parsing.parse(stored).context.masking.kind == "native"


@pytest.mark.parametrize(
    ("by_cpuid", "own", "said"),
    [
        ("KVMKVMKVM", "KVM", ""),
        ("Microsoft Hv", "Microsoft Hyper-V", ""),
        ("XenVMMXenVMM", "Xen HVM", ""),
        ("bhyve bhyve ", "KVM", "CPUID names bhyve"),
        ("KVMKVMKVM", None, ""),
        (None, "KVM", ""),
    ],
)
def test_two_hypervisors_are_told(by_cpuid: str | None, own: str | None, said: str) -> None:
    content = document("alpha")
    ours = content["context"]["irqcost"]
    ours["execution"]["kind"] = "virtualised"
    ours["cpuid_hypervisor"] = by_cpuid
    ours["kernel_hypervisor"] = {"name": own, "source": "boot log"}
    context = parsing.parse(content).context
    assert naming.other_hypervisor(context) == said
    assert naming.executions([context]).endswith(said)
    assert (own or "KVM") in naming.execution(context)


def test_a_cpu_without_a_fence_is_in_doubt() -> None:
    def verdicts(waits: bool | None) -> list[str]:
        cpu = document("alpha")["context"]["irqcost"]["cpu"] | {"lfence_waits": waits}
        both = [entry(POPF, 13.0), entry(SAVE, 30.0)]
        merged = merge([process(*both, cpu=cpu) for _ in range(8)], Target())
        return [f"{one['verdict']} {' '.join(one['reasons'])}" for one in merged["benchmarks"]]

    assert all("inconsistent lfence does not wait" in one for one in verdicts(False))
    assert not any("lfence" in one for one in [*verdicts(True), *verdicts(None)])


def test_what_is_recorded_besides_is_told_where_it_differs() -> None:
    def of(mode: str, confidential: list[str]) -> Context:
        content = document("alpha")
        ours = content["context"]["irqcost"]
        ours["kernel"]["preemption"] = {"model": "PREEMPT_DYNAMIC", "mode": mode, "source": "x"}
        ours["cpu"]["confidential"] = confidential
        return parsing.parse(content).context

    one, two = of("none", []), of("full", ["TDX"])
    found = columns.differences(one, two)
    assert found["preemption"] == "none | full"
    assert found["confidential computing"] == "none | TDX"
    assert "other confidential computing: none in the baseline, TDX" in baseline.not_comparable(
        one, two, ["cpu"]
    )
    older = result("alpha").context
    assert not columns.differences(one, older) and not baseline.not_comparable(older, two, ["cpu"])


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    def change(content: Any) -> None:
        content["context"]["irqcost"]["masking"] = {"kind": "odd", "reason": "", "rows": {}}

    with pytest.raises(ResultError, match="unknown kind of masking 'odd'"):
        reader.read_result(changed("alpha", tmp_path / "odd.json", change))


def test_faulting_rows_are_known_by_their_name() -> None:
    rows = {probe.key for probe in catalogue.read() if probe.group == "fault"}
    assert rows == {key for key in (p.key for p in catalogue.read()) if key.endswith("_fault")}
    assert path("pvm").exists() and rows

# SPDX-License-Identifier: GPL-2.0-only
"""docs/result.schema.json: every result in the tree meets it, and what is wrong does not."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from processes_of import calibration, entry, process, level
from irqcost import ROOT
from irqcost.measure import build
from irqcost.measure.merge import merge
from irqcost.measure.processes import Process, Target
from irqcost.model import reader
from results import DATA

_SCHEMA = json.loads((ROOT / "docs" / "result.schema.json").read_text(encoding="utf-8"))
_VALIDATOR = jsonschema.Draft202012Validator(_SCHEMA)
# A self-test's record is no result (docs/SELFTEST.md).
# Beside results there are records of the self-test, and of what probes execute.
_OTHERS = ("selftest", "ab", "executed", "counts")
_RESULTS = [p for p in (ROOT / "results").rglob("*.json") if p.parent.name not in _OTHERS]
NAME = "ring3/popf/throughput"


def faults(document: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in _VALIDATOR.iter_errors(document)]


def good() -> Any:
    return merge([process(entry(NAME, 13.0)) for _ in range(6)], Target())


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(_SCHEMA)


@pytest.mark.parametrize(
    "file",
    sorted([*DATA.glob("*.json"), *_RESULTS]),
    ids=os.path.basename,
)
def test_every_result(file: Path) -> None:
    assert not faults(reader.read_document(file)[0])


def test_every_kind_of_verdict() -> None:
    assert not faults(good())
    assert not faults(merge([process(entry(NAME, 13.0))], Target()))
    assert not faults(merge([process(entry(NAME, 13.0, label="disturbed: …"))] * 7, Target()))
    bare = entry(NAME, 2.0)
    del bare["core_cycles"]
    del bare["distribution"]
    assert not faults(merge([process(bare)] * 6, Target()))
    assert not faults(
        merge([process(bare, execution={"kind": "emulated", "reason": ""})], Target())
    )
    wrong = merge([process(entry("ring3/dep_add/throughput", 2.0))] * 6, Target())
    assert wrong["benchmarks"][0]["verdict"] == "inconsistent" and not faults(wrong)


def test_what_the_harness_writes_and_what_older_files_have() -> None:
    content = good()
    ours = content["context"]["irqcost"]
    ours["baselines"]["ring3"] = level(0.18, steady=False)
    ours["calibration"] = calibration(None)
    ours["tsc"]["step"] = 1.7
    assert not faults(content)
    del ours["calibration"], ours["verdict"]["sentence"]
    assert not faults(content)


def _entry(key: str, value: object) -> Callable[[Any], None]:
    return lambda content: content["benchmarks"][0].update({key: value})


def _without(key: str) -> Callable[[Any], None]:
    return lambda content: content["benchmarks"][0].pop(key)


@pytest.mark.parametrize(
    "change",
    [
        _entry("verdict", "fine"),
        _entry("verdict", "disturbed"),  # without a reason
        _entry("reasons", ["a reason"]),  # but good
        _entry("run_name", "popf"),
        _entry("time_unit", "us"),
        _entry("core_cycles", None),
        _entry("processes", 6),
        _entry("samples", -1),
        _without("processes_contaminated"),
        _without("core_cycles_low"),
        _without("core_cycles_high"),
        _without("ticks"),
        lambda content: content["benchmarks"][0]["histogram"]["clean"].update(width=0),
        lambda content: content["benchmarks"][0]["histogram"]["clean"].update(counts=[[0, 0]]),
        lambda content: content["context"]["irqcost"].update(schema=3),
        lambda content: content["context"]["irqcost"]["processes"].update(count=0),
        lambda content: content["context"]["irqcost"].pop("execution"),
        lambda content: content["context"]["irqcost"]["tsc"].update(step=0),
        lambda content: content["context"]["irqcost"]["verdict"].update(sentence=""),
        lambda content: content["context"]["irqcost"]["calibration"].update(imul_latency=2.5),
        lambda content: content["context"]["irqcost"]["calibration"].pop("reason"),
        lambda content: content["context"]["irqcost"]["baselines"]["ring3"].update(tolerance=0),
        lambda content: content["context"]["irqcost"]["baselines"]["ring3"].update(quartiles=[1]),
        lambda content: content["context"]["irqcost"].update(conditions={}),
        lambda content: content["context"]["irqcost"]["settings"].update(idle={"driver": None}),
        lambda content: content["context"]["irqcost"].update(build={"flags": "", "sha256": "x"}),
    ],
)
def test_what_is_wrong(change: Callable[[Any], object]) -> None:
    content = good()
    change(content)
    assert faults(content)


def test_a_fresh_run(tmp_path: Path) -> None:
    bench = build.harness()
    out = tmp_path / "process.json"
    command = [bench, "--irqcost_backends=ring3", "--irqcost_samples=20", "--irqcost_keep_samples"]
    command += ["--benchmark_filter=/(popf|dep_imul)/", f"--benchmark_out={out}"]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    document = json.loads(out.read_text(encoding="utf-8"))
    assert not faults(document)
    assert not faults(merge([Process(document, 1.0)] * 6, Target()))

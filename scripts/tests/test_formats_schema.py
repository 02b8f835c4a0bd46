# SPDX-License-Identifier: GPL-2.0-only
"""docs/selftest.schema.json and compare.schema.json: what the commands write meets them, what is
wrong does not."""

import copy
import json
from collections.abc import Callable, Sequence
from typing import Any

import jsonschema
import pytest

from processes_of import entry, process
from irqcost import ROOT, cli
from irqcost.measure import injected, selftest
from irqcost.measure.injected import InjectedRegression
from irqcost.stats.difference import Difference
from results import path

_DOCS = ROOT / "docs"


def faults(document: Any, name: str) -> list[str]:
    schema, result = (
        json.loads((_DOCS / f"{one}.schema.json").read_text(encoding="utf-8"))
        for one in (name, "result")
    )
    jsonschema.Draft202012Validator.check_schema(schema)
    # Part of the schema, what it refers to is found by old and by new versions of jsonschema.
    schema.setdefault("$defs", {})["result"] = {**result, "$id": "result.schema.json"}
    validator = jsonschema.Draft202012Validator(schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def record() -> Any:
    load = {"load_avg": {"start": [0.5, 0.4, 0.3], "end": None}}
    processes = [process(entry("ring3/popf/throughput", 13.0 + i / 100)) for i in range(8)]
    for one in processes:
        one.document["context"]["irqcost"].update(conditions=load, hypervisor=None)
    regressions = [
        InjectedRegression(probe, added, (Difference(added, 0.0, 1.0, 8, "slower"),))
        for probe, added in injected.ADDED.items()
    ]
    found = selftest.record(processes, regressions, 0.125, 1.0)
    return json.loads(json.dumps({**found, "seconds": 2.0}))


def test_every_selftest_in_the_tree() -> None:
    found = sorted((ROOT / "results").rglob("selftest/*.json"))
    assert found
    for file in found:
        assert faults(json.loads(file.read_text(encoding="utf-8")), "selftest") == []


def test_what_selftest_writes() -> None:
    assert faults(record(), "selftest") == []


_WRONG: Sequence[Callable[[Any], Any]] = (
    lambda d: d.update(selftest=2),
    lambda d: d.pop("trials"),
    lambda d: d.update(more=1),
    lambda d: d.update(execution="real"),
    lambda d: d["cpu"].update(family="6"),
    lambda d: d["controls"].update(popf=0.1),
    lambda d: d["epochs"]["figures"][0].update(deviation=-1),
    lambda d: d["epochs"]["figures"][0].update(name="popf"),
    lambda d: d["trials"]["kinds"][0].update(found=1.5),
    lambda d: d["trials"]["kinds"][0]["differences"].append("x"),
    lambda d: d["load_avg"].update(start=[1.0]),
)


@pytest.mark.parametrize("change", _WRONG)
def test_a_selftest_that_is_none(change: Callable[[Any], Any]) -> None:
    document = copy.deepcopy(record())
    change(document)
    assert faults(document, "selftest")


def compared(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    files = [str(path(name)) for name in ("alpha", "beta", "exact")]
    assert cli.main(["compare", *files, "--mix", "--format", "json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_what_compare_writes(capsys: pytest.CaptureFixture[str]) -> None:
    plain = compared(capsys)
    assert faults(plain, "compare") == [] and "published" not in plain
    cells = [cell for figure in plain["figures"] for cell in figure["cells"]]
    # The schema was tried on cells of each kind.
    for key in ("ratio", "missing", "remark", "not_comparable"):
        assert any(key in cell for cell in cells), key
    layered = compared(capsys, "--published")
    assert faults(layered, "compare") == [] and len(layered["published"]) > 100


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("columns"),
        lambda d: d["columns"][0].update(execution="real"),
        lambda d: d["columns"][0].update(files=0),
        lambda d: d["figures"][0].update(name="popf"),
        lambda d: d["figures"][0]["cells"][0].update(value="1"),
        lambda d: d["figures"][0]["cells"][0].pop("low"),
        lambda d: d["figures"][0]["cells"][0].update(rato=1),
    ],
)
def test_a_comparison_that_is_none(
    change: Callable[[Any], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    document = compared(capsys)
    change(document)
    assert faults(document, "compare")

# SPDX-License-Identifier: GPL-2.0-only
"""Results of schema 1 are read as what they would be in schema 2."""

import base64
import copy
import json
from pathlib import Path
from typing import Any

import pytest

from irqcost.base.errors import ResultError
from irqcost.model import reader, schema1
from results import DATA, path

OLD: Any = json.loads((DATA / "schema1.json").read_text(encoding="utf-8"))


def old(**ours: Any) -> Any:
    content = copy.deepcopy(OLD)
    content["context"]["irqcost"].update(ours)
    return content


def context(content: Any) -> Any:
    return schema1.current(content)["context"]["irqcost"]


def test_an_old_file_means_what_it_meant() -> None:
    one = reader.read_result(DATA / "schema1.json")
    new = reader.read_result(path("alpha")).figures
    assert one.figures.keys() == new.keys()
    for name, figure in one.figures.items():
        # The current file has seven digits.
        assert figure.core_cycles == pytest.approx(new[name].core_cycles, rel=1e-6)
        assert (figure.clean, figure.label) == (new[name].clean, new[name].label)
    assert any(name.endswith("/isolated") for name in one.figures)
    assert not any("latency" in name for name in one.figures)


def test_another_schema_is_left_as_it_is() -> None:
    for content in (old(schema=2), old(schema=7), [], {}, {"context": 1}, None):
        assert schema1.current(content) is content


def test_keys_have_the_names_of_now() -> None:
    level = {"sensor_cycles_per_nop": 0.2, "ticks_per_cycle": 2.0, "remembered": None}
    count = {"count": 6}
    ours = context(old(floors={"ring3": level}, epochs=count, hypervisor="KVMKVMKVM"))
    assert ours["baselines"] == {
        "ring3": {"sensor_cycles": 0.2, "ticks_per_cycle": 2.0, "cached": None}
    }
    assert ours["processes"] == count and ours["cpuid_hypervisor"] == "KVMKVMKVM"
    assert not {"floors", "epochs", "hypervisor", "text"} & ours.keys()


def test_a_function_is_stored_once() -> None:
    function = {"bytes": "e800000000c3", "sha256": "", "targets": {"0": "f"}, "code_sha256": "1"}
    text = {"bpf/a": {"g": function}, "bpf/b": {"g": function, "h": {"bytes": "c3"}}}
    found = context(old(text=text))["machine_code"]
    assert [one["symbol"] for one in found["functions"]] == ["g", "h"]
    assert found["probes"] == {"bpf/a": [0], "bpf/b": [0, 1]}
    assert found["functions"][0]["targets"] == {"f": [0]}
    assert base64.b64decode(found["functions"][0]["code"]) == bytes.fromhex(function["bytes"])


def test_histograms_are_flat_and_windows_go() -> None:
    grid = {"origin": 1.0, "width": 0.5, "counts": [[0, 3], [7, 2]]}
    content = old()
    content["benchmarks"][0].update(
        histogram={"unit": "ticks", "free": grid, "disturbed": {**grid, "counts": []}},
        windows=[{"ops": 1}],
        epochs=[1.0],
        epochs_disturbed=[],
    )
    entry = schema1.current(content)["benchmarks"][0]
    assert entry["histogram"]["clean"] == {**grid, "counts": [0, 3, 7, 2]}
    assert entry["histogram"]["contaminated"]["counts"] == []
    assert entry["processes"] == [1.0] and "windows" not in entry


@pytest.mark.parametrize("key", ["text", "floors", "epochs", "cycles", "derived", "cpu", "tsc"])
@pytest.mark.parametrize("value", [None, 1, "x", [], [1], {"a": 1}, {"a": {"b": 1}}, [[{}]]])
def test_what_is_no_result_is_an_error_that_says_where(
    key: str, value: object, tmp_path: Path
) -> None:
    one = tmp_path / "a.json"
    one.write_text(json.dumps(old(**{key: value})), encoding="utf-8")
    try:
        reader.read_result(one)
    except ResultError as error:
        assert "irqcost" in error.reason or "derived" in error.reason, error.reason


def test_patterns_of_the_old_name_work(capsys: pytest.CaptureFixture[str]) -> None:
    assert schema1.pattern("popf/(latency|throughput)") == "popf/(isolated|throughput)"
    assert "the mode latency is called isolated now" in capsys.readouterr().err
    assert schema1.pattern("-/slow_") == "-/slow_"
    assert capsys.readouterr().err == ""

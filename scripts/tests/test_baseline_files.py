# SPDX-License-Identifier: GPL-2.0-only
"""The files of a baseline: each counts once, and one that is damaged is left out."""

import json
from pathlib import Path

import pytest

from irqcost.base import jsontext
from irqcost.base.errors import ResultError
from irqcost.compare import baseline, checked, policy
from irqcost.model import store
from results_of import run

_POPF = "ring3/popf/throughput"


def near(value: float, seed: int) -> list[float]:
    """What eight processes find."""
    return [value + 0.01 * ((7 * number + seed) % 5) for number in range(8)]


def day(number: int) -> str:
    return f"2026-11-{number:02}T00:00:00+00:00"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three runs of an unchanged machine."""
    for number in range(1, 4):
        run(tmp_path / f"past/{number}.json", {_POPF: near(30, seed=number)}, day(number))
    return tmp_path / "past"


def judged(new: Path, *named: Path) -> checked.Checked:
    records = store.read(named).records
    return checked.against(baseline.load(new), records, named, policy.read(None), None)


def new(tmp_path: Path) -> Path:
    return run(tmp_path / "new.json", {_POPF: near(30, seed=9)}, day(20))


def test_a_file_counts_once_whatever_it_is_called(tmp_path: Path, folder: Path) -> None:
    for number in range(4):
        (folder / f"a{number}.json").symlink_to(folder / "3.json")
        (folder / f"b{number}.json").hardlink_to(folder / "3.json")
    assert len(judged(new(tmp_path), folder).against) == 3
    one = folder / "3.json"
    assert judged(new(tmp_path), one, one).against == (one,)


def test_the_new_result_is_no_baseline_by_another_name(tmp_path: Path, folder: Path) -> None:
    measured = new(tmp_path)
    (tmp_path / "other.json").hardlink_to(measured)
    found = judged(measured, tmp_path / "other.json", folder / "1.json")
    assert found.against == (folder / "1.json",)


def test_a_file_that_is_damaged_where_records_do_not_look(tmp_path: Path, folder: Path) -> None:
    damaged = folder / "3.json"
    content = json.loads(damaged.read_text(encoding="utf-8"))
    content["benchmarks"][0]["histogram"] = {"unit": "ticks", "clean": {"origin": 0.5}}
    text = jsontext.dumps(content).replace('"origin":0.5', '"origin":NaN')
    damaged.write_text(text, encoding="utf-8")
    assert len(store.read([folder]).records) == 3
    found = judged(new(tmp_path), folder)
    assert {one.name for one in found.against} == {"1.json", "2.json"}
    said = f"1 result of the baseline not used: damaged, {damaged}: NaN is no figure"
    assert said in found.notes[0]
    # Who names it is told.
    with pytest.raises(ResultError, match="NaN is no figure"):
        judged(new(tmp_path), damaged)

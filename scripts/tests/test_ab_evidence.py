# SPDX-License-Identifier: GPL-2.0-only
"""The counting of scripts/evidence/ab.py, on recordings whose differences are known."""

import importlib
import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from irqcost import ROOT
from irqcost.base.errors import IrqcostError
from irqcost.model import catalogue

_ROWS = [f"ring3/row{number}/throughput" for number in range(5)]
_SLOW = "ring3/slow_0/throughput"


@pytest.fixture(name="evidence")
def _evidence(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "scripts" / "evidence"))
    return importlib.import_module("ab")


@pytest.fixture(name="recorder")
def _recorder(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "scripts" / "evidence"))
    return importlib.import_module("ab_record")


def recording(path: Path, added: float, unchanged: float = 0.0, free: bool = True) -> Path:
    """40 pairs; B's rows cost `unchanged` more, and its slow_0 `added` for each primitive."""
    chance = random.Random(1)

    def short(more: float, slow: float) -> dict[str, Any]:
        costs = {row: 30 + more for row in _ROWS} | {_SLOW: 170 + 4 * slow}
        noisy = {row: cost + chance.gauss(0, 0.02) for row, cost in costs.items()}
        figures = {row: [free, cost, 0.18, 2 * cost] for row, cost in noisy.items()}
        return {"floors": {"ring3": 0.18}, "figures": figures}

    line = {"kind": f"{added:g}", "date": "2026-01-02", "a": "abc Be", "cpu": {"brand": "x"}}
    line |= {"hypervisor": None, "kernel": "6.1", "load": 0.5, "seconds": [0.5, 0.5]}
    with path.open("w", encoding="utf-8") as file:
        for _ in range(40):
            pair = [short(0, 0), short(unchanged, added)]
            file.write(json.dumps({**line, "pair": pair}) + "\n")
    return path


def test_jobs_of_unchanged_code(evidence: Any, tmp_path: Path) -> None:
    kind = evidence.of_kind(recording(tmp_path / "r", 0), "0", 20)
    assert (kind["jobs"], kind["disjoint_jobs"], kind["figures"]) == (20, 2, 120)
    assert kind["false_jobs"] == kind["false_figures"] == kind["undecided_figures"] == 0
    # A difference of 0.25 in rows that are said to be the same is false, and in all jobs.
    kind = evidence.of_kind(recording(tmp_path / "r", 0, unchanged=0.25), "0", 20)
    assert (kind["false_jobs"], kind["false_figures"]) == (20, 100)
    assert set(kind["false_by_figure"]) == set(_ROWS)


def test_jobs_that_find_a_slow_down(evidence: Any, tmp_path: Path) -> None:
    kind = evidence.of_kind(recording(tmp_path / "r", 0.25), "0.25", 20)
    assert kind["slow_row"] == {"slower": 20} and kind["false_jobs"] == 0
    assert kind["difference"]["median"] == pytest.approx(0.25, abs=0.01)
    assert kind["figures"] == 100  # without the row that is slower
    # Below the threshold it is not one.
    kind = evidence.of_kind(recording(tmp_path / "r", 0.1), "0.1", 20)
    assert kind["slow_row"] == {"same": 20}


def test_disturbed_pairs_decide_nothing(evidence: Any, tmp_path: Path) -> None:
    kind = evidence.of_kind(recording(tmp_path / "r", 0.25, 0.25, free=False), "0.25", 10)
    assert kind["false_figures"] == 0 and kind["undecided_figures"] == kind["figures"]
    assert kind["slow_row"] == {"undecided": 10} and kind["difference"]["median"] is None


def test_a_record_is_of_one_machine(evidence: Any, tmp_path: Path) -> None:
    _, lines = evidence.read(recording(tmp_path / "r", 0))
    record = evidence.document(lines, [])
    assert record["seconds"] == 40 and record["seconds_per_pair"] == 1
    lines[3]["kernel"] = "6.12"
    with pytest.raises(SystemExit, match="more than one machine"):
        evidence.document(lines, [])


def test_copies_are_slower_by_what_the_catalogue_has(recorder: Any, tmp_path: Path) -> None:
    rows = catalogue.INSTRUCTIONS
    copy = tmp_path / "instructions.def"
    for added in (0.0, 0.25, 0.5, 1.0):
        shutil.copy(rows, copy)
        recorder.slow_down(copy, added)
        before, after = (path.read_text().splitlines() for path in (rows, copy))
        changed = [line for old, line in zip(before, after) if old != line]
        assert len(before) == len(after) and len(changed) == bool(added)
        assert all(f".rept {4 * added:g}; add %rbx, %r8" in line for line in changed)
    copy.write_text("no such row")
    with pytest.raises(IrqcostError, match="row slow_0"):
        recorder.slow_down(copy, 0.5)

# SPDX-License-Identifier: GPL-2.0-only
"""The words of a finding: what they name, and what they never conclude."""

from pathlib import Path
from typing import Any

import results
import results_of
from irqcost.compare.labels import series
from irqcost.model import reader
from irqcost.model.result import Result
from irqcost.output import finding

_BACK_TO_BACK = "ring3/pushf_pop_push_popf/throughput"
_AROUND_WORK = "ring3/pushf_pop_push_popf/in_situ/100"


def _run(path: Path, figures: dict[str, float], codename: str = "", **ours: Any) -> Result:
    steady = {name: [value + place / 1000 for place in range(8)] for name, value in figures.items()}
    if codename:
        cpu = results.document("alpha")["context"]["irqcost"]["cpu"]
        ours["cpu"] = {**cpu, "vendor": "GenuineIntel", "codename": codename}
    return reader.read_result(results_of.run(path, steady, **ours))


def test_the_answer_is_back_to_back_and_around_work(tmp_path: Path) -> None:
    result = _run(tmp_path / "a.json", {_BACK_TO_BACK: 37.6, _AROUND_WORK: 16.6})
    first, trust = finding.sentences(result)
    assert first.startswith("In user mode, which cannot mask, saving and restoring the flags ")
    assert "37.6 core cycles" in first and "around 100 cycles of work it adds 16.6" in first
    assert trust == "All 2 results are reliable."


def test_kernel_functions_come_before_user_mode(tmp_path: Path) -> None:
    native: dict[str, Any] = {"kind": "native", "reason": "", "rows": {}}
    figures = {_BACK_TO_BACK: 37.6, "kmod/local_irq_save_restore/throughput": 20.0}
    found = finding.save_restore(_run(tmp_path / "a.json", figures, masking=native))
    assert found is not None and found.name == "kmod/local_irq_save_restore/throughput"
    # Masking by a store is no cost of the CPU's masking.
    stored = {**native, "kind": "paravirtual:pvm"}
    result = _run(tmp_path / "b.json", figures, masking=stored)
    found = finding.save_restore(result)
    assert found is not None and found.name == _BACK_TO_BACK


def test_unreliable_results_are_no_conclusion(tmp_path: Path) -> None:
    path = results_of.run(tmp_path / "a.json", {_BACK_TO_BACK: [37.6] * 3})
    (only,) = finding.sentences(reader.read_result(path))
    assert only.startswith("Unreliable run: none of its 1 costs can be trusted")


def test_restoring_by_test_and_sti_is_compared_with_popf(tmp_path: Path) -> None:
    figures = {"kmod/save_cli_popf/throughput": 40.0, "kmod/save_cli_test_sti/throughput": 10.0}
    result = _run(tmp_path / "a.json", figures)
    assert any("test and sti costs 10.0 core cycles" in one for one in finding.sentences(result))
    (contrast,) = finding.contrasts(series([result]))
    assert contrast.text.endswith("popf costs 40.0 core cycles; with a test and sti, 10.0")


def test_the_most_striking_contrast_of_two_cpus_comes_first(tmp_path: Path) -> None:
    one = _run(tmp_path / "1.json", {_BACK_TO_BACK: 37.6, _AROUND_WORK: 16.6}, "Raptor Cove")
    two = _run(tmp_path / "2.json", {_BACK_TO_BACK: 25.1, _AROUND_WORK: 0.04}, "Golden Cove")
    first, second = (each.text for each in finding.contrasts(series([one, two])))
    assert first == (
        "around 100 cycles of work, saving and restoring the flags through a register adds 0.04 "
        "core cycles on Golden Cove and 16.6 on Raptor Cove"
    )
    assert second.endswith("on Golden Cove and 37.6 on Raptor Cove, 1.5 times as much")


def test_intervals_that_meet_are_no_contrast(tmp_path: Path) -> None:
    one = _run(tmp_path / "1.json", {_BACK_TO_BACK: 37.6}, "Raptor Cove")
    two = _run(tmp_path / "2.json", {_BACK_TO_BACK: 37.603}, "Golden Cove")
    assert not finding.contrasts(series([one, two]))

# SPDX-License-Identifier: GPL-2.0-only
"""Results of two versions of irqcost, whose estimators differ: how they are compared, and the
evidence of by how much they differ."""

import importlib
from pathlib import Path
from typing import Any

import pytest

from irqcost import ROOT
from irqcost.base.errors import IrqcostError
from irqcost.compare import reading
from irqcost.model import result
from compared import as_json, cell
from results import changed, path

_RECORDED = ROOT / "scripts" / "evidence" / "recorded"


def test_another_estimator_is_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def newer(content: Any) -> None:
        for entry in content["benchmarks"]:
            if entry["run_name"] == "ring3/popf/throughput":
                entry["estimator"] = 2

    found = as_json(capsys, path("alpha"), changed("alpha", tmp_path / "new.json", newer))
    not_comparable = cell(found, "ring3/popf/throughput", "B")["not_comparable"]
    assert "another estimator" in not_comparable and "up to 0.2 cycle" in not_comparable
    assert "not_comparable" not in cell(found, "ring3/pushf/throughput", "B")


def test_another_estimator_is_not_marked_where_it_cannot_matter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fifth of a cycle in twenty."""

    def farther(content: Any, by: float) -> None:
        for entry in content["benchmarks"]:
            if entry["run_name"] == "ring3/popf/throughput":
                entry["estimator"] = 2
                entry["core_cycles"] += by

    def marked(by: float) -> bool:
        new = changed("alpha", tmp_path / f"{by}.json", lambda c: farther(c, by))
        found = as_json(capsys, path("alpha"), new)
        return "not_comparable" in cell(found, "ring3/popf/throughput", "B")

    assert [marked(by) for by in (1.9, 2.1, 20.0)] == [True, False, False]


def test_estimators_are_not_put_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A machine's figure is made of those of the newest estimator, and is apart from older ones."""

    def made_by(estimator: int, more: float, target: Path) -> None:
        def change(content: Any) -> None:
            for entry in content["benchmarks"]:
                if entry["run_name"] == "ring3/popf/throughput":
                    entry["core_cycles"] += more
                    entry["estimator"] = estimator

        changed("alpha", target, change)

    old, both = tmp_path / "old", tmp_path / "both"
    for folder in (old, both):
        folder.mkdir()
    for number in range(9):
        made_by(1, 0, old / f"{number}.json")
        made_by(1, 0, both / f"1-{number}.json")
        if number < 4:
            made_by(2, 1, both / f"2-{number}.json")
    found = as_json(capsys, "--baseline", old, both)
    assert [column["files"] for column in found["columns"]] == [9, 13]
    first, second = (cell(found, "ring3/popf/throughput", column) for column in "AB")
    assert second["value"] == pytest.approx(1 + first["value"])
    assert "another estimator" in second["not_comparable"]
    assert "not_comparable" not in cell(found, "ring3/pushf/throughput", "B")
    entry = (
        reading.columns([both], None, None, None).columns[0].result.figures["ring3/popf/throughput"]
    )
    assert (entry.samples, entry.clean, entry.estimator) == (4, 4, 2)


@pytest.fixture(name="evidence")
def _evidence(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "scripts" / "evidence"))
    return importlib.import_module("estimators")


# In place of the harness's replay: by process, twice an older estimate and the current one.
_REPLAY = """\
#!/bin/sh
cat >/dev/null
for process in 1 2 3 4 5 6; do
  echo "figure $process 0 10.0 0 0 $process 9"
  echo "older $process 0 10.25 9.5"
done
"""


def test_recordings_give_the_table(evidence: Any, tmp_path: Path) -> None:
    """Of each recording in a folder, in the format that they have."""
    program = tmp_path / "replay"
    program.write_text(_REPLAY)
    program.chmod(0o755)
    for folder in sorted(one for one in _RECORDED.iterdir() if one.is_dir()):
        (row,) = evidence.rows(program, folder.name, folder)
        _, name, mode, count, first, second, _ = map(str.strip, row.split("|"))
        assert (name, int(count)) == (folder.name, len(list(folder.iterdir())))
        assert first.startswith("0.25 (`") and second.startswith("0.50 (`")


def test_a_folder_without_recordings_is_an_error(evidence: Any, tmp_path: Path) -> None:
    with pytest.raises(IrqcostError, match="no recordings"):
        list(evidence.rows(Path("replay"), "x", tmp_path))


def test_the_page_has_the_differences_that_the_code_has() -> None:
    """No line of the table is beyond them, and each is reached, rounded up to a tenth."""
    page = (ROOT / "docs" / "method" / "comparing.md").read_text(encoding="utf-8")
    lines = page.partition("| 1 and 3 |")[2].partition("\n\n")[0].splitlines()[2:]
    most: dict[str, float] = {}
    for line in lines:
        _, _, mode, _, *differences, _ = map(str.strip, line.split("|"))
        mode = mode.replace(" ", "_")
        for text in differences:
            most[mode] = max(most.get(mode, 0), float(text.split()[0]))
    assert most.keys() == result.ESTIMATORS_DIFFER.keys()
    for mode, bound in result.ESTIMATORS_DIFFER.items():
        assert bound - 0.1 < most[mode] <= bound

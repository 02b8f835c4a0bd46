# SPDX-License-Identifier: GPL-2.0-only
"""Figures in situ: their names have a fourth part, and every reader of names knows it."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from irqcost import cli
from irqcost.compare.labels import series
from irqcost.model import catalogue, reader
from irqcost.model.result import Result
from irqcost.output import charts, finding, terminal
from irqcost.output.charts import output_files
from results import changed, result as golden

SECTIONS = ("0", "20", "100", "500")


def in_situ(target: Path, alone: bool = False) -> Path:
    """alpha with popf in situ: 13, 12, 11 and 10 core cycles."""

    def change(content: Any) -> None:
        entries = content["benchmarks"]
        (popf,) = [e for e in entries if e["name"] == "ring3/popf/throughput"]
        if alone:
            entries.clear()
        for index, section in enumerate(SECTIONS):
            name = f"ring3/popf/in_situ/{section}"
            entries.append({**popf, "name": name, "run_name": name, "core_cycles": 13 - index})

    return changed("alpha", target, change)


@pytest.fixture(name="result")
def _result(tmp_path: Path) -> Result:
    return reader.read_result(in_situ(tmp_path / "x.json", alone=True))


def test_the_name_is_taken_apart_and_put_together(result: Result) -> None:
    names = [f"ring3/popf/in_situ/{section}" for section in SECTIONS]
    assert list(result.figures) == names
    parts = [(e.backend, e.probe, e.mode, e.variant) for e in result.entries]
    assert parts == [("ring3", "popf", "in_situ", section) for section in SECTIONS]


def test_three_parts_have_no_variant() -> None:
    assert {entry.variant for entry in golden("alpha").entries} == {""}


def test_the_table_tells_sections_apart(result: Result) -> None:
    text = terminal.text(result, verbose=True)
    heading, row = (
        [line for line in text.splitlines() if line.startswith(start)][-1]
        for start in ("core cycles ", "  restore the flags")
    )
    assert heading.split()[-8:] == [word for one in SECTIONS for word in ("around", one)]
    assert re.findall(r"[\d.]+", row)[-4:] == ["13.00", "12.00", "11.00", "10.00"]
    # Without being asked for more, the section that is most like real ones.
    (usual,) = re.findall(r"  restore the flags \(push; popf\) +(.*)", terminal.text(result))
    assert usual == "11.00"


def test_compare_has_a_row_for_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(in_situ(tmp_path / "x.json"))
    assert cli.main(["compare", path, "--filter", "in_situ", "-v"]) == 0
    out = capsys.readouterr().out
    assert re.findall(r"ring3/popf/in_situ/(\d+)", out) == list(SECTIONS)


def test_a_contrast_names_the_work(result: Result) -> None:
    cheaper = [
        replace(entry, core_cycles=entry.core_cycles / 2, cycles_interval=None)
        if entry.core_cycles
        else entry
        for entry in result.entries
    ]
    two = series([result, Result(result.context, tuple(cheaper))])
    texts = [one.text for one in finding.contrasts(two)]
    assert any(
        text.startswith("around 100 cycles of work, restoring the flags adds 5.5")
        and "11.0" in text
        for text in texts
    )


def test_the_picture(tmp_path: Path) -> None:
    one = series([reader.read_result(in_situ(tmp_path / "x.json", True))])
    with output_files.paged(tmp_path / "x", replace=True) as outputs:
        charts.draw("bars", charts.Inputs(one, catalogue.read()), outputs)
    svg = (tmp_path / "x.svg").read_text(encoding="utf-8")
    found = re.findall(r"restore the flags \(push; popf\), around (\d+) cycles", svg)
    assert found and set(found) <= set(SECTIONS)


def test_marked_rows_and_no_others_enclose_a_section() -> None:
    rows = {probe.key: probe for probe in catalogue.read()}
    assert rows["cli_sti"].has_section and rows["spin_lock"].has_section
    assert not rows["cli"].has_section and not rows["irq_save_restore"].has_section
    assert rows["cli_sti"].shown_code == "cli; …; sti"
    assert rows["spin_lock"].shown_code == "spin_lock(&o->lock); …; spin_unlock(&o->lock)"

# SPDX-License-Identifier: GPL-2.0-only
"""Published figures: all read, their doubts marked, and never mixed with what they are not."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from irqcost import cli
from irqcost.base.errors import IrqcostError, NoChart, ResultError
from irqcost.compare.labels import Series, series
from irqcost.model import catalogue, published, reader
from irqcost.output import charts
from irqcost.output.charts import output_files
from results import changed, path, result

FIGURES = published.read()


def golden_cove(target: Path) -> Path:
    """Alpha as a run on Golden Cove."""
    return changed(
        "alpha", target, lambda c: c["context"]["irqcost"]["cpu"].update(codename="Golden Cove")
    )


def test_all_are_read() -> None:
    assert len(FIGURES) == 2646
    assert {one.unit for one in FIGURES} == {"core_cycles", "tsc_cycles", "ns", "uops"}
    assert all(one.source and one.locator for one in FIGURES)
    known = {probe.key for probe in catalogue.read()}
    assert {probe for probes in published.PROBES.values() for probe in probes} <= known
    assert {one.primitive for one in FIGURES} == published.PROBES.keys()
    penryn = [one for one in FIGURES if (one.microarchitecture, one.mode) == ("Penryn", "pair")]
    assert [(one.value, one.kind, one.year) for one in penryn] == [(13, "vendor", 2007)]


def test_what_the_readme_doubts_is_suspect() -> None:
    suspect = [one for one in FIGURES if one.suspect]
    assert all(one.suspect for one in FIGURES if "clock suspect" in one.note)
    found = {(one.microarchitecture, one.primitive) for one in suspect}
    assert {("K10", "sti"), ("K7", "popf"), ("Zen", "lfence")} <= found
    assert not {("K7", "sti"), ("Zen 2", "lfence"), ("Zen 3", "popf")} & found
    assert all(one.suspect for one in FIGURES if one.source.startswith("LKML p") and not one.value)


def test_broken_tables_are_named(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="generations.csv: No such file"):
        published.read(tmp_path)
    (tmp_path / "generations.csv").write_text("vendor,microarchitecture,year\n")
    with pytest.raises(ResultError, match="sources.csv: No such file"):
        published.read(tmp_path)
    (tmp_path / "sources.csv").write_text("source,vendor,microarchitecture\n1,Intel,Penryn\n")
    for line in ("2,1", "1,many"):  # no such source; not a number
        (tmp_path / "costs.csv").write_text(f"source,value\n{line}\n")
        with pytest.raises(ResultError, match="costs.csv: not as its README"):
            published.read(tmp_path)


def lines(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[dict[str, str]]:
    command = ["compare", "--published", "--format", "csv", *map(str, arguments)]
    assert cli.main(command) == 0
    found = csv.DictReader(capsys.readouterr().out.splitlines())
    return [line for line in found if line["column"] == "published"]


def test_they_stand_beside_results_with_their_source(capsys: pytest.CaptureFixture[str]) -> None:
    found = lines(capsys, "--unit", "cycles", "--select", "/popf/", path("alpha"))
    assert {line["unit"] for line in found} == {"core cycles"}  # no micro-operations
    assert {line["figure"].split("/")[1] for line in found} == {"popf"}
    assert all(line["source"] for line in found)
    assert {line["execution"] for line in found} == {"measured", "vendor", "model"}
    (k7,) = [line for line in found if "K7" in line["cpu"] and line["value"] == "1.0"]
    assert "contradicted" in k7["remark"]
    # Ticks of an instruction clock are no TSC's.
    assert lines(capsys, "--unit", "ticks", path("exact")) == []


def test_the_table_shows_the_same_core_and_no_models(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = golden_cove(tmp_path / "g.json")
    assert cli.main(["compare", "--published", "--no-chart", str(one)]) == 0
    text = capsys.readouterr().out
    assert "Golden Cove (Alder Lake-P)" in text and "InstLatx64" in text
    assert "compiler scheduling model" not in text and "LLVM" not in text
    assert "nobody measured them" in text
    assert cli.main(["compare", "--published", "--format", "json", str(one)]) == 0
    document: Any = json.loads(capsys.readouterr().out)
    assert all(one["unit"] != "uops" for one in document["published"])


def test_the_chart_over_the_years(tmp_path: Path) -> None:
    here = series([reader.read_result(golden_cove(tmp_path / "g.json")), result("exact")])
    inputs = charts.Inputs(here, catalogue.read(), None, FIGURES)
    with output_files.paged(
        tmp_path / "x", replace=True, themes=tuple(output_files.THEMES.values())
    ) as outputs:
        charts.draw("generations", inputs, outputs)
    svg = (tmp_path / "x.svg").read_text(encoding="utf-8")
    assert "popf cost 8 cycles on the 8086 and 70 on NetBurst (Prescott)" in svg
    assert "13.0 Golden Cove" in svg
    # The source is in the tooltip; tables of compilers and emulators are in none.
    assert "<title>Intel 8086: popf 8 core cycles, of 1 figures: HelpPC" in svg
    assert "K8: sti 27 core cycles" in svg and "(suspect: repeats K7" in svg
    assert "<title>irqcost, ring3/popf/throughput: 13.00 core cycles; Test CPU Alpha" in svg
    assert "LLVM 21.1" not in svg and "86Box" not in svg and "EMULATED" not in svg
    dark = (tmp_path / "x-dark.svg").read_text(encoding="utf-8")
    assert output_files.DARK.paper in dark and output_files.DARK.paper not in svg


def test_no_chart_without_figures(tmp_path: Path) -> None:
    inputs = charts.Inputs(series([result("alpha")]), catalogue.read())
    with pytest.raises(IrqcostError, match="published"):
        with output_files.paged(tmp_path / "x", replace=True) as outputs:
            charts.draw("generations", inputs, outputs)
    assert list(tmp_path.iterdir()) == []


def drawn(name: str, here: Sequence[Series], figures: Sequence[published.Published]) -> str:
    """A chart as SVG; "" where it is of something else."""
    module = import_module(f"irqcost.output.charts.{name}")
    rc_context = import_module("matplotlib").rc_context
    try:
        made = module.figure(
            charts.Inputs(here, catalogue.read(), None, figures), output_files.LIGHT
        )
    except NoChart:
        return ""
    text = io.StringIO()
    with rc_context({"svg.hashsalt": "the same each time"}):
        made.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def test_published_latencies_are_in_no_chart(tmp_path: Path) -> None:
    """The mode `isolated` is the cost between two fences, which is no latency."""
    whole = reader.read_result(golden_cove(tmp_path / "g.json"))
    few = [one for one in whole.entries if one.probe in ("popf", "pushf_popf")]
    here = series([replace(whole, entries=tuple(few))])
    assert any("/isolated" in name for name in here[0].result.figures)
    others = [one for one in FIGURES if one.mode != "latency"]

    def made_up(mode: str) -> list[published.Published]:
        """One for each primitive, of the CPU that was measured."""
        first = replace(FIGURES[0], vendor="Intel", microarchitecture="Golden Cove", year=2021)
        first = replace(first, mode=mode, value=77.0, unit="core_cycles", kind="measured")
        return [replace(first, primitive=primitive) for primitive in published.PROBES]

    for name in charts.CHARTS:
        without = drawn(name, here, others)
        assert drawn(name, here, [*FIGURES, *made_up("latency")]) == without, name
        # What is like our throughput does appear: the comparison sees a figure.
        if name in ("generations", "masking"):
            assert drawn(name, here, [*others, *made_up("throughput")]) != without != "", name

# SPDX-License-Identifier: GPL-2.0-only
"""The charts of compare: each draws, says what results hold, and refuses what it cannot show."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from irqcost import ROOT, cli
from irqcost.base.errors import IrqcostError, NoChart
from irqcost.compare.labels import Series, series
from irqcost.model import catalogue, published, reader
from irqcost.output import charts
from irqcost.output.charts import output_files, selftest
from irqcost.output.charts.parts import style
from results import changed, committed, path, result


def draw(name: str, results: list[Series], prefix: Path, unit: str | None = None) -> list[str]:
    """Draws in both themes; returns the texts of the light SVGs, page after page."""
    themes = tuple(output_files.THEMES.values())
    with output_files.paged(prefix, replace=True, themes=themes) as outputs:
        charts.draw(name, charts.Inputs(results, catalogue.read(), unit), outputs)
    made = {entry.name for entry in prefix.parent.glob(f"{prefix.name}*")}
    light = sorted(name for name in made if re.fullmatch(r"[^-]*(-page\d+)?\.svg", name))
    assert f"{prefix.name}.svg" in light
    assert made == {
        name.replace(".svg", f"{theme}.{kind}")
        for name in light
        for theme in ("", "-dark")
        for kind in ("svg", "png")
    }
    texts = []
    for name in light:
        pages = [prefix.with_name(name.replace(".svg", f"{theme}.svg")) for theme in ("", "-dark")]
        first, second = (words(svg.read_text(encoding="utf-8")) for svg in pages)
        assert first == second
        texts += first
    return texts


def words(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]+)</text>", svg)


def test_every_chart_has_its_module() -> None:
    for chart in charts.CHARTS.values():
        assert (Path(charts.__file__).parent / f"{chart.name}.py").exists()
        assert chart.shows and chart.needs


def test_masking(tmp_path: Path) -> None:
    """Published throughput beside ours, and nothing else."""
    real = [reader.read_result(path) for path in committed("intel-*/*.json")]
    prefix = tmp_path / "x"
    with output_files.paged(prefix, replace=True) as outputs:
        material = charts.Inputs(series(real), catalogue.read(), None, published.read())
        charts.draw("masking", material, outputs)
    svg = prefix.with_name("x.svg").read_text(encoding="utf-8")
    ours = real[0].figures["ring3/pushf_popf/throughput"].core_cycles
    assert ours and f"{ours:.1f} (published " in svg
    figures = [
        one
        for one in published.read()
        if (one.primitive, one.microarchitecture) == ("pushf_popf", "Raptor Cove")
    ]
    assert {one.mode for one in figures} == {"throughput", "latency"}
    like = [one for one in figures if one.mode == "throughput"]
    assert f"Intel Raptor Cove: median of {len(like)} published figures" in svg
    with pytest.raises(NoChart):
        draw("masking", series([result("exact")]), tmp_path / "y")


def test_section(tmp_path: Path) -> None:
    real = [reader.read_result(path) for path in committed("*-*-*-*/2*.json")]
    texts = draw("section", series(real), tmp_path / "x")
    assert "around 100 cycles of work" in texts and "repeated back to back" in texts
    with pytest.raises(NoChart, match="in_situ"):
        draw("section", series([result("alpha")]), tmp_path / "y")


def test_instructions(tmp_path: Path) -> None:
    both = series([result("exact"), result("exact-rt"), result("alpha")])
    texts = draw("instructions", both, tmp_path / "x")
    assert texts.count("108") >= 1 and "17" in texts
    assert "spin lock, no masking" in texts and "13.0" not in texts  # a time is no count
    title = " ".join(texts)
    assert "local_irq_save and restore execute 10 instructions" in title
    assert "“spin lock, no masking” differs most: 17 to 108" in title
    with pytest.raises(IrqcostError, match="instruction clock"):
        draw("instructions", series([result("alpha")]), tmp_path / "y")


def test_kernels_stand_by_age_and_not_by_when_they_were_measured(tmp_path: Path) -> None:
    exact = result("exact")
    releases = ["6.12.117+deb12-amd64", "6.1.0-56-amd64", "5.10.0-46-amd64"]
    kernels = [replace(exact.context.kernel, release=release) for release in releases]
    results = [replace(exact, context=replace(exact.context, kernel=one)) for one in kernels]
    texts = " ".join(draw("instructions", series(results), tmp_path / "x"))
    assert texts.index("5.10.0") < texts.index("6.1.0") < texts.index("6.12.117")


def emulated(*patterns: str) -> list[Series]:
    folder = ROOT / "results" / "emulated"
    found = [
        path for pattern in patterns for path in sorted(folder.glob(f"*-{pattern}-exact.json"))
    ]
    return series([reader.read_result(path) for path in found])


def test_instructions_of_kernels_in_use_make_the_headline(tmp_path: Path) -> None:
    """One that checks itself executes hundreds of times as much. It is shown, last, and no more."""
    debug = draw("instructions", emulated("6.1.192-debug", "6.1.0-56-amd64"), tmp_path / "x")
    assert "893" in debug and "checks" in debug
    said = " ".join(debug)
    assert "execute 10 instructions" in said and "10 to 893" not in said
    assert "without kernels that check themselves" in said
    alone = draw("instructions", emulated("6.1.192-debug"), tmp_path / "y")
    assert "893 instructions" in " ".join(alone)


def test_instructions_are_written_as_one_reads_them(tmp_path: Path) -> None:
    def fraction(content: Any) -> None:
        for one in content["benchmarks"]:
            one["ticks"] = 10.5625
        content["context"]["irqcost"]["kernel"]["release"] = "6.12.117+deb12-cloud-amd64"

    file = changed("exact", tmp_path / "result.json", fraction)
    texts = draw("instructions", series([reader.read_result(file)]), tmp_path / "x")
    assert "10.6" in texts and not any("10.56" in text for text in texts)
    # A kernel's name is broken between its parts.
    assert "6.12.117" in texts and "+deb12-cloud" in texts


def with_histogram(target: Path, histogram: Any) -> list[Series]:
    """Alpha, whose popf has a histogram: two modes, at 13 and at 15 cycles."""

    def change(content: Any) -> None:
        for entry in content["benchmarks"]:
            if entry["name"] == "ring3/popf/throughput":
                entry["histogram"] = histogram

    return series([reader.read_result(changed("alpha", target, change))])


TWO_MODES = {
    "unit": "core_cycles",
    "clean": {"origin": 12.95, "width": 0.1, "counts": [0, 75, 20, 25]},
    "contaminated": {"origin": 20.0, "width": 1.0, "counts": [0, 3, 900, 2]},
}


def test_distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = []
    close = style.pyplot.close
    monkeypatch.setattr(style.pyplot, "close", lambda f: (figures.append(f), close(f)))
    texts = draw("distribution", with_histogram(tmp_path / "h.json", TWO_MODES), tmp_path / "x")
    said = " ".join(texts)
    assert "75 % of the clean samples lie within 1 % of 13.0 core cycles" in said
    assert "restore the flags (push; popf): 13.0" in texts and "75 % within 1 %" in texts
    # Both modes are seen: two heaps, the smaller a third of the taller.
    axes = figures[0].axes[1]
    heights, edges, _ = axes.patches[0].get_data()
    seen = [(edges[i], h) for i, h in enumerate(heights) if h > 0.2]
    assert any(abs(place) < 1 for place, _ in seen)
    assert max(h for place, h in seen if place > 10) == pytest.approx(1 / 3, rel=0.1)


@pytest.mark.parametrize(
    "histogram",
    [
        [],
        {"unit": "core_cycles"},
        {**TWO_MODES, "clean": {"origin": 0, "width": 0, "counts": []}},
        {**TWO_MODES, "clean": {"origin": 0, "width": 1, "counts": [0]}},
        {**TWO_MODES, "clean": {"origin": 0, "width": 1, "counts": [0, -1]}},
        {**TWO_MODES, "clean": {"origin": 0, "width": 1, "counts": [0, 1.5]}},
        {**TWO_MODES, "clean": {"origin": 0, "width": 1, "counts": [0, 1] * 20_000}},
    ],
)
def test_what_is_no_histogram_is_named(tmp_path: Path, histogram: Any) -> None:
    bad = with_histogram(tmp_path / "h.json", histogram)
    with pytest.raises(IrqcostError, match="ring3/popf/throughput.histogram"):
        draw("distribution", bad, tmp_path / "x")


def test_no_distribution_without_histograms(tmp_path: Path) -> None:
    with pytest.raises(IrqcostError, match="no histogram"):
        draw("distribution", series([result("alpha")]), tmp_path / "x")


def test_several_charts_have_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--chart", "bars", "--chart", "masking", "--theme", "both", "--format", "json"]
    prefix = str(tmp_path / "x")
    assert cli.main(["compare", *arguments, "--out", prefix, str(path("alpha"))]) == 0
    assert len(list(tmp_path.glob("x-bars*"))) == len(list(tmp_path.glob("x-masking*"))) == 4
    output = capsys.readouterr()
    # What programs read has no lines of charts in it.
    assert output.out.startswith("{") and "Chart:" not in output.out
    assert output.err.count("Chart:") == 8


def test_selftest_is_legible(tmp_path: Path) -> None:
    """Of a real record: whole lines, plain numbers, and zeros where they are."""
    *_, record = sorted((ROOT / "results").rglob("selftest/*.json"))
    with output_files.made(tmp_path / "x", replace=False) as outputs:
        selftest.draw(json.loads(record.read_text(encoding="utf-8")), outputs)
    shown = words((tmp_path / "x.svg").read_text(encoding="utf-8"))
    assert not [text for text in shown if "mathdefault" in text]
    assert "0.25 cycles added" in shown and "100 of 100 found" in shown

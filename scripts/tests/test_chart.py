# SPDX-License-Identifier: GPL-2.0-only
"""Pictures: whole, readable as text, drawn from zero and to scale."""

import re
from pathlib import Path
from typing import Any

import pytest

from irqcost import cli
from irqcost.base.errors import IrqcostError
from irqcost.compare.labels import Series, series
from irqcost.model import catalogue, reader
from irqcost.output import charts
from irqcost.output.charts import places as places_, style
from results import changed, path, result


def draw(results: list[Series], prefix: Path) -> str:
    """Draws; returns the SVG's text."""
    with places_.made(prefix, replace=True) as places:
        charts.draw("bars", charts.Inputs(results, catalogue.read()), places)
    assert prefix.with_name(prefix.name + ".png").read_bytes().startswith(b"\x89PNG\r\n")
    return prefix.with_name(prefix.name + ".svg").read_text(encoding="utf-8")


def test_labels_are_text(tmp_path: Path) -> None:
    svg = draw(series([result("alpha"), result("beta")]), tmp_path / "x")
    texts = re.findall(r"<text[^>]*>([^<]+)</text>", svg)
    for text in ("popf", "13.0", "17.0", "1.1 ?", "core cycles per operation"):
        assert text in texts
    assert "Test CPU Beta (06-cf-02), kernel 6.12.9-amd64, virtualised by KVM" in texts
    assert "dep_imul" not in texts  # a control
    assert any("Whiskers" in text for text in texts)


def test_emulation_is_in_the_picture(tmp_path: Path) -> None:
    svg = draw(series([result("exact")]), tmp_path / "x")
    assert "EMULATED by QEMU (TCG)" in svg
    assert "instructions per operation" in svg
    # Counts are the same in both modes: one panel.
    assert svg.count("kmod: the same back to back and between fences") == 1


def test_the_same_results_give_the_same_picture(tmp_path: Path) -> None:
    one, two = (draw(series([result("alpha")]), tmp_path / name) for name in "ab")
    assert one == two


def bars(monkeypatch: pytest.MonkeyPatch, results: list[Series], folder: Path) -> list[Any]:
    """The axes of the picture."""
    figures = []
    close = style.pyplot.close
    monkeypatch.setattr(style.pyplot, "close", lambda f: (figures.append(f), close(f)))
    draw(results, folder / "x")
    return list(figures[0].axes)


def test_bars_are_to_scale_and_inside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    panels = bars(monkeypatch, series([result("alpha"), result("beta")]), tmp_path)
    assert len(panels) == 2
    for axes in panels:
        low, high = axes.get_xlim()
        assert low <= 0
        assert axes.get_xscale() == "linear"
        for bar in axes.patches:
            assert bar.get_x() == 0 and bar.get_width() < high
    widths = [round(bar.get_width(), 4) for bar in panels[0].patches]
    assert 13.0 in widths and 36.5 in widths
    assert panels[0].get_xlim() == panels[1].get_xlim()


def test_doubt_is_hatched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    panels = bars(monkeypatch, series([result("alpha")]), tmp_path)
    hatched = [bar for bar in panels[0].patches if bar.get_hatch()]
    assert [round(bar.get_width(), 4) for bar in hatched] == [1.1]


def test_negative_estimates_are_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def change(content: Any) -> None:
        for entry in content["benchmarks"]:
            if entry["name"] == "ring3/lahf/isolated":
                entry["core_cycles"] = -3.0

    negative = changed("alpha", tmp_path / "n.json", change)
    panels = bars(monkeypatch, series([reader.read_result(negative)]), tmp_path)
    assert all(axes.get_xlim()[0] < -3 for axes in panels)


def test_only_controls_are_drawn_too(tmp_path: Path) -> None:
    def change(content: Any) -> None:
        kept = [e for e in content["benchmarks"] if "/dep_imul/" in e["name"]]
        content["benchmarks"] = kept

    only = reader.read_result(changed("alpha", tmp_path / "c.json", change))
    assert "dep_imul" in draw(series([only]), tmp_path / "x")


def test_unknown_probes_leave_no_file(tmp_path: Path) -> None:
    def change(content: Any) -> None:
        for entry in content["benchmarks"]:
            entry["run_name"] = "ring3/unheard_of/isolated"

    unknown = reader.read_result(changed("alpha", tmp_path / "u.json", change))
    with pytest.raises(IrqcostError, match="none of the probes"):
        draw(series([unknown]), tmp_path / "x")
    assert [entry.name for entry in tmp_path.iterdir()] == ["u.json"]


def test_compare_says_where_the_chart_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = tmp_path / "6.1"
    assert cli.main(["compare", str(path("alpha")), "--out", str(prefix)]) == 0
    assert f"Chart:  {tmp_path}/6.1.png\nChart:  {tmp_path}/6.1.svg\n" in capsys.readouterr().out


def test_names_are_no_formulas(tmp_path: Path) -> None:
    def change(content: Any) -> None:
        content["context"]["irqcost"]["cpu"]["brand"] = "A $\\frac{$ B"

    odd = reader.read_result(changed("alpha", tmp_path / "odd.json", change))
    assert "A $\\frac{$ B" in draw(series([odd]), tmp_path / "x")

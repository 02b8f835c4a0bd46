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
from irqcost.output.charts import output_files
from irqcost.output.charts.parts import rows, sheet, style
from results import changed, committed, path, result


def draw(results: list[Series], prefix: Path) -> str:
    """Draws; returns the SVG's text."""
    with output_files.paged(prefix, replace=True) as outputs:
        charts.draw("bars", charts.Inputs(results, catalogue.read()), outputs)
    assert prefix.with_name(prefix.name + ".png").read_bytes().startswith(b"\x89PNG\r\n")
    return prefix.with_name(prefix.name + ".svg").read_text(encoding="utf-8")


def test_labels_are_text(tmp_path: Path) -> None:
    svg = draw(series([result("alpha"), result("beta")]), tmp_path / "x")
    texts = re.findall(r"<text[^>]*>([^<]+)</text>", svg)
    for text in ("restore the flags (push; popf)", "13.0", "17.0", "1.1 ?"):
        assert text in texts
    assert any("Test CPU Beta" in text for text in texts)
    assert any(text.startswith("core cycles") for text in texts)
    assert "dependent multiply" not in texts  # a control


def test_emulation_is_in_the_picture(tmp_path: Path) -> None:
    svg = draw(series([result("exact")]), tmp_path / "x")
    assert "EMULATED by QEMU (TCG)" in svg
    assert "Instructions per operation, counted" in svg
    assert svg.count("Ring 0 (kernel module)") == 1


def test_the_same_results_give_the_same_picture(tmp_path: Path) -> None:
    one, two = (draw(series([result("alpha")]), tmp_path / name) for name in "ab")
    assert one == two


def rows_of(*marks: rows.Mark) -> Any:
    """Axes with a row for each mark."""
    found = [rows.Row(f"row {place}", [mark], ["1.0"]) for place, mark in enumerate(marks)]
    table = rows.Table([rows.Panel("", found)], "core cycles")

    def figure(theme: output_files.Theme) -> Any:
        return rows.draw(sheet.Words("title", "subtitle", "source"), table, theme)

    with style.drawn(figure, output_files.LIGHT) as drawn:
        return drawn.axes[1]


def mark(value: float, unreliable: bool = False) -> rows.Mark:
    return rows.Mark(value, value - 0.5, value + 0.5, "#123456", unreliable=unreliable)


def test_bars_are_to_scale_and_inside() -> None:
    axes = rows_of(mark(2), mark(4))
    one, two = axes.patches
    assert one.get_x() == two.get_x() == 0
    assert two.get_width() == pytest.approx(2 * one.get_width())
    assert two.get_width() < axes.get_xlim()[1]


def test_wide_ranges_are_dots_on_a_logarithmic_scale() -> None:
    axes = rows_of(mark(1), mark(10), mark(1000))
    assert not list(axes.patches)
    places = sorted(
        float(x)
        for one in axes.collections
        for x, _ in one.get_offsets()
        if one.get_offsets().size > 2
    )
    assert places[2] - places[1] == pytest.approx(2 * (places[1] - places[0]))
    assert "logarithmic" in axes.get_xlabel()


def test_unreliable_bars_are_hatched() -> None:
    axes = rows_of(mark(2), mark(4, unreliable=True))
    assert [bool(bar.get_hatch()) for bar in axes.patches] == [False, True]


def test_negative_estimates_are_shown() -> None:
    negative, positive = rows_of(mark(-3), mark(4)).patches
    assert negative.get_width() < 0 < positive.get_width()
    assert negative.get_x() == positive.get_x() > 0 and negative.get_x() + negative.get_width() >= 0


def test_rows_of_several_operations_are_shown_per_operation(tmp_path: Path) -> None:
    real = reader.read_result(committed("intel-*/*.json")[0])
    texts = re.findall(r"<text[^>]*>([^<]+)</text>", draw(series([real]), tmp_path / "x"))
    probes = {probe.key: probe for probe in catalogue.read()}
    assert [probes[key].operations for key in ("popf", "popf_beforehand", "popf_df")] == [1, 4, 2]
    cycles = real.figures["ring3/popf_df/throughput"].core_cycles
    assert cycles and f"{cycles / 2:.1f}" in texts
    assert f"{probes['popf_df'].title}: each" in texts


def test_a_call_beside_fences_is_drawn(tmp_path: Path) -> None:
    """One backend without a panel in the other's mode."""
    file = committed("intel-*/*.json")[0]
    arguments = ["--select", "^ring3/lfence/|^bpf/call/", "--chart", "bars"]
    out = ["--out", str(tmp_path / "x")]
    assert cli.main(["compare", str(file), *arguments, *out]) == 0
    assert (tmp_path / "x.png").exists()


def test_results_of_other_kinds_are_left_out(tmp_path: Path) -> None:
    svg = draw(series([result("alpha"), result("exact")]), tmp_path / "x")
    assert "1 results of another kind or unit are not shown" in svg and "EMULATED" not in svg


def test_only_controls_are_drawn_too(tmp_path: Path) -> None:
    def change(content: Any) -> None:
        kept = [e for e in content["benchmarks"] if "/dep_imul/" in e["name"]]
        content["benchmarks"] = kept

    only = reader.read_result(changed("alpha", tmp_path / "c.json", change))
    assert "dependent multiply" in draw(series([only]), tmp_path / "x")


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
    assert cli.main(["compare", str(path("alpha")), "--chart", "bars", "--out", str(prefix)]) == 0
    assert f"Chart:  {tmp_path}/6.1.png\nChart:  {tmp_path}/6.1.svg\n" in capsys.readouterr().out


def test_names_are_no_formulas(tmp_path: Path) -> None:
    def change(content: Any) -> None:
        content["context"]["irqcost"]["cpu"]["brand"] = "A $\\frac{$ B"

    odd = reader.read_result(changed("alpha", tmp_path / "odd.json", change))
    assert "A $\\frac{$ B" in draw(series([odd]), tmp_path / "x")


def _many(name: str, tmp_path: Path, count: int) -> Path:
    """A result with so many rows: all that the catalogue has, of which each costs more than the
    one before."""

    def change(content: Any) -> None:
        one = next(entry for entry in content["benchmarks"] if "core_cycles" in entry)
        probes = [
            probe.key for probe in catalogue.read() if probe.group not in ("control", "fault")
        ]
        content["benchmarks"] = [
            {
                **one,
                "name": f"ring3/{key}/throughput",
                "run_name": f"ring3/{key}/throughput",
                "core_cycles": 10.0 + place,
            }
            for place, key in enumerate(probes[:count])
        ]

    return changed(name, tmp_path / f"{count}.json", change)


def test_what_does_not_fit_goes_on_over_pages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each row is on one of them, each says which it is, and the command names them all."""
    out = tmp_path / "c.d"
    command = ["compare", str(_many("alpha", tmp_path, 80)), "--chart", "bars", "--out", str(out)]
    assert cli.main(command) == 0
    said = capsys.readouterr().out
    names = ["c.d", "c.d-page2"]
    assert [f"Chart:  {tmp_path}/{one}.{kind}" for one in names for kind in ("png", "svg")] == [
        line for line in said.splitlines() if line.startswith("Chart:")
    ]
    rows_ = []
    for page, name in enumerate(names):
        texts = re.findall(r"<text[^>]*>([^<]+)</text>", (tmp_path / f"{name}.svg").read_text())
        assert any(f"({page + 1}\xa0of\xa02)" in text for text in texts)
        rows_.append([float(text) for text in texts if re.fullmatch(r"\d+\.\d", text)])
    assert len(rows_[0]) == len(rows_[1]) == 40
    assert rows_[0] + rows_[1] == sorted(rows_[0] + rows_[1])


def test_pages_of_a_longer_drawing_do_not_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They would be taken for pages of the new one; files of other names stay."""
    out = ["--chart", "bars", "--out", str(tmp_path / "c")]
    assert cli.main(["compare", str(_many("alpha", tmp_path, 80)), *out]) == 0
    kept = [tmp_path / name for name in ("c-page2-dark.svg", "cc-page2.svg", "c-page2.txt")]
    for file in kept:
        file.touch()
    capsys.readouterr()
    assert cli.main(["compare", str(_many("alpha", tmp_path, 5)), *out]) == 0
    assert f"Removed, of an earlier drawing: {tmp_path}/c-page2.svg\n" in capsys.readouterr().out
    assert all(file.exists() for file in kept)
    assert {path.name for path in tmp_path.glob("c*")} == {
        *("c.png", "c.svg"),
        *(file.name for file in kept),
    }


def test_a_chart_that_may_not_replace_has_no_page_in_its_way(tmp_path: Path) -> None:
    """The chart of a run: found before anything is measured."""
    (tmp_path / "r-page2.svg").touch()
    with pytest.raises(IrqcostError, match="r-page2.svg: exists"):
        with output_files.paged(tmp_path / "r", replace=False):
            pass
    assert [path.name for path in tmp_path.iterdir()] == ["r-page2.svg"]

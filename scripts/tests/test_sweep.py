# SPDX-License-Identifier: GPL-2.0-only
"""The sweep over unroll factors: where a plateau begins, and that it is told and drawn."""

from dataclasses import replace
from pathlib import Path

import pytest

from irqcost import cli
from irqcost.base.errors import IrqcostError
from irqcost.commands import sweep
from irqcost.measure import unroll
from irqcost.measure.processes import Process, Request
from irqcost.measure.unroll import Point, Sweep
from irqcost.model.units import Value
from irqcost.output import sweep_table
from irqcost.output.charts import output_files, sweep as chart
from processes_of import entry, process
from results import result

ALPHA = result("alpha")


def swept(*values: float, spread: float = 0.0, unreliable: int | None = None) -> Sweep:
    """A sweep with these figures; the one at index `unreliable` is unreliable."""
    popf = ALPHA.figures["ring3/popf/throughput"]
    points = []
    for index, (factor, value) in enumerate(zip(unroll.UNROLLS, values)):
        label = "disturbed: 3 of 400 samples clean" if index == unreliable else "clean"
        points.append(
            Point(factor, replace(popf, label=label), Value(value, value - spread, value + spread))
        )
    return Sweep("ring3/popf", ALPHA.context, "core cycles", tuple(points))


def factors(one: Sweep) -> list[int]:
    return [point.unroll for point in unroll.plateau(one.points)]


def test_where_a_plateau_begins() -> None:
    assert factors(swept(13, 13.05, 12.95, 13, 13)) == [4, 8, 16, 32, 64]
    assert factors(swept(15, 13.2, 13, 13, 13)) == [16, 32, 64]
    assert factors(swept(13, 13, 13, 13, 14)) == []
    # A step that is left again does not count: the greatest factor is on it, or nothing is.
    assert factors(swept(13, 13, 14, 13, 13)) == [32, 64]


def test_a_plateau_is_as_flat_as_its_figures_are_sharp() -> None:
    assert factors(swept(1, 1, 1, 1, 1.1)) == []
    assert factors(swept(1, 1, 1, 1, 1.1, spread=0.06)) == [4, 8, 16, 32, 64]
    assert factors(swept(0, 0, 0)) == [4, 8, 16]


def test_what_is_in_doubt_bears_no_plateau() -> None:
    assert factors(swept(13, 13, 13, 13, 13, unreliable=2)) == [32, 64]
    assert factors(swept(13, 13, 13, 13, 13, unreliable=4)) == []


def test_the_verdict_says_what_is_seen() -> None:
    assert (
        sweep_table.verdict(swept(15, 13, 13))
        == "popf costs 13.00 core cycles from unroll factor 8 on"
    )
    assert sweep_table.verdict(swept(13, 14, 13, 15)).startswith(
        "popf depends on the unroll factor: 13.00 to 15.00"
    )
    assert "only one unroll factor" in sweep_table.verdict(swept(13))
    # A plateau that was not seen is not denied, and a step between sound figures is.
    assert "Cannot tell" in sweep_table.verdict(swept(13, 13, 13, unreliable=1))
    assert "unroll factor: 13" in sweep_table.verdict(swept(13, 13, 15, unreliable=0))


def test_the_table_has_a_row_for_each_factor() -> None:
    lines = sweep_table.text(swept(15, 13, 13, unreliable=0)).splitlines()
    rows = [line.split() for line in lines if line.strip()[:1].isdigit()]
    assert [row[:2] for row in rows] == [["4", "15.000"], ["8", "13.000"], ["16", "13.000"]]
    assert "disturbed: 3 of 400" in lines[4]


def test_the_picture(tmp_path: Path) -> None:
    one = swept(15, 13, 13, spread=0.1, unreliable=0)
    with output_files.made(tmp_path / "x", replace=True) as outputs:
        chart.draw(one, sweep_table.verdict(one), outputs)
    svg = (tmp_path / "x.svg").read_text(encoding="utf-8")
    said = ("15.0 ?", "core cycles per operation", "popf costs 13.00 core cycles")
    for text in (*said, "unreliable, marked"):
        assert text in svg
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_only_factors_that_the_probe_has(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A harness that has 16 alone, as backend bpf does."""

    def names(_bench: Path, arguments: list[str]) -> list[str]:
        if "--irqcost_unroll=16" not in arguments:
            raise IrqcostError("no benchmark to run")
        return ["ring3/popf/throughput"]

    class Session:
        def __init__(self, *_arguments: object) -> None:
            pass

        def measure(self, _request: Request) -> Process:
            return process(entry("ring3/popf/throughput", 13))

    monkeypatch.setattr(sweep.build, "harness", lambda: Path("bench"))
    monkeypatch.setattr(unroll.harness, "names", names)
    monkeypatch.setattr(unroll.harness, "Session", Session)
    assert cli.main(["sweep", "popf", "--no-chart"]) == 0
    out = capsys.readouterr().out
    assert "popf has only one unroll factor: 13.00 core cycles" in out


def test_a_probe_without_throughput(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def names(_bench: Path, _arguments: list[str]) -> list[str]:
        raise IrqcostError("no benchmark to run: the filter matches none")

    monkeypatch.setattr(sweep.build, "harness", lambda: Path("bench"))
    monkeypatch.setattr(unroll.harness, "names", names)
    assert cli.main(["sweep", "cli_clearing", "--no-chart"]) == 2
    assert "no benchmark to run" in capsys.readouterr().err
    assert cli.main(["sweep", "nosuch", "--no-chart"]) == 2
    assert "no probe is called nosuch" in capsys.readouterr().err

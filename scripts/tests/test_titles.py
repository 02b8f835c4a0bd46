# SPDX-License-Identifier: GPL-2.0-only
"""Titles of charts and pages: they claim what the results hold, and no more."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from irqcost.compare import columns as columns_
from irqcost.compare.baseline import when
from irqcost.compare.labels import Series, series
from irqcost.compare.trend import History, Line
from irqcost.model import catalogue, reader
from irqcost.model.result import Result
from irqcost.output import charts
from irqcost.output.charts import history
from irqcost.output.charts.parts import sheet
from irqcost.output.charts.output_files import LIGHT
from irqcost.output.page import article, data
from irqcost.output.site import pages
from results import document, result
from results_of import run

_PVM: dict[str, Any] = {"kind": "paravirtual:pvm", "reason": "", "rows": {}}
_NATIVE: dict[str, Any] = {"kind": "native", "reason": "", "rows": {}}


def near(value: float) -> list[float]:
    return [value + 0.001 * k for k in range(8)]


def of(path: Path, figures: dict[str, float], codename: str = "Raptor Cove", **ours: Any) -> Path:
    cpu = {**document("alpha")["context"]["irqcost"]["cpu"], "codename": codename}
    steady = {name: near(value) for name, value in figures.items()}
    return run(path, steady, cpu={**cpu, "vendor": "GenuineIntel"}, **ours)


def results(*paths: Path) -> list[Series]:
    return series([reader.read_result(one) for one in paths])


@pytest.fixture
def titled(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a chart's title would be."""

    def title(name: str, of_: list[Series], unit: str | None = None) -> str:
        said: list[str] = []
        original = sheet.Words

        def words(*given: Any, **named: Any) -> Any:
            said.append(given[0] if given else named["title"])
            return original(*given, **named)

        module = import_module(f"irqcost.output.charts.{name}")
        monkeypatch.setattr(module, "Words", words)
        module.figure(charts.Inputs(of_, catalogue.read(), unit), LIGHT)
        return next(one for one in said if one)

    return title


def test_a_title_is_in_the_unit_of_the_chart(titled: Any, tmp_path: Path) -> None:
    figures = {"ring3/pushf_pop/throughput": 5.0, "ring3/popf/throughput": 14.0}
    read = reader.read_result(of(tmp_path / "a.json", figures))
    entries = [replace(one, ns=(one.core_cycles or 0) / 4) for one in read.entries]
    one = series([Result(read.context, tuple(entries))])
    assert titled("bars", one, "ns").endswith("3.5 against 1.3 ns")
    assert titled("bars", one).endswith("14.0 against 5.0 core cycles")


def test_a_difference_of_any_row_is_seen(titled: Any, tmp_path: Path) -> None:
    both = [{"ring3/pushf_popf/throughput": 18.2}, {"ring3/pushf_popf/throughput": 30.5}]
    paths = [of(tmp_path / f"{k}.json", one, f"Core {k}") for k, one in enumerate(both)]
    assert "18.2 core cycles" in titled("bars", results(*paths))


def test_around_work_results_are_compared_with_each_other(titled: Any, tmp_path: Path) -> None:
    pair = "ring3/pushf_pop_push_popf"
    figures = {f"{pair}/throughput": 25.1, f"{pair}/in_situ/100": 0.04}
    paths = [of(tmp_path / f"{k}.json", figures, f"Core {k}") for k in range(2)]
    said = titled("section", results(*paths))
    assert said == "No reliable difference between these results around work"
    assert "adds 0.04" in titled("section", results(paths[0]))
    # One that was not measured back to back shows no difference from that.
    alone = of(tmp_path / "alone.json", {f"{pair}/in_situ/100": 16.0})
    assert titled("section", results(alone)) == "What a pair adds to a critical section"


def test_a_title_is_not_of_rows_that_are_left_out(titled: Any, tmp_path: Path) -> None:
    shown, left = "ring3/pushf_pop_push_popf/in_situ/100", "kmod/local_irq_save_restore"
    paths = [
        of(
            tmp_path / f"{k}.json",
            {shown: 16.0, f"{left}/in_situ/100": cost, f"{left}/throughput": 30.0},
            f"Core {k}",
            masking=_PVM,
        )
        for k, cost in enumerate((5.0, 20.0))
    ]
    assert "20.0" not in titled("section", results(*paths))


def test_one_reliable_pair_is_not_called_unreliable(titled: Any, tmp_path: Path) -> None:
    one = of(tmp_path / "a.json", {"kmod/save_cli_popf/throughput": 40.0}, masking=_NATIVE)
    assert titled("masking", results(one)).startswith("What saving, masking and restoring")


def test_too_few_runs_show_no_constancy() -> None:
    context = result("alpha").context
    dates = tuple(when(f"2026-11-0{day}T00:00:00+00:00") for day in (1, 2, 3))
    line = Line("ring3/popf/throughput", (1.0, 1.0, 1.0), (0, 1, 2), (), 0)
    three = History("CPU", (context,) * 3, dates, (line,), False)
    assert history._headline(three) == "3 runs are too few to find changes"


def test_a_paravirtual_kernel_is_not_headlined_as_a_cpu(tmp_path: Path) -> None:
    name = "bpf/irq_save_restore/throughput"
    paths = [
        of(tmp_path / f"{k}.json", {name: cost}, f"Core {k}", masking=_PVM)
        for k, cost in enumerate((42.9, 85.7))
    ]
    columns = columns_.of_files(paths, [reader.read_result(one) for one in paths])
    (part,) = data.parts(columns)
    assert part.kind == data.PARAVIRTUAL
    for said in (article._headline(part, True), pages.headline(part)):
        assert said.startswith("Not shown to be the CPU's masking: ")
    assert article._notice(part, True) == part.lead


def test_a_range_is_of_one_backend(tmp_path: Path) -> None:
    first = of(tmp_path / "a.json", {"ring3/popf/throughput": 14.0}, "Core A", masking=_NATIVE)
    figures = {"ring3/popf/throughput": 29.8, "kmod/popf/throughput": 89.5}
    other = of(tmp_path / "b.json", figures, "Core B", masking=_NATIVE)
    columns = columns_.of_files((first, other), [reader.read_result(one) for one in (first, other)])
    said = pages.answer(data.parts(columns)[0], "popf")
    assert "29.8" in said and "89.5" not in said

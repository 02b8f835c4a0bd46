# SPDX-License-Identifier: GPL-2.0-only
"""Every chart, of 1 to 40 CPUs: no text covers another or is cut, and none is too tall."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from importlib import import_module
from itertools import combinations
from typing import Any

import pytest

from irqcost import cli
from irqcost.compare.labels import Series, series
from irqcost.compare.trend import Change, History, Line
from irqcost.measure.simulation import traits
from irqcost.measure.unroll import Point, Sweep
from irqcost.model import catalogue, published, reader, units
from irqcost.model.result import Entry, Result
from irqcost.output import charts
from irqcost.output.charts import history, selftest, sweep
from irqcost.output.charts.parts import style
from irqcost.output.charts.output_files import LIGHT, WIDE, Theme
import results

COUNTS = (1, 2, 5, 12, 40)
PHONE = 360


@lru_cache(maxsize=1)
def committed() -> dict[str, list[Result]]:
    """The results of results/, by kind."""
    found: dict[str, list[Result]] = {"real": [], "counted": [], "emulated": []}
    for path in results.committed("**/*.json"):
        if "benchmarks" in json.loads(path.read_text("utf-8")):
            one = reader.read_result(path)
            kind = "counted" if one.context.instruction_clock else one.context.kind
            found[kind].append(one)
    assert all(found.values())
    return found


def several(kind: str, count: int) -> list[Series]:
    """So many CPUs: the committed results, then others like them with names and costs of their own,
    some unreliable, some with long names."""
    return others(committed()[kind], count)


def others(kept: Sequence[Result], count: int) -> list[Series]:
    """So many results: those that there are, and others made of them."""
    made = list(kept[:count])
    while len(made) < count:
        made.append(_other(kept[len(made) % len(kept)], len(made)))
    return series(made)


def _other(result: Result, number: int) -> Result:
    context = result.context
    long = "with a codename of many words " if number % 7 == 0 else ""
    cpu = replace(context.cpu, codename=f"Core {long}{number}")
    kernel = replace(context.kernel, release=f"6.{number}.0-{number}-amd64")
    entries = [_scaled(entry, 1 + number / 3, number % 5 == 0) for entry in result.entries]
    return Result(replace(context, cpu=cpu, kernel=kernel), tuple(entries))


def _scaled(entry: Entry, factor: float, unreliable: bool) -> Entry:
    def pair(ends: tuple[float, float] | None) -> tuple[float, float] | None:
        return ends and (ends[0] * factor, ends[1] * factor)

    return replace(
        entry,
        ticks=entry.ticks * factor,
        core_cycles=None if entry.core_cycles is None else entry.core_cycles * factor,
        ticks_interval=pair(entry.ticks_interval),
        cycles_interval=pair(entry.cycles_interval),
        verdict="disturbed" if unreliable else entry.verdict,
    )


def faults(draw: Callable[[Theme], Any], width: int) -> list[str]:
    """What is wrong with the texts of a figure."""
    texts: list[Any] = []
    text = import_module("matplotlib.text").Text
    plain = text.draw

    def draw_and_remember(self: Any, renderer: Any) -> None:
        if self.get_visible() and self.get_text().strip():
            texts.append((self, self.get_window_extent(renderer)))
        plain(self, renderer)

    with style.drawn(draw, LIGHT.at(width)) as figure, pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "draw", draw_and_remember)
        figure.set_dpi(96)
        figure.canvas.draw()
        paper = figure.bbox
    said = []
    if round(paper.width) != width:
        said.append(f"{paper.width} pixels wide")
    if width == WIDE and paper.height > paper.width * 1600 / 1200:
        said.append(f"{paper.height} pixels tall")
    shown = list({id(one): (one.get_text(), box.extents) for one, box in texts}.values())
    for words, (left, low, right, high) in shown:
        if left < -1 or low < -1 or right > paper.width + 1 or high > paper.height + 1:
            said.append(f"beyond the canvas: {words}")
    for (one, box), (other, there) in combinations(shown, 2):
        # As far as ink may touch: descenders of a line and what is below it.
        wide = min(box[2], there[2]) - max(box[0], there[0])
        tall = min(box[3], there[3]) - max(box[1], there[1])
        if wide > 1.5 and tall > 1.5:
            said.append(f"“{one}” and “{other}” overlap")
    return said


# Of which results a chart is; of others it has little to say, or nothing.
_KINDS = {"instructions": "counted", "contention": "emulated", "pending": "emulated"}


@pytest.mark.parametrize("name", charts.CHARTS)
@pytest.mark.parametrize("count", COUNTS)
def test_texts_of_charts_have_room(name: str, count: int) -> None:
    figure = import_module(f"irqcost.output.charts.{name}").figure
    found = several(_KINDS.get(name, "real"), count)
    inputs = charts.Inputs(found, catalogue.read(), None, published.read())
    for width in (WIDE, PHONE) if count in (2, 40) else (WIDE,):
        assert faults(lambda theme: figure(inputs, theme), width) == []


@pytest.mark.parametrize("name", ["bars", "instructions"])
def test_every_page_of_counts_has_room(name: str) -> None:
    """A kernel's interface has more rows than there is room for, and so have many kernels."""
    for count in (1, 5, 14):
        inputs = charts.Inputs(several("counted", count), catalogue.read())
        module = import_module(f"irqcost.output.charts.{name}")
        assert faults(lambda theme: module.figure(inputs, theme), WIDE) == []
        pages = charts.pages_of(name, inputs, LIGHT)
        assert len(pages) > 1 or count < 14
        for page in pages:
            assert faults(lambda _, page=page: page(), WIDE) == []


@pytest.fixture(scope="module", name="simulated")
def _simulated(tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    """Runs of all backends on machines that are not there."""
    folder = tmp_path_factory.mktemp("simulated")
    found = []
    for core in traits.cores()[:2]:
        described = {**traits.machine(core), "backends": ["ring3", "kmod", "bpf"]}
        (folder / "m.json").write_text(json.dumps(described), encoding="utf-8")
        out = folder / f"{len(found)}.json"
        arguments = ["run", "--quick", "--simulate", str(folder / "m.json"), "--out", str(out)]
        assert cli.main(arguments) == 0
        found.append(reader.read_result(out))
    return found


@pytest.mark.parametrize("name", ["masking", "bars", "section", "distribution"])
def test_texts_of_charts_of_simulated_results_have_room(name: str, simulated: list[Result]) -> None:
    # Every distribution of forty runs takes a minute to draw.
    for count in (2,) if name == "distribution" else (2, 40):
        inputs = charts.Inputs(others(simulated, count), catalogue.read())
        module = import_module(f"irqcost.output.charts.{name}")
        for width in (WIDE, PHONE) if count == 2 else (WIDE,):
            assert faults(lambda theme: module.figure(inputs, theme), width) == []
        for page in charts.pages_of(name, inputs, LIGHT):
            assert faults(lambda _, page=page: page(), WIDE) == []


def test_the_chart_of_a_history_has_room() -> None:
    """Many changes, many kernels, and one run far off; or nothing that changed."""
    context = committed()["real"][0].context
    runs = 40
    contexts = tuple(
        replace(context, kernel=replace(context.kernel, release=f"6.18.{run // 9}-flavour"))
        for run in range(runs)
    )
    dates = tuple(datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(run) for run in range(runs))
    values = [10.0 + run // 8 for run in range(runs - 1)] + [900.0]
    changes = tuple(Change(run, values[run - 1], values[run], "") for run in (8, 16, 24, 32))
    names = ("ring3/popf/throughput", "ring3/pushf_popf/in_situ/100", "bpf/call/throughput")
    moved = [
        Line(n, tuple(values), tuple(range(runs)), changes, 0, "masked by a store") for n in names
    ]
    still = [Line(f"{n}/x", (1.0, 1.0), (0, 1), (), 0) for n in names]
    for lines, least in ((moved * 12 + still, 2), (still, 1)):
        one = History("A CPU, virtualised by KVM", contexts, dates, tuple(lines), False)
        for width in (WIDE, PHONE):
            pages = history.pages(one, LIGHT.at(width))
            assert len(pages) >= least
            for page in pages:
                assert faults(lambda _, page=page: page(), width) == []


def test_the_charts_of_a_selftest_and_of_a_sweep_have_room() -> None:
    *_, path = results.committed("**/selftest/*.json")
    record = json.loads(path.read_text("utf-8"))
    result = committed()["real"][0]
    entry = result.figures["ring3/popf/throughput"]
    points = tuple(
        Point(unroll, replace(entry, verdict=verdict), units.Value(high - 9.0, high - 10.0, high))
        for unroll, high, verdict in ((4, 90.0, "good"), (8, 1000.0, "disturbed"), (64, 89.0, ""))
    )
    swept = Sweep("ring3/popf", result.context, "core cycles", points)
    for width in (WIDE, PHONE):
        assert faults(lambda theme: selftest.figure(record, theme), width) == []
        assert faults(lambda theme: sweep.figure(swept, "What it is", theme), width) == []

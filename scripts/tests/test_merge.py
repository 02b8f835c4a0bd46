# SPDX-License-Identifier: GPL-2.0-only
"""Processes become one result: medians, intervals, histograms; and the text that is written."""

import json
import random
from typing import Any

import pytest

from processes_of import BASELINE, TOLERANCE, entry, process, level
from irqcost.base import jsontext
from irqcost.base.errors import IrqcostError
from irqcost.measure.merge import merge
from irqcost.measure.processes import Process, Target
from irqcost.model import naming, parsing, units
from irqcost.model.result import Result
from irqcost.output import terminal
from irqcost.stats.histogram import MOST_BINS, histogram
from results import document

BASELINES = {"bpf": level(BASELINE)}
KINDS = ("clean", "contaminated")
NAME = "ring3/popf/throughput"
CYCLES = [13.03, 13.0, 13.01, 13.02, 13.0, 13.01, 13.02]


def merged(*entries: dict[str, object], **ours: object) -> Result:
    return parsing.parse(merge([process(one, **ours) for one in entries], Target()))


def test_a_figure_is_the_median_of_its_processes() -> None:
    document = merge([process(entry(NAME, value)) for value in CYCLES], Target())
    (one,) = document["benchmarks"]
    assert one["core_cycles"] == 13.01 and one["ticks"] == 26.02 and one["real_time"] == 13.01
    assert (one["core_cycles_low"], one["core_cycles_high"]) == (13.0, 13.03)
    assert (one["ticks_low"], one["ticks_high"]) == (26.0, 26.06)
    assert one["processes"] == CYCLES and one["processes_contaminated"] == []
    assert (one["samples"], one["clean"], one["preempted"]) == (2800, 2100, 7)
    assert one["iterations"] == 7000
    assert (one["verdict"], one["reasons"], one["label"]) == ("good", [], "good")
    assert "distribution" not in one
    figure = parsing.parse(document).figures[NAME]
    assert figure.cycles_interval == (13.0, 13.03) and not figure.unreliable
    ours = document["context"]["irqcost"]
    assert ours["processes"]["count"] == 7 and ours["processes"]["seconds"] == 7
    assert ours["processes"]["cpus"] == [1] * 7
    assert ours["verdict"] == {
        "verdict": "good",
        "sentence": "1 of 1 figures good",
        "reasons": [],
    }
    assert ours["baselines"] == {
        "ring3": {
            "sensor_cycles": BASELINE,
            "source": "this run",
            "cached": None,
            "tolerance": TOLERANCE,
            "ticks_per_cycle": 2,
        }
    }
    assert ours["calibration"] == {
        "imul_latency": 3,
        "processes": 7,
        "imul_per_add": 3.0,
        "xor_per_add": 1.0,
        "reason": "3.000 adds",
    }


def test_disturbed_processes_are_kept_and_not_used() -> None:
    loud = [entry(NAME, 20.0, sensor=0.3), entry(NAME, 21.0, label="disturbed: …")]
    document = merge([process(one) for one in [*loud, *(entry(NAME, v) for v in CYCLES)]], Target())
    (one,) = document["benchmarks"]
    assert one["core_cycles"] == 13.01 and one["processes_contaminated"] == [20.0, 21.0]
    assert one["samples"] == 9 * 400 and one["verdict"] == "good"
    # Their samples are not among the free ones, of which the figure is made.
    assert one["clean"] == 7 * 300
    counts = {kind: _total(one["histogram"][kind]) for kind in KINDS}
    assert counts == {"clean": 7 * 3, "contaminated": 9 + 2 * 3}


def test_without_a_free_process_the_figure_says_so() -> None:
    result = merged(*[entry(NAME, 20.0, label="disturbed: …")] * 7)
    figure = result.figures[NAME]
    assert figure.core_cycles == 20.0 and figure.cycles_interval is None
    assert figure.unreliable and figure.remark.startswith("disturbed: too noisy: 0 of 7 processes")
    assert result.context.verdict == "disturbed" and result.context.processes == 7
    assert result.context.outcome == "0 of 1 figures good; 1 disturbed"


def test_an_emulated_run_is_exact() -> None:
    one = entry(NAME, 1.0)
    del one["core_cycles"]
    one["distribution"]["unit"] = "ticks"
    execution = {"kind": "emulated", "reason": "x"}
    document = merge([process(one, execution=execution)], Target())
    (figure,) = document["benchmarks"]
    assert figure["ticks"] == 2.0 and figure["processes"] == [2.0] and "ticks_low" not in figure
    assert figure["verdict"] == "emulated" and "core_cycles" not in figure
    assert not parsing.parse(document).figures[NAME].unreliable


def test_derived_and_absent() -> None:
    def derived(cycles: float) -> dict[str, object]:
        numbers = {"core_cycles": cycles, "low": cycles - 1, "high": cycles + 1}
        return {"name": "bpf/x/alone", **numbers, "formula": "x", "inputs": {"x": cycles + 5}}

    missing = [{"name": "ring3/rdtscp/isolated", "reason": "no RDTSCP"}]
    lost = [*missing, {"name": "bpf/x/alone", "reason": "call was not measured"}]
    run = [
        process(entry(NAME, 13.0), derived=[derived(cycles)], absent=missing)
        for cycles in (21.0, 22.0, 24.0)
    ]
    run.append(process(entry(NAME, 13.0), absent=lost))
    ours = merge(run, Target())["context"]["irqcost"]
    assert ours["derived"] == [derived(22.0)]
    assert ours["absent"] == missing


def alone(row: float, price: str, cost: float) -> dict[str, object]:
    return {
        "name": "bpf/x/alone",
        **{key: row - cost for key in ("core_cycles", "low", "high")},
        "formula": f"x - 1 * {price}",
        "inputs": {"x": row, price: cost},
    }


def test_derived_figures_of_different_formulas_are_not_mixed() -> None:
    # On a kernel where both calls return in the same way, noise tells which is the cheaper one.
    found = [alone(30, "call", 4.0), alone(31, "call_thunk", 7.0), alone(32, "call", 4.2)]
    run = [process(entry("bpf/x/throughput", 30), derived=[one]) for one in found]
    (one,) = merge(run, Target())["context"]["irqcost"]["derived"]
    assert one["formula"] == "x - 1 * call"
    assert one["core_cycles"] == pytest.approx((26.0 + 27.8) / 2)
    assert one["inputs"] == {"x": 31, "call": 4.1}


def test_nothing_is_derived_from_a_process_that_was_disturbed() -> None:
    def of(sensor: float, row: float) -> Process:
        entries = (entry("bpf/x/throughput", row, sensor=sensor), entry("bpf/call/throughput", 4))
        baselines = {"bpf": level(sensor)}
        return process(*entries, derived=[alone(row, "call", 4.0)], baselines=baselines)

    def ours(*processes: Process) -> Any:
        return merge(processes, Target())["context"]["irqcost"]

    # Beside a neighbour from end to end: in its own process that does not show.
    (one,) = ours(of(0.3, 50), of(BASELINE, 30), of(0.3, 50), of(BASELINE, 30))["derived"]
    assert one["core_cycles"] == 26.0
    quiet = process(entry("bpf/call/throughput", 4), baselines=BASELINES)
    never = ours(of(0.3, 50), quiet, quiet)
    assert never["derived"] == []
    assert [item["name"] for item in never["absent"]] == ["bpf/x/alone"]


def test_conditions_of_all_processes() -> None:
    def conditions(load: float, irqs: dict[str, int] | None, core: int | None) -> dict[str, object]:
        return {
            "interrupts": irqs,
            "cpu_seconds": {"user": 0.1, "steal": 0.01},
            "thermal_throttles": {"core": core, "package": 1},
            "smis": core,
            "load_avg": {"start": [load] * 3, "end": [load + 1] * 3},
        }

    def of(*items: dict[str, object]) -> dict[str, object]:
        run = [process(entry(NAME, 13.0), conditions=item) for item in items]
        found = merge(run, Target())["context"]["irqcost"]["conditions"]
        assert isinstance(found, dict)
        return found

    assert of(
        conditions(1, {"LOC timer": 5, "36 disk": 1}, 2),
        conditions(2, {"LOC timer": 7}, 0),
        conditions(3, {"RES x": 1}, 1),
    ) == {
        "interrupts": {"LOC timer": 12, "36 disk": 1, "RES x": 1},
        "cpu_seconds": {"user": 0.3, "steal": 0.03},
        "thermal_throttles": {"core": 3, "package": 3},
        "smis": 3,
        "load_avg": {"start": [1, 1, 1], "end": [4, 4, 4]},
    }
    unknown = of(conditions(1, {}, 2), conditions(1, None, None))
    assert unknown["interrupts"] is None
    assert unknown["thermal_throttles"] == {"core": None, "package": 2}
    assert unknown["smis"] is None
    without = merge([process(entry(NAME, 13.0))], Target())
    assert "conditions" not in without["context"]["irqcost"]


def test_nobody_learns_the_name_of_the_host() -> None:
    one = process(entry(NAME, 13.0))
    context = {**one.document["context"], "host_name": "my-laptop"}
    stored = merge([Process({**one.document, "context": context}, 1)], Target())
    assert "my-laptop" not in json.dumps(stored)


def _total(grid: dict[str, Any]) -> int:
    return int(grid["below"] + sum(grid["counts"][1::2]) + grid["above"])


def test_stray_samples_do_not_make_the_bins_wide() -> None:
    samples = [13 + 0.01 * (place % 10) for place in range(2000)]
    grid = histogram("core_cycles", 13.0, [*samples, 1e6, -1e6], [])["clean"]
    assert grid["width"] == 0.01
    assert (grid["below"], grid["above"]) == (1, 1)


def test_a_histogram_gives_a_quantile_back() -> None:
    generator = random.Random(3)
    free = sorted(13 + generator.expovariate(50) for _ in range(3000))
    disturbed = [generator.uniform(13, 40) for _ in range(3000)]
    found = histogram("core_cycles", 13.0, free, disturbed)
    for name, values in (("clean", free), ("contaminated", disturbed)):
        grid = found[name]
        assert grid["below"] + sum(grid["counts"][1::2]) + grid["above"] == len(values)
        assert len(grid["counts"]) <= 2 * MOST_BINS[name]
        assert grid["origin"] <= min(values) < grid["origin"] + grid["width"]
    seen = found["clean"]["below"]
    for index, count in zip(found["clean"]["counts"][::2], found["clean"]["counts"][1::2]):
        seen += count
        if seen > 300:
            break
    p10 = found["clean"]["origin"] + index * found["clean"]["width"]
    assert p10 == pytest.approx(free[300], rel=0.001)


@pytest.mark.parametrize("values", [[], [0.0], [-2.5, -2.5], [1e6, -1e6, 0.0]])
def test_histograms_of_odd_samples(values: list[float]) -> None:
    grid = histogram("ticks", 0.0, values, [])["clean"]
    assert grid["below"] + sum(grid["counts"][1::2]) + grid["above"] == len(values)
    assert grid["width"] > 0


def test_the_text_is_json_with_lists_of_numbers_on_a_line() -> None:
    document = merge([process(entry(NAME, value)) for value in CYCLES], Target())
    text = jsontext.dumps(document)
    assert json.loads(text) == document
    (line,) = [line for line in text.splitlines() if '"core_cycles"' in line]
    assert json.loads(line) == document["benchmarks"][0]
    assert '"processes":[13.03,13.0,13.01,13.02,13.0,13.01,13.02],' in line
    assert (
        jsontext.dumps({"a": 1 / 3, "b": [2 / 3]})
        == '{\n  "a": 0.3333333,\n  "b": [0.6666667]\n}\n'
    )
    assert jsontext.dumps({"a": [], "b": {}, "c": ["x", None]}).startswith('{\n  "a": [],\n')
    with pytest.raises(ValueError, match="JSON"):
        jsontext.dumps({"a": [float("nan")]})


def test_tables_and_units_give_the_interval() -> None:
    result = merged(*[entry(NAME, value) for value in CYCLES])
    figure = result.figures[NAME]
    assert units.figure(result, figure, "cycles") == units.Value(13.01, 13.0, 13.03)
    assert units.figure(result, figure, "ticks") == units.Value(26.02, 26.0, 26.06)
    ns = units.figure(result, figure, "ns")
    assert ns is not None and ns.width == pytest.approx(0.06 / 2.445, rel=1e-6)
    text = terminal.text(result)
    (row,) = [line.split() for line in text.splitlines() if "(push; popf)" in line]
    assert row[-2:] == ["13.01", "±0.02"]
    assert "over up to 7 processes" in text and "all 1 results are good" in text
    # Without an interval: the spread of the samples, half to each side.
    alone = merged(entry(NAME, 13.0))
    ticks = units.figure(alone, alone.figures[NAME], "ticks")
    assert ticks is not None and ticks.width == pytest.approx(0.1)
    assert "±" not in terminal.text(alone).partition("\n\na  ")[0]
    assert "imprecise: 1 process; an interval needs 6" in terminal.text(alone)


def test_cores_of_two_types_are_not_averaged() -> None:
    cpu = document("alpha")["context"]["irqcost"]["cpu"]
    types = ["performance"] * 6 + ["efficiency"]
    run = [process(entry(NAME, 13.0), cpu={**cpu, "core_type": one}) for one in types]
    found = parsing.parse(merge(run[:6], Target())).context
    assert found.cpu.core_type == "performance"
    assert naming.cpu_name(found).endswith(", performance core")
    with pytest.raises(IrqcostError, match="different types .performance, efficiency. make no"):
        merge(run, Target())

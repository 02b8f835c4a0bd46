# SPDX-License-Identifier: GPL-2.0-only
"""The clocks of a run: the chain compared with the CPU's counter, and the TSC's frequency."""

from typing import Any

import pytest

from processes_of import calibration, entry, process
from irqcost.measure import verdict
from irqcost.measure.merge import merge
from irqcost.measure.processes import Benchmark, Target

NAME = "ring3/popf/throughput"


def cycles(
    *counted: float | None, counter: str | None = "aperf", latency: int | None = 3
) -> dict[str, Any]:
    """context.irqcost of a run whose processes' counters made this of a multiply, and the adds
    beside it `latency`."""
    processes = []
    for value in counted:
        item: dict[str, Any] = {"source": "chain", "counter": counter}
        item.update({"reason": "none"} if value is None else {"imul_cycles": value})
        clock = {"cycles": {"ring3": item}, "calibration": calibration(latency)}
        processes.append(process(entry(NAME, 13.0), **clock))
    context: dict[str, Any] = merge(processes, Target())["context"]["irqcost"]
    return context


def test_counter_and_chain_agree() -> None:
    context = cycles(3.001, None, 2.999, 3.002, 3.0, 3.0, 3.0)
    assert context["cycles"]["ring3"] == {
        "source": "chain",
        "counter": "aperf",
        "imul_cycles": pytest.approx(3.0),
        "processes": 6,
    }
    assert context["verdict"]["verdict"] == "good"


@pytest.mark.parametrize(("value", "latency"), [(4.019, 4), (3.986, 4), (10.04, 10)])
def test_they_agree_within_half_a_percent(value: float, latency: int) -> None:
    assert cycles(*[value] * 6, latency=latency)["verdict"]["verdict"] == "good"


@pytest.mark.parametrize(
    ("value", "latency"), [(2.98, 3), (3.02, 3), (4.0, 3), (3.0, 4), (4.021, 4)]
)
def test_counter_and_chain_disagree(value: float, latency: int) -> None:
    found = cycles(*[value] * 6, latency=latency)["verdict"]
    assert found["verdict"] == "inconsistent" and found["sentence"].endswith("; 1 inconsistent")
    assert found["reasons"][0].startswith(
        f"ring3: a multiply of the chain takes {value:.3f} cycles by the CPU's counter (aperf) and "
        f"{latency} by the adds beside it."
    )
    assert "the clock of ring3 is off: see the note" in found["reasons"][1]


def test_without_a_counter_the_chain_stands_alone() -> None:
    context = cycles(*[None] * 6, counter=None)
    assert context["cycles"]["ring3"] == {"source": "chain", "counter": None, "reason": "none"}
    assert context["verdict"]["verdict"] == "good"
    # A file from before there was a counter.
    assert "cycles" not in merge([process(entry(NAME, 13.0))] * 6, Target())["context"]["irqcost"]


def test_a_counter_says_nothing_where_the_chain_is_no_clock() -> None:
    counted = {"source": None, "counter": "perf", "imul_cycles": 5.0}
    assert not verdict.Controls({NAME: Benchmark(NAME)}, {"ring3": counted}, 3).notes
    # Nor where the chain's length could not be told.
    counted["source"] = "chain"
    assert not verdict.Controls({NAME: Benchmark(NAME)}, {"ring3": counted}, None).notes
    assert verdict.Controls({NAME: Benchmark(NAME)}, {"ring3": counted}, 3).notes


def test_the_frequency_keeps_the_source_that_found_it() -> None:
    own = {"khz": 2e6, "source": "cpuid", "invariant": True, "step": 4}
    told = {"khz": 2e6, "source": "earlier", "invariant": True, "step": 2.5}
    processes = [process(entry(NAME, 13.0), tsc=tsc) for tsc in (told, own, told)]
    assert merge(processes, Target())["context"]["irqcost"]["tsc"] == {**own, "step": 2.5}

# SPDX-License-Identifier: GPL-2.0-only
"""The clocks of a run: the chain held against the CPU's counter, and the TSC's frequency."""

from typing import Any

import pytest

from epochs_of import entry, epoch
from irqcost import verdict
from irqcost.epochs import Target
from irqcost.merge import merge

NAME = "ring3/popf/throughput"


def cycles(*counted: float | None, counter: str | None = "aperf") -> dict[str, Any]:
    """context.irqcost of a run whose epochs' counters made this of a multiply."""
    epochs = []
    for value in counted:
        item: dict[str, Any] = {"source": "chain", "counter": counter}
        item.update({"reason": "none"} if value is None else {"imul_cycles": value})
        epochs.append(epoch(entry(NAME, 13.0), cycles={"ring3": item}))
    context: dict[str, Any] = merge(epochs, Target())["context"]["irqcost"]
    return context


def test_counter_and_chain_agree() -> None:
    context = cycles(3.001, None, 2.999, 3.002, 3.0, 3.0, 3.0)
    assert context["cycles"]["ring3"] == {
        "source": "chain",
        "counter": "aperf",
        "imul_cycles": pytest.approx(3.0),
        "epochs": 6,
    }
    assert context["verdict"]["verdict"] == "good"


@pytest.mark.parametrize("value", [2.98, 3.02, 4.0])
def test_counter_and_chain_disagree(value: float) -> None:
    found = cycles(*[value] * 6)["verdict"]
    assert found["verdict"] == "inconsistent"
    assert f"costs {value:.3f} core cycles by aperf and not 3" in found["reasons"][0]


def test_without_a_counter_the_chain_stands_alone() -> None:
    context = cycles(*[None] * 6, counter=None)
    assert context["cycles"]["ring3"] == {"source": "chain", "counter": None, "reason": "none"}
    assert context["verdict"]["verdict"] == "good"
    # A file from before there was a counter.
    assert "cycles" not in merge([epoch(entry(NAME, 13.0))] * 6, Target())["context"]["irqcost"]


def test_a_counter_says_nothing_where_the_chain_is_no_clock() -> None:
    assert not verdict.counter_faults(
        {"ring3": {"source": None, "counter": "perf", "imul_cycles": 5.0}}
    )


def test_the_frequency_keeps_the_source_that_found_it() -> None:
    own = {"khz": 2e6, "source": "cpuid", "invariant": True, "step": 4}
    told = {"khz": 2e6, "source": "earlier", "invariant": True, "step": 2}
    epochs = [epoch(entry(NAME, 13.0), tsc=tsc) for tsc in (told, own, told)]
    assert merge(epochs, Target())["context"]["irqcost"]["tsc"] == {**own, "step": 2}

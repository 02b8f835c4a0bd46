# SPDX-License-Identifier: GPL-2.0-only
"""Backends that measured the same code must have found the same, and only those."""

from typing import Any

import pytest

from processes_of import BASELINE, entry, process, level
from irqcost.measure import agreement
from irqcost.measure.merge import merge
from irqcost.measure.processes import Target
from irqcost.model import catalogue, parsing

CODE = {probe.key: probe.code for probe in catalogue.read()}
BASELINES = {backend: level(BASELINE) for backend in ("ring3", "kmod", "kvm", "bpf")}
NOISE = (-0.02, -0.01, 0.0, 0.0, 0.01, 0.02)


def merged(figures: dict[str, float], noise: tuple[float, ...] = NOISE, **ours: Any) -> Any:
    runs = [
        process(
            *(entry(name, value + delta) for name, value in figures.items()),
            baselines=BASELINES,
            code=CODE,
            **ours,
        )
        for delta in noise
    ]
    return merge(runs, Target())["context"]["irqcost"]


@pytest.mark.parametrize(
    ("backend", "probe", "group"),
    [
        ("ring3", "lfence", "all"),
        ("kvm", "cli", "all"),
        ("ring3", "popf", None),
        ("ring3", "pushf_pop_push_popf", None),
        ("kmod", "popf", "level 0"),
        ("kvm", "popf_setting", "level 0"),
        ("bpf", "dep_imul", "all"),
        ("bpf", "call", None),
    ],
)
def test_who_must_agree(backend: str, probe: str, group: str | None) -> None:
    assert agreement.expected(backend, probe) == group


def test_no_row_of_cr8_is_compared() -> None:
    rows = [key for key, code in CODE.items() if "%cr8" in code]
    assert rows and all(agreement.expected("kmod", key) is None for key in rows)


def test_what_overlaps_agrees() -> None:
    ours = merged({"ring3/lfence/throughput": 12.0, "kmod/lfence/throughput": 12.01})
    (one,) = ours["agreement"]
    assert one["name"] == "lfence/throughput" and one["agree"]
    assert one["values"]["ring3"] == {"core_cycles": 12.0, "low": 11.98, "high": 12.02}
    assert ours["verdict"]["verdict"] == "good" and ours["verdict"]["reasons"] == []


def test_apart_by_less_than_the_target_agrees() -> None:
    names = ("ring3/lfence/throughput", "kmod/lfence/throughput")
    # Intervals of ±0.02, and a target of ±0.05.
    near = merged(dict(zip(names, (12.0, 12.08))))
    assert near["agreement"][0]["agree"]
    far = merged(dict(zip(names, (12.0, 12.1))))
    assert not far["agreement"][0]["agree"]


def test_what_disagrees_is_said_of_the_run() -> None:
    figures = {"ring3": 12.0, "kmod": 12.0, "kvm": 13.0}
    ours = merged({f"{backend}/lfence/isolated": value for backend, value in figures.items()})
    (one,) = ours["agreement"]
    assert not one["agree"] and list(one["values"]) == list(figures)
    reason, figures_in_doubt = ours["verdict"]["reasons"]
    assert reason.startswith("backends disagree on lfence/isolated: ring3 12.000 [11.980, 12.020],")
    assert figures_in_doubt == (
        "3 inconsistent, such as: backends disagree on lfence/isolated: see the note"
    )
    assert ours["verdict"]["verdict"] == "inconsistent"


def test_popf_differs_by_privilege_level() -> None:
    figures = {"ring3/popf/throughput": 30.0, "kmod/popf/throughput": 25.0}
    assert merged(figures)["agreement"] == []
    ours = merged({**figures, "kvm/popf/throughput": 26.0})
    assert [list(one["values"]) for one in ours["agreement"]] == [["kmod", "kvm"]]
    assert not ours["agreement"][0]["agree"]


def test_without_an_interval_nothing_is_compared() -> None:
    figures = {"ring3/lfence/throughput": 12.0, "kmod/lfence/throughput": 20.0}
    assert merged(figures, NOISE[:5])["agreement"] == []


def test_numbers_of_instructions_are_equal() -> None:
    def counted(**ticks: float) -> Any:
        entries = []
        for backend, value in ticks.items():
            one = entry(f"{backend}/dep_add/throughput", value / 2, ticks_resolution=1e-5)
            del one["core_cycles"], one["distribution"]
            entries.append(one)
        execution = {"kind": "emulated", "reason": "x"}
        ours = {"execution": execution, "instruction_clock": True, "code": CODE}
        return merge([process(*entries, **ours)], Target())["context"]["irqcost"]

    # ns by the TSC's frequency, which the kernel rounded down.
    (one,) = counted(ring3=1.0, kmod=1.0, bpf=0.999999)["agreement"]
    assert one["agree"] and one["values"]["kmod"]["ticks"] == 1
    ours = counted(ring3=1.0, kmod=1.001)
    assert not ours["agreement"][0]["agree"]
    assert ours["verdict"]["reasons"][0].startswith("backends disagree on dep_add/throughput")


def test_emulated_time_is_not_compared() -> None:
    figures = {"ring3/lfence/throughput": 12.0, "kmod/lfence/throughput": 20.0}
    execution = {"kind": "emulated", "reason": "x"}
    one = [entry(name, value) for name, value in figures.items()]
    for item in one:
        del item["core_cycles"], item["distribution"]
    document = merge([process(*one, execution=execution, code=CODE)], Target())
    assert document["context"]["irqcost"]["agreement"] == []
    assert not parsing.parse(document).context.reasons[0].startswith("backends")

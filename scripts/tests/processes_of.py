# SPDX-License-Identifier: GPL-2.0-only
"""Processes for tests: what the harness would have written, with the figures that a test wants."""

from collections.abc import Mapping
from typing import Any

from irqcost.measure.processes import Process
from results import document

BASELINE = 0.18
TOLERANCE = 0.03


def entry(
    name: str, cycles: float, label: str = "clean", sensor: float = BASELINE, **more: Any
) -> dict[str, Any]:
    """An entry whose core cycle is two ticks."""
    ticks = 2 * cycles
    return {
        "name": name,
        "run_name": name,
        "run_type": "iteration",
        "repetition_index": 0,
        "threads": 1,
        "iterations": 1000,
        "real_time": ticks / 2,
        "cpu_time": ticks / 2,
        "time_unit": "ns",
        "core_cycles": cycles,
        "ticks": ticks,
        "ticks_min": ticks,
        "ticks_p50": ticks,
        "ticks_p99": ticks,
        "spread": 0.1,
        "sensor": sensor,
        "samples": 400,
        "clean": 300,
        "interrupted": 0,
        "preempted": 1,
        "migrated": 0,
        "label": label,
        "distribution": {
            "unit": "core_cycles",
            "clean": [cycles] * 3,
            "contaminated": [2 * cycles],
        },
        **more,
    }


def level(value: float, steady: bool = True) -> dict[str, Any]:
    """What a process says of a backend's sensor."""
    return {
        "sensor_cycles": value,
        "steady": steady,
        "quartiles": [value, value],
        "tolerance": TOLERANCE,
        "ticks_per_cycle": 2,
    }


def calibration(latency: int | None) -> dict[str, Any]:
    """What a process says of the chain's multiply."""
    reason = "3.000 adds" if latency else "no whole number of adds"
    ratios = {"imul_per_add": float(latency or 3.5), "xor_per_add": 1.0}
    return {"imul_latency": latency, **ratios, "reason": reason}


def process(
    *entries: Mapping[str, Any], seconds: float = 1, baseline: float = BASELINE, **ours: Any
) -> Process:
    """A process that measured these; `ours` goes to context.irqcost."""
    content = document("alpha")
    baselines = {"ring3": level(baseline)}
    content["context"]["irqcost"].update(baselines=baselines, controls={}, absent=[])
    content["context"]["irqcost"].update(calibration=calibration(3))
    content["context"]["irqcost"].update(ours)
    content["benchmarks"] = list(entries)
    return Process(content, seconds)

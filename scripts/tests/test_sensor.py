# SPDX-License-Identifier: GPL-2.0-only
"""A core whose nops tell nothing of a neighbour: another sensor is taken, and finds him."""

import json
from pathlib import Path
from typing import Any

import pytest

from irqcost.base.progress import Progress
from irqcost.measure import build
from irqcost.measure.harness import Session
from irqcost.measure.merge import merge
from irqcost.measure.processes import Plan, Target, collect
from irqcost.measure.simulation.simulate import Clock

SHARES = {"nop": 0, "zero_idiom": 0.6, "push_pop": 0.6, "dep_add": 0, "other": 0.3}


def measured(folder: Path, smt: bool) -> Any:
    """A quick run beside a neighbour who is there a third of the time."""
    machine = {
        "name": "x",
        "smt": smt,
        "neighbour": {"every_s": 0.6, "lasts_s": 0.2, "shares": SHARES},
    }
    path = folder / "machine.json"
    path.write_text(json.dumps(machine))
    arguments = [f"--irqcost_simulate={path}", "--irqcost_backends=ring3"]
    arguments.append("--benchmark_filter=/(lahf|popf|pushf)/throughput")
    clock = Clock()
    with Progress("") as progress:
        session = Session(build.harness(), arguments, 4.0, progress, clock=clock)
        # A target that is never met, so that the neighbour comes and goes meanwhile.
        processes = collect(session.measure, Plan(4.0, Target(0.001, 0.001)), clock.now)
    return merge(processes, Target())


@pytest.mark.parametrize("smt", [True, False])
def test_another_sensor_finds_the_neighbour(smt: bool, tmp_path: Path) -> None:
    document = measured(tmp_path, smt)
    ours = document["context"]["irqcost"]
    assert ours["sensor"]["row"] == "zero_idiom", ours["sensor"]
    how = "longer beside a thread on CPU 1" if smt else "scattered by"
    assert how in ours["sensor"]["reason"]
    truth = ours["simulated"]["truth"]
    for entry in document["benchmarks"]:
        assert abs(entry["core_cycles"] / truth[entry["run_name"]] - 1) < 0.003
        assert entry["verdict"] == "good", entry
    contaminated = sum(one["samples"] - one["clean"] for one in document["benchmarks"])
    assert contaminated > 50

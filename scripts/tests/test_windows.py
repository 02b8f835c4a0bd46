# SPDX-License-Identifier: GPL-2.0-only
"""What a result file keeps of the windows is enough to make each estimate anew."""

import json
import random
import statistics
from pathlib import Path
from typing import Any

import pytest

from epochs_of import entry, epoch
from irqcost import ROOT, histogram, jsontext
from irqcost.epochs import Target
from irqcost.merge import merge

NAME = "ring3/popf/throughput"


def quantile(values: list[float]) -> float:
    """Hyndman and Fan's type 7."""
    ordered = sorted(values)
    position = histogram.QUANTILE * (len(ordered) - 1)
    lower = int(position)
    upper = min(lower + 1, len(ordered) - 1)
    return ordered[lower] + (position - lower) * (ordered[upper] - ordered[lower])


def used(
    cost: float, samples: int, seed: int, noise: float = 20, location: str = "floor"
) -> dict[str, Any]:
    """Windows of 300 operations and 30,000 cycles, in ticks of half a cycle, with a tail."""
    chance = random.Random(seed)

    def window(ticks: float) -> list[float]:
        return [round(ticks + chance.expovariate(1 / noise)) for _ in range(samples)]

    return {
        "ops": 300,
        "chain_cycles": 15000,
        "location": location,
        "base": window(100 + 600 * cost),
        "body": window(100 + 1200 * cost),
        "chain_base": window(100 + 30000),
        "chain_body": window(100 + 60000),
    }


def middle(values: list[float]) -> float:
    """The mean of those from the 10th to the 75th percentile."""
    return statistics.fmean(sorted(values)[len(values) // 10 : len(values) * 3 // 4])


def figure(windows: dict[str, Any]) -> float:
    stands = middle if windows["location"] == "middle" else quantile
    row = (stands(windows["body"]) - stands(windows["base"])) / windows["ops"]
    chain = quantile(windows["chain_body"]) - quantile(windows["chain_base"])
    return row / (chain / windows["chain_cycles"])


def written(epochs: list[dict[str, Any]], path: Path) -> dict[str, Any]:
    """The entry of a result file of these epochs, as it is read back."""
    measured = []
    for one in epochs:
        cycles = figure(one)
        free = [cycles] * len(one["body"])
        distribution = {"unit": "core_cycles", "free": free, "disturbed": [], "used": one}
        measured.append(epoch(entry(NAME, cycles, distribution=distribution)))
    path.write_text(jsontext.dumps(merge(measured, Target())), encoding="utf-8")
    (found,) = json.loads(path.read_text(encoding="utf-8"))["benchmarks"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("location", ["floor", "middle"])
@pytest.mark.parametrize("noise", [1, 20, 400])
@pytest.mark.parametrize("cost", [0.2, 13.0, 170.0])
def test_each_epoch_can_be_estimated_again(
    cost: float, noise: float, location: str, tmp_path: Path
) -> None:
    epochs = [used(cost, 200, seed, noise, location) for seed in range(6)]
    found = written(epochs, tmp_path / "result.json")
    assert len(found["windows"]) == len(found["epochs"]) == 6
    for windows, value in zip(found["windows"], found["epochs"]):
        again, off = histogram.redo(windows)
        assert again == pytest.approx(value, abs=off)
        for name in histogram.WINDOWS:
            assert len(windows[name]["counts"]) <= 24


def test_without_noise_the_grid_is_as_fine_as_the_clock(tmp_path: Path) -> None:
    (windows, *_) = written([used(13, 50, 1, 0.01)] * 6, tmp_path / "result.json")["windows"]
    again, off = histogram.redo(windows)
    assert again == pytest.approx(13, abs=1e-9) and off < 0.002 * 13


def test_disturbed_windows_are_no_part(tmp_path: Path) -> None:
    one = used(13, 50, 1)
    slow = {**one, "body": [2 * value for value in one["body"]]}
    distribution = {"unit": "core_cycles", "free": [26.0], "disturbed": [], "used": slow}
    epochs = [epoch(entry(NAME, 26.0, label="disturbed: …", distribution=distribution))] * 6
    (found,) = merge(epochs, Target())["benchmarks"]
    assert found["epochs"] == [] and "windows" not in found


@pytest.mark.parametrize(
    "path", sorted((ROOT / "results").rglob("*.json")), ids=lambda path: str(path.name)
)
def test_of_every_result_in_the_tree(path: Path) -> None:
    for found in json.loads(path.read_text(encoding="utf-8")).get("benchmarks", []):
        # Files from before windows were kept have none.
        if "core_cycles" in found:
            for windows, value in zip(found.get("windows", []), found["epochs"]):
                again, off = histogram.redo(windows)
                assert again == pytest.approx(value, abs=off * 1.001), found["name"]

# SPDX-License-Identifier: GPL-2.0-only
"""The sensor's baseline level from run to run: what is cached, what is used, what it says."""

import json
from pathlib import Path
from typing import Any

import pytest

from processes_of import TOLERANCE, entry, process
from irqcost.measure import interference
from irqcost.measure.interference import BaselineCache
from irqcost.measure.merge import merge
from irqcost.measure.processes import Process, Processes, Target
from irqcost.model import parsing

NAME = "ring3/popf/throughput"
GOOD = {NAME: "good"}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IRQCOST_CACHE", str(tmp_path))
    return tmp_path / "sensor-floors.json"


def run_of(*sensors: float, **ours: Any) -> list[Process]:
    return [process(entry(NAME, 13.0, sensor=one), baseline=one, **ours) for one in sensors]


def with_known(run: list[Process]) -> dict[str, float]:
    cache = BaselineCache()
    return Processes([cache.add_known(one) for one in run]).cached


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.181], 0.181),
        # None agree.
        ([0.181, 0.25], None),
        ([0.15, 0.181, 0.25, 0.317], None),
        ([0.181, 0.182, 0.183], 0.182),
        ([0.181, 0.183], 0.182),
        # Beside a neighbour, and a little off.
        ([0.317, 0.181, 0.32, 0.182, 0.183], 0.182),
        # One that was wrongly low, and on the edge of 3 %.
        ([0.1, 0.2, 0.206, 0.2061], 0.203),
        ([0.18] * 9, 0.18),
    ],
)
def test_the_median_of_those_that_agree(values: list[float], expected: float | None) -> None:
    assert interference.typical(values) == (expected and pytest.approx(expected))


def test_levels_that_do_not_agree_are_not_believed(place: Path) -> None:
    for one in (0.181, 0.25):
        BaselineCache().keep(run_of(one), GOOD)
    assert json.loads(place.read_text())["machines"][0]["floors"] == {"ring3": [0.181, 0.25]}
    assert with_known(run_of(0.2)) == {}
    # The next one says which of them it was.
    BaselineCache().keep(run_of(0.182), GOOD)
    assert with_known(run_of(0.2)) == {"ring3": 0.1815}


def test_a_run_teaches_the_level_on_which_its_processes_agree() -> None:
    assert interference.worth_keeping(run_of(0.181, 0.1, 0.182, 0.183), GOOD) == {"ring3": 0.182}
    assert interference.worth_keeping(run_of(0.181, 0.1), GOOD) == {}


@pytest.mark.parametrize(
    ("words", "learns"),
    [
        (["good"], True),
        (["good", "disturbed"], True),
        (["good", "disturbed", "disturbed"], False),
        (["inconsistent", "inconsistent"], False),
    ],
)
def test_only_good_figures_teach(words: list[str], learns: bool) -> None:
    names = [NAME, "ring3/nop/throughput", "ring3/lahf/throughput"][: len(words)]
    run = [process(*(entry(name, 13.0) for name in names)) for _ in range(6)]
    assert bool(interference.worth_keeping(run, dict(zip(names, words)))) == learns


def test_a_cached_baseline_is_one_more(place: Path) -> None:
    quiet, loud = run_of(0.181), run_of(0.317)
    BaselineCache().keep(quiet, GOOD)
    cache = BaselineCache()
    run = [cache.add_known(one) for one in loud]
    assert Processes(run).levels == {"ring3": 0.181}
    assert not Processes(run).benchmarks[NAME].used
    # A lower one of the run itself counts.
    assert Processes([BaselineCache().add_known(run_of(0.15)[0])]).levels == {"ring3": 0.15}


def test_a_neighbour_who_stays_is_named(place: Path) -> None:
    BaselineCache().keep(run_of(0.181), GOOD)
    cache = BaselineCache()
    document = merge([cache.add_known(one) for one in run_of(*[0.317] * 6)], Target())
    (one,) = document["benchmarks"]
    assert one["verdict"] == "disturbed"
    assert one["reasons"][0].startswith(
        "sensor 0.317 cycles per nop, 0.181 in earlier runs on this CPU: a neighbour shares the "
        "core; run again"
    )
    ours = document["context"]["irqcost"]
    assert ours["verdict"]["verdict"] == "disturbed"
    assert one["reasons"][0] in ours["verdict"]["reasons"][0]
    assert ours["baselines"]["ring3"] == {
        "sensor_cycles": 0.181,
        "tolerance": TOLERANCE,
        "ticks_per_cycle": 2,
        "source": "earlier runs",
        "cached": 0.181,
    }
    parsing.parse(document)


def test_a_neighbour_who_leaves_is_not() -> None:
    run = [interference.with_known(one, {"ring3": 0.181}) for one in run_of(0.317, *[0.182] * 6)]
    document = merge(run, Target())
    assert document["benchmarks"][0]["verdict"] == "good"
    assert (
        interference.neighbours(Processes(run).benchmarks, {"ring3": 0.181, "bpf": 0.1}, {}) == {}
    )


def test_one_run_that_was_wrongly_low_disturbs_none(place: Path) -> None:
    for sensor in (0.181, 0.182, 0.181, 0.178, 0.182):
        BaselineCache().keep(run_of(sensor), GOOD)
    assert with_known(run_of(0.18)) == {"ring3": 0.181}
    # A low process within a run caches nothing by itself.
    BaselineCache().keep(run_of(0.174, *[0.181] * 5), GOOD)
    assert with_known(run_of(0.18)) == {"ring3": 0.181}


def test_two_lower_levels_count_and_old_ones_go(place: Path) -> None:
    for sensor in (0.317, 0.316, 0.181, 0.181):
        BaselineCache().keep(run_of(sensor), GOOD)
    assert with_known(run_of(0.18)) == {"ring3": 0.181}
    for _ in range(20):
        BaselineCache().keep(run_of(0.182), GOOD)
    (row,) = json.loads(place.read_text())["machines"]
    assert row["floors"] == {"ring3": [0.182] * 9}


@pytest.mark.parametrize(
    "change",
    [
        {"cpuid_hypervisor": "KVMKVMKVM"},
        {"catalogue_hash": "0" * 16},
        {"cpu": {"core_type": "efficiency", "family": 25, "model": 1, "stepping": 1}},
        {"cpu": {"family": 25, "model": 1, "stepping": 1, "microcode": "0x2b000591"}},
    ],
)
def test_each_machine_has_its_own(place: Path, change: dict[str, Any]) -> None:
    BaselineCache().keep(run_of(0.181), GOOD)
    assert with_known(run_of(0.18, **change)) == {}
    BaselineCache().keep(run_of(0.25, **change), GOOD)
    assert with_known(run_of(0.18, **change)) == {"ring3": 0.25}
    assert with_known(run_of(0.18)) == {"ring3": 0.181}


def test_forgetting_is_of_this_machine(place: Path) -> None:
    BaselineCache().keep(run_of(0.181), GOOD)
    BaselineCache().keep(run_of(0.25, cpuid_hypervisor="KVMKVMKVM"), GOOD)
    assert Processes([BaselineCache(forget=True).add_known(run_of(0.3)[0])]).cached == {}
    assert with_known(run_of(0.18)) == {}
    assert with_known(run_of(0.18, cpuid_hypervisor="KVMKVMKVM")) == {"ring3": 0.25}


def test_emulation_neither_reads_nor_writes(place: Path) -> None:
    emulated = {"execution": {"kind": "emulated", "reason": "x"}}
    BaselineCache().keep(run_of(0.181, **emulated), GOOD)
    assert not place.exists()
    BaselineCache().keep(run_of(0.181), GOOD)
    assert with_known(run_of(0.18, **emulated)) == {}


def row(baselines: object) -> str:
    return json.dumps({"schema": 1, "machines": [{"machine": {}, "floors": baselines}]})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 1 column 1"),
        ('{"schema": 1, "machines": [', "line 1 column 28"),
        ('{"schema": 2, "machines": []}', "no sensor baseline levels of schema 1"),
        ("[]", "no sensor baseline levels of schema 1"),
        ('{"schema": 1}', "`machines` is no list"),
        ('{"schema": 1, "machines": [1]}', "a row without `machine`"),
        (row(None), "a row without `floors`"),
        (row({"ring3": []}), "the baseline levels of ring3 are not numbers from 0.01 to 100"),
        (row({"ring3": [True]}), "the baseline levels of ring3"),
        (row({"ring3": [0.18, 0]}), "the baseline levels of ring3"),
        (row({"ring3": 0.18}), "the baseline levels of ring3"),
        (row({"ring3": [float("nan")]}), "the baseline levels of ring3"),
        ("[" * 100000, "nested too deeply"),
    ],
)
def test_a_damaged_file_is_named_and_not_believed(
    place: Path, capsys: pytest.CaptureFixture[str], text: str, reason: str
) -> None:
    place.write_text(text)
    cache = BaselineCache()
    assert Processes([cache.add_known(run_of(0.18)[0])]).cached == {}
    said = capsys.readouterr().err
    assert said.startswith(f"irqcost: {place}: ") and reason in said and ": ignored" in said
    # It is named once, and replaced by what the run caches.
    cache.keep(run_of(0.18), GOOD)
    assert not capsys.readouterr().err
    assert with_known(run_of(0.18)) == {"ring3": 0.18}


def test_what_cannot_be_kept_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("IRQCOST_CACHE", str(tmp_path / "file"))
    BaselineCache().keep(run_of(0.18), GOOD)
    assert "the sensor's baseline level is not remembered: " in capsys.readouterr().err

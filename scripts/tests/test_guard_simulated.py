# SPDX-License-Identifier: GPL-2.0-only
"""scripts/evidence/guard_simulated.py: jobs of a guard on simulated CPUs."""

import importlib
import random
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from irqcost import ROOT
from irqcost.compare import policy
from irqcost.compare.baseline import Run
from irqcost.measure.simulation import traits
from results_of import run

EVIDENCE = ROOT / "scripts" / "evidence"
POPF, PUSHF = "ring3/popf/throughput", "ring3/pushf/throughput"


@pytest.fixture(name="simulated")
def _simulated(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(EVIDENCE))
    return importlib.import_module("guard_simulated")


def job(simulated: ModuleType, number: int, **more: Any) -> Any:
    lists = {key: [] for key in ("first_slower", "slower", "faster", "undecided")}
    counts = {"first": {"ok": 70}, "last": {"ok": 70}}
    return simulated.Job("CPU", number, "quiet", **{**counts, **lists, **more})


def machine(simulated: ModuleType, folder: Path, slower: float = 0.0) -> Any:
    """One whose runs from number 5 on are slower, and that knows which runs were asked for."""
    chance = random.Random(1)

    class Fake(simulated.Machine):  # type: ignore[name-defined, misc]
        asked: list[tuple[int, str | None]] = []

        def run(self, machine: traits.Description, only: str | None = None) -> Run:
            seed = machine["seed"]
            self.asked.append((seed, only))
            self._truth = {POPF: 18.0, PUSHF: 100.0}
            added = slower * (seed >= 6)
            added += machine["rows"].get("popf", {}).get("throughput", 18.0) - 18.0
            popf = [18 + added + chance.gauss(0, 0.01) for _ in range(6)]
            path = run(folder / f"{len(self.asked)}.json", {POPF: popf, PUSHF: [3.0] * 6})
            return simulated.baseline.load(path)  # type: ignore[no-any-return]

    core = traits.cores()[0]
    return Fake(core, 0, Path("bench"), folder)


def test_a_job_judges_its_run_by_the_five_before_it(simulated: ModuleType, tmp_path: Path) -> None:
    one = machine(simulated, tmp_path)
    found = one.job(5, policy.read(None))
    assert found.first == found.last == {"ok": 2}
    # Each run has a seed of its own, and number 5 a second machine with a slower primitive, on
    # which the slowdown is measured again.
    assert [seed for seed, _ in one.asked] == [5, 4, 3, 2, 1, 6, 10_006, 11_006]
    assert (found.slowed, found.found_first, found.found) == ("popf", "regression", "regression")
    assert one.asked[-1][1] is not None and "popf" in one.asked[-1][1]
    found = one.job(6, policy.read(None))
    assert [seed for seed, _ in one.asked[8:]] == [7] and found.slowed is None


def test_a_false_regression_is_named(simulated: ModuleType, tmp_path: Path) -> None:
    found = machine(simulated, tmp_path, slower=1.0).job(5, policy.read(None))
    assert found.first_slower == found.slower == [POPF]
    # By the time of number 11 all of its baseline is as slow.
    found = machine(simulated, tmp_path, slower=1.0).job(11, policy.read(None))
    assert found.first_slower == found.slower == []


def test_what_is_slowed_costs_half_a_cycle_more_in_every_mode(simulated: ModuleType) -> None:
    truth = {
        POPF: 18.0,
        "ring3/popf/isolated": 20.0,
        "ring3/cli_sti/in_situ/20": 1.0,
        "ring3/popf/in_situ/20": 2.0,
        "bpf/popf/throughput": 70.0,
    }
    described: dict[str, Any] = {"rows": {"pushf": 3.0}}
    simulated.slow_down(described, truth, "popf")
    costs = {"throughput": 18.5, "isolated": 20.5, "in_situ": {"20": 2.5}}
    assert described["rows"] == {"pushf": 3.0, "popf": costs}
    traits_of = {"ring3/empty/throughput": 0.0, "ring3/dep_xor/throughput": 1.0}
    assert simulated.cheap({**truth, **traits_of}, "x") == "popf"


def test_the_bounds(simulated: ModuleType) -> None:
    # No alarm in 764 jobs is what 0.5 % takes; exactly, 736 would do.
    quiet = [job(simulated, number) for number in range(765)]
    assert "at most 0.5 % at 95 %" in simulated.claim(quiet)
    assert simulated.exact(0, 736) <= 0.005 < simulated.exact(0, 735)
    assert simulated.exact(3, 3) == 1
    text = simulated.summary([*quiet, job(simulated, 765, slower=[POPF], first_slower=[POPF])])
    assert "| all | 766 | 1 | 0.1 % (0.0–0.7) | 0.73 % |" in text
    assert f"`{POPF}` 1" in text


def test_jobs_that_are_done_are_not_done_again(
    simulated: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        simulated.Machine, "job", lambda machine, number, rules: (machine.core.source, number)
    )
    first, *_ = everything = list(simulated.jobs([], Path("bench"), 3, 81))
    assert len(everything) == len(set(everything)) == 6
    known = [simulated.Job(first[0], number, *["", {}, {}, [], [], [], []]) for number in (5, 6)]
    assert list(simulated.jobs(known, Path("bench"), 3, 81)) == everything[2:]


def test_the_page_says_what_is_recorded(simulated: ModuleType) -> None:
    done = simulated.read(simulated.RECORDING)
    assert simulated.summary(done) in simulated.PAGE.read_text(encoding="utf-8")
    assert simulated.RECORDING.stat().st_size < 100_000
    # A page that quotes the simulated jobs quotes their bound.
    for page in (ROOT / "README.md", simulated.PAGE):
        flat = " ".join(page.read_text(encoding="utf-8").split())
        assert simulated.claim(done) in flat or "simulated jobs" not in flat


def test_the_recording_and_the_page_are_written_together(
    simulated: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "guard.md"
    page.write_text(f"before\n{simulated._MARK}\nold\n{simulated._MARK}\nafter\n")
    monkeypatch.setattr(simulated, "PAGE", page)
    monkeypatch.setattr(simulated, "RECORDING", tmp_path / "record.xz")
    done = [job(simulated, number) for number in range(3)]
    simulated.keep(done)
    assert simulated.read(tmp_path / "record.xz") == done
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert simulated.summary(done) in text

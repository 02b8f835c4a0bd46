# SPDX-License-Identifier: GPL-2.0-only
"""A simulated machine under the whole chain: its time, its label, and what figures come to."""

import importlib
import json
from itertools import cycle
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from irqcost import ROOT, cli
from irqcost.base.errors import IrqcostError
from irqcost.compare import baseline
from irqcost.measure import build
from irqcost.measure.simulation import simulate, traits
from irqcost.model import reader
from irqcost.model.result import EXECUTIONS, Context
from results import changed, path

_SCHEMA = json.loads((ROOT / "docs" / "result.schema.json").read_text(encoding="utf-8"))
_FILTER = "throughput|latency"


@pytest.fixture(scope="module", name="bench")
def _bench() -> Path:
    return build.harness()


@pytest.fixture(name="evidence")
def _evidence(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "scripts" / "evidence"))
    return importlib.import_module("simulated")


def described(folder: Path, **more: Any) -> Path:
    """A file of a machine."""
    file = folder / "machine.json"
    file.write_text(json.dumps({"name": "a machine", "backends": ["ring3"], **more}), "utf-8")
    return file


def simulated(bench: Path, file: Path, out: Path, *arguments: str) -> Any:
    """The result of `./irqcost run --simulate` in a file."""
    build_harness, build.harness = build.harness, lambda: bench
    try:
        command = ["run", "--simulate", str(file), "--no-chart", "--out", str(out)]
        assert cli.main([*command, *arguments]) == 0
    finally:
        build.harness = build_harness
    return json.loads(out.read_text(encoding="utf-8"))


def figures(content: Any) -> dict[str, Any]:
    """What was measured, without what Google Benchmark says of the real machine."""
    return {one["run_name"]: one for one in content["benchmarks"]}


def test_a_run_is_labelled_and_takes_virtual_time(bench: Path, tmp_path: Path) -> None:
    file = described(tmp_path, seed=3)
    content = simulated(bench, file, tmp_path / "x.json", "--quick")
    jsonschema.Draft202012Validator(_SCHEMA).validate(content)
    ours = content["context"]["irqcost"]
    assert ours["execution"]["kind"] == "simulated"
    found = ours["simulated"]
    assert (found["name"], found["seed"], found["execution"]) == ("a machine", 3, "bare-metal")
    assert found["start_s"] == 0 < found["end_s"] < 3.5
    assert ours["processes"]["seconds"] == pytest.approx(found["end_s"], abs=0.01)
    assert ours["cpu"]["brand"] == "Simulated CPU" and ours["kernel"]["release"] == "simulated"
    assert ours["tsc"]["khz"] == 2_500_000
    # Where the file lies is its owner's affair.
    assert not any(str(tmp_path) in argument for argument in ours["command"])
    assert set(found["truth"]) == set(figures(content))


def test_a_seed_is_a_run(bench: Path, tmp_path: Path) -> None:
    arguments = ("--quick", "--filter", "popf/")
    one, again, other = (
        figures(
            simulated(
                bench, described(tmp_path, seed=seed), tmp_path / f"{number}.json", *arguments
            )
        )
        for number, seed in enumerate((1, 1, 2))
    )
    assert one == again
    assert one != other


def test_nothing_is_remembered_of_it(
    bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IRQCOST_CACHE", str(tmp_path / "cache"))
    simulated(bench, described(tmp_path), tmp_path / "x.json", "--quick", "--filter", "popf/")
    assert not (tmp_path / "cache" / "sensor-floors.json").exists()


def test_by_itself_the_result_lies_in_this_folder(
    bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(build, "harness", lambda: bench)
    described(tmp_path)
    assert cli.main(["run", "--simulate", "machine.json", "--quick", "--filter", "popf/"]) == 0
    (found,) = tmp_path.glob("simulated-a-machine-*.json")
    assert reader.read_result(found).context.simulated


@pytest.mark.parametrize(
    "text, said",
    [
        ("{", "no description of a machine"),
        ("[]", "no description of a machine"),
        ('{"name": "x", "core": {"dep_imull": 3}}', "core.dep_imull is not a field"),
        ('{"name": "x", "clock": {"tsc_mhz": 0}}', "clock.tsc_mhz must be a number from 1 to"),
    ],
)
def test_a_wrong_file_is_named(
    bench: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str,
    said: str,
) -> None:
    monkeypatch.setattr(build, "harness", lambda: bench)
    file = tmp_path / "machine.json"
    file.write_text(text, "utf-8")
    out = tmp_path / "x.json"
    assert cli.main(["run", "--simulate", str(file), "--out", str(out)]) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(IrqcostError, match="No such file"):
        simulate.name(Path("/nonexistent/x.json"))


def _simulate(content: Any) -> None:
    ours = content["context"]["irqcost"]
    ours["execution"]["kind"] = "simulated"
    ours["simulated"] = {"execution": "bare-metal"}


def test_simulated_and_others_have_sections(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = changed("alpha", tmp_path / "made.json", _simulate)
    for other, kind in ((path("alpha"), "real hardware"), (path("exact"), "Emulated")):
        assert cli.main(["compare", str(made), str(other)]) == 0
        first, _, last = capsys.readouterr().out.partition("Simulated: no measure of a CPU\n")
        assert kind in first and "made.json" in last and "made.json" not in first
    assert cli.main(["compare", str(made), str(made)]) == 0
    assert "SIMULATED: no measure of a CPU" in capsys.readouterr().out


def test_check_and_history_hold_them_apart(tmp_path: Path) -> None:
    made = reader.read_result(changed("alpha", tmp_path / "made.json", _simulate)).context
    real = reader.read_result(path("alpha")).context
    assert "execution" in baseline.not_comparable(real, made, ())
    assert baseline.not_comparable(made, made, ()) == ""
    assert (made.kind, real.kind) == ("simulated", "real")


def test_the_time_goes_on_from_process_to_process() -> None:
    clock = simulate.Clock()
    assert clock.flags() == [
        "--irqcost_simulate_start=0.000000000",
        "--irqcost_simulate_process=0",
    ]
    assert clock.passed({"simulated": {"end_s": 1.5}}) == 1.5
    assert clock.passed({"simulated": {"end_s": 2.0}}) == 0.5
    assert clock.flags() == [
        "--irqcost_simulate_start=2.000000000",
        "--irqcost_simulate_process=2",
    ]


def test_every_cpu_of_the_table_is_described() -> None:
    cores = traits.cores()
    assert len(cores) == len({core.source for core in cores}) == 162
    assert {core.imul for core in cores} == {3, 4, 5, 6, 10, 14}
    for core in cores:
        assert 1 / 12 <= traits.machine(core)["core"]["nop"] <= 1
    one = traits.machine(next(core for core in cores if core.name == "K10 Barcelona"))
    assert one["cpu"]["family"] == 16 and one["core"]["dep_imul"] == 4
    assert "pushf" not in one["rows"] and one["rows"]["pushf_popf"] == 14


def test_the_harness_takes_every_condition(bench: Path, tmp_path: Path, evidence: Any) -> None:
    """CPUs with every latency of a multiply take turns."""
    cores = cycle({core.imul: core for core in traits.cores()}.values())
    flags = ["--irqcost_backends=ring3,bpf", "--benchmark_filter=/(dep_add|dep_imul|popf)/through"]
    for core, condition in zip(cores, traits.CONDITIONS):
        file = tmp_path / "machine.json"
        file.write_text(json.dumps(traits.description(core, condition)), "utf-8")
        content = evidence.document(bench, file, evidence.plan(quick=True), flags)
        outcome = evidence.judged(evidence.Case(core.source, condition, 1), content)
        assert outcome.figures == 5
        if traits.CONDITIONS[condition].expected != "good":
            continue
        # Whatever its verdict, a throughput is not far off: else the simulation would be wrong.
        for name, entry in figures(content).items():
            if "core_cycles" in entry:
                truth = content["context"]["irqcost"]["simulated"]["truth"][name]
                assert entry["core_cycles"] == pytest.approx(truth, rel=0.02), (condition, name)


def test_outcomes_are_counted(evidence: Any) -> None:
    def entry(name: str, value: float, verdict: str, low: float, high: float) -> Any:
        return {
            "run_name": name,
            "core_cycles": value,
            "verdict": verdict,
            "core_cycles_low": low,
            "core_cycles_high": high,
        }

    content = {
        "context": {
            "irqcost": {
                "controls": {"dep_imul": 4.01},
                "simulated": {"truth": {"a": 10, "b": 100, "c": 10}, "imul_latency": 4.0},
            }
        },
        "benchmarks": [
            entry("a", 10.04, "good", 9.9, 10.2),
            entry("b", 100.4, "good", 100.3, 100.5),
            entry("c", 12.0, "disturbed", 9, 14),
        ],
    }
    case = evidence.Case("x", "quiet", 1)
    outcome = evidence.judged(case, content)
    assert (outcome.good, outcome.right, outcome.intervals, outcome.covering) == (2, 1, 3, 2)
    assert outcome.clock_right and outcome.worst == "b 100.4 for 100"
    assert not evidence.as_expected(outcome)
    line = evidence.table([outcome]).splitlines()[-1].split()
    assert line[:4] == ["quiet", "good", "1", "100.0"]


def test_emulated_is_what_it_seemed_to_be() -> None:
    context: dict[str, Any] = {"execution": {"kind": "simulated"}}
    assert simulate.executed({**context, "simulated": {"execution": "emulated"}}) == "emulated"
    assert simulate.executed({"execution": {"kind": "virtualised"}}) == "virtualised"
    assert "simulated" in EXECUTIONS and isinstance(Context.kind, property)


def test_no_simulated_run_is_made_twice(
    evidence: Any,
    bench: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "outcomes.jsonl"
    asked = ["--bench", str(bench), "--cpus", "1", "--seeds", "1", "--conditions", "quiet"]
    asked += ["--quick", "--out", str(out)]
    assert evidence.main(asked) == 0
    first = capsys.readouterr().out
    assert len(out.read_text(encoding="utf-8").splitlines()) == 1 and "quiet" in first
    monkeypatch.setattr(evidence, "run", None)
    assert evidence.main(asked) == 0
    assert capsys.readouterr().out == first

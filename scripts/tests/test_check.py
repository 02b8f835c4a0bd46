# SPDX-License-Identifier: GPL-2.0-only
"""The guard, from result files to exit codes."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from irqcost import ROOT, cli
from irqcost.base import jsontext
from irqcost.base.errors import Exit, IrqcostError
from irqcost.base.verdicts import Change
from irqcost.compare import baseline, checked, policy, regression
from irqcost.measure import running
from irqcost.measure.options import Options
from irqcost.model import reader, store
from irqcost.output import check_table
from irqcost.output.ci import github
import machine_code
from results import changed, path
from results_of import run

POPF = "ring3/popf/throughput"
LAHF = "ring3/lahf/isolated"


def near(value: float, count: int = 8, seed: int = 1) -> list[float]:
    chance = random.Random(seed)
    return [chance.gauss(value, 0.01) for _ in range(count)]


def day(number: int) -> str:
    return f"2026-11-{number:02}T00:00:00+00:00"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six runs of an unchanged machine."""
    for number in range(1, 7):
        figures = {POPF: near(30, seed=number), LAHF: near(5, seed=number)}
        run(tmp_path / "past" / f"{number}.json", figures, day(number))
    return tmp_path / "past"


def new(tmp_path: Path, popf: float = 30, lahf: float = 5, **more: Any) -> Path:
    figures = {POPF: near(popf, seed=99), LAHF: near(lahf, seed=99)}
    return run(tmp_path / "new.json", figures, day(20), **more)


def main(*arguments: Path | str) -> int:
    return cli.main(["check", *map(str, arguments)])


def test_exit_codes_and_words(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(new(tmp_path), "--baseline", folder) == Exit.OK
    assert main("--baseline", folder, "--baseline", folder, new(tmp_path)) == Exit.OK
    assert capsys.readouterr().out.startswith("OK: none of 2 results slower. Nothing to do.\n")
    assert main(new(tmp_path, popf=31), "--baseline", folder) == Exit.FAILED
    out = capsys.readouterr().out
    first, *rest = out.splitlines()
    assert first == "FAIL: 1 of 2 results slower. Find the cause, or accept it: see below."
    (popf,) = [line.split() for line in rest if POPF in line]
    assert [round(float(cell)) for cell in popf[1:4]] == [30, 31, 1]
    assert LAHF not in out and "the median of 5 results (newest: 6.json)" in " ".join(out.split())
    assert f"copy {tmp_path / 'new.json'} to the baseline" in " ".join(out.split())
    assert main(new(tmp_path, popf=29), "--baseline", folder) == Exit.OK
    out = capsys.readouterr().out
    assert out.startswith("OK: none of 2 results slower, 1 faster. Nothing to do.\n")
    assert "Faster (core cycles)" in out and POPF in out
    assert main(new(tmp_path), "--baseline", folder, "--all") == Exit.OK
    assert LAHF in capsys.readouterr().out


def test_noise_ends_with_3(tmp_path: Path, folder: Path) -> None:
    noisy = run(tmp_path / "new.json", {POPF: [28, 29, 30, 30, 31, 33.0], LAHF: near(5)}, day(20))
    assert main(noisy, "--baseline", folder) == Exit.UNDECIDED


def test_the_worst_decides(tmp_path: Path, folder: Path) -> None:
    noisy = [28, 29, 30, 30, 31, 33.0]
    mixed = run(tmp_path / "new.json", {POPF: noisy, LAHF: near(6)}, day(20))
    assert main(mixed, "--baseline", folder) == Exit.FAILED
    missing = run(tmp_path / "new.json", {LAHF: near(6)}, day(20))
    assert main(missing, "--baseline", folder) == Exit.UNUSABLE
    assert main(missing, "--baseline", folder, "--select", "lahf") == Exit.FAILED


def judged(new_: Path, *named: Path, same: Sequence[str] = ("cpu",)) -> checked.Checked:
    rules = policy.Policy(5, tuple(same), regression.Threshold(0.25, 0.5), 0.05)
    records = store.read(list(named)).records
    return checked.against(baseline.load(new_), records, list(named), rules, None)


def test_of_a_folder_the_latest_older_ones_are_the_baseline(tmp_path: Path, folder: Path) -> None:
    run(folder / "later.json", {POPF: near(90), LAHF: near(90)}, day(25))
    found = judged(new(tmp_path), folder)
    assert [one.name for one in found.against] == [f"{n}.json" for n in (6, 5, 4, 3, 2)]
    assert found.status == Change.OK and "not older than the new result" in found.notes[0]
    # A new result inside the folder is not its own baseline.
    assert (folder / "6.json") not in judged(folder / "6.json", folder).against


def test_one_odd_run_is_no_baseline(tmp_path: Path, folder: Path) -> None:
    run(folder / "odd.json", {POPF: near(25), LAHF: near(9)}, day(8))
    assert judged(new(tmp_path), folder).status == Change.OK
    assert judged(new(tmp_path, popf=31), folder).status == Change.REGRESSION


def cpu(**members: Any) -> dict[str, Any]:
    content: dict[str, Any] = reader.read_document(path("alpha"))[0]
    return {"cpu": {**content["context"]["irqcost"]["cpu"], **members}}


def kernel(**members: Any) -> dict[str, Any]:
    content: dict[str, Any] = reader.read_document(path("alpha"))[0]
    return {"kernel": {**content["context"]["irqcost"]["kernel"], **members}}


@pytest.mark.parametrize(
    ("ours", "said"),
    [
        (cpu(brand="Another"), "another CPU"),
        (cpu(codename="Another"), "another core:"),
        (cpu(core_type="efficiency"), "another core type"),
        (kernel(realtime=True), "another PREEMPT_RT"),
        ({"execution": {"kind": "virtualised", "reason": ""}}, "another execution"),
        ({"cpuid_hypervisor": "KVMKVMKVM"}, "another hypervisor"),
    ],
)
def test_another_machine_is_no_baseline(
    tmp_path: Path, folder: Path, ours: dict[str, Any], said: str
) -> None:
    found = judged(new(tmp_path, **ours), folder)
    # One error, however many results there are.
    assert found.status == Change.INCOMPARABLE and said in found.refused and not found.judged
    first, second, *rest = check_table.text([found], False, 80).splitlines()
    reason = said.partition(":")[0]
    assert first == f"ERROR: nothing checked: {reason}. Measure a baseline: ./irqcost run"
    assert sum(said in line for line in [second, *rest]) == 1
    (line,) = github.annotations([found])
    assert line.startswith("::error title=irqcost%3A nothing checked::another ")


@pytest.mark.parametrize(
    ("demand", "ours"),
    [("microcode", cpu(microcode="0x99")), ("kernel", kernel(release="9.9"))],
)
def test_the_policy_says_what_must_be_the_same(
    tmp_path: Path, folder: Path, demand: str, ours: dict[str, Any]
) -> None:
    other = new(tmp_path, **ours)
    assert judged(other, folder).status == Change.OK
    assert judged(other, folder, same=["cpu", demand]).status == Change.INCOMPARABLE


def test_other_code_under_the_same_name_is_not_compared(tmp_path: Path, folder: Path) -> None:
    for file in folder.iterdir():
        run(file, {POPF: near(30), LAHF: near(5)}, day(2), code={"popf": "popf", "lahf": "lahf"})
    found = judged(new(tmp_path, code={"popf": "nop", "lahf": "lahf"}), folder)
    words = {one.name: one.status for one in found.judged}
    assert words == {POPF: Change.INCOMPARABLE, LAHF: Change.OK}


def test_another_text_of_the_kernel_counts_where_the_policy_says_so(
    tmp_path: Path, folder: Path
) -> None:
    def code(byte: str) -> dict[str, Any]:
        function = {**machine_code.function("f", byte), "code_sha256": byte}
        return {"machine_code": machine_code.of("ring3/popf", function)}

    for file in folder.iterdir():
        run(file, {POPF: near(30), LAHF: near(5)}, day(2), **code("90"))
    other = new(tmp_path, **code("f4"))
    assert judged(other, folder).status == Change.OK
    words = {one.name: one.status for one in judged(other, folder, same=["cpu", "code"]).judged}
    assert words == {POPF: Change.INCOMPARABLE, LAHF: Change.OK}


def test_figures_whose_clock_is_wrong_are_not_compared(tmp_path: Path, folder: Path) -> None:
    figures = {"ring3/dep_add/throughput": near(2), POPF: near(30), LAHF: near(5)}
    wrong = run(tmp_path / "new.json", figures, day(20))
    found = judged(wrong, folder)
    (popf,) = [one for one in found.judged if one.name == POPF]
    assert popf.status == Change.INCOMPARABLE
    assert popf.reason == "inconsistent: control ring3/dep_add is off: see the note"
    # Which is there to be seen.
    assert sum(note.startswith("ring3/dep_add took ") for note in found.notes) == 1


def test_only_what_rests_on_a_control_that_is_off_is_incomparable(
    tmp_path: Path, folder: Path
) -> None:
    figures = {"ring3/empty/throughput": near(0.1), POPF: near(30), LAHF: near(5)}
    words = {
        one.name: one.status
        for one in judged(run(tmp_path / "new.json", figures, day(20)), folder).judged
    }
    assert words == {POPF: Change.INCOMPARABLE, LAHF: Change.OK}


def test_what_the_harness_alone_wrote_has_no_processes(tmp_path: Path) -> None:
    later = changed("alpha", tmp_path / "new.json", lambda c: c["context"].update(date=day(25)))
    found = judged(later, path("alpha"))
    assert found.status == Change.INCOMPARABLE and "./irqcost run" in found.judged[0].reason


def test_figures_of_another_estimator_are_incomparable(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = new(tmp_path)
    newer = run(tmp_path / "newer.json", {POPF: near(30), LAHF: near(5)}, day(19))
    for one in (found, newer):
        document = json.loads(one.read_text(encoding="utf-8"))
        for entry in document["benchmarks"]:
            if entry["name"] == LAHF:
                entry["estimator"] = 2
        one.write_text(json.dumps(document), encoding="utf-8")
    assert main(found, "--baseline", folder) == Exit.UNUSABLE
    out = capsys.readouterr().out
    assert "another estimator" in out and "ERROR: 1 of 2 results not comparable." in out
    # Two of the new kind are compared.
    assert main(found, "--baseline", newer) == Exit.OK


def test_new_figures_are_told_and_missing_ones_incomparable(tmp_path: Path, folder: Path) -> None:
    figures = {POPF: near(30), "ring3/nop/isolated": near(1)}
    absent = [{"name": LAHF, "reason": "no such instruction"}]
    found = judged(run(tmp_path / "new.json", figures, day(20), absent=absent), folder)
    assert {one.name: one.status for one in found.judged} == {
        POPF: Change.OK,
        LAHF: Change.INCOMPARABLE,
    }
    assert found.judged[1].reason == "not measured: no such instruction"
    assert found.notes == ("1 result not in the baseline: ring3/nop/isolated",)


def test_one_instruction_is_found_without_a_threshold(tmp_path: Path) -> None:
    name = "kmod/local_irq_save_restore/throughput"

    def one_more(content: Any) -> None:
        content["context"]["date"] = day(25)
        for entry in content["benchmarks"]:
            if entry["name"] == name:
                entry["ticks"] += 1

    (emulated,) = (ROOT / "results" / "emulated").glob("*-6.1.0-56-amd64-exact.json")
    for file in (path("exact"), emulated):
        content = reader.read_document(file)[0]
        one_more(content)
        target = tmp_path / "more.json"
        target.write_text(jsontext.dumps(content), encoding="utf-8")
        found = judged(target, file)
        slower = [one for one in found.judged if one.status != Change.OK]
        assert [(one.name, one.status, one.reason) for one in slower] == [
            (name, Change.REGRESSION, "1 instruction more")
        ]
        assert main(target, "--baseline", file) == Exit.FAILED
        assert main(file, "--baseline", file) == Exit.UNUSABLE  # itself is no baseline


def test_bad_files_are_named_and_not_fatal(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.json").write_text('{"context": {', encoding="utf-8")
    assert main(new(tmp_path), "--baseline", folder) == Exit.OK
    assert "broken.json: truncated" in capsys.readouterr().err
    assert main(new(tmp_path), folder / "broken.json", "--baseline", folder) == Exit.UNUSABLE
    out = capsys.readouterr().out
    assert out.startswith("ERROR: 1 file could not be read. See the reasons above.\n")
    assert "OK: none of 2 results slower" in out
    assert main(folder / "broken.json", "--baseline", folder) == Exit.UNUSABLE
    assert main(new(tmp_path), "--baseline", tmp_path / "none.json") == Exit.UNUSABLE

    def no_number(content: Any) -> None:
        content["benchmarks"][0]["processes"] = [1, "x"]

    bad = changed("alpha", tmp_path / "bad.json", no_number)
    assert main(bad, "--baseline", folder) == Exit.UNUSABLE
    assert "processes.1 is not a number" in capsys.readouterr().err


def test_wrong_usage(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main("--baseline", folder) == Exit.UNUSABLE
    assert main("--run", new(tmp_path)) == Exit.UNUSABLE
    assert main(new(tmp_path), "--baseline", folder, "--select", "(") == Exit.UNUSABLE
    assert "not a regular expression" in capsys.readouterr().err
    assert main(new(tmp_path), "--baseline", folder, "--config", tmp_path) == Exit.UNUSABLE


class Machine:
    """What `--run` measures: for each time, the figures."""

    def __init__(self, folder: Path, *times: dict[str, Sequence[float]]) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self._times = list(times)
        self._folder = folder

    def check(self, target: Path) -> checked.Checked:
        def measure(place: Path, only: str | None) -> baseline.Run:
            self.asked.append((place.name, only))
            return baseline.load(run(place, self._times.pop(0), day(20)))

        rules = policy.read(None)
        records = store.read([self._folder]).records
        return checked.confirmed(
            target,
            measure,
            lambda one, of: checked.against(one, records, [self._folder], rules, None, of),
        )


def test_what_looks_slower_is_measured_again(tmp_path: Path, folder: Path) -> None:
    slow: dict[str, Sequence[float]] = {POPF: near(31), LAHF: near(5)}
    machine = Machine(folder, slow, {POPF: near(30, seed=5)})
    found = machine.check(tmp_path / "out.json")
    assert machine.asked == [("out.json", None), ("out.json.again", "^(ring3/popf/throughput)$")]
    assert found.status == Change.OK and "+1.00 at first, -0.01 measured" in found.judged[0].reason
    found = Machine(folder, slow, {POPF: near(31)}).check(tmp_path / "out.json")
    assert (
        found.status == Change.REGRESSION
        and "+1.00 measured again: slower" in found.judged[0].reason
    )


WILD: dict[str, Sequence[float]] = {POPF: [27, 29, 31, 32, 33, 35.0]}


def test_what_is_undecided_is_measured_again(tmp_path: Path, folder: Path) -> None:
    machine = Machine(folder, {**WILD, LAHF: near(5)}, WILD, {POPF: near(30)})
    found = machine.check(tmp_path / "out.json")
    assert [name for name, _ in machine.asked] == ["out.json", "out.json.again", "out.json.again2"]
    assert found.status == Change.OK and found.judged[0].reason.endswith(" measured again")
    machine = Machine(folder, {**WILD, LAHF: near(5)}, WILD, WILD)
    assert machine.check(tmp_path / "out.json").status == Change.INCONCLUSIVE


def test_a_regression_is_what_two_measurements_say(tmp_path: Path, folder: Path) -> None:
    slow: dict[str, Sequence[float]] = {POPF: near(31)}
    first: dict[str, Sequence[float]] = {**WILD, LAHF: near(5)}
    found = Machine(folder, first, slow, slow).check(tmp_path / "out.json")
    assert found.status == Change.REGRESSION
    found = Machine(folder, first, WILD, slow).check(tmp_path / "out.json")
    assert found.status == Change.INCONCLUSIVE and "measured again; noise" in found.judged[0].reason


def test_what_is_not_in_doubt_is_measured_once(tmp_path: Path, folder: Path) -> None:
    machine = Machine(folder, {POPF: near(29), LAHF: near(5)})
    assert machine.check(tmp_path / "out.json").status == Change.IMPROVEMENT
    assert len(machine.asked) == 1


def test_what_the_baseline_hides_is_measured_once(tmp_path: Path, folder: Path) -> None:
    for number, file in enumerate(sorted(folder.iterdir())):
        file.unlink()
        run(file, {POPF: near(30 + number, seed=number)}, day(1 + number))
    machine = Machine(folder, {POPF: near(33)})
    assert machine.check(tmp_path / "out.json").status == Change.INCONCLUSIVE
    assert len(machine.asked) == 1


def test_a_measurement_that_fails_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Options] = []

    def fail(options: Options) -> None:
        asked.append(options)
        raise IrqcostError("no harness")

    monkeypatch.setattr(running, "prepared", fail)
    arguments = ["check", "--run", "--quick", "--cpu", "1", "--out", str(tmp_path / "o.json")]
    assert cli.main([*arguments, "--baseline", str(path("alpha"))]) == Exit.UNUSABLE
    assert asked == [Options(quick=True, cpu="1")]
    assert capsys.readouterr().err == "irqcost: no harness\n"


def blocks(text: str) -> list[str]:
    return text.split("\n\n")


def test_what_changed_comes_before_any_figure(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = {**cpu(microcode="0x99"), **kernel(release="9.9")}
    assert main(new(tmp_path, popf=31, **other), "--baseline", folder) == Exit.FAILED
    out = capsys.readouterr().out
    changed = next(place for place, block in enumerate(blocks(out)) if "Changed since" in block)
    first = next(place for place, block in enumerate(blocks(out)) if POPF in block)
    assert changed < first
    assert "  kernel: 6.1.0-50-amd64 → 9.9" in blocks(out)[changed]
    assert "→ 0x99" in blocks(out)[changed]
    (found,) = [one for one in github.annotations([judged(new(tmp_path, 31, **other), folder)])]
    assert "→ 9.9" in found


def test_another_version_of_irqcost_is_named(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(new(tmp_path, version="99.1"), "--baseline", folder) == Exit.OK
    assert "→ 99.1" in capsys.readouterr().out


def test_noisy_results_are_folded_with_a_time_to_paste(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rough = [29.4, 29.6, 29.8, 30.0, 30.0, 30.3, 30.5, 30.6]
    names = [f"ring3/p{number}/throughput" for number in range(5)]
    for number, file in enumerate(sorted(folder.iterdir())):
        run(file, {name: near(30, 20, seed=number) for name in names}, day(1 + number))
    took = {"count": 8, "seconds": 30.0, "target_percent": 0.2, "target_cycles": 0.05}
    noisy = run(tmp_path / "new.json", {name: rough for name in names}, day(20), processes=took)
    assert main(noisy, "--baseline", folder) == Exit.UNDECIDED
    found = judged(noisy, folder)
    assert found.time is not None and found.time > 30 and found.time % 10 == 0
    out = capsys.readouterr().out
    first = f"UNDECIDED: 5 of 5 results too noisy. Re-run with --time {found.time}."
    assert out.splitlines()[0] == first
    folded = f"Too noisy: 5 results ({', '.join(names[:3])} and 2 more)."
    assert folded in " ".join(out.split()) and out.count("too noisy") == 1
    assert f"\n  Re-run with --time {found.time}.\n" in out
    (line,) = github.annotations([found])
    assert line.startswith("::warning title=irqcost%3A too noisy::5 results")
    assert main(noisy, "--baseline", folder, "--all") == Exit.UNDECIDED
    assert capsys.readouterr().out.count("exceeds the 0.25 threshold") == 5


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_no_line_is_wider_than_the_terminal(
    columns: int, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = "bpf/kfunc_preempt_disable_enable_and_more/throughput"
    for file in folder.iterdir():
        run(file, {name: near(33000), POPF: near(30)}, day(2))
    slow = run(tmp_path / "new.json", {name: near(44000), POPF: near(31)}, day(20))
    text = check_table.text([judged(slow, folder)], True, columns)
    paths = (str(tmp_path), str(folder))
    wide = [line for line in text.splitlines() if len(line) > columns]
    # A path is left whole, to be copied.
    assert all(any(path in line for path in paths) for line in wide)
    assert name in text


def test_several_files_begin_with_the_worst(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = run(tmp_path / "slow.json", {POPF: near(31), LAHF: near(5)}, day(20))
    assert main(new(tmp_path), slow, "--baseline", folder) == Exit.FAILED
    assert capsys.readouterr().out.startswith("FAIL: 1 of 2 files: slow.json. See below.\n")
    faster = run(tmp_path / "fast.json", {POPF: near(25), LAHF: near(5)}, day(20))
    assert main(new(tmp_path), faster, "--baseline", folder) == Exit.OK
    assert capsys.readouterr().out.startswith("OK: none of 2 files has slower results.\n")


@pytest.mark.parametrize(
    ("asked", "measured"),
    [
        (Options(filter="lahf"), [LAHF]),
        (Options(filter="-lahf|slow"), [POPF, "kmod/popf/throughput"]),
        (Options(backends="kmod,bpf"), ["kmod/popf/throughput"]),
        (Options(), [POPF, LAHF, "kmod/popf/throughput"]),
        (Options(filter="."), [POPF, LAHF, "kmod/popf/throughput", "ring3/slow_popf/throughput"]),
        (Options(filter="softirq", contexts="softirq"), ["kmod/popf/throughput/softirq"]),
        (Options(filter="contention"), ["kmod/spin_lock/contention/2"]),
    ],
)
def test_what_a_run_measures_is_what_is_judged(asked: Options, measured: list[str]) -> None:
    names = [
        *(POPF, LAHF, "kmod/popf/throughput", "ring3/slow_popf/throughput"),
        *("kmod/popf/throughput/softirq", "kmod/spin_lock/contention/2"),
    ]
    assert [name for name in names if asked.selects(name)] == measured


def test_a_filter_leaves_the_rest_of_the_baseline_unjudged(
    tmp_path: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def measured(_: object, target: Path) -> None:
        run(target, {LAHF: near(5)}, day(20))

    monkeypatch.setattr(running, "prepared", lambda options: options)
    monkeypatch.setattr(running, "parts", lambda options, target: [(target, None)])
    monkeypatch.setattr(running, "measured", measured)
    out = ["--out", tmp_path / "out.json"]
    assert main("--run", "--filter", "lahf", *out, "--baseline", folder) == Exit.OK
    assert capsys.readouterr().out.startswith("OK: none of 1 result slower.")
    # What was asked for and is missing is still an error.
    (tmp_path / "out.json").unlink()
    assert main("--run", "--filter", "lahf|popf", *out, "--baseline", folder) == Exit.UNUSABLE

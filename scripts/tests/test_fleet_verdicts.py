# SPDX-License-Identifier: GPL-2.0-only
"""check --fleet: groups of machines, the budget of false alarms, and what is found."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from irqcost import ROOT, cli
from irqcost.base.executors import Here
from irqcost.compare import policy
from irqcost.compare.fleet import gather, verdicts
from irqcost.compare.fleet.gather import Night
from irqcost.model.records import slim
from irqcost.model.records.slim import Slim
from irqcost.stats import signs

sys.path.insert(0, str(ROOT / "scripts" / "evidence"))
import fleet  # noqa: E402
import fleet_records  # noqa: E402
from results import committed  # noqa: E402

_RULES = policy.read(policy.DEFAULTS)
_NIGHT = Night(fleet_records.LAST, 24)
_SEEDS = fleet_records.seeds(committed("amd-epyc-1a-02-01/*.json"))
Change = Callable[[Slim], Slim]


def lines(machines: int, nights: int, slower: float = 0.0) -> list[bytes]:
    made = fleet_records.Fleet(_SEEDS, machines, nights, slower=slower)
    return [
        line
        for night in range(nights)
        for line in made.lines(night, 0, machines).splitlines(keepends=True)
    ]


def judged(folder: Path, budget: float = 0.01) -> verdicts.Verdict:
    found = gather.gather([folder], _NIGHT, _RULES.runs, None, Here())
    return verdicts.judge(found, _RULES, budget)


def put(folder: Path, made: list[bytes], name: str = "a") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.ndjson").write_bytes(b"".join(made))
    return folder


def check(folder: Path, *more: str) -> int:
    return cli.main(["check", "--fleet", str(folder), "--until=2026-11-30T06:00Z", *more])


# The statistics


@pytest.mark.parametrize(("heads", "n"), [(0, 5), (5, 5), (15, 20), (600, 1000), (5400, 10_000)])
def test_chances_of_coins(heads: int, n: int) -> None:
    assert signs.chance(heads, n) == pytest.approx(stats.binom.sf(heads - 1, n, 0.5), rel=1e-9)


def test_the_budget_is_shared_by_the_tests_that_can_alarm() -> None:
    assert signs.allowed([100] * 50, 0.01) == 0.01 / 50
    # A thousand groups of three machines cost the others nothing.
    assert signs.allowed([3] * 1000 + [100] * 50, 0.01) == 0.01 / 50
    assert signs.allowed([3] * 1000, 0.01) == 0 and signs.allowed([], 0.01) == 0
    assert signs.fewest(0.01 / 50) == 13 and 0.5**13 <= 0.01 / 50 < 0.5**12


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_a_new_value_is_above_the_middle_of_those_before_half_the_time(count: int) -> None:
    values = np.random.default_rng(count).lognormal(0, 1, (40_000, 6, 1))
    values[:, 1 + count :] = np.nan
    above = values[:, 0, 0] > verdicts.middle(values[:, 1:])[:, 0]
    # Of the other median it would be 0.44 (of 2) and 0.47 (of 4).
    assert abs(above.mean() - 0.5) < 0.011


def test_the_oldest_is_left_out_where_values_are_even() -> None:
    before = np.array([[[1.0, np.nan], [5.0, 3.0], [3.0, 9.0], [100.0, np.nan]]])
    assert verdicts.middle(before).tolist() == [[3.0, 3.0]]
    assert np.isnan(verdicts.middle(np.full((2, 3, 1), np.nan))).all()


def test_false_alarms_are_within_the_budget() -> None:
    """A small version of scripts/evidence/fleet.py."""
    for place, noise in enumerate(fleet.NOISES.values()):
        tables = list(fleet.nights(200, 4, 30, noise, place))
        bare = sum(fleet.alarms(one, fleet._BARE, 1.0) for one in tables)
        # Of a Poisson distribution of 30 it is more once in a hundred thousand.
        assert bare <= stats.poisson.ppf(1 - 1e-5, 30)
        assert sum(fleet.alarms(one, _RULES, 0.01) for one in tables) == 0


def test_the_bound_of_the_evidence_is_exact() -> None:
    for count in (0, 3, 50):
        assert fleet.most(count, 10) == pytest.approx(stats.chi2.ppf(0.95, 2 * count + 2) / 20)


# Groups


def test_no_group_is_slower_where_nothing_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, lines(160, 6))
    assert check(tmp_path) == 0
    said = capsys.readouterr().out
    assert said.startswith("OK: none of 8 groups of machines that can be judged is slower")
    assert "SIMULATED" in said and "960" in said


def test_a_slower_kernel_is_an_alarm_of_its_group(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, lines(160, 6, slower=1.0))
    assert check(tmp_path) == 1
    said = capsys.readouterr().out
    assert said.startswith("FAIL: 1 of 8 groups of machines slower.")
    assert "kernel: 6.0.1-simulated → 6.12.2-new" in said and "changed on 20 machines" in said
    (group,) = judged(tmp_path).alarms
    assert group.context.kernel.release == "6.12.2-new"
    (popf,) = (one for one in group.slower if one.name == "ring3/popf/throughput")
    assert popf.change == pytest.approx(1, abs=0.1) and popf.slower == popf.machines == 20
    # With less to spend, or nothing selected that is slower, there is none.
    assert check(tmp_path, "--budget=1e-12") == 3
    assert check(tmp_path, "--select=nosuch") == 3


def test_a_faster_kernel_is_said_and_not_alarmed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = [slim.loads(line) for line in lines(160, 6)]
    for place, record in enumerate(made[:-160]):
        if record.context.cpu.microcode == "0x00000003":
            made[place] = replace(record, figures=_moved(record, 1.0))
    put(tmp_path, [slim.dumps(one) for one in made])
    assert check(tmp_path) == 0
    said = capsys.readouterr().out
    assert "Faster: " in said and "SLOWER" not in said
    (group,) = (one for one in judged(tmp_path).groups if one.faster)
    assert group.context.cpu.microcode == "0x00000003" and not group.slower
    assert all(one.change < 0 for one in group.faster)


def _moved(record: Slim, cycles: float) -> dict[str, slim.Figure]:
    return {
        name: one._replace(value=one.value + cycles, low=None, high=None)
        for name, one in record.figures.items()
    }


def test_late_and_duplicate_records_change_nothing(tmp_path: Path) -> None:
    made = lines(160, 6, slower=1.0)
    one = judged(put(tmp_path / "one", made))
    assert one.alarms
    (tmp_path / "one" / "again.json").write_bytes(made[0])
    put(tmp_path / "one", made[::-1] + made, "b")
    assert judged(tmp_path / "one") == one


def test_one_slow_machine_is_listed_and_not_alarmed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = lines(160, 6)
    slow = slim.loads(made[-160])
    made[-160] = slim.dumps(replace(slow, figures=_moved(slow, 20.0)))
    put(tmp_path, made)
    assert check(tmp_path) == 0
    said = capsys.readouterr().out
    listed = said.partition("Machines that differ from their group")[2].splitlines()
    assert listed[3].split()[0] == "machine-0000000" and int(listed[3].split()[1]) > 40


def test_few_machines_cannot_alarm_and_it_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, lines(16, 6, slower=9.0))
    assert check(tmp_path) == 3
    assert capsys.readouterr().out.startswith("UNDECIDED: no group has the ")
    # A whole alarm a night is more to spend.
    put(tmp_path, lines(80, 6, slower=9.0))
    assert check(tmp_path, "--budget=1") == 1


def _kind(kind: str) -> Change:
    def change(record: Slim) -> Slim:
        context = json.loads(record.document)
        context["execution"]["kind"] = kind
        return replace(record, document=json.dumps(context, separators=(",", ":")))

    return change


def test_kinds_of_execution_are_never_compared(tmp_path: Path) -> None:
    made = lines(160, 6, slower=1.0)
    last = [slim.dumps(_kind("bare-metal")(slim.loads(line))) for line in made[-160:]]
    verdict = judged(put(tmp_path, made[:-160] + last))
    assert not verdict.alarms and verdict.tests == 0
    assert {one.context.execution for one in verdict.groups} == {"bare-metal"}
    assert all(one.judged == 0 for one in verdict.groups)


def test_unreliable_figures_and_other_estimators_are_not_compared(tmp_path: Path) -> None:
    made = [slim.loads(line) for line in lines(160, 6, slower=1.0)]
    changes = {
        "ring3/popf/throughput": {"estimator": 2},
        "ring3/pushf/throughput": {"verdict": "disturbed"},
        "ring3/lahf/throughput": {"unit": "ticks"},
    }
    (whole,) = judged(put(tmp_path, [slim.dumps(one) for one in made])).alarms
    for place, record in list(enumerate(made))[-160:]:
        own = {name: record.figures[name]._replace(**more) for name, more in changes.items()}
        made[place] = replace(record, figures={**record.figures, **own})
    (group,) = judged(put(tmp_path, [slim.dumps(one) for one in made])).alarms
    names = {one.name for one in group.slower}
    assert {one.name for one in whole.slower} - names == changes.keys()


def test_what_does_not_matter_is_no_alarm(tmp_path: Path) -> None:
    put(tmp_path, lines(160, 6, slower=0.2))
    assert check(tmp_path) == 0
    strict = tmp_path / "strict.toml"
    strict.write_text("[threshold]\ncycles = 0.05\npercent = 0.0\n")
    assert check(tmp_path, f"--config={strict}") == 1


def test_a_named_file_that_cannot_be_read_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(put(tmp_path, lines(160, 6)))
    for name, code in (("a.ndjson", 0), ("nosuch.ndjson", 2)):
        command = ["check", "--fleet", "--until=2026-11-30T06:00Z", ".", name]
        assert cli.main(command) == code


def test_what_is_not_used_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = lines(160, 6)
    late = slim.loads(made[0])
    later = (slim.when(made and slim.loads(made[-1]).date) + timedelta(days=400)).isoformat()
    context = json.loads(late.document)
    context["execution"]["kind"] = "emulated"
    more = [
        slim.dumps(replace(late, date=later)),
        slim.dumps(replace(late, document=json.dumps(context))),
        b"{}\n",
    ]
    put(tmp_path, made[:-1] + more)
    (tmp_path / "result.json").write_bytes(committed("amd-epyc-1a-02-01/*.json")[0].read_bytes())
    assert check(tmp_path) == 0
    said = capsys.readouterr()
    assert "1 record not used: of a later time than the night" in said.out
    assert "1 record not used: emulated without an instruction clock" in said.out
    assert "1 record not used: results that do not name their machine" in said.out
    assert "1 machine with earlier records sent none this night" in said.out
    assert "not a record" in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "--fleet"],
        ["check", "--fleet", ".", "--run"],
        ["check", "--fleet", ".", "--baseline", "."],
        ["check", "--fleet", ".", "--junit", "x"],
        ["check", "--fleet", ".", "--github-annotations"],
        ["check", "--fleet", ".", "--budget", "0"],
        ["check", "--fleet", ".", "--budget", "2"],
        ["check", "--fleet", ".", "--until", "yesterday"],
        ["check", "--fleet", ".", "--select", "("],
        ["check", "--fleet", "nosuch.ndjson"],
    ],
)
def test_wrong_usage(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        code = cli.main(arguments)
    except SystemExit as left:
        code = int(left.code or 0)
    assert code == 2

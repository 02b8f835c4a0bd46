# SPDX-License-Identifier: GPL-2.0-only
"""Histories of machines: levels, spikes, and what changes fell on."""

import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from irqcost import ROOT, cli
from irqcost.base.errors import Exit
from irqcost.compare import policy, trend
from irqcost.model import reader, store
from irqcost.output import history_table
from irqcost.stats import changepoints
from results import result
from results_of import run

POPF = "ring3/popf/throughput"
LAHF = "ring3/lahf/isolated"

# Exact runs of two of Debian's kernels.
_OLD, _NEW = "6.1.0-56-amd64", "6.12.117+deb12-amd64"


def machine(release: str, microcode: str) -> dict[str, Any]:
    ours = reader.read_document(ROOT / "scripts/tests/data/alpha.json")[0]["context"]["irqcost"]
    return {
        "kernel": {**ours["kernel"], "release": release},
        "cpu": {**ours["cpu"], "microcode": microcode},
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Thirty runs: kernel 6.2 from run 10 on makes popf slower, microcode 0x2 from run 20 on
    nothing; run 5 is a spike; the files' names are in another order."""
    chance = random.Random(1)
    for number in range(30):
        popf = 90.0 if number == 5 else 30.0 + (number >= 10)
        figures = {
            POPF: [popf + chance.gauss(0, 0.01) for _ in range(8)],
            LAHF: [5 + chance.gauss(0, 0.01) for _ in range(8)],
        }
        ours = machine("6.2" if number >= 10 else "6.1", "0x2" if number >= 20 else "0x1")
        date = f"2026-10-{number + 1:02}T00:00:00+00:00"
        run(tmp_path / "r" / f"{(number * 7) % 30}.json", figures, date, **ours)
    return tmp_path / "r"


def test_a_change_and_what_it_fell_on(folder: Path) -> None:
    (found,) = trend.histories(store.read([folder]).records, policy.read(None))
    assert len(found.contexts) == 30 and list(found.dates) == sorted(found.dates)
    popf, lahf = found.lines
    (change,) = popf.changes
    assert (change.run, change.fell_on) == (10, "kernel 6.1 → 6.2")
    assert change.before == pytest.approx(30, abs=0.1) and change.after == pytest.approx(
        31, abs=0.1
    )
    assert [(a, b) for a, b, _ in popf.levels] == [(0, 10), (10, 30)]
    assert lahf.changes == ()
    everything = history_table.text(found, True)
    assert "2026-10-11" in everything and "1 of 2 results changed" in everything
    assert LAHF in everything and LAHF not in history_table.text(found, False)


def test_too_few_runs_say_how_many_are_needed(folder: Path) -> None:
    """A step in the middle of ten runs is not distinguishable from noise."""
    names = {int(path.stem) * 13 % 30: path for path in folder.iterdir()}  # by number of the run
    for number in (*range(4), 5, *range(15, 30)):
        names[number].unlink()

    def text() -> str:
        (found,) = trend.histories(store.read([folder]).records, policy.read(None))
        return history_table.text(found, False)

    assert "changed their level" not in text()
    assert "a change needs 6 runs before and 6 after it, and there are 10 at most." in text()
    assert "./irqcost check NEWEST --baseline FOLDER" in text()
    assert changepoints.fewest() == 6


def test_niceness_is_something_that_changes_fall_on() -> None:
    one, two = (replace(result("alpha").context, niceness=nice) for nice in (0, -20))
    assert trend.fell_on(one, one) == ""
    assert trend.fell_on(one, two) == "niceness 0 → -20"
    assert trend.fell_on(replace(one, niceness=None), two) == ""


def test_machines_have_histories_of_their_own(folder: Path, tmp_path: Path) -> None:
    for number in range(2):
        ours = {"execution": {"kind": "virtualised", "reason": ""}}
        run(folder / f"v{number}.json", {POPF: [50.0] * 8}, f"2026-09-0{number + 1}", **ours)
    run(folder / "alone.json", {POPF: [50.0] * 8}, "2026-09-01", cpuid_hypervisor="Microsoft Hv")
    found = trend.histories(store.read([folder]).records, policy.read(None))
    assert [len(one.contexts) for one in found] == [30, 2]


def test_doubtful_figures_are_left_out_and_counted(tmp_path: Path) -> None:
    for number in range(4):
        wild = [20.0, 25, 30, 35, 40, 45] if number == 1 else [30.0] * 8
        run(tmp_path / f"{number}.json", {POPF: wild}, f"2026-09-0{number + 1}")
    (found,) = trend.histories(store.read([tmp_path]).records, policy.read(None))
    assert found.lines[0].runs == (0, 2, 3) and found.lines[0].unreliable == 1
    assert "1 unreliable values ignored." in history_table.text(found, False)


def test_exact_counts_change_at_once_and_where_the_kernel_did() -> None:
    emulated = ROOT / "results" / "emulated"
    one, two = (next(emulated.glob(f"*Z-{name}-exact.json")) for name in (_OLD, _NEW))
    records = store.read([one, two]).records
    found = trend.histories(records, policy.read(None))[0]
    assert found.exact
    lines = {line.name: line for line in found.lines}
    (change,) = lines["kmod/spin_lock/throughput"].changes
    assert (change.before, change.after) == (17, 19) and "kernel 6.1" in change.fell_on
    assert lines["kmod/local_irq_save_restore/throughput"].changes == ()


def test_the_command_draws_and_ends_well(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "h"
    arguments = ["history", str(folder), "--out", str(out), "--theme", "both"]
    assert cli.main(arguments) == Exit.OK
    assert "kernel 6.1 → 6.2" in capsys.readouterr().out
    names = {path.name for path in tmp_path.glob("h*")}
    assert names == {"h.png", "h.svg", "h-dark.png", "h-dark.svg"}
    # A title may be in several lines.
    svg = " ".join(re.findall(r">([^<>]+)</text>", (tmp_path / "h.svg").read_text("utf-8")))
    assert "rose from 30.0" in svg and "kernel 6.1 → 6.2" in svg and "microcode 0x2" in svg


def test_bad_files_are_left_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.json").write_text("{", encoding="utf-8")
    assert cli.main(["history", str(folder), "--no-chart"]) == Exit.OK
    assert "bad.json" in capsys.readouterr().err
    named = [str(folder), str(folder / "bad.json"), "--no-chart"]
    assert cli.main(["history", *named]) == Exit.UNUSABLE
    assert cli.main(["history", str(folder / "1.json"), "--no-chart"]) == Exit.UNUSABLE
    assert "no machine has two results" in capsys.readouterr().err


def test_a_history_without_cycles_has_no_chart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Emulated runs without the instruction clock: their table is printed all the same."""
    (emulated,) = (ROOT / "results" / "emulated").glob("*-6.1.0-56-amd64.json")
    text = emulated.read_text("utf-8")
    date = reader.read_result(emulated).context.date
    for day in ("2026-01-01", "2026-01-02"):
        (tmp_path / f"{day}.json").write_text(text.replace(date, f"{day}T00:00:00+00:00"), "utf-8")
    assert cli.main(["history", str(tmp_path), "--out", str(tmp_path / "x")]) == 0
    assert "no chart: these results have no core cycles" in capsys.readouterr().out
    assert not list(tmp_path.glob("x*"))

# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost tune` on invented hosts: whatever happens, --restore puts back what was there."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fake_host
from fake_host import Interrupted, Refusing
from irqcost import ROOT
from irqcost.base.errors import IrqcostError
from irqcost.commands import tune
from irqcost.machine import hostfacts, settings, tuning
from irqcost.machine.hostfacts import CPUS, Tree

STATE = "run/irqcost/tune.json"

# What tuning for CPU 1 makes of the laptop.
CHANGED = {
    f"{CPUS}/cpu1/cpufreq/scaling_governor": "performance",
    f"{CPUS}/intel_pstate/no_turbo": "1",
    "proc/sys/kernel/soft_watchdog": "0",
    "proc/sys/kernel/nmi_watchdog": "0",
    "proc/irq/default_smp_affinity": "dd",
    "proc/irq/0/smp_affinity": "dd",
    "proc/irq/9/smp_affinity": "dd",  # had no other CPU
    "proc/irq/16/smp_affinity": "dd",  # had only the one that goes offline
    "proc/irq/121/smp_affinity": "08",
    f"{CPUS}/cpu5/online": "0",
}


@pytest.fixture(name="laptop")
def _laptop(tmp_path: Path) -> Path:
    return fake_host.build(tmp_path, fake_host.LAPTOP)


@pytest.fixture(autouse=True)
def _root(monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        monkeypatch.setattr(tune, "_require_root", lambda: None)


def command(tree: Tree, *options: str) -> int:
    parser = argparse.ArgumentParser()
    tune.add_parser(parser.add_subparsers())
    return tune.run(parser.parse_args(["tune", *options]), tree)


def plan(tree: Tree) -> settings.Plan:
    return settings.plan(hostfacts.read(1, tree), tree)


def test_there_and_back(laptop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = fake_host.content(laptop)
    tree = Tree(laptop)
    assert command(tree, "--cpu", "1") == 0
    assert fake_host.content(laptop) == {**before, **CHANGED}
    text = capsys.readouterr().out
    # Plan first: setting, from, to, why.
    assert text.index("For measuring on CPU 1") < text.index("10 of 10 settings changed")
    assert "powersave" in text and "interrupt 121" in text
    assert (laptop / STATE).stat().st_mode & 0o777 == 0o600
    assert command(tree, "--restore") == 0
    assert fake_host.content(laptop) == before
    assert not (laptop / STATE).exists()
    assert "10 settings restored" in capsys.readouterr().out
    assert command(tree, "--restore") == 0
    assert "not tuned" in capsys.readouterr().out
    assert fake_host.content(laptop) == before


def test_dry_run_changes_nothing(laptop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = fake_host.content(laptop)
    assert command(Interrupted(laptop, 0), "--cpu", "1", "--dry-run") == 0
    assert fake_host.content(laptop) == before and not (laptop / "run").exists()
    assert "CPU 5 online" in capsys.readouterr().out


def test_the_sibling_is_last_to_go_and_first_to_be_back(laptop: Path) -> None:
    tree = Interrupted(laptop)
    tuning.apply(plan(tree), tree)
    assert tree.writes == list(CHANGED)
    back = Interrupted(laptop)
    tuning.restore(back)
    assert back.writes == list(reversed(CHANGED))


def test_the_record_is_there_before_the_first_change(laptop: Path) -> None:
    seen = []

    class Watching(Tree):
        def write(self, path: str, value: str) -> None:
            seen.append(json.loads((laptop / STATE).read_text())["changes"])
            super().write(path, value)

    tree = Watching(laptop)
    tuning.apply(plan(tree), tree)
    assert all([one["path"] for one in changes] == list(CHANGED) for changes in seen)


def test_a_second_tune_keeps_the_first_record(laptop: Path) -> None:
    before = fake_host.content(laptop)
    tree = Tree(laptop)
    tuning.apply(plan(tree), tree)
    record = (laptop / STATE).read_bytes()
    # Something else is to change by now, and still what was there first is kept.
    tree.write("proc/irq/120/smp_affinity", "02")
    with pytest.raises(IrqcostError, match="tuned already .*--restore"):
        command(tree, "--cpu", "1")
    assert (laptop / STATE).read_bytes() == record
    tree.write("proc/irq/120/smp_affinity", "04")
    command(tree, "--restore")
    assert fake_host.content(laptop) == before


def test_what_the_kernel_refuses(laptop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = fake_host.content(laptop)
    ignored = "proc/sys/kernel/nmi_watchdog"
    tree = Refusing(laptop, {"proc/irq/0/smp_affinity"}, frozenset({ignored}))
    assert command(tree, "--cpu", "1") == 2
    text = capsys.readouterr().out
    assert "not changed: interrupt 0: not movable" in text
    assert "not changed: nmi_watchdog: " in text and "reads '1' after '0'" in text
    assert "8 of 10 settings changed" in text
    kept = {key: before[key] for key in ("proc/irq/0/smp_affinity", ignored)}
    assert fake_host.content(laptop) == {**before, **CHANGED, **kept}
    assert command(tree, "--restore") == 0
    assert fake_host.content(laptop) == before


def test_what_cannot_be_put_back_stays_on_record(
    laptop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = fake_host.content(laptop)
    command(Tree(laptop), "--cpu", "1")
    governor = f"{CPUS}/cpu1/cpufreq/scaling_governor"
    assert command(Refusing(laptop, {governor}), "--restore") == 1
    assert "not restored: governor" in capsys.readouterr().out
    assert fake_host.content(laptop) == {**before, governor: "performance"}
    assert command(Tree(laptop), "--restore") == 0
    assert fake_host.content(laptop) == before


@pytest.mark.parametrize("step", range(len(CHANGED)))
def test_ctrl_c_puts_back(laptop: Path, step: int) -> None:
    before = fake_host.content(laptop)
    tree = Interrupted(laptop, step)
    with pytest.raises(KeyboardInterrupt):
        tuning.apply(plan(tree), tree)
    assert fake_host.content(laptop) == before
    assert not (laptop / STATE).exists()


def test_ctrl_c_while_putting_back(laptop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = fake_host.content(laptop)
    tree = Interrupted(laptop, 5, 7)
    with pytest.raises(KeyboardInterrupt):
        tuning.apply(plan(tree), tree)
    assert "not all was put back; ./irqcost tune --restore" in capsys.readouterr().err
    assert fake_host.content(laptop) != before
    assert command(Tree(laptop), "--restore") == 0
    assert fake_host.content(laptop) == before


_KILLED = """
import sys
from pathlib import Path
from irqcost.commands import tune
from irqcost.machine import hostfacts, settings
from fake_host import Interrupted
tree = Interrupted(Path(sys.argv[1]), int(sys.argv[2]), kill=True)
tune.apply(settings.plan(hostfacts.read(1, tree), tree), tree)
"""


@pytest.mark.parametrize("step", [0, 4, 9])
def test_after_sigkill(laptop: Path, step: int) -> None:
    before = fake_host.content(laptop)
    path = os.pathsep.join([str(ROOT / "scripts"), str(Path(__file__).parent)])
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, laptop, str(step)], env={**os.environ, "PYTHONPATH": path}
    )
    assert done.returncode == -9
    expected = {**before, **dict(list(CHANGED.items())[:step])}
    assert fake_host.content(laptop) == expected
    assert command(Tree(laptop), "--restore") == 0
    assert fake_host.content(laptop) == before


def test_a_device_that_went(laptop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command(Tree(laptop), "--cpu", "1")
    (laptop / "proc/irq/121/smp_affinity").unlink()
    assert command(Tree(laptop), "--restore") == 0
    text = capsys.readouterr().out
    assert "no longer there: interrupt 121" in text and "9 settings restored" in text
    assert not (laptop / "proc/irq/121/smp_affinity").exists()


def test_a_record_of_an_earlier_start(laptop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command(Tree(laptop), "--cpu", "1")
    fake_host.build(laptop, fake_host.LAPTOP)
    (laptop / "proc/sys/kernel/random/boot_id").write_text("another\n")
    fresh = fake_host.content(laptop)
    assert command(Interrupted(laptop, 0), "--restore") == 0
    assert "rebooted" in capsys.readouterr().out
    command(Tree(laptop), "--cpu", "1")
    assert command(Tree(laptop), "--restore") == 0
    assert fake_host.content(laptop) == fresh


@pytest.mark.parametrize(
    "text, reason",
    [
        ("{", "not a record of tune"),
        ("[]", "not a record of tune"),
        ('{"schema": 1}', "not a record of tune"),
        ('{"schema": 2}', "another version"),
    ],
)
def test_a_broken_record_changes_nothing(laptop: Path, text: str, reason: str) -> None:
    state = fake_host.build(laptop, {STATE: text}) / STATE
    for options in (["--restore"], ["--cpu", "1"]):
        with pytest.raises(IrqcostError, match=reason):
            command(Interrupted(laptop, 0), *options)
    assert state.read_text() == text


def test_a_record_that_others_can_write_is_not_used(laptop: Path) -> None:
    command(Tree(laptop), "--cpu", "1")
    (laptop / STATE).chmod(0o666)
    with pytest.raises(IrqcostError, match="others than root"):
        command(Interrupted(laptop, 0), "--restore")


def test_two_at_a_time(laptop: Path) -> None:
    class Nested(Tree):
        def write(self, path: str, value: str) -> None:
            with pytest.raises(IrqcostError, match="under way"):
                tuning.restore(Tree(laptop))
            super().write(path, value)

    tree = Nested(laptop)
    assert not tuning.apply(plan(tree), tree)


def test_nothing_to_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tuned = fake_host.build(tmp_path, fake_host.TUNED)
    assert command(Interrupted(tuned, 0), "--cpu", "1") == 0
    assert "Nothing to change" in capsys.readouterr().out
    assert not (tuned / "run").exists()


def test_a_guest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    guest = fake_host.build(tmp_path, fake_host.GUEST)
    assert command(Tree(guest), "--cpu", "1") == 0
    assert (guest / "proc/irq/24/smp_affinity").read_text() == "1\n"
    text = capsys.readouterr().out
    for setting in ("governor", "boost", "sibling thread"):
        assert f"cannot be changed: {setting}: a guest does not see it" in text


def test_what_has_no_remedy(laptop: Path) -> None:
    governors = laptop / f"{CPUS}/cpu1/cpufreq/scaling_available_governors"
    governors.write_text("powersave schedutil\n")
    (laptop / f"{CPUS}/cpu5/online").unlink()
    reasons = dict(plan(Tree(laptop)).impossible)
    assert reasons["governor"] == "the driver knows only powersave schedutil"
    assert "measure on another core" in reasons["CPU 5 online"]
    (laptop / f"{CPUS}/online").write_text("1\n")
    assert "only one" in dict(plan(Tree(laptop)).impossible)["interrupts"]


def test_irqbalance_is_named(laptop: Path) -> None:
    assert not plan(Tree(laptop)).impossible
    fake_host.build(laptop, {"proc/77/comm": "irqbalance\n"})
    assert "stop it" in dict(plan(Tree(laptop)).impossible)["interrupts, for long"]


def test_not_root(laptop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    before = fake_host.content(laptop)
    for options in (["--cpu", "1"], ["--restore"]):
        with pytest.raises(IrqcostError, match="run it as root") as error:
            command(Tree(laptop), *options)
        assert error.value.code == 2
    assert command(Tree(laptop), "--cpu", "1", "--dry-run") == 0
    assert fake_host.content(laptop) == before
    monkeypatch.undo()
    with pytest.raises(IrqcostError, match="takes no --cpu"):
        command(Tree(laptop), "--restore", "--cpu", "1")

# SPDX-License-Identifier: GPL-2.0-only
"""tune and doctor where the kernel works by itself, where interrupts cannot be moved, and where
its files are masked, missing or odd."""

import errno
import json
import os
import random
from pathlib import Path

import pytest

import fake_host
from fake_host import LAPTOP, Refusing
from irqcost import cli
from irqcost.base.errors import Exit
from irqcost.commands import doctor, tune
from irqcost.machine import assess, host, hostfacts, settings
from irqcost.machine.hostfacts import CPUS, FIXED_IRQS, WORKQUEUES, Tree

BUSY = {
    **LAPTOP,
    "proc/sys/kernel/numa_balancing": "1\n",
    "proc/sys/kernel/timer_migration": "1\n",
    "sys/kernel/mm/ksm/run": "1\n",
    WORKQUEUES: "ff\n",
    f"{CPUS}/cpu1/cpuidle/state0/disable": "0\n",
    f"{CPUS}/cpu1/cpuidle/state1/disable": "0\n",
    f"{CPUS}/cpu1/cpuidle/state2/disable": "0\n",
}
QUIET = {
    "proc/sys/kernel/numa_balancing": "0",
    "proc/sys/kernel/timer_migration": "0",
    "sys/kernel/mm/ksm/run": "0",
    WORKQUEUES: "dd",
    f"{CPUS}/cpu1/cpuidle/state2/disable": "1",
}


@pytest.fixture(name="busy")
def _busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tune.os, "geteuid", lambda: tmp_path.stat().st_uid)
    monkeypatch.setattr(tune, "_require_root", lambda: None)
    return fake_host.build(tmp_path, BUSY)


def _command(tree: Tree, *arguments: str) -> int:
    return tune.run(cli.parser("tune").parse_args(["tune", *arguments]), tree)


def _found(root: Path, subject: str) -> assess.Finding:
    findings = assess.assess(hostfacts.read(1, Tree(root)))
    return next(one for one in findings if one.subject == subject)


def test_the_kernels_own_work_is_stopped_and_put_back(busy: Path) -> None:
    before = fake_host.content(busy)
    for subject in ("work of the kernel", "idle states"):
        assert _found(busy, subject).by == assess.By.TUNE
    assert _command(Tree(busy), "--cpu", "1") == Exit.OK
    after = fake_host.content(busy)
    assert {name: after[name] for name in QUIET} == QUIET
    assert not _found(busy, "work of the kernel").hurts and not _found(busy, "idle states").hurts
    assert _command(Tree(busy), "--restore") == Exit.OK
    assert fake_host.content(busy) == before


def test_ksm_that_has_stopped_is_left_alone(busy: Path) -> None:
    (busy / "sys/kernel/mm/ksm/run").write_text("2\n")
    names = [
        one.setting for one in settings.plan(hostfacts.read(1, Tree(busy)), Tree(busy)).changes
    ]
    assert "KSM" not in names and "NUMA balancing" in names


_HERE = ("proc/irq/0/smp_affinity", "proc/irq/9/smp_affinity", "proc/irq/121/smp_affinity")


def test_interrupts_that_nobody_can_move_are_no_failure(
    busy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = Refusing(busy, set(_HERE))
    assert _command(tree, "--cpu", "1") == Exit.OK
    said = capsys.readouterr().out
    for number in (0, 9, 121):
        assert f"not changed: interrupt {number}: not movable" in said
    assert _command(tree, "--restore") == Exit.OK
    capsys.readouterr()
    # From then on that is known: it is not tried again, and doctor does not advise it.
    assert _command(tree, "--cpu", "1") == Exit.OK
    assert "cannot be changed: interrupt 9: not movable" in capsys.readouterr().out
    found = _found(busy, "device interrupts")
    assert not found.hurts and "and 3 that cannot be moved" in found.value
    # With another start of the machine nothing is known of it.
    (busy / "proc/sys/kernel/random/boot_id").write_text("another\n")
    assert _found(busy, "device interrupts").hurts


def test_a_mode_tells_that_an_interrupt_cannot_be_moved(busy: Path) -> None:
    for name in _HERE:
        (busy / name).chmod(0o444)
    plan = settings.plan(hostfacts.read(1, Tree(busy)), Tree(busy))
    assert not {one.path for one in plan.changes} & set(_HERE)
    assert [name for name, _ in plan.impossible] == ["interrupt 0", "interrupt 9", "interrupt 121"]
    assert not _found(busy, "device interrupts").hurts


@pytest.mark.parametrize("content", ["", "[]", "{", '{"boot_id": 1}', '{"interrupts": {}}', "\x00"])
def test_a_record_of_interrupts_that_is_none(content: str, busy: Path) -> None:
    (busy / FIXED_IRQS).parent.mkdir(exist_ok=True)
    (busy / FIXED_IRQS).write_text(content)
    assert hostfacts.fixed_irqs(Tree(busy)) == frozenset()
    boot = (busy / "proc/sys/kernel/random/boot_id").read_text().strip()
    (busy / FIXED_IRQS).write_text(json.dumps({"boot_id": boot, "interrupts": [7]}))
    assert hostfacts.fixed_irqs(Tree(busy)) == {7}


_ODD = (
    "",
    "\n",
    "x",
    "-1",
    "0-",
    "ff,zz",
    "9" * 400,
    "\x00\xff",
    "a b c d e f g h i j",
    ":" * 9,
    "1 1",
)


@pytest.mark.parametrize("seed", range(40))
def test_doctor_lives_on_any_machine(seed: int, tmp_path: Path) -> None:
    """Files of the kernel are masked, empty, folders, or say what nobody expects."""
    chance = random.Random(seed)
    fake_host.build(
        tmp_path, BUSY | {"proc/self/cgroup": "0::/x\n", "proc/self/mountinfo": "1 2\n"}
    )
    paths = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    for path in paths if seed == 0 else chance.sample(paths, chance.randrange(1, len(paths))):
        path.unlink()
        if seed and chance.random() < 0.6:
            path.write_text(chance.choice(_ODD))
        elif seed and chance.random() < 0.3:
            path.mkdir()
    assert "what hurts precision on CPU" in doctor._host(None, Tree(tmp_path))
    settings.plan(hostfacts.read(0, Tree(tmp_path)), Tree(tmp_path))
    host.module_facts("6.1", tmp_path)
    host.core_types(tmp_path)


def test_root_of_a_container_is_not_told_to_become_root(
    busy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class ReadOnly(Tree):
        def write(self, path: str, value: str) -> None:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    assert _command(ReadOnly(busy), "--cpu", "1") == Exit.UNUSABLE
    assert "Read-only file system; root of a container" in capsys.readouterr().out
    fake_host.build(busy, {"proc/modules": "", "dev/irqcost": ""})
    monkeypatch.setattr(host.os, "access", lambda *_: False)
    for user, remedy in ((0, "give the device to the container"), (1000, "run as root")):
        monkeypatch.setattr(host.os, "geteuid", lambda user=user: user)
        assert remedy in host.module_facts("6.1", busy)[-1].remedy

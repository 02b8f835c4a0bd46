# SPDX-License-Identifier: GPL-2.0-only
"""What hurts precision, on invented hosts; and `doctor --host`."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

import fake_host
from irqcost import cli
from irqcost.base.errors import IrqcostError
from irqcost.machine import hostfacts
from irqcost.machine.assess import By, Finding, assess
from irqcost.machine.hostfacts import CPUS, Host, Tree, cpu_list, cpu_mask, mask_text


def host(root: Path, files: dict[str, str]) -> Host:
    return hostfacts.read(1, Tree(fake_host.build(root, files)))


def hurting(one: Host) -> dict[str, Finding]:
    return {finding.subject: finding for finding in assess(one) if finding.hurts}


def test_a_laptop(tmp_path: Path) -> None:
    found = hurting(host(tmp_path, fake_host.LAPTOP))
    assert {subject: finding.by for subject, finding in found.items()} == {
        "sibling thread": By.TUNE,
        "governor": By.TUNE,
        "boost": By.TUNE,
        "heat": By.USER,
        "device interrupts": By.TUNE,
        "tick and scheduler": By.BOOT,
        "watchdogs": By.TUNE,
        "idle states": By.TUNE,
    }
    assert list(found)[0] == "sibling thread"
    assert found["sibling thread"].value == "CPU 5 on the core of CPU 1"
    assert found["governor"].value == "powersave"
    assert found["device interrupts"].value == "3 of 5 lines may come to CPU 1"
    assert found["tick and scheduler"].remedy == "isolcpus=1 nohz_full=1 rcu_nocbs=1"
    assert found["heat"].value.startswith("slowed the core 12 times")
    assert all(finding.why and finding.remedy for finding in found.values())
    fake_host.build(tmp_path, {"proc/77/comm": "irqbalance\n"})
    balanced = hurting(hostfacts.read(1, Tree(tmp_path)))
    assert "stop irqbalance" in balanced["device interrupts"].remedy


def test_a_tuned_server(tmp_path: Path) -> None:
    one = host(tmp_path, fake_host.TUNED)
    assert not hurting(one)
    assert [finding.subject for finding in assess(one)] == [
        "sibling thread",
        "hypervisor",
        "load",
        "quota of CPU time",
        "governor",
        "boost",
        "heat",
        "device interrupts",
        "tick and scheduler",
        "watchdogs",
        "idle states",
        "work of the kernel",
        "clock",
    ]


def test_a_guest_says_what_it_cannot_change(tmp_path: Path) -> None:
    one = host(tmp_path, fake_host.GUEST)
    found = hurting(one)
    on_the_host = [subject for subject, finding in found.items() if finding.by is By.HOST]
    assert on_the_host == ["sibling thread", "hypervisor", "governor and boost"]
    assert "10.00% of the CPU's time was stolen" in found["hypervisor"].value
    assert found["load"].value == "load 3.00 on 2 CPUs"
    assert "CONFIG_NO_HZ_FULL" in found["tick and scheduler"].remedy
    assert "watchdogs" not in found and "idle states" not in found
    # Its siblings, where it sees them, it can switch off.
    shared = replace(one, siblings=frozenset({0}))
    assert hurting(shared)["sibling thread"].by is By.TUNE
    fixed = replace(shared, siblings_fixed=frozenset({0}))
    assert "--cpu" in hurting(fixed)["sibling thread"].remedy


def test_a_host_that_tells_nothing(tmp_path: Path) -> None:
    one = hostfacts.read(1, Tree(tmp_path))
    assert (one.governor, one.boost, one.irqs, one.load, one.stolen) == (None,) * 5
    assert all(finding.value for finding in assess(one))


@pytest.mark.parametrize(
    "text, cpus",
    [("0-2,7", {0, 1, 2, 7}), ("", set()), (None, set()), ("  (null)", set()), ("12", {12})],
)
def test_lists_of_cpus(text: str | None, cpus: set[int]) -> None:
    assert cpu_list(text) == cpus


@pytest.mark.parametrize(
    "text, cpus",
    [("3", {0, 1}), ("00000001,80000000", {31, 32}), ("0", set()), ("0f", {0, 1, 2, 3})],
)
def test_masks_of_cpus(text: str, cpus: set[int]) -> None:
    assert cpu_mask(text) == cpus
    assert mask_text(frozenset(cpus), text) == text


def test_a_clock_that_is_not_the_tsc(tmp_path: Path) -> None:
    found = hurting(host(tmp_path, fake_host.GUEST))["clock"]
    assert found.value == "kvm-clock" and found.by is By.BOOT
    assert found.why.startswith("the kernel tells the time by kvm-clock and not by the TSC: ns and")
    fake_host.build(tmp_path, {f"{fake_host.CLOCK}/available_clocksource": "kvm-clock acpi_pm\n"})
    assert hurting(hostfacts.read(1, Tree(tmp_path)))["clock"].by is By.HOST
    older = {**fake_host.TUNED, "proc/cpuinfo": "flags\t\t: fpu tsc constant_tsc sse\n"}
    found = hurting(host(tmp_path / "older", older))["clock"]
    assert "the CPU does not say that its TSC keeps its rate" in found.why


def test_a_quota(tmp_path: Path) -> None:
    limited = {
        **fake_host.TUNED,
        "proc/self/cgroup": "0::/\n",
        "proc/self/mountinfo": "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
        "sys/fs/cgroup/cpu.max": "150000 100000\n",
    }
    found = hurting(host(tmp_path, limited))
    assert found["quota of CPU time"].value == "1.5 CPUs by /sys/fs/cgroup/cpu.max"


def test_isolated_cpus_that_lie_idle(tmp_path: Path) -> None:
    one = host(tmp_path, {**fake_host.LAPTOP, f"{CPUS}/isolated": "2,6,99\n"})
    found = hurting(one)["tick and scheduler"]
    assert found.value == "CPU 1 is not isolated, while CPUs 2, 6 are"
    assert found.remedy == "measure there: --cpu 2"


def allowed(monkeypatch: pytest.MonkeyPatch, *cpus: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(cpus))


def test_the_measuring_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = Tree(fake_host.build(tmp_path, fake_host.LAPTOP))
    assert hostfacts.choose_cpu(7, tree) == 7
    with pytest.raises(IrqcostError, match="CPU 8 is not online; online are: 0-7"):
        hostfacts.choose_cpu(8, tree)
    allowed(monkeypatch, *range(8))
    assert hostfacts.choose_cpu(None, tree) == 1
    allowed(monkeypatch, 0)
    assert hostfacts.choose_cpu(None, tree) == 0


def test_an_isolated_cpu_is_taken_where_nobody_chose_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in bench_user/tests/cpu_choice_test.cc."""
    many = {f"{CPUS}/online": "0,2-3,64,1100-1101\n", f"{CPUS}/isolated": "1101\n"}
    tree = Tree(fake_host.build(tmp_path, {**fake_host.LAPTOP, **many}))
    allowed(monkeypatch, 0, 2, 3, 64, 1100)
    assert hostfacts.usable_cpus(tree) == {0, 2, 3, 64, 1100, 1101}
    assert hostfacts.choose_cpu(None, tree) == 1101
    allowed(monkeypatch, 2, 3)
    assert hostfacts.usable_cpus(tree) == {2, 3} and hostfacts.choose_cpu(None, tree) == 2
    allowed(monkeypatch, 64, 1101)
    assert hostfacts.choose_cpu(None, tree) == 1101


def test_doctor_host(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--host"]) == 0
    text = capsys.readouterr().out
    assert "what hurts precision on CPU" in text and "tick and scheduler" in text
    assert cli.main(["doctor", "--host", "--cpu", "65535"]) == 2
    assert cli.main(["doctor", "--cpu", "0"]) == 2

# SPDX-License-Identifier: GPL-2.0-only
"""What the machine's own files say about modules, and what doctor makes of it."""

import json
import stat
from pathlib import Path

import pytest

from irqcost import cli
from irqcost.commands import doctor
from irqcost.machine import host
from irqcost.measure import build


def machine(root: Path, **files: str) -> Path:
    """A root folder: names with __ for /, and their content."""
    for name, content in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def found(root: Path) -> list[tuple[bool, str]]:
    facts = host.module_facts("6.1.0", root)
    assert all(fact.remedy for fact in facts if not fact.holds)
    return [(fact.holds, fact.found) for fact in facts]


def test_a_kernel_without_modules(tmp_path: Path) -> None:
    assert found(tmp_path) == [(False, "the kernel was built without loadable modules")]


def test_modules_forbidden_at_boot(tmp_path: Path) -> None:
    root = machine(tmp_path, proc__modules="", proc__cmdline="quiet nomodule panic=1\n")
    assert found(root) == [(False, "`nomodule` on the kernel's command line")]


def test_modules_forbidden_later(tmp_path: Path) -> None:
    root = machine(tmp_path, proc__modules="", proc__sys__kernel__modules_disabled="1\n")
    assert [holds for holds, _ in found(root)] == [False]


def test_a_machine_that_has_all(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        proc__modules="",
        proc__cmdline="quiet\n",
        sys__kernel__security__lockdown="[none] integrity confidentiality\n",
        dev__irqcost="",
    )
    headers = root / "lib" / "modules" / "6.1.0" / "build"
    headers.mkdir(parents=True)
    (headers / "Makefile").touch()
    assert [holds for holds, _ in found(root)] == [True] * 4


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    lockdown = "none [integrity] confidentiality"
    root = machine(tmp_path, proc__modules="", sys__kernel__security__lockdown=lockdown)
    secure_boot = root / "sys" / "firmware" / "efi" / "efivars" / "SecureBoot-8be4df61"
    secure_boot.parent.mkdir(parents=True)
    secure_boot.write_bytes(b"\x06\0\0\0\x01")
    assert found(root) == [
        (True, "the kernel takes modules"),
        (False, f"kernel lockdown is {lockdown}, as Secure Boot asks"),
        (False, f"no kernel headers in {root}/lib/modules/6.1.0/build"),
        (False, f"no {root}/dev/irqcost"),
    ]


def test_enforced_signatures(tmp_path: Path) -> None:
    root = machine(tmp_path, proc__modules="", sys__module__module__parameters__sig_enforce="Y\n")
    assert found(root)[1] == (False, "module signatures are enforced")


def test_cpu(tmp_path: Path) -> None:
    text = (
        "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 207\n"
        "model name\t: Intel(R) Xeon(R): Processor\nstepping\t: unknown\n\nprocessor\t: 1\n"
        "vendor_id\t: other\n"
    )
    cpu = host.cpu(machine(tmp_path, proc__cpuinfo=text))
    assert (cpu.vendor, cpu.brand) == ("GenuineIntel", "Intel(R) Xeon(R): Processor")
    assert (cpu.family, cpu.model, cpu.stepping) == (6, 207, None)
    assert host.cpu(tmp_path / "none").brand is None


def test_doctor_before_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "bench", lambda: tmp_path / "none")
    assert cli.main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert "\nkvm: known when the harness is built\n  needs: /dev/kvm" in text
    assert "not built yet" in text and "\nring3: available" in text and "\nvm (" in text
    assert not doctor.ring3("aarch64").usable


@pytest.mark.parametrize("usable", [True, False])
def test_doctor_asks_the_harness(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    usable: bool,
) -> None:
    ring3 = {"usable": usable, "reason": "why not", "remedy": "what helps"}
    bench = tmp_path / "bench"
    bench.write_text(f"#!/bin/sh\necho '{json.dumps({'ring3': ring3})}'\n")
    bench.chmod(stat.S_IRWXU)
    monkeypatch.setattr(build, "bench", lambda: bench)
    assert cli.main(["doctor"]) == (0 if usable else 1)
    text = capsys.readouterr().out
    assert ("  no  why not\n      remedy: what helps\n" in text) is not usable


def test_the_types_of_a_hybrid_cpus_cores(tmp_path: Path) -> None:
    devices = {"sys__devices__cpu_core__cpus": "0-3\n", "sys__devices__cpu_atom__cpus": "4-6,8\n"}
    root = machine(tmp_path / "hybrid", **devices)
    assert host.core_types(root) == {
        "performance": frozenset(range(4)),
        "efficiency": frozenset({4, 5, 6, 8}),
    }
    assert host.core_types(tmp_path) == {}
    # All cores of a type are offline.
    offline = {**devices, "sys__devices__cpu_atom__cpus": "\n"}
    assert list(host.core_types(machine(tmp_path / "offline", **offline))) == ["performance"]

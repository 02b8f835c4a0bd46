# SPDX-License-Identifier: GPL-2.0-only
"""No backend asks for more than it needs, and what lacks it is named while the others run.

The harness runs as nobody with chosen capabilities, which takes root to arrange.
"""

import json
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from irqcost import ROOT
from irqcost.measure import build

_RULE = ROOT / "bench_kmod" / "udev" / "70-irqcost.rules"


def _as_nobody(capabilities: str) -> list[str]:
    """What starts a program as nobody with these capabilities, and no group."""
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set"]
    command += [f"-all,{capabilities}" if capabilities else "-all"]
    if capabilities:
        command += [f"--inh-caps={capabilities}", f"--ambient-caps={capabilities}"]
    return command


def _may_give_rights_away() -> bool:
    """Root of a container may lack some of them itself."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return False
    command = [*_as_nobody("+bpf,+perfmon,+syslog"), "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(
    not _may_give_rights_away(),
    reason="needs root with all capabilities, and setpriv, to give rights away",
)


@pytest.fixture(name="bench", scope="module")
def _bench() -> Iterator[Path]:
    """The harness where nobody may read it: a checkout may lie in root's own folder."""
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(shutil.copy(build.harness(), folder))


def run(bench: Path, capabilities: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the harness as nobody with these capabilities, such as "+bpf,+perfmon", and no group."""
    command = [*_as_nobody(capabilities), str(bench), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def backends(bench: Path, capabilities: str = "") -> Any:
    done = run(bench, capabilities, "--irqcost_list_backends")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def measure(bench: Path, capabilities: str, probes: str) -> Any:
    done = run(
        bench,
        capabilities,
        # On some machines anybody may open the devices of the others.
        "--irqcost_backends=ring3,bpf",
        f"--benchmark_filter={probes}",
        "--irqcost_samples=20",
        "--benchmark_format=json",
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(name="bpf_runs")
def _bpf_runs(bench: Path) -> None:
    listed = json.loads(subprocess.check_output([bench, "--irqcost_list_backends"]))["bpf"]
    if not listed["usable"]:
        pytest.skip(f"backend bpf cannot run here at all: {listed['reason']}")


def test_ring3_needs_nothing(bench: Path) -> None:
    assert backends(bench)["ring3"] == {"usable": True}
    content = measure(bench, "", "dep_add/throughput")
    assert [entry["name"] for entry in content["benchmarks"]] == ["ring3/dep_add/throughput"]


@pytest.mark.parametrize(
    ("capabilities", "missing"),
    [
        ("", "CAP_BPF and CAP_PERFMON"),
        ("+bpf", "CAP_PERFMON"),
        ("+perfmon", "CAP_BPF"),
    ],
)
@pytest.mark.usefixtures("bpf_runs")
def test_a_missing_capability_is_named(bench: Path, capabilities: str, missing: str) -> None:
    listed = backends(bench, capabilities)
    assert listed["bpf"]["reason"] == f"this process lacks {missing}"
    assert f"sudo setcap cap_bpf,cap_perfmon+ep {bench}" in listed["bpf"]["remedy"]
    # The others run, and the file says why this one did not.
    content = measure(bench, capabilities, "dep_add/throughput")
    assert [entry["name"] for entry in content["benchmarks"]] == ["ring3/dep_add/throughput"]
    assert not content["context"]["irqcost"]["backends"]["bpf"]["usable"]


@pytest.mark.usefixtures("bpf_runs")
def test_two_capabilities_are_enough_for_bpf(bench: Path) -> None:
    assert backends(bench, "+bpf,+perfmon")["bpf"] == {"usable": True}
    content = measure(bench, "+bpf,+perfmon", "bpf/(dep_add|call)/")
    names = [entry["name"] for entry in content["benchmarks"]]
    assert names == ["bpf/dep_add/throughput", "bpf/call/throughput"]
    # Addresses of the kernel need a third one: only what follows from them is absent.
    ours = content["context"]["irqcost"]
    assert "machine_code" not in ours
    assert any("CAP_SYSLOG" in one["reason"] for one in ours["absent"])


@pytest.mark.usefixtures("bpf_runs")
def test_a_third_one_shows_the_machine_code(bench: Path) -> None:
    ours = measure(bench, "+bpf,+perfmon,+syslog", "bpf/call/")["context"]["irqcost"]
    if "machine_code" not in ours:  # kernel.kptr_restrict=2 hides addresses from everybody
        assert "kptr_restrict" in ours["absent"][0]["reason"]
    else:
        functions = ours["machine_code"]["functions"]
        assert "bpf_get_numa_node_id" in [one["symbol"] for one in functions]


def test_the_rule_lets_one_group_in() -> None:
    """A line of comparisons and assignments (udev(7)), of this device alone, and not for all."""
    (line,) = [one for one in _RULE.read_text().splitlines() if one and not one.startswith("#")]
    pairs = [re.fullmatch(r'([A-Z]+)(==|=)"([^"]*)"', part.strip()) for part in line.split(",")]
    found = [pair.groups() for pair in pairs if pair]
    assert len(found) == len(pairs)
    assert found == [
        ("KERNEL", "==", "irqcost"),
        ("SUBSYSTEM", "==", "misc"),
        ("GROUP", "=", "irqcost"),
        ("MODE", "=", "0660"),
    ]
    # Off by default: the module itself lets only root in.
    assert ".mode = 0600," in (ROOT / "bench_kmod" / "main.c").read_text()


def test_the_rule_is_installed_and_taken_away(tmp_path: Path) -> None:
    make = ["make", "-s", "-C", str(ROOT / "bench_kmod"), f"DESTDIR={tmp_path}"]
    subprocess.run([*make, "udev-install"], check=True)
    (installed,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert installed == tmp_path / "etc/udev/rules.d/70-irqcost.rules"
    assert installed.read_bytes() == _RULE.read_bytes()
    subprocess.run([*make, "udev-uninstall"], check=True)
    assert not installed.exists()


@pytest.mark.skipif(shutil.which("udevadm") is None, reason="no udevadm on this machine")
def test_udev_understands_the_rule() -> None:
    done = subprocess.run(["udevadm", "verify", str(_RULE)], capture_output=True, text=True)
    if "Unknown command" in done.stderr or "unrecognized" in done.stderr:
        pytest.skip("this udevadm has no verify (systemd 254 has)")
    assert done.returncode == 0, done.stdout + done.stderr


def test_kvm_needs_the_device_alone(bench: Path) -> None:
    """With a node of its own nobody measures by KVM; without a right to it the harness says so."""
    node = bench.parent / "kvm"
    device = Path("/dev/kvm")
    if not device.exists():
        pytest.skip("no /dev/kvm on this machine")
    listed = json.loads(subprocess.check_output([bench, "--irqcost_list_backends"]))["kvm"]
    if not listed["usable"]:
        pytest.skip(f"backend kvm cannot run here at all: {listed['reason']}")
    try:
        os.mknod(node, stat.S_IFCHR | 0o600, device.stat().st_rdev)
    except PermissionError:
        pytest.skip("this root may make no device nodes")
    arguments = ("--irqcost_backends=ring3,kvm", f"--irqcost_kvm_device={node}")
    refused = json.loads(run(bench, "", *arguments, "--irqcost_list_backends").stdout)
    assert refused["ring3"] == {"usable": True}
    assert refused["kvm"]["reason"] == f"{node}: Permission denied"
    assert "sudo usermod -aG kvm $USER" in refused["kvm"]["remedy"]
    os.chown(node, 65534, 65534)
    chosen = ("--benchmark_filter=/dep_add/throughput", "--irqcost_samples=5")
    done = run(bench, "", *arguments, *chosen, "--benchmark_format=json")
    assert done.returncode == 0, done.stderr
    names = [entry["name"] for entry in json.loads(done.stdout)["benchmarks"]]
    assert names == ["ring3/dep_add/throughput", "kvm/dep_add/throughput"]

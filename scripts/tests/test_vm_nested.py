# SPDX-License-Identifier: GPL-2.0-only
"""Backend kvm in guests of a guest: on request (pytest -m nested), for it takes minutes.

There is a CPU with SVM, emulated by QEMU, and one with VMX, emulated by Bochs. So KVM's real code
for each runs the guest of the backend: that its state is one that the CPU enters, that each row
leaves flags and stack as it says, that what stops a guest is told, and that a reset undoes all of
it. What it does not show is how long anything takes, what a real CPU does other than its emulator,
and how the CPU virtualises a local APIC or single instructions in hardware.
"""

import json
from pathlib import Path

import pytest

import vm_bochs
from irqcost.measure import build
from irqcost.vm.initramfs import Command
from irqcost.vm.kernels import kvm_modules
from irqcost.vm.qemu import GuestResult, Machine, run_guest

from vm_guests import TIME_LIMIT, kernel

pytestmark = [pytest.mark.guest, pytest.mark.nested]

_TESTS, _BENCH = "/bin/irqcost_tests", "/bin/irqcost-bench"
# Those of the backend, with and without the device.
_FILTER = "Kvm*:GuestMemory.*"


# Instructions of the rows that are measured.
_COUNTS = {"empty": 0, "sti_setting": 1, "cli_sti": 2, "save_cli_popf": 5}


def programs() -> dict[str, Path]:
    """The tests of the harness, and the harness, by their paths in the guest."""
    build.harness(target="irqcost_tests")
    bench = build.harness()
    return {_BENCH: bench, _TESTS: bench.parent / "tests" / "irqcost_tests"}


def commands(modules: dict[str, bytes]) -> list[Command]:
    """What the guest runs: KVM is loaded, the backend tested, and then measures a row."""
    rows = f"^kvm/({'|'.join(_COUNTS)})/isolated$"
    measure = [_BENCH, "--irqcost_backends=kvm", "--irqcost_samples=2"]
    measure += [f"--benchmark_filter={rows}", "--benchmark_out_format=json"]
    return [
        *(Command(f"insmod-{name}", ("insmod", f"/{name}")) for name in modules),
        Command("tests", (_TESTS, f"--gtest_filter={_FILTER}")),
        Command("measure", (*measure, "--benchmark_out=/out/result.json")),
    ]


def ticks(guest: GuestResult) -> dict[str, float]:
    """What the backend measured, after its tests in the guest have passed."""
    assert set(guest.status.values()) == {0}, guest.files
    said = guest.log("tests")
    # Where KVM is not available they would be skipped.
    assert "FAILED" not in said and "SKIPPED" not in said, said
    assert "KvmMachine.ResetLiftsTheShadowOfAnInterrupt" in said
    result = json.loads(guest.files["result.json"])
    return {one["run_name"].split("/")[1]: one["ticks"] for one in result["benchmarks"]}


def test_on_svm() -> None:
    modules = kvm_modules(kernel("6.1"), "amd")
    files = {f"/{name}": data for name, data in modules.items()}
    guest = run_guest(
        kernel("6.1"),
        commands(modules),
        programs=programs(),
        files=files,
        machine=Machine(),
        time_limit=TIME_LIMIT,
    )
    assert ticks(guest).keys() == _COUNTS.keys()


@pytest.mark.skipif(bool(vm_bochs.missing()), reason=vm_bochs.missing() or "-")
def test_on_vmx(tmp_path: Path) -> None:
    modules = kvm_modules(kernel("6.1"), "intel")
    files = {f"/{name}": data for name, data in modules.items()}
    guest = vm_bochs.run_bochs(
        kernel("6.1"), commands(modules), programs(), files, tmp_path, TIME_LIMIT
    )
    # A tick of Bochs is an instruction.
    assert ticks(guest) == _COUNTS

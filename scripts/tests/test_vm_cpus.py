# SPDX-License-Identifier: GPL-2.0-only
"""CPUs that are isolated, and one that goes offline while it is measured on: in a guest."""

import json
from functools import cache
from typing import Any

import pytest

from irqcost.measure import build
from irqcost.measure.guests.measuring import BENCH
from irqcost.vm.initramfs import Command
from irqcost.vm.qemu import GuestResult, Machine, run_guest
from vm_guests import TIME_LIMIT, kernel

pytestmark = pytest.mark.guest

_MEASURE = f"{BENCH} --irqcost_backends=ring3 --benchmark_filter=/nop/throughput"
_FEW = "--irqcost_samples=10"
# Once the process is bound, its CPU goes. It would measure for an hour.
_GOES_OFFLINE = f"""
{_MEASURE} --irqcost_cpu=1 --irqcost_time=3600 --benchmark_out=/out/offline.json &
until grep -q '^Cpus_allowed_list:.1$' /proc/$!/status; do sleep 0.1; done
echo 0 >/sys/devices/system/cpu/cpu1/online
wait $!
"""
# A process leaves a CPU on which a task seems to wait, and so it does while this machine is busy.
# The isolated one is in no affinity: a single process on it tells that it is looked for.
_DEFAULT = f"""
for try in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do
  {_MEASURE} {_FEW} --benchmark_out=/out/default.json || exit
  grep -q '"measured": 1' /out/default.json && break
done
"""


@cache
def guest() -> GuestResult:
    """Two CPUs, of which one is isolated."""

    def measured(name: str, flags: str = "") -> Command:
        line = f"{_MEASURE} {_FEW} {flags} --benchmark_out=/out/{name}.json"
        return Command(name, ("sh", "-c", line))

    return run_guest(
        kernel("6.1"),
        [
            Command("mask", ("grep", "Cpus_allowed_list", "/proc/self/status")),
            Command("default", ("sh", "-c", _DEFAULT)),
            measured("asked", "--irqcost_cpu=1"),
            Command("offline", ("sh", "-c", _GOES_OFFLINE)),
            measured("gone", "--irqcost_cpu=1"),
            measured("left"),
        ],
        programs={BENCH: build.harness()},
        machine=Machine(cpus=2, parameters="isolcpus=1"),
        time_limit=TIME_LIMIT,
    )


def cpu(name: str) -> Any:
    """On which one it was measured."""
    assert guest().status[name] == 0, guest().log(name)
    return json.loads(guest().files[f"{name}.json"])["context"]["irqcost"]["cpu"]["measured"]


def test_an_isolated_cpu_is_in_no_affinity_but_preferred() -> None:
    assert guest().log("mask").split() == ["Cpus_allowed_list:", "0"]
    assert cpu("default") == 1


def test_an_isolated_cpu_may_be_asked_for() -> None:
    assert cpu("asked") == 1


def test_a_cpu_that_goes_offline_ends_the_process_with_its_own_code() -> None:
    assert guest().status["offline"] == 3, guest().log("offline")
    assert "irqcost-bench: CPU 1 went offline" in guest().log("offline")
    assert "offline.json" not in guest().files


def test_a_cpu_that_is_offline_is_named_and_another_one_taken() -> None:
    assert guest().status["gone"] == 2
    assert "CPU 1 is not online; online are: 0" in guest().log("gone")
    assert cpu("left") == 0

# SPDX-License-Identifier: GPL-2.0-only
"""The module on every kernel: it builds without a warning, and refuses what it must (abuse.c)."""

import re
from pathlib import Path

import pytest

from irqcost.vm import soak
from irqcost.vm.built import warnings_of
from irqcost.vm.initramfs import Command
from irqcost.vm.module import LOG, build_module, make_module
from irqcost.vm.qemu import GuestResult, run_guest
from vm_guests import FOREIGN, KERNELS, TIME_LIMIT, exact_guest, foreign_abuse_guest
from vm_guests import harms_guest, kernel, module, two_cpu_guest

pytestmark = pytest.mark.guest

TESTS = Path(__file__).parent


def tap_failures(tap: str) -> list[str]:
    """What is wrong with TAP output: failed tests, no plan, or another number than planned."""
    results = re.findall(r"^(?:not )?ok\b.*$", tap, re.MULTILINE)
    failures = [line for line in results if line.startswith("not ok")]
    plan = re.search(r"^1\.\.(\d+)", tap, re.MULTILINE)
    if not plan:
        failures.append("no plan: it did not come to its end")
    elif int(plan[1]) != len(results) or not results:
        failures.append(f"{len(results)} results, {plan[0]} planned")
    return failures


def check_abuse(guest: GuestResult) -> None:
    assert guest.status["insmod"] == 0, guest.log("insmod")
    for name in ("abuse", "abuse_contention", "abuse_text"):
        tap = guest.log(name)
        assert tap_failures(tap) == [], tap
        assert guest.status[name] == 0, tap
    assert guest.status["rmmod"] == 0, guest.log("rmmod")
    log = guest.files["dmesg"].decode(errors="replace")
    assert soak.LOADED in log
    assert soak.trouble(log) == []


@pytest.mark.xdist_group("exact")
@pytest.mark.parametrize("name", KERNELS)
def test_abuse_under_the_instruction_clock(name: str) -> None:
    check_abuse(exact_guest(name).guest)


@pytest.mark.parametrize("name", FOREIGN)
def test_abuse_under_the_instruction_clock_elsewhere(name: str) -> None:
    check_abuse(foreign_abuse_guest(name))


@pytest.mark.parametrize("name", (*KERNELS, *FOREIGN))
def test_abuse_on_two_cpus(name: str) -> None:
    check_abuse(two_cpu_guest(name))


@pytest.mark.parametrize("name", (*KERNELS, *FOREIGN))
def test_no_harm_to_others(name: str) -> None:
    guest = harms_guest(name)
    tap = guest.log("harms")
    assert tap_failures(tap) == [], tap
    assert guest.status["harms"] == 0 and guest.status["rmmod"] == 0, guest.log("rmmod")
    # One of the tests is that a group without room for the samples is out of memory.
    log = re.sub(
        r"(?m)^.*invoked oom-killer(?s:.*?)Memory cgroup out of memory.*$",
        "",
        guest.files["dmesg"].decode(errors="replace"),
    )
    # Linux 6.12 warns of its own deadline server while a FIFO task keeps the CPU from all others.
    log = re.sub(r"(?m)^.*WARNING: .* at kernel/sched/(?s:.*?)end trace.*$", "", log)
    assert soak.trouble(log) == []


@pytest.mark.parametrize("name", (*KERNELS, *FOREIGN))
def test_unloading_waits_for_a_handler_on_its_way_back(name: str) -> None:
    tap = two_cpu_guest(name).log("unload")
    assert tap_failures(tap) == [], tap


def test_a_kernel_in_ring_3_is_given_no_instruction_of_ring_0(tmp_path: Path) -> None:
    make_module(kernel("6.1"), tmp_path, "KCFLAGS=-DIRQCOST_PRIVILEGE=3")
    guest = run_guest(
        kernel("6.1"),
        [Command("insmod", ("insmod", "/irqcost.ko")), Command("privilege", ("/bin/privilege",))],
        programs={"/bin/privilege": soak.program(TESTS / "privilege.c", tmp_path)},
        files={"/irqcost.ko": (tmp_path / "irqcost.ko").read_bytes()},
        time_limit=TIME_LIMIT,
    )
    tap = guest.log("privilege")
    assert tap_failures(tap) == [] and guest.status["privilege"] == 0, tap


@pytest.mark.parametrize("name", ("6.1", *FOREIGN))
def test_random_requests(name: str) -> None:
    amount = soak.Amount(requests=200_000, disturb=True)
    guest = soak.run(kernel(name), module(name), amount, cpus=2)
    assert soak.complaints(guest) == []
    assert soak.numbers(guest.log("fuzz"))["requests"] >= amount.requests


@pytest.mark.parametrize("name", (*KERNELS, *FOREIGN))
def test_builds_without_a_warning(name: str) -> None:
    said = build_module(kernel(name), lambda text: None).with_name(LOG).read_text(encoding="utf-8")
    assert "irqcost.ko" in said
    assert warnings_of(said) == ()


def test_sparse_finds_nothing(tmp_path: Path) -> None:
    said = make_module(kernel("6.1"), tmp_path, "C=1")
    assert "CHECK" in said, "sparse did not run"
    assert warnings_of(said) == ()


@pytest.mark.parametrize(
    "tap, count",
    [
        ("ok 1 - a\nok 2 - b\n1..2\n", 0),
        ("ok 1 - a\nnot ok 2 - b\n1..2\n", 1),
        ("ok 1 - a\n", 1),
        ("ok 1 - a\n1..2\n", 1),
        ("1..0 # SKIP no device\n", 1),
    ],
)
def test_tap_failures(tap: str, count: int) -> None:
    assert len(tap_failures(tap)) == count

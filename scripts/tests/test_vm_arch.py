# SPDX-License-Identifier: GPL-2.0-only
"""Other architectures: the module counts in a guest what a trace of that guest counts."""

import json
import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from irqcost.model import catalogue
from irqcost.vm.across import counting
from irqcost.vm import kernels
from irqcost.vm.architectures import ARCHITECTURES, X86
from irqcost.vm.across.counting import Count, Counted
from irqcost.vm.across.page import SHOWN
from vm_guests import foreign_guest

pytestmark = [pytest.mark.guest, pytest.mark.xdist_group("exact")]

# Of two kernels a sample is traced. The others are on request, as all unroll factors are of these:
# pytest -m matrix.
_SAMPLED = (("6.1-arm64", "", 2), ("6.12-riscv64", "", 2))
# One kernel masks by priority or by DAIF, as it is told at boot.
_OFF = "irqchip.gicv3_pseudo_nmi=0"
_WHOLE = (
    *(("6.1-arm64", cpu, 32) for cpu in ("", "cortex-a72")),
    *(("6.12-arm64", cpu, 32) for cpu in ("", "cortex-a72")),
    ("6.1-rt-arm64", "", 32),
    ("6.12-riscv64", "", 32),
    *(("pseudo-nmi-arm64", cpu, 32) for cpu in ("", "cortex-a72")),
    ("pseudo-nmi-arm64", "", 32, _OFF),
)
GUESTS = (*_SAMPLED, *(pytest.param(one, marks=pytest.mark.matrix) for one in _WHOLE))


# What foreign_guest() takes.
Guest = tuple[Any, ...]


@pytest.fixture(name="guest", params=GUESTS, ids=lambda one: "-".join(filter(None, map(str, one))))
def _guest(request: pytest.FixtureRequest) -> Guest:
    found: Guest = request.param
    used = kernels.architecture_of(found[0])
    for tool in (used.tool("gcc"), used.qemu):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    return found


def exact(number: float) -> Count:
    """A count that is the same in all samples, as it is compared here."""
    return Count(Fraction(number), Fraction(number))


def test_counts_are_what_a_trace_counts(guest: Guest) -> None:
    counted, _, traced = foreign_guest(*guest)
    seen: dict[tuple[str, str], set[float]] = {}
    for run in traced:
        seen.setdefault((run.key, run.mode), set()).add(run.per_operation)
    differing = {
        name: (found, seen[name])
        for name, found in counted.counts.items()
        if not (found.least == found.most and seen[name] == {float(found.least)})
    }
    assert seen.keys() == counted.counts.keys()
    assert not differing


def test_instructions_are_as_many_as_the_assembler_makes(guest: Guest) -> None:
    """Independent of the trace; rows with a branch execute fewer."""
    counted, _, _ = foreign_guest(*guest)
    rows = counting.rows(counted.architecture)
    assert rows.keys() >= {"empty", "nop", "dep_add", "dep_imul", "zero_idiom", "push_pop"}
    for key, code in rows.items():
        counts = {count for (of, _), count in counted.counts.items() if of == key}
        made = assembled(code, counted.architecture)
        if not counts:
            assert (key, "*") in counted.absent, key
        elif re.search(r"\d+:", code):
            assert all(count.most <= made for count in counts), key
        else:
            assert counts == {exact(made)}, key


def assembled(code: str, architecture: str) -> int:
    """Instructions that the assembler makes of a row."""
    used = ARCHITECTURES[architecture]
    # What the module takes from the kernel's headers.
    symbols = ".set irqcost_pmr_on, 0xe0\n.set irqcost_pmr_off, 0xc0\n"
    source = f"{symbols}.macro irqcost_section\n.endm\n{code}\n"
    target = subprocess.run(["mktemp"], capture_output=True, text=True, check=True).stdout.strip()
    try:
        subprocess.run([used.tool("as"), "-o", target, "-"], input=source, text=True, check=True)
        listing = subprocess.run(
            [used.tool("objdump"), "-d", target], capture_output=True, text=True, check=True
        ).stdout
    finally:
        Path(target).unlink()
    return len(re.findall(r"^\s+[0-9a-f]+:\t", listing, re.MULTILINE))


def test_every_row_is_counted_or_says_why_not(guest: Guest) -> None:
    counted, ended, _ = foreign_guest(*guest)
    calls = {probe.key for probe in catalogue.read() if probe.kind == "call"}
    known = calls | counting.rows(counted.architecture).keys()
    assert {key for key, _ in counted.counts} | {key for key, _ in counted.absent} == known
    absent = {key: reason for (key, mode), reason in counted.absent.items() if mode == "*"}
    assert all(
        reason == "this kernel does not offer it"
        or "PREEMPT_RT" in reason
        or reason == "the CPU has no atomic instructions of ARMv8.1"
        or reason == "this kernel masks by DAIF, not by priority (pseudo-NMI)"
        for reason in absent.values()
    ), absent
    assert ended.status["rmmod"] == 0
    assert not re.search(r"BUG|WARNING|Oops|Call trace", ended.files["dmesg"].decode())


def test_what_people_argue_about(guest: Guest) -> None:
    """The counts that were seen by hand before this test existed."""
    counted, _, _ = foreign_guest(*guest)
    counts = once(counted)
    if counted.architecture == "riscv64":
        assert counts["csrci_csrsi"] == counts["local_irq_disable_enable"] == 2
        # Its per-CPU operations are masking.
        assert counts["this_cpu_inc"] == counts["irq_save_inc"]
        assert counts["this_cpu_inc"] > counts["local_irq_save_restore"] == 3
    else:
        assert counts["daifset_daifclr"] == 2 <= counts["local_irq_disable_enable"]
        # Where the kernel can be preempted, this_cpu_inc() prevents that meanwhile.
        if guest[0] in ("6.1-arm64", "6.12-arm64"):
            assert counts["this_cpu_inc"] <= counts["irq_save_inc"]
    if guest[0] == "6.1-arm64":
        assert counts["local_irq_disable_enable"] == 5
        assert counts["this_cpu_inc"] < counts["irq_save_inc"]


def once(counted: Counted) -> dict[str, float]:
    return {key: one.number for (key, mode), one in counted.counts.items() if mode == "isolated"}


def test_rows_by_priority_are_where_the_kernel_masks_by_it(guest: Guest) -> None:
    counted, _, _ = foreign_guest(*guest)
    by_priority = guest[0] == "pseudo-nmi-arm64" and guest[-1] != _OFF
    present = {key for key, _ in counted.counts if "pmr" in key}
    assert ("pmr_off_on" in present) is by_priority
    assert by_priority or not present
    if counted.architecture == "riscv64":
        assert counted.masks == "SIE"
    else:
        assert counted.masks == ("PMR" if by_priority else "DAIF")


@pytest.mark.matrix
def test_masking_by_priority_and_not_in_one_kernel() -> None:
    """Rows of instructions are the same in both, those of DAIF as well; the kernel's are not."""
    on, off = (foreign_guest("pseudo-nmi-arm64", "", 32, one)[0] for one in ("", _OFF))
    own = counting.rows("arm64")
    common = {name: count for name, count in off.counts.items() if name[0] in own}
    assert common and common == {name: on.counts[name] for name in common}
    assert {key for key, _ in on.counts} - {key for key, _ in off.counts} == {
        key for key in own if "pmr" in key
    }
    by_priority, by_daif = once(on), once(off)
    # What the kernel does is what the rows do, and its branches or their places.
    assert by_priority["local_irq_disable_enable"] >= by_priority["pmr_off_on"] == 4
    assert by_daif["local_irq_disable_enable"] >= by_daif["daifset_daifclr"] == 2
    assert by_priority["local_irq_save_restore"] > by_daif["local_irq_save_restore"]
    # The kernel says so itself, and how it synchronises.
    said = [foreign_guest("pseudo-nmi-arm64", "", 32, one)[1] for one in ("", _OFF)]
    logs = [one.files["dmesg"].decode() for one in said]
    assert "Pseudo-NMIs enabled using relaxed ICC_PMR_EL1 synchronisation" in logs[0]
    assert "Pseudo-NMIs enabled" not in logs[1]


@pytest.mark.matrix
def test_without_lse_an_atomic_is_a_loop() -> None:
    new, old = (once(foreign_guest("6.1-arm64", cpu)[0]) for cpu in ("", "cortex-a72"))
    assert "lse_add" in new and "lse_add" not in old
    assert old["spin_lock"] > new["spin_lock"] and old["atomic_add"] > new["atomic_add"]
    assert {key: new[key] for key in SHOWN[:2]} == {key: old[key] for key in SHOWN[:2]}


def test_a_file_says_of_which_architecture_it_is(guest: Guest, tmp_path: Path) -> None:
    counted, _, _ = foreign_guest(*guest)
    path = tmp_path / "counts.json"
    counting.write(counted, path)
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["architecture"] == kernels.architecture_of(guest[0]).name != X86.name
    assert document["cpu"] == guest[1] or not guest[1]
    assert document["catalogue"]

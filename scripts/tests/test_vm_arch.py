# SPDX-License-Identifier: GPL-2.0-only
"""Other architectures: the module counts in a guest what a trace of that guest counts."""

import json
import re
import shutil
import subprocess
from pathlib import Path

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
_SAMPLED = (("6.1-arm64", "", 8), ("6.12-riscv64", "", 8))
_WHOLE = (
    *(("6.1-arm64", cpu, 32) for cpu in ("", "cortex-a72")),
    *(("6.12-arm64", cpu, 32) for cpu in ("", "cortex-a72")),
    ("6.1-rt-arm64", "", 32),
    ("6.12-riscv64", "", 32),
)
GUESTS = (*_SAMPLED, *(pytest.param(one, marks=pytest.mark.matrix) for one in _WHOLE))


@pytest.fixture(name="guest", params=GUESTS, ids=lambda one: "-".join(filter(None, map(str, one))))
def _guest(request: pytest.FixtureRequest) -> tuple[str, str, int]:
    found: tuple[str, str, int] = request.param
    used = kernels.architecture_of(found[0])
    for tool in (used.tool("gcc"), used.qemu):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    return found


def exact(number: float) -> Count:
    """A count that is the same in all samples, as it is compared here."""
    return Count(counting.Fraction(number), counting.Fraction(number))


def test_counts_are_what_a_trace_counts(guest: tuple[str, str, int]) -> None:
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


def test_instructions_are_as_many_as_the_assembler_makes(guest: tuple[str, str, int]) -> None:
    """Independent of the trace; rows with a branch execute fewer."""
    counted, _, _ = foreign_guest(*guest)
    rows = counting.rows(counted.architecture)
    assert rows.keys() >= {"empty", "nop", "dep_add", "dep_imul", "zero_idiom", "push_pop"}
    for key, code in rows.items():
        counts = {count for (of, _), count in counted.counts.items() if of == key}
        made = assembled(code, counted.architecture)
        if re.search(r"\d+:", code):
            assert counts and all(count.most <= made for count in counts), key
        elif counts:
            assert counts == {exact(made)}, key
        else:
            assert (key, "*") in counted.absent, key


def assembled(code: str, architecture: str) -> int:
    """Instructions that the assembler makes of a row."""
    used = ARCHITECTURES[architecture]
    source = f".macro irqcost_section\n.endm\n{code}\n"
    target = subprocess.run(["mktemp"], capture_output=True, text=True, check=True).stdout.strip()
    try:
        subprocess.run([used.tool("as"), "-o", target, "-"], input=source, text=True, check=True)
        listing = subprocess.run(
            [used.tool("objdump"), "-d", target], capture_output=True, text=True, check=True
        ).stdout
    finally:
        Path(target).unlink()
    return len(re.findall(r"^\s+[0-9a-f]+:\t", listing, re.MULTILINE))


def test_every_row_is_counted_or_says_why_not(guest: tuple[str, str, int]) -> None:
    counted, ended, _ = foreign_guest(*guest)
    calls = {probe.key for probe in catalogue.read() if probe.kind == "call"}
    known = calls | counting.rows(counted.architecture).keys()
    assert {key for key, _ in counted.counts} | {key for key, _ in counted.absent} == known
    absent = {key: reason for (key, mode), reason in counted.absent.items() if mode == "*"}
    assert all(
        reason == "this kernel does not offer it"
        or "PREEMPT_RT" in reason
        or reason == "the CPU has no atomic instructions of ARMv8.1"
        for reason in absent.values()
    ), absent
    assert ended.status["rmmod"] == 0
    assert not re.search(r"BUG|WARNING|Oops|Call trace", ended.files["dmesg"].decode())


def test_what_people_argue_about(guest: tuple[str, str, int]) -> None:
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
        assert counts["this_cpu_inc"] < counts["irq_save_inc"]
    if guest[0] == "6.1-arm64":
        assert counts["local_irq_disable_enable"] == 5


def once(counted: Counted) -> dict[str, float]:
    return {key: one.number for (key, mode), one in counted.counts.items() if mode == "isolated"}


@pytest.mark.matrix
def test_without_lse_an_atomic_is_a_loop() -> None:
    new, old = (once(foreign_guest("6.1-arm64", cpu)[0]) for cpu in ("", "cortex-a72"))
    assert "lse_add" in new and "lse_add" not in old
    assert old["spin_lock"] > new["spin_lock"] and old["atomic_add"] > new["atomic_add"]
    assert {key: new[key] for key in SHOWN[:2]} == {key: old[key] for key in SHOWN[:2]}


def test_a_file_says_of_which_architecture_it_is(
    guest: tuple[str, str, int], tmp_path: Path
) -> None:
    counted, _, _ = foreign_guest(*guest)
    path = tmp_path / "counts.json"
    counting.write(counted, path)
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["architecture"] == kernels.architecture_of(guest[0]).name != X86.name
    assert document["cpu"] == guest[1] or not guest[1]
    assert document["catalogue"]

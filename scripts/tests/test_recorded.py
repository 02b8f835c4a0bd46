# SPDX-License-Identifier: GPL-2.0-only
"""What is committed of emulated kernels: each record says of which ABI it is, and they agree."""

import re

import pytest

from irqcost.model import catalogue
from irqcost.model.machine_code import executed
from irqcost.vm import counts
from irqcost.vm.kernels import TESTED

COUNTS = counts.read(counts.RECORD)
BY_RELEASE = {one.release: one for one in COUNTS.values()}
RECORDINGS = {recording.release: recording for recording in executed.read()}

# Counted before the module existed, with other code, on ABIs of these kernels before today's.
KNOWN = {
    "6.1": {
        "preempt_disable_enable": 3,
        "spin_lock": 17,
        "spin_lock_irq": 21,
        "spin_lock_irqsave": 31,
        "spin_lock_irqsave_masked": 29,
        "local_bh_disable_enable": 22,
    },
    "6.1-rt": {
        "spin_lock": 108,
        "spin_lock_irq": 108,
        "spin_lock_irqsave": 108,
        "raw_spin_lock_irqsave": 41,
    },
    "6.12": {
        "preempt_disable_enable": 3,
        "spin_lock": 19,
        "spin_lock_irq": 23,
        "spin_lock_irqsave": 33,
        "local_bh_disable_enable": 20,
    },
}


def line(release: str) -> str:
    """A kernel without the number of its ABI, which moves with each update."""
    return re.sub(r"-\d+(?=-)", "", release)


def test_each_tested_kernel_has_a_recording() -> None:
    for path in executed.FOLDER.glob("*.json"):
        assert path.stem in RECORDINGS
    recorded = [line(release) for release in RECORDINGS]
    assert sorted(recorded) == sorted(line(COUNTS[name].release) for name in TESTED)


# Of an ABI that is no longer the one that was counted, a recording's counts are compared when it is
# booted (test_vm_exact.py).
@pytest.mark.parametrize("release", sorted(RECORDINGS.keys() & BY_RELEASE.keys()))
def test_a_trace_has_as_many_instructions_as_the_clock_counts(release: str) -> None:
    """Without the instruction clock, and for every probe of the catalogue that this kernel has."""
    rows, counted = RECORDINGS[release].rows, BY_RELEASE[release]
    controls = {probe.key for probe in catalogue.read() if probe.group == "control"}
    assert rows.keys() - controls == counted.counts.keys()
    assert counted.counts.keys() | counted.absent.keys() == {
        p.key for p in catalogue.read() if p.group != "control" and "kmod" in p.backends
    }
    assert counted.counts == {key: rows[key].count for key in counted.counts}


@pytest.mark.parametrize("name", KNOWN)
def test_a_kernel_has_the_counts_that_were_known_before(name: str) -> None:
    counted = COUNTS[name].counts
    assert {key: counted[key] for key in KNOWN[name]} == KNOWN[name]

# SPDX-License-Identifier: GPL-2.0-only
"""What is committed of emulated kernels: each record says of which ABI it is, and they agree."""

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


TESTED_RELEASES = {COUNTS[name].release for name in TESTED}


def test_each_tested_kernel_has_a_recording_of_the_abi_that_was_counted() -> None:
    assert {path.stem for path in executed.FOLDER.glob("*.json")} == RECORDINGS.keys()
    assert RECORDINGS.keys() >= TESTED_RELEASES


def test_other_recordings_have_what_no_tested_kernel_has() -> None:
    known = {key for release in TESTED_RELEASES for key in RECORDINGS[release].rows}
    others = [one for one in RECORDINGS.values() if one.release not in TESTED_RELEASES]
    assert others and all(one.rows and not one.rows.keys() & known for one in others)
    # Every probe of the module is recorded somewhere.
    recorded = known | {key for one in others for key in one.rows}
    assert recorded == {p.key for p in catalogue.read() if "kmod" in p.backends}


@pytest.mark.parametrize("release", sorted(TESTED_RELEASES))
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

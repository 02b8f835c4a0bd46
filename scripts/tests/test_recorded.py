# SPDX-License-Identifier: GPL-2.0-only
"""What is committed of emulated kernels: each file says of which ABI it is, and they agree."""

import pytest

from irqcost import ROOT
from irqcost.model import reader
from irqcost.model.machine_code import executed

RESULTS = {
    result.context.kernel.release: result.figures
    for result in map(reader.read_result, (ROOT / "results" / "emulated").glob("*-exact.json"))
}
RECORDINGS = {recording.release: recording for recording in executed.read()}
# Of another ABI than a result's there may be a recording alone: when it is that which is fetched,
# the tests of guests compare the counts of that day (test_vm_exact.py).
WITH_RESULT = sorted(RECORDINGS.keys() & RESULTS.keys())

# Counted before the module existed, with other code, by the kernel's ABI.
KNOWN = {
    "6.1.0-56-amd64": {
        "preempt_disable_enable": 3,
        "spin_lock": 17,
        "spin_lock_irq": 21,
        "spin_lock_irqsave": 31,
        "spin_lock_irqsave_masked": 29,
        "local_bh_disable_enable": 22,
    },
    "6.1.0-56-rt-amd64": {
        "spin_lock": 108,
        "spin_lock_irq": 108,
        "spin_lock_irqsave": 108,
        "raw_spin_lock_irqsave": 41,
    },
    "6.12.117+deb12-amd64": {
        "preempt_disable_enable": 3,
        "spin_lock": 19,
        "spin_lock_irq": 23,
        "spin_lock_irqsave": 33,
        "local_bh_disable_enable": 20,
    },
}


def test_there_are_recordings() -> None:
    for path in executed.FOLDER.glob("*.json"):
        assert path.stem in RECORDINGS
    assert RECORDINGS and WITH_RESULT


@pytest.mark.parametrize("release", WITH_RESULT)
def test_a_recording_has_as_many_instructions_as_the_result_counts(release: str) -> None:
    figures = RESULTS[release]
    for key, row in RECORDINGS[release].rows.items():
        assert figures[f"kmod/{key}/isolated"].ticks == row.count, key


@pytest.mark.parametrize("release", KNOWN)
def test_a_result_has_the_counts_that_were_known_before(release: str) -> None:
    for key, count in KNOWN[release].items():
        for mode in ("throughput", "isolated"):
            assert RESULTS[release][f"kmod/{key}/{mode}"].ticks == count, (key, mode)

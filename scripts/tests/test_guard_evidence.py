# SPDX-License-Identifier: GPL-2.0-only
"""scripts/evidence/guard.py reads the committed recording."""

import importlib

import pytest

from irqcost import ROOT

EVIDENCE = ROOT / "scripts" / "evidence"


def test_the_recording_has_the_processes_of_each_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EVIDENCE))
    guard = importlib.import_module("guard")
    runs = guard.read([EVIDENCE / "recorded" / "guard.packed.xz"])
    assert len(runs) == 48
    for run in runs:
        assert all(len(run.processes[name]) >= 6 for name in guard._SLOW.values())

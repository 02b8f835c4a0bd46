# SPDX-License-Identifier: GPL-2.0-only
"""How the figures of refscale are read (scripts/evidence/refscale.py)."""

import importlib
from types import SimpleNamespace
from typing import Any

import pytest

from irqcost import ROOT
from irqcost.base.errors import IrqcostError
from irqcost.model import catalogue

_RUN = "[    2.14] Runs\tTime(ns)\n[    2.14] 1\t{}\n[    2.14] 2\t{}\n[    2.14] 3\t{}\n"


@pytest.fixture(name="refscale")
def _refscale(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "scripts" / "evidence"))
    return importlib.import_module("refscale")


def test_the_least_of_the_runs_is_read(refscale: Any) -> None:
    log = "== irq 1000\n" + _RUN.format("6.071", "6.050", "16.100")
    log += "== lock-irq 10000\n[1] Time(ns) of before\n" + _RUN.format("32.010", "32.020", "32.030")
    assert refscale.read(log) == {("irq", 1000): 6.05, ("lock-irq", 10000): 32.01}


def test_a_type_that_did_not_run_is_an_error(refscale: Any) -> None:
    with pytest.raises(IrqcostError, match="refscale irq: 0 of 3 runs"):
        refscale.read("== irq 1000\ninsmod: invalid parameter\n")


def test_the_table_says_how_far_it_is_beyond_the_count(refscale: Any) -> None:
    probes = {f"kmod/{probe}/throughput": 4.0 for probe in refscale.TYPES.values()}
    figures = {name: SimpleNamespace(ticks=ticks) for name, ticks in probes.items()}
    read = {(kind, loops): 6.007 for kind in refscale.TYPES for loops in refscale._LOOPS}
    assert "| `irq` | `local_irq_disable_enable` | 6.007 | 6.007 | 4 | 2.01 |" in refscale.table(
        read, figures
    )
    assert set(refscale.TYPES.values()) <= {row.key for row in catalogue.read()}

# SPDX-License-Identifier: GPL-2.0-only
"""Recordings of samples come out of their files as they went in."""

import importlib
import random
from pathlib import Path
from typing import Any

import pytest

from irqcost import ROOT

_NAMES = ["popf/throughput", "popf/isolated"]


@pytest.fixture(name="evidence")
def _evidence(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "scripts" / "evidence"))
    return importlib.import_module("recording")


def _lines() -> list[str]:
    """Two processes, each with three slices of four samples, the last one shorter, in turn."""
    chance = random.Random(1)
    lines = []
    for process in range(2):
        for count in (4, 4, 1):
            for number in range(len(_NAMES)):
                for _ in range(count):
                    ticks = " ".join(str(21 * chance.randrange(9, 999)) for _ in range(4))
                    sensor, flags = chance.random() / 3, chance.choice((0, 0, 2))
                    constant = f"{371 + number} {18528 + process}"
                    lines.append(f"{process} {number} {ticks} {sensor:.5f} {flags} {constant}")
    return lines


def test_lines_are_read_as_they_were_written(evidence: Any, tmp_path: Path) -> None:
    evidence.write(tmp_path / "a.bz2", _NAMES, _lines())
    names = [f"# {number} {name}" for number, name in enumerate(_NAMES)]
    assert list(evidence.read(tmp_path / "a.bz2")) == [*names, *_lines()]


def test_what_does_not_lie_in_columns_is_refused(evidence: Any, tmp_path: Path) -> None:
    for wrong in (_lines()[:-1], [*_lines()[:-1], _lines()[-1].replace(" 372 ", " 373 ")]):
        with pytest.raises(ValueError, match="as many samples"):
            evidence.write(tmp_path / "a.bz2", _NAMES, wrong)
        assert not (tmp_path / "a.bz2").exists()

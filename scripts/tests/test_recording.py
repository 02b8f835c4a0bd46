# SPDX-License-Identifier: GPL-2.0-only
"""Recordings of samples and of processes come out of their files as they went in."""

import importlib
import json
import lzma
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


@pytest.fixture(name="packed")
def _packed(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "scripts" / "evidence"))
    return importlib.import_module("packed")


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
    evidence.write(tmp_path / "a.xz", _NAMES, _lines())
    names = [f"# {number} {name}" for number, name in enumerate(_NAMES)]
    assert list(evidence.read(tmp_path / "a.xz")) == [*names, *_lines()]


def test_what_does_not_lie_in_columns_is_refused(evidence: Any, tmp_path: Path) -> None:
    for wrong in (_lines()[:-1], [*_lines()[:-1], _lines()[-1].replace(" 372 ", " 373 ")]):
        with pytest.raises(ValueError, match="as many samples"):
            evidence.write(tmp_path / "a.xz", _NAMES, wrong)
        assert not (tmp_path / "a.xz").exists()


def _runs() -> list[dict[str, Any]]:
    """Two runs, whose later processes have fewer figures, in another order."""
    first = {"a": [30.12345, True, 0.18, -4e5], "b": [-0.5, False, None, 0.00001]}
    later = {"b": [None, True, 127.5, 128.0], "a": [1.0, True, 0.0, None]}
    figures = [first, later, {"a": first["a"]}]
    return [
        {"condition": name, "epochs": [{"floors": {"ring3": 0.2}, "figures": f} for f in figures]}
        for name in ("alone", "both")
    ]


def test_processes_are_read_as_they_were_written(packed: Any, tmp_path: Path) -> None:
    target = tmp_path / "a.packed.xz"
    packed.write(target, _runs())
    found = packed.documents([target])
    assert json.dumps(found) == json.dumps(_runs())
    # One run a file, as the recorder writes them, and all files of a folder.
    lines = [json.dumps(one) + "\n" for one in _runs()]
    (tmp_path / "0.json.xz").write_bytes(lzma.compress(lines[0].encode()))
    (tmp_path / "lines").write_text("".join(lines))
    assert packed.documents([tmp_path / "0.json.xz", tmp_path / "lines"]) == [
        _runs()[0],
        *_runs(),
    ]
    assert packed.documents([tmp_path]) == [_runs()[0], *_runs()]


def test_no_digit_is_dropped(packed: Any, tmp_path: Path) -> None:
    runs = _runs()
    runs[1]["epochs"][0]["figures"]["a"][0] = 0.123456
    with pytest.raises(ValueError, match="more than five digits"):
        packed.write(tmp_path / "a.packed.xz", runs)
    assert not (tmp_path / "a.packed.xz").exists()

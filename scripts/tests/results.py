# SPDX-License-Identifier: GPL-2.0-only
"""Results for tests: the golden files in data/, and changed copies of them.

alpha and beta are ring-3 runs of two invented CPUs, exact and exact-rt module runs of two kernels
under the instruction clock. Their figures were made up to be recognised, not measured.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from irqcost import ROOT
from irqcost.model import reader
from irqcost.model.result import Result

DATA = Path(__file__).parent / "data"


def committed(pattern: str) -> list[Path]:
    """Results of the repository; those that a user measured in this checkout are not among them."""
    found = set((ROOT / "results").glob(pattern))
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0:
        found &= {ROOT / name for name in listed.stdout.split("\0")}
    return sorted(found)


def path(name: str) -> Path:
    return DATA / f"{name}.json"


def result(name: str) -> Result:
    return reader.read_result(path(name))


def document(name: str) -> Any:
    return json.loads(path(name).read_text(encoding="utf-8"))


def changed(name: str, target: Path, change: Callable[[Any], None]) -> Path:
    """A copy of a golden file with one thing changed."""
    content = document(name)
    change(content)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(content), encoding="utf-8")
    return target

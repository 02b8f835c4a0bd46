# SPDX-License-Identifier: GPL-2.0-only
"""Results for tests: the golden files in data/, and changed copies of them.

alpha and beta are ring-3 runs of two invented CPUs, exact and exact-rt module runs of two kernels
under the instruction clock. Their figures were made up to be recognised, not measured.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from irqcost.model import reader
from irqcost.model.result import Result

DATA = Path(__file__).parent / "data"


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

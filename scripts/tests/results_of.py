# SPDX-License-Identifier: GPL-2.0-only
"""Result files for tests: runs whose processes have the figures that a test wants."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from processes_of import entry, process
from irqcost.base import jsontext
from irqcost.measure.merge import merge
from irqcost.measure.processes import Target


def run(
    target: Path,
    figures: Mapping[str, Sequence[float]],
    date: str = "2026-11-01T00:00:00+00:00",
    **ours: Any,
) -> Path:
    """A result file: by figure the core cycles of each process; `ours` goes to context.irqcost."""
    count = max(map(len, figures.values()))
    processes = [
        process(*(entry(name, values[i]) for name, values in figures.items() if i < len(values)))
        for i in range(count)
    ]
    document = merge(processes, Target())
    document["context"]["date"] = date
    document["context"]["irqcost"].update(ours)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(jsontext.dumps(document), encoding="utf-8")
    return target

# SPDX-License-Identifier: GPL-2.0-only
"""The samples of a result, in a file of their own: docs/RESULTS.md."""

import json
import lzma
from collections.abc import Sequence
from pathlib import Path

from irqcost.measure.processes import Process

# History: 1, the first.
_FORMAT = 1


def beside(result: Path) -> Path:
    """Where the samples of a result lie."""
    return result.with_name(f"{result.stem}.samples.json.xz")


def write(partial: Path, result: Path, processes: Sequence[Process]) -> None:
    """Writes into `partial` the samples that `processes` kept for `result`."""
    document = {
        "samples": _FORMAT,
        "result": result.name,
        "processes": [
            {
                entry["run_name"]: entry["distribution"]
                for entry in process.entries
                if "distribution" in entry
            }
            for process in processes
        ],
    }
    with lzma.open(partial, "wt", encoding="utf-8") as file:
        json.dump(document, file, separators=(",", ":"))

# SPDX-License-Identifier: GPL-2.0-only
"""Which instructions a row of ring 0 executes: recorded traces of emulated kernels.

scripts/evidence/executed.py makes the files; `executed` in them is the number of their format. A
row has its instructions in process context, those outside of the module indented, and their number
in each other context that it runs in.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from irqcost import ROOT

FOLDER = ROOT / "results" / "emulated" / "executed"


@dataclass(frozen=True)
class Executed:
    """A row on one kernel."""

    code: tuple[str, ...]
    contexts: Mapping[str, int]  # instructions by context, process context left out


@dataclass(frozen=True)
class Recording:
    """All rows on one kernel."""

    release: str
    rows: Mapping[str, Executed]


def read(folder: Path = FOLDER) -> tuple[Recording, ...]:
    """The recordings there are, by release."""
    found = []
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        rows = {
            key: Executed(tuple(row["code"]), row["contexts"])
            for key, row in document["rows"].items()
        }
        found.append(Recording(document["release"], rows))
    return tuple(found)

# SPDX-License-Identifier: GPL-2.0-only
"""Which instructions a probe of ring 0 executes: recorded traces of emulated kernels.

scripts/evidence/executed.py makes the files. `executed` in them is the number of their format: 2;
in the first, each probe had its code, however long. A probe has the number of its instructions in
process context, and in each other context that it runs in. Where its code is listed in
docs/PROBES.md it has the instructions as well, those outside of the module indented.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irqcost import ROOT
from irqcost.model.catalogue import Probe

FOLDER = ROOT / "results" / "emulated" / "executed"

# More instructions than these show a reader less than their number does.
_MOST_LINES = 40


@dataclass(frozen=True)
class Executed:
    """A probe on one kernel.

    @contexts: instructions by context, process context left out.
    @code: one line each, if they are known.
    """

    count: int
    contexts: Mapping[str, int]
    code: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recording:
    """All probes on one kernel."""

    release: str
    rows: Mapping[str, Executed]


def is_listed(probe: Probe, count: int) -> bool:
    """Whether its @count instructions are worth listing: an assembler probe's code shows them."""
    return probe.kind == "call" and 0 < count <= _MOST_LINES


def dump(recording: Recording, probes: Mapping[str, Probe]) -> dict[str, Any]:
    """The document of a recording, without the code that is not listed."""
    rows = []
    for key, row in recording.rows.items():
        one: dict[str, Any] = {"probe": key, "count": row.count, "contexts": row.contexts}
        if is_listed(probes[key], row.count):
            one["code"] = row.code
        rows.append(one)
    return {"executed": 2, "release": recording.release, "rows": rows}


def read(folder: Path = FOLDER) -> tuple[Recording, ...]:
    """The recordings there are, by release."""
    found = []
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        rows = {
            row["probe"]: Executed(row["count"], row["contexts"], tuple(row.get("code", ())))
            for row in document["rows"]
        }
        found.append(Recording(document["release"], rows))
    return tuple(found)

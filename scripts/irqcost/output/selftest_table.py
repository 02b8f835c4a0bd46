# SPDX-License-Identifier: GPL-2.0-only
"""The record of a self-test, as a table."""

from collections.abc import Mapping
from typing import Any

from irqcost.base.table import Table
from irqcost.measure.selftest import PART, failures, undecided
from irqcost.stats import intervals


def text(document: Mapping[str, Any]) -> str:
    """The table, and what it comes to."""
    tried = document["trials"]
    table = Table(["known slowdown", "trials", "found", "wrong", "undecided", "median"], "<>>>>>")
    for kind in tried["kinds"]:
        seen = [value for value in kind["differences"] if value is not None]
        table.row(
            f"{kind['added']:.2f} cycles" if kind["added"] else "none (A/A)",
            str(kind["trials"]),
            str(kind["found"]),
            str(kind["false"]),
            str(kind["undecided"]),
            f"{intervals.median(seen):+.3f}" if seen else "-",
        )
    lines = [str(table), ""]
    errors = [f"{probe} {error:+.4f}" for probe, error in document["controls"].items()]
    lines.append(f"Controls off by, core cycles: {', '.join(errors) or 'none could be measured'}")
    processes, held = document["epochs"], document["coverage"]
    halves = [one["deviation"] for one in processes["figures"]]
    if halves:
        lines.append(
            f"{processes['count']} processes of {len(halves)} figures: half of them within "
            f"{intervals.median(halves):.3f} core cycles of the median in the middle figure, "
            f"{max(halves):.3f} in the worst; {processes['disturbed']} disturbed and not used"
        )
    if held["intervals"]:
        lines.append(
            f"Intervals of {PART} processes that hold the median of the others: "
            f"{held['held']} of {held['intervals']}"
        )
    lines.append(f"A figure takes {processes['seconds_per_figure'] * 1e3:.0f} ms in a process")
    lines += ["", _outcome(document)]
    return "\n".join(lines)


def _outcome(document: Mapping[str, Any]) -> str:
    faults = failures(document)
    if faults:
        return "Failed: " + "; ".join(faults)
    doubts = undecided(document)
    if doubts:
        return "Undecided: " + "; ".join(doubts) + ": keep others off the core, and run again"
    return "Passed: every known slowdown is found, and no difference where there is none"

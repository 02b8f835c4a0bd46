# SPDX-License-Identifier: GPL-2.0-only
"""The record of a self-test, as a table as wide as the terminal."""

from collections.abc import Mapping
from typing import Any

from irqcost.base import screen
from irqcost.base.table import Table
from irqcost.measure.selftest import PART, failures, undecided
from irqcost.stats import intervals


def text(document: Mapping[str, Any]) -> str:
    """The table, and a summary."""
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
    lines = [table.fitted(screen.width()), ""]
    errors = [f"{probe} {error:+.4f}" for probe, error in document["controls"].items()]
    lines.append(
        f"Errors of the controls, in core cycles: {', '.join(errors) or 'none could be measured'}"
    )
    processes, held = document["epochs"], document["coverage"]
    halves = [one["deviation"] for one in processes["figures"]]
    if halves:
        lines.append(
            f"{processes['count']} processes of {len(halves)} results: half lie within "
            f"{intervals.median(halves):.3f} core cycles of the median for a typical result, "
            f"{max(halves):.3f} for the worst; {processes['disturbed']} disturbed ones ignored"
        )
    if held["intervals"]:
        lines.append(
            f"Intervals of {PART} processes that contain the median of the others: "
            f"{held['held']} of {held['intervals']}"
        )
    lines.append(f"One result takes {processes['seconds_per_figure'] * 1e3:.0f} ms per process")
    lines += ["", _outcome(document)]
    return screen.wrapped("\n".join(lines))


def _outcome(document: Mapping[str, Any]) -> str:
    faults = failures(document)
    if faults:
        return "Failed: " + "; ".join(faults)
    doubts = undecided(document)
    if doubts:
        return "Undecided: " + "; ".join(doubts) + "; keep other work off the core and run again"
    return "Passed: every known slowdown was found, and no false alarm was raised"

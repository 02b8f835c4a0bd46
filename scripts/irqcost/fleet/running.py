# SPDX-License-Identifier: GPL-2.0-only
"""A fleet run: which hosts are left, what they are told, and what became of them."""

import os
import secrets
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from irqcost.base import layout
from irqcost.base.errors import IrqcostError
from irqcost.base.safety.texts import plain
from irqcost.base.table import Table
from irqcost.fleet import ansible, folder, inventory, judged, outcome, sources
from irqcost.fleet.folder import MEASURED, Asked, Fate, Folder

# What a package of irqcost installs.
_COMMAND = "/usr/bin/irqcost"


def run_id() -> str:
    """A name for a fleet run, which no other has."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H%M%SZ")
    return f"{now}-{secrets.token_hex(2)}"


def hosts(asked: Asked, limit: str | None) -> list[str]:
    """The hosts that are meant. Refuses what could not be done, before anything is. Raises
    IrqcostError."""
    inventory.check(Path(asked.inventory))
    for one in map(Path, asked.packages):
        if not one.is_file() or not os.access(one, os.R_OK):
            raise IrqcostError(f"{plain(one)}: no package that can be read")
    if not asked.packages and not asked.installed:
        try:
            layout.checkout("building irqcost on hosts")
        except IrqcostError as error:
            raise IrqcostError(f"{error}, or --package FILE, or --installed") from None
    return ansible.hosts(Path(asked.inventory), limit)


def measured(into: Folder, names: Sequence[str], forks: int) -> list[Fate]:
    """Measures on those hosts that have not been, and returns what became of all."""
    # An attempt that was interrupted may have fetched more than it could look at.
    judged.collected(into, [one for one in names if into.arrived(one).exists()], [])
    left = [one for one in names if not _is_measured(into.fate(one))]
    if left:
        with tempfile.TemporaryDirectory(prefix="irqcost-fleet-") as work:
            given = _given(into.asked, Path(work))
            given["irqcost_out"] = str((into.path / "incoming").absolute())
            log = into.path / "ansible.log"
            place = Path(into.asked.inventory)
            try:
                events = ansible.play(place, left, given, Path(work), log, forks, False)
            except KeyboardInterrupt:
                print(f"irqcost: hosts finish by themselves; {again(into)}", file=sys.stderr)
                raise
        judged.collected(into, left, events)
        if (into.path / "incoming").is_dir() and not any((into.path / "incoming").iterdir()):
            (into.path / "incoming").rmdir()
    return folder.fates(into, names)


def again(into: Folder) -> str:
    """How to measure what is missing."""
    return f"to go on: {layout.command()} fleet --resume {into.path}"


def _is_measured(fate: Fate | None) -> bool:
    return fate is not None and fate.state == MEASURED


def _given(asked: Asked, work: Path) -> dict[str, object]:
    """The variables of the playbook."""
    given: dict[str, object] = {
        "irqcost_run_id": asked.run_id,
        "irqcost_run": list(asked.run),
        "irqcost_tune": asked.tune,
        "irqcost_module": asked.module,
        "irqcost_limit": asked.limit_seconds,
        "irqcost_packages": list(asked.packages),
    }
    if not asked.packages and not asked.installed:
        archive = work / "irqcost.tar.gz"
        sources.write(archive)
        given["irqcost_archive"] = str(archive)
    return given


def dry(asked: Asked, names: Sequence[str], forks: int) -> tuple[list[Fate], Table]:
    """What hosts have, and what would be skipped. Nothing is written there, nor kept here."""
    with tempfile.TemporaryDirectory(prefix="irqcost-fleet-") as work:
        log = Path(work, "log")
        given = {"irqcost_run_id": asked.run_id}
        place = Path(asked.inventory)
        events = ansible.play(place, names, given, Path(work), log, forks, True)
    fates, table = [], Table(("host", "kernel", "state", "what is there"), "<<<<")
    for host in names:
        own = [one for one in events if one.host == host]
        fate = judged.said(host, own)
        fates.append(fate)
        facts = {key: value for one in own for key, value in one.facts.items()}
        had = [fate.why] if fate.why else []
        had += [f"{what}: {why}" for what, why in fate.skipped]
        if not fate.state:
            had += _there(facts)
        had += judged.notes([fate])[host]
        table.row(plain(host), fate.kernel or "-", fate.state or "ready", "; ".join(had))
    return fates, table


def _there(facts: dict[str, object]) -> list[str]:
    free = facts.get("free")
    headers = facts.get("headers")
    return [
        f"module: {outcome.short(headers) if isinstance(headers, str) else 'not known'}",
        f"{int(free) >> 20} MiB free" if isinstance(free, (int, float)) else "free: not known",
    ]

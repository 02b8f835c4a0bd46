# SPDX-License-Identifier: GPL-2.0-only
"""The table of a fleet: a line for each host, and what was skipped there and why."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from irqcost.base.errors import ResultError
from irqcost.base.safety.texts import plain
from irqcost.base.table import Table
from irqcost.fleet import judged
from irqcost.fleet.folder import MEASURED, Fate, Folder
from irqcost.model import naming, reader
from irqcost.model.result import Context

_COLUMNS = ("host", "CPU", "kernel", "masking", "backends", "verdict")


def table(folder: Folder, fates: Sequence[Fate]) -> Table:
    """The table of these hosts: below each, why it has no result, or what was skipped and why."""
    made = Table(_COLUMNS, "<" * len(_COLUMNS))
    notes = judged.notes(fates)
    for fate in fates:
        for row, reasons in _rows(folder.path, fate):
            made.row(*row)
            for reason in [*reasons, *notes[fate.host]]:
                made.heading(f"  {reason}")
    return made


def _rows(folder: Path, fate: Fate) -> Iterator[tuple[Sequence[str], list[str]]]:
    host = plain(fate.host)
    none = (host, "-", fate.kernel or "-", "-", "-")
    if fate.state != MEASURED:
        yield (*none, fate.state), [fate.why, *_skipped(fate)]
        return
    for name in fate.results:
        try:
            context = reader.read_result(folder / name).context
        except ResultError as error:
            yield (*none, "unreadable"), [plain(str(error))]
            continue
        kind = "" if context.kind == "real" else f" ({context.kind.upper()})"
        backends = (one.name for one in context.backends if one.usable)
        yield (
            host,
            naming.short_name(context),
            context.kernel.release,
            context.masking.kind or "-",
            ", ".join(backends) or "-",
            f"{context.verdict}{kind}",
        ), [*_skipped(fate), *_backends(fate, context)]


def _skipped(fate: Fate) -> list[str]:
    return [f"skipped {what}: {why}" for what, why in fate.skipped]


def _backends(fate: Fate, context: Context) -> list[str]:
    """Those that could not run, unless the fleet knows a better reason."""
    known = {"kmod"} if any(what == "module" for what, _ in fate.skipped) else set()
    return [
        f"skipped {one.name}: {one.reason}"
        for one in context.backends
        if not one.usable and one.name not in known
    ]

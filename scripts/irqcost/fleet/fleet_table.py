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

_COLUMNS = ("host", "CPU", "kernel", "masking", "backends", "verdict", "skipped, and why")


def table(folder: Folder, fates: Sequence[Fate]) -> Table:
    """The table of these hosts."""
    made = Table(_COLUMNS, "<" * len(_COLUMNS))
    notes = judged.notes(fates)
    for fate in fates:
        for row in _rows(folder.path, fate, notes[fate.host]):
            made.row(*row)
    return made


def _rows(folder: Path, fate: Fate, notes: Sequence[str]) -> Iterator[Sequence[str]]:
    host = plain(fate.host)
    if fate.state != MEASURED:
        said = "; ".join([fate.why, *_skipped(fate), *notes])
        yield (host, "-", fate.kernel or "-", "-", "-", fate.state, said)
        return
    for name in fate.results:
        try:
            context = reader.read_result(folder / name).context
        except ResultError as error:
            yield (host, "-", fate.kernel or "-", "-", "-", "unreadable", plain(str(error)))
            continue
        kind = "" if context.kind == "real" else f" ({context.kind.upper()})"
        yield (
            host,
            naming.short_name(context),
            context.kernel.release,
            context.masking.kind or "-",
            ", ".join(one.name for one in context.backends if one.usable) or "-",
            f"{context.verdict}{kind}",
            "; ".join([*_skipped(fate), *_backends(fate, context), *notes]) or "-",
        )


def _skipped(fate: Fate) -> list[str]:
    return [f"{what}: {why}" for what, why in fate.skipped]


def _backends(fate: Fate, context: Context) -> list[str]:
    """Those that could not run, unless the fleet knows a better reason."""
    known = {"kmod"} if any(what == "module" for what, _ in fate.skipped) else set()
    return [
        f"{one.name}: {one.reason}"
        for one in context.backends
        if not one.usable and one.name not in known
    ]

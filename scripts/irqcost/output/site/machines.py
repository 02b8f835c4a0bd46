# SPDX-License-Identifier: GPL-2.0-only
"""The CPUs in folders of results, each with its page and its files."""

import re
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from irqcost.base import layout
from irqcost.base.errors import IrqcostError, ResultError, name_left_out
from irqcost.compare import reading
from irqcost.compare.columns import Column
from irqcost.model import filenames, naming, reader, store
from irqcost.model.result import Context
from irqcost.output.page import data

# Of a CPU's results so many have a copy in the site, the newest ones.
MOST_COPIES = 24


@dataclass(frozen=True)
class Machine:
    """A CPU, or what emulates or simulates one; `slug` is the name of its page, without suffix."""

    slug: str
    columns: Sequence[Column]
    links: dict[Path, str]  # from the root of the site, by file

    @property
    def page(self) -> str:
        return f"cpu/{self.slug}.html"


def found(
    paths: Sequence[Path], readers: Executor | None = None
) -> tuple[list[Machine], list[ResultError]]:
    """The machines in these files and folders, and what could not be read, which is named."""
    loaded = store.read(paths, executor=readers)
    errors = reader.faults(loaded.errors, paths)
    name_left_out(errors)
    groups: dict[tuple[object, ...], list[store.Record]] = {}
    for record in loaded.records:
        groups.setdefault(_identity(record.shared), []).append(record)
    if not groups:
        raise IrqcostError(
            f"no result in these files and folders: {layout.command()} run makes one"
        )
    slugs = filenames.distinct([_slug(records[0].shared) for records in groups.values()])
    machines = [_machine(slug, records) for slug, records in zip(slugs, groups.values())]
    return [one for one in machines if one.columns], errors


def _identity(context: Context) -> tuple[object, ...]:
    """What is the same for all results of a page."""
    cpu = context.cpu
    kind = context.kind, context.instruction_clock
    return *kind, cpu.vendor, cpu.brand, cpu.family, cpu.model, cpu.codename, cpu.core_type


def _slug(context: Context) -> str:
    """By its microarchitecture, as in zen-5-turin; what is no CPU's says so."""
    kind = data.kind_of_context(context)
    name = re.sub(r"[^a-z0-9]+", "-", naming.short_name(context).lower()).strip("-")
    return name if kind == data.REAL else f"{kind}-{name}"


def _machine(slug: str, records: Sequence[store.Record]) -> Machine:
    newest = sorted(records, key=lambda record: record.date, reverse=True)
    paths = [record.path for record in newest]
    names = filenames.distinct([path.name for path in paths[:MOST_COPIES]])
    links = {path: f"data/{slug}/{name}" for path, name in zip(paths, names)}
    return Machine(slug, reading.columns(paths, None, None, None).columns, links)

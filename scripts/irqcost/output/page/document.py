# SPDX-License-Identifier: GPL-2.0-only
"""All that a report says, in the order in which it says it; html.py and markdown.py write it."""

import shlex
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from irqcost.compare.columns import Column
from irqcost.compare.reading import Read
from irqcost.model import naming, published
from irqcost.model.catalogue import Probe
from irqcost.model.published import Published
from irqcost.output import published_table
from irqcost.output.page import changes, code, data, pictures, summary, table
from irqcost.output.page.code import Listing
from irqcost.output.page.data import COUNTED, MEASURED, Conditions, Part
from irqcost.output.page.pictures import Picture
from irqcost.output.page.summary import Statement
from irqcost.output.page.table import View


@dataclass(frozen=True)
class Group:
    """Statements under a heading."""

    heading: str
    statements: Sequence[Statement]


@dataclass(frozen=True)
class Section:
    """A part of the report: results of one kind."""

    kind: str
    heading: str
    lead: str
    columns: Sequence[str]
    groups: Sequence[Group]
    pictures: Sequence[Picture]
    view: View
    conditions: Sequence[Conditions]
    listings: Sequence[tuple[str, Sequence[Listing]]]


@dataclass(frozen=True)
class Document:
    """The report."""

    title: str
    sections: Sequence[Section]
    sources: Sequence[Published]
    commands: Sequence[str]
    version: str
    notes: Sequence[str]  # how many results stand behind it, and what of them is not shown


def made(
    read: Read,
    baseline: Path | None,
    probes: Sequence[Probe],
    arguments: Sequence[str],
    folder: Path,
    workers: Executor,
) -> Document:
    """The report on columns; pictures are made in a folder for temporary files.

    `arguments` are those with which the report was asked for.
    """
    figures = published.read()
    columns = read.columns
    first = columns[0] if baseline else None
    parts = data.parts(columns)
    sections = [
        _section(
            part,
            baseline if first and part.columns[0].paths == first.paths else None,
            probes,
            figures,
            folder,
            workers,
        )
        for part in parts
    ]
    measured = [part for part in parts if part.kind == MEASURED]
    commands = ["./irqcost run"] if measured else []
    commands += ["./irqcost vm --exact"] if any(p.kind == COUNTED for p in parts) else []
    commands.append(shlex.join(["./irqcost", "report", *arguments]))
    return Document(
        _title(parts),
        sections,
        [one for part in measured for one in _same_core(part, figures)],
        commands,
        columns[0].result.context.version,
        _notes(read),
    )


def _notes(read: Read) -> list[str]:
    found = []
    if any(not column.single for column in read.columns):
        count = sum(len(column.paths) for column in read.columns)
        found.append(
            f"{count} results, put together: a figure is the median over those free of doubt, with "
            "the 95 % interval of that median."
        )
    found += [f"{read.beyond}."] if read.beyond else []
    if read.errors:
        found.append(f"{len(read.errors)} files could not be used and are not part of this.")
    return found


def _title(parts: Sequence[Part]) -> str:
    names = dict.fromkeys(
        naming.cpu_name(column.result.context)
        for part in parts
        for column in part.columns
        if part.kind == MEASURED
    )
    where = f" on {data.some(list(names), 2)}" if names else ""
    measured = [part for part in parts if part.kind == MEASURED]
    if measured and not any(map(_masks, measured)):
        return f"What the kernel's functions that mask cost{where}"
    if not names and any(part.kind == COUNTED for part in parts):
        where = ", in instructions"
    return f"What masking interrupts costs{where}"


def _masks(part: Part) -> bool:
    """Whether a column's kernel masks by the CPU's instructions, as far as is known."""
    return any(c.result.context.masking.identity == "" for c in part.columns)


def _section(
    part: Part,
    baseline: Path | None,
    probes: Sequence[Probe],
    figures: Sequence[Published],
    folder: Path,
    workers: Executor,
) -> Section:
    counted = part.kind == COUNTED
    groups = [
        Group(
            "How many masking is"
            if counted
            else "What masking costs here"
            if _masks(part)
            else "What it costs here",
            summary.costs(part),
        ),
        Group(
            "Which primitive executes the fewest" if counted else "Which primitive to prefer",
            summary.preferences(part),
        ),
        Group("What changed", changes.statements(part, baseline) if baseline else []),
        Group("What to mistrust", summary.doubts(part)),
    ]
    return Section(
        part.kind,
        part.heading,
        part.lead,
        [column.series.title for column in part.columns],
        [group for group in groups if group.statements],
        pictures.drawn(part, probes, figures, folder, workers),
        table.view(part, probes),
        data.conditions(part),
        [(column.series.title, code.listings(column, probes)) for column in _told(part)],
    )


def _told(part: Part) -> Sequence[Column]:
    """Whose code is shown: of counts the assembler is the same for all kernels."""
    return part.columns if part.kind == MEASURED else part.columns[:1]


def _same_core(part: Part, figures: Sequence[Published]) -> list[Published]:
    chosen = published_table.chosen(figures, part.columns, part.rows, None)
    return published_table.of_same_core(chosen, part.columns)

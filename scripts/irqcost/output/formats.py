# SPDX-License-Identifier: GPL-2.0-only
"""A comparison as Markdown, CSV or JSON."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from irqcost.base import jsontext
from irqcost.base.safety.texts import code, csv_cell, markdown as escaped, plain
from irqcost.base.table import number
from irqcost.compare import columns as columns_
from irqcost.compare.columns import Column, letter
from irqcost.compare.comparison import Cell, Comparison, Ratio, Row, shown
from irqcost.model import naming
from irqcost.model.units import unit_name
from irqcost.output import published_table

_UNRELIABLE = "?"
_NOT_COMPARABLE = "≠"


def markdown(what: Comparison) -> str:
    """For a page: a list of who was measured, and a table for each primitive."""
    columns, rows = what.columns, what.rows
    lines = []
    for place, column in enumerate(columns):
        lines.append(f"- **{letter(place)}**: {escaped(column.series.title)}")
        outcome = column.result.context.outcome
        where = escaped(column.paths[0]) if column.single else f"{len(column.paths)} files"
        lines[-1] += f" ({where}" + (f"; verdict: {escaped(outcome)})" if outcome else ")")
    headings = _headings(columns, what.unit)
    for probe, group in _by_probe(rows).items():
        lines += ["", f"### {code(probe)}", ""]
        lines.append("| figure | " + " | ".join(headings) + " |")
        lines.append("|---|" + "---:|" * len(headings))
        for row in group:
            cells = " | ".join(_cells(columns, row))
            lines.append(f"| {code(row.name)} | {cells} |")
    notes = [escaped(note) for note in _notes(columns, rows)]
    lines += ["", *(f"{note}  " if note else "" for note in notes)]
    if what.published is not None:
        # A table for a terminal, as it is: its columns are too many for a page.
        lines += [
            "",
            "### Published",
            "",
            "```",
            published_table.text(what.published, columns),
            "```",
        ]
    return "\n".join(lines).rstrip()


_COLUMNS = (
    "figure",
    "column",
    "files",
    "file",
    "cpu",
    "kernel",
    "execution",
    "masking",
    "unit",
    "value",
    "low",
    "high",
    "verdict",
    "remark",
    "missing",
    "ratio",
    "ratio_low",
    "ratio_high",
    "ratio_doubtful",
    "not_comparable",
    "source",
)


def csv_text(what: Comparison) -> str:
    """For other programs: a line for each figure, column and unit. Empty is what there is not."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in what.rows:
        for place, (column, cells) in enumerate(zip(what.columns, row.cells)):
            for cell in cells:
                record = {**_identity(place, column), **_figure(cell)}
                record |= {"figure": row.name, "file": column.paths[0] if column.single else ""}
                writer.writerow([csv_cell(record.get(key)) for key in _COLUMNS])
    for one in what.published or ():
        record = published_table.parts(one)
        record["figure"] = f"published/{one.primitive}/{one.mode}"
        record["cpu"] = f"{one.vendor} {one.microarchitecture}, {one.cpu_model}"
        record |= {"column": "published", "remark": one.suspect, "execution": one.kind}
        writer.writerow([csv_cell(record.get(key)) for key in _COLUMNS])
    return out.getvalue().rstrip("\n")


def json_text(what: Comparison) -> str:
    """For other programs: columns, and figures by primitive; keys as in CSV."""
    columns, rows = what.columns, what.rows
    document: dict[str, Any] = {
        "columns": [
            {
                **_identity(place, column),
                "title": column.series.title,
                "paths": [plain(path) for path in column.paths],
                "date": column.result.context.date,
                "verdict": column.result.context.verdict,
                "sentence": column.result.context.sentence,
                "differs": columns_.differences(columns[0].result.context, column.result.context),
            }
            for place, column in enumerate(columns)
        ],
        "figures": [
            {
                "name": row.name,
                "probe": row.probe,
                "cells": [
                    {"column": letter(place), **_figure(cell)}
                    for place, cells in enumerate(row.cells)
                    for cell in cells
                ],
            }
            for row in rows
        ],
    }
    if what.published is not None:
        document["published"] = [published_table.parts(one) for one in what.published]
    return jsontext.dumps(document).rstrip("\n")


def _identity(place: int, column: Column) -> dict[str, Any]:
    context = column.result.context
    return {
        "column": letter(place),
        "files": len(column.paths),
        "cpu": naming.cpu_name(context),
        "kernel": context.kernel.release,
        "execution": context.kernel_execution,
        "masking": context.masking.kind or None,
    }


def _figure(cell: Cell) -> dict[str, Any]:
    """A cell by the names of its parts, without those that it has not."""
    figure, ratio = cell.figure, cell.ratio
    parts = {
        "unit": cell.called,
        "value": figure and figure.value,
        "low": figure and figure.low,
        "high": figure and figure.high,
        "verdict": cell.verdict or None,
        "remark": cell.remark or None,
        "missing": cell.missing or None,
        "ratio": ratio and ratio.value,
        "ratio_low": ratio and ratio.low,
        "ratio_high": ratio and ratio.high,
        "ratio_doubtful": ratio and ratio.unreliable,
        "not_comparable": cell.not_comparable or None,
    }
    return {key: value for key, value in parts.items() if value is not None}


Writer = Callable[[Comparison], str]
# For pages and other programs; what a terminal shows is in comparing/.
FORMATS: Mapping[str, Writer] = {
    "markdown": markdown,
    "csv": csv_text,
    "json": json_text,
}


def _by_probe(rows: Sequence[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.probe, []).append(row)
    return groups


def _headings(columns: Sequence[Column], unit: str | None) -> list[str]:
    found = [
        f"{letter(place)} {unit_name(one, column.result)}"
        for place, column in enumerate(columns)
        for one in shown(column, unit)
    ]
    return found + [f"{letter(place)}/A" for place in range(1, len(columns))]


def _cells(columns: Sequence[Column], row: Row) -> list[str]:
    figures = [
        _written(column, cell) for column, cells in zip(columns, row.cells) for cell in cells
    ]
    # The ratio is that of the first unit.
    return figures + [_ratio(cells[0]) for cells in row.cells[1:]]


def _written(column: Column, cell: Cell) -> str:
    if cell.figure is None:
        return "-"
    digits = naming.decimals(column.result.context)
    value = number(cell.figure.value, digits)
    half = max(cell.figure.high - cell.figure.value, cell.figure.value - cell.figure.low)
    interval = f" ±{number(half, digits)}" if cell.interval else ""
    return value + interval + (f" {_UNRELIABLE}" if cell.unreliable else "")


def _ratio(cell: Cell) -> str:
    if cell.ratio is None:
        return "-"
    ratio: Ratio = cell.ratio
    marks = [_UNRELIABLE] if ratio.unreliable else []
    marks += [_NOT_COMPARABLE] if cell.not_comparable else []
    return " ".join([number(ratio.value, 2), *marks])


def _notes(columns: Sequence[Column], rows: Sequence[Row]) -> list[str]:
    cells = [cell for row in rows for cells in row.cells for cell in cells]
    notes = []
    if len(columns) > 1:
        notes.append("X/A: ratio in the first unit of X")
    if any(cell.interval for cell in cells):
        notes.append("±: larger half of the 95 % interval")
    if any(cell.unreliable for cell in cells):
        notes.append("? unreliable: the label in the result file says why")
    units = {one.unit for one in cells}
    for place, column in enumerate(columns):
        clock = naming.why_clock_unreliable(column.result.context)
        if clock and units != {"cycles"}:
            notes.append(f"{letter(place)}: {clock}")
    not_comparable = _not_comparable(rows)
    if any(_NOT_COMPARABLE in _ratio(cells[0]) for row in rows for cells in row.cells[1:]):
        notes.append("≠ other instructions than in A, or another estimator")
    notes += [f"{letter(place)} and A: {why}" for place, why in not_comparable]
    for place, column in enumerate(columns[1:], 1):
        said = columns_.unnamed_differences(columns[0].result.context, column.result.context)
        notes += [f"A | {letter(place)}: {one}" for one in said]
    return ["", *notes] if notes else []


def _not_comparable(rows: Sequence[Row]) -> list[tuple[int, str]]:
    """By column, why figures have no ratio or a marked one, and which; each reason once."""
    reasons: dict[tuple[int, str], list[str]] = {}
    for row in rows:
        for place, cells in enumerate(row.cells):
            why = cells[0].not_comparable
            if why and not why.startswith("the baseline"):
                reasons.setdefault((place, why), []).append(row.name)
    return [
        (place, f"{why} ({', '.join(names[:3])}{' …' if len(names) > 3 else ''})")
        for (place, why), names in reasons.items()
    ]

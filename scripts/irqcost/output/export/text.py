# SPDX-License-Identifier: GPL-2.0-only
"""Exports that are a table or records, line by line."""

import csv
import io
import json
from collections.abc import Iterable, Iterator

from irqcost.base.errors import IrqcostError
from irqcost.base.safety.texts import csv_cell
from irqcost.model.records import slim
from irqcost.model.records.slim import Slim
from irqcost.output.export.rows import COLUMNS, rows


def ndjson(given: Iterable[Slim]) -> Iterator[str]:
    for record in given:
        for row in rows(record):
            yield json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"


def csv_(given: Iterable[Slim]) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for record in given:
        for row in rows(record):
            writer.writerow(map(csv_cell, row.values()))
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()  # The header, where there was nothing.


def records(given: Iterable[Slim]) -> Iterator[str]:
    """Records as they are. Raises IrqcostError for a result, which does not say whose it is."""
    for record in given:
        if not record.machine:
            raise IrqcostError(
                f"a result of {record.date} does not name its machine, and so makes no record: "
                "use irqcost push"
            )
        yield slim.dumps(record).decode()

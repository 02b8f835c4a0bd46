# SPDX-License-Identifier: GPL-2.0-only
"""An export as Apache Parquet, by pyarrow where that is there."""

from collections.abc import Iterable
from typing import IO, Any

from irqcost.base.errors import IrqcostError
from irqcost.base.safety.surroundings import nothing_around
from irqcost.model.records.slim import Slim
from irqcost.output.export.rows import COLUMNS, Value, rows

# Rows that are written, and so held, at a time.
_AT_A_TIME = 1 << 16


def library() -> tuple[Any, Any]:
    """pyarrow, and its module for Parquet. Raises IrqcostError."""
    try:
        with nothing_around():
            import pyarrow  # type: ignore[import]
            import pyarrow.parquet  # type: ignore[import]
    except ImportError as error:
        raise IrqcostError(
            "--parquet needs pyarrow: install python3-pyarrow, or pyarrow by pip where the "
            "distribution has none; or export --ndjson or --csv, which need nothing"
        ) from error
    return pyarrow, pyarrow.parquet


def write(records: Iterable[Slim], file: IO[bytes]) -> None:
    pyarrow, parquet = library()
    kinds = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}
    kinds[bool] = pyarrow.bool_()
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
    held: list[dict[str, Value]] = []
    with parquet.ParquetWriter(file, schema) as writer:

        def flush() -> None:
            columns = {name: [row[name] for row in held] for name in COLUMNS}
            writer.write_table(pyarrow.table(columns, schema=schema))
            held.clear()

        for record in records:
            held.extend(rows(record))
            if len(held) >= _AT_A_TIME:
                flush()
        if held:
            flush()

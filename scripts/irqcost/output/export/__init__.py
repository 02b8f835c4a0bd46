# SPDX-License-Identifier: GPL-2.0-only
"""Results and records as the data of other programs: a table of figures, made while it is read."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TextIO

from irqcost.base import files
from irqcost.model.records.slim import Slim
from irqcost.output.export import parquet, prometheus, text

# Formats that are text, each with what makes its lines, and what it is.
TEXTS: Mapping[str, tuple[Callable[[Iterable[Slim]], Iterator[str]], str]] = {
    "ndjson": (text.ndjson, "a JSON object for each figure, one a line"),
    "csv": (text.csv_, "comma-separated values with a header"),
    "prometheus": (
        prometheus.lines,
        "textfile format of Prometheus: the latest figures of each machine; replaces FILE",
    ),
    "records": (text.records, "slim records, one a line, such as to pack many files into one"),
}
PARQUET = "parquet"
# A collector reads the same file again and again.
_REPLACED = "prometheus"


def to_file(kind: str, records: Iterable[Slim], target: Path) -> None:
    """Writes an export to a file, which appears whole or not at all. Raises IrqcostError."""
    if kind == PARQUET:
        parquet.library()  # Fails before anything is read.
    with files.written_whole(target, replace=kind == _REPLACED) as partial:
        if kind == PARQUET:
            with partial.open("wb") as binary:
                parquet.write(records, binary)
        else:
            with partial.open("w", encoding="utf-8", newline="") as out:
                to_stream(kind, records, out)


def to_stream(kind: str, records: Iterable[Slim], out: TextIO) -> None:
    """Writes an export that is text."""
    for line in TEXTS[kind][0](records):
        out.write(line)
        if getattr(out, "failure", None):  # Nobody reads any more (base/streams.py).
            break

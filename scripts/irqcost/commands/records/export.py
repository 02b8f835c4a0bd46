# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost export`: results and records as the data of other programs."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from irqcost.base import arguments
from irqcost.base.errors import Exit, IrqcostError, ResultError, name_left_out
from irqcost.model import reader, store
from irqcost.model.records import reading
from irqcost.model.records.slim import Slim
from irqcost.model.schema1 import pattern
from irqcost.output import export

_DESCRIPTION = """\
Writes a row for each figure of results and slim records, with the machine, CPU, kernel and settings
of its run in columns: for DuckDB, SQLite, a warehouse or a spreadsheet. Files are written while
they are read, so memory does not grow with their number. docs/FLEET.md has the columns, and SQL to
use them with.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "export", help="write results as data for other programs", description=_DESCRIPTION
    )
    add = parser.add_argument
    add("paths", metavar="FOLDER|FILE", nargs="+", type=Path, help="results, and slim records")
    kinds = parser.add_mutually_exclusive_group(required=True)
    told = {name: about for name, (_, about) in export.TEXTS.items()}
    told[export.PARQUET] = "Apache Parquet; needs pyarrow, and --out"
    for name, about in told.items():
        kinds.add_argument(f"--{name}", dest="kind", action="store_const", const=name, help=about)
    add(
        "-o",
        "--out",
        metavar="FILE",
        type=arguments.named,
        help="file to be written, whole or not at all (default: standard output)",
    )
    add(
        "--select",
        type=pattern,
        metavar="REGEX",
        help="only figures whose name (backend/probe/mode) matches",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    errors: list[ResultError] = []
    records = _records(args, errors)
    if args.out is not None:
        export.to_file(args.kind, records, args.out)
    elif args.kind == export.PARQUET:
        raise IrqcostError("--parquet is no text: name a file with --out")
    else:
        export.to_stream(args.kind, records, sys.stdout)
    errors = reader.faults(errors, [path.absolute() for path in args.paths])
    name_left_out(errors)
    return Exit.UNUSABLE if errors else Exit.OK


def _records(args: argparse.Namespace, errors: list[ResultError]) -> Iterator[Slim]:
    """What is to be exported; what cannot be read goes to `errors`."""
    expression = store.compiled(args.select)
    for record in reading.every(args.paths):
        if isinstance(record, ResultError):
            errors.append(record)
        else:
            yield record.selected(expression)

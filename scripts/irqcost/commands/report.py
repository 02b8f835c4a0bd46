# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost report`: a page of results that stands alone, and the same as Markdown."""

import argparse
import shutil
import sys
import tempfile
from concurrent.futures import Executor
from contextlib import ExitStack
from pathlib import Path

from irqcost.base import files
from irqcost.base.errors import Exit, IrqcostError
from irqcost.compare import reading
from irqcost.model import catalogue, store
from irqcost.output import charts
from irqcost.output.page import document, html, markdown, pictures

_PAGE = "report.html"
_MARKDOWN = "report.md"


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "report",
        help="write results as a page (HTML) and as Markdown",
        description=f"Writes {_PAGE}, one file that opens from the disk and loads nothing, and "
        f"{_MARKDOWN} with pictures beside it: what masking costs, which primitive to prefer, what "
        "changed, charts, a table to be sorted and filtered, conditions, and the code that was "
        "measured. Results that were measured, and instruction counts, have parts of their own. "
        f"More than {reading.MOST_COLUMNS} results are put together by machine.",
    )
    reading.add_arguments(parser)
    parser.add_argument(
        "-o", "--out", metavar="FOLDER", type=Path, required=True, help="where the report goes"
    )
    parser.add_argument("--force", action="store_true", help="overwrite an earlier report")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    with charts.workers(pictures.MOST_JOBS) as workers:
        with store.readers(args.scheduler) as readers:
            return _run(args, readers, workers)


def _run(args: argparse.Namespace, readers: Executor, workers: Executor) -> int:
    read = reading.columns(args.paths, args.baseline, args.by, args.select, readers)
    if not any(column.result.entries for column in read.columns):
        matching = "" if args.select is None else f" with a name that matches {args.select}"
        raise IrqcostError(f"nothing to report: no figure{matching} in these files")
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="irqcost-") as work:

        def place(name: str) -> Path:
            return stack.enter_context(files.written_whole(args.out / name, args.force))

        page, plain = place(_PAGE), place(_MARKDOWN)
        made = document.made(
            read, args.baseline, catalogue.read(), _arguments(args), Path(work), workers
        )
        page.write_text(html.text(made), encoding="utf-8")
        plain.write_text(markdown.text(made), encoding="utf-8")
        for section in made.sections:
            for picture in section.pictures:
                shutil.copyfile(picture.png, place(picture.png.name))
    print(f"Page:      {args.out / _PAGE}")
    print(f"Markdown:  {args.out / _MARKDOWN}, pictures beside it", flush=True)
    if read.errors:
        print(f"irqcost: {len(read.errors)} left out, see above", file=sys.stderr)
    return Exit.UNUSABLE if read.errors else Exit.OK


def _arguments(args: argparse.Namespace) -> list[str]:
    """Those that make the same report of the same files."""
    found = [str(path) for path in args.paths]
    for option in ("baseline", "by", "select"):
        value = getattr(args, option)
        found += [f"--{option}", str(value)] if value is not None else []
    return [*found, "-o", str(args.out)]

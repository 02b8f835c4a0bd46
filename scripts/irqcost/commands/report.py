# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost report`: results as an article, a page that stands alone, and the same as Markdown."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import ExitStack
from pathlib import Path

from irqcost.base import files
from irqcost.base.errors import Exit, IrqcostError
from irqcost.compare import reading
from irqcost.model import catalogue, filenames, store
from irqcost.output import charts
from irqcost.output.page import article, html, markdown, pictures

_PAGE = "report.html"
_MARKDOWN = "report.md"
_DATA = "data"


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "report",
        help="write results as an article (HTML and Markdown)",
        description=f"Writes {_PAGE}, one file that opens from the disk and loads nothing, and "
        f"{_MARKDOWN} with pictures beside it: what masking costs, the most striking contrast, at "
        "most five sections with a chart each, a table of all results to sort and filter, method "
        f"and conditions. {_DATA}/ gets a copy of the results, which the page links to. Real, "
        "paravirtual, emulated and simulated results have tables of their own. More than "
        f"{reading.MOST_COLUMNS} results are combined by machine.",
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
        raise IrqcostError(f"nothing to report: no result{matching} in these files")
    links = _links(read)
    notes = [f"{read.beyond}."] if read.beyond else []
    if unread := len(read.errors):
        notes.append(f"{unread} file{'s' * (unread > 1)} could not be read.")
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="irqcost-") as work:

        def place(name: str) -> Path:
            return stack.enter_context(files.written_whole(args.out / name, args.force))

        page, plain = place(_PAGE), place(_MARKDOWN)
        made = article.made(
            read.columns, args.baseline, notes, links, catalogue.read(), Path(work), workers
        )
        drawn = [section.picture for section in made.sections if section.picture]
        page.write_text(html.text(made, drawn[0].png.name if drawn else ""), encoding="utf-8")
        plain.write_text(markdown.text(made, _PAGE), encoding="utf-8")
        for picture in drawn:
            shutil.copyfile(picture.png, place(picture.png.name))
        for source, link in links.items():
            shutil.copyfile(source, place(link))
    print(f"Page:      {args.out / _PAGE}")
    print(f"Markdown:  {args.out / _MARKDOWN}, with pictures and {_DATA}/ beside it", flush=True)
    if read.errors:
        print(f"irqcost: {len(read.errors)} left out, see above", file=sys.stderr)
    return Exit.UNUSABLE if read.errors else Exit.OK


def _links(read: reading.Read) -> Mapping[Path, str]:
    """Where copies of the results go; of combined results there are too many."""
    paths = [column.paths[0] for column in read.columns if column.single]
    return {
        path: f"{_DATA}/{name}"
        for path, name in zip(paths, filenames.distinct([path.name for path in paths]))
    }

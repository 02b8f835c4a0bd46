# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost site`: all results as a static site."""

import argparse
import sys
from pathlib import Path

from irqcost.base import layout
from irqcost.base.arguments import add_scheduler
from irqcost.base.errors import Exit
from irqcost.model import store
from irqcost.output import charts
from irqcost.output.page import pictures
from irqcost.output.site import build, machines


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "site",
        help="write all results as a static site",
        description="Writes a site as GitHub Pages serves it: a page for each CPU and each "
        "primitive, a table of all results, the chart of generations, and how to add a machine. "
        "Real, paravirtual, emulated and simulated results have sections of their own.",
    )
    parser.add_argument(
        "paths",
        metavar="FILE|FOLDER",
        nargs="*",
        type=Path,
        help=f"results to show, folders searched recursively (default: {layout.results_named()})",
    )
    parser.add_argument(
        "-o", "--out", metavar="FOLDER", type=Path, required=True, help="where the site goes"
    )
    parser.add_argument(
        "--url",
        default="",
        help="where it will be served, for those who show a picture beside a link to it",
    )
    parser.add_argument("--force", action="store_true", help="overwrite an earlier site")
    add_scheduler(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    with charts.workers(pictures.MOST_JOBS) as workers:
        with store.readers(args.scheduler) as readers:
            found, errors = machines.found(args.paths or [layout.results()], readers)
        made = build.site(found, args.url)
        build.written(made, args.out, args.force, workers)
    print(f"Site:  {args.out / 'index.html'}: {len(found)} CPUs, {len(made.probes)} primitives")
    if errors:
        print(f"irqcost: {len(errors)} left out, see above", file=sys.stderr)
    return Exit.UNUSABLE if errors else Exit.OK

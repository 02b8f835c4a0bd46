# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost compare`: any number of results side by side: in words, as a table, as charts."""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from pathlib import Path

from irqcost.base import arguments, screen
from irqcost.base.errors import Exit, IrqcostError
from irqcost.compare import comparison, reading
from irqcost.model import catalogue, published, store, units
from irqcost.output import charts, formats, published_table
from irqcost.output.charts.output_files import METADATA, paged, themes_of
from irqcost.output.comparing import mail, table


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "compare",
        help="compare result files: words, a table, charts",
        description="Compares result files. Ratios are to the baseline, else to the first. "
        "Emulated and simulated results have sections of their own. More than "
        f"{reading.MOST_COLUMNS} results are grouped by machine: medians with their 95 % "
        "intervals.",
        epilog="charts:\n" + "\n".join(f"  {c.name:13}{c.shows}" for c in charts.CHARTS.values()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    reading.add_arguments(parser)
    add, flag = parser.add_argument, partial(parser.add_argument, action="store_true")
    add("--unit", choices=tuple(units.UNITS), help="default: core cycles, or ticks without those")
    add("--format", choices=("text", *formats.FORMATS), default="text", help="of the output")
    flag("--mail", help="print a block to paste into a mail: results and where they are from")
    flag("--code", help="show how the measured code differs")
    flag("-v", "--verbose", help="show identifiers, controls and what only one result has")
    flag("--published", help="add published results of these primitives, with their sources")
    flag("--mix", help="put emulated or simulated results into one table with real ones")
    add(
        "--chart",
        metavar="NAME",
        action="append",
        choices=tuple(charts.CHARTS),
        help="draw one of those below; may be repeated",
    )
    add("--theme", choices=("light", "dark", "both"), default="light", help="of the charts")
    add(
        "--out",
        metavar="PREFIX",
        type=arguments.named,
        default=Path("irqcost-compare"),
        help="charts as PREFIX.png and PREFIX.svg, of several as PREFIX-NAME.…, dark ones as "
        "PREFIX-dark.…, further pages as PREFIX-page2.… (default: irqcost-compare in this folder)",
    )
    # Charts are drawn only on request; scripts may still say so.
    flag("--no-chart", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    wanted = [] if args.no_chart else list(dict.fromkeys(args.chart or ()))
    most = len(METADATA) * len(themes_of(args.theme))
    with charts.workers(most if wanted else 0) as workers:
        with store.readers(args.scheduler) as readers:
            return _run(args, wanted, readers, workers)


def _run(
    args: argparse.Namespace, wanted: Sequence[str], readers: Executor, workers: Executor
) -> int:
    found = reading.columns(args.paths, args.baseline, args.by, args.select, readers)
    if not found.columns:
        raise IrqcostError("nothing to compare")
    if not any(column.result.entries for column in found.columns):
        matching = "" if args.select is None else f" has a name that matches {args.select}"
        raise IrqcostError("no benchmark in these files" + matching)
    if wanted and not args.mix:
        reading.refuse_mix(found.columns)
    what = comparison.compared(found.columns, args.unit, args.mix)
    figures = published.read() if args.published or "generations" in wanted else ()
    if args.published:
        beside = published_table.chosen(figures, what.columns, what.rows, args.unit)
        what = replace(what, published=beside)
    if args.mail:
        print(mail.text(what, args.verbose))
    elif args.format == "text":
        screen.show(table.text(what, screen.width(), args.verbose, args.code))
    else:
        print(formats.FORMATS[args.format](what))
    if wanted:
        series = [column.series for column in what.columns]
        inputs = charts.Inputs(series, catalogue.read(), args.unit, figures)
        _draw(args, wanted, inputs, workers)
    return Exit.UNUSABLE if found.errors else Exit.OK


def _draw(
    args: argparse.Namespace, wanted: Sequence[str], inputs: charts.Inputs, workers: Executor
) -> None:
    """The charts, and where they are: beside the text, or apart from what programs read."""
    for name in wanted:
        prefix: Path = args.out
        if len(wanted) > 1:
            prefix = prefix.with_name(f"{prefix.name}-{name}")
        with paged(prefix, replace=True, themes=themes_of(args.theme)) as sheets:
            charts.draw(name, inputs, sheets, workers)
        output = sys.stdout if args.format == "text" else sys.stderr
        print("\n".join(sheets.said()), file=output)

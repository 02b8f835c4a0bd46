# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost compare`: any number of results side by side, as a table and as pictures."""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path

from irqcost.base import arguments
from irqcost.base.errors import Exit, IrqcostError
from irqcost.compare import comparison, reading
from irqcost.model import catalogue, published, store, units
from irqcost.output import charts, formats, published_table
from irqcost.output.charts.places import METADATA, made, themes_of


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "compare",
        help="compare result files: table and charts",
        description="Compares result files, figure by figure and grouped by primitive. Ratios are "
        f"to the baseline, else to the first. More than {reading.MOST_COLUMNS} results are put "
        "together by machine, each figure as the median over them with its 95 % interval.",
        epilog="charts:\n" + "\n".join(f"  {c.name:13}{c.shows}" for c in charts.CHARTS.values()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    reading.add_arguments(parser)
    parser.add_argument(
        "--unit",
        choices=tuple(units.UNITS),
        help="one unit only (default: core cycles and ns; ticks where no cycle was measured)",
    )
    parser.add_argument(
        "--format", choices=tuple(formats.FORMATS), default="text", help="of the table"
    )
    parser.add_argument(
        "--published",
        action="store_true",
        help="show what was published of the same primitives (results/published/), with sources",
    )
    parser.add_argument(
        "--mix",
        action="store_true",
        help="put emulated or simulated results beside real ones (refused otherwise)",
    )
    parser.add_argument(
        "--chart",
        metavar="NAME",
        action="append",
        choices=tuple(charts.CHARTS),
        help="one of those below; may be repeated (default: bars beside a text table)",
    )
    parser.add_argument(
        "--theme", choices=("light", "dark", "both"), default="light", help="of the charts"
    )
    parser.add_argument(
        "--out",
        metavar="PREFIX",
        type=arguments.named,
        default=Path("irqcost-compare"),
        help="charts as PREFIX.png and PREFIX.svg, of several as PREFIX-NAME.…, dark ones as "
        "PREFIX-dark.… (default: irqcost-compare in this folder)",
    )
    parser.add_argument("--no-chart", action="store_true", help="table only")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    wanted = args.chart or (["bars"] if args.format == "text" else [])
    most = len(METADATA) * len(themes_of(args.theme))
    with charts.workers(0 if args.no_chart or not wanted else most) as workers:
        with store.readers(args.scheduler) as readers:
            return _run(args, wanted, readers, workers)


def _run(
    args: argparse.Namespace, wanted: Sequence[str], readers: Executor, workers: Executor
) -> int:
    found = reading.columns(args.paths, args.baseline, args.by, args.select, readers)
    read = found.columns
    if not read:
        raise IrqcostError("nothing to compare")
    if not any(column.result.entries for column in read):
        matching = "" if args.select is None else f" has a name that matches {args.select}"
        raise IrqcostError("no benchmark in these files" + matching)
    if not args.mix:
        reading.refuse_mix(read)
    rows = comparison.rows(read, args.unit)
    figures = published.read() if args.published or "generations" in wanted else ()
    beside = published_table.chosen(figures, read, rows, args.unit) if args.published else None
    what = formats.Comparison(read, rows, args.unit, beside)
    print(formats.FORMATS[args.format](what))
    if args.format == "text":
        for line in comparison.in_lines(read):
            print(line)
    if not args.no_chart:
        series = [column.series for column in read]
        inputs = charts.Inputs(series, catalogue.read(), args.unit, figures)
        _draw(args, wanted, inputs, workers)
    return Exit.UNUSABLE if found.errors else Exit.OK


def _draw(
    args: argparse.Namespace, wanted: Sequence[str], inputs: charts.Inputs, workers: Executor
) -> None:
    """The charts, and where they are: beside the text, or apart from what programs read."""
    if not wanted:
        return
    for name in dict.fromkeys(wanted):
        prefix: Path = args.out
        if len(wanted) > 1:
            prefix = prefix.with_name(f"{prefix.name}-{name}")
        with made(prefix, replace=True, themes=themes_of(args.theme)) as places:
            charts.draw(name, inputs, places, workers)
        for place in places:
            output = sys.stdout if args.format == "text" else sys.stderr
            print(f"Chart:  {place.target}", file=output)

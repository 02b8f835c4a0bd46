# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost run`: measure with every backend that this machine allows."""

import argparse
import sys
from pathlib import Path

from irqcost.base import arguments
from irqcost.base.errors import Exit
from irqcost.base.process import confined
from irqcost.measure import options, running
from irqcost.measure.options import Options
from irqcost.measure.running import Prepared
from irqcost.model import catalogue
from irqcost.model.result import Result
from irqcost.output import terminal


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "run",
        help="measure on this machine: table, result file and chart",
        description="Builds the harness, measures with every backend that can run here, prints a "
        "table, and writes a result file and a chart.",
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=arguments.named,
        help="result file; the chart lies beside it "
        "(default: results/CPU/TIME-KERNEL.json in the checkout)",
    )
    options.add_choice(parser)
    options.add_more(parser)
    options.add_speed(parser)
    options.add_targets(parser)
    options.add_place(parser)
    parser.add_argument(
        "--forget-floors",
        action="store_true",
        help="forget how fast the contention sensor was in earlier runs on this CPU",
    )
    parser.add_argument(
        "--simulate",
        metavar="FILE",
        type=Path,
        help="measure on the simulated machine that FILE describes (docs/SIMULATE.md), into "
        "NAME-TIME.json in this folder",
    )
    parser.add_argument(
        "--keep-samples",
        action="store_true",
        help="keep the samples of every process, too, beside the result in NAME.samples.json.xz",
    )
    parser.add_argument("--no-chart", action="store_true", help="table and result file only")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    asked = arguments.chosen(Options, args)
    target: Path = args.out or running.default_target(asked)
    what = running.prepared(asked)
    codes = []
    for path, cpus in running.parts(asked, target):
        with confined(cpus):
            codes.append(_run(what, path, chart=not (args.no_chart or args.quick)))
    return max(codes)


def _run(what: Prepared, target: Path, chart: bool) -> int:
    """Measures into one file, and draws its charts."""
    if not chart:
        return _shown(running.measured(what, target), target)
    from irqcost.output.charts import of_run  # matplotlib: only where it draws

    with of_run.beside(target, what.names) as draw:
        result = running.measured(what, target)
        code = _shown(result, target)
        draw(result)
    return code


def _shown(result: Result, target: Path) -> int:
    print(terminal.text(result, catalogue.read()))
    print(f"\nResult: {target}")
    if not result.entries:
        print("irqcost: nothing could be measured; see above", file=sys.stderr)
        return Exit.UNUSABLE
    return Exit.OK

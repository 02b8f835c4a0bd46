# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost run`: measure with every backend that this machine allows."""

import argparse
import sys
import time
from pathlib import Path

from irqcost.base import arguments, layout, screen
from irqcost.base.errors import Exit
from irqcost.base.process import confined
from irqcost.measure import options, running
from irqcost.measure.options import Options
from irqcost.measure.running import Prepared
from irqcost.model import units
from irqcost.model.result import Result
from irqcost.output import terminal


# What --quick promises, in seconds.
_QUICK = 5.0


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "run",
        help="measure what masking costs on this machine",
        description="Measures with every backend that can run here. Prints the answer and a "
        "table, and writes a result file and a chart.",
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=arguments.named,
        help="result file; the chart lies beside it "
        f"(default: CPU/TIME-KERNEL.json in {layout.results_named()})",
    )
    options.add_choice(parser)
    options.add_more(parser)
    options.add_speed(parser)
    options.add_targets(parser)
    options.add_place(parser)
    options.add_forget(parser)
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
    parser.add_argument("--unit", choices=units.UNITS, help="of the table (default: core cycles)")
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="show controls, identifiers, all sections of work, and percentiles as well",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    started = time.monotonic()
    asked = arguments.chosen(Options, args)
    codes = []
    with running.reserved(asked, args.out) as target:
        what = running.prepared(asked)
        for path, cpus in running.parts(asked, target):
            with confined(cpus):
                codes.append(_run(args, what, path))
    took = time.monotonic() - started
    if args.quick and took > _QUICK:
        _explain(what, took)
    return max(codes)


def _explain(what: Prepared, took: float) -> None:
    """Says where the time of a quick run went."""
    measuring = what.options.seconds(1)
    rest = max(took - what.building - what.starting - measuring, 0)
    print(
        f"Took {took:.1f} s: {what.building:.1f} to check that the harness is built, "
        f"{what.starting:.1f} to start it, {measuring:.1f} to measure, {rest:.1f} for the rest",
        file=sys.stderr,
    )


def _run(args: argparse.Namespace, what: Prepared, target: Path) -> int:
    """Measures into one file, and draws its charts."""
    if args.no_chart or args.quick:
        return _shown(args, running.measured(what, target), target)
    from irqcost.output.charts import of_run  # matplotlib: only where it draws

    with of_run.beside(target, what.names) as draw:
        result = running.measured(what, target)
        code = _shown(args, result, target)
        draw(result)
    return code


def _shown(args: argparse.Namespace, result: Result, target: Path) -> int:
    from irqcost.compare import since  # numpy: not before anything is measured

    found = since.last_run(target, running.earlier(arguments.chosen(Options, args), target))
    screen.show(terminal.text(result, args.unit, args.verbose, since.text(found)))
    print(f"\nResult: {target}")
    if not result.entries:
        print("irqcost: nothing could be measured; see above", file=sys.stderr)
        return Exit.UNUSABLE
    return Exit.OK

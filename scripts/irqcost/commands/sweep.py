# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost sweep`: whether a throughput depends on the unroll factor."""

import argparse
from pathlib import Path

from irqcost.base import arguments, screen
from irqcost.base.errors import Exit, IrqcostError
from irqcost.measure import build
from irqcost.measure.unroll import measure
from irqcost.model import catalogue
from irqcost.output.sweep_table import text, verdict

_DESCRIPTION = """\
Measures the throughput of one probe with every unroll factor, and checks that the result does not
depend on it. The factor sets how much code one pass of the loop runs. A result that depends on it
says as much about the loop as about the probe.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "sweep",
        help="check that a result does not depend on the unroll factor",
        description=_DESCRIPTION,
    )
    parser.add_argument("probe", metavar="PROBE", help="such as popf (irqcost probes lists them)")
    parser.add_argument(
        "--backend", default="ring3", metavar="NAME", help="such as kmod (default: %(default)s)"
    )
    parser.add_argument("--cpu", metavar="N", help="the CPU to measure on")
    parser.add_argument("--samples", metavar="N", help="samples of each figure")
    parser.add_argument(
        "--out",
        metavar="PREFIX",
        type=arguments.named,
        default=Path("irqcost-sweep"),
        help="chart as PREFIX.png and PREFIX.svg (default: irqcost-sweep in this folder)",
    )
    parser.add_argument("--no-chart", action="store_true", help="table only")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.probe not in {probe.key for probe in catalogue.read()}:
        raise IrqcostError(f"no probe is called {args.probe}; `irqcost probes` lists them")
    bench = build.harness()
    arguments = [
        f"--irqcost_backends={args.backend}",
        f"--benchmark_filter=^{args.backend}/{args.probe}/throughput$",
    ]
    arguments += [f"--irqcost_cpu={args.cpu}"] if args.cpu else []
    arguments += [f"--irqcost_samples={args.samples}"] if args.samples else []
    if args.no_chart:
        screen.show(text(measure(bench, arguments)))
        return Exit.OK
    from irqcost.output.charts import output_files
    from irqcost.output.charts import sweep as chart

    with output_files.made(args.out, replace=True) as outputs:
        sweep = measure(bench, arguments)
        screen.show(text(sweep))
        chart.draw(sweep, verdict(sweep), outputs)
    for output in outputs:
        print(f"Chart:  {output.target}")
    return Exit.OK

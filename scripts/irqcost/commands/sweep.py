# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost sweep`: whether a throughput stands on a plateau, or hangs on the unroll factor."""

import argparse
from pathlib import Path

from irqcost.base import arguments
from irqcost.base.errors import Exit, IrqcostError
from irqcost.base.table import Table, number
from irqcost.measure import build
from irqcost.measure.unroll import Sweep, measure, plateau
from irqcost.model import catalogue, naming

_DESCRIPTION = """\
Measures the throughput of one probe with every unroll factor, and shows whether it is the same
with all of them. The factor is the probe's code footprint, and what one pass of the loop is spread
over. A figure that depends on it says as much of the window as of the probe.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "sweep", help="one probe over all unroll factors: table and chart", description=_DESCRIPTION
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
        print(text(measure(bench, arguments)))
        return Exit.OK
    from irqcost.output.charts import places as places_
    from irqcost.output.charts import sweep as chart  # matplotlib: only where it draws

    with places_.made(args.out, replace=True) as places:
        sweep = measure(bench, arguments)
        print(text(sweep))
        chart.draw(sweep, verdict(sweep), places)
    for place in places:
        print(f"Chart:  {place.target}")
    return Exit.OK


def verdict(sweep: Sweep) -> str:
    """What is seen, in a sentence."""
    probe = sweep.name.split("/")[1]
    level = plateau(sweep.points)
    if level:
        cost = number(level[-1].figure.value, 2)
        return f"{probe} costs {cost} {sweep.unit} from unroll factor {level[0].unroll} on"
    values = [point.figure.value for point in sweep.points]
    low, high = (number(value, 2) for value in (min(values), max(values)))
    if len(values) == 1:
        return f"{probe} has one unroll factor only: {low} {sweep.unit}"
    if any(point.entry.doubtful for point in sweep.points[-2:]):
        return f"{probe}: no plateau to be told, for figures of the greatest factors are in doubt"
    return f"{probe} stands on no plateau: {low} to {high} {sweep.unit}, by unroll factor"


def text(sweep: Sweep) -> str:
    """The sweep as a table."""
    table = Table(("unroll", sweep.unit, "from", "to", "clean", "remark"), ">>>>><")
    for point in sweep.points:
        entry = point.entry
        table.row(
            str(point.unroll),
            number(point.figure.value, 3),
            number(point.figure.low, 3),
            number(point.figure.high, 3),
            f"{entry.clean:.0f}/{entry.samples:.0f}",
            entry.label if entry.doubtful else "",
        )
    heading = f"{sweep.name}/throughput: {naming.title(sweep.context)}"
    return "\n".join([heading, "", str(table), "", verdict(sweep)])
